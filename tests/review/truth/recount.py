"""What a change does to a site, counted from the tables of two builds by nothing but the names and places in them.

Knows Parquet only, nothing of the program that wrote it. A rack is its place, a node its rack and slot, a switch its
label, a cable its two plugs, a feed its rack and side, a device of the power tree its place, kind, side and index. What
is one thing on both sides and another product now is replaced.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import polars as pl

Renamed = Mapping[str, str]  # new names by old ones
PLUGS = ["a", "a_port", "b", "b_port"]


@dataclass(frozen=True)
class Known:
    """What the author of a change knows of it; see `changes.Change`."""

    halls: Renamed = field(default_factory=dict)
    groups: Renamed = field(default_factory=dict)
    carried: bool = False
    by_place: bool = False


@dataclass(frozen=True)
class Tables:
    """The tables of a build, with what tells a row from another in words; of no build, without rows."""

    folder: Path | None
    like: Path  # a build that has the same tables
    known: Known
    old: bool  # whether its names are old ones
    shared: frozenset[str] = frozenset()  # places at which either side has a switch of one fabric and tier

    def read(self, name: str) -> pl.DataFrame:
        """A table, without rows where there is no build."""
        frame = pl.read_parquet((self.folder or self.like) / "tables" / f"{name}.parquet")
        words = [column for column, kind in frame.schema.items() if isinstance(kind, pl.Enum)]
        frame = frame.with_columns(pl.col(words).cast(pl.String))
        return frame if self.folder else frame.clear()

    @cached_property
    def halls(self) -> pl.DataFrame:
        """Rows hall, place: its name today."""
        place = pl.col("name").replace(self.known.halls) if self.old else pl.col("name")
        return self.read("halls").select("hall", place=place)

    @cached_property
    def rows(self) -> pl.DataFrame:
        """Rows row, place: hall and number."""
        rows = self.read("rows").select("row", "hall", "number").join(self.halls, on="hall", maintain_order="left")
        return rows.select("row", place=pl.format("{}/{}", "place", "number"))

    @cached_property
    def racks(self) -> pl.DataFrame:
        """All racks with `place`, and `key`: the place, or the unit and the number there where racks are carried."""
        racks = self.read("racks").join(self.rows.rename({"place": "at"}), on="row", maintain_order="left")
        racks = racks.with_columns(place=pl.format("{}/{}", "at", "position"))
        group = self.read("groups").select("group", group_name=self._spelled("name"))
        units = self.read("units").select("unit", unit_number="number")
        racks = racks.join(group, on="group", how="left", maintain_order="left")
        stages = self.read("stages").select("stage", built="name")
        racks = racks.join(stages, on="stage", how="left", maintain_order="left")
        racks = racks.join(units, on="unit", how="left", maintain_order="left")
        turn = pl.col("rack").rank("ordinal").over("unit")
        carried = pl.format("{}/{}/{}", "group_name", "unit_number", turn)
        return racks.with_columns(key=pl.coalesce(carried, "place") if self.known.carried else pl.col("place"))

    def _spelled(self, column: str) -> pl.Expr:
        return pl.col(column).replace(self.known.groups) if self.old else pl.col(column)

    @cached_property
    def nodes(self) -> pl.DataFrame:
        """Rows node, name, key, place, product, gpus, cell."""
        racks = self.racks.select("rack", rack_key="key", at="place")
        gpus = self.read("gpus").group_by("node").agg(gpus=pl.len())
        cells = self.cells.select("cell", cell_name="key")
        units = self.read("units").select("unit", "cell").join(cells, on="cell", how="left")
        nodes = self.read("nodes").join(racks, on="rack").join(gpus, on="node", how="left").join(units, on="unit")
        key, place = pl.format("{}/{}", "rack_key", "slot"), pl.format("{}/{}", "at", "slot")
        return nodes.select(
            "node", "name", "product", pl.col("gpus").fill_null(0), cell="cell_name", key=key, place=place
        ).sort("node")

    @cached_property
    def cells(self) -> pl.DataFrame:
        """Rows cell, key: pool and number; a pool without a name of its own is called after its group."""
        pool = pl.col("pool").replace(self.known.groups) if self.old else pl.col("pool")
        return self.read("cells").select("cell", key=pl.format("{} {}", pool, "index"))

    @cached_property
    def switches(self) -> pl.DataFrame:
        """Rows switch, key, place, product."""
        fabrics = self.read("fabrics").select("fabric", fabric_name="name", product="switch")
        racks = self.racks.select("rack", at="place")
        switches = self.read("switches").join(fabrics, on="fabric").join(racks, on="rack")
        place = pl.format("{} {} {} U{}", "fabric_name", "tier", "at", "u")
        named = pl.when(place.is_in(self.shared)).then(place).otherwise("name")
        return switches.select("switch", "name", "product", key=named, place=place).sort("switch")

    @cached_property
    def appliances(self) -> pl.DataFrame:
        """Rows appliance, key, place, product."""
        racks = self.racks.select("rack", at="place")
        return (
            self.read("appliances")
            .join(racks, on="rack")
            .select("appliance", "product", key="name", place=pl.format("{} U{}", "at", "u"))
            .sort("appliance")
        )

    @cached_property
    def devices(self) -> pl.DataFrame:
        """Rows key, place, product: whatever a cable may end at."""
        every = (self.nodes, self.switches, self.appliances)
        return pl.concat([frame.select("key", "place", "product") for frame in every])

    @cached_property
    def cables(self) -> pl.DataFrame:
        """Rows fabric, hop, a, a_port, b, b_port, rate: keys of devices, and ports in words."""
        cards = self.read("nics").join(self.nodes.select("node", "key"), on="node", maintain_order="left")
        ends = pl.concat(
            [
                cards.select(table=pl.lit("nics"), at="nic", a="key", card=pl.format("{}{}", "role", "index")),
                self.switches.select(table=pl.lit("switches"), at="switch", a="key", card=pl.lit("")),
                self.appliances.select(table=pl.lit("appliances"), at="appliance", a="key", card=pl.lit("")),
            ]
        )
        fabrics = self.read("fabrics").select("fabric", fabric_name="name")
        cables = self.read("cables").rename({"a_table": "table", "a": "at"})
        cables = cables.join(ends, on=["table", "at"]).join(fabrics, on="fabric")
        cables = cables.join(self.switches.select(b="switch", b_key="key"), on="b")
        return cables.select(
            "hop",
            "a",
            fabric="fabric_name",
            a_port=pl.format("{} {}/{}", "card", "a_cage", "a_port"),
            b="b_key",
            b_port=pl.format("{}/{}", "b_cage", "b_port"),
            rate="rate_gbps",
        )

    @cached_property
    def power(self) -> pl.DataFrame:
        """Rows power_node, kind, key, rating_w: devices of the power tree."""
        devices = self.read("power_nodes").join(self.rows.rename({"place": "of_row"}), on="row", how="left")
        devices = devices.join(self.halls.rename({"place": "of_hall"}), on="hall", how="left")
        where = pl.coalesce("of_row", "of_hall", pl.lit("site"))
        key = pl.format("{} {} {}{}", where, "kind", "side", "index")
        return devices.select("power_node", "kind", "rating_w", "level", key=key)

    @cached_property
    def feeds(self) -> pl.DataFrame:
        """Rows key, rack, side, panel, breaker."""
        racks = self.racks.select("rack", rack_key="key")
        panels = self.power.select(panel="power_node", panel_key="key")
        feeds = self.read("feeds").join(racks, on="rack").join(panels, on="panel")
        return feeds.select(
            "side", "breaker", "circuits", "breaker_a", key=pl.format("{}-{}", "rack_key", "side"), rack="rack_key",
            panel="panel_key",
        )  # fmt: skip


def recount(base: Path | None, head: Path | None, known: Known) -> dict[str, int]:
    """How many of each happen between two builds, one of which may be none."""
    like = base or head
    assert like is not None
    old, new = Tables(base, like, known, old=True), Tables(head, like, known, old=False)
    if known.by_place:
        shared = frozenset(old.switches["place"]) & frozenset(new.switches["place"])
        leaves = frozenset(place for place in shared if " leaf " in place)
        ways = [(replace(old, shared=places), replace(new, shared=places)) for places in (frozenset(), shared, leaves)]
        old, new = min(ways, key=lambda way: _effort(_cabling(*way)))
    return {
        **_site(old, new),
        **_cabling(old, new),
        **_power(old, new),
        **_scheduling(old, new),
    }


def _effort(cabling: Mapping[str, int]) -> tuple[int, int]:
    """Cables that hands have to touch, and those of them that go to another port."""
    touched = ("new", "removed", "taken out", "relaid", "replugged")
    return sum(cabling[f"cables {word}"] for word in touched), cabling["cables replugged"]


def _pair(old: pl.DataFrame, new: pl.DataFrame, *columns: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Rows that only the new side has, rows that only the old has, and the pairs, columns of the new as `now_…`."""
    assert old["key"].n_unique() == old.height
    assert new["key"].n_unique() == new.height
    added, removed = new.join(old, on="key", how="anti"), old.join(new, on="key", how="anti")
    both = old.join(new.select("key", **{f"now_{name}": name for name in columns}), on="key")
    return added, removed, both


def _other(column: str) -> pl.Expr:
    return pl.col(column).ne_missing(pl.col(f"now_{column}"))


def _site(old: Tables, new: Tables) -> dict[str, int]:
    nodes = _pair(old.nodes, new.nodes, "product", "place", "gpus")
    racks = _pair(old.racks, new.racks, "design", "place", "power_w", "role", "built")
    swapped = nodes[2].filter(_other("product"))
    switches = _pair(old.switches, new.switches, "product", "place")
    appliances = _pair(old.appliances, new.appliances, "product")
    return {
        "gpus before": old.read("gpus").height,
        "gpus after": new.read("gpus").height,
        "gpus added": int(nodes[0]["gpus"].sum()),
        "gpus removed": int(nodes[1]["gpus"].sum()),
        "gpus replaced": int(swapped["gpus"].sum()),
        "nodes before": old.nodes.height,
        "nodes after": new.nodes.height,
        "nodes added": nodes[0].height,
        "nodes removed": nodes[1].height,
        "nodes replaced": swapped.height,
        "racks before": old.racks.height,
        "racks after": new.racks.height,
        "racks added": racks[0].height,
        "racks removed": racks[1].height,
        "racks replaced": racks[2].filter(_other("design") | _other("role")).height,
        "racks moved": racks[2].filter(_other("place")).height,
        "racks built in another stage": racks[2].filter(_other("built")).height,
        "compute racks before": old.racks.filter(pl.col("role") == "compute").height,
        "compute racks after": new.racks.filter(pl.col("role") == "compute").height,
        "racks with other power": racks[2].filter(_other("power_w")).height,
        "switches before": old.switches.height,
        "switches after": new.switches.height,
        "switches added": switches[0].height,
        "switches removed": switches[1].height,
        "switches replaced": switches[2].filter(_other("product")).height,
        "switches moved": switches[2].filter(_other("place")).height,
        "appliances added": appliances[0].height,
        "appliances removed": appliances[1].height,
        "appliances replaced": appliances[2].filter(_other("product")).height,
    }


def _cabling(old: Tables, new: Tables) -> dict[str, int]:
    """Cables by what happens to them; each is in one line, those at another rate aside.

    A cable is what it was where a plug of it stays in its port: the plug nearer the nodes first, wherever the other
    goes, then that at the upper switch, where the devices at the other end stay.
    """
    _, _, both = _pair(old.devices, new.devices, "product", "place")
    here = both["key"]
    replaced, moved = both.filter(_other("product"))["key"], both.filter(_other("place"))["key"]
    was, now = old.cables, new.cables.rename({name: f"now_{name}" for name in (*PLUGS, "rate")})
    pairs = []
    for held in (PLUGS, PLUGS[:2], PLUGS[2:]):
        there, come = was, now
        if held == PLUGS[2:]:
            there, come = (side.filter(pl.col(end).is_in(here.implode())) for side, end in ((was, "a"), (now, "now_a")))
        found = there.join(come, left_on=held, right_on=[f"now_{name}" for name in held], coalesce=False)
        pairs.append(found.select(*PLUGS, "rate", *(f"now_{name}" for name in (*PLUGS, "rate"))))
        was = was.join(found, on=PLUGS, how="anti")
        now = now.join(found, on=[f"now_{name}" for name in PLUGS], how="anti")
    kept = pl.concat(pairs)
    out = pl.any_horizontal(pl.col(end).is_in(replaced.implode()) for end in ("a", "b"))
    away = pl.any_horizontal(pl.col(end).is_in(moved.implode()) for end in ("now_a", "now_b"))
    other = pl.any_horizontal(_other(name) for name in PLUGS)
    return {
        "cables before": old.cables.height,
        "cables after": new.cables.height,
        "cables untouched": kept.filter(~out & ~away & ~other).height,
        "cables taken out": kept.filter(out).height,
        "cables relaid": kept.filter(~out & away).height,
        "cables replugged": kept.filter(~out & ~away & other).height,
        "cables new": now.height,
        "cables removed": was.height,
        "cables removed with a device": was.filter(
            ~(pl.col("a").is_in(here.implode()) & pl.col("b").is_in(here.implode()))
        ).height,
        "cables rerated": kept.filter(_other("rate")).height,
    }


def _power(old: Tables, new: Tables) -> dict[str, int]:
    added, removed, both = _pair(old.power, new.power, "rating_w")
    feeds = _pair(old.feeds, new.feeds, "panel", "breaker", "circuits", "breaker_a")
    racks = set(old.racks["key"]) & set(new.racks["key"])
    here = pl.col("rack").is_in(racks)
    return {
        "power devices before": old.power.height,
        "power devices after": new.power.height,
        "power devices added": added.height,
        "power devices removed": removed.height,
        "power devices with another rating": both.filter(_other("rating_w")).height,
        "feeds before": old.feeds.height,
        "feeds after": new.feeds.height,
        "feeds added": feeds[0].height,
        "feeds added to racks that stay": feeds[0].filter(here).height,
        "feeds removed": feeds[1].height,
        "feeds removed from racks that stay": feeds[1].filter(here).height,
        "feeds from another panel": feeds[2].filter(_other("panel")).height,
        "feeds on another breaker": feeds[2].filter(~_other("panel") & _other("breaker")).height,
        "feeds with other circuits": feeds[2].filter(_other("circuits") | _other("breaker_a")).height,
        **_batteries(old, new),
    }


def _batteries(old: Tables, new: Tables) -> dict[str, int]:
    key = pl.format("{}-{}", "name", "bank")
    banks = [tables.read("batteries").select("units", "product", "power_w", key=key) for tables in (old, new)]
    added, removed, both = _pair(*banks, "units", "product")
    return {
        "banks before": banks[0].height,
        "banks after": banks[1].height,
        "banks added": added.height,
        "banks removed": removed.height,
        "banks replaced": both.filter(_other("product")).height,
        "battery units before": int(banks[0]["units"].sum()),
        "battery units after": int(banks[1]["units"].sum()),
    }


def _scheduling(old: Tables, new: Tables) -> dict[str, int]:
    before, after = set(old.nodes["name"]), set(new.nodes["name"])
    cells = [tables.cells for tables in (old, new)]
    added, removed, _ = _pair(*cells)
    _, _, nodes = _pair(old.nodes, new.nodes, "cell", "name")
    left = nodes.filter(_other("cell") & pl.col("cell").is_not_null())
    stages = [tables.read("stages").select("gpus", "nodes", "it_w", key="name") for tables in (old, new)]
    arrived, gone, kept = _pair(*stages, "gpus", "nodes", "it_w")
    last = [frame["it_w"][-1] if frame.height else 0 for frame in stages]
    return {
        "node names come": len(after - before),
        "node names go": len(before - after),
        "nodes under another name": nodes.filter(_other("name")).height,
        "cells before": cells[0].height,
        "cells after": cells[1].height,
        "cells added": added.height,
        "cells removed": removed.height,
        "nodes in another cell": left.height,
        "stages added": arrived.height,
        "stages removed": gone.height,
        "stages with other GPUs": kept.filter(_other("gpus")).height,
        "watts of IT before": last[0],
        "watts of IT after": last[1],
    }
