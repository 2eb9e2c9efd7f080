"""Shape of a Clos fabric in integers: how many switches, and how many links between which.

Nothing here knows rows of tables; `wiring` turns a shape into switches and cables. The
even-spread rule is the heart: a tier's switches number the smallest divisor of the uplinks
below that has ports enough, so that every pair has the same number of links.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from topology.catalog.model import Switch
from topology.expand.fabrics import CoreLink
from topology.expand.fabrics.clos import ports
from topology.spec.model import Oversubscription


@dataclass(frozen=True, slots=True)
class Leaves:
    """How the NICs of units meet on leaves.

    A run of `run_units` units (1 unless leaves are shared) has `columns` x `groups` leaves.
    Its node places fall into `groups` leaf groups of `group_nodes`; each node's NICs are
    spread over the columns, `rails` of them on each leaf.
    """

    run_units: int
    columns: int
    groups: int
    group_nodes: int
    rails: int  # NICs of one node on the same leaf
    down: int
    up: int

    @property
    def per_run(self) -> int:
        """Leaves of a run."""
        return self.columns * self.groups


@dataclass(frozen=True, slots=True)
class Shape:
    """One plane of a Clos fabric: islands of pods of runs of units."""

    leaves: Leaves
    tiers: int
    island_runs: int
    pod_runs: int
    pod_columns: int  # pods side by side over the same units: the rails of a third tier
    spines: int  # per pod
    leaf_links: int  # links between each leaf and each spine of its pod
    spine_down: int
    spine_up: int
    cores: int  # per spine index of an island
    spine_links: int  # links between each spine and each of its cores
    core_down: int
    core_up: int  # ports each top switch keeps for the core fabric

    @property
    def island_units(self) -> int:
        """Units an island holds when full."""
        return self.island_runs * self.leaves.run_units

    @property
    def island_pods(self) -> int:
        """Pods of a full island."""
        return ceil(self.island_runs / self.pod_runs) * self.pod_columns

    @property
    def pod_leaves(self) -> int:
        """Leaves that one run adds to a pod."""
        return self.leaves.per_run // self.pod_columns

    @property
    def tops(self) -> int:
        """Top switches of a full island."""
        per_tier = {1: self.island_runs * self.leaves.per_run, 2: self.spines, 3: self.island_cores}
        return per_tier[self.tiers]

    @property
    def island_cores(self) -> int:
        """Core switches of a full island; 0 without a third tier."""
        return self.spines * self.cores

    @property
    def island_switches(self) -> int:
        """Switches of a full island."""
        leaves = self.island_runs * self.leaves.per_run
        spines = self.island_pods * self.spines if self.tiers > 1 else 0
        return leaves + spines + self.island_cores


@dataclass(frozen=True, slots=True)
class TierPorts:
    """Port budgets of one switch model in each tier above the leaves."""

    switch: Switch
    gbps: int
    taper: Oversubscription
    core: CoreLink | None

    def top_down(self) -> int:
        """Down ports of a top switch: all it has, less what a core fabric needs."""
        if self.core is None:
            return ports.capacity(self.switch, self.gbps)
        return ports.most_down(self.switch, self.gbps, self.core.gbps, self.core.taper)

    def top_up(self, down: int) -> int:
        """Ports to the core of a top switch with `down` links below it."""
        if self.core is None:
            return 0
        return ports.uplinks(down, self.gbps, self.core.gbps, self.core.taper)


def even_spread(uplinks: int, switches: int, ports: int) -> int | None:
    """Smallest divisor of `uplinks` with ports enough for `switches` of them, or None.

    Source: reproduces 49 of the 51 leaf, spine and core counts of the NVIDIA DGX SuperPOD
    and OCP reference designs it was checked against; `tests/test_published.py` names the rest.

    >>> even_spread(uplinks=32, switches=24, ports=64)  # 3 units of DGX H100: 16 spines, not 12
    16
    """
    return next((d for d in _divisors(uplinks) if d * ports >= switches * uplinks), None)


def two_tiers(leaves: Leaves, island_runs: int, tiers: TierPorts) -> Shape | None:
    """Every leaf of an island on every spine; None when a spine has too few ports."""
    count = island_runs * leaves.per_run
    spines = even_spread(leaves.up, count, tiers.top_down()) if leaves.up else None
    if spines is None:
        return None
    links = leaves.up // spines
    return Shape(
        leaves, 2, island_runs, island_runs, 1, spines, links, count * links, 0, 0, 0, 0,
        core_up=tiers.top_up(count * links),
    )  # fmt: skip


def three_tiers(leaves: Leaves, island_runs: int, pod_runs: int, tiers: TierPorts) -> Shape | None:
    """Pods of `pod_runs` runs, one per column, joined by cores; None when ports run out."""
    down = ports.most_down(tiers.switch, tiers.gbps, tiers.gbps, tiers.taper.spine)
    spine_up = ports.uplinks(down, tiers.gbps, tiers.gbps, tiers.taper.spine)
    in_pod = pod_runs * leaves.groups
    spines = even_spread(leaves.up, in_pod, down) if leaves.up else None
    if spines is None:
        return None
    pods = ceil(island_runs / pod_runs) * leaves.columns
    cores = even_spread(spine_up, pods, tiers.top_down())
    if cores is None:
        return None
    links, core_links = leaves.up // spines, spine_up // cores
    return Shape(
        leaves, 3, island_runs, pod_runs, leaves.columns, spines, links, in_pod * links, spine_up, cores,
        core_links, pods * core_links, core_up=tiers.top_up(pods * core_links),
    )  # fmt: skip


def best_three_tiers(leaves: Leaves, island_runs: int, tiers: TierPorts) -> Shape | None:
    """The pod size that needs the fewest switches; among equals pods of even size, then large ones."""
    limit = min(island_runs, ports.capacity(tiers.switch, tiers.gbps))
    shapes = [three_tiers(leaves, island_runs, pod_runs, tiers) for pod_runs in range(1, limit + 1)]
    return min(
        (shape for shape in shapes if shape is not None),
        key=lambda s: (s.island_switches, island_runs % s.pod_runs != 0, -s.pod_runs),
        default=None,
    )


def _divisors(number: int) -> Iterator[int]:
    return (d for d in range(1, number + 1) if number % d == 0)
