"""What the providers of a stack share: a place is made to hold what the build says, and is read back."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider

from topology.deploy.edits import in_lines
from topology.deploy.stop import DeployError

GONE = (
    "it was removed, or this is another machine than the one that deployed: up makes it anew; where it stands "
    "elsewhere, lead the configuration there"
)


class SiteProvider(ResourceProvider, ABC):
    """A provider whose state keeps what stood after it wrote and what stood when it last read (`standing`).

    Where the two differ, somebody edited, and `drift` says what.

    A state refers to a provider by the module and the name of its class: those of a subclass stay as they are for as
    long as a stack may name them, and none has attributes of its own before `configure`, so that nothing but the name
    is in the state.
    """

    serialize_as_secret_always = False  # it has no secrets, and its state should be read in a review
    written: ClassVar[str]  # word under which the state keeps what stood after writing
    compared: ClassVar[tuple[str, ...]]  # inputs that bring an update when they change
    _plan: str = ".."

    def configure(self, req: ConfigureRequest) -> None:
        """Take the folder of the build from the stack's configuration."""
        self._plan = req.config.get("plan") or ".."

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Write; done twice it is done once, so one that was killed can be run again."""
        return CreateResult(props["owner"], self._write(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether the build changed, or what stands. What was left and is not there any more is made anew."""
        edited = olds.get(self.written) != olds.get("standing")
        for line in olds.get("drift") or () if edited else ():
            _warn(f"{olds['owner']}: {line}")
        changes = edited or any(olds.get(key) != news.get(key) for key in self.compared)
        if not changes and (gone := self._gone(olds)):
            changes = True
            _warn(f"{gone} has nothing of what was deployed; {GONE}")
        return DiffResult(changes=changes)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What stands now, and what of that is otherwise than it was left; no id when nothing stands."""
        stands = self._read_back(props)
        if stands is None:
            return ReadResult("", {})
        found = {key: value for key, value in props.items() if key != "drift"} | {"standing": stands}
        if stands != props.get(self.written):
            try:
                found["drift"] = in_lines(self._edits(props))
            except DeployError as error:  # the build that was deployed is not there any more
                found["drift"] = [f"it is not as it was left, and what changed cannot be told: {error}"]
        return ReadResult(id_, found)

    @property
    def _build(self) -> Path:
        """Folder of the build."""
        return Path(self._plan)

    def _state(self, props: Mapping[str, Any], stands: str, **more: object) -> dict[str, Any]:
        """The state after writing."""
        return {**props, self.written: stands, "standing": stands, **more}

    @abstractmethod
    def _write(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """Make the place hold what `props` ask for; the state after it."""

    def _edits(self, props: Mapping[str, Any]) -> Iterator[object]:
        """What is otherwise than it was left, given that something is; each in words says what it is.

        Raises:
            DeployError: it cannot be told.
        """
        yield f"{props['owner']}: is not as it was left"

    def _gone(self, props: Mapping[str, Any]) -> str:
        """The place that has lost what was left there, in words; empty when it has not, or only a server can tell."""
        del props
        return ""

    @abstractmethod
    def _read_back(self, props: Mapping[str, Any]) -> str | None:
        """What stands now, as one text; None when nothing does."""


@cache
def _warn(line: str) -> None:
    """Say a line once; the engine shows among its diagnostics what a provider says on stderr."""
    sys.stderr.write(f"warning: {line}\n")
    sys.stderr.flush()
