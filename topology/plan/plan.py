"""The frozen bundle of tables that expansion makes and everything else reads."""

from dataclasses import dataclass, fields

import polars as pl

from topology.catalog.model import Catalog
from topology.findings import Path
from topology.plan.tables import ORIGINS
from topology.spec.model import ClusterSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """A site, expanded. Only `topology.expand` makes one and nothing changes one.

    Each frame has the columns that `topology.plan.tables` lists under its name.
    """

    spec: ClusterSpec
    catalog: Catalog
    origins: tuple[Path, ...]  # spec paths that `origin` columns point into
    halls: pl.DataFrame
    rows: pl.DataFrame
    groups: pl.DataFrame
    units: pl.DataFrame
    racks: pl.DataFrame
    nodes: pl.DataFrame
    gpus: pl.DataFrame
    nics: pl.DataFrame
    nvlink_domains: pl.DataFrame
    nvlink_links: pl.DataFrame
    fabrics: pl.DataFrame
    tiers: pl.DataFrame
    localities: pl.DataFrame
    switches: pl.DataFrame
    appliances: pl.DataFrame
    cables: pl.DataFrame
    stages: pl.DataFrame
    sources: pl.DataFrame
    power_levels: pl.DataFrame
    power_nodes: pl.DataFrame
    pools: pl.DataFrame
    feeds: pl.DataFrame
    batteries: pl.DataFrame
    bank_sizings: pl.DataFrame
    bank_needs: pl.DataFrame
    cells: pl.DataFrame

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every frame by its table's name, in the dictionary's order."""
        frames = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: frame for name, frame in frames.items() if isinstance(frame, pl.DataFrame)}

    def pointers(self) -> pl.DataFrame:
        """The table of origins: a spec path per row as JSON Pointer (RFC 6901), the empty path as the empty text."""
        escaped = ([str(step).replace("~", "~0").replace("/", "~1") for step in path] for path in self.origins)
        texts = ["".join(f"/{step}" for step in steps) for steps in escaped]
        return ORIGINS.frame({"origin": list(range(len(texts))), "path": texts})
