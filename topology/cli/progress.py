"""What is being done now, on a terminal's stderr and only when it takes longer than a second."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

PATIENCE_S = 1.0


class Progress:
    """Steps of a run; silent in pipes and CI logs."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._status: Status | None = None

    def step(self, words: str) -> None:
        """Say what begins now."""
        if not sys.stderr.isatty() or time.monotonic() - self._started < PATIENCE_S:
            return
        from rich.console import Console  # noqa: PLC0415 - only slow runs on a terminal need it

        if self._status is None:
            self._status = Console(stderr=True).status(words)
            self._status.start()
        self._status.update(words)

    def stop(self) -> None:
        """Clear the line."""
        if self._status is not None:
            self._status.stop()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started


@contextmanager
def progress() -> Iterator[Progress]:
    """A `Progress` whose line is cleared however the run ends."""
    made = Progress()
    try:
        yield made
    finally:
        made.stop()
