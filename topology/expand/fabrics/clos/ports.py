"""Ports of a switch: how many there are at a rate, and in which cage each one is."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from topology.catalog.model import Switch


@dataclass(frozen=True, slots=True)
class CageBlock:
    """Neighbouring cages of a switch, all split alike."""

    first_cage: int  # from 1
    per_cage: int

    def locate(self, index: NDArray[np.uint32]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """Cage and port within it, both from 1, of the block's `index`-th port."""
        cage, port = np.divmod(index, np.uint32(self.per_cage))
        return (cage + np.uint32(self.first_cage)).astype(np.uint16), (port + np.uint32(1)).astype(np.uint8)


def rates(switch: Switch) -> tuple[int, ...]:
    """Port rates the switch can be set to, Gb/s, ascending."""
    return tuple(sorted({rate for cage in switch.cages for rate in cage.ports}))


def capacity(switch: Switch, gbps: int) -> int:
    """Ports at one rate of the kind of cage that offers most, all split for it; 0 when none can.

    Kinds are not added up: the ports of a tier are one block of neighbouring cages.
    """
    return max((cage.count * cage.ports.get(gbps, 0) for cage in switch.cages), default=0)


def blocks(switch: Switch, down: int, down_gbps: int, up_gbps: int) -> tuple[CageBlock, CageBlock]:
    """Where the `down` ports and the ports above them start; up cages follow down cages."""
    kinds = _first_cages(switch)
    down_kind, up_kind = _kind(switch, down_gbps), _kind(switch, up_gbps)
    per_down = switch.cages[down_kind].ports[down_gbps]
    taken = ceil(down / per_down) if up_kind == down_kind else 0
    up_first = kinds[up_kind] + taken
    return CageBlock(kinds[down_kind], per_down), CageBlock(up_first, switch.cages[up_kind].ports[up_gbps])


def uplinks(down: int, down_gbps: int, up_gbps: int, taper: float) -> int:
    """Up ports that carry `down` ports at a bandwidth ratio of `taper` down to one up."""
    return ceil(down * down_gbps / (taper * up_gbps) - 1e-9)


def most_down(switch: Switch, down_gbps: int, up_gbps: int, taper: float | None) -> int:
    """Most down ports for which the up ports at `taper` still find cages; no taper, no up ports."""
    total = capacity(switch, down_gbps)
    if taper is None or not total:
        return total
    down_kind, up_kind = _kind(switch, down_gbps), _kind(switch, up_gbps)
    per_down = switch.cages[down_kind].ports[down_gbps]
    per_up = switch.cages[up_kind].ports[up_gbps]
    shared = switch.cages[down_kind].count if down_kind == up_kind else None
    for down in range(total, 0, -1):
        up_cages = ceil(uplinks(down, down_gbps, up_gbps, taper) / per_up)
        free = switch.cages[up_kind].count if shared is None else shared - ceil(down / per_down)
        if up_cages <= free:
            return down
    return 0


def _kind(switch: Switch, gbps: int) -> int:
    """Position of the cage kind that offers most ports at a rate."""
    offers = [cage.count * cage.ports.get(gbps, 0) for cage in switch.cages]
    return offers.index(max(offers))


def _first_cages(switch: Switch) -> list[int]:
    counts = [cage.count for cage in switch.cages]
    return [1 + sum(counts[:at]) for at in range(len(counts))]
