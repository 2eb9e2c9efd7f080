"""`topology check`: everything that is wrong with a spec."""

from typing import Annotated

import typer

from topology.cli import reports, session
from topology.cli.progress import progress

EXAMPLES = "Examples: `topology check cluster.yaml` · `topology check - --format json < cluster.yaml`"


def check(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The YAML spec, or - for standard input.")],
    *,
    form: Annotated[
        reports.FindingsForm, typer.Option("--format", "-f", help="How findings are printed.")
    ] = reports.FindingsForm.TEXT,
    fail_on: Annotated[
        reports.FailOn, typer.Option("--fail-on", help="Least severity that makes the exit code 1.")
    ] = reports.FailOn.ERROR,
    warn: Annotated[
        list[str] | None, typer.Option("--warn", help="Take findings of this code (or N3, N…) as warnings.")
    ] = None,
    error: Annotated[
        list[str] | None, typer.Option("--error", help="Take findings of this code (or N3, N…) as errors.")
    ] = None,
) -> None:
    """Expand SPEC and print every finding; nothing is written.

    Exit codes: 0 fine, 1 findings at or above --fail-on, 2 the spec cannot be read.
    """
    severity = reports.Severities(tuple(warn or ()), tuple(error or ()))
    with progress() as steps, reports.gate(form, fail_on, severity, to_stdout=True) as gate:
        opened = session.open_plan(session.read(spec), spec, steps, severity)
        gate.show(opened)
        if form is reports.FindingsForm.TEXT and not opened.findings:
            reports.say(f"{opened.plan.spec.name}: no findings")
