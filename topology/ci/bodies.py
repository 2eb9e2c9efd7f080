"""Texts of comments, rendered by the job that writes them: what they are made of is data that anyone may have sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MOST_CHARACTERS = 65_536  # GitHub: "Body is too long (maximum is 65536 characters)"
FORK = "<sub>From a fork: the text is the work of its own run.</sub>"
_PATH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


@dataclass(frozen=True, slots=True)
class Body:
    """The text of a comment; its first line is a marker, by which the comment is found."""

    spec: str
    text: str
    measures: Mapping[str, float]
    only_update: bool = False  # an earlier comment is kept up to date, none is begun

    @property
    def marker(self) -> str:
        """First line of the comment."""
        return self.text.partition("\n")[0]


def fits_marker(path: str) -> bool:
    """Whether a marker and a log carry the path as it is."""
    return _PATH.fullmatch(path) is not None
