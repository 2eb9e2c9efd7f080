"""Rules of cables: what the closed forms promise, proved on the rows."""

import numpy as np
import polars as pl

from topology.checks import check, nothing
from topology.findings import Severity
from topology.plan import Plan, names, tables

_FORM = "the closed forms promise it; this proves it on the rows"


def _ends(plan: Plan) -> pl.LazyFrame:
    """Both ends of every cable, one row each."""
    cables = plan.cables.lazy()
    near = cables.select("cable", "origin", table="a_table", end="a", cage="a_cage", port="a_port")
    switches = pl.lit("switches", dtype=tables.ENDS)
    far = cables.select("cable", "origin", table=switches, end="b", cage="b_cage", port="b_port")
    return pl.concat([near, far])


@check("N301", "a port takes one cable", _FORM)
def ports_take_one_cable(plan: Plan) -> pl.DataFrame:
    """Ports with two cables or more, both cables named by their row numbers."""
    port = ["table", "end", "cage", "port"]
    if _all_different(plan):
        return nothing()
    twice = _ends(plan).group_by(port).agg(pl.col("cable"), pl.col("origin").first(), uses=pl.len())
    over = twice.filter(pl.col("uses") > 1).sort(port).collect()
    cables = pl.col("cable").list.sort().cast(pl.List(pl.String)).list.join(" and ")
    return over.select(
        "origin",
        example=pl.format("{} {} port {}/{}", "table", "end", "cage", "port"),
        message=pl.format("port {}/{} of {} {} takes cables {}", "cage", "port", "table", "end", cables),
        help=pl.lit("move one of them to a free port"),
    )


def _all_different(plan: Plan) -> bool:
    """Whether no port stands twice: each end packed into one number, for the speed of millions."""

    def packed(table: pl.Expr, end: str, cage: str, port: str) -> pl.Expr:
        number = table.to_physical().cast(pl.UInt64) * 2**32 + pl.col(end)
        return (number * 2**16 + pl.col(cage)) * 2**8 + pl.col(port)

    switches = pl.lit("switches", dtype=tables.ENDS)
    near = plan.cables.select(packed(pl.col("a_table"), "a", "a_cage", "a_port")).to_series()
    far = plan.cables.select(packed(switches, "b", "b_cage", "b_port")).to_series()
    ends = np.concatenate([near.to_numpy(), far.to_numpy()])
    ends.sort()
    return bool(np.all(ends[1:] != ends[:-1]))


@check("N302", "a cable has two different ends", _FORM)
def cables_have_two_ends(plan: Plan) -> pl.DataFrame:
    """Cables that come back to the port they start from."""
    same = pl.all_horizontal(
        pl.col("a_table") == "switches",
        pl.col("a") == pl.col("b"),
        pl.col("a_cage") == pl.col("b_cage"),
        pl.col("a_port") == pl.col("b_port"),
    )
    return plan.cables.filter(same).select(
        "origin",
        example=pl.format("cable {}", "cable"),
        message=pl.format("both ends of cable {} are port {}/{} of switch {}", "cable", "a_cage", "a_port", "a"),
        help=pl.lit("plug one end elsewhere"),
    )


@check("N303", "a leaf has the same number of links to each of its spines", _FORM)
def links_spread_evenly(plan: Plan) -> pl.DataFrame:
    """Switches whose links to the tier above, in their own fabric, differ in number."""
    joining = [at for at, fabric in enumerate(plan.spec.fabrics) if fabric.joins]
    between = plan.cables.lazy().filter((pl.col("a_table") == "switches") & ~pl.col("fabric").is_in(joining))
    tier = pl.lit(plan.switches["tier"].cast(pl.String)).gather("a")
    above = plan.tiers.lazy().filter(pl.col("up") > 0).select("fabric", "word", asked="up")
    pairs = between.group_by("origin", "fabric", "hop", "a", "b").agg(links=pl.len())
    uneven = (
        pairs.group_by("origin", "fabric", "hop", "a")
        .agg(low=pl.col("links").min(), high=pl.col("links").max(), has=pl.col("links").sum())
        .with_columns(word=tier)
        .join(above, on=["fabric", "word"])
        .filter((pl.col("low") != pl.col("high")) | (pl.col("has") != pl.col("asked")))
        .sort("a")
        .collect()
    )
    if not uneven.height:
        return nothing()
    spelled = names.labels(plan, "switches")
    return uneven.with_columns(example=spelled.gather(uneven["a"])).select(
        "origin",
        "example",
        message=pl.when(pl.col("low") != pl.col("high"))
        .then(pl.format("{} has {} links to one switch above and {} to another", "example", "low", "high"))
        .otherwise(pl.format("{} has {} links up, not {}", "example", "has", "asked")),
        help=pl.lit("give every pair as many"),
    )


@check(
    "N304",
    "a cable is there no sooner than its ends",
    "each stage is built on the one before: no cable is re-plugged",
)
def cables_follow_their_ends(plan: Plan) -> pl.DataFrame:
    """Cables of a stage in which one of their ends does not stand yet."""
    never = len(plan.spec.stages)
    upper = plan.switches["stage"].fill_null(never).gather(plan.cables["b"])
    stands = {
        "nics": plan.nodes["stage"].gather(plan.nics["node"]),
        "appliances": plan.appliances["stage"],
        "switches": plan.switches["stage"],
    }
    early = []
    for table, stage in stands.items():
        mine = plan.cables["a_table"] == table
        cables = plan.cables.filter(mine)
        last = pl.max_horizontal(stage.fill_null(never).gather(cables["a"]), upper.filter(mine))
        early.append(cables.filter(pl.col("stage") < last))
    return pl.concat(early).select(
        "origin",
        example=pl.format("cable {}", "cable"),
        message=pl.format("cable {} belongs to an earlier stage than one of its ends", "cable"),
        help=pl.lit("build both ends first"),
    )


@check("N305", "every NIC of a rail-optimized fabric meets its own rail", _FORM)
def nics_meet_their_rail(plan: Plan) -> pl.DataFrame:
    """Leaves of rail-optimized fabrics that take NICs of more rails than their shape shares."""
    fabrics = plan.tiers.filter(pl.col("rails").is_not_null()).select("fabric", shared="rails")
    nodes = plan.cables.filter((pl.col("a_table") == "nics") & pl.col("fabric").is_in(fabrics["fabric"].implode()))
    rails = nodes.with_columns(rail=plan.nics["index"].gather(nodes["a"])).lazy()
    over = (
        rails.group_by("origin", "fabric", "b")
        .agg(rails=pl.col("rail").n_unique())
        .join(fabrics.lazy(), on="fabric")
        .filter(pl.col("rails") > pl.col("shared"))
        .sort("b")
        .collect()
    )
    if not over.height:
        return nothing()
    return over.with_columns(example=names.labels(plan, "switches").gather(over["b"])).select(
        "origin",
        "example",
        message=pl.format("{} takes NICs of {} rails; its fabric shares {} on a leaf", "example", "rails", "shared"),
        help=pl.lit("move the other rails' cables to their own leaves"),
    )


@check("N307", "every NIC has a cable in every plane", _FORM)
def nics_have_their_cables(plan: Plan) -> pl.DataFrame:
    """NICs of connected groups with fewer cables than their fabric has planes."""
    short = []
    group = plan.nodes["group"].gather(plan.nics["node"])
    for row in plan.fabrics.iter_rows(named=True):
        role = plan.spec.fabrics[row["fabric"]].connects
        mine = plan.nics.filter((pl.col("role") == role) & group.is_in(row["groups"])) if row["groups"] else None
        if mine is None:
            continue
        nodes = (pl.col("fabric") == row["fabric"]) & (pl.col("a_table") == "nics")
        count = np.bincount(plan.cables.filter(nodes)["a"].to_numpy(), minlength=plan.nics.height)
        has = mine.with_columns(has=pl.Series(count).gather(mine["nic"]), origin=pl.lit(row["origin"], pl.UInt16))
        short.append(has.filter(pl.col("has") < row["planes"]).with_columns(planes=pl.lit(row["planes"])))
    bad = pl.concat(short) if short else pl.DataFrame()
    if not bad.height:
        return nothing()
    return bad.with_columns(example=names.labels(plan, "nodes").gather(bad["node"])).select(
        "origin",
        "example",
        message=pl.format("{} NIC {} of node {} has {} cables, not {}", "role", "index", "example", "has", "planes"),
        help=pl.lit("plug it into its leaf"),
    )


@check(
    "N308",
    "a subnet manager is cabled in the first stage of its fabric",
    "without one no InfiniBand link comes up",
    severity=Severity.WARNING,
    keys={"fabrics": "managers"},
)
def managers_are_cabled_first(plan: Plan) -> pl.DataFrame:
    """Fabrics whose appliances get their first cable in a later stage than the first switch."""
    first = plan.switches.group_by("fabric").agg(begins=pl.col("stage").min())
    cabled = plan.cables.filter(pl.col("a_table") == "appliances").group_by("fabric", maintain_order=True)
    late = cabled.agg(pl.col("origin").first(), cabled=pl.col("stage").min()).join(first, on="fabric")
    stages = pl.lit(pl.Series([stage.name for stage in plan.spec.stages]))
    fabrics = pl.lit(plan.fabrics["name"])
    return late.filter(pl.col("cabled") > pl.col("begins")).select(
        "origin",
        example=fabrics.gather("fabric"),
        message=pl.format(
            "fabric {} stands from stage {} on; its subnet managers are cabled in stage {}",
            fabrics.gather("fabric"), stages.gather("begins"), stages.gather("cabled"),
        ),
        help=pl.lit("leave a node out of a unit of the first stage; its ports go to the managers"),
    )  # fmt: skip


@check(
    "N306",
    "leaves are at least half filled",
    "a rail of a unit that needs less than half a leaf may share it with other rails or units",
    severity=Severity.WARNING,
    keys={"fabrics": "leaf_sharing"},
)
def leaves_are_filled(plan: Plan) -> pl.DataFrame:
    """Fabrics whose leaves use less than half of the node ports that they have at this taper."""
    rows = []
    lowest = plan.tiers.filter((pl.col("level") == 0) & (pl.col("up") > 0))
    for row in lowest.join(plan.fabrics.drop("origin"), on="fabric", maintain_order="left").iter_rows(named=True):
        switch = plan.catalog.switches[row["switch"]]
        gbps = plan.spec.fabrics[row["fabric"]].port_gbps
        ports = max(cage.count * cage.ports.get(gbps, 0) for cage in switch.cages)
        if 2 * (row["down"] + row["up"]) < ports:
            rows.append(
                {
                    "origin": row["origin"],
                    "example": row["name"],
                    "message": f"leaves of {row['name']} use {row['down']} ports down and {row['up']} up "
                    f"of {ports} at {gbps} Gb/s",
                    "help": "write leaf_sharing: rails or units, a larger unit_racks, or a smaller switch",
                }
            )
    return pl.DataFrame(rows) if rows else nothing()
