"""Findings that are new, fixed and unchanged between two sides."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from topology.findings import Finding, Path, Severity
from topology.review.side import Side
from topology.source import YamlSource

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class FindingChanges:
    """Findings of head that are new and unchanged, and those of base that are fixed; the worst first."""

    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    unchanged: tuple[Finding, ...]


def finding_changes(base: Side, head: Side) -> FindingChanges:
    """The findings of two sides, matched by code and by place in the spec.

    The place is told by names, not by positions: a hall put before others makes none of their findings new.
    """
    had = Counter(_key(finding, base.source) for finding in base.findings)
    have = Counter(_key(finding, head.source) for finding in head.findings)
    unchanged, new = _split(head, had)
    _, fixed = _split(base, have)
    if head.broken:
        fixed = []  # its later checks were never run
    return FindingChanges(_worst(new), _worst(fixed), _worst(unchanged))


def _split(side: Side, others: Counter[Hashable]) -> tuple[list[Finding], list[Finding]]:
    """Findings of a side that the other side has, too, and those that it has not."""
    parts: tuple[list[Finding], list[Finding]] = ([], [])
    left = others.copy()
    for finding in side.findings:
        key = _key(finding, side.source)
        parts[left[key] <= 0].append(finding)
        left[key] -= 1
    return parts


def _worst(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: _RANK[finding.severity]))


def _key(finding: Finding, source: YamlSource | None) -> Hashable:
    place = named(finding.path, source) if source is not None else finding.path
    return finding.code, place, finding.severity, "" if finding.path else finding.message


def named(path: Path, source: YamlSource) -> tuple[str | int, ...]:
    """A spec path with the names of list items instead of their positions, where they have one."""
    value: object = source.data
    steps: list[str | int] = []
    for step in path:
        value = _inside(value, step)
        name = value.get("name") if isinstance(value, dict) else None
        steps.append(name if isinstance(step, int) and isinstance(name, str) else step)
    return tuple(steps)


def _inside(value: object, step: str | int) -> object:
    """The value one step further in; None where there is none."""
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
