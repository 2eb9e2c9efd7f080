"""Tree topologies: leaf groups under the localities around them, under the fabric that joins them."""

from collections.abc import Sequence

import polars as pl

from topology.artifacts.slurm.entries import Topology, TreeSwitch
from topology.plan import Plan, names
from topology.views.localities import listed, near_levels, with_localities


def fabric_tree(plan: Plan, nodes: pl.DataFrame, name: str, fabrics: Sequence[str]) -> Topology:
    """The tree over all `nodes` of some fabrics; `name` is its own and, over several tops, its root's."""
    switches: list[TreeSwitch] = []
    tops: list[pl.Series] = []
    for fabric in fabrics:
        near = with_localities(plan, nodes, fabric)
        if near.height:
            switches += _levels(plan, near, fabric)
            tops.append(near[f"near{len(near_levels(plan, fabric)) - 1}"])
    top, template = listed(plan, pl.concat(tops))
    if top.height > 1:
        switches.append(TreeSwitch(name, "", names.fold(top, template)["hosts"][0]))
    return Topology(name, "tree", switches=tuple(switches))


def _levels(plan: Plan, near: pl.DataFrame, fabric: str) -> list[TreeSwitch]:
    """Switches of one fabric, leaf groups first."""
    spelled = plan.localities["name"]
    hosts = names.fold(near, names.node_template(plan.spec.names), ["near0"])
    made = [TreeSwitch(spelled[at], hosts_, "") for at, hosts_ in hosts.iter_rows()]
    for level in range(1, len(near_levels(plan, fabric))):
        below, template = listed(plan, near[f"near{level - 1}"])
        made += [
            TreeSwitch(spelled[at], "", lower) for at, lower in names.fold(below, template, ["parent"]).iter_rows()
        ]
    return made
