"""The frozen bundle of tables that expansion makes and everything else reads."""

from dataclasses import dataclass, fields

import polars as pl

from topology.catalog.model import Catalog
from topology.findings import Path
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
    units: pl.DataFrame
    racks: pl.DataFrame
    nodes: pl.DataFrame
    gpus: pl.DataFrame
    nics: pl.DataFrame
    nvlink_domains: pl.DataFrame
    nvlink_links: pl.DataFrame
    fabrics: pl.DataFrame
    switches: pl.DataFrame
    appliances: pl.DataFrame
    cables: pl.DataFrame
    stages: pl.DataFrame
    sources: pl.DataFrame
    power_nodes: pl.DataFrame
    feeds: pl.DataFrame
    batteries: pl.DataFrame
    bank_sizings: pl.DataFrame
    bank_needs: pl.DataFrame
    cells: pl.DataFrame

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every frame by its table's name, in the dictionary's order."""
        frames = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: frame for name, frame in frames.items() if isinstance(frame, pl.DataFrame)}
