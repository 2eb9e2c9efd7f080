"""Time and memory of the program against its budgets, as ratios: `make bench`, or `make bench ARGS=--strict`.

Every figure is the best of a few fresh processes, since other work on the machine only ever makes one slower;
memory is the worst of them. A figure above 1.00 is over its budget, and fails the run with --strict alone:
budgets are for two cores, and no machine promises to be idle.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
STACKS = BENCH.parent.parent / "stacks"
SMALL, LARGE, LARGEST = (str(STACKS / name / "cluster.yaml") for name in ("superpod-h100", "colossus", "colossus-1m"))
TOPOLOGY = (sys.executable, "-m", "topology")
GROWTH = 12.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process took."""

    seconds: float
    peak_mib: float
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a case may take; no limit on memory is 0."""

    case: str
    seconds: float
    peak_mib: float
    found: Figures

    @property
    def ratios(self) -> tuple[float, ...]:
        """Time and memory as parts of what they may be."""
        parts = [self.found.seconds / self.seconds]
        return tuple([*parts, self.found.peak_mib / self.peak_mib] if self.peak_mib else parts)

    def __str__(self) -> str:
        time_part, *memory_part = self.ratios
        line = f"{self.case:44}{self.found.seconds:8.2f} s  {time_part:5.2f} of {self.seconds:4g} s"
        memory = f"{self.found.peak_mib:8.0f} MiB"
        return f"{line}{memory}" + "".join(f"  {part:5.2f} of {self.peak_mib:,.0f} MiB" for part in memory_part)


def command(*words: str) -> Figures:
    """Wall time and peak memory of a `topology` command in a process of its own, start-up included."""
    begun = time.perf_counter()
    process = subprocess.Popen([*TOPOLOGY, *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, ["topology", *words])
    return Figures(took, usage.ru_maxrss / 1024, {})


def case(*words: str) -> Figures:
    """Figures that a case of cases.py gives of itself."""
    argv = [sys.executable, str(BENCH / "cases.py"), *words]
    said = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    return Figures(said["seconds"], said["peak_mib"], said)


def best(runs: Sequence[Figures]) -> Figures:
    """The fastest run, with the most memory that any of them took."""
    fastest = min(runs, key=lambda run: run.seconds)
    return Figures(fastest.seconds, max(run.peak_mib for run in runs), fastest.said)


def budgets(out: str) -> Iterator[Budget]:
    """Every case, measured as it is asked for."""
    yield Budget("topology --help", 0.4, 0, best([command("--help") for _ in range(5)]))
    yield Budget("check of superpod-h100, 1,016 GPUs", 1.0, 0, best([command("check", SMALL) for _ in range(5)]))
    builds = [command("build", LARGE, "-o", f"{out}/colossus-{run}") for run in range(3)]
    yield Budget("build of colossus", 10.0, 1024, best(builds))
    applied = case("cell", f"{out}/colossus-0", "h100-01")
    again = Figures(applied.said["again"], applied.peak_mib, applied.said)
    yield Budget(f"a cell of colossus applied, {applied.said['objects']:,} objects", 60.0, 0, applied)
    yield Budget("the cell applied again, with nothing to do", 30.0, 0, again)
    yield Budget("expand of colossus", 5.0, 1536, best([case("expand", LARGE) for _ in range(3)]))
    yield Budget(
        "expand of colossus-1m, every cable in frames", 5.0, 1536, best([case("expand", LARGEST) for _ in range(3)])
    )
    yield Budget(
        "Kubernetes manifests of colossus-1m", 10.0, 1024, best([case("kubernetes", LARGEST) for _ in range(3)])
    )
    yield Budget("build of colossus-1m", 30.0, 2048, case("build", LARGEST, f"{out}/colossus-1m"))
    stack = case("deployed", f"{out}/colossus-1m")
    words = f"{stack.said['gpus']:,} GPUs, {stack.said['resources']:,} parts"
    yield Budget(f"preview of {words}", 30.0, 0, stack)
    yield Budget(f"up of {words}", 90.0, 0, Figures(stack.said["up"], 0, stack.said))
    sides = (f"{out}/colossus-0", f"{out}/colossus-1m")
    diffs = [command("diff", *sides, "--format", "markdown") for _ in range(3)]
    yield Budget("diff of both, Markdown from their folders", 10.0, 2048, best(diffs))


def shares(found: Figures) -> Iterator[str]:
    """A line for each step of a build, with its part of the whole."""
    steps = dict(found.said["steps"])
    steps["the rest"] = found.seconds - sum(steps.values())
    for word, seconds in steps.items():
        yield f"  {word:12}{seconds:8.2f} s  {seconds / found.seconds:6.1%}"


def main() -> int:
    """Exit code: 1 with --strict when a budget is exceeded."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a budget is exceeded")
    strict = parser.parse_args().strict
    say = sys.stdout.write
    say(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    measured: dict[str, Budget] = {}
    with tempfile.TemporaryDirectory() as out:
        for budget in budgets(out):
            measured[budget.case] = budget
            say(f"{budget}\n")
            sys.stdout.flush()
    hundred, million = (budget.found for budget in measured.values() if budget.case.startswith("expand"))
    growth, gpus = million.seconds / hundred.seconds, million.said["gpus"] / hundred.said["gpus"]
    say(f"growth of expand, {gpus:.2f} times the GPUs{growth:15.2f}    {growth / GROWTH:5.2f} of {GROWTH:4g}\n")
    whole = measured["build of colossus-1m"].found
    say(f"\nwhere the build of colossus-1m spends its time, {million.said['cables']:,} cables\n")
    say("\n".join(shares(whole)) + "\n")
    over = [name for name, budget in measured.items() if max(budget.ratios) > 1]
    over += ["growth of expand"] if growth > GROWTH else []
    say(f"\n{'over budget: ' + ', '.join(over) if over else 'all within their budgets'}\n")
    return 1 if strict and over else 0


if __name__ == "__main__":
    sys.exit(main())
