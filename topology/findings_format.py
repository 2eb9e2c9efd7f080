"""Findings as people and machines read them: text, JSON, GitHub annotations, SARIF.

Pure functions from findings to text. Nothing a spec holds can leave its place: control and
direction characters are shown as escapes, and each format has its own separators escaped.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from topology.findings import Finding, Lines, Severity
from topology.rules import Rule

SHOWN = 20  # findings that text shows in full
ANNOTATIONS = 10  # GitHub drops further ones of a step in silence
WIDTH = 120  # characters of a source line around its caret

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def as_text(findings: Sequence[Finding], lines: Lines, shown: int = SHOWN) -> str:
    """Each finding with its line and a caret, the worst `shown` in the order given, then counts.

    `lines` are the source lines by file name; a finding into another file has no excerpt. No
    colour; ends with a line feed unless there is nothing to say.
    """
    if not findings:
        return ""
    worst = _worst(findings, shown)
    blocks = [_block(finding, lines) for finding in worst]
    if rest := Counter(finding.code for finding in findings) - Counter(finding.code for finding in worst):
        counts = ", ".join(f"{code} ({count:,})" for code, count in sorted(rest.items()))
        blocks.append(f"… and {rest.total():,} more: {counts}\n")
    return "\n".join([*blocks, f"{totals(findings)}\n"])


def totals(findings: Iterable[Finding]) -> str:
    """How many of each severity, in words: ``2 errors, 1 note``."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(f"{counts[s]:,} {s}{'' if counts[s] == 1 else 's'}" for s in Severity if counts[s])


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON object: `schema_version` 1 and the findings in the order given, every field of each."""
    return _json({"schema_version": 1, "findings": [asdict(finding) for finding in findings]})


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands that put the worst ten on the lines of a pull request, then one for the rest."""
    worst = _worst(findings, ANNOTATIONS)
    commands = [_annotation(finding) for finding in worst]
    if len(findings) > len(worst):
        said = f"{len(findings) - len(worst):,} more findings, {totals(findings)} in all: see SARIF or JSON"
        commands.append(f"::notice title=topology::{_data(said)}\n")
    return "".join(commands)


def as_sarif(findings: Iterable[Finding], rules: Iterable[Rule], version: str) -> str:
    """A SARIF 2.1.0 log with one run: every rule declared, one result per rule and line of the spec.

    All rules are declared, met or not, so that an alert closes when its finding is gone. The
    fingerprint is the rule and the path in the spec: it survives lines that move.
    """
    results = _by_rule_and_line(findings)
    declared = {rule.code: _sarif_rule(rule) for rule in rules}
    declared |= {one.code: {"id": one.code} for one in results if one.code not in declared}
    index = {code: place for place, code in enumerate(sorted(declared))}
    driver = {"name": "cluster-topology", "version": version, "rules": [declared[code] for code in index]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one, index[one.code]) for one in results],
    }
    return _json({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def _worst(findings: Sequence[Finding], most: int) -> list[Finding]:
    """The worst `most` findings, in the order given."""
    by_rank = sorted(range(len(findings)), key=lambda place: _RANK[findings[place].severity])
    return [findings[place] for place in sorted(by_rank[:most])]


def _block(finding: Finding, lines: Lines) -> str:
    """One finding as a compiler prints it."""
    text = [f"{finding.severity}[{finding.code}]: {visible(finding.message)}"]
    gutter = " " * len(str(finding.line))
    if finding.file:
        place = f":{finding.line}:{finding.column}" if finding.line else ""
        text.append(f"{gutter}--> {visible(finding.file)}{place}")
    source = lines.get(finding.file, ())
    if 0 < finding.line <= len(source):
        line, caret = _excerpt(source[finding.line - 1], finding.column)
        text += [f"{gutter} |", f"{finding.line} | {line}".rstrip(), f"{gutter} | {' ' * caret}^"]
    if finding.count > 1:
        names = ", ".join(finding.examples)
        text.append(f"{gutter} = found: {finding.count:,} times{', such as ' if names else ''}{visible(names)}")
    notes = (("help", finding.help), ("because", finding.because), ("accepted", finding.accepted))
    text += [f"{gutter} = {word}: {visible(said)}" for word, said in notes if said]
    return "\n".join(text) + "\n"


def _excerpt(line: str, column: int) -> tuple[str, int]:
    """The part of a line around a column, safe to print, and how far from its start the caret is."""
    at = min(max(column - 1, 0), len(line))
    start = max(0, at - WIDTH // 2) if len(line) > WIDTH else 0
    before, after = visible(line[start:at]), visible(line[at : start + WIDTH])
    before = f"…{before}" if start else before
    return f"{before}{after}{'…' if start + WIDTH < len(line) else ''}", len(before)


def visible(text: str) -> str:
    """The text with whatever does not print as itself written as an escape, as in a source text."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _annotation(finding: Finding) -> str:
    properties = {
        "file": finding.file,
        "line": str(finding.line or ""),
        "col": str(finding.column or ""),
        "title": finding.code,
    }
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    notes = (("help", finding.help), ("because", finding.because), ("accepted", finding.accepted))
    said = [finding.message, *(f"{word}: {text}" for word, text in notes if text)]
    return f"::{_COMMANDS[finding.severity]} {given}::{'%0A'.join(map(_data, said))}\n"


def _data(text: str) -> str:
    """Text of a workflow command; a line end in it would start a command of its own."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _by_rule_and_line(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with those of one rule on one line made one: messages joined, as many as `SHOWN`, and counts added."""
    alike: dict[tuple[str, str, int], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.code, finding.file, finding.line), []).append(finding)
    return [_joined(same) if len(same) > 1 else same[0] for same in alike.values()]


def _joined(same: Sequence[Finding]) -> Finding:
    messages = [finding.message for finding in same[:SHOWN]]
    if len(same) > SHOWN:
        messages.append(f"and {len(same) - SHOWN:,} more")
    return replace(same[0], message="; ".join(messages), count=sum(finding.count for finding in same))


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.sentence},
        "fullDescription": {"text": f"{rule.sentence}: {rule.because}"},
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _sarif_result(finding: Finding, rule_index: int) -> dict[str, Any]:
    said = [finding.message, finding.help and f"help: {finding.help}", finding.because]
    if finding.count > 1:
        said.insert(1, f"{finding.count:,} times, such as {', '.join(finding.examples)}".removesuffix(", such as "))
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": str(finding.severity),
        "message": {"text": "\n".join(visible(text) for text in said if text)},
        "partialFingerprints": {"specPath/v1": _fingerprint(finding)},
    }
    if finding.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file)}}
        if finding.line:
            place["region"] = {"startLine": finding.line, "startColumn": max(finding.column, 1)}
        result["locations"] = [{"physicalLocation": place}]
    if finding.accepted:
        result["suppressions"] = [{"kind": "inSource", "justification": visible(finding.accepted)}]
    return result


def _uri(file: str) -> str:
    return PurePath(file).as_uri() if PurePath(file).is_absolute() else quote(file)


def _fingerprint(finding: Finding) -> str:
    """Rule and path in the spec; the file by its last name only, so that a checkout may stand anywhere."""
    about = [finding.code, PurePath(finding.file).name, *finding.path]
    return sha256(json.dumps(about).encode()).hexdigest()[:32]


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
