"""What somebody changed since it was deployed, each in one line: the thing, the field, before and after."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, zip_longest

from topology.artifacts.output.refusal import shown
from topology.deploy.secrets import without_secrets
from topology.source.redaction import MASK, secret_key

SHOWN = 20  # edits of one resource that are told, the rest is counted
CHARACTERS = 120  # of one value
LINES = 2_000  # that are matched one to another; it takes the square of that
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
    first = next((at for at, pair in enumerate(zip(now, before, strict=False)) if pair[0] != pair[1]), None)
    first = min(len(now), len(before)) if first is None else first
    now, before = now[first:], before[first:]
    while now and before and now[-1] == before[-1]:
        now.pop(), before.pop()
    for at, added, removed in _hunks(now, before):
        for line, (new, old) in enumerate(zip_longest(added, removed), first + at + 1):
            yield Edit(f"{name}:{line}", "", new, old)
    if not now and not before:  # the same lines, ended otherwise
        yield Edit(name, "", f"{len(found):,} bytes", f"{len(wanted):,} bytes")


def _hunks(now: Sequence[str], before: Sequence[str]) -> Iterator[tuple[int, Sequence[str], Sequence[str]]]:
    """Where lines differ: the place in `now`, the lines there, and those that were there."""
    if len(now) + len(before) > LINES:
        yield 0, now, before
        return
    for kind, old, old_end, new, new_end in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if kind != "equal":
            yield new, now[new:new_end], before[old:old_end]


def _value(text: str | None) -> str:
    """A value between quotes, on one line, without what may be secret, and no longer than is read."""
    masked = _SETTING.sub(_mask_setting, without_secrets(shown(text or "")))
    return f"'{masked[:CHARACTERS]}{'…' if len(masked) > CHARACTERS else ''}'"


def _mask_setting(match: re.Match[str]) -> str:
    """`StoragePass=…` of a slurmdbd.conf and the like."""
    name = match.group(1)
    return f"{name}={MASK}" if secret_key(name) or "pass" in name.lower() else match.group()
