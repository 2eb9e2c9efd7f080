"""Kinds of racks: racks that look alike from the front, whatever their names."""

from dataclasses import dataclass
from hashlib import sha256

import polars as pl

from topology.plan import Plan


@dataclass(frozen=True, slots=True)
class RackBox:
    """Something that takes rack units; the lowest of them is `u`, from 1."""

    role: str  # node, part, leaf, spine, core, appliance, or empty for a slot whose node is left out
    u: int
    height_u: int
    label: str
    tip: str


@dataclass(frozen=True, slots=True)
class Feed:
    """One side of the supply."""

    side: str
    circuits: int
    breaker_a: float
    capacity_w: int
    load_w: int


@dataclass(frozen=True, slots=True)
class RackKind:
    """What every rack of a kind has in common."""

    key: str  # the same for the same look, in any plan
    title: str
    height_u: int
    power_w: int
    weight_kg: float | None
    boxes: tuple[RackBox, ...]  # bottom up
    feeds: tuple[Feed, ...]  # A, then B; none without a power tree


def with_kinds(plan: Plan) -> pl.DataFrame:
    """The table of racks with a column `kind`, text that is equal where racks look alike."""
    content = (
        _boxes(plan)
        .group_by("rack", maintain_order=True)
        .agg(boxes=pl.format("{}:{}:{}", "u", "product", "what").str.join(";"))
    )
    missing = (
        _empty_slots(plan)
        .group_by("rack", maintain_order=True)
        .agg(missing=pl.col("slot").cast(pl.String).str.join(","))
    )
    feed = pl.format("{}:{}:{}:{}", "side", "circuits", "breaker_a", "load_w")
    feeds = plan.feeds.sort("rack", "side").group_by("rack", maintain_order=True).agg(feeds=feed.str.join(";"))
    racks = plan.racks
    for frame in (content, missing, feeds):
        racks = racks.join(frame, on="rack", how="left", maintain_order="left")
    parts = ("role", "design", "boxes", "missing", "feeds", "height_u", "power_w", "weight_kg")
    texts = [pl.col(part).cast(pl.String).fill_null("") for part in parts]
    return racks.with_columns(kind=pl.concat_str(texts, separator="|")).drop("boxes", "missing", "feeds")


def kinds(plan: Plan, racks: pl.DataFrame) -> dict[str, RackKind]:
    """The kinds of `racks`, as `with_kinds` gives them, by the text in their column."""
    samples = racks.unique("kind", keep="first", maintain_order=True)
    chosen = samples["rack"].implode()
    stored = _boxes(plan, chosen).partition_by("rack", as_dict=True)
    missing = _empty_slots(plan, chosen).partition_by("rack", as_dict=True)
    fed = plan.feeds.filter(pl.col("rack").is_in(chosen)).sort("rack", "side").partition_by("rack", as_dict=True)
    made = {}
    for row in samples.iter_rows(named=True):
        rack = (row["rack"],)
        slots = set(missing[rack]["slot"]) if rack in missing else set()
        compute = row["role"] == "compute"
        boxes = _design_boxes(plan, row["design"], slots) if compute else _network_boxes(plan, stored[rack])
        digest = sha256(row["kind"].encode()).hexdigest()[:8]
        made[row["kind"]] = RackKind(
            key=f"{row['design'] or 'network'}-{digest}",
            title=row["design"] or _network_title(boxes),
            height_u=row["height_u"],
            power_w=row["power_w"],
            weight_kg=row["weight_kg"],
            boxes=boxes,
            feeds=tuple(
                Feed(feed["side"], feed["circuits"], feed["breaker_a"], feed["capacity_w"], feed["load_w"])
                for feed in (fed[rack].iter_rows(named=True) if rack in fed else ())
            ),
        )
    return made


def _boxes(plan: Plan, racks: pl.Series | None = None) -> pl.DataFrame:
    """Switches and appliances of racks, bottom up: rack, u, product, fabric, what."""
    fabrics = plan.fabrics.select("fabric", fabric_name="name", product="switch")
    switches, appliances = plan.switches, plan.appliances
    if racks is not None:
        switches = switches.filter(pl.col("rack").is_in(racks))
        appliances = appliances.filter(pl.col("rack").is_in(racks))
    columns = ["rack", "u", "product", "what"]
    seen = switches.join(fabrics, on="fabric").with_columns(what=pl.format("{} {}", "fabric_name", "tier"))
    others = appliances.join(fabrics.drop("product"), on="fabric").with_columns(
        what=pl.format("{} appliance", "fabric_name")
    )
    return pl.concat([seen.select(columns), others.select(columns)]).sort("rack", "u")


def _empty_slots(plan: Plan, racks: pl.Series | None = None) -> pl.DataFrame:
    """Slots of racks that the design has and the plan leaves empty: rack, slot."""
    slots = {
        slug: plan.catalog.racks[slug].nodes for (slug,) in plan.racks.select("design").unique().iter_rows() if slug
    }
    have = plan.nodes.group_by("rack").agg(have=pl.len())
    short = (
        plan.racks.filter(pl.col("design") != "")
        .select("rack", slots=pl.col("design").replace_strict(slots, default=0, return_dtype=pl.UInt8))
        .join(have, on="rack", how="left")
        .filter(pl.col("have").fill_null(0) < pl.col("slots"))
    )
    if racks is not None:
        short = short.filter(pl.col("rack").is_in(racks))
    every = short.select("rack", slot=pl.int_ranges(1, pl.col("slots").cast(pl.Int64) + 1, dtype=pl.UInt8)).explode(
        "slot"
    )
    return every.join(plan.nodes.select("rack", "slot"), on=["rack", "slot"], how="anti").sort("rack", "slot")


def _design_boxes(plan: Plan, slug: str, empty: set[int]) -> tuple[RackBox, ...]:
    """Nodes and then the other parts of a rack design, stacked bottom up.

    The catalogue counts them and gives their heights, not their rack units: those are the maker's.
    """
    design = plan.catalog.racks[slug]
    node = plan.catalog.nodes[design.node]
    made, u = [], 1
    for slot in range(1, design.nodes + 1):
        there = slot not in empty
        words = f"slot {slot} · {node.model}" if there else f"slot {slot} · left out"
        tip = f"{words}, {node.height_u} U, {node.power_max_w / 1000:g} kW at most" if there else words
        made.append(RackBox("node" if there else "empty", u, node.height_u, words, tip))
        u += node.height_u
    for part in design.parts:
        for number in range(1, part.count + 1):
            made.append(RackBox("part", u, part.height_u, part.model, f"{part.model}, {number} of {part.count}"))
            u += part.height_u
    return tuple(box for box in made if box.height_u)


def _network_boxes(plan: Plan, stored: pl.DataFrame) -> tuple[RackBox, ...]:
    made = []
    for u, slug, what in stored.select("u", "product", "what").iter_rows():
        tier = what.rpartition(" ")[2]
        product = plan.catalog.appliances[slug] if tier == "appliance" else plan.catalog.switches[slug]
        tip = f"{what}: {product.manufacturer} {product.model}, U{u}, {product.power_max_w / 1000:g} kW at most"
        made.append(RackBox(tier, u, product.height_u, f"{what} · {slug}", tip))
    return tuple(made)


def _network_title(boxes: tuple[RackBox, ...]) -> str:
    count = len(boxes)
    return f"network rack, {count} {'box' if count == 1 else 'boxes'}"
