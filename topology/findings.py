"""The one type for everything that is wrong, from a YAML error to an overloaded feed.

A finding is data; how it is printed is the business of `topology.findings_format`. It points
at the spec by `path` (keys and list positions); `YamlSource.locate` turns that into file, line
and column, because only the text knows where it stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

Path = tuple[str | int, ...]
Lines = Mapping[str, tuple[str, ...]]  # source lines by file name, secrets already masked

_FITTING = 24  # known words that a help line lists


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
    accepted: str = ""  # the reason an ignore comment of the spec gives; "" when not accepted


class FindingsError(Exception):
    """A step found errors and cannot go on; carries every finding of the step.

    `lines` holds the text of the files the findings point into, so that a report can show
    the line even when the file never became a YamlSource; empty when the caller has it already.
    """

    def __init__(self, findings: Iterable[Finding], lines: Lines | None = None) -> None:
        self.findings = tuple(findings)
        self.lines: Lines = lines or {}
        super().__init__(f"{len(self.findings)} findings")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Nearest known word, then all of them, or as many as fit a line."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    more = f" and {len(words) - _FITTING:,} more" if len(words) > _FITTING else ""
    return f"{guess}known: {', '.join(words[:_FITTING])}{more}" if words else guess.strip()


def shown(value: object, limit: int = 60) -> str:
    """A value as a message quotes it: printable ASCII in quotes, cut after `limit` characters."""
    if not isinstance(value, str):
        return ascii(value)[:limit]
    text = "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in value[: limit + 1])
    return f"'{text[:limit]}…'" if len(value) > limit else f"'{text}'"
