"""Fabric kinds, one module each: the file name, with hyphens, is the word in the spec.

A kind is asked twice. Before anything has a place it answers a `FabricDemand` with a `FabricDesign`: integers. When
nodes stand, the design is given endpoints, which are ports of any box with their place in units, racks and rails, and
gives back switches, links and localities. It knows nothing else of the spec but its own keys, and nobody else knows its
words: tiers, hops and localities reach names, schedulers, reviews and resources as they stand here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from graphlib import TopologicalSorter
from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from topology.catalog.model import Switch
from topology.expand.groups import SizedGroup
from topology.expand.rules import found
from topology.findings import Finding, FindingsError
from topology.spec.model import Fabric
from topology.spec.networks import KindWords

U32 = NDArray[np.uint32]
Small = NDArray[np.integer] | int  # a column, or the one value of every row


@dataclass(frozen=True, slots=True)
class CoreLink:
    """What a core fabric asks of the top switches of each island."""

    gbps: int
    taper: float  # bandwidth from the island over bandwidth to the core


@dataclass(frozen=True, slots=True)
class FabricDemand:
    """What a fabric has to connect, before anything has a place."""

    fabric: Fabric
    switch: Switch
    groups: tuple[SizedGroup, ...] = ()  # whose nodes it connects; () where it joins fabrics
    sized_units: int = 0  # room kept, at least `units`
    unit_slots: int = 0  # node places per unit
    domain_slots: int = 0  # node places per NVLink domain
    nics: int = 0  # NICs of the fabric's role in each node
    core: CoreLink | None = None
    joined: tuple["FabricDesign", ...] = ()  # fabrics whose islands it joins

    @property
    def units(self) -> int:
        """Units that the spec holds."""
        return sum(group.units for group in self.groups)

    def finding(self, code: str, key: str, message: str, help_: str) -> Finding:
        """A finding at one key of this fabric."""
        return found(code, f"fabric {self.fabric.name}: {message}", (*self.fabric.path, key), help_)

    def refused(self, code: str, key: str, message: str, help_: str) -> FindingsError:
        """The error of a fabric that cannot be built, with one finding at one of its keys."""
        return FindingsError([self.finding(code, key, message, help_)])


@dataclass(frozen=True, slots=True)
class Tier:
    """Switches of one tier; ports are those in use when the fabric is full."""

    word: str
    group_word: str  # what its groups of switches are called
    down: int  # ports to the nodes or to the tier below
    up: int  # ports to the tier above; 0 at the top
    kept: int = 0  # ports kept for a core
    taper: float | None = None  # bandwidth down over bandwidth up; None: nothing is above
    rails: int | None = None  # most rails that meet on one switch, where the kind keeps them apart


@dataclass(frozen=True, slots=True)
class LocalityLevel:
    """Localities of one level: nodes that are as near to each other as its word says."""

    word: str  # leaf-group, pod, island: what people call one
    tier: str  # of the switches that join its nodes; part of its name
    places: int  # node places of one when it is full
    number: U32 | None  # of each, from 1; None: there is one, called as its fabric
    within: U32 | None  # number within its unit, from 1, where a unit has several
    parent: U32 | None  # position in the level above; None at the top

    @property
    def count(self) -> int:
        """Localities of the level."""
        return 1 if self.number is None else len(self.number)


class DeployedPiece(IntEnum):
    """What a switch is deployed with, by its position in `tables.PIECES`."""

    POD = 0
    CORE = 1


@dataclass(frozen=True, slots=True)
class Switches:
    """Switches of one fabric in row order: plane, tier, then islands, groups, index."""

    plane: U32  # from 0
    tier: U32  # position in the kind's tiers
    island: U32  # from 0
    group: U32  # from 0; the tier's group word says of what
    index: U32  # from 0, in the group
    unit: U32  # first unit of the fabric that hangs on it
    units: U32  # units that hang on it when all exist
    piece: NDArray[np.uint8]  # `DeployedPiece`: what it is deployed with
    piece_number: U32  # number of that, from 0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Ports of boxes of one table, in the order of their rows, plane after plane."""

    table: str
    row: U32  # of the box or card, in its table
    cage: Small
    port: Small
    plane: U32  # from 0
    stage: NDArray[np.uint16]
    unit: U32  # of the fabric, from 0
    rack: U32  # of the unit, from 0
    place: U32  # of the node in the unit; of a port that is kept for a core: number among all of them
    rail: U32  # index among the node's NICs of the role


@dataclass(frozen=True, slots=True)
class SwitchPorts:
    """Ports of switches of a fabric, which are counted from 0."""

    switch: U32
    cage: Small
    port: Small


@dataclass(frozen=True, slots=True)
class Links:
    """Links of one hop between endpoints, or lower switches, and upper switches; row n of `a` to row n of `b`."""

    hop: str
    rate_gbps: int
    plane: U32  # from 0
    a: Endpoints | SwitchPorts
    b: SwitchPorts
    any_order: bool = False  # either end may be built first; else `a` never stands before `b`


class FabricDesign(Protocol):
    """A fabric in integers.

    The switches of some units are in every tier the first ones of those of more units, so that growth to
    `sized_units` adds rows and moves no cable.
    """

    @property
    def demand(self) -> FabricDemand:
        """What was asked for."""

    @property
    def kept_ports(self) -> int:
        """Ports that one island keeps for a core in one plane."""

    def islands(self, units: int) -> int:
        """Islands that so many units begin."""

    def tiers(self) -> tuple[Tier, ...]:
        """Tiers from the nodes up, of which a switch's `tier` is the position."""

    def count(self, units: int) -> tuple[int, ...]:
        """Switches of each tier in one plane that so many units need."""

    def switches(self, units: int) -> Switches:
        """The switches that so many units need, every plane."""

    def most_beside(self, tier: int, units: int) -> int:
        """Most switches of a tier, every plane, whose first unit is among so many neighbours: they stand in one row."""

    def links(self, nodes: Endpoints, services: Endpoints) -> Iterator[Links]:
        """Links hop by hop, the nodes' first and those of service boxes last; only those of units that exist.

        Raises:
            FindingsError: there are no ports left for the service boxes.
        """

    def kept(self) -> tuple[U32, SwitchPorts]:
        """Plane and port of all that is kept for a core: island by island, then plane, switch and port."""

    def localities(self) -> tuple[LocalityLevel, ...]:
        """Levels from the nodes up, for the units that exist."""

    def locality_of(self, unit: U32, place: U32) -> U32:
        """Position in the lowest level of nodes at these places of the fabric's units."""


class Kind(Protocol):
    """What the module of a kind offers."""

    TIERS: tuple[str, ...]  # its words, from the nodes up
    HOPS: tuple[str, ...]
    WORDS: KindWords  # keys that a spec may give it

    def design(self, demand: FabricDemand) -> FabricDesign:
        """The design that meets a demand.

        Raises:
            FindingsError: what stands in the way; the finding says what would fit.
        """


def kinds() -> Mapping[str, KindWords]:
    """Words a spec may use for `fabric.kind`, sorted, and the keys that go with each."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.ispkg)
    return {name.replace("_", "-"): load(name).WORDS for name in names}


def load(kind: str) -> Kind:
    """Module that builds `kind`; ModuleNotFoundError when no file has that name."""
    return cast("Kind", import_module(f"{__name__}.{kind.replace('-', '_')}"))


def words(of: str) -> list[str]:
    """TIERS or HOPS of all kinds, each kind's in its order."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for kind in kinds():
        mine = getattr(load(kind), of)
        for word in mine:
            order.add(word)
        for lower, upper in pairwise(mine):
            order.add(upper, lower)
    return list(order.static_order())
