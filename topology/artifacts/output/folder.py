"""Where OUT stands: its absolute path, the names beside it, and the places it must not be."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwuid
from stat import S_ISDIR, S_ISLNK

from topology.artifacts.output.refusal import OutputError, explain_errors, shown

NAME_BYTES = 255  # NAME_MAX of Linux file systems
PATH_BYTES = 4096  # PATH_MAX of Linux, the closing NUL included
SIBLING = re.compile(r"\..+\.(lock|versions|(new|swap|link)-\d+)")
LONGEST_SIBLING = ".{name}.versions/1234567890"


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """OUT and what a build keeps beside it; all on one file system, so that a rename is one step."""

    out: Path  # absolute; no link above it, and itself one only when it is ours

    def beside(self, kind: str) -> Path:
        """Name of a neighbour: `.<name>.<kind>`."""
        return self.out.with_name(f".{self.out.name}.{kind}")

    @property
    def staging(self) -> Path:
        """Folder where this process writes the new tree; all of it is ours."""
        return self.beside(f"new-{os.getpid()}")

    @property
    def swapping(self) -> Path:
        """Name of the whole new tree just before the exchange, of the old tree just after."""
        return self.beside(f"swap-{os.getpid()}")

    @property
    def link(self) -> Path:
        """Name of the new version link before it takes the place of the old one."""
        return self.beside(f"link-{os.getpid()}")

    @property
    def versions(self) -> Path:
        """Folder of numbered trees behind the link OUT, where folders cannot be exchanged."""
        return self.beside("versions")

    def tree(self) -> Path | None:
        """The folder that holds the present tree; None when nothing stands at OUT.

        Raises:
            OutputError: something else stands there: a file, or a link that is not ours.
        """
        with explain_errors(self.out):
            try:
                mode = self.out.lstat().st_mode
            except FileNotFoundError:
                return None
            if S_ISDIR(mode):
                return self.out
            if not S_ISLNK(mode):
                raise OutputError(f"{shown(self.out)} is a file, not a folder")
            target = str(self.out.readlink())
            ours = re.fullmatch(re.escape(self.versions.name) + "/[1-9][0-9]*", target)
            if not ours or self.versions.is_symlink():
                raise OutputError(f"{shown(self.out)} is a symbolic link", "name the folder itself with -o")
            folder = self.out.parent / target
            if folder.is_symlink() or not folder.is_dir():
                raise OutputError(f"{shown(self.out)} links to a folder that is gone", "remove the link")
            return folder


def output_folder(out: Path) -> OutputFolder:
    """The place of `out`, taken from the working folder; nothing is written.

    A link at or above the working folder is the user's own way to it, and one that stands in
    `/` is the system's layout, because only root writes there. Any other link on the way is refused.

    Raises:
        OutputError: a link on the way, a path too long, or nothing but `/`.
    """
    if not _is_name(str(out)):
        raise OutputError(f"'{shown(out)}' holds a NUL byte or half a character")
    path = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() would follow links
    _check_name(path)
    path = _below_working_folder(path)
    _check_name(path)
    for parent in reversed(path.parents):
        if parent.parent != Path("/") and parent.is_symlink():
            raise OutputError(f"{shown(parent)} is a symbolic link", "name the real folder with -o")
    return OutputFolder(path)


def _check_name(path: Path) -> None:
    """Check that OUT may have this path and its neighbours theirs, whatever stands there."""
    if path.parent == path:
        raise OutputError("/ cannot be an output folder", "name a folder below it with -o")
    if SIBLING.fullmatch(path.name):
        raise OutputError(f"{shown(path)} has a name that builds keep for themselves")
    siblings = LONGEST_SIBLING.format(name=path.name)
    parts = [*path.parts, siblings.partition("/")[0]]
    if max(len(os.fsencode(part)) for part in parts) > NAME_BYTES:
        raise OutputError(f"{shown(path)}: a name on this path is too long", "choose a shorter name with -o")
    check_length(path.parent / siblings)


def check_length(path: Path) -> None:
    """Check that the system can open `path`; OutputError when it is too long for that."""
    if len(os.fsencode(path)) >= PATH_BYTES:
        message = f"{shown(path)[:60]}…: the path has {len(os.fsencode(path))} bytes"
        raise OutputError(message, f"choose a shorter folder with -o; a path takes {PATH_BYTES - 1} bytes")


def check_replaceable(place: OutputFolder, forbidden: Sequence[Path]) -> None:
    """Check that a build may replace the folder at OUT.

    Raises:
        OutputError: OUT is a home, a repository, a mount point, or holds the working folder
            or one of `forbidden` (the folders a build reads from).
    """
    out, tree = shown(place.out), check_free_to_use(place)
    if tree is None:
        return
    for folder in forbidden:
        if _holds(tree, folder):
            raise OutputError(f"{out} is or holds {shown(folder)}, which this build reads")
    if _holds(tree, Path.cwd()):
        raise OutputError(f"{out} is or holds the folder you are in", "build from another folder")
    if tree.is_mount():
        raise OutputError(f"{out} is a mount point", "name a folder inside it with -o")


def check_free_to_use(place: OutputFolder, *, repository: bool = False) -> Path | None:
    """The folder at OUT, None without one, proved to be no home and no repository.

    Args:
        place: Where it stands.
        repository: Whether it may be the root of a repository.

    Raises:
        OutputError: OUT is one of these, is inside a .git folder, or is a file or a link.
    """
    out = shown(place.out)
    if ".git" in place.out.parts:
        raise OutputError(f"{out} is inside a .git folder")
    tree = place.tree()
    if tree and any(_holds(tree, home) for home in _homes()):
        raise OutputError(f"{out} is or holds a home folder", "name a folder inside it with -o")
    if tree and not repository and os.path.lexists(tree / ".git"):
        raise OutputError(f"{out} is the root of a repository", "name a folder inside it with -o")
    return tree


def _holds(tree: Path, folder: Path) -> bool:
    """Whether `folder` is `tree` or lies below it, by what they are and not by their names."""
    real = folder.resolve()
    return any(each.exists() and each.samefile(tree) for each in (real, *real.parents))


def _is_name(path: str) -> bool:
    """Whether the system takes a path: it holds no NUL, and nothing that has no bytes."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _below_working_folder(path: Path) -> Path:
    """`path` with the part that leads to the working folder replaced by its real name."""
    here = Path.cwd()
    for parent in path.parents:
        if parent != Path("/") and parent.exists() and parent.samefile(here):
            return here / path.relative_to(parent)
    return path


def _homes() -> Iterator[Path]:
    """Home by the environment and by the user table; they differ under sudo."""
    with suppress(RuntimeError, KeyError):  # a container may run as a user that no table knows
        yield Path.home()
        yield Path(getpwuid(os.getuid()).pw_dir)
