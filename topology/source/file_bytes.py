"""The bytes of a file, read once, from regular files of sensible size only."""

import os
import stat
from dataclasses import replace
from pathlib import Path

from topology.findings import FindingsError
from topology.rules import found

MAX_BYTES = 16 * 1024 * 1024
_LIMIT = f"{MAX_BYTES:,} bytes are the limit"

SPEC_NAME = "cluster.yaml"  # as a folder's spec is called

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def file_bytes(path: Path, root: Path | None) -> bytes:
    """Bytes of the file at `path`; with `root`, only of one that lies under it, links followed.

    The size and the kind are those of the file that was opened, not of the name: nothing can
    be swapped in between. Opening never waits, so a pipe without a writer is refused at once.

    Raises:
        FindingsError: It cannot be opened, is no regular file, is too large, or lies elsewhere.
    """
    name = display(path)
    try:
        real = os.path.realpath(path, strict=True)
        if root is not None and not Path(real).is_relative_to(os.path.realpath(root, strict=True)):
            help_ = "copy the file into the folder of the spec"
            raise _refusal("S104", f"it leads out of the folder {display(root)}", name, help_)
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise _refusal("S101", f"cannot read the file: {_lower(words)}", name, "check the path") from None
    try:
        return _regular(descriptor, path)
    finally:
        os.close(descriptor)


def display(path: Path) -> str:
    """The path as people read it, bytes that are no text as backslash escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _regular(descriptor: int, path: Path) -> bytes:
    about, name = os.fstat(descriptor), display(path)
    if not stat.S_ISREG(about.st_mode):
        kind = _KINDS.get(stat.S_IFMT(about.st_mode), "no regular file")
        spec = path / SPEC_NAME
        help_ = f"name {display(spec)}" if spec.is_file() else "name a file, or - for stdin"
        raise _refusal("S102", f"it is {kind}, not a regular file", name, help_)
    if about.st_size > MAX_BYTES:
        raise _refusal("S103", f"the file has {about.st_size:,} bytes", name, _LIMIT)
    parts: list[bytes] = []
    left = MAX_BYTES + 1  # a file may grow while it is read
    try:
        while left > 0 and (part := os.read(descriptor, left)):
            parts.append(part)
            left -= len(part)
    except OSError as error:
        raise _refusal("S101", f"cannot read the file: {_lower(error.strerror)}", name, "") from None
    return within_size(b"".join(parts), name)


def within_size(data: bytes, name: str) -> bytes:
    """The bytes again, when there are not too many.

    Raises:
        FindingsError: There are more than `MAX_BYTES`.
    """
    if len(data) > MAX_BYTES:
        raise _refusal("S103", "the text has more than 16 MiB", name, _LIMIT)
    return data


def _refusal(code: str, message: str, name: str, help_: str) -> FindingsError:
    return FindingsError([replace(found(code, message, help=help_), file=name)])


def _lower(words: str | None) -> str:
    return words[:1].lower() + words[1:] if words else "unknown error"
