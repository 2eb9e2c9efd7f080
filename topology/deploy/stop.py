"""Ending a Pulumi program with lines that people can act on, and no traceback."""

import sys
from collections.abc import Iterable
from typing import NoReturn

import pulumi

SHOWN = 32  # exit code by which the host knows that the user was told (pulumi-language-python-exec)


class DeployError(Exception):
    """A deployment cannot go on; the text says why and what to do, in one line."""


def stop(lines: Iterable[str]) -> NoReturn:
    """End the program with one error per line. Resources that are registered later never are."""
    for line in lines:
        pulumi.log.error(line)
    sys.exit(SHOWN)
