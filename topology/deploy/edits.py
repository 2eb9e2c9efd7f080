"""What somebody changed since it was deployed, each in one line: the thing, the field, before and after."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest

from topology.artifacts.output.refusal import shown
from topology.deploy.secrets import without_secrets
from topology.source.line_changes import line_changes
from topology.source.redaction import MASK, secret_key

SHOWN = 20  # edits of one resource that are told, the rest is counted
CHARACTERS = 120  # of one value
_SETTING = re.compile(r"([\w.-]{1,60})=([^\s,]{1,2000})")


@dataclass(frozen=True, slots=True)
class Edit:
    """One difference. Of a value that is empty only the words differ: there was none, or there is none any more."""

    thing: str  # "nodes h1r0001n01", "slurm.conf:12"
    field: str  # "slot"; empty where it is about the thing itself
    found: str | None  # None: not there
    wanted: str | None  # None: not of ours

    def __str__(self) -> str:
        what = shown(f"{self.thing} {self.field}".strip())
        if self.wanted is None:
            return f"{what}: {_value(self.found)} was added"
        if self.found is None:
            return f"{what}: {_value(self.wanted)} is gone"
        return f"{what}: is {_value(self.found)}, was {_value(self.wanted)}"


def in_lines(edits: Iterable[object]) -> list[str]:
    """Edits in words, a line each, the first `SHOWN` of them; then how many more there are."""
    every = iter(edits)
    lines = [str(each) for each in islice(every, SHOWN)]
    more = sum(1 for _ in every)
    return [*lines, f"and {more:,} more"] if more else lines


def edits_of_text(name: str, found: bytes, wanted: bytes) -> Iterator[Edit]:
    """Lines of a file that differ, with their numbers in the file as it stands; a long one from where it begins to."""
    now, before = (text.decode(errors="replace").splitlines() for text in (found, wanted))
    if now == before:  # the same lines, ended otherwise
        yield Edit(name, "", f"{len(found):,} bytes", f"{len(wanted):,} bytes")
    for change in line_changes(before, now):
        for line, (new, old) in enumerate(zip_longest(change.added, change.removed), change.new_at + 1):
            yield Edit(f"{name}:{line}", "", new, old)


def _value(text: str | None) -> str:
    """A value between quotes, on one line, without what may be secret, and no longer than is read."""
    masked = _SETTING.sub(_mask_setting, without_secrets(shown(text or "")))
    return f"'{masked[:CHARACTERS]}{'…' if len(masked) > CHARACTERS else ''}'"


def _mask_setting(match: re.Match[str]) -> str:
    """`StoragePass=…` of a slurmdbd.conf and the like."""
    name = match.group(1)
    return f"{name}={MASK}" if secret_key(name) or "pass" in name.lower() else match.group()
