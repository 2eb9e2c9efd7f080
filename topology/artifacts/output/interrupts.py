"""Signals that end a run wait until the output folder is in a state to leave.

Python delivers a signal between any two steps; a build that is undone at a random step leaves
things behind. So inside `defer_signals` a signal is noted, and raised where the build says so: while
it waits for the next artifact, or after everything is cleaned up.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], object] | int | None


class Interrupts:
    """The signals that came, and whether they may be raised now."""

    def __init__(self) -> None:
        self._before: dict[int, Handler] = {}
        self._pending: list[int] = []
        self._open = False

    def install(self) -> None:
        """Take over each ending signal that is not ignored (as under nohup)."""
        for number in ENDING:
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._note)

    def restore(self) -> None:
        """Give the signals back to whoever had them."""
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextmanager
    def let(self) -> Iterator[None]:
        """Inside, a signal raises at once; one that came before raises now."""
        self._open = True
        try:
            self.raise_pending()
            yield
        finally:
            self._open = False

    def raise_pending(self) -> None:
        """KeyboardInterrupt or SystemExit(128 + number) for the first signal that waits."""
        if self._pending:
            number = self._pending.pop(0)
            before = self._before[number]
            if callable(before):
                before(number, None)
            else:
                raise SystemExit(128 + number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._pending.append(number)
        if self._open:
            self.raise_pending()


@contextmanager
def defer_signals() -> Iterator[Interrupts]:
    """Inside, ending signals wait; on leaving, one that still waits is raised.

    Off the main thread Python handles no signals, and there is nothing to defer.
    """
    interrupts = Interrupts()
    if threading.current_thread() is threading.main_thread():
        interrupts.install()
    try:
        yield interrupts
    finally:
        interrupts.restore()
    interrupts.raise_pending()
