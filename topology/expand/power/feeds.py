"""Two feeds of every rack: circuits of one breaker size, their panel, position and phases."""

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.expand.power.spread import earlier
from topology.expand.rules import approximately, refused
from topology.plan import tables
from topology.spec.model import MOST_CIRCUITS, RackFeed

# Rated currents of circuit-breakers, amperes. Source: preferred values of IEC 60898-1 (to 125 A)
# and the R10 series of IEC 60059 above.
STANDARD_A = (16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250)
THREE = "L1-L2-L3"


def circuit_w(feed: RackFeed, amps: float) -> float:
    """Power that one circuit carries all day, watts at unity power factor.

    >>> round(circuit_w(RackFeed(415, 3, 0.8), 63) / 1000, 1)
    36.2
    """
    return amps * feed.derating * feed.volts * (math.sqrt(3) if feed.phases == 3 else 1.0)  # noqa: PLR2004 - phases


def breakers(feed: RackFeed, load_w: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Circuits per side and their breaker size for racks of `load_w`, each side able to carry all of it.

    Without a size in the spec, the smallest standard one that does with the circuits asked for.

    Raises:
        FindingsError: a rack would take more circuits than there can be.
    """
    largest_a = STANDARD_A[-1] if feed.amps is None else feed.amps
    circuits = np.full(len(load_w), feed.circuits) if feed.circuits else _circuits(feed, load_w, largest_a)
    if feed.amps is not None:
        return circuits, np.full(len(load_w), feed.amps)
    sizes = np.array(STANDARD_A, float)
    at = np.searchsorted(np.array([circuit_w(feed, size) for size in sizes]), load_w / circuits * (1 - 1e-12))
    return circuits, sizes[np.minimum(at, len(sizes) - 1)]


def _circuits(feed: RackFeed, load_w: NDArray[np.float64], amps: float) -> NDArray[np.int64]:
    """Circuits of `amps` that carry each rack, one at least."""
    with np.errstate(over="ignore", divide="ignore"):  # an infinite count is refused like any other
        needed = np.ceil(load_w / circuit_w(feed, amps) - 1e-9)
    if needed.max(initial=0.0) > MOST_CIRCUITS:
        largest_w = float(load_w.max())
        least_a = math.ceil(largest_w / MOST_CIRCUITS / circuit_w(feed, 1.0))
        raise refused(
            "P105",
            f"a rack of {largest_w / 1000:,.1f} kW would take {approximately(needed.max())} circuits of {amps:g} A on "
            f"each side; the most is {MOST_CIRCUITS}",
            (*feed.path, "amps"),
            f"write amps: {least_a:,} or more, the breaker of one circuit, or correct volts {feed.volts:g} or "
            f"derating {feed.derating:g}",
        )
    return np.maximum(needed, 1).astype(np.int64)


def frame(
    feed: RackFeed, racks: pl.DataFrame, pool: NDArray[np.int64], panels: NDArray[np.int64], origin: int
) -> pl.DataFrame:
    """The table of feeds, A and B of each rack in turn.

    `pool` is that of each rack's A feed, then of each B feed; `panels` the first device of each pool.
    """
    count = racks.height
    load = racks["power_w"].to_numpy().astype(np.float64)
    circuits, amps = breakers(feed, load)
    rack, side = np.divmod(np.arange(2 * count), 2)
    mine = pool[side * count + rack]
    position = earlier(mine, circuits[rack]) + 1
    phase = _phases(position, circuits[rack]) if feed.phases == 1 else pl.repeat(THREE, 2 * count, eager=True)
    capacity = (
        circuits * np.array([circuit_w(feed, size) for size in np.unique(amps)])[np.searchsorted(np.unique(amps), amps)]
    )
    return tables.FEEDS.frame(
        {
            "feed": np.arange(2 * count),
            "rack": racks["rack"].to_numpy()[rack],
            "side": pl.Series(["A", "B"]).gather(side),
            "pool": mine,
            "panel": panels[mine],
            "breaker": position,
            "circuits": circuits[rack],
            "breaker_a": amps[rack],
            "phase": phase,
            "capacity_w": capacity[rack].astype(np.int64),
            "load_w": load[rack].astype(np.int64),
            "stage": racks["stage"].gather(rack),
            "origin": origin,
        }
    )


def _phases(position: NDArray[np.int64], circuits: NDArray[np.int64]) -> pl.Series:
    """Phases of single-phase circuits, which follow the positions in turn: L3-L1 of two circuits from position 3."""
    words = pl.DataFrame({"first": (position - 1) % 3, "circuits": circuits})
    kinds = words.unique(maintain_order=True)
    made = ["-".join(tables.PHASES[(first + at) % 3] for at in range(number)) for first, number in kinds.iter_rows()]
    return words.join(kinds.with_columns(phase=pl.Series(made)), on=["first", "circuits"], maintain_order="left")[
        "phase"
    ]
