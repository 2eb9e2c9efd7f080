"""What decides whether a resource of a stage is updated: deployment and review ask it here."""

from collections.abc import Mapping
from typing import Any

from topology.artifacts.output.manifest import digest_of, files_below

CELL = "kubernetes-cell"


def bundle_files(inventory: Mapping[str, Any], bundle: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of the files that a bundle of an inventory hands over, by path; `digests` are those of the whole build.

    A cell's API server gets the files of every stage up to this one, by their paths in the build; any other
    receiver gets the folder of the bundle, by the paths below it.
    """
    folder: str = bundle["folder"]
    if bundle["kind"] != CELL:
        return files_below(digests, folder)
    cell = folder.partition("/")[2].partition("/")[2]
    stages = inventory["stages"][: inventory["stages"].index(inventory["stage"]) + 1]
    inside = tuple(f"stages/{stage}/{cell}/" for stage in stages)
    return {path: digest for path, digest in digests.items() if path.startswith(inside)}


def resource_inputs(inventory: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    """Digest and facts of every resource of a stage by name: it is updated when one of the two differs."""
    made = {each["name"]: (each["digest"], each["facts"]) for each in inventory["resources"]}
    for each in inventory["bundles"]:
        files = bundle_files(inventory, each, digests)
        made[each["name"]] = (digest_of(files.items()), {**each["facts"], "files": len(files)})
    return made
