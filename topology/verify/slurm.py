"""A real slurmctld on a rendered folder: what it read, what it complains of, where it would place a job.

No slurmd, no root, no change to the host: the daemon listens on 127.0.0.1 and takes commands only with
a token that lives as long as it does. `scontrol reconfigure` must not be used: it replaces the daemon by
a new process, which then nobody ends.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import polars as pl
from ruamel.yaml import YAML

from topology.verify import slurm_answers as answers
from topology.verify.programs import ProgramResult, run
from topology.verify.slurm_daemon import LOG, SlurmStartError, start
from topology.verify.slurm_log import ALLOWED_LINES, complaints
from topology.verify.slurm_machine import PreparedFolder, prepare_folder
from topology.verify.slurm_topology import probes

if TYPE_CHECKING:
    from topology.verify.server_process import ServerProcess

TAKEN = "Address already in use"  # the free port was found by someone else as well
TRIES = 3
_ITEM = re.compile(r"(?:[^,\[]|\[[^\]]*\])+")  # of a hostlist: up to a comma that is in no bracket
ARGUMENT_BYTES = 100_000  # Linux takes 131,072 bytes in one argument


__all__ = ["SlurmAnswerError", "SlurmController", "SlurmStartError"]


class SlurmAnswerError(Exception):
    """A Slurm command failed where it had to answer; the text holds its last words."""


class SlurmController:
    """Context manager: a slurmctld on a copy of the folder `rendered`, from the Slurm unpacked in `root`.

    With `probe`, topologies that no partition uses get a partition of their own; see `slurm_topology.probes`.

    Raises:
        SlurmStartError: on entering, when slurmctld ends, waits for a missing file, or is not up within
            `limit_s` (65,520 nodes take 30 s on two cores).
    """

    def __init__(self, rendered: Path, root: Path, *, probe: bool = False, limit_s: float = 300) -> None:
        self._rendered, self._root, self._limit_s = rendered, root, limit_s
        self._more = probes(rendered) if probe else ""
        self._daemon: ServerProcess | None = None
        self._log_text = ""
        self.started_s = 0.0  # from the start to the first answer

    def __enter__(self) -> Self:
        for attempt in range(1, TRIES + 1):
            self._home = Path(tempfile.mkdtemp(prefix="slurm-"))
            begun = time.monotonic()
            try:
                self._folder: PreparedFolder = prepare_folder(self._rendered, self._home, self._root, self._more)
                self._daemon = start(self._root, self._folder, limit_s=self._limit_s)
                self._must("scontrol", "ping")
            except BaseException as error:
                self._stop()
                if attempt < TRIES and isinstance(error, SlurmStartError) and TAKEN in str(error):
                    continue
                raise
            self.started_s = time.monotonic() - begun
            break
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def log(self) -> str:
        """Everything slurmctld has said so far; after the end, everything it said."""
        path = self._home / LOG
        return path.read_text(errors="replace") if path.exists() else self._log_text

    @property
    def client_env(self) -> Mapping[str, str]:
        """Environment in which Slurm's own commands talk to this controller, token included."""
        return self._folder.client_env

    def log_complaints(self, allow: Sequence[re.Pattern[str]] = ALLOWED_LINES) -> list[str]:
        """The fatal, error and warning lines of the log that none of `allow` matches."""
        return complaints(self.log, allow)

    def nodes(self) -> pl.DataFrame:
        """One row per node; columns as in `slurm_answers.nodes`."""
        return answers.nodes(self._must("scontrol", "show", "node", "--all", "--oneliner").out)

    def partitions(self) -> pl.DataFrame:
        """One row per partition; columns as in `slurm_answers.partitions`."""
        return answers.partitions(self._must("scontrol", "show", "partition", "--all", "--oneliner").out)

    def topology(self, name: str = "") -> pl.DataFrame:
        """Blocks or switches of the topology `name`, or of the default one; see `slurm_answers.topology`."""
        return answers.topology(self._must("scontrol", "show", "topology", *filter(None, [name])).out)

    def topoconf(self) -> list[dict[str, Any]]:
        """topology.yaml as Slurm 26.05 understood it; 24.11 has no such question."""
        text = self._must("scontrol", "show", "topoconf").out
        return YAML(typ="safe", pure=True).load(text) or []

    def expand(self, hostlist: str) -> list[str]:
        """The names in `hostlist`, in its order."""
        return self.expand_each([hostlist])[0]

    def expand_each(self, hostlists: Sequence[str]) -> list[list[str]]:
        """The names in each hostlist. A mark that is no host name ends each: few calls do for many."""
        mark = "0-end-of-list-0"
        names: list[str] = []
        for chunk in _chunks(f"{hostlist},{mark}" for hostlist in hostlists):
            names += self._must("scontrol", "show", "hostnames", chunk).out.split()
        lists: list[list[str]] = [[]]
        for name in names:
            if name == mark:
                lists.append([])
            else:
                lists[-1].append(name)
        return lists[:-1]

    def place(
        self,
        partition: str,
        nodes: int,
        *,
        segment: int | None = None,
        switches: int | None = None,
        extra: Sequence[str] = (),
    ) -> set[str] | None:
        """Nodes that a job of `nodes` whole nodes would get now; None when no nodes can ever do.

        `segment` and `switches` are the options of sbatch; `extra` are further ones. Nothing is queued.
        """
        words = [
            "--test-only",
            "--exclusive",
            "--ntasks-per-node=1",
            f"--partition={partition}",
            f"--nodes={nodes}",
        ]
        words += [f"--segment={segment}"] if segment else []
        words += [f"--switches={switches}"] if switches else []
        answer = self._ask("sbatch", *words, *extra, "--wrap=true")
        hostlist = answers.placement(answer.err)
        if hostlist is None:
            raise SlurmAnswerError(f"sbatch {' '.join(words)}: {answer.last_words}")
        return set(self.expand(hostlist)) if hostlist else None

    def down(self, hostlists: str | Iterable[str]) -> None:
        """Take nodes out of service; one hostlist or many names."""
        self._update(hostlists, "State=DOWN", "Reason=verify")

    def resume(self, hostlists: str | Iterable[str]) -> None:
        """Give nodes back that `down` took out."""
        self._update(hostlists, "State=RESUME")

    def _update(self, hostlists: str | Iterable[str], *words: str) -> None:
        for chunk in _chunks([hostlists] if isinstance(hostlists, str) else hostlists):
            self._must("scontrol", "update", f"NodeName={chunk}", *words)

    def _stop(self) -> None:
        """End the daemon, keep its log, remove its folder."""
        if self._daemon is not None:
            self._daemon.end()
        self._daemon, self._log_text = None, self.log
        shutil.rmtree(self._home, ignore_errors=True)

    def _ask(self, program: str, *words: str) -> ProgramResult:
        return run([program, *words], env=self.client_env, limit_s=self._limit_s)

    def _must(self, program: str, *words: str) -> ProgramResult:
        answer = self._ask(program, *words)
        if answer.code != 0:
            raise SlurmAnswerError(f"{program} {' '.join(words)[:200]}: {answer.last_words}")
        return answer


def _chunks(hostlists: Iterable[str]) -> Iterator[str]:
    """The items of hostlists joined by commas, each chunk short enough for one argument of a program."""
    chunk: list[str] = []
    size = 0
    for item in (item for hostlist in hostlists for item in _ITEM.findall(hostlist)):
        if chunk and size + len(item) > ARGUMENT_BYTES:
            yield ",".join(chunk)
            chunk, size = [], 0
        chunk.append(item)
        size += len(item) + 1
    if chunk:
        yield ",".join(chunk)
