"""`topology deploy`: the stacks of all stages, one after another."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topology.cli.exits import DRIFT, FINDINGS, REFUSED
from topology.cli.reports import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from topology.deploy.walk import Project, Step

EXAMPLES = (
    "Examples: `topology deploy plan stacks/colossus` · `topology deploy up stacks/colossus --to s2 --yes` · "
    "`topology deploy status build/first/pulumi`"
)
HELP = """Walk the stacks of a project, stage by stage.

Each stage is a stack of its own; `pulumi up -s s1` does the same for one of them. A walk stops at the first
closed gate, says what would open it, and goes on from there when it is run again.

Exit codes: 0 fine, 1 a gate is closed or an update failed, 2 there is no project, build or Pulumi, 4 there is drift.
"""

deploy = typer.Typer(name="deploy", help=HELP, no_args_is_help=True, epilog=EXAMPLES, rich_markup_mode="markdown")

Folder = Annotated[
    Path,
    typer.Argument(metavar="[PROJECT]", help="Folder with Pulumi.yaml: build/<cluster>/pulumi, or stacks/<cluster>."),
]
Last = Annotated[str | None, typer.Option("--to", metavar="STAGE", help="The last stage to walk to; all by default.")]
Parallel = Annotated[
    int, typer.Option("--parallel", "-p", min=1, max=64, help="Resources of a stack that are worked on at a time.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@deploy.command("plan", epilog="Example: `topology deploy plan stacks/colossus --to s2`")
def plan(folder: Folder = Path(), *, to: Last = None, parallel: Parallel = 8) -> None:
    """Preview every stage: what it would change, and which gates are closed. Nothing is touched."""
    with _project(folder) as project:
        stages = project.stages_to(to)
        shut = [*_print_steps(project.previews(stages, parallel))]
        say("")
        say("The same, stack by stack:")
        for stage in stages:
            say(f"  pulumi -C {folder} up -s {stage}")
    raise typer.Exit(FINDINGS if shut else 0)


@deploy.command("up", epilog="Example: `topology deploy up stacks/colossus --to s2 --yes`")
def up(folder: Folder = Path(), *, to: Last = None, parallel: Parallel = 8, yes: Yes = False) -> None:
    """Deploy the stages in order, up to STAGE; stop at the first closed gate."""
    with _project(folder) as project:
        stages = project.stages_to(to)
        _ask(f"deploy {', '.join(stages)} of {project.build.plan['cluster']}?", yes=yes)
        shut = [*_print_steps(project.ups(stages, parallel, _engine))]
    raise typer.Exit(FINDINGS if shut else 0)


@deploy.command("status", epilog="Example: `topology deploy status stacks/colossus`")
def status(folder: Folder = Path()) -> None:
    """Print how each stage stands: no stack, not deployed, deployed, or deployed from another build."""
    with _project(folder) as project:
        shut = [*_print_steps(project.states())]
    raise typer.Exit(FINDINGS if shut else 0)


@deploy.command("drift", epilog="Example: `topology deploy drift stacks/colossus --to s2`")
def drift(folder: Folder = Path(), *, to: Last = None) -> None:
    """Print what does not stand as it was deployed: files by line, records by field, before and after.

    The places themselves are read, and nothing is touched, Pulumi's state included. `pulumi up --refresh` repairs it.

    Exit codes: 0 all stands as it was deployed, 2 a place or a state cannot be read, 4 something is otherwise.
    """
    found = 0
    with _project(folder) as project:
        from topology.deploy.drift import drifted  # noqa: PLC0415 - Pulumi is not needed by --help

        for each in drifted(project, project.stages_to(to)):
            found += 1
            say(f"{each.stage:<8} {each.resource}")
            for line in each.lines:
                say(f"         {line}")
        if not found:
            say("all stands as it was deployed")
    raise typer.Exit(DRIFT if found else 0)


@deploy.command("destroy", epilog="Example: `topology deploy destroy stacks/colossus --from s3 --yes`")
def destroy(
    folder: Folder = Path(),
    *,
    first: Annotated[
        str | None, typer.Option("--from", metavar="STAGE", help="The earliest stage to take down; all by default.")
    ] = None,
    parallel: Parallel = 8,
    yes: Yes = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Also under a stack that is no stage of the build.")
    ] = False,
) -> None:
    """Take the stages down, the last one first, and remove only what they made.

    All are previewed first: where something is protected, nothing is touched. Power and batteries are:
    `pulumi config set protect false -s STAGE`, then up, lifts that.
    """
    with _project(folder) as project:
        earliest = project.stages_to(first)[-1] if first else project.stages[0]
        _ask(f"destroy {project.build.plan['cluster']} down to and with {earliest}?", yes=yes)
        shut = [*_print_steps(project.destroys(earliest, parallel, _engine, force=force))]
    raise typer.Exit(FINDINGS if shut else 0)


@contextmanager
def _project(folder: Path) -> "Iterator[Project]":
    """The project in a folder; what keeps it from being walked is said in one line."""
    from topology.deploy.stop import DeployError  # noqa: PLC0415 - Pulumi is not needed by --help
    from topology.deploy.walk import Project  # noqa: PLC0415

    try:
        yield Project.at(folder)
    except DeployError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(REFUSED) from None


def _print_steps(steps: "Iterable[Step]") -> "Iterator[str]":
    """Prints each step as it comes; the closed gates are left to count."""
    for step in steps:
        say(f"{step.stage:<8} {step.words}")
        for line in step.closed:
            say(f"         {line}")
        yield from step.closed


def _engine(line: str) -> None:
    """What the engine says, on stderr: results are ours alone on stdout."""
    if sys.stderr.isatty():
        sys.stderr.write(line.rstrip("\n") + "\n")


def _ask(question: str, *, yes: bool) -> None:
    """Ask the user; anything but a yes ends the command."""
    if yes:
        return
    if not sys.stdin or not sys.stdin.isatty():
        sys.stderr.write("error: nobody is there to ask; say --yes\n")
        raise typer.Exit(REFUSED)
    typer.confirm(question, abort=True, err=True)
