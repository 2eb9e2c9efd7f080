"""What topology.yaml holds: named topologies of blocks or switches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """Nodes that are scheduled together first."""

    name: str
    nodes: str  # hostlist


@dataclass(frozen=True, slots=True)
class TreeSwitch:
    """A group of nodes or of lower switches; one of the two lists is empty."""

    name: str
    nodes: str
    children: str


@dataclass(frozen=True, slots=True)
class Topology:
    """One entry of topology.yaml."""

    name: str
    kind: str  # block, tree or flat
    block_sizes: tuple[int, ...] = ()
    blocks: tuple[Block, ...] = ()
    switches: tuple[TreeSwitch, ...] = ()
    default: bool = False
