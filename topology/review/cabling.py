"""What stands elsewhere and what happens to cables, as the people who move racks and pull cables see it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.plan import tables
from topology.review.identity import U64, Identity, Sides
from topology.review.matching import NO_ROWS, Rows, match_rows


@dataclass(frozen=True, slots=True)
class Moves:
    """Rows of both sides that stand elsewhere."""

    racks: tuple[Rows, Rows]  # moved racks, of base and of head
    nodes: NDArray[np.bool_]  # of head: whether a node's rack moved
    switches: NDArray[np.bool_]  # of head: whether a switch stands in another rack, or in a rack that moved
    appliances: NDArray[np.bool_]

    @classmethod
    def of(cls, identity: Identity) -> "Moves":
        """The moves between two plans."""
        places = identity.places
        _, _, was, now = match_rows(identity.rows("racks"))
        elsewhere = places[0][was] != places[1][now]
        racks = was[elsewhere], now[elsewhere]
        moved = np.zeros(identity.head.racks.height, bool)
        moved[racks[1]] = True
        boxes = {}
        for name in ("switches", "appliances"):
            _, _, was, now = match_rows(identity.rows(name))
            frames = (identity.base.tables()[name], identity.head.tables()[name])
            at = [frame["rack"].to_numpy()[rows] for frame, rows in zip(frames, (was, now), strict=True)]
            boxes[name] = np.zeros(frames[1].height, bool)
            boxes[name][now] = places[0][at[0]] != places[1][at[1]]
        nodes = moved[identity.head.nodes["rack"].to_numpy()]
        return cls(racks, nodes, boxes["switches"], boxes["appliances"])


@dataclass(frozen=True, slots=True)
class Cabling:
    """Cables as the people who pull them see the change; each cable is in one of the first four at most."""

    new: Rows  # of head
    removed: Rows  # of base
    replugged: tuple[Rows, Rows]  # of base and head: a plug moves to another port
    relaid: tuple[Rows, Rows]  # of base and head: both plugs stay, but a device at an end stands elsewhere
    rerated: tuple[Rows, Rows]  # of base and head: another line rate, whatever else happens to it

    @classmethod
    def of(cls, identity: Identity, moves: Moves) -> "Cabling":
        """The cabling between two plans.

        A cable is one end, and the other end may move: first the plug nearer the nodes is held fast, then,
        among what is left, the plug at the upper switch, where both devices at the moving end are on both sides.
        """
        a, b = identity.rows("cables"), identity.cable_b
        new, removed, was, now = match_rows(a)
        stays = b[0][was] == b[1][now]
        moved_b = was[~stays], now[~stays]
        moved_a = cls._moved_a(identity, removed, new, b)
        removed = _without(removed, moved_a[0], identity.base.cables.height)
        new = _without(new, moved_a[1], identity.head.cables.height)
        was, now = was[stays], now[stays]
        away = cls._away(identity, moves, now)
        rate = [plan.cables["rate_gbps"].to_numpy() for plan in identity.plans]
        both = np.concatenate([was, moved_b[0], moved_a[0]]), np.concatenate([now, moved_b[1], moved_a[1]])
        other = rate[0][both[0]] != rate[1][both[1]]
        replugged = np.concatenate([moved_b[0], moved_a[0]]), np.concatenate([moved_b[1], moved_a[1]])
        return cls(new, removed, replugged, (was[away], now[away]), (both[0][other], both[1][other]))

    @staticmethod
    def _moved_a(identity: Identity, removed: Rows, new: Rows, b: Sides) -> tuple[Rows, Rows]:
        """Pairs of a removed and a new cable on one port of an upper switch, between devices that stay."""
        if not len(removed) or not len(new):
            return NO_ROWS, NO_ROWS
        at = pl.DataFrame({"b": b[0][removed], "was": removed}).join(
            pl.DataFrame({"b": b[1][new], "now": new}), on="b", how="inner"
        )
        was, now = at["was"].to_numpy(), at["now"].to_numpy()
        devices = _lower_devices(identity, was, 0), _lower_devices(identity, now, 1)
        every = _devices(identity, 0), _devices(identity, 1)
        stay = np.isin(devices[0], every[1]) & np.isin(devices[1], every[0])
        return was[stay], now[stay]

    @staticmethod
    def _away(identity: Identity, moves: Moves, now: Rows) -> NDArray[np.bool_]:
        """Of cables of head that keep both plugs: whether a device at an end stands elsewhere."""
        head = identity.head
        if not (moves.nodes.any() or moves.switches.any() or moves.appliances.any()):
            return np.zeros(len(now), bool)
        flags = {
            "nics": moves.nodes[head.nics["node"].to_numpy()],
            "appliances": moves.appliances,
            "switches": moves.switches,
        }
        table, a = head.cables["a_table"].to_physical().to_numpy()[now], head.cables["a"].to_numpy()[now]
        away: NDArray[np.bool_] = moves.switches[head.cables["b"].to_numpy()[now]]
        for code, word in enumerate(tables.ENDS.categories):
            mine = table == code
            away[mine] |= flags[word][a[mine]]
        return away


def _without(rows: Rows, taken: Rows, height: int) -> Rows:
    """Rows of a table that are not among others."""
    left = np.zeros(height, bool)
    left[rows] = True
    left[taken] = False
    return np.flatnonzero(left)


def _lower_devices(identity: Identity, rows: Rows, side: int) -> U64:
    """Shared number of the device, not the port, at the lower end of some cables."""
    cables = identity.plans[side].cables[rows]
    numbers = {
        "nics": identity.value("nics", "node")[side],
        "appliances": identity.rows("appliances")[side],
        "switches": identity.rows("switches")[side],
    }
    table, a = cables["a_table"].to_physical().to_numpy(), cables["a"].to_numpy()
    made = np.zeros(len(a), np.uint64)
    for code, word in enumerate(tables.ENDS.categories):
        mine = table == code
        made[mine] = _of_kind(numbers[word][a[mine]], code)
    return made


def _devices(identity: Identity, side: int) -> U64:
    """Shared numbers, as `_lower_devices` gives them, of every device of a side."""
    numbers = {
        "nics": identity.rows("nodes")[side],
        "appliances": identity.rows("appliances")[side],
        "switches": identity.rows("switches")[side],
    }
    return np.concatenate([_of_kind(numbers[word], code) for code, word in enumerate(tables.ENDS.categories)])


def _of_kind(numbers: U64, code: int) -> U64:
    """Numbers of one kind of device, apart from those of the others."""
    return numbers * np.uint64(len(tables.ENDS.categories)) + np.uint64(code)
