"""Wiring: what holds for every port, cable, rack and stage of any site, and what breaks it.

Sites are drawn by `strategies.sites`. Sizes and cables are worked out a second time here, by
loops that a person could follow with a pencil, and have to agree with the frames.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, inf

import polars as pl
import pytest
import rustworkx as rx
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import CORE, SITES, TINY, Wish, ends, expanded, loaded, one_hall, read, refusal, sites

from topology import checks
from topology.expand.fabrics import words
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
    if fabric.leaf_sharing == "rails" and fabric.kind != "fat-tree":
        rails = max(q for q in range(1, nics + 1) if nics % q == 0 and (q == 1 or q * slots <= most))
    nodes, runs = most // rails, 1
    design = plan.catalog.racks[
        next(g.rack for g in plan.spec.compute if not fabric.compute or g.name in fabric.compute)
    ]
    domain = design.nodes if design.nvlink and design.nodes <= nodes else 1
    if fabric.leaf_down:
        groups, group_nodes = slots * rails // fabric.leaf_down, fabric.leaf_down // rails
    elif fabric.leaf_sharing == "units" and nodes >= 2 * slots:
        runs, groups = min(nodes // slots, island_units), 1
        while fabric.island_units and island_units % runs:  # an island ends between leaves
            runs -= 1
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
    _, sized, slots, nics = demand(plan, fabric)
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
        self.hosts = set(names.labels(plan, "nodes"))
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
                            named("spine", pod, index),
                            model,
                            tree.spine_down,
                            gbps,
                            top_gbps if tree.tiers == 2 else gbps,
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
            switch_with(
                f"{core.name}-p1-core-0001-{at + 1:03}", model, cages * per_cage, core.port_gbps, core.port_gbps
            )
            for at in range(switches)
        ]
        for at, (fabric, island, plane, top) in enumerate(dealt):
            upper = cores[at % switches]
            port = upper.down.pop(0)
            if (fabric.name, island, plane) in self.tops:
                lower = self.tops[fabric.name, island, plane][top]
                self.plug(core, plane, "spine-core", lower.name, lower.up.pop(0), upper.name, port, core.port_gbps)


# --- ports ----------------------------------------------------------------------------------------


def sockets(plan):
    """Both ends of every cable, one row each: table, row number, cage, port, rate."""
    near = plan.cables.select("cable", "rate_gbps", table="a_table", end="a", cage="a_cage", port="a_port")
    switches = pl.lit("switches", dtype=tables.ENDS)
    far = plan.cables.select("cable", "rate_gbps", table=switches, end="b", cage="b_cage", port="b_port")
    return pl.concat([near, far])


@SITES
@given(sites())
def test_a_port_takes_one_cable_at_most(site):
    used = sockets(site.plan).select("table", "end", "cage", "port")
    assert not used.is_duplicated().any()


@SITES
@given(sites())
def test_a_cage_is_split_one_way_and_has_every_port_that_is_used(site):
    plan = site.plan
    ways = sockets(plan).group_by("table", "end", "cage").agg(
        rates=pl.col("rate_gbps").n_unique(), gbps=pl.col("rate_gbps").first(), last=pl.col("port").max()
    )  # fmt: skip
    assert (ways["rates"] == 1).all()
    models = plan.switches.join(plan.fabrics.select("fabric", model="switch"), on="fabric", maintain_order="left")
    for table, end, cage, gbps, last in ways.drop("rates").iter_rows():
        if table == "switches":
            cages = [
                each.ports for each in plan.catalog.switches[models["model"][end]].cages for _ in range(each.count)
            ]
            ports = cages[cage - 1].get(gbps, 0)
        elif table == "nics":
            node = plan.nodes.row(plan.nics["node"][end], named=True)
            design = plan.catalog.racks[plan.spec.compute[node["group"]].rack]
            cards = {nic.role: nic.ports for nic in plan.catalog.nodes[design.node].nics}
            ports = cards[plan.nics["role"][end]].get(gbps, 0) if cage == 1 else 0
        else:  # an appliance's ports are counted like cages of one port
            ports = int(cage <= plan.catalog.appliances[plan.appliances["product"][end]].ports.get(gbps, 0))
        assert last <= ports, (table, end, cage)


# --- NICs -----------------------------------------------------------------------------------------


def node_links(plan, fabric):
    """Cables of a fabric from NICs to leaves, with the node, its unit and the NIC's index."""
    at = plan.spec.fabrics.index(fabric)
    mine = plan.cables.filter((pl.col("fabric") == at) & (pl.col("a_table") == "nics"))
    nics = plan.nics.select(a="nic", node="node", role="role", index="index")
    nodes = plan.nodes.select("node", "unit", "group", "place")
    return mine.join(nics, on="a", how="left").join(nodes, on="node", how="left")


def trees_of(plan):
    """Fabrics of nodes; the others are cores."""
    return [fabric for fabric in plan.spec.fabrics if fabric.kind != "core"]


@SITES
@given(sites())
def test_a_nic_has_one_cable_in_every_plane_of_the_fabric_of_its_role(site):
    plan = site.plan
    expected = set()
    for fabric in trees_of(plan):
        for node, role, nic in plan.nics.select("node", "role", "nic").iter_rows():
            group = plan.spec.compute[plan.nodes["group"][node]].name
            if role == fabric.connects and (not fabric.compute or group in fabric.compute):
                expected |= {(nic, plane) for plane in range(1, fabric.planes + 1)}
    cabled = plan.cables.filter(pl.col("a_table") == "nics").select("a", "plane", "a_cage", "a_port").rows()
    assert sorted(cabled) == sorted((nic, plane, 1, plane) for nic, plane in expected)


@SITES
@given(sites())
def test_a_leaf_of_a_rail_optimized_fabric_takes_the_nics_of_its_own_rails(site):
    plan = site.plan
    for fabric in trees_of(plan):
        if fabric.kind == "rail-optimized":
            rails = tree_of(plan, fabric).rails
            links = node_links(plan, fabric).with_columns(rail=pl.col("index") // rails)
            leaves = links.group_by("plane", "b").agg(pl.col("rail").n_unique())
            assert (leaves["rail"] == 1).all()
            assert fabric.leaf_sharing == "rails" or rails == 1


@SITES
@given(sites())
def test_a_node_of_a_fat_tree_hangs_on_one_leaf(site):
    plan = site.plan
    for fabric in trees_of(plan):
        if fabric.kind == "fat-tree":
            assert (node_links(plan, fabric).group_by("plane", "node").agg(pl.col("b").n_unique())["b"] == 1).all()


@SITES
@given(sites())
def test_planes_are_alike(site):
    """Every NIC meets the same leaf and port in each plane, and so on up."""
    for fabric in trees_of(site.plan):
        cables = ends(site.plan).filter((pl.col("fabric") == fabric.name) & ~pl.col("a").str.contains("manager"))
        cables = cables.with_columns(pl.col("a", "b").str.replace(r"-p\d+-", "-"))
        cables = cables.with_columns(a_port=pl.when(pl.col("hop") != "node-leaf").then("a_port"))
        planes = [
            part.drop("plane").sort(pl.all()) for (_,), part in cables.partition_by("plane", as_dict=True).items()
        ]
        assert len(planes) == fabric.planes
        assert all(plane.equals(planes[0]) for plane in planes)


# --- spread and bandwidth -------------------------------------------------------------------------


def seen(plan):
    """Cables between switches, with what the switches at both ends are."""
    columns = ("tier", "plane", "island", "group", "index")
    low, high = (plan.switches.select("switch", *(pl.col(c).alias(f"{end}_{c}") for c in columns)) for end in "ab")
    cables = plan.cables.filter(pl.col("a_table") == "switches")
    return cables.join(low, left_on="a", right_on="switch").join(high, left_on="b", right_on="switch")


@SITES
@given(sites())
def test_a_switch_has_as_many_links_to_every_switch_above_it(site):
    plan = site.plan
    for fabric in trees_of(plan):
        at, tree = plan.spec.fabrics.index(fabric), tree_of(plan, fabric)
        cables = seen(plan).filter(pl.col("fabric") == at)
        assert (cables["a_plane"] == cables["b_plane"]).all()
        assert (cables["a_island"] == cables["b_island"]).all()
        for tier, above, links in (("leaf", tree.spines, tree.up), ("spine", tree.cores, tree.spine_up)):
            lower = plan.switches.filter((pl.col("fabric") == at) & (pl.col("tier") == tier)).height
            pairs = cables.filter(pl.col("a_tier") == tier).group_by("a", "b").len()
            assert pairs.height == lower * above
            assert not above or (pairs["len"] == links // above).all()


@SITES
@given(sites())
def test_every_core_switch_reaches_every_island_in_every_plane(site):
    plan = site.plan
    for at, core in enumerate(plan.spec.fabrics):
        if core.kind == "core":
            cores = plan.switches.filter(pl.col("fabric") == at).height
            tops = plan.switches.select(a="switch", joined="fabric", island="island")
            cables = plan.cables.filter(pl.col("fabric") == at).join(tops, on="a")
            trees = cables.group_by("joined", "island", "plane").agg(
                cores=pl.col("b").n_unique(), counts=pl.col("b").unique_counts()
            )
            expected = sum(
                fabric.planes * row["islands"]
                for fabric, row in zip(plan.spec.fabrics, plan.fabrics.iter_rows(named=True), strict=True)
                if fabric.name in core.joins
            )
            assert trees.height == expected
            assert (trees["cores"] == cores).all()
            spread = trees.select(pl.col("counts").list.max() - pl.col("counts").list.min()).to_series()
            assert (spread <= 1).all()


@SITES
@given(sites())
def test_a_switch_has_the_bandwidth_up_that_its_taper_asks_for(site):
    plan = site.plan
    rates = plan.cables.select("fabric", "rate_gbps", "a_table", "a", "b")
    down = dict(rates.group_by("b").agg(pl.col("rate_gbps").cast(pl.Int64).sum()).iter_rows())
    upward = rates.filter(pl.col("a_table") == "switches").group_by("a")
    up = dict(upward.agg(pl.col("rate_gbps").cast(pl.Int64).sum()).iter_rows())
    for fabric in trees_of(plan):
        at, core = plan.spec.fabrics.index(fabric), core_of(plan, fabric)
        tiers = plan.fabrics["tiers"][at]
        taper = fabric.oversubscription
        tapers = dict(zip(("leaf", "spine", "core"), [taper.leaf, taper.spine, 1][: tiers - 1], strict=False))
        if core:
            tapers[("leaf", "spine", "core")[tiers - 1]] = core.oversubscription.core
        for number, tier in plan.switches.filter(pl.col("fabric") == at).select("switch", "tier").iter_rows():
            if tier in tapers:
                assert up.get(number, 0) >= down.get(number, 0) / tapers[tier] - 1e-6


# --- counts ---------------------------------------------------------------------------------------


def expected_counts(plan, fabric):
    """Switches and cables of a fabric of nodes, from its sizes alone."""
    units, _, _, nics = demand(plan, fabric)
    tree = tree_of(plan, fabric)
    at = [i for i, group in enumerate(plan.spec.compute) if not fabric.compute or group.name in fabric.compute]
    nodes = plan.nodes.filter(pl.col("group").is_in(at)).height
    managers = fabric.managers.count * fabric.managers.ports if fabric.managers else 0
    leaves = tree.runs(units) * tree.run_leaves
    spines = tree.pods(units) * tree.spines if tree.tiers > 1 else 0
    cores = tree.islands(units) * tree.spines * tree.cores
    return {
        "leaf": leaves * fabric.planes,
        "spine": spines * fabric.planes,
        "core": cores * fabric.planes,
        "node-leaf": nodes * nics * fabric.planes + managers,
        "leaf-spine": leaves * tree.up * fabric.planes,
        "spine-core": spines * tree.spine_up * fabric.planes,
        "to-core": tree.islands(units) * fabric.planes * tree.tops * tree.core_up,
    }


@SITES
@given(sites())
def test_switches_and_cables_number_what_the_closed_forms_say(site):
    plan = site.plan
    for at, fabric in enumerate(plan.spec.fabrics):
        hops = dict(plan.cables.filter(pl.col("fabric") == at)["hop"].value_counts().iter_rows())
        tiers = dict(plan.switches.filter(pl.col("fabric") == at)["tier"].value_counts().iter_rows())
        if fabric.kind == "core":
            joined = [expected_counts(plan, each) for each in plan.spec.fabrics if each.name in fabric.joins]
            assert hops == {"spine-core": sum(each["to-core"] for each in joined)}
        else:
            expected = expected_counts(plan, fabric)
            del expected["to-core"]
            assert expected == {name: (tiers | hops).get(name, 0) for name in expected}


@SITES
@given(sites())
def test_every_unit_has_its_racks_and_every_rack_its_nodes(site):
    plan = site.plan
    for at, group in enumerate(plan.spec.compute):
        design = plan.catalog.racks[group.rack]
        fitted = group.nodes_per_rack or design.nodes
        units = plan.units.filter(pl.col("group") == at)
        racks = plan.racks.filter(pl.col("group") == at)
        nodes = plan.nodes.filter(pl.col("group") == at)
        per_unit = {"units": 1, "racks": group.unit_racks, "gpus": group.unit_racks * fitted}
        per_unit["gpus"] *= plan.catalog.nodes[design.node].gpus
        assert units.height * per_unit[group.count.kind] == group.count.value
        assert racks.height == units.height * group.unit_racks
        assert nodes.height == racks.height * fitted - len(group.without)
        assert nodes["slot"].max() <= fitted
        assert (nodes["place"] < group.unit_racks * design.nodes).all()
        assert not nodes.select("unit", "place").is_duplicated().any()
        gpus = plan.gpus.join(nodes, on="node", how="semi")
        assert gpus.height == nodes.height * plan.catalog.nodes[design.node].gpus
        domains = plan.nvlink_domains.filter(pl.col("domain").is_in(nodes["domain"].implode()))
        assert domains["nodes"].sum() == nodes.height
        whole = design.nodes if design.nvlink else 1
        assert (domains["nodes"] + domains["missing_nodes"] == whole).all()


@SITES
@given(sites())
def test_an_island_holds_no_more_units_than_the_spec_gives_it(site):
    plan = site.plan
    for fabric in trees_of(plan):
        if fabric.island_units:
            islands = plan.switches.select(b="switch", island="island")
            links = node_links(plan, fabric).join(islands, on="b")
            units = links.group_by("island", "plane").agg(pl.col("unit").n_unique())
            assert (units["unit"] <= fabric.island_units).all()


# --- the floor ------------------------------------------------------------------------------------


@SITES
@given(sites())
def test_a_place_holds_one_rack_of_the_kind_that_its_row_is_for(site):
    plan = site.plan
    racks = plan.racks.join(plan.rows.select("row", row_number="number", in_hall="hall", kept="network"), on="row")
    racks = racks.join(plan.halls.select("hall", "positions", "rows"), on="hall")
    assert not racks.select("hall", "row", "position").is_duplicated().any()
    assert (racks["hall"] == racks["in_hall"]).all()
    assert racks["position"].is_between(1, racks["positions"]).all()
    assert racks["row_number"].is_between(1, racks["rows"]).all()
    numbers = racks.select((pl.col("row_number").cast(pl.Int64) - 1) * pl.col("positions") + pl.col("position"))
    assert (numbers.to_series() == racks["number"]).all()
    assert (racks.filter("kept")["role"] == "network").all()
    units = plan.units.select("unit", unit_row="row", first="position", unit_hall="hall")
    compute = racks.filter(pl.col("role") == "compute").join(units, on="unit")
    sizes = [plan.spec.compute[at].unit_racks for at in compute["group"]]
    assert (compute["row"] == compute["unit_row"]).all()
    assert (compute["position"].cast(pl.Int64) - compute["first"]).is_between(0, pl.Series(sizes) - 1).all()


@SITES
@given(sites())
def test_switches_stand_in_network_racks_and_two_never_share_a_rack_unit(site):
    plan = site.plan
    heights = {slug: product.height_u for slug, product in plan.catalog.switches.items()}
    models = [plan.spec.fabrics[at].switch for at in plan.switches["fabric"]]
    switches = plan.switches.select("rack", "u", height=pl.Series([heights[model] for model in models], dtype=pl.Int64))
    shelf = [plan.catalog.appliances[slug].height_u for slug in plan.appliances["product"]]
    boxes = pl.concat([switches, plan.appliances.select("rack", "u", height=pl.Series(shelf, dtype=pl.Int64))])
    racks = plan.racks.select("rack", "role", "height_u", "used_u")
    stood = boxes.join(racks, on="rack", how="left")
    assert (stood["role"] == "network").all()
    assert (stood["u"] >= 1).all()
    assert (stood["u"] + stood["height"] - 1 <= stood["height_u"]).all()
    units = stood.select("rack", u=pl.int_ranges("u", pl.col("u") + pl.col("height"))).explode("u")
    assert not units.is_duplicated().any()
    taken = units.group_by("rack").len().join(racks, on="rack")
    assert (taken["len"] == taken["used_u"]).all()
    assert taken.height == plan.racks.filter(pl.col("role") == "network").height


# --- reach ----------------------------------------------------------------------------------------


def parts(pairs):
    """How many pieces the graph of these pairs of names falls into."""
    graph, at = rx.PyGraph(), {}
    for name in {end for pair in pairs for end in pair}:
        at[name] = graph.add_node(name)
    graph.add_edges_from_no_data([(at[a], at[b]) for a, b in pairs])
    return rx.number_connected_components(graph)


@SITES
@given(sites())
def test_every_plane_of_an_island_is_in_one_piece(site):
    """Of a fabric with leaves alone, whose rails meet in the nodes, the nodes count as joints."""
    plan = site.plan
    islands = plan.switches["island"]
    for fabric in trees_of(plan):
        at = plan.spec.fabrics.index(fabric)
        cables = plan.cables.filter(pl.col("fabric") == at)
        cables = cables.with_columns(island=islands.gather(cables["b"]))
        for part in cables.partition_by("plane", "island"):
            near = part.select("a_table", "a").rows()
            if plan.fabrics["tiers"][at] == 1:
                near = [("nodes", plan.nics["node"][a]) if table == "nics" else (table, a) for table, a in near]
            assert parts(list(zip(near, [("switches", b) for b in part["b"]], strict=True))) == 1


@SITES
@given(sites(wish=Wish(cored=True)))
def test_all_islands_of_all_fabrics_are_one_piece_through_the_core(site):
    plan = site.plan
    core = next(fabric for fabric in plan.spec.fabrics if fabric.kind == "core")
    joined = [at for at, each in enumerate(plan.spec.fabrics) if each is core or each.name in core.joins]
    between = plan.cables.filter(pl.col("fabric").is_in(joined) & (pl.col("a_table") == "switches"))
    links = between.select("a", "b").rows()
    switches = plan.switches.filter(pl.col("fabric").is_in(joined))
    assert {end for link in links for end in link} == set(switches["switch"])
    for at in joined:
        if plan.fabrics["tiers"][at] == 1 and plan.spec.fabrics[at] is not core:
            nodes = node_links(plan, plan.spec.fabrics[at])  # rails without spines meet in the nodes, over NVLink
            links += [(-1 - node, leaf) for node, leaf in nodes.select("node", "b").rows()]
    assert parts(links) == 1


# --- stages ---------------------------------------------------------------------------------------

NEVER = 2**16  # stands for the null of what is in no stage


@SITES
@given(sites(wish=Wish(staged=True)))
def test_both_ends_of_a_cable_stand_in_its_stage(site):
    plan = site.plan
    nodes = plan.nodes["stage"].fill_null(NEVER).gather(plan.nics["node"])
    stage = {"nics": nodes} | {
        name: frame["stage"].fill_null(NEVER)
        for name, frame in (("switches", plan.switches), ("appliances", plan.appliances))
    }
    cables = plan.cables.with_columns(pl.col("stage").fill_null(NEVER))
    assert (stage["switches"].gather(cables["b"]) <= cables["stage"]).all()
    for (table,), part in cables.partition_by("a_table", as_dict=True).items():
        assert (stage[table].gather(part["a"]) <= part["stage"]).all()


@SITES
@given(sites(wish=Wish(staged=True)))
def test_a_stage_is_what_its_spec_adds_to_the_stage_before(site):
    plan = site.plan
    design = [plan.catalog.racks[group.rack] for group in plan.spec.compute]
    total = units = 0
    for at, stage in enumerate(plan.spec.stages):
        for name, given_ in stage.add:
            index = next(i for i, group in enumerate(plan.spec.compute) if group.name == name)
            group = plan.spec.compute[index]
            nodes = group.unit_racks * (group.nodes_per_rack or design[index].nodes)
            gpus = nodes * plan.catalog.nodes[design[index].node].gpus
            units += given_.value // {"units": 1, "racks": group.unit_racks, "gpus": gpus}[given_.kind]
        row = plan.stages.row(at, named=True)
        now = pl.col("stage") <= at
        assert row["name"] == stage.name
        assert row["units"] == units == plan.units.filter(now).height
        assert row["nodes"] == plan.nodes.filter(now).height
        assert row["gpus"] == plan.gpus.join(plan.nodes.filter(now), on="node", how="semi").height
        assert row["cables"] == plan.cables.filter(now).height >= total
        assert row["racks"] == plan.racks.filter(now & (pl.col("role") == "compute")).height
        assert row["it_w"] == plan.racks.filter(now)["power_w"].cast(pl.UInt64).sum()
        total = row["cables"]


@SITES
@given(sites(wish=Wish(staged=True)))
def test_a_stage_joins_all_of_its_nodes(site):
    """In every stage, every plane of an island that is begun is in one piece."""
    plan = site.plan
    islands = plan.switches["island"]
    for fabric in trees_of(plan):
        at = plan.spec.fabrics.index(fabric)
        if plan.fabrics["tiers"][at] == 1:
            continue
        for stage in range(len(plan.spec.stages)):
            now = plan.cables.filter((pl.col("fabric") == at) & (pl.col("stage") <= stage))
            now = now.with_columns(island=islands.gather(now["b"]))
            for part in now.partition_by("plane", "island"):
                near = part.select("a_table", "a").rows()
                assert parts(list(zip(near, [("switches", b) for b in part["b"]], strict=True))) == 1


@SITES
@given(sites(wish=Wish(staged=True)))
def test_a_switch_stands_from_the_stage_of_the_first_thing_under_it(site):
    plan = site.plan
    nodes = plan.nodes["stage"].fill_null(NEVER).gather(plan.nics["node"])
    own = plan.switches["stage"].fill_null(NEVER)
    first = defaultdict(lambda: NEVER)
    for table, a, b in plan.cables.select("a_table", "a", "b").iter_rows():
        if table != "appliances":
            first[b] = min(first[b], nodes[a] if table == "nics" else own[a])
    for switch, tier in plan.switches.select("switch", "tier").iter_rows():
        if tier == "leaf":  # the first unit on it may have all of its nodes left out
            assert own[switch] <= first[switch]
        else:
            assert own[switch] == first[switch]


# --- single cases ---------------------------------------------------------------------------------


def test_a_node_of_a_fat_tree_hangs_on_one_leaf_though_rails_may_share():
    """`leaf_sharing: rails` has nothing to share there: the NICs of a node are together already."""
    compute = [{"name": "g", "rack": "boxes-4x4", "units": 2, "unit_racks": 2}]
    plan = expanded(one_hall(compute, [{"kind": "fat-tree", "leaf_sharing": "rails"}]))
    leaves = node_links(plan, plan.spec.fabrics[0]).group_by("node").agg(pl.col("b").n_unique())
    assert set(leaves["b"]) == {1}


def test_an_island_is_as_large_as_the_spec_says_though_units_share_leaves():
    """Islands of three units and leaves of two: the third unit's leaf is half used, no unit is added."""
    compute = [{"name": "g", "rack": "boxes-1x1", "units": 6, "unit_racks": 2}]
    tree = {"switch": "roce-4", "leaf_sharing": "units", "islands": {"units": 3}, "tiers": 2}
    plan = expanded(one_hall(compute, [tree, CORE | {"switch": "roce-4", "oversubscription": 2}]))
    islands = plan.switches.select(b="switch", island="island")
    units = (
        node_links(plan, plan.spec.fabrics[0]).join(islands, on="b").group_by("island").agg(pl.col("unit").n_unique())
    )
    assert units["unit"].to_list() == [3, 3]


def test_a_spine_waits_for_the_first_unit_of_its_own_island():
    """The last pod of an island is short, so the pod's place count reaches into the next island."""
    compute = [{"name": name, "rack": "boxes-1x1", "units": units} for name, units in (("a", 5), ("b", 1))]
    tree = {"switch": "roce-4", "islands": {"units": 5}, "pod_units": 3}
    stages = [{"name": "s1", "add": {"b": {"units": 1}}}, {"name": "s2", "add": {"a": {"units": 5}}}]
    plan = expanded(one_hall(compute, [tree, CORE]) | {"stages": stages})
    first = pl.col("island") == 1
    assert set(plan.switches.filter(first & (pl.col("fabric") == 0))["stage"]) == {1}


@pytest.mark.parametrize(
    "place",
    [
        {"leaf": "network-row", "spine": "row-end"},
        {"leaf": "row-end", "spine": "row-end"},
        {"leaf": "row-end", "core": "row-end"},
    ],
    ids=lambda place: "-".join(f"{tier}-at-{where}" for tier, where in place.items()),
)
def test_spines_and_cores_at_row_ends_stand_in_the_row(place):
    """With one switch per rack, the racks of every tier have to find room at the end of the row."""
    compute = [{"name": "g", "rack": "boxes-1x1", "units": 4, "unit_racks": 2}]
    fabric = {"switch": "roce-4", "place": place, "tiers": 3 if "core" in place else 2}
    plan = expanded(one_hall(compute, [fabric], positions=8, rack_limit={"power_kw": 1}))
    assert plan.racks["position"].max() <= 8
    assert not names.labels(plan, "racks").is_duplicated().any()


def test_spines_of_short_pods_at_row_ends_stand_in_the_row():
    """Islands of four units in pods of three: two pods begin in every four units of a long row."""
    compute = [{"name": "g", "rack": "boxes-1x1", "units": 40}]
    tree = {"switch": "roce-4", "islands": {"units": 4}, "pod_units": 3, "tiers": 3, "place": {"spine": "row-end"}}
    plan = expanded(one_hall(compute, [tree, CORE], positions=30, rack_limit={"power_kw": 1}))
    assert plan.racks["position"].max() <= 30
    assert not names.labels(plan, "racks").is_duplicated().any()


# --- the tables -----------------------------------------------------------------------------------


@SITES
@given(sites())
def test_every_table_is_as_the_data_dictionary_says(site):
    plan = site.plan
    for table in tables.TABLES:
        frame = plan.tables()[table.name]
        assert frame.columns == [column.name for column in table.columns], table.name
        enums = {"tier": pl.Enum(words("TIERS")), "hop": pl.Enum(words("HOPS"))} if frame.height else {}
        dtypes = [
            enums.get(column.name, pl.Enum) if column.dtype is pl.Enum else column.dtype for column in table.columns
        ]
        assert frame.dtypes == dtypes, table.name
        assert not frame.select(table.key).is_duplicated().any(), table.name
        for column in table.columns:
            values = frame[column.name]
            assert column.null or not values.null_count(), (table.name, column.name)
            for word in (
                plan.cables["a_table"].unique() if column.to.startswith("@") else (column.to,) * bool(column.to)
            ):
                rows = (plan.tables() | {"origins": plan.pointers()})[word].height
                mine = values.filter(frame["a_table"] == word) if column.to.startswith("@") else values
                numbers = mine.explode() if isinstance(column.dtype, pl.List) else mine
                assert (numbers.drop_nulls() < rows).all(), (table.name, column.name)
            if column.name == "origin":
                assert (values < len(plan.origins)).all(), table.name
        number = table.columns[0]
        if number.doc.startswith("Row number"):
            assert frame[number.name].to_list() == list(range(frame.height)), table.name


@SITES
@given(sites())
def test_no_check_finds_an_error_in_what_expansion_makes(site):
    found = [finding for finding in checks.run(site.plan) if finding.severity is Severity.ERROR]
    assert found == []


@SITES
@given(sites())
def test_a_drawn_spec_is_one_that_the_loader_takes(site):
    assert loaded(site.data) == read(site.data)


@SITES
@given(sites(TINY))
def test_cables_plugged_one_after_another_are_the_cables_of_the_plan(site):
    rows = ends(site.plan).drop("stage").rows()
    assert len(rows) == len(set(rows))
    assert set(rows) == ByHand(site.plan).cables


# --- planted faults -------------------------------------------------------------------------------


def two_tiers(links):
    """A rail-optimized site of four leaves per unit with one link, or two, between each leaf and spine."""
    units = {1: 4, 2: 2}[links]
    half = {"g": {"units": units // 2}}
    stages = [{"name": "s1", "add": half}, {"name": "s2", "add": half}]
    plan = expanded(one_hall([{"name": "g", "rack": "boxes-4x4", "units": units}], [{}]) | {"stages": stages})
    tree = tree_of(plan, plan.spec.fabrics[0])
    assert (tree.tiers, tree.up // tree.spines) == (2, links)
    return plan


def changed(plan, row, **values):
    """The plan with some values of one cable changed."""
    at = pl.int_range(pl.len()) == row
    made = [
        pl.when(at).then(pl.lit(value, dtype=plan.cables.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return replace(plan, cables=plan.cables.with_columns(made))


def found(plan):
    """Errors that the wiring checks find, by code."""
    wrong = (finding for finding in checks.run(plan) if finding.severity is Severity.ERROR)
    return {finding.code: finding for finding in wrong if finding.code.startswith("N30")}


def far_end(plan, row):
    return {name: plan.cables[name][row] for name in ("b", "b_cage", "b_port")}


def rows_of(plan, **values):
    """Row numbers of the cables with these values."""
    return plan.cables.filter(**values)["cable"].to_list()


@pytest.fixture(scope="module")
def planted():
    return two_tiers(2)


def test_a_site_without_a_fault_passes_every_wiring_check(planted):
    assert found(planted) == {}


def test_two_cables_in_one_port_of_a_leaf_are_both_named(planted):
    first, second = rows_of(planted, hop="node-leaf")[2:4]
    wrong = found(changed(planted, second, **far_end(planted, first)))
    assert f"cables {first} and {second}" in wrong["N301"].message


def test_two_cables_in_one_port_of_a_nic_are_both_named(planted):
    first, second = rows_of(planted, hop="node-leaf")[:2]
    wrong = found(changed(planted, second, a=planted.cables["a"][first]))
    assert f"cables {first} and {second}" in wrong["N301"].message


@SITES
@given(sites(TINY), st.data())
def test_any_port_with_two_cables_is_found_and_both_are_named(site, choice):
    rows = st.integers(0, site.plan.cables.height - 1)
    first, second = choice.draw(rows), choice.draw(rows)
    assume(first != second)
    wrong = found(changed(site.plan, second, **far_end(site.plan, first)))
    low, high = sorted((first, second))
    assert f"cables {low} and {high}" in wrong["N301"].message


def test_a_cable_that_comes_back_to_its_own_port_is_found(planted):
    row = rows_of(planted, hop="leaf-spine")[0]
    ends_ = {"b": planted.cables["a"][row], "b_cage": planted.cables["a_cage"][row]}
    wrong = found(changed(planted, row, **ends_, b_port=planted.cables["a_port"][row]))
    assert f"cable {row}" in wrong["N302"].message


@pytest.mark.parametrize("links", [1, 2], ids=["one-link-per-pair", "two-links-per-pair"])
def test_two_uplinks_with_swapped_ends_are_found(links):
    plan = two_tiers(links)
    first = rows_of(plan, hop="leaf-spine")[0]
    other = [row for row in rows_of(plan, hop="leaf-spine") if plan.cables["a"][row] != plan.cables["a"][first]]
    second = next(row for row in other if plan.cables["b"][row] != plan.cables["b"][first])
    swapped = changed(changed(plan, first, **far_end(plan, second)), second, **far_end(plan, first))
    assert found(swapped)["N303"].count == 2


@pytest.mark.parametrize("links", [1, 2], ids=["one-link-per-pair", "two-links-per-pair"])
def test_a_missing_uplink_is_found(links):
    plan = two_tiers(links)
    row = rows_of(plan, hop="leaf-spine")[0]
    leaf = names.labels(plan, "switches")[plan.cables["a"][row]]
    wrong = found(replace(plan, cables=plan.cables.filter(pl.col("cable") != row)))
    assert wrong["N303"].examples == (leaf,)


def test_a_nic_without_its_cable_is_found(planted):
    row = rows_of(planted, hop="node-leaf")[0]
    node = names.labels(planted, "nodes")[planted.nics["node"][planted.cables["a"][row]]]
    wrong = found(replace(planted, cables=planted.cables.filter(pl.col("cable") != row)))
    assert wrong["N307"].examples == (node,)


def test_two_racks_at_one_place_are_found(planted):
    first, place = pl.col("rack") == 0, ("hall", "row", "position", "number")
    moved = planted.racks.with_columns(
        pl.when(first).then(pl.lit(planted.racks[name][1])).otherwise(name).alias(name) for name in place
    )
    wrong = checks.run(replace(planted, racks=moved.cast(planted.racks.schema)))
    assert sum(finding.count for finding in wrong if finding.code == "L204") == 2


def test_a_cable_earlier_than_its_switch_is_found(planted):
    late = planted.cables.filter((pl.col("hop") == "leaf-spine") & (pl.col("stage") == 1))["cable"][0]
    other_end = planted.switches.filter(pl.col("stage") == 1)["switch"][0]
    wrong = found(changed(planted, late, stage=0, b=other_end))
    assert f"cable {late}" in wrong["N304"].message


@pytest.mark.parametrize("hop", ["node-leaf", "leaf-spine"])
def test_a_cable_earlier_than_its_lower_end_is_found(planted, hop):
    """A cable that is there before its node or leaf, though the switch above stands."""
    late = planted.cables.filter((pl.col("hop") == hop) & (pl.col("stage") == 1))["cable"][0]
    early = planted.cables.filter((pl.col("hop") == hop) & (pl.col("stage") == 0))["b"][0]
    assert f"cable {late}" in found(changed(planted, late, stage=0, b=early))["N304"].message


def test_a_cable_of_a_stage_to_a_switch_of_none_is_found(planted):
    row = rows_of(planted, hop="leaf-spine")[0]
    at = pl.col("switch") == planted.cables["b"][row]
    switches = planted.switches.with_columns(stage=pl.when(~at).then("stage"))
    assert "N304" in found(replace(planted, switches=switches))


def test_a_nic_moved_to_another_rail_is_found(planted):
    row = rows_of(planted, hop="node-leaf")[0]
    other = next(leaf for leaf in planted.cables["b"] if leaf != planted.cables["b"][row])
    wrong = found(changed(planted, row, b=other, b_cage=8))
    assert wrong["N305"].examples == (names.labels(planted, "switches")[other],)


def test_two_nics_with_swapped_leaves_are_both_found(planted):
    first, second = rows_of(planted, hop="node-leaf")[:2]
    swapped = changed(changed(planted, first, **far_end(planted, second)), second, **far_end(planted, first))
    assert found(swapped)["N305"].count == 2


def test_a_unit_that_no_tree_of_the_switch_holds_is_not_advised_to_be_no_unit():
    """24 nodes with eight NICs are more endpoints than three tiers of a switch of four ports take."""
    wrong = refusal(one_hall([{"name": "g", "rack": "boxes-6x8", "units": 1, "unit_racks": 4}], [{"switch": "roce-2"}]))
    assert [finding.code for finding in wrong] == ["N201"]
    assert "0 such units" not in wrong[0].message
    assert "units: 0" not in wrong[0].help
