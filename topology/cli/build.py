"""`topology build`: a spec becomes the folder of files that a site runs on."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topology import __version__
from topology.cli import reports, session
from topology.cli.exits import STALE
from topology.cli.progress import Progress, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from topology.artifacts.artifact import Artifact
    from topology.artifacts.output.tree import Published
    from topology.plan import Plan

EXAMPLES = (
    "Examples: `topology build stacks/colossus/cluster.yaml` · `topology build cluster.yaml -o out --only slurm "
    "--stage s1` · `topology build cluster.yaml --check`"
)


def build(  # noqa: PLR0913 - each is an option of its own
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The YAML spec, or - for standard input.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder to write; build/<cluster> by default."),
    ] = None,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", "-s", help="Only this stage's files; may be repeated.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--only", metavar="TARGETS", help="Only these, by commas: tables, slurm, kubernetes, power, report, pulumi."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit with 3 when the folder is not what SPEC gives."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files of an earlier build that were edited since.")
    ] = False,
    fail_on: Annotated[
        reports.FailOn, typer.Option("--fail-on", help="Least severity of a finding that stops the build.")
    ] = reports.FailOn.ERROR,
    form: Annotated[
        reports.FindingsForm, typer.Option("--format", "-f", help="How findings are printed, on stderr.")
    ] = reports.FindingsForm.TEXT,
) -> None:
    """Expand SPEC and write its files; the folder is replaced in one step or not at all.

    Files that would be the same are left untouched. With --stage or --only, what the folder
    holds of the same plan besides is kept.

    Exit codes: 0 fine, 1 findings at or above --fail-on, 2 the spec or the folder is refused,
    3 --check found the folder stale.
    """
    from topology.artifacts.output.refusal import OutputError  # noqa: PLC0415 - not needed by --help
    from topology.artifacts.render import RenderError  # noqa: PLC0415

    severity = reports.Severities()
    with progress() as steps, reports.gate(form, fail_on, severity, to_stdout=False) as gate:
        opened = session.open_plan(session.read(spec), spec, steps, severity)
        gate.show(opened)
        try:
            job = _Job(opened, spec, _targets(only), _stages(opened.plan, stage), out)
            if check:
                job.check(steps)
            else:
                published = job.publish(steps, force=force)
                steps.stop()
                job.summarize(published, steps.elapsed_s)
        except OutputError as error:
            reports.refuse(error.message, error.hint)
        except RenderError as error:
            reports.refuse(f"template {error}", "correct the template; nothing was written")


class _Job:
    """One build: a plan, what of it to make, and where."""

    def __init__(
        self,
        opened: session.OpenPlan,
        spec: str,
        only: tuple[str, ...],
        stages: tuple[int, ...],
        out: Path | None,
    ) -> None:
        self._opened, self._only, self._stages = opened, only, stages
        self.plan = opened.plan
        self.out = out or Path("build", self.plan.spec.name)
        self._forbidden = [] if spec == session.STDIN else [Path(spec).parent]

    def publish(self, steps: Progress, *, force: bool) -> "Published":
        """Write the folder."""
        from topology.artifacts.output import tree  # noqa: PLC0415 - not needed by --help

        steps.step(f"writing {self.out}")
        return tree.publish(
            self.out,
            self._artifacts(),
            self._manifest(),
            force=force,
            keep=self._keep(),
            forbidden=self._forbidden,
        )

    def check(self, steps: Progress) -> None:
        """Compare the folder with what the spec gives.

        Raises:
            typer.Exit: with 3 when they differ, after naming every path.
        """
        from topology.artifacts.output import tree  # noqa: PLC0415 - not needed by --help

        steps.step(f"comparing {self.out}")
        stale = tree.check(self.out, self._artifacts(), self._manifest(), keep=self._keep())
        for line in stale:
            reports.say(line)
        if stale:
            sys.stderr.write(f"{self.out} is stale: {len(stale)} files; build again to bring it up to date\n")
            raise typer.Exit(STALE)
        reports.say(f"{self.out} is up to date")

    def summarize(self, published: "Published", elapsed_s: float) -> None:
        """Print what was built."""
        from topology.cli.summary import lines  # noqa: PLC0415 - not needed by --help

        for line in lines(self.plan, self._opened.findings, published, self.out, elapsed_s):
            reports.say(line)

    def _artifacts(self) -> "Iterator[Artifact]":
        from topology.artifacts import report, targets  # noqa: PLC0415 - not needed by --help
        from topology.cli.codes import every_rule  # noqa: PLC0415

        yield from report.sources(self._opened.source.lines, self.plan.catalog.own)
        yield from report.findings(self._opened.findings, every_rule().values())
        yield from targets.artifacts(self.plan, self._only, self._stages)

    def _manifest(self) -> dict[str, object]:
        from topology.artifacts import targets  # noqa: PLC0415 - not needed by --help

        return targets.manifest(self.plan, self._opened.source.sha256, __version__)

    def _keep(self) -> "Callable[[str], bool]":
        """Files of an earlier build of the very same plan that this run does not make."""
        from topology.artifacts import targets  # noqa: PLC0415 - not needed by --help

        same = targets.same_plan(self.out, self._manifest())
        return lambda path: same and not targets.is_made(self.plan, path, self._only, self._stages)


def _targets(only: str | None) -> tuple[str, ...]:
    from topology.artifacts.targets import TARGETS  # noqa: PLC0415 - not needed by --help
    from topology.findings import did_you_mean  # noqa: PLC0415

    words = tuple(TARGETS) if only is None else tuple(word.strip() for word in only.split(","))
    for word in words:
        if word not in TARGETS:
            raise typer.BadParameter(f"no target '{word}'; {did_you_mean(word, TARGETS)}", param_hint="--only")
    return words


def _stages(plan: "Plan", wanted: list[str] | None) -> tuple[int, ...]:
    from topology.findings import did_you_mean  # noqa: PLC0415 - not needed by --help

    names = [stage.name for stage in plan.spec.stages]
    for name in wanted or ():
        if name not in names:
            raise typer.BadParameter(f"no stage '{name}'; {did_you_mean(name, names)}", param_hint="--stage")
    return tuple(at for at, name in enumerate(names) if not wanted or name in wanted)
