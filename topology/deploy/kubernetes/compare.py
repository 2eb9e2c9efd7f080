"""Whether an object is as its document says, and where it is not."""

from collections.abc import Iterator
from typing import Any

from topology.deploy.kubernetes.documents import ManifestDocument
from topology.deploy.kubernetes.ownership import APPLIED

# What the server keeps for itself, and what controllers report
_SERVERS_OWN = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


def is_current(live: dict[str, Any], document: ManifestDocument) -> bool:
    """Whether nothing has to be sent: the same document was applied last, and every value of it still stands.

    False where only the server can tell, since it writes some values in a form of its own (`8000m` as `8`).
    """
    annotations = live["metadata"].get("annotations") or {}
    return bool(annotations.get(APPLIED) == document.digest) and _covers(live, document.body)


def _covers(live: Any, ours: Any) -> bool:  # noqa: ANN401 -- JSON of any kind
    if isinstance(ours, dict):
        return isinstance(live, dict) and all(name in live and _covers(live[name], ours[name]) for name in ours)
    if isinstance(ours, list):
        same = isinstance(live, list) and len(live) == len(ours)
        return same and all(_covers(*pair) for pair in zip(live, ours, strict=True))
    return bool(live == ours)


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Path, value before and value after of each field that an apply would change; None where there is no field."""
    yield from _differences("", _bare(before), _bare(after))


def _bare(live: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in live["metadata"].items() if name not in _SERVERS_OWN}
    marks = metadata.get("annotations") or {}
    metadata["annotations"] = {name: value for name, value in marks.items() if name != APPLIED}
    return {**{name: value for name, value in live.items() if name != "status"}, "metadata": metadata}


def _differences(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            step = f"{path}.{name}" if path else name
            yield from _differences(step, before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, pair in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{place}]", *pair)
    else:
        yield path, before, after
