"""A source to a ClusterSpec, step by step; each step shows all it found, then stops.

Secrets come first, so that no later finding quotes one; then the version, since the words of
another version would all look wrong; then the schema; then what the parts must agree on.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from topology import __version__
from topology.findings import Finding, FindingsError, Path, Severity
from topology.rules import found
from topology.source import YamlSource
from topology.spec.banks import bank_rules
from topology.spec.build import build
from topology.spec.formats import formats
from topology.spec.model import ClusterSpec
from topology.spec.networks import Kinds, fabric_rules
from topology.spec.places import network_rows, power_loops, unstaged_groups
from topology.spec.references import like_names, reserved_names, unknown_names
from topology.spec.scheduling import pool_rules, slurm_rules
from topology.spec.schema import violations, with_defaults
from topology.spec.secrets import secrets

Data = Mapping[str, Any]

VERSION = 1  # of the language
_NO_EFFECT_YET: tuple[tuple[str, Path], ...] = (("S905", ("site", "price_book")),)


def load(source: YamlSource, fabric_kinds: Kinds) -> tuple[ClusterSpec, tuple[Finding, ...]]:
    """The spec, and located findings that are no errors, in reading order.

    `fabric_kinds` are the words a spec may use for `fabric.kind`, the modules of the program, and their keys.

    Raises:
        FindingsError: Every finding of the first step that found an error, located, in reading order.
    """
    _pass(source, secrets(source.data))
    _pass(source, _version(source))
    _pass(source, violations(source))
    filled = with_defaults(source.data)
    kept = _pass(source, _disagreements(source, filled, fabric_kinds))
    return build(filled), tuple(source.locate([*kept, *_without_effect(source)]))


def _pass(source: YamlSource, findings: Iterable[Finding]) -> list[Finding]:
    """The findings of a step, located, when none is an error."""
    located = source.locate(list(findings))
    if any(finding.severity is Severity.ERROR for finding in located):
        raise FindingsError(located, {source.name: source.lines})
    return located


def _version(source: YamlSource) -> Iterator[Finding]:
    version = source.data.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version != VERSION:
        message = f"version {version:,} of the language; cluster-topology {__version__} reads version {VERSION}"
        help_ = f"write version: {VERSION}, or install the release that reads {version:,}"
        yield found("S208", message, ("version",), help_)


def _disagreements(source: YamlSource, filled: Data, fabric_kinds: Kinds) -> Iterator[Finding]:
    """Findings of all that the schema cannot say; most rules ask what was written, not what is filled in."""
    data = source.data
    yield from unknown_names(data, source)
    yield from like_names(data, source)
    yield from reserved_names(data)
    yield from network_rows(data)
    yield from formats(filled, source)
    yield from fabric_rules(data, source, fabric_kinds)
    yield from unstaged_groups(data)
    yield from slurm_rules(data)
    yield from pool_rules(data)
    yield from power_loops(data)
    yield from bank_rules(filled)


def _without_effect(source: YamlSource) -> Iterator[Finding]:
    for code, path in _NO_EFFECT_YET:
        if source.holds(path):
            yield source.at_key(found(code, f"{path[-1]} has no effect yet in this version", path))
