"""The pictures that a change alters, of both sides: what a pull request shows beside each other."""

from collections.abc import Mapping
from pathlib import Path

from topology.artifacts.pictures import files
from topology.review.review import Review
from topology.review.side import Side
from topology.source.refusal import TextError


def write(review: Review, to: Path) -> int:
    """Write pictures that differ below `to`/before and `to`/after; how many there are.

    None are where a side is there and cannot be drawn: all of the other's would seem added or removed.

    Raises:
        TextError: a folder or file cannot be written.
    """
    if any(not side.absent and not side.renders for side in (review.base, review.head)):
        return 0
    before, after = _pictures(review.base), _pictures(review.head)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    try:
        for side, made in (("before", before), ("after", after)):
            for path in sorted(changed & made.keys()):
                file = to / side / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(made[path])
    except OSError as error:
        raise TextError(f"cannot write {ascii(str(to))[1:-1]}: {error.strerror}", "check the path") from None
    return len(changed)


def _pictures(side: Side) -> Mapping[str, bytes]:
    """Pictures of a side by their path below report/; none of one that is not there."""
    if side.built is not None:
        texts = side.texts(path for path in side.artifacts if path.startswith(f"{files.FOLDER}/"))
        return {path.removeprefix(f"{files.FOLDER}/"): data for path, data in texts.items()}
    if side.plan is None:
        return {}
    return {str(made.path.relative_to(files.FOLDER)): made.data for made in files.artifacts(side.plan, ())}
