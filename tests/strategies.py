"""Sites for tests: small products, whole specs that Hypothesis draws, and plans read by name.

Switches of two to sixteen cages reach three tiers with a few dozen nodes, so a drawn site is
small enough to be checked port by port, and goes through the real loader and expansion.
"""

import json
from copy import deepcopy
from dataclasses import dataclass, fields

import polars as pl
from hypothesis import event, reject, settings
from hypothesis import strategies as st

from topology.catalog.model import Appliance, Cage, Catalog, Nic, Node, NvLink, Rack, Switch
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.findings import FindingsError
from topology.plan import names
from topology.source import YamlSource
from topology.spec.build import build
from topology.spec.load import load
from topology.spec.schema import with_defaults

SPLITS = {800: 1, 400: 2, 200: 4}  # ports of a cage by rate, Gb/s

# What a drawn site may be refused for: each is a limit of ports, tiers or floor that its finding names.
LIMITS = {"N103", "N104", "N105", "N106", "N114", "N201", "N202", "N204", "L101", "L102", "L103"}

_PROFILES = {"ci": 400}  # `pytest --hypothesis-profile=ci`
EXAMPLES = _PROFILES.get(settings.get_current_profile_name(), 40)
SITES = settings(deadline=None, max_examples=EXAMPLES)


# --- products -----------------------------------------------------------------------------------


def switch(slug, cages, protocol="ethernet", height_u=1):
    """A switch whose `cages` are (count, ports per cage by rate) of one kind each."""
    made = tuple(Cage(f"kind{at}", count, ports) for at, (count, ports) in enumerate(cages))
    return Switch(slug, "Test", slug, protocol, height_u, 1000, None, 10.0, made, ())


def node(slug, nics, gpus, *, domain_of_rack=False, height_u=1):
    """A node with `nics` of each role."""
    link = None if domain_of_rack else NvLink(2, 18, 900)
    cards = tuple(Nic(role, "NIC", count, ports) for role, (count, ports) in nics.items())
    return Node(
        slug, "Test", slug, height_u, 1000, None, 10.0, 2, 32, 2, 1000000, gpus, "T1", "t1", cards, link, "air", ()
    )  # fmt: skip


def rack(slug, of, nodes, *, domain=False):
    """A rack of `nodes` nodes."""
    link = NvLink(4, 4, 1800) if domain else None
    power = nodes * of.power_max_w
    return Rack(slug, "Test", slug, 42, of.slug, nodes, (), power, None, 10.0 * nodes + 100, link, ())


def catalog(switches=(), nodes=(), racks=(), appliances=()):
    """Catalogue of just these products."""
    own = {"nodes": nodes, "racks": racks, "switches": switches, "appliances": appliances}
    shelves = [each.name for each in fields(Catalog) if each.name != "sha256"]
    made = {shelf: {each.slug: each for each in own.get(shelf, ())} for shelf in shelves}
    return Catalog(**made, sha256="")


CAGES = (2, 3, 4, 5, 6, 8, 12, 16, 24, 32)
LINKS = {"infiniband": "infiniband", "roce": "ethernet"}
NICS = (1, 2, 3, 4, 8)
RACK_NODES = (1, 2, 3, 4, 6)


def _products():
    switches = [
        switch(f"{protocol}-{cages}", [(cages, SPLITS)], link, 1 + cages // 8)
        for protocol, link in LINKS.items()
        for cages in CAGES
    ]
    # Node ports and uplinks in cages of different kinds, as on a top-of-rack switch.
    switches += [
        switch(f"{protocol}-mixed", [(8, {200: 1}), (6, {800: 1, 400: 2})], link) for protocol, link in LINKS.items()
    ]
    nodes, racks = [], []
    for nics in NICS:
        cards = {"compute": (nics, SPLITS), "frontend": (2, {200: 2}), "oob": (1, {200: 1})}
        box, tray = node(f"box-{nics}", cards, nics), node(f"tray-{nics}", cards, 2, domain_of_rack=True)
        nodes += [box, tray]
        for count in RACK_NODES:
            racks.append(rack(f"boxes-{count}x{nics}", box, count))
            racks.append(rack(f"domain-{count}x{nics}", tray, count, domain=True))
    ufm = Appliance("ufm", "Test", "UFM", 1, 500, None, 15.0, {400: 2, 200: 4, 800: 1}, ())
    return catalog(switches, nodes, racks, [ufm])


CATALOG = _products()


# --- specs and plans ----------------------------------------------------------------------------


def read(data):
    """Spec of checked `data`, its defaults filled in; drawn data is checked by a test of its own."""
    return build(with_defaults(data))


def loaded(data):
    """Spec of `data` through the whole loader, which reads JSON, because JSON is YAML too."""
    return load(YamlSource.parse("site.yaml", json.dumps(data, indent=1).encode()), kinds())[0]


def expanded(data, products=CATALOG):
    """Plan of `data`."""
    return expand(read(data), products)


def refusal(data, products=CATALOG):
    """Findings that keep `data` from being expanded."""
    try:
        expanded(data, products)
    except FindingsError as error:
        return error.findings
    return ()


def one_hall(compute, fabrics, **hall):
    """A spec of some groups and fabrics in one hall of nine rows of 20 positions, the first for switches."""
    return {
        "version": 1,
        "name": "small",
        "site": {"name": "here", "pue": 1.2},
        "halls": [{"name": "h1", "rows": 9, "positions": 20, "network_rows": [1], **hall}],
        "compute": compute,
        "fabrics": [FABRIC | fabric for fabric in fabrics],
    }


FABRIC = {"name": "f", "kind": "rail-optimized", "protocol": "roce", "switch": "roce-8", "port_gbps": 400}
CORE = {"name": "core", "kind": "core", "joins": ["f"]}


class Site:
    """A drawn spec and its plan; a failing test prints the spec, as JSON that `topology check` reads."""

    def __init__(self, data, plan):
        self.data = data
        self.plan = plan

    def __repr__(self):
        return f"Site({json.dumps(self.data)})"

    def changed(self, change):
        """Spec with `change` done to a copy of it."""
        data = deepcopy(self.data)
        change(data)
        return data


def ends(plan):
    """Cables with the names of both ends, which outlive row numbers.

    Columns: fabric, plane, hop, a, a_port, b, b_port, rate_gbps, stage; sorted by `a` and its port.
    """
    nodes = pl.DataFrame({"node": plan.nodes["node"], "host": names.labels(plan, "nodes")})
    nics = plan.nics.join(nodes, on="node", maintain_order="left").select(
        a_table=pl.lit("nics"), a=pl.col("nic"), a_name=pl.format("{}/{}{}", "host", "role", "index")
    )
    fabrics = dict(plan.fabrics.select("fabric", "name").iter_rows())
    fabric = pl.col("fabric").replace_strict(fabrics, return_dtype=pl.String)
    appliances = plan.appliances.select(
        a_table=pl.lit("appliances"), a=pl.col("appliance"), a_name=pl.format("{}/manager{}", fabric, "index")
    )
    spelled = pl.Series(names.labels(plan, "switches"), dtype=pl.String)
    switches = pl.DataFrame({"a_table": "switches", "a": plan.switches["switch"], "a_name": spelled})
    near = pl.concat([nics, appliances, switches])
    far = switches.select(b="a", b_name="a_name")
    return (
        plan.cables.with_columns(pl.col("a_table").cast(pl.String), fabric=fabric)
        .join(near, on=["a_table", "a"], how="left")
        .join(far, on="b", how="left")
        .select(
            "fabric",
            "plane",
            pl.col("hop").cast(pl.String),
            a="a_name",
            a_port=pl.format("{}/{}", "a_cage", "a_port"),
            b="b_name",
            b_port=pl.format("{}/{}", "b_cage", "b_port"),
            rate_gbps="rate_gbps",
            stage="stage",
        )
        .sort("a", "a_port", "b", "b_port")
    )


# --- drawing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Size:
    """Bounds of a drawn site."""

    units: int
    unit_racks: int
    nics: tuple[int, ...]


TINY = Size(5, 2, (1, 2, 3))
MIDDLE = Size(24, 4, NICS)


def _mostly(usual, *others):
    """`usual` three times out of four."""
    return st.integers(0, 3).flatmap(lambda at: st.just(usual) if at else st.sampled_from(others))


@st.composite
def _group(draw, name, design, unit_racks, units):
    """A group of whole units, its racks full or not."""
    rack_nodes = CATALOG.racks[design].nodes
    fitted = draw(_mostly(rack_nodes, *range(1, rack_nodes + 1)))
    group = {"name": name, "rack": design, "unit_racks": unit_racks, "units": units}
    if fitted < rack_nodes:
        group["nodes_per_rack"] = fitted
    return group


def each_unit(group, kind):
    """How many of `kind` (gpus, racks or units) one unit of a group is."""
    design = CATALOG.racks[group["rack"]]
    fitted = group.get("nodes_per_rack", design.nodes)
    racks = group.get("unit_racks", 1)
    return {"units": 1, "racks": racks, "gpus": racks * fitted * CATALOG.nodes[design.node].gpus}[kind]


@st.composite
def _fabric(draw, name, groups, connects, protocol, *, cut):
    """A fabric of nodes over `groups`, `cut` into islands or not."""
    mixed = draw(_mostly(False, True))
    port = 200 if mixed or connects != "compute" else draw(_mostly(400, 200, 800))
    cages = draw(st.sampled_from(CAGES))
    kind = draw(st.sampled_from(["rail-optimized", "fat-tree"]))
    fabric = {
        "name": name,
        "kind": kind,
        "protocol": protocol,
        "connects": connects,
        "compute": [group["name"] for group in groups],
        "switch": f"{protocol}-mixed" if mixed else f"{protocol}-{cages}",
        "port_gbps": port,
        "uplink_gbps": draw(st.sampled_from([400, 800])) if mixed else draw(_mostly(port, 200, 400, 800)),
        "planes": draw(_mostly(1, *range(1, {800: 1, 400: 2, 200: 4}[port] + 1))) if connects == "compute" else 1,
        "tiers": draw(_mostly("auto", 1, 2, 3)),
        "leaf_sharing": draw(_mostly("none", "rails", "units")),
        "oversubscription": {
            "leaf": draw(_mostly(1, 1.5, 2, 3, 7, 1.0667)),
            "spine": draw(_mostly(1, 1.5, 2, 4)),
        },
        "place": {
            "leaf": draw(st.sampled_from(["row-end", "network-row"])),
            "spine": draw(_mostly("network-row", "row-end")),
            "core": draw(_mostly("network-row", "row-end")),
        },
    }
    units = sum(group["units"] for group in groups)
    if draw(_mostly(False, True)):
        fabric["sized_for"] = {"units": units + draw(st.integers(0, 6))}
    if cut:
        fabric["islands"] = {"units": draw(st.integers(1, units))}
    if draw(_mostly(False, True)):
        fabric["pod_units"] = draw(st.integers(1, 6))
    if draw(_mostly(False, True)):
        design = CATALOG.racks[groups[0]["rack"]]
        slots = groups[0]["unit_racks"] * design.nodes
        fabric["leaf_down"] = draw(st.sampled_from([n for n in range(1, slots + 1) if slots % n == 0]))
    return fabric


@st.composite
def _halls(draw, groups, rooms):
    """One to three halls; the last has room for everything, so that most sites fit."""
    widest = max(group["unit_racks"] for group in groups)
    halls = []
    count = draw(st.integers(1, 3))
    for at in range(count):
        network = draw(st.integers(3, 5))
        rows = rooms + len(groups) if at == count - 1 else draw(st.integers(1, 4))
        first = draw(st.sampled_from([1, rows + 1, 1 + rows // 2]))
        halls.append(
            {
                "name": f"h{at + 1}",
                "rows": rows + network,
                "positions": widest + draw(st.integers(6, 20)),
                "network_rows": list(range(first, first + network)),
                "rack_limit": {"height_u": draw(st.sampled_from([42, 44, 52]))},
            }
        )
    return halls


@st.composite
def _stages(draw, groups, least):
    """`least` to four stages; the first begins every group, the last units of a group may be in none."""
    left = {group["name"]: group["units"] for group in groups}
    steps = []
    for at in range(draw(st.integers(least, 4))):
        add = {}
        for group in groups:
            name = group["name"]
            most = left[name] - (at == 0 and left[name] > 1)
            units = draw(st.integers(min(most, at < least), most))
            if units:
                kind = draw(st.sampled_from(["units", "racks", "gpus"]))
                add[name] = {kind: units * each_unit(group, kind)}
                left[name] -= units
        if add:
            steps.append({"name": f"s{at + 1}", "add": add})
    return steps


@dataclass(frozen=True)
class Wish:
    """What a drawn site must have."""

    staged: bool = False  # two stages or more
    alone: bool = False  # one group per fabric
    cored: bool = False  # islands and a core


@st.composite
def _family(draw, name, protocol, size, wish):
    """Groups whose units are alike, and the fabric that connects them."""
    nics = draw(st.sampled_from(size.nics))
    design = f"{draw(st.sampled_from(['boxes', 'domain']))}-{draw(st.sampled_from(RACK_NODES))}x{nics}"
    unit_racks = draw(st.integers(1, size.unit_racks))
    letters = "a" if wish.alone else "ab"[: draw(_mostly(1, 2))]
    units = [draw(st.integers(1 + wish.staged, size.units)) for _ in letters]
    groups = [
        draw(_group(f"g{name}{letter}", design, unit_racks, count))
        for letter, count in zip(letters, units, strict=True)
    ]
    return groups, draw(_fabric(f"f{name}", groups, "compute", protocol, cut=wish.cored or draw(_mostly(False, True))))


@st.composite
def _specs(draw, size, wish):
    """A spec without left-out nodes."""
    protocol = draw(st.sampled_from(["infiniband", "roce"]))
    families = [draw(_family(at + 1, protocol, size, wish)) for at in range(draw(_mostly(1, 2)))]
    groups = [group for of_family, _ in families for group in of_family]
    fabrics = [fabric for _, fabric in families]
    if len(families) == 1 and draw(_mostly(False, True)):
        fabrics.append(draw(_fabric("front", groups, "frontend", "roce", cut=False)))
    if len(families) == 1 and draw(st.booleans()):
        for fabric in fabrics:
            del fabric["compute"]  # every group that has NICs of the role
    if joined := [fabric["name"] for fabric in fabrics if "islands" in fabric]:
        fabrics.append(draw(_core(joined, protocol)))
    sized = [fabric["sized_for"]["units"] for fabric in fabrics if "sized_for" in fabric]
    rooms = sum(group["units"] for group in groups) + sum(sized)
    data = {
        "version": 1,
        "name": "drawn",
        "site": {"name": "here", "pue": 1.2},
        "halls": draw(_halls(groups, rooms)),
        "compute": groups,
        "fabrics": fabrics,
    }
    if wish.staged or draw(st.booleans()):
        data["stages"] = draw(_stages(groups, 1 + wish.staged))
    for group in groups:
        if len(data["halls"]) > 1 and draw(_mostly(False, True)):
            # any order, but the roomy last hall is among them
            group["halls"] = draw(st.permutations([hall["name"] for hall in data["halls"]]))
        kind = draw(_mostly("units", "gpus", "racks"))
        group[kind] = each_unit(group, kind) * group.pop("units")
    return data


@st.composite
def _core(draw, joined, protocol):
    return {
        "name": "core",
        "kind": "core",
        "joins": joined,
        "switch": f"{protocol}-{draw(st.sampled_from(CAGES))}",
        "port_gbps": draw(st.sampled_from([400, 800])),
        "oversubscription": draw(st.sampled_from([1, 2, 4])),
    }


def units_of(group):
    """Units of a group, however it is counted."""
    kind = next(kind for kind in ("gpus", "racks", "units") if kind in group)
    return group[kind] // each_unit(group, kind)


@st.composite
def _left_out(draw, data, plan):
    """The spec without some nodes; of an InfiniBand fabric subnet managers may take their ports."""
    data = deepcopy(data)
    hosts = names.labels(plan, "nodes")
    for at, group in enumerate(data["compute"]):
        mine = hosts.filter(plan.nodes["group"] == at).to_list()
        if len(mine) > 1:
            group["without"] = sorted(draw(st.sets(st.sampled_from(mine), min_size=1, max_size=min(3, len(mine) - 1))))
    for fabric in data["fabrics"]:
        if fabric["kind"] != "core" and fabric["protocol"] == "infiniband" and draw(_mostly(True, False)):
            ports = draw(st.integers(1, CATALOG.appliances["ufm"].ports[fabric["port_gbps"]]))
            fabric["managers"] = {"product": "ufm", "count": draw(st.integers(1, 2)), "ports": ports}
    return data


def _relaxed(fabric):
    """The fabric with one choice less, else on the next larger switch; None when nothing is left to give."""
    choices = [key for key in ("managers", "leaf_down", "pod_units", "tiers") if key in fabric]
    if choices:
        return {key: value for key, value in fabric.items() if key != choices[0]}
    protocol, cages = fabric["switch"].split("-")
    larger = [each for each in CAGES if cages == "mixed" or each > int(cages)]
    return fabric | {"switch": f"{protocol}-{larger[0]}"} if larger else None


def buildable(data):
    """The spec, its fabrics relaxed until nothing is over a limit, and its plan."""
    while True:
        try:
            return data, expanded(data)
        except FindingsError as error:
            codes = {finding.code for finding in error.findings}
            assert codes <= LIMITS, error.findings  # noqa: PT017 - a refusal is what some draws are for
            refused = {finding.path[1] for finding in error.findings if finding.path[0] == "fabrics"}
            fabrics = [_relaxed(each) if at in refused else each for at, each in enumerate(data["fabrics"])]
            if not refused or None in fabrics:
                event(f"refused: {', '.join(sorted(codes))}")
                reject()
            data = data | {"fabrics": fabrics}


def _with_room(data, room):
    """The spec with every fabric sized for `room` units more than there are."""
    data = deepcopy(data)
    units = {group["name"]: units_of(group) for group in data["compute"]}
    for fabric in data["fabrics"]:
        if fabric["kind"] != "core":
            fabric["sized_for"] = {"units": sum(units[name] for name in fabric.get("compute", units)) + room}
    data["halls"][-1]["rows"] += room * len(data["fabrics"])
    return data


@st.composite
def sites(draw, size=MIDDLE, wish=Wish(), room=None):
    """Sites that can be built.

    Both kinds, one to three tiers, planes, islands and a core, tapers, shared leaves, several
    groups, nodes left out, racks not full, stages. With `room` every fabric is sized for that many more units.
    """
    data = draw(_specs(size, wish))
    data, plan = buildable(data if room is None else _with_room(data, room))
    if draw(_mostly(False, True)):
        data, plan = buildable(draw(_left_out(data, plan)))
    event(f"tiers: {'+'.join(map(str, plan.fabrics['tiers']))}")
    return Site(data, plan)
