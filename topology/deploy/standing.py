"""How a stage stands: the resources in its stack's state, held against what the build deploys.

A stack's outputs do not say it: they are those of the last update that ended, and stay when a resource is destroyed,
taken out of the state, or found to be gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from topology.artifacts.pulumi.bundles import resource_inputs
from topology.deploy.stage import Build

_OURS = ("pulumi-python:dynamic/inventory:", "pulumi-python:dynamic/bundle:")
_CELLS = "cluster:scheduling:KubernetesCells"
_WRITTEN = ("registered", "published", "applied")  # what stood after writing; `standing` is what stands
_NAMED = 3  # resources that a line names


@dataclass(frozen=True, slots=True)
class StackResource:
    """A resource as a state has it."""

    type: str
    outputs: Mapping[str, Any]

    @property
    def is_edited(self) -> bool:
        """Whether the last refresh found something else than was written."""
        return any(word in self.outputs and self.outputs[word] != self.outputs.get("standing") for word in _WRITTEN)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a stage stands."""

    resources: int  # that the build has, without cells that no API server was named for
    wrong: str  # what follows `the stage`, such as `is not deployed`; empty when all stands as the build has it


def found_resources(outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, StackResource]:
    """Resources of a state that are ours, by name; `outputs` are those of every resource by its URN."""
    found = {}
    for urn, each in outputs.items():
        *_, types, name = urn.split("::")
        kind = types.rpartition("$")[2]
        if kind == _CELLS or kind.startswith(_OURS):
            found[name] = StackResource(kind, each)
    return found


def standing(build: Build, stage: str, found: Mapping[str, StackResource], pending: Sequence[str] = ()) -> Standing:
    """How a stage stands, by what its state holds; `pending` names resources that an update was at when it was killed.

    Raises:
        DeployError: the build has no such stage, or is not whole.
    """
    inventory = build.inventory(stage)
    bundles = build.bundles(inventory)
    wanted = {name: digest for name, (digest, _) in resource_inputs(inventory, build.files).items()}
    cells = {each.name: wanted.pop(each.name) for each in bundles if each.is_cell}
    there = {name: each for name, each in found.items() if each.type.startswith(_OURS)}
    wanted |= _led(cells, found)
    missing = sorted(wanted.keys() - there.keys())
    otherwise = [name for name, each in there.items() if each.outputs.get("digest") != wanted.get(name)]
    edited = sorted(name for name, each in there.items() if each.is_edited)
    if not there:
        wrong = "is not deployed"
    elif pending:
        wrong = f"was left in the middle of an update ({some_of(pending)})"
    elif otherwise:
        wrong = "is deployed otherwise than this build has it"
    elif missing:
        wrong = f"is deployed in part, {len(missing):,} of {len(wanted):,} resources are not there ({some_of(missing)})"
    else:
        wrong = f"does not stand as it was deployed ({some_of(edited)})" if edited else ""
    return Standing(len(wanted), wrong)


def _led(cells: Mapping[str, str], found: Mapping[str, StackResource]) -> Mapping[str, str]:
    """Of the digests of cells those that the stack was to put on an API server, as its component says."""
    component = next((each for each in found.values() if each.type == _CELLS), None)
    if component is None:  # not even that is there
        return cells
    left_out = component.outputs.get("left_out")
    if left_out is None:  # of an earlier version, which counted them
        return {name: digest for name, digest in cells.items() if name in found or component.outputs.get("pieces")}
    return {name: digest for name, digest in cells.items() if name not in left_out}


def some_of(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
