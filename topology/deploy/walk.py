"""All stages at once: the stacks of a project, one after another, over Pulumi's Automation API.

It runs `pulumi preview`, `up` and `destroy` on one stack at a time and reads their outputs; nothing
of a deployment is known here that those commands would not show.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pulumi import automation
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from topology.deploy.stage import Build
from topology.deploy.standing import found_resources, standing
from topology.deploy.stop import DeployError

AT_ONCE = 2  # previews side by side; each is a program and an engine of its own
PROJECT = "Pulumi.yaml"
_CLOSED = re.compile(r"(?:error|warning): (?:up would stop here: )?(stage [a-z].*)")
_ERROR = re.compile(r"\berror: (.+)")
_LOCKED = "the stack is currently locked by"
_GUARDED = re.compile(r'resource "urn:[^"]*::([^":]+)" cannot be deleted')
_NOISE = ("an unhandled error occurred", "update failed", "preview failed", "resource registration failed")

Say = Callable[[str], None]
Result = automation.UpResult | automation.DestroyResult


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage's stack would do, did, or is."""

    stage: str
    words: str
    closed: tuple[str, ...] = ()  # gates, and what went wrong; empty when nothing stands in the way


@dataclass(frozen=True)
class Project:
    """A Pulumi project of ours and the build that it deploys."""

    folder: Path
    build: Build
    stages: tuple[str, ...]

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The project in `folder`.

        Raises:
            DeployError: there is none, its build is not there, or Pulumi is not installed.
        """
        if not (folder / PROJECT).is_file():
            raise DeployError(f"{folder} has no {PROJECT}; name the folder pulumi/ of a build, or one under stacks/")
        if shutil.which("pulumi") is None:
            raise DeployError("pulumi is not on PATH; install the Pulumi command line, version 3")
        build = Build.at(folder / plan_key(folder))
        return cls(folder, build, tuple(stage["name"] for stage in build.plan["stages"]))

    def stages_to(self, last: str | None) -> tuple[str, ...]:
        """Stages up to `last`, in order; all when it is None.

        Raises:
            DeployError: no stage is called so.
        """
        if last is None:
            return self.stages
        if last not in self.stages:
            raise DeployError(f"no stage is called '{ascii(last)[1:-1]}'; the build has {', '.join(self.stages)}")
        return self.stages[: self.stages.index(last) + 1]

    def previews(self, stages: Sequence[str], parallel: int) -> Iterator[Step]:
        """What each stage would change, in order; nothing is touched."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(lambda stage: self._preview(stage, parallel), stages)

    def ups(self, stages: Sequence[str], parallel: int, say: Say) -> Iterator[Step]:
        """Each stage brought to what the build has, in order; the walk ends at the first that stops."""
        return self._walk(stages, automation.Stack.up, parallel, say)

    def destroys(self, first: str, parallel: int, say: Say, *, force: bool = False) -> Iterator[Step]:
        """Each stage from `first` on taken down, the last one first; the walk ends at the first that stops.

        All are previewed before one is touched: where one has something protected, or another stack of the project
        stands on them that is no stage of the build, all stay as they are. `force` leaves out the latter.
        """
        doomed = self.stages[self.stages.index(first) :]
        stacks = {each.name: each.resource_count or 0 for each in self._stacks()}
        above = sorted(name for name, resources in stacks.items() if resources and name not in self.stages)
        if above and not force:
            which = f"stack {', '.join(above)} of this project may stand on it and is no stage of {self.build.folder}"
            yield Step(first, "stopped", (f"stage {first}: {which}; destroy that first, or say --force",))
            return
        standing_stages = [stage for stage in reversed(doomed) if stage in stacks]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            previews = [*pool.map(lambda stage: self._destroy_preview(stage, parallel), standing_stages)]
        stopped = [step for step in previews if step.closed]
        yield from stopped or self._walk(standing_stages, automation.Stack.destroy, parallel, say)

    def states(self) -> Iterator[Step]:
        """How each stage stands, by what the state of its stack holds."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(self._state, self.stages)

    def _walk(self, stages: Iterable[str], do: Callable[..., Result], parallel: int, say: Say) -> Iterator[Step]:
        """What became of each stage; nothing is done after the first that stops."""
        for stage in stages:
            said: list[str] = []
            try:
                done = do(self._stack(stage), parallel=parallel, on_output=_recorder(said, say), suppress_outputs=True)
            except automation.CommandError as error:
                yield Step(stage, "stopped", _reasons(said, str(error), stage))
                return
            yield Step(stage, _changes_in_words(done.summary.resource_changes or {}))

    def _preview(self, stage: str, parallel: int) -> Step:
        said: list[str] = []
        try:
            done = self._stack(stage).preview(parallel=parallel, on_output=said.append)
        except automation.CommandError as error:
            return Step(stage, "stopped", _reasons(said, str(error), stage))
        return Step(stage, _changes_in_words(done.change_summary), _gates(said))

    def _destroy_preview(self, stage: str, parallel: int) -> Step:
        said: list[str] = []
        try:
            self._stack(stage, make=False).preview_destroy(parallel=parallel, on_output=said.append)
        except automation.CommandError as error:
            return Step(stage, "stopped", _reasons(said, str(error), stage))
        return Step(stage, "")

    def _state(self, stage: str) -> Step:
        try:
            state = self._stack(stage, make=False).export_stack().deployment or {}
        except automation.StackNotFoundError:
            return Step(stage, "no stack yet")
        except automation.CommandError as error:
            return Step(stage, "unknown", _reasons([], str(error), stage))
        resources = [each for each in state.get("resources") or [] if not each.get("delete")]
        begun = [each["resource"]["urn"].rpartition("::")[2] for each in state.get("pending_operations") or []]
        found = found_resources({each["urn"]: each.get("outputs") or {} for each in resources})
        how = standing(self.build, stage, found, sorted(begun))
        return Step(stage, how.wrong.removeprefix("is ") or f"deployed, {how.resources:,} resources")

    def _stacks(self) -> list[automation.StackSummary]:
        """Every stack of the project, whether it is a stage of the build or not.

        Raises:
            DeployError: Pulumi does not say: nobody is logged in, or the backend is not there.
        """
        try:
            return automation.LocalWorkspace(work_dir=str(self.folder)).list_stacks()
        except automation.CommandError as error:
            raise DeployError(*_reasons([], str(error), "")) from None

    def _stack(self, stage: str, *, make: bool = True) -> automation.Stack:
        choose = automation.create_or_select_stack if make else automation.select_stack
        return choose(stage, work_dir=str(self.folder))


def plan_key(folder: Path) -> str:
    """The key `plan` of the stacks' configurations; they all name one build."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("Pulumi.*.yaml")):
        try:
            keys = (YAML(typ="safe", pure=True).load(path.read_bytes()) or {}).get("config") or {}
            found |= {str(value): path.name for key, value in keys.items() if str(key).endswith(":plan")}
        except (OSError, YAMLError, AttributeError, ValueError, RecursionError):  # ValueError: a date that is none
            raise DeployError(f"{path} is not a stack's configuration; correct it, or restore it") from None
    if len(found) > 1:
        raise DeployError(f"{' and '.join(found.values())} name two builds, {' and '.join(found)}; name one")
    return next(iter(found), "..")


def _recorder(said: list[str], say: Say) -> Say:
    """Keeps what the engine says, and passes it on."""

    def hear(line: str) -> None:
        said.append(line)
        say(line)

    return hear


def _gates(said: Sequence[str]) -> tuple[str, ...]:
    """Closed gates that the engine's words name, each once."""
    return tuple(dict.fromkeys(match.group(1) for line in said if (match := _CLOSED.search(line))))


def _reasons(said: Sequence[str], error: str, stage: str) -> tuple[str, ...]:
    """Why a stack stopped: its gates, else the engine's errors, each once."""
    lines = [*said, *error.splitlines()]
    if any(_LOCKED in line for line in lines):
        held = f"stage {stage}: another update holds the stack, or one was killed"
        return (f"{held}; see it ended, then run pulumi cancel -s {stage}",)
    guarded = sorted({match.group(1) for line in lines if (match := _GUARDED.search(line))})
    if guarded:
        more = f" and {len(guarded) - 1} more" if len(guarded) > 1 else ""
        lift = f"run pulumi config set protect false -s {stage}, then up, then this again"
        return (f"stage {stage}: {guarded[0]}{more} are protected; {lift}",)
    errors = [match.group(1).strip() for line in lines if (match := _ERROR.search(line))]
    kept = [line for line in errors if not line.startswith(_NOISE)]
    return _gates(lines) or tuple(dict.fromkeys(kept)) or (error.strip().splitlines()[-1],)


def _changes_in_words(changes: Mapping[automation.OpType, int]) -> str:
    """Changes in words: 94 created, 1 unchanged."""
    words = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced", "same": "unchanged"}
    counts = {str(getattr(kind, "value", kind)): count for kind, count in changes.items()}  # older ones are plain text
    return ", ".join(f"{counts[kind]:,} {word}" for kind, word in words.items() if counts.get(kind)) or "nothing"
