"""Comments `# topology: ignore[N302] reason`, which accept a finding on a line of the spec."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from topology.findings import Finding, Severity
from topology.rules import found
from topology.source.nodes import Spot, at

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*topology:\s*(ignore\b.*|\w+\s*\[.*)")
_FORM = re.compile(r"ignore\s*\[\s*([A-Z]\d{3}(?:\s*,\s*[A-Z]\d{3})*)\s*\]\s*(.*)", re.ASCII)
_GUARDED = ("P", "B")  # areas whose rules guard people or power
_HOW = "write '# topology: ignore[N302]' and the reason, a few words that a reviewer can judge"


@dataclass(frozen=True, slots=True)
class Ignore:
    """One code that one comment accepts on one line."""

    code: str
    reason: str
    target: int  # 1-based line whose findings it accepts
    spot: Spot  # of the comment


def ignores(lines: Sequence[str], texts: Sequence[tuple[int, int]]) -> tuple[list[Ignore], list[Finding]]:
    """Ignore comments in reading order, and findings of those without a code or a reason.

    A comment behind a value accepts findings of that line; one on a line of its own accepts
    those of the next line that is not a comment. `texts` are (start, end) offsets of quoted
    texts, in which a '#' starts no comment, in reading order.
    """
    accepted: list[Ignore] = []
    wrong: list[Finding] = []
    below = _below(lines)
    offset = 0
    for number, line in enumerate(lines, start=1):
        hit = _COMMENT.search(line)
        if hit and not _inside(texts, offset + hit.start()):
            here = (number, hit.start() + 1)
            form = _FORM.fullmatch(hit.group(1).rstrip())
            if form is None:
                wrong.append(at(found("S801", "an ignore comment without codes in brackets", help=_HOW), here))
            elif not form.group(2):
                wrong.append(at(found("S801", "an ignore comment without a reason", help=_HOW), here))
            else:
                target = number if line[: hit.start()].strip() else below[number]
                codes = re.split(r"\s*,\s*", form.group(1))
                accepted.extend(Ignore(code, form.group(2), target, here) for code in codes)
        offset += len(line) + 1
    return accepted, wrong


def apply(ignored: Sequence[Ignore], findings: Sequence[Finding], *, complete: bool) -> Iterator[Finding]:
    """The located findings, accepted ones as notes with their reason; then faults of the comments."""
    used: set[Ignore] = set()
    by_line = {(ignore.target, ignore.code): ignore for ignore in reversed(ignored)}
    for finding in findings:
        ignore = by_line.get((finding.line, finding.code))
        if ignore is None:
            yield finding
            continue
        used.add(ignore)
        if _guards(finding):
            yield finding
            message = f"{finding.code} cannot be ignored"
            yield at(found("S803", message, help="repair the cause, and delete the comment"), ignore.spot)
        else:
            yield replace(finding, severity=Severity.NOTE, accepted=ignore.reason)
    for ignore in ignored if complete else ():
        if ignore not in used:
            message = f"no finding {ignore.code} on line {ignore.target}"
            yield at(found("S802", message, help="delete the comment"), ignore.spot)


def _guards(finding: Finding) -> bool:
    """Whether the rule guards people or power, or there is no site at all without it."""
    no_site = finding.code.startswith(("S", "C")) and finding.severity is Severity.ERROR
    return no_site or finding.code.startswith(_GUARDED)


def _inside(texts: Sequence[tuple[int, int]], offset: int) -> bool:
    """Whether an offset lies in one of the texts, which follow each other."""
    before = bisect_right(texts, offset, key=lambda text: text[0])
    return before > 0 and offset < texts[before - 1][1]


def _below(lines: Sequence[str]) -> list[int]:
    """By 1-based line number, the first line after it that is neither empty nor a comment; the line itself at the end.

    One walk for all lines, since each may hold a comment.
    """
    below = list(range(len(lines) + 1))
    found = 0
    for number in range(len(lines), 0, -1):
        below[number] = found or number
        words = lines[number - 1].lstrip()
        if words and not words.startswith("#"):
            found = number
    return below
