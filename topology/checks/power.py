"""Rules of the power tree: nothing overloaded, nothing lost to one failure, supply for every stage."""

import polars as pl

from topology.checks import check, nothing
from topology.findings import Severity
from topology.plan import Plan, names
from topology.plan.tables import PHASES
from topology.spec.model import MOST_CIRCUITS
from topology.views import failures, supply
from topology.views.phases import on_phase_w

_TREE = "the breakers of an overloaded device open, and everything below it is dark"
_PHASES = 0.10  # of the mean of a panel's phases; common practice for panel schedules, unverified


def _kw(watts: pl.Expr) -> pl.Expr:
    return (watts / 1000).round(1).cast(pl.String).str.strip_suffix(".0")


def _pools(plan: Plan) -> pl.DataFrame:
    """One row per pool with the name of its first device, its kind and its redundancy."""
    levels = plan.spec.power.levels if plan.spec.power else ()
    redundancy = pl.Series([level.redundancy for level in levels], dtype=pl.String)
    named = plan.power_nodes.with_columns(example=names.labels(plan, "power_nodes"))
    return (
        named.group_by("pool", maintain_order=True)
        .agg(
            pl.col("level", "kind", "origin", "rating_w", "example").first(),
            load_w=pl.col("load_w").sum(),
            devices=pl.len(),
        )
        .with_columns(redundancy=pl.lit(redundancy).gather("level"))
        if plan.power_nodes.height
        else pl.DataFrame()
    )


@check("P201", "no device carries more than its rating in normal running", _TREE)
def devices_carry_their_load(plan: Plan) -> pl.DataFrame:
    """Pools whose load, as the feeds give it, is above what their devices carry."""
    if not plan.feeds.height:
        return nothing()
    found = failures.paths(plan)
    load = pl.DataFrame({"pool": range(len(found.devices)), "now_w": failures.normal_w(found)})
    pools = _pools(plan).join(load.cast({"pool": pl.UInt32}), on="pool", maintain_order="left")
    over = pools.filter(pl.col("now_w") > pl.col("rating_w") * pl.col("devices") * failures.TOLERANCE)
    figures = "example", _kw(pl.col("now_w")), _kw(pl.col("rating_w") * pl.col("devices"))
    return over.select(
        "origin",
        "example",
        message=pl.when(pl.col("devices") == 1)
        .then(pl.format("{} carries {} kW in normal running; it is rated {} kW", *figures))
        .otherwise(
            pl.format("{} and the others on its bus carry {} kW in normal running; they are rated {} kW", *figures)
        ),
        help=pl.lit("raise the rating of the level, or move racks to another device"),
    )


@check(
    "P202",
    "one failure takes no rack and overloads nothing, but at levels of redundancy N",
    "2N: each side carries all; N+1: one device may fail; 4N/3: three blocks carry the load of four",
    keys={"power": "redundancy"},
)
def one_failure_is_survived(plan: Plan) -> pl.DataFrame:
    """Pools of redundant levels whose failure loses racks or overloads a device."""
    if not plan.feeds.height or devices_carry_their_load(plan).height:  # P201 comes first
        return nothing()
    pools = _pools(plan)
    result = failures.single_failures(plan).with_columns(pl.col("pool").cast(pl.UInt32))
    result = result.with_columns(pl.col("lost_racks") - pl.col("on_one"))  # P203, P204 and P207 name those
    bad = result.filter((pl.col("lost_racks") > 0) | (pl.col("overloaded") > 0)).join(
        pools.filter(pl.col("redundancy") != "N").drop("level"), on="pool", maintain_order="left"
    )
    if not bad.height:
        return nothing()
    worst = pools.select(worst_pool="pool", worst="example")
    bad = bad.with_columns(pl.col("worst_pool").cast(pl.UInt32)).join(
        worst, on="worst_pool", how="left", maintain_order="left"
    )
    lost = pl.format("when {} fails, {} racks lose both feeds, {} kW", "example", "lost_racks", _kw(pl.col("lost_w")))
    over = pl.format(
        "when {} fails, {} inherits its load and is {} kW over its rating",
        "example", "worst", _kw(pl.col("over_w")),
    )  # fmt: skip
    own = pl.format(
        "when {} fails, the others on its bus are {} kW over their rating", "example", _kw(pl.col("over_w"))
    )
    return bad.select(
        "origin",
        "example",
        message=pl.when(pl.col("lost_racks") > 0)
        .then(lost)
        .when(pl.col("worst_pool") == pl.col("pool"))
        .then(own)
        .otherwise(over),
        help=pl.when(pl.col("lost_racks") > 0)
        .then(pl.lit("give each rack feeds of two different devices, or add one"))
        .otherwise(pl.format("take {} kW off it, or raise the rating of the level", _kw(pl.col("over_w")))),
    )


@check("P203", "every rack has a feed of each side", "a rack on one feed goes dark with it")
def racks_have_two_feeds(plan: Plan) -> pl.DataFrame:
    """Racks without an A feed or without a B feed."""
    if not plan.power_nodes.height or plan.spec.power is None or plan.spec.power.feed is None:
        return nothing()
    sides = plan.feeds.group_by("rack").agg(sides=pl.col("side").sort().str.join(""))
    racks = plan.racks.select("rack", "origin", example=names.labels(plan, "racks"))
    bad = racks.join(sides, on="rack", how="left", maintain_order="left").filter(pl.col("sides").fill_null("") != "AB")
    missing = (
        pl.when(pl.col("sides").is_null())
        .then(pl.lit("A and no B"))
        .when(pl.col("sides") == "A")
        .then(pl.lit("B"))
        .otherwise(pl.lit("A"))
    )
    return bad.select(
        "origin",
        "example",
        message=pl.format("rack {} has no {} feed", "example", missing),
        help=pl.lit("run a feed from the missing side's busway to the rack"),
    )


@check("P204", "the two feeds of a rack come from different devices", "what feeds both sides takes both with it")
def feeds_are_of_two_sides(plan: Plan) -> pl.DataFrame:
    """Racks whose feeds end on one pool of the lowest level."""
    same = (
        plan.feeds.group_by("rack", maintain_order=True)
        .agg(pl.col("pool").n_unique(), pl.col("panel").first(), pl.col("origin").first(), sides=pl.len())
        .filter((pl.col("pool") == 1) & (pl.col("sides") > 1))
    )
    if not same.height:
        return nothing()
    rack = names.labels(plan, "racks").gather(same["rack"])
    panel = names.labels(plan, "power_nodes").gather(same["panel"])
    return same.with_columns(example=rack, device=panel).select(
        "origin",
        "example",
        message=pl.format("both feeds of rack {} come from {}", "example", "device"),
        help=pl.lit("move one of them to a busway of the other side"),
    )


@check("P205", "a rack draws no more than one side's feed carries", "with one side down the other carries all of it")
def feeds_carry_their_rack(plan: Plan) -> pl.DataFrame:
    """Feeds whose circuits carry less than the rack's catalogue maximum."""
    over = plan.feeds.filter(pl.col("load_w") > pl.col("capacity_w"))
    if not over.height:
        return nothing()
    each_w = (pl.col("capacity_w") / pl.col("circuits")).clip(lower_bound=1.0)
    needed = (pl.col("load_w") / each_w).ceil().cast(pl.Int64)
    return over.with_columns(example=names.labels(plan, "racks").gather(over["rack"])).select(
        "origin",
        "example",
        message=pl.format(
            "rack {} draws up to {} kW; its {} feed of {} x {} A carries {} kW",
            "example", _kw(pl.col("load_w")), "side", "circuits",
            pl.col("breaker_a").cast(pl.String).str.strip_suffix(".0"), _kw(pl.col("capacity_w")),
        ),
        help=pl.when(needed <= MOST_CIRCUITS)
        .then(pl.format("write circuits: {} under power.feed, or larger breakers", needed))
        .otherwise(pl.lit("write larger breakers: amps under power.feed is the size of one circuit")),
    )  # fmt: skip


@check(
    "P206",
    "each phase of a panel is within 10 % of the mean of the three",
    "unbalanced phases load the neutral and waste the panel's rating",
    severity=Severity.WARNING,
)
def phases_are_balanced(plan: Plan) -> pl.DataFrame:
    """Panels of single-phase feeds with a phase more than 10 % from the mean of the three."""
    if plan.spec.power is None or plan.spec.power.feed is None or plan.spec.power.feed.phases != 1:
        return nothing()
    loads = plan.feeds.group_by("panel").agg(on_phase_w(phase).sum().alias(phase) for phase in PHASES)
    spread = loads.select(
        "panel", high=pl.max_horizontal(PHASES), low=pl.min_horizontal(PHASES), mean=pl.mean_horizontal(PHASES)
    )
    most = pl.max_horizontal(pl.col("high") - pl.col("mean"), pl.col("mean") - pl.col("low"))
    bad = spread.filter(most > _PHASES * pl.col("mean")).sort("panel")
    if not bad.height:
        return nothing()
    origins = plan.power_nodes["origin"].gather(bad["panel"])
    return bad.with_columns(example=names.labels(plan, "power_nodes").gather(bad["panel"]), origin=origins).select(
        "origin",
        "example",
        message=pl.format(
            "panel {} has {} kW on one phase and {} kW on another", "example", _kw(pl.col("high")), _kw(pl.col("low"))
        ),
        help=pl.lit("swap phases of neighbouring racks, or put a multiple of three racks on each panel"),
    )


@check("P207", "what feeds a rack is there", "a feed ends on a device")
def feeds_end_on_a_device(plan: Plan) -> pl.DataFrame:
    """Feeds whose pool, or a pool above it, has no device."""
    if not plan.feeds.height:
        return nothing()
    known = plan.power_nodes.select("level", "pool", "supply").unique("pool", maintain_order=True)
    for level in range(int(known["level"].max() or 0) + 1):  # type: ignore[arg-type]
        fed = pl.col("supply").is_in(known["pool"].to_list())
        known = known.filter((pl.col("level") != level) | fed | (level == 0))
    bad = plan.feeds.filter(~pl.col("pool").is_in(known["pool"].to_list()))
    if not bad.height:
        return nothing()
    return bad.with_columns(example=names.labels(plan, "racks").gather(bad["rack"])).select(
        "origin",
        "example",
        message=pl.format(
            "the {} feed of rack {} is dead: a device on its way to the source is missing", "side", "example"
        ),
        help=pl.lit("put the device back, or feed the rack from another one of that side"),
    )


@check(
    "P301",
    "a stage has the supply that it draws",
    "what is drawn beyond the supply trips the site",
    keys={"stages": "needs"},
)
def stages_have_supply(plan: Plan) -> pl.DataFrame:
    """Stages whose load is above the sources that are permitted, or that the stage names."""
    short = supply.stages(plan).filter(pl.col("short_w") > 0)
    return short.select(
        "origin",
        example="name",
        message=pl.format(
            "stage {} draws {} MW; its supply is {} MW, {} MW short",
            "name", _mw(pl.col("load_w")), _mw(pl.col("supply_w")), _mw(pl.col("short_w")),
        ),
        help=pl.when(pl.col("waiting") != "")
        .then(pl.format("not counted: {}; name them under needs.permits once the stage waits for them", "waiting"))
        .otherwise(pl.format("add a source of {} MW, or move GPUs to a later stage", _mw(pl.col("short_w")))),
    )  # fmt: skip


@check(
    "P302",
    "a stage rests on permits that are granted",
    "the stage may be built, but not energised before the permit",
    severity=Severity.NOTE,
    keys={"stages": "needs"},
)
def stages_rest_on_granted_permits(plan: Plan) -> pl.DataFrame:
    """Stages that count a source whose permit is pending."""
    pending = supply.stages(plan).filter(pl.col("rests_on") != "")
    return pending.select(
        "origin",
        example="name",
        message=pl.format("stage {} rests on {}", "name", "rests_on"),
        help=pl.lit("write permit: granted when it is; until then the stage stays dark"),
    )


def _mw(watts: pl.Expr) -> pl.Expr:
    return (watts / 1e6).round(1).cast(pl.String).str.strip_suffix(".0")
