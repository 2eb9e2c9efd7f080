"""Core fabric: joins the islands of other fabrics, port after port.

The uplinks of all islands, in order of fabric, island, plane and top switch, go to the core
switches in turn. Neighbouring uplinks therefore land on different cores, and as long as an
island has at least as many uplinks as there are cores, every core reaches every island.
Ports are counted for the sized fabrics, so an island built later re-plugs nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np

from topology.expand.fabrics import (
    U32,
    DeployedPiece,
    Endpoints,
    FabricDemand,
    FabricDesign,
    Links,
    LocalityLevel,
    Switches,
    SwitchPorts,
    Tier,
)
from topology.expand.fabrics.clos import ports
from topology.spec.networks import KindWords

TIERS = ("core",)
HOPS = ("spine-core",)
WORDS = KindWords(frozenset({"joins", "halls"}), joins=True)


def design(demand: FabricDemand) -> FabricDesign:
    """As many core switches as the sized islands' uplinks fill.

    Raises:
        FindingsError: the switch lacks the rate, or an island has fewer uplinks than there are cores.
    """
    fabric, switch = demand.fabric, demand.switch
    radix = ports.capacity(switch, fabric.port_gbps)
    if not radix:
        known = ", ".join(map(str, ports.rates(switch)))
        raise demand.refused(
            "N101",
            "port_gbps",
            f"{switch.slug} has no {fabric.port_gbps} Gb/s ports",
            f"write one of {known}, or take another switch",
        )
    count = ceil(sum(map(sized_uplinks, demand.joined)) / radix)
    each = min(demand.joined, key=lambda joined: joined.kept_ports)
    if each.kept_ports < count:
        raise demand.refused(
            "N204",
            "oversubscription",
            f"an island of {each.demand.fabric.name} has {each.kept_ports} uplinks "
            f"for {count} core switches of {radix} ports, so some cores miss it",
            "lower the core's oversubscription, make islands larger, or take a core switch with more ports",
        )
    return CoreDesign(demand, count)


def sized_uplinks(joined: FabricDesign) -> int:
    """Uplinks of a fabric at the size it has room for."""
    demand = joined.demand
    return joined.islands(demand.sized_units) * demand.fabric.planes * joined.kept_ports


@dataclass(frozen=True, slots=True)
class CoreDesign:
    """Switches that uplinks of islands go to in turn: `FabricDesign` says what each method gives."""

    demand: FabricDemand
    cores: int

    @property
    def kept_ports(self) -> int:  # noqa: D102
        return 0

    def islands(self, units: int) -> int:  # noqa: D102
        del units
        return 1

    def tiers(self) -> tuple[Tier, ...]:  # noqa: D102
        uplinks = sum(map(sized_uplinks, self.demand.joined))
        down = ceil(uplinks / self.cores)
        return (Tier(TIERS[0], "islands", down, 0, taper=self.demand.fabric.oversubscription.core),)

    def count(self, units: int) -> tuple[int, ...]:  # noqa: D102
        del units
        return (self.cores,)

    def switches(self, units: int) -> Switches:  # noqa: D102
        del units
        index = np.arange(self.cores, dtype=np.uint32)
        zero = np.zeros_like(index)
        piece = np.full(self.cores, DeployedPiece.CORE, np.uint8)
        return Switches(zero, zero, zero, zero, index, zero, zero, piece, zero)

    def most_beside(self, tier: int, units: int) -> int:  # noqa: D102
        del tier, units
        return 0

    def links(self, nodes: Endpoints, services: Endpoints) -> Iterator[Links]:  # noqa: D102
        del services
        fabric = self.demand.fabric
        port, core = np.divmod(nodes.place, np.uint32(self.cores))
        down, _ = ports.blocks(
            self.demand.switch, ports.capacity(self.demand.switch, fabric.port_gbps), *(fabric.port_gbps,) * 2
        )
        yield Links(HOPS[0], fabric.port_gbps, nodes.plane, nodes, SwitchPorts(core, *down.locate(port)))

    def kept(self) -> tuple[U32, SwitchPorts]:  # noqa: D102
        none = np.zeros(0, np.uint32)
        return none, SwitchPorts(none, 0, 0)

    def localities(self) -> tuple[LocalityLevel, ...]:  # noqa: D102
        places = sum(each.demand.sized_units * each.demand.unit_slots for each in self.demand.joined)
        return (LocalityLevel("core", TIERS[0], places, None, None, None),)

    def locality_of(self, unit: U32, place: U32) -> U32:  # noqa: D102
        del place
        return np.zeros_like(unit)
