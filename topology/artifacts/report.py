"""What a build was made from and what was found in it, as files: for programs, code scanning and reviews."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from topology import __version__, findings_format
from topology.artifacts.artifact import Artifact
from topology.findings import Finding
from topology.rules import Rule

SPEC = PurePosixPath("source", "cluster.yaml")
CATALOG = PurePosixPath("source", "catalog")
FINDINGS = PurePosixPath("findings.json")


def findings(found: Sequence[Finding], rules: Iterable[Rule]) -> Iterator[Artifact]:
    """findings.json and findings.sarif, which declares `rules`; both are there when nothing was found, too."""
    yield Artifact(FINDINGS, findings_format.as_json(found).encode())
    yield Artifact(PurePosixPath("findings.sarif"), findings_format.as_sarif(found, rules, __version__).encode())


def sources(lines: Sequence[str], own: Mapping[str, str]) -> Iterator[Artifact]:
    """The spec and the user's own products as they were read, so that the folder can be compared by itself.

    `lines` and the texts of `own`, by path below a catalogue, have what looks like a secret masked.
    """
    yield Artifact(SPEC, "\n".join(lines).encode())
    for path, text in own.items():
        yield Artifact(CATALOG / path, text.encode())
