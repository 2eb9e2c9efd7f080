"""From a file name to a plan, with a gate after every step: all its findings, then stop or go on."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.findings import Finding, FindingsError, Severity
from topology.source import Source
from topology.source.files import MAX_BYTES

if TYPE_CHECKING:
    from topology.plan import Plan

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Opened:
    """A spec that became a plan, and everything found on the way that did not stop it."""

    source: Source
    plan: "Plan"
    findings: tuple[Finding, ...]


def read(spec: str) -> Source:
    """The spec's text; `-` reads standard input.

    Raises:
        FindingsError: it cannot be read, or is not the YAML a spec may be.
    """
    if spec != STDIN:
        return Source.read(Path(spec))
    if sys.stdin is None or sys.stdin.closed:
        return Source.parse("<stdin>", b"")
    return Source.parse("<stdin>", sys.stdin.buffer.read(MAX_BYTES + 1))


def open_plan(source: Source, spec: str, progress: Progress, severities: Severities) -> Opened:
    """The plan of a spec, and located findings in reading order.

    Raises:
        FindingsError: of the first step that found an error, with every finding so far, located.
    """
    from topology import checks  # noqa: PLC0415 - polars is needed for plans only
    from topology.catalog.load import load as load_catalog  # noqa: PLC0415
    from topology.expand import expand  # noqa: PLC0415
    from topology.expand.fabrics import kinds  # noqa: PLC0415
    from topology.spec.load import load  # noqa: PLC0415

    found: list[Finding] = []
    folder = Path(spec).parent if spec != STDIN else Path()
    try:
        model, notes = load(source, kinds())
        found += notes
        catalog = load_catalog(folder / model.catalog if model.catalog else None)
        progress.step("expanding racks, fabrics and cables")
        plan = expand(model, catalog)
        progress.step("checking the plan")
        found += checks.run(plan)
    except FindingsError as error:
        lines = {**error.lines, source.name: source.lines}
        raise FindingsError(source.apply_ignores([*found, *error.findings], complete=False), lines) from error
    found = [severities.of(finding) for finding in source.apply_ignores(found)]
    if any(finding.severity is Severity.ERROR for finding in found):
        raise FindingsError(found, {source.name: source.lines})
    return Opened(source, plan, tuple(found))
