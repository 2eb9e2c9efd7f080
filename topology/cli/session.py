"""From a file name to a plan, with a gate after every step: all its findings, then stop or go on."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.findings import Finding, FindingsError, Lines, Severity, shown
from topology.rules import found
from topology.source import YamlSource
from topology.source.file_bytes import MAX_BYTES, display

if TYPE_CHECKING:
    from topology.plan import Plan

STDIN = "-"


@dataclass(frozen=True, slots=True)
class ExaminedSpec:
    """A spec with everything that was found in it, and the plan where one could be made."""

    source: YamlSource
    plan: "Plan | None"  # None: a step before it found an error
    findings: tuple[Finding, ...]  # located, in reading order
    lines: Lines

    @property
    def errors(self) -> bool:
        """Whether an error is among the findings."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """A spec that became a plan, and everything found on the way that did not stop it."""

    source: YamlSource
    plan: "Plan"
    findings: tuple[Finding, ...]


def read(spec: str) -> YamlSource:
    """The spec's text; `-` reads standard input.

    Raises:
        FindingsError: it cannot be read, or is not the YAML a spec may be.
    """
    if spec != STDIN:
        return YamlSource.read(Path(spec))
    if sys.stdin is None or sys.stdin.closed:
        return YamlSource.parse("<stdin>", b"")
    return YamlSource.parse("<stdin>", sys.stdin.buffer.read(MAX_BYTES + 1))


def open_plan(source: YamlSource, spec: str, progress: Progress, severities: Severities) -> OpenPlan:
    """The plan of a spec, and located findings in reading order.

    Raises:
        FindingsError: of the first step that found an error, with every finding so far, located.
    """
    opened = examine(source, Path(spec).parent if spec != STDIN else Path(), progress, severities)
    if opened.plan is None or opened.errors:
        raise FindingsError(opened.findings, opened.lines)
    return OpenPlan(source, opened.plan, opened.findings)


def examine(
    source: YamlSource, folder: Path, progress: Progress, severities: Severities, root: Path | None = None
) -> ExaminedSpec:
    """Everything found in a spec whose own catalogue stands below `folder`, up to the step that could not go on.

    With `root`, a catalogue that leads out of it, links followed, is a finding and is not read.
    """
    from topology import checks  # noqa: PLC0415 - polars is needed for plans only
    from topology.catalog.load import load as load_catalog  # noqa: PLC0415
    from topology.expand import expand  # noqa: PLC0415
    from topology.expand.fabrics import kinds  # noqa: PLC0415
    from topology.spec.load import load  # noqa: PLC0415

    findings: list[Finding] = []
    lines: Lines = {source.name: source.lines}
    plan, complete = None, False
    try:
        model, notes = load(source, kinds())
        findings += notes
        overlay = folder / model.catalog if model.catalog else None
        if overlay is not None and root is not None:
            check_inside(overlay, root)
        catalog = load_catalog(overlay)
        progress.step("expanding racks, fabrics and cables")
        plan = expand(model, catalog)
        progress.step("checking the plan")
        findings += checks.run(plan)
        complete = True
    except FindingsError as error:
        lines = {**error.lines, **lines}
        findings += error.findings
    applied = source.apply_ignores(findings, complete=complete)
    return ExaminedSpec(source, plan, tuple(severities.of(finding) for finding in applied), lines)


def check_inside(overlay: Path, root: Path) -> None:
    """Check that a catalogue folder lies under `root`, links followed.

    Raises:
        FindingsError: S104 at the spec's path `catalog`.
    """
    if not overlay.resolve().is_relative_to(root.resolve()):
        message = f"the catalogue {shown(display(overlay))} leads out of the folder {shown(display(root))}"
        raise FindingsError([found("S104", message, ("catalog",), "copy the entries into the folder of the spec")])
