"""What stands elsewhere and what happens to cables, as the people who move racks and pull cables see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.diff.identity import Identity
from topology.diff.matching import NO_ROWS, U64, Rows, Sides, known
from topology.plan import Plan

Value = TypeVar("Value", np.bool_, np.uint64)
Replaced = Mapping[str, tuple[Rows, Rows]]  # by table: rows of base and of head


@dataclass(frozen=True, slots=True)
class Moves:
    """Rows of both sides that stand elsewhere."""

    racks: tuple[Rows, Rows]  # moved racks, of base and of head
    nodes: NDArray[np.bool_]  # of head: whether a node's rack moved
    switches: NDArray[np.bool_]  # of head: whether a switch stands at another place
    appliances: NDArray[np.bool_]

    @classmethod
    def of(cls, identity: Identity) -> "Moves":
        """The moves between two plans."""
        places = identity.places
        _, _, was, now = identity.match("racks")
        elsewhere = places[0][was] != places[1][now]
        racks = was[elsewhere], now[elsewhere]
        moved = np.zeros(identity.head.racks.height, bool)
        moved[racks[1]] = True
        boxes = {}
        for name in ("switches", "appliances"):
            _, _, was, now = identity.match(name)
            frames = (identity.base.tables()[name], identity.head.tables()[name])
            at = [frame[rows] for frame, rows in zip(frames, (was, now), strict=True)]
            rack = [place[frame["rack"].to_numpy()] for place, frame in zip(places, at, strict=True)]
            boxes[name] = np.zeros(frames[1].height, bool)
            boxes[name][now] = (rack[0] != rack[1]) | (at[0]["u"] != at[1]["u"]).to_numpy()
        nodes = moved[identity.head.nodes["rack"].to_numpy()]
        return cls(racks, nodes, boxes["switches"], boxes["appliances"])


@dataclass(frozen=True, slots=True)
class Cabling:
    """Cables as the people who pull them see the change; each cable is in one of the first five at most."""

    plans: tuple[Plan, Plan]  # base and head
    new: Rows  # of head
    removed: Rows  # of base
    replugged: tuple[Rows, Rows]  # of base and head: a plug moves to another port
    taken_out: tuple[Rows, Rows]  # of base and head: a device at an end is replaced, so it comes out and goes in again
    relaid: tuple[Rows, Rows]  # of base and head: a device at an end stands elsewhere
    rerated: tuple[Rows, Rows]  # of base and head: another line rate, whatever else happens to it

    @classmethod
    def of(cls, identity: Identity, moves: Moves, replaced: Replaced) -> "Cabling":
        """The cabling between two plans.

        A cable is one end, and the other end may move: first the plug nearer the nodes is held fast, then,
        among what is left, the plug at the upper switch, where both devices at the moving end are on both sides.
        """
        b = identity.cable_b
        new, removed, was, now = identity.match("cables")
        stays = b[0][was] == b[1][now]
        moved_b = was[~stays], now[~stays]
        moved_a = cls._moved_a(identity, removed, new, b)
        removed = removed[~np.isin(removed, moved_a[0])]
        new = new[~np.isin(new, moved_a[1])]
        pairs = [np.concatenate(sides) for sides in zip((was[stays], now[stays]), moved_b, moved_a, strict=True)]
        moved = np.arange(len(pairs[0])) >= stays.sum()
        out = cls._taken_out(identity.base, replaced, pairs[0])
        away = cls._away(identity, moves, pairs[1]) & ~out
        rate = [plan.cables["rate_gbps"].to_numpy()[rows] for plan, rows in zip(identity.plans, pairs, strict=True)]
        kinds = moved & ~out & ~away, out, away, rate[0] != rate[1]
        return cls(identity.plans, new, removed, *((pairs[0][kind], pairs[1][kind]) for kind in kinds))

    @property
    def effort(self) -> tuple[int, int]:
        """Cables that somebody has to lay, pull or plug, and those of them that move to another port."""
        both = (self.replugged[0], self.taken_out[0], self.relaid[0])
        return len(self.new) + len(self.removed) + sum(map(len, both)), len(self.replugged[0])

    def by_change(self) -> dict[str, tuple[Plan, Rows]]:
        """Each kind of change by its word, and its rows: of base for cables that are gone, else of head."""
        base, head = self.plans
        return {
            "new": (head, self.new),
            "removed": (base, self.removed),
            "re-plugged": (head, self.replugged[1]),
            "taken out": (head, self.taken_out[1]),
            "re-laid": (head, self.relaid[1]),
            "other rate": (head, self.rerated[1]),
        }

    @staticmethod
    def _taken_out(base: Plan, replaced: Replaced, rows: Rows) -> NDArray[np.bool_]:
        """Of cables of base: whether a device at an end is replaced."""
        flags = {name: np.zeros(base.tables()[name].height, bool) for name in ("nodes", "appliances", "switches")}
        for name, flag in flags.items():
            flag[replaced.get(name, (NO_ROWS,))[0]] = True
        if not any(flag.any() for flag in flags.values()):
            return np.zeros(len(rows), bool)
        cables = base.cables.select("a_table", "a", "b")[rows]
        lower = flags | {"nics": flags["nodes"][base.nics["node"].to_numpy()]}
        out: NDArray[np.bool_] = flags["switches"][cables["b"].to_numpy()] | _at_lower_ends(cables, lower)
        return out

    @staticmethod
    def _moved_a(identity: Identity, removed: Rows, new: Rows, b: Sides) -> tuple[Rows, Rows]:
        """Pairs of a removed and a new cable on one port of an upper switch, between devices that stay."""
        if not len(removed) or not len(new):
            return NO_ROWS, NO_ROWS
        at = pl.DataFrame({"b": b[0][removed], "was": removed}).join(
            pl.DataFrame({"b": b[1][new], "now": new}), on="b", how="inner"
        )
        was, now = at["was"].to_numpy(), at["now"].to_numpy()
        cards, nodes = identity.value("nics", "node"), identity.rows("nodes")
        ends, every = [], []
        for side, (plan, rows) in enumerate(zip(identity.plans, (was, now), strict=True)):
            ends.append(_at_lower_ends(plan.cables[rows], _devices(identity, side, cards[side])))
            every.append(np.concatenate([*_devices(identity, side, nodes[side]).values()]))
        stay = known(ends[0], every[1]) & known(ends[1], every[0])
        return was[stay], now[stay]

    @staticmethod
    def _away(identity: Identity, moves: Moves, now: Rows) -> NDArray[np.bool_]:
        """Of cables of head: whether a device at an end stands elsewhere."""
        head = identity.head
        if not (moves.nodes.any() or moves.switches.any() or moves.appliances.any()):
            return np.zeros(len(now), bool)
        flags = {
            "nics": moves.nodes[head.nics["node"].to_numpy()],
            "appliances": moves.appliances,
            "switches": moves.switches,
        }
        cables = head.cables.select("a_table", "a", "b")[now]
        away: NDArray[np.bool_] = moves.switches[cables["b"].to_numpy()] | _at_lower_ends(cables, flags)
        return away


def within_reach(identities: Sequence[Identity]) -> tuple[Rows, Rows]:
    """Cables of base and of head with a device on both sides; the others are removed and new, whatever switches are.

    The identities differ in what switches are, and in nothing else.
    """
    rows = []
    for side, plan in enumerate(identities[0].plans):
        flags = {name: np.zeros(plan.tables()[name].height, bool) for name in ("nodes", "appliances", "switches")}
        for name, flag in flags.items():
            for identity in identities if name == "switches" else identities[:1]:
                flag[identity.match(name)[2 + side]] = True
        lower = flags | {"nics": flags["nodes"][plan.nics["node"].to_numpy()]}
        cables = plan.cables.select("a_table", "a", "b")
        rows.append(np.flatnonzero(flags["switches"][cables["b"].to_numpy()] | _at_lower_ends(cables, lower)))
    return rows[0], rows[1]


def _at_lower_ends(cables: pl.DataFrame, values: Mapping[str, NDArray[Value]]) -> NDArray[Value]:
    """Value of the row at the lower end of each cable, given those of every table that it may be in."""
    table, a = cables["a_table"].cast(pl.String), cables["a"].to_numpy()
    found = np.zeros(len(a), values["nics"].dtype)
    for word in table.unique():
        mine = (table == word).to_numpy()
        found[mine] = values[word][a[mine]]
    return found


def _devices(identity: Identity, side: int, nodes: U64) -> dict[str, U64]:
    """Shared numbers of devices, no two alike, by the table that a lower end is in; of a card, its node's."""
    numbers = {"nics": nodes} | {table: identity.rows(table)[side] for table in ("appliances", "switches")}
    kinds = np.uint64(len(numbers))
    return {word: number * kinds + np.uint64(code) for code, (word, number) in enumerate(numbers.items())}
