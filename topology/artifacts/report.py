"""Findings of a build, as files: for programs, and for code scanning."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from topology import __version__, findings_format
from topology.artifacts.artifact import Artifact
from topology.findings import Finding
from topology.rules import Rule


def findings(found: Sequence[Finding], rules: Iterable[Rule]) -> Iterator[Artifact]:
    """findings.json and findings.sarif, which declares `rules`; both are there when nothing was found, too."""
    yield Artifact(PurePosixPath("findings.json"), findings_format.as_json(found).encode())
    yield Artifact(PurePosixPath("findings.sarif"), findings_format.as_sarif(found, rules, __version__).encode())
