"""The output folder: replaced whole in one step, or left as it was.

    folder, lock → leftovers → present → staging → swap → leftovers

A build writes the new tree beside OUT, puts it in OUT's place when every file and folder of it
is on the disk, and then removes the old one. It refuses where it cannot tell its own files from
anyone else's, and deletes none that no manifest of ours lists.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from topology.artifacts.artifact import Artifact, is_seed
from topology.artifacts.output import lock, swap
from topology.artifacts.output.draft import Draft, FileList
from topology.artifacts.output.folder import OutputFolder, check_replaceable, output_folder
from topology.artifacts.output.interrupts import Interrupts, defer_signals
from topology.artifacts.output.leftovers import recover, retire
from topology.artifacts.output.manifest import NAME, ManifestError, render
from topology.artifacts.output.present import compare_files, present_tree, read_manifest
from topology.artifacts.output.refusal import explain_errors
from topology.artifacts.output.staging import parents

ABSENT = "not built yet"
DIFFERENT = "differs from what the spec gives now"


@dataclass(frozen=True, slots=True)
class Published:
    """How many files a build wrote, left as they were, and removed; plan.json is one of them."""

    written: int
    unchanged: int
    removed: int


def _nothing(_path: str) -> bool:
    """Whether a build of everything keeps an artifact that it no longer makes: never."""
    return False


def publish(  # noqa: PLR0913 - each is one decision of the caller
    out: Path,
    artifacts: Iterable[Artifact],
    manifest: Mapping[str, object],
    *,
    force: bool = False,
    keep: Callable[[str], bool] = _nothing,
    forbidden: Sequence[Path] = (),
) -> Published:
    """What was done to make OUT hold exactly `artifacts` and the plan.json that lists them.

    Artifacts are taken one at a time and written as they come. A file whose bytes are those of
    the last build keeps its times. When nothing differs, nothing in OUT is touched.

    Args:
        out: The folder; the folders above it are made when missing.
        artifacts: Every file but plan.json, in any order, each path once.
        manifest: The keys of plan.json besides those counted here.
        force: Replace files that were edited, and a tree whose manifest does not read.
        keep: Paths of the last build to keep, and list, although this run does not make them.
        forbidden: Folders the build reads from; OUT may be none of them and hold none of them.

    Raises:
        OutputError: OUT is refused or cannot be written; the old tree stands.
        KeyboardInterrupt, SystemExit: a signal came; OUT is the whole old or the whole new tree.
    """
    with explain_errors(out):
        here = output_folder(out)
        check_replaceable(here, forbidden)
    with defer_signals() as interrupts, parents(here), lock.hold(here):
        with explain_errors(out):
            recover(here)
            draft = Draft(here, present_tree(here, force=force))
        try:
            draft.staging.open()
            for artifact in _pull(artifacts, interrupts):
                with explain_errors(out):
                    draft.add(artifact)
            with explain_errors(out):
                old = _complete(draft, here, manifest, keep, interrupts)
        except BaseException:
            draft.staging.discard()
            raise
        if old is not None:
            retire(old, here)
        return Published(*draft.counts())


def check(
    out: Path,
    artifacts: Iterable[Artifact],
    manifest: Mapping[str, object],
    *,
    keep: Callable[[str], bool] = _nothing,
) -> list[str]:
    """Paths of OUT that a build would change, each with the reason, sorted; empty when it is fresh.

    Nothing is written, and files that are not ours are not looked at.

    Raises:
        OutputError: OUT is a link or cannot be read, or a build works on it right now.
    """
    with explain_errors(out):
        here = output_folder(out)
        lock.check_free(here)
        folder = here.tree()
        try:
            text, last = read_manifest(folder, alone=False) if folder else (b"", {})
        except ManifestError as error:
            return [f"{NAME}: {error}"]
        stale, _ = compare_files(folder, last, alone=False) if folder else ({}, {})
    listing = FileList(here)
    for artifact in artifacts:
        entry = listing.add(artifact)
        if entry.path not in last:
            stale[entry.path] = ABSENT
        elif entry != last[entry.path] and not is_seed(entry.path):
            stale.setdefault(entry.path, DIFFERENT)
    for path in last.keys() - listing.entries.keys():
        if keep(path):
            listing.keep(last[path])
        else:
            stale[path] = "no longer made"
    if render(manifest, listing.entries.values()) != text:
        stale[NAME] = DIFFERENT if folder else ABSENT
    return [f"{path}: {reason}" for path, reason in sorted(stale.items())]


def _complete(
    draft: Draft,
    here: OutputFolder,
    manifest: Mapping[str, object],
    keep: Callable[[str], bool],
    interrupts: Interrupts,
) -> Path | None:
    """The folder that holds the old tree, now that OUT is the new one; None when there is none."""
    draft.keep(keep)
    if draft.finish(manifest):
        interrupts.raise_pending()  # from here on, a signal finds the new tree whole
        return swap.put_in_place(draft.staging.folder, here)
    draft.staging.discard()
    return None


def _pull(artifacts: Iterable[Artifact], interrupts: Interrupts) -> Iterator[Artifact]:
    """The artifacts; a signal is raised at once while one is being made, and not in between."""
    iterator = iter(artifacts)
    while True:
        with interrupts.let():
            artifact = next(iterator, None)
        if artifact is None:
            return
        yield artifact
