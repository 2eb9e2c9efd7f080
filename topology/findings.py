"""The one type for everything that is wrong, from a YAML error to an overloaded feed.

A finding is data; how it is printed is the business of `topology.cli`. It points at the
spec by `path` (keys and list positions); `Source.locate` turns that into file, line and
column, because only the text knows where it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

Path = tuple[str | int, ...]


class Severity(StrEnum):
    """How much a finding matters; `--fail-on` names the least that fails a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause on one line of the spec, however many rows it touches."""

    code: str  # a letter for the area and a number, given out once, ever
    message: str  # what is wrong, with the value found
    path: Path = ()  # where in the spec, as keys and 0-based positions
    help: str = ""  # what to write instead
    because: str = ""  # the source of the rule
    severity: Severity = Severity.ERROR
    count: int = 1  # rows that share the cause
    examples: tuple[str, ...] = ()  # up to three of their names
    file: str = ""
    line: int = 0  # 1-based, as editors count; 0 until located
    column: int = 0  # 1-based


class FindingsError(Exception):
    """A step found errors and cannot go on; carries every finding of the step."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(f"{len(self.findings)} findings")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Nearest known word, then all of them."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return f"{guess}known: {', '.join(words)}" if words else guess.strip()
