"""A cell at a stage: what its files are about."""

from dataclasses import dataclass

import polars as pl

from topology.artifacts.kubernetes.groups import GroupView


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell as it stands at a stage."""

    name: str
    pool: str
    index: int  # in the pool, from 1
    number: int  # in the site, from 1
    stage: str
    cluster: str
    prefix: str  # of the site's own labels
    groups: tuple[GroupView, ...]
    nodes: pl.DataFrame  # those that stand, as `names.node_places` gives them
