"""What decides whether a resource of a stage is updated: deployment and review ask it here."""

from collections.abc import Mapping
from typing import Any

from topology.artifacts.output.manifest import digest_of, files_below

CELL = "kubernetes-cell"


def cell_files(inventory: Mapping[str, Any], folder: str, digests: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of what a cell's API server gets, by path: files of its folder, and of the same in the stages before.

    `inventory` is that of the stage, `folder` the cell's there, `digests` are those of every file of the build.
    """
    cell = folder.partition("/")[2].partition("/")[2]
    stages = inventory["stages"][: inventory["stages"].index(inventory["stage"]) + 1]
    inside = tuple(f"stages/{stage}/{cell}/" for stage in stages)
    return {path: digest for path, digest in digests.items() if path.startswith(inside)}


def resource_inputs(inventory: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    """Digest and facts of every resource of a stage by name: it is updated when one of the two differs."""
    made = {each["name"]: (each["digest"], each["facts"]) for each in inventory["resources"]}
    for each in inventory["bundles"]:
        folder = each["folder"]
        is_cell = each["kind"] == CELL
        files = cell_files(inventory, folder, digests) if is_cell else files_below(digests, folder)
        made[each["name"]] = (digest_of(files.items()), {**each["facts"], "files": len(files)})
    return made
