"""The command line: arguments, progress and exit codes. It decides nothing about clusters.

One module per command; each imports what it needs when it runs, so that `--help` stays fast.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from topology import __version__
from topology.cli import build, check, deploy, diff, explain, init, memory, streams, verify, whatif
from topology.cli.exits import FINE, INTERNAL, INTERRUPTED, REFUSED
from topology.findings import shown

app = typer.Typer(
    name="topology",
    help="One YAML spec becomes the racks, fabrics and cables of an AI cluster, and the files it runs on.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `topology init mysite`, then `topology build cluster.yaml` in it.",
)
app.command("init", epilog=init.EXAMPLES)(init.init)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("build", epilog=build.EXAMPLES)(build.build)
app.command("diff", epilog=diff.EXAMPLES)(diff.diff)
app.add_typer(deploy.deploy)
app.command("verify", epilog=verify.EXAMPLES)(verify.verify)
app.command("whatif", epilog=whatif.EXAMPLES)(whatif.whatif)
app.command("explain", epilog=explain.EXAMPLES)(explain.explain)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"topology {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options of the program itself."""
    del version


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and leave with its exit code; nobody ever sees a traceback of ours."""
    streams.guard()
    try:
        memory.guard()
        code = app(None if arguments is None else list(arguments), standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as stop:
        sys.exit(stop.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except MemoryError:
        sys.exit(memory.refuse())
    except OSError as error:
        sys.exit(_refused_by_system(error))
    except BaseException as error:  # noqa: BLE001 - the last line of defence; a panic of the tables is no Exception
        sys.exit(_report(error))
    sys.exit(code or FINE)


def _refused_by_system(error: OSError) -> int:
    """Exit code of what the system refuses and no command expected, after one line that says what it was."""
    try:
        os.getcwd()  # noqa: PTH109 - whether there is one
    except OSError:
        sys.stderr.write("error: the working directory is not there any more\n  help: cd to one that is\n")
        return REFUSED
    about = f"{shown(str(error.filename), 200)}: " if error.filename else ""
    sys.stderr.write(f"error: {about}{error.strerror or error}\n  help: the system refused it; check what it names\n")
    return REFUSED


def _report(error: BaseException) -> int:
    """Exit code of an error no command caught, after one line that says what it was."""
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    if isinstance(error, typer.TyperException):
        command = getattr(getattr(error, "ctx", None), "command_path", "topology")
        if said := error.format_message():  # nothing is said when no command is given: the help was shown
            sys.stderr.write(f"error: {said}\n  help: {command} --help shows the words it takes\n")
        return REFUSED
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    where = f"{frame.tb_frame.f_globals.get('__name__')}:{frame.tb_lineno}" if frame else "?"
    sys.stderr.write(
        f"topology {__version__}: internal error at {where}: {type(error).__name__}\n"
        "  help: this is our fault; please report it with this line. What a run had not finished stays as it was.\n"
    )
    return INTERNAL
