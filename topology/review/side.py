"""One side of a comparison: a spec and the plan made of it, or what kept a plan from being made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from topology.artifacts import targets
from topology.artifacts.output.manifest import sha256
from topology.findings import Finding, Lines, Severity
from topology.plan import Plan
from topology.source import YamlSource

PROJECT = "pulumi"
COMPARED = tuple(word for word in targets.TARGETS if word != "tables")  # tables are compared row by row


@dataclass(frozen=True)
class Side:
    """A spec, its plan, and everything found in it."""

    shown: str  # as the user named it
    spec: str  # path of the spec, for people and for the comment's marker
    source: YamlSource | None = None  # None: the revision has no such spec, or it is no YAML of ours
    plan: Plan | None = None  # None: a step before it found an error
    findings: tuple[Finding, ...] = ()
    lines: Lines = field(default_factory=dict)
    built: Path | None = None  # the folder, where a build is compared
    digests: Mapping[str, str] | None = None  # of its files by path, where it is a build

    @property
    def text(self) -> tuple[str, ...]:
        """Lines of the spec, of one that is no YAML of ours, too; what looks like a secret is masked."""
        if self.source is not None:
            return self.source.lines
        return tuple(self.lines.get(self.findings[0].file, ())) if self.findings else ()

    @property
    def catalog(self) -> Mapping[str, tuple[str, ...]]:
        """Lines of the user's own catalogue by path below it, where there is a plan; secrets are masked."""
        own = self.plan.catalog.own if self.plan is not None else {}
        return {path: tuple(text.split("\n")) for path, text in own.items()}

    @property
    def absent(self) -> bool:
        """Whether there is no spec at all, not even a wrong one."""
        return self.source is None and not self.findings

    @property
    def broken(self) -> bool:
        """Whether there is a spec of which no plan can be made."""
        return self.plan is None and not self.absent

    def faulty(self, *codes: str) -> int:
        """Errors whose code begins with one of `codes`."""
        return sum(finding.severity is Severity.ERROR and finding.code.startswith(codes) for finding in self.findings)

    @property
    def errors(self) -> int:
        """Errors among the findings."""
        return self.faulty("")

    @property
    def renders(self) -> bool:
        """Whether a build would write files: there is a plan, and no error."""
        return self.plan is not None and not self.errors

    @cached_property
    def artifacts(self) -> Mapping[str, str]:
        """SHA-256 of every rendered file by path, tables left out; a build knows them, a spec is rendered."""
        if self.digests is not None:
            return self.digests
        return {path: sha256(data) for path, data in self._rendered()} if self.renders else {}

    def texts(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """Bytes of some rendered files."""
        wanted = set(paths)
        if self.built is not None:
            known = wanted & set(self.digests or ())
            return {path: (self.built / path).read_bytes() for path in sorted(known)}
        if not self.renders or not wanted:
            return {}
        targets_of = {_target(path) for path in wanted}
        made = self._rendered([word for word in COMPARED if word in targets_of])
        return {path: data for path, data in made if path in wanted}

    def _rendered(self, words: Sequence[str] = COMPARED) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of every file of some targets, in the order of their words."""
        for word in words:
            yield from self._project.items() if word == PROJECT else self._made(word)

    @cached_property
    def _project(self) -> Mapping[str, bytes]:
        """Files of the Pulumi project by path, kept: a few megabytes that take longest to make and are read twice."""
        return dict(self._made(PROJECT))

    def _made(self, word: str) -> Iterator[tuple[str, bytes]]:
        if self.plan is None:
            return
        for artifact in targets.artifacts(self.plan, [word], range(len(self.plan.spec.stages))):
            yield str(artifact.path), artifact.data


def _target(path: str) -> str:
    """Word of the target that makes a path."""
    parts = PurePosixPath(path).parts
    folder = parts[2] if parts[0] == "stages" else parts[0]
    return next(word for word, (first, _) in targets.TARGETS.items() if first == folder)
