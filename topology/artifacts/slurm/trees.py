"""Tree topologies: leaf groups under spines, under cores, under the fabric that joins them."""

from collections.abc import Sequence

import polars as pl

from topology.artifacts.slurm.entries import Topology, TreeSwitch
from topology.plan import Plan, names
from topology.plan.names import Part
from topology.views.leaf_groups import LEVELS, leaf_groups, leaf_template, shape, template

TOP = (Part(column="fabric_name"), Part(column="word"), Part(column="number", width=4))


def fabric_tree(plan: Plan, nodes: pl.DataFrame, name: str, fabrics: Sequence[str]) -> Topology:
    """The tree over all `nodes` of some fabrics; `name` is its own and, over several tops, its root's."""
    switches: list[TreeSwitch] = []
    tops: list[pl.DataFrame] = []
    for fabric in fabrics:
        groups = leaf_groups(plan, nodes, fabric)
        if groups.height:
            switches += _levels(plan, groups, fabric)
            word, column = LEVELS[shape(plan, fabric)["tiers"]][-1]
            top = groups.select("fabric_name", number=pl.col(column)).unique()
            tops.append(top.with_columns(word=pl.lit(f"-{word}-")))
    top = pl.concat(tops)
    if top.height > 1:
        switches.append(TreeSwitch(name, "", names.fold(top, TOP)["hosts"][0]))
    return Topology(name, "tree", switches=tuple(switches))


def _levels(plan: Plan, groups: pl.DataFrame, fabric: str) -> list[TreeSwitch]:
    """Switches of one fabric, leaf groups first."""
    below = leaf_template(plan, fabric)
    hosts = names.fold(groups, names.node_template(plan.spec.names), ["fabric_name", "run", "seat"])
    leaves = hosts.select("hosts", name=names.spell(below))
    made = [TreeSwitch(name, hosts_, "") for hosts_, name in leaves.iter_rows()]
    for word, column in LEVELS[shape(plan, fabric)["tiers"]][1:]:
        own = template(word, column)
        parts = dict.fromkeys([*(part.column for part in (*below, *own) if part.column)])
        folded = names.fold(groups.select(*parts).unique(), below, ["fabric_name", column])
        made += [
            TreeSwitch(name, "", lower) for lower, name in folded.select("hosts", name=names.spell(own)).iter_rows()
        ]
        below = own
    return made
