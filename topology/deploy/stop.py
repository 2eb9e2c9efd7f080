"""How what Pulumi starts ends: a program with lines that people can act on, a provider when it is asked."""

import signal
import sys
from collections.abc import Iterable
from typing import NoReturn

import pulumi

SHOWN = 32  # exit code by which the host knows that the user was told (pulumi-language-python-exec)


class DeployError(Exception):
    """A deployment cannot go on; each argument says in one line why, and what to do."""

    def __str__(self) -> str:
        return "; ".join(self.lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each thing that stands in the way."""
        return tuple(map(str, self.args))


def stop(lines: Iterable[str]) -> NoReturn:
    """End the program with one error per line. Resources that are registered later never are."""
    for line in lines:
        pulumi.log.error(line)
    sys.exit(SHOWN)


def end_when_asked() -> None:
    """Let SIGINT end a provider that waits for requests, now that polars is loaded.

    The handler that polars installs restarts what a signal interrupts: the wait goes on, and the engine kills the
    provider five seconds later, in every update.
    """
    if hasattr(signal, "siginterrupt"):  # not on Windows, where the engine sends another signal
        signal.siginterrupt(signal.SIGINT, True)  # noqa: FBT003 - it takes no keywords
