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
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from topology.artifacts.output.manifest import sha256
from topology.deploy.releases import Release, link_to, read_mark, remove, target, write_beside, write_into
from topology.deploy.stop import DeployError

CURRENT, PREVIOUS = "current", "previous"
COMMAND_S = 300  # a reconfigure takes seconds; more is a hang


@dataclass(frozen=True, slots=True)
class Publication:
    """Where the releases of one receiver stand."""

    root: Path  # DEST/slurm/colossus
    git: bool
    after: str  # command to run once `current` is right; "" for none

    @classmethod
    def at(cls, config: Mapping[str, Any], kind: str, name: str) -> Self:
        """The place that a stack's `publish` names.

        Raises:
            DeployError: the configuration is not one.
        """
        form, path = config.get("kind"), config.get("path")
        if form not in {"directory", "git"} or not isinstance(path, str) or not path:
            shape = '{"kind": "directory", "path": "site"} or {"kind": "git", "path": "WORKING COPY"}'
            raise DeployError(f"the configuration key publish is {dict(config)!r:.60}; write {shape}")
        return cls(Path(path) / kind / name, form == "git", str(config.get("after") or ""))

    def publish(self, release: Release, files: Mapping[str, bytes]) -> str:
        """Digest of the release as it stands now: written, in use unless a later stage's is, and announced.

        Raises:
            DeployError: it cannot be written, or the command after it failed.
        """
        with self._explain_errors():
            folder = self.root / "releases" / self._name(release)
            if not folder.is_dir() and not self.git:
                write_beside(folder, release, files)
            else:
                write_into(folder, release, files)
            os.utime(folder)  # the newest of its stage, also where it had stood before
            self._point()
            self._forget(release, folder)
        self._commit(f"{release.cluster}: {self.root.name} of stage {release.stage}")
        self._announce(release.stage)
        return self.live_digest(release) or ""

    def live_digest(self, release: Release) -> str | None:
        """Digest of what stands of a release, and whether it may be in use; None when nothing stands."""
        with self._explain_errors():
            folder = self._newest(release.stage)
            if folder is None:
                return None
            said = read_mark(folder)
            whole = hashlib.sha256()
            for path in sorted(said.get("files", {})):
                file = folder / path
                whole.update(f"{path} {sha256(file.read_bytes()) if file.is_file() else 'missing'}\n".encode())
            used = self._in_use()
            if used is None or read_mark(used).get("order", -1) < release.order:
                whole.update(b"not in use\n")
            return whole.hexdigest()

    def withdraw(self, release: Release) -> None:
        """Remove every release of the stage; the latest of the others is in use then."""
        with self._explain_errors():
            mine = [folder for folder in self._releases() if read_mark(folder).get("stage") == release.stage]
            for folder in mine:
                remove(folder)
            if mine:
                self._point()
            for empty in (self.root / "releases", self.root, self.root.parent):
                with contextlib.suppress(OSError):
                    empty.rmdir()
        if mine:
            self._commit(f"{release.cluster}: {self.root.name} of stage {release.stage} withdrawn")
            if self.root.exists():
                self._announce(release.stage)

    def _name(self, release: Release) -> str:
        return release.stage if self.git else f"{release.stage}-{release.digest[:12]}"

    def _point(self) -> None:
        """Let `current` lead to the release of the latest stage, and `previous` to what it led to."""
        releases = [*self._releases()]
        wanted = max(releases, key=lambda folder: (read_mark(folder)["order"], folder.stat().st_mtime_ns), default=None)
        used = self._in_use()
        if wanted is None:
            for link in (CURRENT, PREVIOUS):
                (self.root / link).unlink(missing_ok=True)
        elif used != wanted:
            if used is not None and not self.git:
                link_to(self.root / PREVIOUS, used)
            link_to(self.root / CURRENT, wanted)
        previous = self.root / PREVIOUS
        if previous.is_symlink() and not previous.exists():
            previous.unlink()

    def _forget(self, release: Release, folder: Path) -> None:
        """Remove releases of this stage that are neither the newest, nor in use, nor the previous one."""
        kept = {folder, self._in_use(), target(self.root / PREVIOUS)}
        for each in self._releases():
            if each not in kept and read_mark(each)["stage"] == release.stage:
                remove(each)

    def _in_use(self) -> Path | None:
        """The release in use."""
        return target(self.root / CURRENT)

    def _newest(self, stage: str) -> Path | None:
        """The newest release of a stage."""
        mine = [folder for folder in self._releases() if read_mark(folder)["stage"] == stage]
        return max(mine, key=lambda folder: folder.stat().st_mtime_ns, default=None)

    def _releases(self) -> Iterator[Path]:
        """Folders that are releases of ours, by name."""
        folder = self.root / "releases"
        for each in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not each.name.startswith(".") and "order" in read_mark(each):
                yield each

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
        inside = os.path.relpath(self.root.absolute(), top)
        _run([*git, "add", "--all", "--", inside], top, may_fail=not self.root.exists())
        if _run([*git, "status", "--porcelain", "--", inside], top).strip():
            _run([*git, "commit", "--quiet", "--message", subject, "--", inside], top)

    def _announce(self, stage: str) -> None:
        """Run the command that tells the receiver, such as `scontrol reconfigure`."""
        if self.after:
            here = self._in_use() or self.root
            _run(shlex.split(self.after), here, {"TOPOLOGY_STAGE": stage, "TOPOLOGY_FOLDER": str(here.absolute())})

    @contextlib.contextmanager
    def _explain_errors(self) -> Iterator[None]:
        """Turn an error of the system into one line."""
        try:
            yield
        except OSError as error:
            where = error.filename or self.root
            raise DeployError(f"{where}: {error.strerror}; mend that and run pulumi up again") from None


def _run(argv: list[str], cwd: Path, env: Mapping[str, str] | None = None, *, may_fail: bool = False) -> str:
    """What a command printed.

    Raises:
        DeployError: it is not there, does not end, or says no.
    """
    words = shlex.join(argv)
    try:
        done = subprocess.run(  # noqa: S603 - a list of words of the user's own configuration, no shell
            argv, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, errors="replace",
            timeout=COMMAND_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise DeployError(f"{words}: no answer within {COMMAND_S} s") from None
    except OSError as error:
        raise DeployError(f"{words}: {error.strerror}") from None
    if done.returncode and not may_fail:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise DeployError(f"{words} failed ({done.returncode}): {said[-1]:.200}")
    return done.stdout
