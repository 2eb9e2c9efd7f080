"""One number per row that means the same on both sides: the natural key, counted out.

A key of several columns is one number in mixed radix: ``rack * slots + slot``. Keys refer to other
rows by their numbers in turn, so a cable's key holds its card, node, rack and hall, and two tables
are compared by integers, however long the names.

A rack is its place. A compute rack that stands nowhere any more, and appears with the same design as the
same rack of the same unit elsewhere, has moved: it keeps its number, and so do its nodes and cards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.plan import Plan, tables
from topology.review.renames import Coded, Renames

U64 = NDArray[np.uint64]
Sides = tuple[U64, U64]


def mixed(columns: Sequence[Sides]) -> Sides:
    """Columns of both sides as one number per row.

    Raises:
        OverflowError: the ranges together pass 64 bits.
    """
    numbers = [np.zeros(len(side), np.uint64) for side in columns[0]]
    span = 1
    for column in columns:
        radix = 1 + max((int(side.max()) for side in column if len(side)), default=0)
        span *= radix
        if span >= 1 << 64:
            raise OverflowError("natural keys pass 64 bits")
        for side in (0, 1):
            numbers[side] = numbers[side] * np.uint64(radix) + column[side]
    return numbers[0], numbers[1]


@dataclass(frozen=True)
class Identity:
    """Shared numbers of the rows of two plans, table by table, made when asked for."""

    base: Plan
    head: Plan
    renames: Renames

    @property
    def plans(self) -> tuple[Plan, Plan]:
        """Base and head."""
        return self.base, self.head

    def rows(self, table: str) -> Sides:
        """Shared number of every row of a table."""
        made: dict[str, Callable[[], Sides]] = {
            "halls": lambda: self.halls,
            "rows": lambda: self.hall_rows,
            "units": lambda: self.units,
            "racks": lambda: self.racks,
            "nodes": lambda: self.nodes,
            "gpus": lambda: mixed([self.through("gpus", "node", self.nodes), self.column("gpus", "index")]),
            "nics": lambda: self.nics,
            "nvlink_domains": lambda: self.domains,
            "fabrics": lambda: self.fabrics,
            "switches": lambda: self.switches,
            "appliances": lambda: self.appliances,
            "cables": lambda: self.cable_a,
            "stages": lambda: self.stages,
            "sources": lambda: self._named(self.renames.sources),
            "power_nodes": lambda: self.power_nodes,
            "feeds": lambda: mixed([self.through("feeds", "rack", self.racks), self.words("feeds", "side")]),
            "batteries": lambda: self.batteries,
        }
        return made[table]() if table in made else self._plain(table)

    def column(self, table: str, name: str) -> Sides:
        """A whole-number or enum column as it stands; null is 0, and then every value one more."""
        frames = [plan.tables()[table][name] for plan in self.plans]
        shift = any(frame.null_count() for frame in frames)
        base, head = (_numbers(frame, shift=shift) for frame in frames)
        return base, head

    def words(self, table: str, name: str) -> Sides:
        """A text column as positions in the sorted words of both sides."""
        frames = [plan.tables()[table][name].cast(pl.String).fill_null("") for plan in self.plans]
        known = pl.concat([frame.unique() for frame in frames]).unique().sort()
        code = pl.DataFrame({"word": known, "code": np.arange(len(known), dtype=np.uint64)})
        base, head = (
            frame.to_frame("word").join(code, on="word", how="left", maintain_order="left")["code"].to_numpy()
            for frame in frames
        )
        return base, head

    def through(self, table: str, name: str, numbers: Sides) -> Sides:
        """A foreign key as the shared numbers of the rows it points at; null is 0, and then every number one more."""
        columns = [plan.tables()[table][name] for plan in self.plans]
        shift = any(column.null_count() for column in columns)
        made = []
        for column, number in zip(columns, numbers, strict=True):
            at = column.fill_null(0).to_numpy()
            values = number[at] if len(number) else np.zeros(len(at), np.uint64)
            made.append(np.where(column.is_null().to_numpy(), np.uint64(0), values + np.uint64(1)) if shift else values)
        return made[0], made[1]

    def coded(self, table: str, name: str, coded: tuple[list[int], list[int]]) -> Sides:
        """A column of positions in a list of the spec, as shared numbers."""
        numbers = (np.array(coded[0], np.uint64), np.array(coded[1], np.uint64))
        return self.through(table, name, numbers)

    @cached_property
    def groups(self) -> tuple[list[int], list[int]]:
        """Shared numbers of the compute groups of either spec."""
        return self.renames.groups.numbers(0), self.renames.groups.numbers(1)

    @cached_property
    def halls(self) -> Sides:
        """Halls by name."""
        return self._named(self.renames.halls)

    @cached_property
    def stages(self) -> Sides:
        """Stages by name."""
        return self._named(self.renames.stages)

    @cached_property
    def fabrics(self) -> Sides:
        """Fabrics by name."""
        return self._named(self.renames.fabrics)

    @cached_property
    def batteries(self) -> Sides:
        """Banks by entry and number."""
        coded = self.renames.batteries
        sides = []
        for side, plan in enumerate(self.plans):
            numbers = dict(zip((coded.base, coded.head)[side], coded.numbers(side), strict=True))
            sides.append(np.array([numbers[name] for name in plan.batteries["name"]], np.uint64))
        return mixed([(sides[0], sides[1]), self.column("batteries", "bank")])

    @cached_property
    def hall_rows(self) -> Sides:
        """Rows by hall and number."""
        return mixed([self.through("rows", "hall", self.halls), self.column("rows", "number")])

    @cached_property
    def units(self) -> Sides:
        """Units by group and number."""
        return mixed([self.coded("units", "group", self.groups), self.column("units", "number")])

    @cached_property
    def places(self) -> Sides:
        """Racks by row and position, wherever they came from."""
        return mixed([self.through("racks", "row", self.hall_rows), self.column("racks", "position")])

    @cached_property
    def racks(self) -> Sides:
        """Racks by place and design; those that moved keep the number they had."""
        design = self.words("racks", "design")
        place = mixed([self.places, design])
        codes = np.unique(np.concatenate(place), return_inverse=True)[1].astype(np.uint64)
        base, head = codes[: len(place[0])], codes[len(place[0]) :].copy()
        homes = self._homes(design)
        gone = ~np.isin(base, head) & (homes[0] > 0)
        come = ~np.isin(head, base) & (homes[1] > 0)
        left = pl.DataFrame({"home": homes[0][gone], "was": base[gone]})
        new = pl.DataFrame({"home": homes[1][come], "row": np.flatnonzero(come)})
        moved = new.join(left, on="home", how="inner")
        head[moved["row"].to_numpy()] = moved["was"].to_numpy()
        return base, head

    def _homes(self, design: Sides) -> Sides:
        """Compute racks by unit, design and place among the unit's racks, from 1; 0 for a network rack."""
        unit = self.through("racks", "unit", self.units)
        index = []
        for plan in self.plans:
            racks = plan.racks.select("unit", "rack").with_columns(
                at=pl.col("rack").rank("ordinal").over("unit").cast(pl.UInt64)
            )
            index.append(racks["at"].to_numpy())
        keys = mixed([unit, (index[0], index[1]), design])
        base, head = (
            np.where(plan.racks["unit"].is_null().to_numpy(), np.uint64(0), key + np.uint64(1))
            for plan, key in zip(self.plans, keys, strict=True)
        )
        return base, head

    @cached_property
    def nodes(self) -> Sides:
        """Nodes by rack and slot."""
        return mixed([self.through("nodes", "rack", self.racks), self.column("nodes", "slot")])

    @cached_property
    def domains(self) -> Sides:
        """NVLink domains by rack and first slot."""
        rack = self.through("nvlink_domains", "rack", self.racks)
        return mixed([rack, self.column("nvlink_domains", "first_slot")])

    @cached_property
    def nics(self) -> Sides:
        """Network cards by node, role and index."""
        node = self.through("nics", "node", self.nodes)
        return mixed([node, self.column("nics", "role"), self.column("nics", "index")])

    @cached_property
    def switches(self) -> Sides:
        """Switches by fabric, plane, tier, group and index."""
        columns = [self.column("switches", name) for name in ("plane", "tier", "group", "index")]
        return mixed([self.through("switches", "fabric", self.fabrics), *columns])

    @cached_property
    def appliances(self) -> Sides:
        """Appliances by fabric and index."""
        return mixed([self.through("appliances", "fabric", self.fabrics), self.column("appliances", "index")])

    @cached_property
    def power_nodes(self) -> Sides:
        """Devices of the power tree by level, side, place and index."""
        place = self.through("power_nodes", "hall", self.halls), self.through("power_nodes", "row", self.hall_rows)
        side = self.words("power_nodes", "side")
        return mixed([self.column("power_nodes", "level"), side, *place, self.column("power_nodes", "index")])

    @cached_property
    def pools(self) -> Sides:
        """Pools by their first device, by pool number."""
        made = []
        for plan, number in zip(self.plans, self.power_nodes, strict=True):
            pools = np.zeros(int(plan.power_nodes["pool"].max() or 0) + 1, np.uint64)  # type: ignore[arg-type]
            pools[plan.power_nodes["pool"].to_numpy()[::-1]] = number[::-1]  # the first device is written last
            made.append(pools)
        return made[0], made[1]

    @cached_property
    def cable_a(self) -> Sides:
        """Cables by the plug nearer the nodes: card, appliance or lower switch, cage and port."""
        made = []
        for side, plan in enumerate(self.plans):
            table, a = plan.cables["a_table"].to_physical().to_numpy(), plan.cables["a"].to_numpy()
            number = np.empty(len(a), np.uint64)
            for code, word in enumerate(tables.ENDS.categories):
                mine = table == code
                if mine.any():
                    number[mine] = self.rows(word)[side][a[mine]]
            made.append(number)
        kind = self.column("cables", "a_table")
        return mixed([kind, (made[0], made[1]), self.column("cables", "a_cage"), self.column("cables", "a_port")])

    @cached_property
    def cable_b(self) -> Sides:
        """Cables by the plug at the upper switch."""
        upper = self.through("cables", "b", self.switches)
        return mixed([upper, self.column("cables", "b_cage"), self.column("cables", "b_port")])

    @staticmethod
    def _named(coded: Coded) -> Sides:
        base, head = (np.array(coded.numbers(side), np.uint64) for side in (0, 1))
        return base, head

    def _plain(self, name: str) -> Sides:
        """Rows of a table whose key holds words and numbers only."""
        table = next(each for each in tables.TABLES if each.name == name)
        return mixed([self.value(name, column) for column in table.columns if column.name in table.key])

    def value(self, table: str, column: tables.Column) -> Sides:
        """A column in a form that can be compared: foreign keys as shared numbers, words as positions."""
        if column.to:
            return self.through(table, column.name, self.rows(column.to))
        if column.dtype == pl.String:
            return self.words(table, column.name)
        if column.dtype == pl.Float64:
            return self._measured(table, column.name)
        return self.column(table, column.name)

    def _measured(self, table: str, name: str) -> Sides:
        """A column of fractions by its bits, to the millionth: sums in another order differ by less."""
        base, head = (
            plan.tables()[table][name].fill_null(float("nan")).round(6).to_numpy().view(np.uint64)
            for plan in self.plans
        )
        return base, head


def _numbers(column: pl.Series, *, shift: bool) -> U64:
    number = column.to_physical() if isinstance(column.dtype, pl.Enum) else column
    if number.dtype == pl.Boolean:
        number = number.cast(pl.UInt8)
    values = number.fill_null(0).to_numpy().astype(np.uint64)
    return np.where(column.is_null().to_numpy(), np.uint64(0), values + np.uint64(1)) if shift else values
