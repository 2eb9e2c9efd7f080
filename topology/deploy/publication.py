"""Published files: every release in a folder of its own, and a link that says which one is in use.

    DEST/slurm/colossus/releases/s2-1f2e3d4c5b6a/slurm.conf …
    DEST/slurm/colossus/current  -> releases/s2-1f2e3d4c5b6a
    DEST/slurm/colossus/previous -> releases/s1-0a1b2c3d4e5f

Readers follow `current`, which moves in one step from one whole release to the next. Releases of
earlier stages stay until their own stack is destroyed, so destroying a stage falls back to them.
In a Git working copy a release is named after its stage alone, and the history keeps what was.
"""

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from topology.artifacts.output.folder import OutputFolder, check_free_to_use, output_folder
from topology.artifacts.output.manifest import leads_below, sha256
from topology.artifacts.output.plain import is_folder, read_plain, sync_folder
from topology.artifacts.output.refusal import OutputError, shown
from topology.artifacts.output.staging import FILE_MODE, clear_begun
from topology.deploy.edits import Edit, edits_of_text
from topology.deploy.releases import (
    AGAIN,
    MISSING,
    Release,
    StandingRelease,
    standing_release,
    write_beside,
    write_into,
)
from topology.deploy.secrets import command_in_words, without_secrets
from topology.deploy.stop import DeployError

CURRENT, PREVIOUS = "current", "previous"
RELEASES = "releases"
READ_BYTES = 1 << 24  # of an edited file; a longer one is told by its digest
COMMAND_S = 300  # a reconfigure takes seconds; more is a hang


@dataclass(frozen=True, slots=True)
class Publication:
    """Where the releases of one receiver stand."""

    place: OutputFolder  # DEST; no link leads to it
    cluster: str
    kind: str
    name: str
    git: bool
    after: str  # command to run once `current` is right; "" for none

    @classmethod
    def at(cls, config: Mapping[str, Any], cluster: str, kind: str, name: str) -> Self:
        """The place that a stack's `publish` names.

        Raises:
            DeployError: the configuration is not one, or leads to a place that is never written in.
        """
        form, path = config.get("kind"), config.get("path")
        if form not in {"directory", "git"} or not isinstance(path, str) or not path:
            shape = '{"kind": "directory", "path": "site"} or {"kind": "git", "path": "WORKING COPY"}'
            raise DeployError(f"the configuration key publish is of another form; write {shape}")
        if not leads_below(f"{kind}/{name}"):
            raise DeployError(f"'{shown(name)}' is no name of a receiver; run topology build on the spec again")
        with _explain_refusal():
            place = output_folder(Path(path))
        return cls(place, cluster, kind, name, form == "git", str(config.get("after") or ""))

    @property
    def root(self) -> Path:
        """Folder of the receiver: DEST/slurm/colossus."""
        return self.place.out / self.kind / self.name

    def publish(self, release: Release, files: Mapping[str, bytes]) -> str:
        """Digest of the release as it stands now: written, in use unless a later stage's is, and announced.

        Raises:
            DeployError: it cannot be written, something of others is in the way, or the command after it failed.
        """
        with self._explain_errors():
            check_free_to_use(self.place, repository=self.git)
            self._check_links([*self._releases()])
            folder = self.root / RELEASES / self._name(release)
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._clear(release.stage)
            if is_folder(folder):
                write_into(folder, release, files)
            elif os.path.lexists(folder):
                raise DeployError(f"{shown(folder)} is a link or a file, not a release of ours; move it away, {AGAIN}")
            else:
                write_beside(folder, release, files)
            os.utime(folder)  # the newest of its stage, also where it had stood before
            self._point()
            self._forget(release, folder)
        self._commit(f"{release.cluster}: {self.name} of stage {release.stage}")
        self._announce(release.stage)
        return self.live_digest(release) or ""

    def live_digest(self, release: Release) -> str | None:
        """Digest of what stands of a release, and whether it may be in use; None when nothing stands."""
        with self._explain_errors():
            newest = self.newest(release.stage)
            if newest is None:
                return None
            whole = hashlib.sha256()
            for path, found in newest.found().items():
                whole.update(f"{path} {found}\n".encode())
            if not self.is_in_use(release.order):
                whole.update(b"not in use\n")
            return whole.hexdigest()

    def withdraw(self, release: Release) -> None:
        """Remove every release of the stage; the latest of the others is in use then.

        Raises:
            DeployError: it cannot be done without touching what is not ours; then nothing is touched.
        """
        with self._explain_errors():
            every = [*self._releases()]
            mine = [each for each in every if each.stage == release.stage]
            for each in mine:
                each.check_removable()
            if len(every) > len(mine):
                self._check_links(every)
            self._clear(release.stage)
            for each in mine:
                each.remove()
            if mine:
                self._point({each.folder for each in mine})
            for empty in (self.root / RELEASES, self.root, self.root.parent):
                with contextlib.suppress(OSError):
                    empty.rmdir()
        if mine:
            self._commit(f"{release.cluster}: {self.name} of stage {release.stage} withdrawn")
            if self.root.exists():
                self._announce(release.stage)

    def newest(self, stage: str) -> StandingRelease | None:
        """The newest release of a stage."""
        mine = [each for each in self._releases() if each.stage == stage]
        return max(mine, key=lambda each: each.written_ns, default=None)

    def edits(self, release: Release, files: Mapping[str, bytes]) -> Iterator[Edit]:
        """What stands otherwise than these files, which were published; without them lines cannot be told."""
        with self._explain_errors():
            newest = self.newest(release.stage)
            if newest is None:
                return
            wanted = {path: sha256(text) for path, text in files.items()} or newest.files
            found = newest.found()
            for path in sorted(wanted.keys() | found.keys()):
                yield from _edits_of_file(
                    newest.folder, path, found.get(path, MISSING), wanted.get(path), files.get(path)
                )
            if not self.is_in_use(release.order):
                link = self.root / CURRENT
                leads = str(link.readlink()) if link.is_symlink() else "no link" if os.path.lexists(link) else None
                yield Edit(CURRENT, "", leads, f"{RELEASES}/{newest.folder.name}")

    def is_in_use(self, order: int) -> bool:
        """Whether the release of a stage, or of a later one, is in use."""
        used = self._target(CURRENT)
        standing = standing_release(used) if used else None
        return standing is not None and standing.order >= order

    def _name(self, release: Release) -> str:
        return release.stage if self.git else f"{release.stage}-{release.digest[:12]}"

    def _point(self, gone: Collection[Path] = ()) -> None:
        """Let `current` lead to the release of the latest stage, and `previous` to what it led to.

        Args:
            gone: Folders that were releases until now; one with files of others is there still.
        """
        wanted = max(self._releases(), key=lambda each: (each.order, each.written_ns), default=None)
        used = self._target(CURRENT)
        if wanted is not None and used != wanted.folder:
            if used is not None and not self.git:
                self._link(PREVIOUS, used)
            self._link(CURRENT, wanted.folder)
        for name in (CURRENT, PREVIOUS):
            if self._is_dangling(name) or self._linked(name) in gone:
                (self.root / name).unlink()

    def _link(self, name: str, folder: Path) -> None:
        """Let a link lead to a release; it is put in place of the one that stands there in one step."""
        begun = OutputFolder(self.root / name).staging
        begun.mkdir()
        try:
            (begun / name).symlink_to(Path(RELEASES, folder.name))
            (begun / name).replace(self.root / name)
        finally:
            shutil.rmtree(begun, ignore_errors=True)
        sync_folder(self.root)

    def _check_links(self, releases: list[StandingRelease]) -> None:
        """Check that `current` and `previous` are ours, or not there.

        Once releases of ours stand, a link there is one of ours, though somebody may have turned it; before that, only
        one that leads to a release that is gone.

        Raises:
            DeployError: somebody else has the name.
        """
        for name in (CURRENT, PREVIOUS):
            link = self.root / name
            if os.path.lexists(link) and not (link.is_symlink() and (releases or self._is_dangling(name))):
                raise DeployError(f"{shown(link)} is not ours; move it away, or publish to another folder")

    def _clear(self, stage: str) -> None:
        """Remove what runs that were killed had begun to write."""
        clear_begun(self.root, f"{CURRENT}|{PREVIOUS}")
        clear_begun(self.root / RELEASES, rf"{re.escape(stage)}(?:-[0-9a-f]{{12}})?")

    def _forget(self, release: Release, folder: Path) -> None:
        """Remove releases of this stage that are neither the newest, nor in use, nor the previous one."""
        kept = {folder, self._target(CURRENT), self._target(PREVIOUS)}
        for each in self._releases():
            if each.folder not in kept and each.stage == release.stage:
                each.remove()

    def _target(self, name: str) -> Path | None:
        """The folder of a release that a link leads to; None for a link that leads anywhere else."""
        folder = self._linked(name)
        return folder if folder and is_folder(folder) else None

    def _is_dangling(self, name: str) -> bool:
        """Whether a link leads to a release that is not there."""
        folder = self._linked(name)
        return folder is not None and not os.path.lexists(folder)

    def _linked(self, name: str) -> Path | None:
        """What a link names among the releases, if it does."""
        link = self.root / name
        words = str(link.readlink()).split("/") if link.is_symlink() else []
        return self.root / RELEASES / words[1] if len(words) == 2 and words[0] == RELEASES else None  # noqa: PLR2004

    def _releases(self) -> Iterator[StandingRelease]:
        """Releases of ours, by name.

        Raises:
            DeployError: a link leads to them, or another cluster publishes there.
        """
        folder = self.root / RELEASES
        for above in (self.root.parent, self.root, folder):
            if os.path.lexists(above) and not is_folder(above):
                raise DeployError(f"{shown(above)} is a link or a file, not a folder; move it away, {AGAIN}")
        for each in sorted(folder.iterdir()) if is_folder(folder) else ():
            release = None if each.name.startswith(".") else standing_release(each)
            if release and release.cluster != self.cluster:
                message = f"{shown(each)} is of the cluster {shown(release.cluster):.40}"
                raise DeployError(f"{message}; publish {self.cluster} to another folder")
            if release:
                yield release

    def _commit(self, subject: str) -> None:
        """Commit what changed below the root, where the place is a Git working copy."""
        if not self.git:
            return
        base = self.root.parent
        while not base.is_dir():
            base = base.parent
        git = ["git", "-C", str(base)]
        top = Path(_run([*git, "rev-parse", "--show-toplevel"], base).strip())
        git = ["git", "-C", str(top)]
        inside = os.path.relpath(self.root, top)
        _run([*git, "add", "--all", "--", inside], top, may_fail=not self.root.exists())
        if _run([*git, "status", "--porcelain", "--", inside], top).strip():
            _run([*git, "commit", "--quiet", "--message", subject, "--", inside], top)

    def _announce(self, stage: str) -> None:
        """Run the command that tells the receiver, such as `scontrol reconfigure`."""
        try:
            argv = shlex.split(self.after)
        except ValueError as error:
            raise DeployError(f"the configuration key publish: after is no command ({error})") from None
        if argv:
            here = self._target(CURRENT) or self.root
            _run(argv, here, {"TOPOLOGY_STAGE": stage, "TOPOLOGY_FOLDER": str(here)}, secret=self.after)

    @contextlib.contextmanager
    def _explain_errors(self) -> Iterator[None]:
        """Turn an error of the system into one line."""
        try:
            with _explain_refusal():
                yield
        except OSError as error:
            where = shown(error.filename or self.root)
            raise DeployError(f"{where}: {error.strerror}; mend that and run pulumi up again") from None


def _edits_of_file(folder: Path, path: str, found: str, wanted: str | None, text: bytes | None) -> Iterator[Edit]:
    """What differs in one file of a release; `found` as `StandingRelease.found` says it."""
    digest, _, mode = found.partition(" mode ")
    if wanted is None:
        yield Edit(path, "", "a file or folder", None)
    elif found == MISSING:
        yield Edit(path, "", None, "a file of ours")
    elif len(digest) != len(wanted):  # no file stands there
        yield Edit(path, "", found, "a file")
    elif digest != wanted:
        stands = read_plain(folder / path, limit=READ_BYTES + 1, alone=False)
        if text is None or len(stands) > READ_BYTES:
            yield Edit(path, "", f"of other bytes, {digest[:12]}", wanted[:12])
        else:
            yield from edits_of_text(path, stands, text)
    if mode:
        yield Edit(path, "mode", mode, f"{FILE_MODE:04o}")


@contextlib.contextmanager
def _explain_refusal() -> Iterator[None]:
    """Turn the refusal of a folder, or of a file in it, into one line without words of `topology build`."""
    try:
        yield
    except OutputError as error:
        raise DeployError(f"{error.message}; mend that, or name another folder: publish.path") from None


def _run(
    argv: list[str], cwd: Path, env: Mapping[str, str] | None = None, *, secret: str = "", may_fail: bool = False
) -> str:
    """What a command printed. What it says of a failure is told without what may be secret in it, or in `secret`.

    Raises:
        DeployError: it is not there, does not end, or says no.
    """
    words = shown(command_in_words(argv))
    try:
        done = subprocess.run(  # noqa: S603 - a list of words of the user's own configuration, no shell
            argv, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, errors="replace",
            timeout=COMMAND_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DeployError(f"{words}: no answer within {COMMAND_S} s") from None
    except (OSError, ValueError) as error:  # no such program, or a word that no system takes
        reason = error.strerror if isinstance(error, OSError) else "it holds a character that no command takes"
        raise DeployError(f"{words}: {reason}") from None
    if done.returncode and not may_fail:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        told = shown(without_secrets(said[-1], secret))
        raise DeployError(f"{words} failed ({done.returncode}): {told:.200}")
    return done.stdout
