"""What a reviewer wants to know of each resource of a stage: a query per fact, for all resources at once."""

from collections.abc import Iterator

import polars as pl

from topology.views.record_tables import Records

COUNTED = ("racks", "nodes", "switches", "appliances", "cables", "feeds", "power_nodes", "sources")
RACKS_NAMED = 8  # of a pod; the rest is counted

Facts = dict[str, str | float]


def counts(whole: Records) -> dict[str, dict[str, int]]:
    """Records of each owner by table, and its GPUs."""
    found: dict[str, dict[str, int]] = {}
    for table in COUNTED:
        for owner, count in whole[table].group_by("owner").len().iter_rows():
            found.setdefault(owner, {})[table] = count
    for owner, gpus in whole["nodes"].group_by("owner").agg(pl.col("gpus").sum()).iter_rows():
        found[owner]["gpus"] = gpus
    return found


def facts(whole: Records) -> dict[str, Facts]:
    """Facts of each owner, by its name."""
    found: dict[str, Facts] = {}
    for word, frame in _queries(whole):
        for owner, value in frame.iter_rows():
            found.setdefault(owner, {})[word] = value
    return found


def _queries(whole: Records) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name of a fact, and a frame of owners and values; facts of one owner in the order in which they are read."""
    units = whole["racks"].filter(pl.col("owner").str.starts_with("unit-")).group_by("owner")
    yield "racks", units.agg(value=pl.format("{} to {}", pl.col("name").first(), pl.col("name").last()))
    yield "design", units.agg(value=pl.col("design").unique().sort().str.join(", "))
    yield "hall", units.agg(value=pl.col("hall").unique().sort().str.join(", "))
    yield "nvlink_domains", whole["nodes"].group_by("owner").agg(value=pl.col("domain").n_unique())
    yield "power_kw", units.agg(value=(pl.col("power_w").sum() / 1e3).round(3))
    yield "switches", _listed(whole["switches"], ("tier", "product"), "{} {} {}")
    others = pl.col("owner").str.starts_with("unit-").not_()
    yield "cables", _listed(whole["cables"], ("hop", "rate_gbps"), "{} {} at {}G").filter(others)
    racks = whole["racks"].filter(others).group_by("owner", maintain_order=True)
    yield "racks", racks.agg(value=pl.col("name").head(RACKS_NAMED).str.join(", "))
    devices = whole["power_nodes"].with_columns(kw=_kilowatts("rating_w"))
    yield "devices", _listed(devices, ("level", "kind", "rating_w", "kw"), "{} {} of {} kW", shown=("kind", "kw"))
    sources = pl.format("{} {} MW", "name", _short(pl.col("capacity_w") / 1e6))
    yield "sources", whole["sources"].group_by("owner", maintain_order=True).agg(value=sources.str.join(", "))
    banks = whole["batteries"]
    yield "product", banks.select("owner", value="product")
    yield "units", banks.select("owner", value="units")
    yield "power_mw", banks.select("owner", value=(pl.col("power_w") / 1e6).round(3))
    yield "energy_mwh", banks.select("owner", value=(pl.col("energy_wh") / 1e6).round(3))


def _listed(frame: pl.DataFrame, by: tuple[str, ...], words: str, shown: tuple[str, ...] = ()) -> pl.DataFrame:
    """Owners and their rows counted by some columns, in the order of these columns, as one text."""
    counted = frame.group_by("owner", *by).len().with_columns(pl.col("owner").cast(pl.String)).sort("owner", *by)
    each = pl.format(words, "len", *(shown or by))
    return counted.group_by("owner", maintain_order=True).agg(value=each.str.join(", "))


def _kilowatts(column: str) -> pl.Expr:
    return _short(pl.col(column) / 1e3)


def _short(number: pl.Expr) -> pl.Expr:
    """A number to three decimals without zeros at its end."""
    return number.round(3).cast(pl.String).str.strip_suffix(".0")
