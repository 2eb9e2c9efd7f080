"""What a build says at its end: the site in a few lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from topology.artifacts.output.tree import Published
from topology.artifacts.slurm.clusters import controllers
from topology.cli.reports import verdict
from topology.findings import Finding
from topology.plan import Plan
from topology.views import summary


def lines(plan: Plan, findings: Sequence[Finding], published: Published, out: Path, elapsed_s: float) -> Iterator[str]:
    """Lines of the summary: the site, its fabrics, its stages, its schedulers, the files."""
    counts, power = summary.counts(plan), summary.power(plan)
    racks, network = counts["racks"], counts["network_racks"]
    yield (
        f"{plan.spec.name}: {counts['gpus']:,} GPUs in {counts['nodes']:,} nodes, {racks:,} racks and "
        f"{counts['units']:,} scalable units; {network:,} network racks"
    )
    it, facility = _mw(power["it_mw"]), _mw(power["facility_mw"])
    yield f"  power    {it} IT at catalogue maximum, {facility} at PUE {plan.spec.site.pue:g}"
    if power["source_mw"] is not None:
        yield f"  supply   {_mw(power['source_mw'])} from {', '.join(plan.sources['name'])}{_banks(plan, power)}"
    for name, fabric in counts["fabrics"].items():
        yield f"  fabric   {_fabric(plan, name, fabric)}"
    for row in summary.stages(plan):
        yield f"  stage    {row['name']}: {row['gpus']:,} GPUs, {row['racks']:,} racks, {_mw(row['it_mw'])}"
    made = list(controllers(plan, len(plan.spec.stages) - 1))
    yield "  slurm    " + ", ".join(f"{one.name} {one.nodes.height:,} nodes" for one in made)
    if plan.cells.height:
        yield f"  cells    {_cells(plan)}"
    total = published.written + published.unchanged
    removed = f", {published.removed} removed" if published.removed else ""
    yield (
        f"  files    {total} in {out}: {published.written} written, {published.unchanged} unchanged{removed}; "
        f"{verdict(findings)}; {elapsed_s:.1f} s"
    )


def _banks(plan: Plan, power: dict[str, float | None]) -> str:
    if power["battery_mw"] is None:
        return ""
    units = int(plan.batteries["units"].sum())
    return (
        f"; {units:,} battery units, {_mw(power['battery_mw'])}, {power['battery_mwh']:,.1f} MWh, "
        f"{power['ride_through_s']:,.0f} s of full load"
    )


def _cells(plan: Plan) -> str:
    """How many Kubernetes cells each pool has, and how large they are."""
    pools = plan.cells.group_by("pool", maintain_order=True).agg(pl.len(), pl.col("nodes").max())
    parts = [f"{count} of {pool} with up to {nodes:,} nodes" for pool, count, nodes in pools.iter_rows()]
    return f"{plan.cells.height} Kubernetes: {', '.join(parts)}"


def _fabric(plan: Plan, name: str, fabric: dict[str, Any]) -> str:
    spec = next(each for each in plan.spec.fabrics if each.name == name)
    counts = fabric.get("switches", {tier: fabric[tier] for tier in summary.FIXED_TIERS})
    tiers = " + ".join(f"{count:,} {tier}" for tier, count in counts.items() if count)
    cables = sum(fabric["links"].values())
    parts = [spec.kind] if spec.joins else [spec.kind, f"{fabric['tiers']} tier{'s' * (fabric['tiers'] > 1)}"]
    if fabric["islands"] > 1:
        parts.append(f"{fabric['islands']} islands")
    if fabric["planes"] > 1:
        parts.append(f"{fabric['planes']} planes")
    return f"{name}: {', '.join(parts)}, {tiers} {spec.switch}, {cables:,} cables at {spec.port_gbps}G"


def _mw(value: float | None) -> str:
    return f"{value:,.1f} MW"
