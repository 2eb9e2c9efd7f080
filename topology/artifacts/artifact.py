"""One file of a build, and the closed table of paths that such a file may have.

Context: names in a spec become parts of paths, and a name is text from outside. Choice: no
path is ever made from free text; a target registers the patterns of its files, and a path
that fits none is refused. Price: a new target needs one line here or in its own module.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from topology.artifacts.output.refusal import OutputError, shown

WORD = "[a-z][a-z0-9_-]*"  # the names that stand in paths: halls, stages, clusters, tables
SLUG = "[a-z0-9]+(?:-[a-z0-9]+)*"  # the names of catalogue entries
PATTERNS: dict[str, tuple[str, ...]] = {}  # target: its path patterns; filled by `register`
_KNOWN: dict[str, re.Pattern[str]] = {}
_SEEDS: dict[str, re.Pattern[str]] = {}


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished file: where it stands below OUT, and all its bytes."""

    path: PurePosixPath
    data: bytes


def register(target: str, patterns: tuple[str, ...], *, seeds: tuple[str, ...] = ()) -> None:
    """Add the path patterns of a target; its module calls this once, when imported.

    In a pattern `{word}` stands for one name, `{slug}` for one product and `{a|b}` for one of
    the texts given; the rest stands for itself. `seeds` are those of the patterns whose files are
    the user's once they are written: a later build keeps them as they stand.

    Raises:
        ValueError: the target has registered other patterns before.
    """
    if PATTERNS.get(target, patterns) != patterns:
        raise ValueError(f"target {target} has registered {PATTERNS[target]}")
    PATTERNS[target] = patterns
    _KNOWN.update({pattern: _compiled(pattern) for pattern in patterns})
    _SEEDS.update({pattern: _KNOWN[pattern] for pattern in seeds})


def is_known(path: PurePosixPath) -> bool:
    """Whether some target registered a pattern that fits all of `path`."""
    return any(pattern.fullmatch(str(path)) for pattern in _KNOWN.values())


def is_seed(path: PurePosixPath | str) -> bool:
    """Whether the file at `path` is the user's once a build has written it."""
    return any(pattern.fullmatch(str(path)) for pattern in _SEEDS.values())


def check_path(path: PurePosixPath) -> None:
    """Check that `path` is one that a build writes.

    Raises:
        OutputError: no registered pattern fits; some name got past the schema.
    """
    if not is_known(path):
        raise OutputError(
            f"'{shown(path)}' is not a path that a build writes",
            "use names of lower-case letters, digits, '-' and '_' that begin with a letter",
        )


def _compiled(pattern: str) -> re.Pattern[str]:
    """Regular expression of a pattern; every second piece of the split stood in braces."""
    pieces = re.split(r"\{([^{}]*)\}", pattern)
    for index, piece in enumerate(pieces):
        choices = "|".join(re.escape(choice) for choice in piece.split("|"))
        braced = {"word": WORD, "slug": SLUG}.get(piece, f"(?:{choices})")
        pieces[index] = braced if index % 2 else re.escape(piece)
    return re.compile("".join(pieces))


register("plan", ("plan.json",))
register("findings", ("findings.json", "findings.sarif"))
register("source", ("source/cluster.yaml", "source/catalog/{word}/{slug}.yaml"))
register("tables", ("tables/{word}.parquet",))
register(
    "slurm",
    (
        "stages/{word}/slurm/{word}/{slurm.conf|nodes.conf|partitions.conf|gres.conf|cgroup.conf}",
        "stages/{word}/slurm/{word}/{topology.yaml|topology.conf}",
    ),
)
