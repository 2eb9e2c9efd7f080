"""From what a fabric has to connect to the Clos shape that does it, or the limit in the way."""

from dataclasses import replace

from topology.expand.fabrics import FabricDemand
from topology.expand.fabrics.clos import ports
from topology.expand.fabrics.clos.leaves import island_units, leaf_tier, one_leaf_tier
from topology.expand.fabrics.clos.shape import Shape, TierPorts, best_three_tiers, three_tiers, two_tiers
from topology.expand.fabrics.clos.wiring import ClosDesign
from topology.findings import Finding, FindingsError

UNICAST_LIDS = 49_151  # 0x0001-0xBFFF; InfiniBand Architecture Specification 1.x, volume 1, section 4.1.3
WORDS = {1: "one tier", 2: "two tiers", 3: "three tiers"}


def design_clos(demand: FabricDemand, rails: int) -> ClosDesign:
    """The smallest number of tiers that fits, or the spec's own.

    Raises:
        FindingsError: ports, tiers or LIDs run out; the finding names what would fit.
    """
    if problems := list(rate_problems(demand)):
        raise FindingsError(problems)
    shape = _shape(demand, rails)
    if shape is None:
        raise FindingsError([_too_large(demand, rails)])
    if demand.fabric.protocol == "infiniband" and lids(demand, shape.island_switches) > UNICAST_LIDS:
        raise FindingsError([_out_of_lids(demand, shape, rails)])
    return ClosDesign(demand, shape)


def _shape(demand: FabricDemand, rails: int) -> Shape | None:
    wanted, fabric = demand.fabric.tiers, demand.fabric
    tiers = TierPorts(demand.switch, fabric.uplink_gbps, fabric.oversubscription, demand.core)
    single = wanted == 1 or (wanted is None and rails == demand.nics)
    if single and (leaves := one_leaf_tier(demand, rails)):
        up = ports.uplinks(leaves.down, fabric.port_gbps, demand.core.gbps, demand.core.taper) if demand.core else 0
        return Shape(leaves, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, core_up=up)
    if wanted == 1:
        return None
    leaves = leaf_tier(demand, rails)
    runs = -(-island_units(demand) // leaves.run_units)
    if wanted in (None, 2) and fabric.pod_units is None and (shape := two_tiers(leaves, runs, tiers)):
        return shape
    if wanted == 2:  # noqa: PLR2004 - tiers
        return None
    if fabric.pod_units is None:
        return best_three_tiers(leaves, runs, tiers)
    if fabric.pod_units % leaves.run_units:
        raise demand.refused(
            "N106",
            "pod_units",
            f"pods of {fabric.pod_units} units cut a leaf that {leaves.run_units} units share",
            f"write a multiple of {leaves.run_units}",
        )
    return three_tiers(leaves, runs, fabric.pod_units // leaves.run_units, tiers)


def rate_problems(demand: FabricDemand) -> list[Finding]:
    """Rates that the switch lacks, and a protocol that it does not speak."""
    fabric, switch, wrong = demand.fabric, demand.switch, []
    known = ", ".join(map(str, ports.rates(switch)))
    for key, gbps in (("port_gbps", fabric.port_gbps), ("uplink_gbps", fabric.uplink_gbps)):
        if not ports.capacity(switch, gbps) and (key == "port_gbps" or gbps != fabric.port_gbps):
            message = f"{switch.slug} has no {gbps} Gb/s ports"
            wrong.append(demand.finding("N101", key, message, f"write one of {known}, or take another switch"))
    if demand.core and not ports.capacity(switch, demand.core.gbps):
        message = f"{switch.slug} has no {demand.core.gbps} Gb/s ports for the core that joins its islands"
        wrong.append(demand.finding("N101", "switch", message, f"give the core a port_gbps of {known}"))
    link = "infiniband" if fabric.protocol == "infiniband" else "ethernet"
    if switch.protocol != link:
        message = f"{fabric.protocol} needs {link} switches; {switch.slug} speaks {switch.protocol}"
        wrong.append(demand.finding("N102", "switch", message, f"take an {link} switch or change protocol"))
    return wrong


def _endpoints(demand: FabricDemand, units: int) -> int:
    return units * demand.unit_slots * demand.nics


def _most_units(demand: FabricDemand, rails: int, *, by_lids: bool = False) -> int:
    """Most units per island that the fabric's own tiers can join (bisection: more units never fit better)."""

    def fits(units: int) -> bool:
        fabric = replace(demand.fabric, island_units=units, sized_for_units=None)
        trial = replace(demand, fabric=fabric, sized_units=units)
        shape = _shape(trial, rails)
        return shape is not None and not (by_lids and lids(trial, shape.island_switches) > UNICAST_LIDS)

    low, high = 0, island_units(demand)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _too_large(demand: FabricDemand, rails: int) -> Finding:
    fabric, switch = demand.fabric, demand.switch
    tiers = WORDS[fabric.tiers or 3]
    hold = "holds" if fabric.tiers == 1 else "hold"
    radix = ports.capacity(switch, fabric.uplink_gbps)
    if fabric.pod_units:
        return _uneven_pods(demand, rails)
    most = _most_units(demand, rails)
    per_unit = f"{demand.unit_slots} nodes x {demand.nics} NICs"
    one, every = (f"{_endpoints(demand, units):,} endpoints per plane" for units in (1, island_units(demand)))
    if not most:
        return demand.finding(
            "N201",
            "tiers" if fabric.tiers else "switch",
            f"a unit of {per_unit} is {one}, more than {tiers} of {switch.slug} "
            f"({radix} ports at {fabric.uplink_gbps} Gb/s) {hold}",
            "take a switch with more ports, or a smaller unit_racks",
        )
    return demand.finding(
        "N201",
        "tiers" if fabric.tiers else "switch",
        f"{island_units(demand)} units of {per_unit} are {every}; "
        f"{tiers} of {switch.slug} ({radix} ports at {fabric.uplink_gbps} Gb/s) {hold} {most} such units, "
        f"{_endpoints(demand, most):,} endpoints",
        f"write islands: {{units: {most}}} with a core fabric"
        + (", or tiers: auto" if fabric.tiers and fabric.tiers < 3 else "")  # noqa: PLR2004 - tiers
        + ", or take a switch with more ports",
    )


def _uneven_pods(demand: FabricDemand, rails: int) -> Finding:
    """The spec's own pod size does not go into the ports; the nearest sizes that do."""
    fabric, asked = demand.fabric, demand.fabric.pod_units or 1
    leaves = leaf_tier(demand, rails)
    down = ports.most_down(demand.switch, fabric.uplink_gbps, fabric.uplink_gbps, fabric.oversubscription.spine)
    works = [
        units
        for units in range(leaves.run_units, island_units(demand) + 1, leaves.run_units)
        if _shape(replace(demand, fabric=replace(fabric, pod_units=units)), rails)
    ]
    near = sorted(works, key=lambda units: abs(units - asked))[:2]
    count = -(-asked // leaves.run_units) * leaves.groups
    return demand.finding(
        "N202",
        "pod_units",
        f"a pod of {asked} units has {count} leaves of {leaves.up} uplinks per rail, {count * leaves.up:,} links; "
        f"a spine of {demand.switch.slug} takes {down}, and no number of spines that divides {leaves.up} takes them "
        f"all with pods enough for {island_units(demand)} units",
        f"write pod_units: {' or '.join(map(str, sorted(near)))}, or leave the key out"
        if near
        else "leave the key out",
    )


def lids(demand: FabricDemand, switches: int) -> int:
    """LIDs of a full island with so many switches: one for every HCA port and every switch."""
    managers = demand.fabric.managers
    extra = managers.count * managers.ports if managers else 0
    return _endpoints(demand, island_units(demand)) + switches + extra


def _out_of_lids(demand: FabricDemand, shape: Shape, rails: int) -> Finding:
    hcas = _endpoints(demand, island_units(demand))
    most = _most_units(demand, rails, by_lids=True)
    return demand.finding(
        "N203",
        "islands",
        f"{hcas:,} HCA ports and {shape.island_switches:,} switches need {lids(demand, shape.island_switches):,} LIDs; "
        f"an InfiniBand subnet has {UNICAST_LIDS:,}",
        f"write islands: {{units: {most}}} with a core fabric, or more planes of NICs that have the ports",
    )
