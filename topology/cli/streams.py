"""Standard streams that may be full, closed or read by nobody, and terminals that print ASCII only."""

import codecs
import io
import os
import sys
import unicodedata
from typing import TextIO

from topology.cli.exits import PIPE_CLOSED, REFUSED

_PLAIN = {  # characters of our own words; ours alone, since a spec's are shown as escapes anyway
    "…": "...",
    "·": "*",
    "→": "->",
    "—": "-",
    "\u2013": "-",
    "\u2212": "-",
    "\u00d7": "x",
    "±": "+-",
    "Δ": "d",
    "≤": "<=",
    "≥": ">=",
    "²": "2",
    "§": "section ",
    "η": "eta",
    "✅": "[ok]",
    "❌": "[failed]",
    "⚠": "[!]",
    "\ufe0f": "",
}
HANDLER = "topology-plain"


def guard() -> None:
    """Make the process's own streams tell what becomes of them, in a line and an exit code; others are left alone.

    A descriptor that is closed is opened on the null device, so that no file of ours takes its number.
    """
    register()
    for descriptor in range(3):
        if _closed(descriptor):  # one that takes no words, so that a result on it fails
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is sys.__stdout__:
        sys.stdout = ResultStream(sys.stdout or _reopened(1))
    if sys.stderr is sys.__stderr__:
        sys.stderr = MessageStream(sys.stderr or _reopened(2))


def register() -> None:
    """Make `HANDLER` known as what to do with characters that an encoding lacks."""
    codecs.register_error(HANDLER, _plain)


def _reopened(descriptor: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(descriptor, "w", closefd=False), encoding="utf-8")


class _Guarded(io.TextIOWrapper):
    """A standard stream whose failures end in `_failed`."""

    def __init__(self, over: TextIO) -> None:
        over.flush()
        super().__init__(
            over.buffer, over.encoding, HANDLER, line_buffering=getattr(over, "line_buffering", False), newline=None
        )
        self._over = over  # kept: its end would close the descriptor

    def write(self, text: str) -> int:
        """Characters written."""
        try:
            return super().write(text)
        except OSError as error:
            return self._failed(error)

    def flush(self) -> None:
        """Write what is kept."""
        try:
            super().flush()
        except OSError as error:
            self._failed(error)

    def _lose(self) -> None:
        """Nothing that is kept can be written, now or at the end."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)

    def _failed(self, error: OSError) -> int:
        """What a subclass makes of it; characters that count as written."""
        raise error


class ResultStream(_Guarded):
    """Standard output: a run whose result nobody gets has failed."""

    def _failed(self, error: OSError) -> int:
        """End the run.

        Raises:
            SystemExit: with 141 when the reader has left, as a program that dies of SIGPIPE; else with 2.
        """
        self._lose()
        if isinstance(error, BrokenPipeError):
            raise SystemExit(PIPE_CLOSED) from None
        sys.stderr.write(
            f"error: cannot write to standard output: {error.strerror}\n"
            "  help: give it a file or terminal with room; files of this run that are complete stand\n"
        )
        raise SystemExit(REFUSED) from None


class MessageStream(_Guarded):
    """Standard error: what it cannot say is lost, and the exit code is still right."""

    def _failed(self, error: OSError) -> int:
        del error
        self._lose()
        return 0


def _closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that a stream cannot write."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_letter, error.object[error.start : error.end])), error.end


def _letter(character: str) -> str:
    name = unicodedata.name(character, "")
    if name.startswith("BOX DRAWINGS"):
        corners = {"HORIZONTAL": "-", "VERTICAL": "|"}
        return corners.get(name.rpartition(" ")[2], "+")
    return _PLAIN.get(character, character.encode("unicode_escape").decode())
