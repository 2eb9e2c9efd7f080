"""Records of a real plan by owner: the power of the site, its fabrics, and each scalable unit."""

from pathlib import Path

import polars as pl

from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.plan import names
from topology.source import Source
from topology.spec.load import load

SITE = Path(__file__).with_name("site.yaml")


def plan_of(path):
    """The plan of a spec."""
    spec, _ = load(Source.read(path), kinds())
    return expand(spec, load_catalog())


def owned(plan):
    """Records of each owner, in an order in which they can be written."""
    cluster, stage = plan.spec.name, pl.lit(plan.stages["name"][0])
    racks = plan.racks.with_columns(names.rack_names(plan))
    units = pl.format(f"{cluster}/unit-{{}}", pl.col("unit"))
    rack_owner = racks.select("rack", rack_name="name", owner=units.fill_null(f"{cluster}/fabric"))
    places = racks.join(rack_owner.select("rack", "owner"), on="rack").join(
        plan.halls.select("hall", hall_name="name"), on="hall"
    )
    places = places.join(plan.rows.select("row", row_number="number"), on="row")
    nodes = plan.nodes.with_columns(name=names.node_names(plan)).join(rack_owner, on="rack")
    nodes = nodes.join(plan.nvlink_domains.select("domain", "first_slot"), on="domain")
    product = {index: plan.catalog.racks[group.rack].node for index, group in enumerate(plan.spec.compute)}
    gpus = {index: plan.catalog.nodes[slug].gpus for index, slug in product.items()}
    switches = plan.switches.with_columns(name=names.switch_names(plan)).join(rack_owner.drop("owner"), on="rack")
    switches = switches.join(plan.fabrics.select("fabric", product="switch", fabric_name="name"), on="fabric")
    devices = plan.power_nodes.with_columns(name=names.power_node_names(plan))
    tables = {
        "sources": plan.sources.select(
            "name", "kind", "capacity_w", "units", "permitted", owner=pl.lit(f"{cluster}/power")
        ),
        "power_nodes": devices.join(plan.halls.select("hall", hall_name="name"), on="hall", how="left").select(
            "name", "kind", "side", "level", "rating_w", hall="hall_name", stage=stage, owner=pl.lit(f"{cluster}/power")
        ),
        "batteries": plan.batteries.select(
            "name", "bank", "product", "units", "power_w", "energy_wh", owner=pl.lit(f"{cluster}/power")
        ),
        "racks": places.select(
            "owner",
            "name",
            "position",
            "design",
            "height_u",
            "power_w",
            pl.col("role").cast(pl.String),
            hall="hall_name",
            row="row_number",
            stage=stage,
        ),
        "feeds": plan.feeds.join(rack_owner, on="rack")
        .join(devices.select(panel="power_node", panel_name="name"), on="panel")
        .select(
            "owner",
            "side",
            "breaker",
            "circuits",
            "breaker_a",
            "phase",
            "capacity_w",
            "load_w",
            rack="rack_name",
            panel="panel_name",
            stage=stage,
        ),
        "switches": switches.select(
            "name",
            "plane",
            pl.col("tier").cast(pl.String),
            "product",
            "u",
            fabric="fabric_name",
            rack="rack_name",
            stage=stage,
            owner=pl.lit(f"{cluster}/fabric"),
        ),
        "nodes": nodes.select(
            "owner",
            "name",
            "slot",
            rack="rack_name",
            product=pl.col("group").replace_strict(product),
            gpus=pl.col("group").replace_strict(gpus),
            domain=pl.format("{}-{}", "rack_name", "first_slot"),
            stage=stage,
        ),
        "cables": _cables(plan, nodes, switches, stage),
    }
    found = {}
    for table, frame in tables.items():
        for (owner,), rows in frame.partition_by("owner", as_dict=True).items():
            found.setdefault(owner, {})[table] = rows.drop("owner")
    upper_ends_first = sorted(found, key=lambda owner: ("/unit-" in owner, "/power" not in owner, owner))
    return {owner: found[owner] for owner in upper_ends_first}


def _cables(plan, nodes, switches, stage):
    """Cables between NICs, numbered from 0, and the cages of switches; a cable belongs to its lower end."""
    nics = plan.nics.join(nodes.select("node", "owner", a_device="name"), on="node").select(
        "owner", "a_device", a="nic", nic=pl.format("{}{}", pl.col("role").cast(pl.String), "index")
    )
    upper = switches.select(b="switch", b_device="name")
    lower = switches.select(a="switch", a_device="name", owner=pl.lit(f"{plan.spec.name}/fabric"))
    cables = plan.cables.join(upper, on="b").join(plan.fabrics.select("fabric", fabric_name="name"), on="fabric")
    parts = [
        cables.filter(pl.col("a_table") == "nics").join(nics, on="a").with_columns(a_port="nic"),
        cables.filter(pl.col("a_table") == "switches")
        .join(lower, on="a")
        .with_columns(a_port=pl.format("{}/{}", "a_cage", "a_port")),
    ]
    return pl.concat(
        part.select(
            "owner",
            "a_device",
            "a_port",
            "b_device",
            "plane",
            pl.col("hop").cast(pl.String),
            "rate_gbps",
            b_port=pl.format("{}/{}", "b_cage", "b_port"),
            fabric="fabric_name",
            stage=stage,
        )
        for part in parts
    )
