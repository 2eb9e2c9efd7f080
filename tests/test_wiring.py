"""Wiring: what holds for every port, cable, rack and stage of any site, and what breaks it.

Sites are drawn by `strategies.sites`. Sizes and cables are worked out a second time here, by
loops that a person could follow with a pencil, and have to agree with the frames.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from math import ceil, inf

import numpy as np
import polars as pl
import pytest
import rustworkx as rx
from hypothesis import given
from strategies import MIDDLE, SITES, TINY, ends, loaded, read, sites

from topology import checks
from topology.findings import Severity
from topology.plan import names, tables

# --- a fabric sized a second time -----------------------------------------------------------------


@dataclass
class Tree:
    """One plane of one fabric: how many switches and links of which kind."""

    tiers: int
    run_units: int  # units that share leaves
    columns: int  # leaves side by side for the rails of a node
    groups: int  # leaves one after another for the nodes of a run
    group_nodes: int
    rails: int  # NICs of a node on one leaf
    down: int
    up: int
    island_runs: int
    core_up: int = 0
    pod_runs: int = 0
    pod_columns: int = 1
    spines: int = 0
    spine_down: int = 0
    spine_up: int = 0
    cores: int = 0
    core_down: int = 0

    @property
    def run_leaves(self):
        return self.columns * self.groups

    @property
    def island_pods(self):
        return ceil(self.island_runs / self.pod_runs) * self.pod_columns

    @property
    def tops(self):
        """Switches of an island that a core fabric joins."""
        return {1: self.run_leaves, 2: self.spines, 3: self.spines * self.cores}[self.tiers]

    def runs(self, units):
        return ceil(units / self.run_units)

    def islands(self, units):
        return ceil(self.runs(units) / self.island_runs)

    def pods(self, units):
        """Pods that are begun."""
        whole, rest = divmod(self.runs(units), self.island_runs)
        return whole * self.island_pods + ceil(rest / (self.pod_runs or 1)) * self.pod_columns


def cages_for(switch, gbps):
    """First cage, cages and ports per cage of the kind that offers most ports at a rate."""
    best, first = (0, 0, 0), 1
    for cage in switch.cages:
        ports = cage.ports.get(gbps, 0)
        if cage.count * ports > best[1] * best[2]:
            best = (first, cage.count, ports)
        first += cage.count
    return best


def up_links(down, gbps, up_gbps, taper):
    """Links that carry `down` ports at `taper` down to one up."""
    return ceil(Fraction(down * gbps) / (Fraction(str(taper)) * up_gbps))


def most_down(switch, gbps, up_gbps, taper):
    """Most ports down that leave cages for the ports up."""
    first, cages, per_cage = cages_for(switch, gbps)
    up_first, up_cages, up_per_cage = cages_for(switch, up_gbps)
    for down in range(cages * per_cage, 0, -1):
        used, up_used = ceil(down / per_cage), ceil(up_links(down, gbps, up_gbps, taper) / up_per_cage)
        if up_used <= up_cages and (first != up_first or used + up_used <= cages):
            return down
    return 0


def smallest_divisor(links, below, ports):
    """Fewest switches that give each of `below` switches equally many of its `links`."""
    return next((d for d in range(1, links + 1) if links % d == 0 and d * ports >= below * links), None)


def demand(plan, fabric):
    """Units that are there, units there is room for, node places per unit and NICs per node."""
    mine = [group for group in plan.spec.compute if not fabric.compute or group.name in fabric.compute]
    at = [plan.spec.compute.index(group) for group in mine]
    units = plan.units.filter(pl.col("group").is_in(at)).height
    design = plan.catalog.racks[mine[0].rack]
    nics = sum(nic.count for nic in plan.catalog.nodes[design.node].nics if nic.role == fabric.connects)
    return units, fabric.sized_for_units or units, mine[0].unit_racks * design.nodes, nics


def core_of(plan, fabric):
    return next((core for core in plan.spec.fabrics if fabric.name in core.joins), None)


def leaf_tier(plan, fabric, island_units, slots, nics):
    """A tree of leaves alone, without a number of islands."""
    switch, gbps, up_gbps = plan.catalog.switches[fabric.switch], fabric.port_gbps, fabric.uplink_gbps
    taper = fabric.oversubscription.leaf
    most = most_down(switch, gbps, up_gbps, taper)
    rails = nics if fabric.kind == "fat-tree" else 1
    if fabric.leaf_sharing == "rails":
        rails = max(q for q in range(1, nics + 1) if nics % q == 0 and (q == 1 or q * slots <= most))
    nodes, runs = most // rails, 1
    design = plan.catalog.racks[next(g.rack for g in plan.spec.compute if not fabric.compute or g.name in fabric.compute)]
    domain = design.nodes if design.nvlink and design.nodes <= nodes else 1
    if fabric.leaf_down:
        groups, group_nodes = slots * rails // fabric.leaf_down, fabric.leaf_down // rails
    elif fabric.leaf_sharing == "units" and nodes >= 2 * slots:
        runs, groups = min(nodes // slots, island_units), 1
        group_nodes = runs * slots
    else:
        domains = slots // domain
        fewest = ceil(domains / (nodes // domain))
        groups = next((n for n in range(fewest, 2 * fewest) if domains % n == 0), fewest)
        group_nodes = ceil(domains / groups) * domain
    down = group_nodes * rails
    up = up_links(down, gbps, up_gbps, taper)
    return Tree(2, runs, nics // rails, groups, group_nodes, rails, down, up, ceil(island_units / runs))


def tree_of(plan, fabric):
    """The fabric sized by trying every number of pods, switch by switch."""
    units, sized, slots, nics = demand(plan, fabric)
    island_units = min(fabric.island_units or sized, sized)
    switch, gbps, core = plan.catalog.switches[fabric.switch], fabric.uplink_gbps, core_of(plan, fabric)
    core_gbps, taper = (core.port_gbps, core.oversubscription.core) if core else (gbps, inf)
    one_leaf = nics if fabric.kind == "fat-tree" else 1

    def to_core(down, down_gbps):
        return up_links(down, down_gbps, core_gbps, taper) if core else 0

    def room(down_gbps):
        _, cages, per_cage = cages_for(switch, down_gbps)
        return most_down(switch, down_gbps, core_gbps, taper) if core else cages * per_cage

    down = island_units * slots * one_leaf
    if fabric.tiers in (1, None) and (fabric.tiers == 1 or one_leaf == nics) and down <= room(fabric.port_gbps):
        up = to_core(down, fabric.port_gbps)
        return Tree(1, island_units, nics // one_leaf, 1, down // one_leaf, one_leaf, down, 0, 1, up)
    tree = leaf_tier(plan, fabric, island_units, slots, nics)
    spines = smallest_divisor(tree.up, tree.island_runs * tree.run_leaves, room(gbps))
    if spines and fabric.tiers in (2, None) and not fabric.pod_units:
        spine_down = tree.island_runs * tree.run_leaves * tree.up // spines
        return replace(
            tree, pod_runs=tree.island_runs, spines=spines, spine_down=spine_down, core_up=to_core(spine_down, gbps)
        )
    best = []
    spine_most = most_down(switch, gbps, gbps, fabric.oversubscription.spine)
    spine_up = up_links(spine_most, gbps, gbps, fabric.oversubscription.spine)
    for pod_runs in [fabric.pod_units // tree.run_units] if fabric.pod_units else range(1, tree.island_runs + 1):
        spines = smallest_divisor(tree.up, pod_runs * tree.groups, spine_most)
        pods = ceil(tree.island_runs / pod_runs) * tree.columns
        cores = smallest_divisor(spine_up, pods, room(gbps))
        if spines and cores:
            core_down = pods * spine_up // cores
            switches = pods * spines + spines * cores
            shape = replace(
                tree, tiers=3, pod_runs=pod_runs, pod_columns=tree.columns, spines=spines, spine_up=spine_up,
                spine_down=pod_runs * tree.groups * tree.up // spines, cores=cores, core_down=core_down,
                core_up=to_core(core_down, gbps),
            )  # fmt: skip
            best.append((switches, tree.island_runs % pod_runs != 0, -pod_runs, shape))
    return min(best, key=lambda each: each[:3])[3]


# --- its cables plugged one after another ---------------------------------------------------------


@dataclass
class Switch:
    """A switch that is being cabled: its name and the ports that are still free."""

    name: str
    down: list[str]
    up: list[str]


def switch_with(name, model, down, gbps, up_gbps):
    """A switch with `down` ports for what is below it, and the cages after those for what is above."""
    first, cages, per_cage = cages_for(model, gbps)
    every = [f"{first + at}/{port + 1}" for at in range(cages) for port in range(per_cage)]
    up_first, up_cages, up_per_cage = cages_for(model, up_gbps)
    start = ceil(down / per_cage) if up_first == first else 0
    up = [f"{up_first + at}/{port + 1}" for at in range(start, up_cages) for port in range(up_per_cage)]
    return Switch(name, every[:down], up)


class ByHand:
    """Every cable of a plan, made again: the next cable takes the next free port."""

    def __init__(self, plan):
        self.plan = plan
        self.cables = set()
        self.hosts = set(names.node_names(plan))
        self.trees = {each.name: tree_of(plan, each) for each in plan.spec.fabrics if each.kind != "core"}
        self.tops = {}  # fabric, island, plane: its top switches
        for fabric in plan.spec.fabrics:
            if fabric.kind == "core":
                self.core(fabric)
            else:
                for plane in range(1, fabric.planes + 1):
                    self.plane(fabric, self.trees[fabric.name], plane)

    def plug(self, fabric, plane, hop, a, a_port, b, b_port, gbps):
        self.cables.add((fabric.name, plane, hop, a, a_port, b, b_port, gbps))

    def places(self, fabric):
        """Unit, place in the unit and name of every node place of a fabric, empty ones too."""
        spec, unit = self.plan.spec, 0
        halls, rows = [hall.name for hall in spec.halls], self.plan.rows["number"]
        for group in [each for each in spec.compute if not fabric.compute or each.name in fabric.compute]:
            slots = self.plan.catalog.racks[group.rack].nodes
            mine = self.plan.units.filter(pl.col("group") == spec.compute.index(group)).sort("number")
            for row in mine.iter_rows(named=True):
                for at in range(group.unit_racks):
                    position = row["position"] + at
                    number = (rows[row["row"]] - 1) * spec.halls[row["hall"]].positions + position
                    rack = spec.names.rack.format(
                        hall=halls[row["hall"]], row=rows[row["row"]], position=position, rack=number
                    )
                    for slot in range(1, slots + 1):
                        yield unit, at * slots + slot - 1, spec.names.node.format(rack=rack, node=slot)
                unit += 1

    def plane(self, fabric, tree, plane):
        units, _, slots, nics = demand(self.plan, fabric)
        model, up_gbps = self.plan.catalog.switches[fabric.switch], fabric.uplink_gbps
        core = core_of(self.plan, fabric)
        top_gbps = core.port_gbps if core else up_gbps

        def named(tier, group, index):
            return f"{fabric.name}-p{plane}-{tier}-{group + 1:04}-{index + 1:03}"

        leaves = [
            [
                switch_with(
                    named("leaf", run, at), model, tree.down, fabric.port_gbps, top_gbps if tree.tiers == 1 else up_gbps
                )
                for at in range(tree.run_leaves)
            ]
            for run in range(tree.runs(units))
        ]
        for unit, place, host in self.places(fabric):
            run, seat = unit // tree.run_units, unit % tree.run_units * slots + place
            for nic in range(nics):
                leaf = leaves[run][nic // tree.rails * tree.groups + seat // tree.group_nodes]
                port = leaf.down[seat % tree.group_nodes * tree.rails + nic % tree.rails]
                if host in self.hosts:
                    near = f"{host}/{fabric.connects}{nic}"
                    self.plug(fabric, plane, "node-leaf", near, f"1/{plane}", leaf.name, port, fabric.port_gbps)
        if plane == 1 and fabric.managers:
            self.managers(fabric, leaves)
        self.spines(fabric, tree, plane, leaves, named)

    def managers(self, fabric, leaves):
        """Subnet managers on the free node ports of the first leaves."""
        taken = {cable[5:7] for cable in self.cables}
        free = ((leaf.name, port) for run in leaves for leaf in run for port in leaf.down)
        free = (each for each in free if each not in taken)
        for box in range(1, fabric.managers.count + 1):
            for port in range(1, fabric.managers.ports + 1):
                near = f"{fabric.name}/manager{box}"
                self.plug(fabric, 1, "node-leaf", near, f"{port}/1", *next(free), fabric.port_gbps)

    def spines(self, fabric, tree, plane, leaves, named):
        model, gbps = self.plan.catalog.switches[fabric.switch], fabric.uplink_gbps
        core = core_of(self.plan, fabric)
        top_gbps = core.port_gbps if core else gbps
        pods, tops = {}, defaultdict(list)
        for run, of_run in enumerate(leaves):
            island, in_island = divmod(run, tree.island_runs)
            if tree.tiers == 1:
                self.tops[fabric.name, island, plane] = of_run
                continue
            for at, leaf in enumerate(of_run):
                column = at // (tree.run_leaves // tree.pod_columns)
                pod = island * tree.island_pods + in_island // tree.pod_runs * tree.pod_columns + column
                if pod not in pods:
                    pods[pod] = [
                        switch_with(
                            named("spine", pod, index), model, tree.spine_down, gbps, top_gbps if tree.tiers == 2 else gbps
                        )
                        for index in range(tree.spines)
                    ]
                    tops[island] += pods[pod]
                for spine in pods[pod]:
                    for _ in range(tree.up // tree.spines):
                        ports = leaf.up.pop(0), spine.name, spine.down.pop(0)
                        self.plug(fabric, plane, "leaf-spine", leaf.name, *ports, gbps)
        if tree.tiers == 3:
            tops = self.cores(fabric, tree, plane, pods, named)
        self.tops |= {(fabric.name, island, plane): switches for island, switches in tops.items()}

    def cores(self, fabric, tree, plane, pods, named):
        model, gbps = self.plan.catalog.switches[fabric.switch], fabric.uplink_gbps
        core = core_of(self.plan, fabric)
        tops = {}
        for pod, spines in sorted(pods.items()):
            island = pod // tree.island_pods
            if island not in tops:
                tops[island] = [
                    switch_with(
                        named("core", island, at), model, tree.core_down, gbps, core.port_gbps if core else gbps
                    )
                    for at in range(tree.tops)
                ]
            for at, spine in enumerate(spines):
                for upper in tops[island][at * tree.cores : (at + 1) * tree.cores]:
                    for _ in range(tree.spine_up // tree.cores):
                        ports = spine.up.pop(0), upper.name, upper.down.pop(0)
                        self.plug(fabric, plane, "spine-core", spine.name, *ports, gbps)
        return tops

    def core(self, core):
        """The islands' uplinks dealt out to the cores like cards; those of later islands are kept free."""
        model = self.plan.catalog.switches[core.switch]
        joined = [each for name in core.joins for each in self.plan.spec.fabrics if each.name == name]
        dealt = [
            (fabric, island, plane, top)
            for fabric in joined
            for island in range(self.trees[fabric.name].islands(demand(self.plan, fabric)[1]))
            for plane in range(1, fabric.planes + 1)
            for top in range(self.trees[fabric.name].tops)
            for _ in range(self.trees[fabric.name].core_up)
        ]
        _, cages, per_cage = cages_for(model, core.port_gbps)
        switches = ceil(len(dealt) / (cages * per_cage))
        cores = [
            switch_with(f"{core.name}-p1-core-0001-{at + 1:03}", model, cages * per_cage, core.port_gbps, core.port_gbps)
            for at in range(switches)
        ]
        for at, (fabric, island, plane, top) in enumerate(dealt):
            upper = cores[at % switches]
            port = upper.down.pop(0)
            if (fabric.name, island, plane) in self.tops:
                lower = self.tops[fabric.name, island, plane][top]
                self.plug(core, plane, "spine-core", lower.name, lower.up.pop(0), upper.name, port, core.port_gbps)


@SITES
@given(sites(TINY))
def test_cables_plugged_one_after_another_are_the_cables_of_the_plan(site):
    made = set(ends(site.plan).drop("stage").iter_rows())
    assert made == ByHand(site.plan).cables
