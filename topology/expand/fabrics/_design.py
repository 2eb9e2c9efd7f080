"""From what a fabric has to connect to the Clos shape that does it, or the limit in the way."""

from dataclasses import dataclass, replace

from topology.expand.fabrics import _ports
from topology.expand.fabrics._leaves import Ask, leaf_tier, one_leaf_tier
from topology.expand.fabrics._shape import Shape, Tiers, best_three_tiers, three_tiers, two_tiers
from topology.findings import Finding, FindingsError

UNICAST_LIDS = 49_151  # 0x0001-0xBFFF; InfiniBand Architecture Specification 1.x, volume 1, section 4.1.3
WORDS = {1: "one tier", 2: "two tiers", 3: "three tiers"}


@dataclass(frozen=True, slots=True)
class Design:
    """A fabric's demand and the shape that meets it."""

    ask: Ask
    shape: Shape

    @property
    def runs(self) -> int:
        """Runs of units that exist."""
        return -(-self.ask.units // self.shape.leaves.run_units)


def design(ask: Ask, rails: int) -> Design:
    """The smallest number of tiers that fits, or the spec's own.

    Raises:
        FindingsError: ports, tiers or LIDs run out; the finding names what would fit.
    """
    if problems := list(_rates(ask)):
        raise FindingsError(problems)
    shape = _shape(ask, rails)
    if shape is None:
        raise FindingsError([_too_large(ask, rails)])
    if ask.fabric.protocol == "infiniband" and _lids(ask, shape) > UNICAST_LIDS:
        raise FindingsError([_out_of_lids(ask, shape, rails)])
    return Design(ask, shape)


def _shape(ask: Ask, rails: int) -> Shape | None:
    wanted, fabric = ask.fabric.tiers, ask.fabric
    tiers = Tiers(ask.switch, fabric.uplink_gbps, fabric.oversubscription, ask.core)
    single = wanted == 1 or (wanted is None and rails == ask.nics)
    if single and (leaves := one_leaf_tier(ask, rails)):
        up = _ports.uplinks(leaves.down, fabric.port_gbps, ask.core.gbps, ask.core.taper) if ask.core else 0
        return Shape(leaves, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, core_up=up)
    if wanted == 1:
        return None
    leaves = leaf_tier(ask, rails)
    runs = -(-ask.island_units // leaves.run_units)
    if wanted in (None, 2) and fabric.pod_units is None and (shape := two_tiers(leaves, runs, tiers)):
        return shape
    if wanted == 2:  # noqa: PLR2004 - tiers
        return None
    if fabric.pod_units is None:
        return best_three_tiers(leaves, runs, tiers)
    if fabric.pod_units % leaves.run_units:
        raise ask.refused(
            "N106",
            "pod_units",
            f"pods of {fabric.pod_units} units cut a leaf that {leaves.run_units} units share",
            f"write a multiple of {leaves.run_units}",
        )
    return three_tiers(leaves, runs, fabric.pod_units // leaves.run_units, tiers)


def _rates(ask: Ask) -> list[Finding]:
    fabric, switch, wrong = ask.fabric, ask.switch, []
    known = ", ".join(map(str, _ports.rates(switch)))
    for key, gbps in (("port_gbps", fabric.port_gbps), ("uplink_gbps", fabric.uplink_gbps)):
        if not _ports.capacity(switch, gbps) and (key == "port_gbps" or gbps != fabric.port_gbps):
            message = f"{switch.slug} has no {gbps} Gb/s ports"
            wrong.append(ask.finding("N101", key, message, f"write one of {known}, or take another switch"))
    if ask.core and not _ports.capacity(switch, ask.core.gbps):
        message = f"{switch.slug} has no {ask.core.gbps} Gb/s ports for the core that joins its islands"
        wrong.append(ask.finding("N101", "switch", message, f"give the core a port_gbps of {known}"))
    link = "infiniband" if fabric.protocol == "infiniband" else "ethernet"
    if switch.protocol != link:
        message = f"{fabric.protocol} needs {link} switches; {switch.slug} speaks {switch.protocol}"
        wrong.append(ask.finding("N102", "switch", message, f"take an {link} switch or change protocol"))
    return wrong


def _endpoints(ask: Ask, units: int) -> int:
    return units * ask.unit_slots * ask.nics


def _most_units(ask: Ask, rails: int, *, lids: bool = False) -> int:
    """Most units per island that the fabric's own tiers can join (bisection: more units never fit better)."""

    def fits(units: int) -> bool:
        fabric = replace(ask.fabric, island_units=units, sized_for_units=None)
        trial = replace(ask, fabric=fabric, units=units, sized_units=units)
        shape = _shape(trial, rails)
        return shape is not None and not (lids and _lids(trial, shape) > UNICAST_LIDS)

    low, high = 0, ask.island_units
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _too_large(ask: Ask, rails: int) -> Finding:
    fabric, switch = ask.fabric, ask.switch
    tiers = WORDS[fabric.tiers or 3]
    hold = "holds" if fabric.tiers == 1 else "hold"
    ports = _ports.capacity(switch, fabric.uplink_gbps)
    if fabric.pod_units:
        return _uneven_pods(ask, rails)
    most = _most_units(ask, rails)
    per_unit = f"{ask.unit_slots} nodes x {ask.nics} NICs"
    if not most:
        return ask.finding(
            "N201",
            "tiers" if fabric.tiers else "switch",
            f"a unit of {per_unit} is {_endpoints(ask, 1):,} endpoints per plane, more than {tiers} of {switch.slug} "
            f"({ports} ports at {fabric.uplink_gbps} Gb/s) {hold}",
            "take a switch with more ports, or a smaller unit_racks",
        )
    return ask.finding(
        "N201",
        "tiers" if fabric.tiers else "switch",
        f"{ask.island_units} units of {per_unit} are {_endpoints(ask, ask.island_units):,} endpoints per plane; "
        f"{tiers} of {switch.slug} ({ports} ports at {fabric.uplink_gbps} Gb/s) {hold} {most} such units, "
        f"{_endpoints(ask, most):,} endpoints",
        f"write islands: {{units: {most}}} with a core fabric"
        + (", or tiers: auto" if fabric.tiers and fabric.tiers < 3 else "")  # noqa: PLR2004 - tiers
        + ", or take a switch with more ports",
    )


def _uneven_pods(ask: Ask, rails: int) -> Finding:
    """The spec's own pod size does not go into the ports; the nearest sizes that do."""
    fabric, asked = ask.fabric, ask.fabric.pod_units or 1
    leaves = leaf_tier(ask, rails)
    down = _ports.most_down(ask.switch, fabric.uplink_gbps, fabric.uplink_gbps, fabric.oversubscription.spine)
    works = [
        units
        for units in range(leaves.run_units, ask.island_units + 1, leaves.run_units)
        if _shape(replace(ask, fabric=replace(fabric, pod_units=units)), rails)
    ]
    near = sorted(works, key=lambda units: abs(units - asked))[:2]
    count = -(-asked // leaves.run_units) * leaves.groups
    return ask.finding(
        "N202",
        "pod_units",
        f"a pod of {asked} units has {count} leaves of {leaves.up} uplinks per rail, {count * leaves.up:,} links; "
        f"a spine of {ask.switch.slug} takes {down}, and no number of spines that divides {leaves.up} takes them "
        f"all with pods enough for {ask.island_units} units",
        f"write pod_units: {' or '.join(map(str, sorted(near)))}, or leave the key out"
        if near
        else "leave the key out",
    )


def _lids(ask: Ask, shape: Shape) -> int:
    managers = ask.fabric.managers
    extra = managers.count * managers.ports if managers else 0
    return _endpoints(ask, ask.island_units) + shape.island_switches + extra


def _out_of_lids(ask: Ask, shape: Shape, rails: int) -> Finding:
    ports = _endpoints(ask, ask.island_units)
    most = _most_units(ask, rails, lids=True)
    return ask.finding(
        "N203",
        "islands",
        f"{ports:,} HCA ports and {shape.island_switches:,} switches need {_lids(ask, shape):,} LIDs; "
        f"an InfiniBand subnet has {UNICAST_LIDS:,}",
        f"write islands: {{units: {most}}} with a core fabric, or more planes of NICs that have the ports",
    )
