"""Labels of a pull request that say what it does to the site: set and removed by what all of its specs come to."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from topology.ci.api import Api, ApiError
from topology.ci.pull import Pull, newest_head

LABELS: Mapping[str, Sequence[str]] = {  # label: measures of which one above zero is enough
    "topology/errors": ("errors",),
    "topology/destroys": ("gpus-removed", "racks-removed", "feeds-removed", "cells-removed", "resources-destroyed"),
    "topology/replaces": ("gpus-replaced", "switches-replaced", "power-devices-replaced"),
    "topology/replugs": ("replug",),
    "topology/less-redundant": ("redundancy-lost", "overload"),
}


def write(api: Api, pull: Pull, measures: Sequence[Mapping[str, float]]) -> str:
    """Set and remove labels of ours, and no other; the words for the log.

    Raises:
        ApiError: after a few tries of reading, or when a label cannot be written.
    """
    if newest_head(api, pull) != pull.head_sha:
        return "superseded by a newer push"
    path = f"issues/{pull.number}/labels"
    there = {str(label["name"]) for label in api.pages(path)}
    wanted = {label for label, of in LABELS.items() if any(each.get(one, 0) > 0 for each in measures for one in of)}
    for label in sorted(wanted - there):
        api.send("POST", path, {"labels": [label]})
    for label in sorted(there & (LABELS.keys() - wanted)):
        try:
            api.send("DELETE", f"{path}/{quote(label, safe='')}")
        except ApiError as error:
            if not error.gone:
                raise
    return ", ".join(sorted(wanted)) or "none"
