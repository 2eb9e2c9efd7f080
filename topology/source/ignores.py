"""Comments `# topology: ignore[N302] reason`, which accept a finding on a line of the spec."""

import re
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
    texts, in which a '#' starts no comment.
    """
    accepted: list[Ignore] = []
    wrong: list[Finding] = []
    offset = 0
    for number, line in enumerate(lines, start=1):
        hit = _COMMENT.search(line)
        if hit and not any(start <= offset + hit.start() < end for start, end in texts):
            here = (number, hit.start() + 1)
            form = _FORM.fullmatch(hit.group(1).rstrip())
            if form is None:
                wrong.append(at(found("S801", "an ignore comment without codes in brackets", help=_HOW), here))
            elif not form.group(2):
                wrong.append(at(found("S801", "an ignore comment without a reason", help=_HOW), here))
            else:
                target = number if line[: hit.start()].strip() else _below(lines, number)
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


def _below(lines: Sequence[str], number: int) -> int:
    """1-based number of the first line after line `number` that is neither empty nor a comment."""
    for later in range(number, len(lines)):
        if lines[later].strip() and not lines[later].lstrip().startswith("#"):
            return later + 1
    return number
