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
    most = _most_units(ask, rails)
    tiers = WORDS[fabric.tiers or 3]
    ports = _ports.capacity(switch, fabric.uplink_gbps)
    if not most:
        return ask.finding(
            "N202",
            "pod_units" if fabric.pod_units else "switch",
            f"{tiers} of {switch.slug} ({ports} ports at {fabric.uplink_gbps} Gb/s) cannot spread the uplinks of "
            f"{_pod_words(ask)} evenly",
            "change pod_units, oversubscription or the switch so that leaves x links fit the ports of a spine",
        )
    per_unit = f"{ask.unit_slots} nodes x {ask.nics} NICs"
    return ask.finding(
        "N201",
        "tiers" if fabric.tiers else "switch",
        f"{ask.island_units} units of {per_unit} are {_endpoints(ask, ask.island_units):,} endpoints per plane; "
        f"{tiers} of {switch.slug} ({ports} ports at {fabric.uplink_gbps} Gb/s) take {most} such units, "
        f"{_endpoints(ask, most):,} endpoints",
        f"write islands: {{units: {most}}} with a core fabric"
        + (", or tiers: auto" if fabric.tiers and fabric.tiers < 3 else "")  # noqa: PLR2004 - tiers
        + ", or take a switch with more ports",
    )


def _pod_words(ask: Ask) -> str:
    return f"pods of {ask.fabric.pod_units} units" if ask.fabric.pod_units else "one unit"


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
