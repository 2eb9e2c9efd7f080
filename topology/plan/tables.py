"""Data dictionary: every table, its columns, units and references. Read this first.

Row numbers are dense from 0 inside one plan and serve as foreign keys; they mean nothing
outside it. Every table has a natural key as well, and a label that is made of it: only these may reach
a diff or another program, and the label is what a row is called everywhere. Numbers that people count
(rows, positions, slots, units, planes, ports) start at 1, as on the label. A unit of measure is the
suffix of its column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

WORDS = pl.Enum  # of the words that the program's fabric kinds supply, from the nodes up
PIECES = pl.Enum(["pod", "core"])
ENDS = pl.Enum(["nics", "appliances", "switches"])
ROLES = pl.Enum(["compute", "storage", "frontend", "oob"])
RACK_ROLES = pl.Enum(["compute", "network"])
PHASES = ("L1", "L2", "L3")  # of a three-phase supply, in the order of the breaker positions of a panel


@dataclass(frozen=True, slots=True)
class Column:
    """One column; the unit is the suffix of its name."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    doc: str
    to: str = ""  # table whose row numbers it holds, alone or as a list; `@a_table`: the table that `a_table` names
    null: bool = False
    derived: bool = False  # follows from other columns or from lines of the spec: two plans are not compared by it
    hardware: bool = False  # what stands there: another value under one key is another thing in the place of the first


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what a row is, what names it for good, its columns in order, and what it is called.

    The label is a format string over the columns. A column that points into a table shows the label there, or with
    a dot a column there; of several columns, as in `{row|hall|'site'}`, the first that is not null counts. A path
    such as `/names/rack` stands for the format string there in the spec. Without a label, the key alone tells a row.
    """

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    label: str = ""

    @property
    def facts(self) -> tuple[Column, ...]:
        """Columns that mean something outside a plan: all but the row number."""
        return self.columns if self.columns[0].name in self.key else self.columns[1:]

    @property
    def named(self) -> bool:
        """Whether its rows have a label and no column `name`."""
        return bool(self.label) and all(column.name != "name" for column in self.columns)

    def refers(self, name: str) -> str:
        """Table that a column's numbers are rows of."""
        return next(column.to for column in self.columns if column.name == name)

    def frame(self, data: Mapping[str, object]) -> pl.DataFrame:
        """Rows with exactly this table's columns, order and dtypes.

        Arrays keep their bytes where their dtype already fits; Python scalars are repeated.

        Raises:
            KeyError: a column is missing.
            ColumnRangeError: a value is beyond what its column holds.
        """
        height = next((len(v) for v in data.values() if isinstance(v, np.ndarray | pl.Series)), 1)
        series = []
        for column in self.columns:
            try:
                series.append(_series(column, data[column.name], height))
            except (pl.exceptions.InvalidOperationError, OverflowError):
                raise ColumnRangeError(self, column) from None
        return pl.DataFrame(series)

    def rows(self, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
        """The table of some rows, by column."""
        return pl.DataFrame(rows, schema={column.name: column.dtype for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """The table without a row."""
        return self.frame({column.name: [] for column in self.columns})

    def holds(self, frame: pl.DataFrame) -> bool:
        """Whether a frame has this table's columns, in order; an Enum of kinds' words may have any words."""
        kinds = zip(self.columns, frame.dtypes, strict=False)
        alike = all(dtype == column.dtype for column, dtype in kinds)
        return frame.columns == [column.name for column in self.columns] and alike


class ColumnRangeError(ValueError):
    """A figure of a plan is beyond what its column holds; the message says which, and the most it holds."""

    def __init__(self, table: Table, column: Column) -> None:
        super().__init__(f"{column.name} of the table {table.name} is beyond the range of {column.dtype}")


def _series(column: Column, value: object, height: int) -> pl.Series:
    if column.dtype is WORDS and isinstance(value, pl.Series):
        return value.alias(column.name)
    if column.dtype is WORDS:
        return pl.Series(column.name, [], dtype=pl.Enum([]))
    if isinstance(value, np.ndarray):
        return pl.Series(column.name, value).cast(column.dtype)
    if isinstance(value, pl.Series):
        return value.alias(column.name).cast(column.dtype)
    if isinstance(value, list | tuple):
        return pl.Series(column.name, value, dtype=column.dtype)
    return pl.repeat(value, height, dtype=column.dtype, eager=True).alias(column.name)  # type: ignore[call-overload,no-any-return]


def codes(values: NDArray[np.integer], words: pl.Enum) -> pl.Series:
    """Series of `words` by their position: 0 is the first word."""
    return pl.Series(values.astype(np.uint8)).cat.to(words)


NAMED = Column("name", pl.String, "The row's label, in stored tables that have no such column here; see `store`.")
_STAGE = Column("stage", pl.UInt16, "First stage that holds the row; null: in no stage.", "stages", null=True)
_ORIGIN = Column("origin", pl.UInt16, "The spec line that asked for the row.", "origins", derived=True)
_GROUP = Column("group", pl.UInt16, "Compute group.", "groups")

HALLS = Table(
    "halls",
    "A data hall.",
    ("name",),
    (
        Column("hall", pl.UInt16, "Row number."),
        Column("name", pl.String, "Name in the spec."),
        Column("rows", pl.UInt16, "Rows of racks."),
        Column("positions", pl.UInt16, "Rack positions per row."),
        Column("limit_u", pl.UInt16, "Tallest rack that stands here, in rack units."),
        Column("limit_power_w", pl.UInt32, "Most a rack here may draw; null: no limit given.", null=True),
        Column("limit_weight_kg", pl.Float64, "Most a rack here may weigh; null: no limit given.", null=True),
        Column("x_m", pl.Float64, "South-west corner of its floor, metres east of the site's origin."),
        Column("y_m", pl.Float64, "Likewise, metres north."),
        Column("length_m", pl.Float64, "Its positions from west to east."),
        Column("width_m", pl.Float64, "Its rows from south to north."),
        Column("rack_depth_m", pl.Float64, "Racks from front to back."),
        _ORIGIN,
    ),
    "{name}",
)

ROWS = Table(
    "rows",
    "A row of rack positions.",
    ("hall", "number"),
    (
        Column("row", pl.UInt32, "Row number."),
        Column("hall", pl.UInt16, "Its hall.", "halls"),
        Column("number", pl.UInt16, "Number in the hall, from 1."),
        Column("network", pl.Boolean, "Kept for network racks."),
        _ORIGIN,
    ),
    "{hall}-row{number:02}",
)

GROUPS = Table(
    "groups",
    "A compute group: units of one rack design.",
    ("name",),
    (
        Column("group", pl.UInt16, "Row number: the group's position in the spec."),
        Column("name", pl.String, "Name in the spec."),
        Column("design", pl.String, "Catalogue slug of its rack design."),
        Column("product", pl.String, "Catalogue slug of its nodes."),
        Column("unit_racks", pl.UInt16, "Racks in a scalable unit."),
        Column("units", pl.UInt32, "Scalable units."),
        _ORIGIN,
    ),
    "{name}",
)

UNITS = Table(
    "units",
    "A scalable unit: the racks that are bought, placed and cabled together.",
    ("group", "number"),
    (
        Column("unit", pl.UInt32, "Row number."),
        _GROUP,
        Column("number", pl.UInt32, "Number in the group, from 1."),
        Column("hall", pl.UInt16, "Hall it stands in.", "halls"),
        Column("row", pl.UInt32, "Row it stands in.", "rows"),
        Column("position", pl.UInt16, "First position of its racks, from 1."),
        Column("cell", pl.UInt32, "Its Kubernetes cell; null where the spec asks for none.", "cells", null=True),
        _STAGE,
        _ORIGIN,
    ),
    "{group}-{number:04}",
)

RACKS = Table(
    "racks",
    "A rack at its place; the place is its identity.",
    ("hall", "row", "position"),
    (
        Column("rack", pl.UInt32, "Row number."),
        Column("hall", pl.UInt16, "Its hall.", "halls"),
        Column("row", pl.UInt32, "Its row.", "rows"),
        Column("position", pl.UInt16, "Position in the row, from 1."),
        Column("number", pl.UInt32, "Number in the hall: (row - 1) x positions + position.", derived=True),
        Column("x_m", pl.Float64, "South-west corner of its position, metres east of the site's origin.", derived=True),
        Column("y_m", pl.Float64, "Likewise, metres north.", derived=True),
        Column("role", RACK_ROLES, "Compute racks hold nodes, network racks switches and appliances."),
        Column("design", pl.String, "Catalogue slug of the rack design; empty for a network rack.", hardware=True),
        Column("group", pl.UInt16, "Compute group; null for a network rack.", "groups", null=True),
        Column("unit", pl.UInt32, "Scalable unit; null for a network rack.", "units", null=True),
        Column("height_u", pl.UInt16, "Rack units it has."),
        Column("used_u", pl.UInt16, "Rack units taken."),
        Column("power_w", pl.UInt32, "Catalogue maximum of everything in the rack."),
        Column("power_typical_w", pl.UInt32, "Typical draw, for the parts that give one; else their maximum."),
        Column("weight_kg", pl.Float64, "Weight as filled; null: a part has no published weight.", null=True),
        _STAGE,
        _ORIGIN,
    ),
    "/names/rack",
)

NODES = Table(
    "nodes",
    "A server or compute tray.",
    ("rack", "slot"),
    (
        Column("node", pl.UInt32, "Row number."),
        _GROUP,
        Column("unit", pl.UInt32, "Its scalable unit.", "units"),
        Column("rack", pl.UInt32, "Its rack.", "racks"),
        Column("slot", pl.UInt8, "Slot in the rack, from 1, bottom up."),
        Column("product", pl.String, "Catalogue slug.", hardware=True),
        Column(
            "place",
            pl.UInt32,
            "Place among the unit's slots, from 0, empty ones counted: its leaf port.",
            derived=True,
        ),
        Column("domain", pl.UInt32, "NVLink domain.", "nvlink_domains"),
        Column(
            "locality",
            pl.UInt32,
            "Lowest locality in its compute fabric; null: none connects it.",
            "localities",
            null=True,
            derived=True,
        ),
        _STAGE,
        _ORIGIN,
    ),
    "/names/node",
)

GPUS = Table(
    "gpus",
    "A GPU.",
    ("node", "index"),
    (
        Column("gpu", pl.UInt32, "Row number."),
        Column("node", pl.UInt32, "Its node.", "nodes"),
        Column("index", pl.UInt8, "Index in the node, from 0, as drivers count."),
    ),
)

NICS = Table(
    "nics",
    "A network card of a node.",
    ("node", "role", "index"),
    (
        Column("nic", pl.UInt32, "Row number."),
        Column("node", pl.UInt32, "Its node.", "nodes"),
        Column("role", ROLES, "Which fabric it is for."),
        Column("index", pl.UInt8, "Index among the node's cards of the role, from 0; a compute card's rail."),
    ),
    "{node}/{role}{index}",
)

NVLINK_DOMAINS = Table(
    "nvlink_domains",
    "GPUs that reach each other over NVLink: a box or a whole rack.",
    ("rack", "first_slot"),
    (
        Column("domain", pl.UInt32, "Row number."),
        Column("rack", pl.UInt32, "Its rack.", "racks"),
        Column("first_slot", pl.UInt8, "Lowest slot of the domain in the rack."),
        Column("nodes", pl.UInt8, "Nodes in it."),
        Column("gpus", pl.UInt16, "GPUs in it."),
        Column("missing_nodes", pl.UInt8, "Nodes that the design has and this domain lacks."),
        Column("switches", pl.UInt8, "NVSwitch chips."),
        Column("links", pl.UInt16, "NVLinks between its GPUs and chips."),
        _STAGE,
        _ORIGIN,
    ),
    "{rack}-{first_slot}",
)

NVLINK_LINKS = Table(
    "nvlink_links",
    "Pattern of NVLinks inside one domain of a design; the same in every domain.",
    ("design", "gpu", "chip"),
    (
        Column("design", pl.String, "Catalogue slug of the node or rack design."),
        Column("gpu", pl.UInt16, "GPU within the domain, from 0."),
        Column("chip", pl.UInt8, "NVSwitch chip within the domain, from 0."),
        Column("links", pl.UInt8, "Parallel links of the pair."),
    ),
)

FABRICS = Table(
    "fabrics",
    "A network and the shape that expansion gave it.",
    ("name",),
    (
        Column("fabric", pl.UInt16, "Row number."),
        Column("name", pl.String, "Name in the spec."),
        Column("kind", pl.String, "Kind in the spec."),
        Column("protocol", pl.String, "infiniband or roce.", hardware=True),
        Column("switch", pl.String, "Catalogue slug of its switches."),
        Column("groups", pl.List(pl.UInt16), "Compute groups it connects; a core fabric: none.", "groups"),
        Column("planes", pl.UInt8, "Independent trees side by side."),
        Column("tiers", pl.UInt8, "Switch tiers of each tree."),
        Column("islands", pl.UInt32, "Independent trees one after another, joined by a core fabric."),
        _ORIGIN,
    ),
    "{name}",
)

TIERS = Table(
    "tiers",
    "A tier of a fabric's switches; ports are those in use on one switch when the fabric is full.",
    ("fabric", "word"),
    (
        Column("fabric", pl.UInt16, "Its fabric.", "fabrics"),
        Column("level", pl.UInt8, "Level, from 0 at the nodes up.", derived=True),
        Column("word", pl.String, "Word of the fabric's kind: leaf, spine, core."),
        Column("group_word", pl.String, "What its groups of switches are: leaf groups, pods, islands."),
        Column("down", pl.UInt32, "Ports to the nodes or to the tier below."),
        Column("up", pl.UInt16, "Ports to the tier above; 0 at the top."),
        Column("kept", pl.UInt16, "Ports kept for a core fabric."),
        Column("taper", pl.Float64, "Bandwidth down over bandwidth up; null: nothing is above.", null=True),
        Column("rails", pl.UInt16, "Most rails that share a switch; null: rails are not kept apart.", null=True),
        _ORIGIN,
    ),
    "{fabric}-{word}",
)

LOCALITIES = Table(
    "localities",
    "Nodes that are as near to each other as its word says: what schedulers place jobs in.",
    ("fabric", "word", "number", "within"),
    (
        Column("locality", pl.UInt32, "Row number."),
        Column("fabric", pl.UInt16, "Its fabric.", "fabrics"),
        Column("level", pl.UInt8, "Level in the fabric, from 0 at the nodes up.", derived=True),
        Column("word", pl.String, "What people call one: leaf-group, pod, island."),
        Column("tier", pl.String, "Tier of the switches that join its nodes."),
        Column("name", pl.String, "Name that schedulers and labels use.", derived=True),
        Column("number", pl.UInt32, "Number in the level, from 1; null: the level has one.", null=True),
        Column("within", pl.UInt16, "Number within its unit, from 1, where a unit has several.", null=True),
        Column("parent", pl.UInt32, "Locality around it; null at the top.", "localities", null=True),
        Column("places", pl.UInt32, "Node places of it when it is full."),
        _ORIGIN,
    ),
    "{name}",
)

SWITCHES = Table(
    "switches",
    "A fabric switch.",
    ("fabric", "plane", "tier", "group", "index"),
    (
        Column("switch", pl.UInt32, "Row number."),
        Column("fabric", pl.UInt16, "Its fabric.", "fabrics"),
        Column("plane", pl.UInt8, "Plane, from 1."),
        Column("tier", WORDS, "Tier, by its fabric's own word."),
        Column("island", pl.UInt32, "Island, from 1."),
        Column("group", pl.UInt32, "Number of its group, from 1; `tiers` says of what."),
        Column("index", pl.UInt32, "Index in the group, from 1."),
        Column("product", pl.String, "Catalogue slug.", hardware=True),
        Column("piece", PIECES, "What it is deployed with: a pod, or a core.", derived=True),
        Column("piece_number", pl.UInt32, "Number of that in the fabric, from 1.", derived=True),
        Column("rack", pl.UInt32, "Rack it stands in.", "racks"),
        Column("u", pl.UInt16, "Lowest rack unit it takes, from 1."),
        _STAGE,
        _ORIGIN,
    ),
    "{fabric}-p{plane}-{tier}-{group:04}-{index:03}",
)

APPLIANCES = Table(
    "appliances",
    "A box on a fabric that is neither node nor switch, such as a UFM subnet manager.",
    ("fabric", "index"),
    (
        Column("appliance", pl.UInt32, "Row number."),
        Column("fabric", pl.UInt16, "Its fabric.", "fabrics"),
        Column("index", pl.UInt16, "Index in the fabric, from 1."),
        Column("product", pl.String, "Catalogue slug.", hardware=True),
        Column("rack", pl.UInt32, "Rack it stands in.", "racks"),
        Column("u", pl.UInt16, "Lowest rack unit it takes, from 1."),
        _STAGE,
        _ORIGIN,
    ),
    "{fabric}-appliance-{index:02}",
)

CABLES = Table(
    "cables",
    "A cable and its two ends; `a` is the end nearer the nodes.",
    ("a_table", "a", "a_cage", "a_port"),
    (
        Column("cable", pl.UInt32, "Row number."),
        Column("fabric", pl.UInt16, "Its fabric.", "fabrics"),
        Column("plane", pl.UInt8, "Plane, from 1; of a core fabric: the joined fabric's plane."),
        Column("hop", WORDS, "Tiers it joins, by its fabric's own word; an appliance's is that of nodes."),
        Column("a_table", ENDS, "Table that `a` points into."),
        Column("a", pl.UInt32, "NIC, appliance or lower switch.", "@a_table"),
        Column("a_cage", pl.UInt16, "Cage at the a end, from 1."),
        Column("a_port", pl.UInt8, "Port of that cage, from 1; above 1 only where the cage is split."),
        Column("b", pl.UInt32, "Upper switch.", "switches"),
        Column("b_cage", pl.UInt16, "Cage at the b end, from 1."),
        Column("b_port", pl.UInt8, "Port of that cage, from 1."),
        Column("rate_gbps", pl.UInt16, "Line rate."),
        _STAGE,
        _ORIGIN,
    ),
)

STAGES = Table(
    "stages",
    "A stage; its figures hold everything of the stages before it too.",
    ("name",),
    (
        Column("stage", pl.UInt16, "Row number; stages follow each other in this order."),
        Column("name", pl.String, "Name in the spec."),
        Column("gpus", pl.UInt32, "GPUs in the stage and those before it."),
        Column("nodes", pl.UInt32, "Nodes, likewise."),
        Column("racks", pl.UInt32, "Racks that hold nodes, likewise."),
        Column("units", pl.UInt32, "Scalable units, likewise."),
        Column("cables", pl.UInt32, "Cables, likewise."),
        Column("it_w", pl.UInt64, "Catalogue maximum of all racks, network racks too, likewise."),
        _ORIGIN,
    ),
    "{name}",
)

SOURCES = Table(
    "sources",
    "A utility connection or a power plant.",
    ("name",),
    (
        Column("source", pl.UInt16, "Row number."),
        Column("name", pl.String, "Name in the spec."),
        Column("kind", pl.String, "utility, turbine, generator, fuel-cell or solar."),
        Column("capacity_w", pl.UInt64, "Power it gives, all units together."),
        Column("units", pl.UInt32, "Machines that fail one by one; 1 for a connection."),
        Column("permitted", pl.Boolean, "Its permit is granted."),
        Column("in_service", pl.String, "ISO date from which it gives power; null: now.", null=True),
        Column("stage", pl.UInt16, "First stage that rests on it; the first stage where none names it.", "stages"),
        _ORIGIN,
    ),
    "{name}",
)

POWER_LEVELS = Table(
    "power_levels",
    "A level of the power tree: devices of one kind and rating.",
    ("kind", "number"),
    (
        Column("level", pl.UInt8, "Row number: from 0 at the sources down."),
        Column("kind", pl.String, "Kind in the spec: substation, transformer, ups, busway and so on."),
        Column("number", pl.UInt8, "Number among the levels of its kind, from 1 at the sources down."),
        Column("plate_va", pl.Float64, "Rating on the plate of one device: VA, or W where it is real power."),
        Column("apparent", pl.Boolean, "Whether the plate tells apparent power."),
        Column("rating_w", pl.UInt64, "Power that one may carry all day, derating and power factor applied."),
        Column("redundancy", pl.String, "N, N+1, 2N or 4N/3."),
        _ORIGIN,
    ),
    "{kind}-{number}",
)

POWER_NODES = Table(
    "power_nodes",
    "A device of the power tree. Devices of one pool share a bus and its load; a pool of one is a device alone.",
    ("level", "side", "hall", "row", "index"),
    (
        Column("power_node", pl.UInt32, "Row number."),
        Column("level", pl.UInt8, "Its level.", "power_levels"),
        Column("kind", pl.String, "Kind in the spec: substation, transformer, ups, busway and so on.", derived=True),
        Column("side", pl.String, "A or B; empty where one device serves both sides."),
        Column("hall", pl.UInt16, "Hall it stands in; null for the whole site.", "halls", null=True),
        Column("row", pl.UInt32, "Row it stands at; null for a whole hall.", "rows", null=True),
        Column("index", pl.UInt32, "Index among the devices of its kind, side and place, from 1."),
        Column("pool", pl.UInt32, "Pool it belongs to.", "pools"),
        Column("supply", pl.UInt32, "Pool above that feeds it; null at the top.", "pools", null=True),
        Column("rating_w", pl.UInt64, "Power it may carry all day, derating and power factor applied."),
        Column("load_w", pl.Float64, "Power through it in normal running, every stage built."),
        _STAGE,
        _ORIGIN,
    ),
    "{row|hall|'site'}-{kind}-{side}{index:02}",
)

POOLS = Table(
    "pools",
    "Devices of one level of the power tree that share a bus and its load, numbered through all levels.",
    ("first",),
    (
        Column("pool", pl.UInt32, "Row number."),
        Column("level", pl.UInt8, "Level of its devices.", "power_levels", derived=True),
        Column("first", pl.UInt32, "Its first device, which names it.", "power_nodes"),
    ),
    "{first}",
)

FEEDS = Table(
    "feeds",
    "One side of a rack's supply: circuits of one breaker size from one pool of the lowest level.",
    ("rack", "side"),
    (
        Column("feed", pl.UInt32, "Row number."),
        Column("rack", pl.UInt32, "The rack.", "racks"),
        Column("side", pl.String, "A or B."),
        Column("pool", pl.UInt32, "Pool of the lowest level that feeds it.", "pools"),
        Column("panel", pl.UInt32, "Device of that pool whose breakers it uses.", "power_nodes"),
        Column("breaker", pl.UInt16, "First breaker position on the panel, from 1."),
        Column("circuits", pl.UInt8, "Circuits, alike."),
        Column("breaker_a", pl.Float64, "Rating of each breaker, amperes."),
        Column(
            "phase",
            pl.String,
            "Phases of its circuits: L1-L2-L3 of a three-phase one; L1 or, with two circuits, L3-L1 of single-phase.",
        ),
        Column("capacity_w", pl.UInt64, "Power all circuits carry all day."),
        Column("load_w", pl.UInt32, "Power when the other side is down: all the rack draws."),
        _STAGE,
        _ORIGIN,
    ),
    "{rack}-{side}",
)

BATTERIES = Table(
    "batteries",
    "A bank of batteries.",
    ("name", "bank"),
    (
        Column("battery", pl.UInt32, "Row number."),
        Column("name", pl.String, "Name in the spec."),
        Column("bank", pl.UInt16, "Number of the bank, from 1."),
        Column("product", pl.String, "Catalogue slug of its units.", hardware=True),
        Column("level", pl.UInt8, "Level of the power tree it is attached to.", "power_levels"),
        Column("units", pl.UInt32, "Units."),
        Column("power_w", pl.UInt64, "Power of all units."),
        Column("energy_wh", pl.UInt64, "Energy of all units from full to empty."),
        Column(
            "binding", pl.String, "What its size follows from: units, power, ride-through, hold, swing, step or spare."
        ),
        Column("x_m", pl.Float64, "South-west corner of its pad, metres east of the site's origin."),
        Column("y_m", pl.Float64, "Likewise, metres north."),
        Column("length_m", pl.Float64, "Pad from west to east, spacing included."),
        Column("width_m", pl.Float64, "Pad from south to north, spacing included."),
        Column("stage", pl.UInt16, "First stage that needs it in service; the last stage where none does.", "stages"),
        _ORIGIN,
    ),
    "{name}-{bank}",
)

BANK_SIZINGS = Table(
    "bank_sizings",
    "An entry of batteries in the spec, and what its banks share: the load behind them, and the swing of that load.",
    ("name",),
    (
        Column("bank_sizing", pl.UInt16, "Row number."),
        Column("name", pl.String, "Name in the spec."),
        Column("load_w", pl.Float64, "Load that all its banks carry together."),
        Column("swing_w", pl.Float64, "Height of the training load's square wave; null: no workload given.", null=True),
        Column(
            "bank_swing_w",
            pl.Float64,
            "What storage in the racks leaves of it to the banks; null: no workload given.",
            null=True,
        ),
        Column("in_rack_j", pl.Float64, "Energy of that storage, joules; null: no workload given.", null=True),
        Column("spare_units", pl.UInt32, "Units of all banks beyond the need: one per bank with N+1."),
        _ORIGIN,
    ),
    "{name}",
)

BANK_NEEDS = Table(
    "bank_needs",
    "A reason for the size of an entry's banks; the largest need decides, unless the spec gives a size.",
    ("name", "need"),
    (
        Column("bank_need", pl.UInt16, "Row number."),
        Column("name", pl.String, "Name of the entry in the spec."),
        Column("need", pl.String, "power, ride-through, hold, swing or step: as `binding` in the table of batteries."),
        Column("power_w", pl.Float64, "Power that it takes."),
        Column("energy_wh", pl.Float64, "Energy that it takes at the banks' terminals."),
        Column("window", pl.Float64, "Share of a unit's energy that may be used for it."),
        Column("units", pl.UInt32, "Units that meet it; null: no number does, as the window is empty.", null=True),
        _ORIGIN,
    ),
    "{name}-{need}",
)

CELLS = Table(
    "cells",
    "A Kubernetes cluster with a control plane of its own, over whole units.",
    ("name",),
    (
        Column("cell", pl.UInt32, "Row number."),
        Column("name", pl.String, "Pool and number."),
        Column("pool", pl.String, "Pool of the spec, or the group that has cells of its own."),
        Column("index", pl.UInt32, "Number in the pool, from 1."),
        Column(
            "number", pl.UInt32, "Number in the site by the stage that begins it, from 1; its addresses follow from it."
        ),
        Column("units", pl.UInt32, "Scalable units in it."),
        Column("nodes", pl.UInt32, "Nodes in it."),
        Column("gpus", pl.UInt32, "GPUs in it."),
        _STAGE,
        _ORIGIN,
    ),
    "{name}",
)

ORIGINS = Table(
    "origins",
    "The spec path behind a row; stored beside the tables, in memory `plan.origins`.",
    ("path",),
    (
        Column("origin", pl.UInt16, "Row number; the `origin` columns point here."),
        Column("path", pl.String, "JSON Pointer (RFC 6901) into the spec, such as /compute/0."),
    ),
    "{path}",
)

TABLES = (
    HALLS,
    ROWS,
    GROUPS,
    UNITS,
    RACKS,
    NODES,
    GPUS,
    NICS,
    NVLINK_DOMAINS,
    NVLINK_LINKS,
    FABRICS,
    TIERS,
    LOCALITIES,
    SWITCHES,
    APPLIANCES,
    CABLES,
    STAGES,
    SOURCES,
    POWER_LEVELS,
    POWER_NODES,
    POOLS,
    FEEDS,
    BATTERIES,
    BANK_SIZINGS,
    BANK_NEEDS,
    CELLS,
)
BY_NAME = {table.name: table for table in (*TABLES, ORIGINS)}
