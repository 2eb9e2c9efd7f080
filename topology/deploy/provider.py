"""What the providers of a stack share: a place is made to hold what the build says, and is read back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider


class SiteProvider(ResourceProvider, ABC):
    """A provider whose state keeps what stood after it wrote and what stood when it last read (`standing`).

    Where the two differ, somebody edited. A state refers to a provider by the module and the name of its class:
    those of a subclass stay as they are for as long as a stack may name them, and none has attributes of its own
    before `configure`, so that nothing but the name is in the state.
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
        """Whether the build changed, or what stands."""
        edited = olds.get(self.written) != olds.get("standing")
        return DiffResult(changes=edited or any(olds.get(key) != news.get(key) for key in self.compared))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What stands now; no id when nothing does."""
        stands = self._read_back(props)
        return ReadResult("", {}) if stands is None else ReadResult(id_, {**props, "standing": stands})

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

    @abstractmethod
    def _read_back(self, props: Mapping[str, Any]) -> str | None:
        """What stands now, as one text; None when nothing does."""
