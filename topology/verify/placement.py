"""Scheduling decisions that prove a topology: each trial asks the running Slurm for one placement.

The sharp question leaves one unit whole (an NVLink block, a leaf group), takes half of every other one
out of service, and asks for a job of that size: only a scheduler that knows the units lands on it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from topology.verify.slurm import SlurmController
from topology.verify.slurm_topology import find_topology, groups, kind, read_topologies

NO_NODES = "no nodes"


@dataclass(frozen=True, slots=True)
class Trial:
    """One question to the scheduler, what had to come back, and what did."""

    question: str
    expected: str  # units and how many of their nodes, as `leaf1 36/36`; or `no nodes`
    answer: str

    @property
    def passed(self) -> bool:
        """Whether Slurm gave the expected answer."""
        return self.answer == self.expected


def trials(slurm: SlurmController, folder: Path, *, seed: int) -> list[Trial]:
    """Every trial of every partition whose topology in `folder` has units. `seed` chooses the whole ones."""
    topologies, chance = read_topologies(folder), random.Random(seed)  # noqa: S311 -- a choice, not a secret
    found: list[Trial] = []
    for partition in slurm.partitions().iter_rows(named=True):
        topology = find_topology(topologies, partition["topology"])
        if topology is None or kind(topology) == "flat":
            continue
        name = partition["name"]
        units = units_of(slurm, groups(topology), partition["nodes"])
        found.append(whole_partition(slurm, name, units))
        found.append(only_whole_units(slurm, name, units, chance))
        if kind(topology) == "tree":
            found += largest_under_one_leaf(slurm, name, units)
        elif _largest(units).height > 1:
            found.append(only_whole_units(slurm, name, units, chance, count=2))
    return found


def units_of(slurm: SlurmController, named_hostlists: Sequence[tuple[str, str]], within: str) -> pl.DataFrame:
    """One row per node of the units, in order, columns unit and node; only nodes of the hostlist `within`."""
    nodes = slurm.expand_each([hostlist for _, hostlist in named_hostlists])
    frame = pl.DataFrame(
        {"unit": [name for name, _ in named_hostlists], "node": nodes},
        schema={"unit": pl.String, "node": pl.List(pl.String)},
    )
    return frame.explode("node").filter(pl.col("node").is_in(slurm.expand(within)))


def whole_partition(slurm: SlurmController, partition: str, units: pl.DataFrame) -> Trial:
    """A job on every node fits: the topology reaches all of them."""
    answer = slurm.place(partition, units["node"].n_unique())
    return Trial(f"{partition}: every node", _count(units["node"].to_list()), _count(answer))


def only_whole_units(
    slurm: SlurmController, partition: str, units: pl.DataFrame, chance: random.Random, *, count: int = 1
) -> Trial:
    """With half of every unit broken but `count` of the largest, a job of their size lands exactly there.

    It is the first half: what is left of a unit then joins the next one in the order of nodes, and a
    scheduler that only looks for neighbours in that order (topology/flat) splits the job over both.
    More than one unit is asked for with --segment, so that each segment has to be a whole unit.
    """
    largest = _largest(units)
    size = largest["nodes"][0]
    whole = chance.sample(largest["unit"].to_list(), count)
    place, size_of = pl.int_range(pl.len()).over("unit"), pl.len().over("unit")
    broken = units.filter(~pl.col("unit").is_in(whole), 2 * place < size_of)["node"].to_list()
    slurm.down(broken)
    try:
        answer = slurm.place(partition, count * size, segment=size if count > 1 else None)
    finally:
        slurm.resume(broken)
    asked = f"--nodes={count * size}" + (f" --segment={size}" if count > 1 else "")
    expected = units.filter(pl.col("unit").is_in(whole))["node"].to_list()
    question = f"{partition}: {asked}, all units but {' and '.join(sorted(whole))} half broken"
    return Trial(question, _shares(units, expected), _shares(units, answer))


def largest_under_one_leaf(slurm: SlurmController, partition: str, leaves: pl.DataFrame) -> list[Trial]:
    """With --switches=1 the largest job that fits one leaf lands on one; with one node more it never does."""
    largest = _largest(leaves)
    size = largest["nodes"][0]
    fits, more = (slurm.place(partition, nodes, switches=1) for nodes in (size, size + 1))
    touched = leaves.filter(pl.col("node").is_in(list(fits or ()))).unique("unit")["unit"].to_list()
    expected = leaves.filter(pl.col("unit").is_in(touched[:1]))["node"].to_list()
    question = f"{partition}: --switches=1 --nodes="
    return [
        Trial(
            f"{question}{size}",
            _shares(leaves, expected) if touched else f"any leaf {size}/{size}",
            _shares(leaves, fits),
        ),
        Trial(f"{question}{size + 1}", NO_NODES, _shares(leaves, more)),
    ]


def _largest(units: pl.DataFrame) -> pl.DataFrame:
    """The units with the most nodes: columns unit and nodes."""
    sizes = units.group_by("unit", maintain_order=True).agg(nodes=pl.len())
    return sizes.filter(pl.col("nodes") == pl.col("nodes").max())


def _count(nodes: Sequence[str] | set[str] | None) -> str:
    return f"{len(set(nodes))} nodes" if nodes else NO_NODES


def _shares(units: pl.DataFrame, nodes: Sequence[str] | set[str] | None) -> str:
    """How many of each unit's nodes are among `nodes`, e.g. `leaf1 36/36, leaf2 1/36`; the first ten."""
    if not nodes:
        return NO_NODES
    share = units.with_columns(used=pl.col("node").is_in(list(nodes))).group_by("unit", maintain_order=True)
    touched = share.agg(pl.col("used").sum(), nodes=pl.len()).filter(pl.col("used") > 0)
    shown = [f"{row['unit']} {row['used']}/{row['nodes']}" for row in touched.head(10).iter_rows(named=True)]
    return ", ".join(shown + (["..."] if touched.height > len(shown) else []))
