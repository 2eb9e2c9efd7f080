"""From the words of a command line to the two sides of a comparison."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from topology.cli import session
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.findings import Finding, FindingsError, shown
from topology.source import YamlSource
from topology.source.file_bytes import MAX_BYTES, within_size

if TYPE_CHECKING:
    from topology.review.side import Side
    from topology.source.revisions import Revision


def both(base: str, head: str, progress: Progress) -> "tuple[Side, Side]":
    """Both sides.

    Raises:
        TextError: one cannot be had, or neither holds a spec.
    """
    from topology.source.refusal import TextError  # noqa: PLC0415 - not needed by --help

    if base == head == session.STDIN:
        raise TextError("both sides are standard input", "name a file for one of them")
    made = [_side(words, progress) for words in (base, head)]
    if all(side.absent for side in made):
        raise TextError(
            f"neither {shown(base, 200)} nor {shown(head, 200)} is there", "check the path behind the colon"
        )
    return made[0], made[1]


def _side(words: str, progress: Progress) -> "Side":
    """What an argument names: a file or folder if there is one, else a revision, if it has a colon."""
    from topology.review.built import built  # noqa: PLC0415 - not needed by --help
    from topology.source.refusal import TextError  # noqa: PLC0415
    from topology.source.revisions import Revision  # noqa: PLC0415

    progress.step(f"reading {words}")
    path = Path(words)
    if words == session.STDIN:
        return _parse(words, words, lambda: session.read(words), Path(), progress)
    try:
        if path.is_dir():
            return built(path)
        if path.exists() or path.is_symlink():
            return _file(path, progress)
    except (OSError, ValueError) as error:
        raise TextError(f"cannot read {shown(words, 200)}: {error}", "check the path") from None
    if ":" in words:
        return _revision(words, Revision.parse(words, Path.cwd()), progress)
    raise TextError(
        f"no file {shown(words, 200)}", "name a spec, REV:path, such as main:cluster.yaml, or a built folder"
    )


def _file(path: Path, progress: Progress) -> "Side":
    """A spec in the work tree; nothing outside that tree is read."""
    from topology.source.revisions import workspace  # noqa: PLC0415 - not needed by --help

    root = workspace(path.parent)
    return _parse(str(path), str(path), lambda: YamlSource.read(path, root), path.parent, progress, root)


def _revision(words: str, revision: "Revision", progress: Progress) -> "Side":
    """A spec as it stands at a revision, with its catalogue of that revision; absent where there is none."""
    from topology.review.side import Side  # noqa: PLC0415 - not needed by --help

    data = revision.blob(revision.path)
    if data is None:
        revision.check_meant(revision.path, Path.cwd())
        return Side(words, revision.path)
    with TemporaryDirectory(prefix="topology-") as name:
        folder = Path(name).resolve()
        folder_in_git = revision.path.rpartition("/")[0]
        try:
            source = YamlSource.parse(revision.path, within_size(data, revision.path))
        except FindingsError as error:
            return Side(words, revision.path, None, None, tuple(error.findings), error.lines)
        inside = revision.catalog(source)
        if inside is not None:
            _unpack(revision, inside, folder / source.data["catalog"], folder)
        side = _parse(words, revision.path, lambda: source, folder, progress, folder)
        prefix = f"{folder_in_git}/" if folder_in_git else ""
        findings = tuple(_with_repository_paths(finding, f"{folder}/", prefix) for finding in side.findings)
        lines = {file.replace(f"{folder}/", prefix): text for file, text in side.lines.items()}
        return replace(side, findings=findings, lines=lines)


def _unpack(revision: "Revision", inside: str, to: Path, root: Path) -> None:
    """Write the catalogue of a revision below a temporary folder; a path that leads out is left for the checks."""
    from posixpath import normpath  # noqa: PLC0415 - only revisions need it

    target = Path(normpath(to))
    if not target.is_relative_to(root):
        return
    for path, data in revision.files(inside):
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data[: MAX_BYTES + 1])


def _with_repository_paths(finding: Finding, folder: str, prefix: str) -> Finding:
    """The finding with places in the repository instead of the temporary folder."""
    bare = folder.rstrip("/")
    return replace(
        finding,
        file=finding.file.replace(folder, prefix),
        message=finding.message.replace(folder, prefix).replace(bare, "the repository"),
    )


def _parse(  # noqa: PLR0913, PLR0917 - one call per kind of side
    words: str, spec: str, read: "object", folder: Path, progress: Progress, root: Path | None = None
) -> "Side":
    """The side of a text, whatever is wrong with it."""
    from topology.review.side import Side  # noqa: PLC0415 - not needed by --help

    try:
        source = read()  # type: ignore[operator]
    except FindingsError as error:
        return Side(words, spec, None, None, tuple(error.findings), error.lines)
    seen = session.examine(source, folder, progress, Severities(), root)
    return Side(words, spec, source, seen.plan, seen.findings, seen.lines)
