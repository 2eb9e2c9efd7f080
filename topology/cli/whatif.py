"""`topology whatif`: what several failures at once take from the site."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from topology.cli import reports, session
from topology.cli.progress import progress

if TYPE_CHECKING:
    from topology.plan import Plan

EXAMPLES = (
    "Examples: `topology whatif cluster.yaml --fail h1-transformer-03` · "
    "`topology whatif cluster.yaml --fail h1-row01-busway-A01 --fail h1-row01-busway-B01`"
)
SHOWN = 10  # devices and racks that are named; the rest is counted


def whatif(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The YAML spec, or - for standard input.")],
    *,
    fail: Annotated[list[str], typer.Option("--fail", help="A device of the power tree, by name; may be repeated.")],
    stage: Annotated[str | None, typer.Option("--stage", "-s", help="As the site stands in this stage.")] = None,
) -> None:
    """Let devices of the power tree fail at the same time and print which racks go dark and what is overloaded.

    Every single failure is in power/failures.csv of a build already.

    Exit codes: 0 the answer was printed, 1 SPEC has findings, 2 a name is not known.
    """
    severity = reports.Severities()
    with progress() as steps, reports.gate(reports.FindingsForm.TEXT, reports.FailOn.ERROR, severity, to_stdout=False):
        plan = session.open_plan(session.read(spec), spec, steps, severity).plan
        for line in _lines(plan, fail, stage):
            reports.say(line)


def _lines(plan: "Plan", fail: list[str], stage: str | None) -> Iterator[str]:
    from topology.findings import did_you_mean  # noqa: PLC0415 - not needed by --help
    from topology.plan import names  # noqa: PLC0415
    from topology.views import failures  # noqa: PLC0415

    spelled = names.labels(plan, "power_nodes")
    index = {name: at for at, name in enumerate(spelled)}
    for name in fail:
        if name not in index:
            guess = did_you_mean(name, index).split("known:")[0].strip()
            every = "power/failures.csv of a build lists every device"
            reports.refuse(f"no device is called '{ascii(name)[1:-1]}'", guess or every)
    stages = [each.name for each in plan.spec.stages]
    if stage is not None and stage not in stages:
        reports.refuse(f"no stage '{ascii(stage)[1:-1]}'", did_you_mean(stage, stages))
    outcome = failures.failures(plan, [index[name] for name in fail], stages.index(stage) if stage else None)
    racks = names.labels(plan, "racks").gather(outcome.lost_racks)
    lost_w = int(plan.racks["power_w"].gather(outcome.lost_racks).sum())
    yield f"{' and '.join(fail)} fail: {len(racks):,} racks go dark, {lost_w / 1e6:,.2f} MW"
    yield from _list_names("dark", racks.to_list())
    first = plan.power_nodes.with_columns(name=spelled).unique("pool", keep="first", maintain_order=True)["name"]
    over = [at for at, w in enumerate(outcome.load_w) if w > outcome.room_w[at] * failures.TOLERANCE]
    yield f"overloaded: {len(over):,} devices or pools"
    yield from _list_names(
        "over", [f"{first[at]} by {(outcome.load_w[at] - outcome.room_w[at]) / 1000:,.1f} kW" for at in over]
    )


def _list_names(word: str, every: list[str]) -> Iterator[str]:
    for name in every[:SHOWN]:
        yield f"  {word}: {name}"
    if len(every) > SHOWN:
        yield f"  and {len(every) - SHOWN:,} more"
