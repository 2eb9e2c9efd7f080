"""`topology verify`: the programs of production on what was built."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topology.cli.exits import DRIFT
from topology.cli.progress import Progress, progress
from topology.cli.reports import refuse, say

if TYPE_CHECKING:
    from topology.verify.slurm import SlurmController

EXAMPLES = "Examples: `topology verify build/colossus` · `topology verify build/colossus --stage s1`"


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `topology build` wrote.")],
    *,
    stage: Annotated[str, typer.Option("--stage", "-s", help="Only this stage; all of them without.")] = "*",
    seed: Annotated[
        int | None, typer.Option("--seed", help="Repeats the choices of an earlier run; each run prints its own.")
    ] = None,
) -> None:
    """Start a real slurmctld on every rendered folder of DIR and ask it what it read and where it places jobs.

    Slurm is unpacked from Debian packages into ~/.cache/cluster-topology; nothing is installed. The daemon
    listens on 127.0.0.1 only. Nodes are in state CLOUD, since no slurmd answers for them.

    Exit codes: 0 fine, 2 DIR or Slurm is not to be had, 4 Slurm read or placed otherwise than was built.
    """
    from topology.verify.slurm_packages import UnavailableError  # noqa: PLC0415 - not needed by --help

    folders = sorted(folder.glob(f"stages/{stage}/slurm/*"))
    if not (folder / "plan.json").is_file() or not folders:
        refuse(f"{folder} holds no Slurm files of stage {stage}", "name a folder that topology build wrote")
    chosen = secrets.randbelow(2**32) if seed is None else seed
    say(f"seed {chosen}")
    wrong = 0
    with progress() as steps:
        for each in folders:
            try:
                faults = list(_faults(each, chosen, steps))
            except UnavailableError as error:
                refuse(str(error), "run it on Debian with its package archives in reach")
            wrong += len(faults)
            say(f"{each.relative_to(folder)}: {'differs' if faults else 'accepted'}")
            for fault in faults:
                say(f"  {fault}")
    if wrong:
        raise typer.Exit(DRIFT)


def _faults(folder: Path, seed: int, steps: Progress) -> Iterator[str]:
    """What one slurmctld says or does otherwise than its files ask, a line each."""
    from topology.verify.slurm import SlurmController, SlurmStartError  # noqa: PLC0415
    from topology.verify.slurm_packages import slurm  # noqa: PLC0415 - not needed by --help

    by_yaml = (folder / "topology.yaml").exists()
    steps.step(f"starting slurmctld on {folder}")
    try:
        with SlurmController(folder, slurm("26.05" if by_yaml else "24.11"), probe=by_yaml) as controller:
            steps.step(f"asking slurmctld of {folder}")
            yield from _answers(folder, controller, seed, by_yaml=by_yaml)
    except SlurmStartError as error:
        yield f"slurmctld did not start: {error}"


def _answers(folder: Path, controller: "SlurmController", seed: int, *, by_yaml: bool) -> Iterator[str]:
    from topology.verify.placement import trials  # noqa: PLC0415 - not needed by --help
    from topology.verify.slurm_log import allowed_lines  # noqa: PLC0415
    from topology.verify.slurm_topology import differences, read_topologies  # noqa: PLC0415

    if by_yaml:
        yield from differences(read_topologies(folder), controller.topoconf(), controller.expand)
    for trial in trials(controller, folder, seed=seed):
        if not trial.passed:
            yield f"{trial.question}: expected {trial.expected}, got {trial.answer}"
    yield from controller.log_complaints(allowed_lines(folder))
