"""What slurmctld complains of, and the complaints that say nothing about the files it read."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_COMPLAINT = re.compile(r"(?:^|[\]:] )(?:fatal|error|warning): ", re.IGNORECASE)
_STAMP = re.compile(r"^(?:\[[^\]]*\] |slurmctld: )")

ALLOWED = {  # line: why it says nothing about the rendered files
    r"error: Could not open (job|reservation) state file \S+: No such file or directory": (
        "24.11, first start: there is no state to recover"
    ),
    r"error: NOTE: Trying backup state save file\. (Jobs may be lost!|Reservations may be lost)": (
        "24.11, first start: follows the line above"
    ),
    r"error: +mpi/pmix\S*: init: .*can not load PMIx library": (
        "24.11: the PMIx plugin comes with the packages, its library does not; nodes load it, not slurmctld"
    ),
    r"error: Couldn't load specified plugin name for mpi/pmix\S*: Plugin init\(\) callback failed": (
        "24.11: follows the PMIx line above"
    ),
    r"error: MPI: Cannot create context for mpi/pmix\S*": "24.11: follows the PMIx line above",
    r"error: High latency for 1000 calls to gettimeofday\(\): \d+ microseconds": "this machine is busy",
    r"warning: Saving to StateSaveLocation took \S+ Please check backing filesystem .*": "this machine is busy",
    r"warning: Note very large processing time from \S+ usec=\d+.*": "this machine is busy",
}
ALLOWED_LINES = tuple(re.compile(line, re.IGNORECASE) for line in ALLOWED)


_PART = re.compile(r"warning: (?:Blocks|switches) lack access to \d+ nodes: .*", re.IGNORECASE)


def allowed_lines(folder: Path) -> tuple[re.Pattern[str], ...]:
    """Lines that may stand in the log of a rendered folder.

    Where a cluster has nodes of several kinds, a topology of one kind leaves the others out, and Slurm
    says so; which nodes it holds is compared with what was written all the same.
    """
    kinds = set(re.findall(r"\bGres=(\S+)", (folder / "nodes.conf").read_text()))
    return (*ALLOWED_LINES, _PART) if len(kinds) > 1 else ALLOWED_LINES


def complaints(log: str, allow: Sequence[re.Pattern[str]] = ALLOWED_LINES) -> list[str]:
    """The lines of `log` that say fatal, error or warning, in order, without their time stamp.

    A line that one of `allow` matches from its first to its last character is left out.
    """
    lines = (_STAMP.sub("", line) for line in log.splitlines() if _COMPLAINT.search(line))
    return [line for line in lines if not any(pattern.fullmatch(line) for pattern in allow)]


def reasons(log: str) -> str:
    """Why slurmctld did not start: its fatal lines, and the errors just before them; else its last lines."""
    found = complaints(log)
    return "\n".join(_last(found or log.splitlines(), 8))


def _last(lines: Iterable[str], count: int) -> list[str]:
    return list(lines)[-count:]
