"""Attestations: who says, since when and where it is written, that a stage may be built on what it needs.

A gate opens on them alone, so nothing passes for one that nobody made: not an empty value or an invisible one, not the
words of the command that were to be filled in, not a date that is still to come.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from difflib import get_close_matches
from typing import Any

from topology.findings import did_you_mean, shown

WORDS = {
    "permits": "the permit of {} is not attested",
    "energised": "hall {} is not attested to be energised",
    "banks": "battery bank {} is not attested to be in service",
}
BLANKS = {"by": "NAME", "date": "YYYY-MM-DD", "reference": "TEXT"}  # as the command has them, to be filled in
_UNSAID = {  # small letters and digits of words that stand where nobody has said anything yet
    *("".join(filter(str.isalnum, blank)).casefold() for blank in BLANKS.values()),
    *("false", "na", "nil", "no", "none", "null", "pending", "tba", "tbc", "tbd", "todo", "true", "undefined"),
    *("unknown", "xxx", "yes"),
}
_FILLERS = "\u115f\u1160\u3164\uffa0"  # letters to Unicode, blank on every screen
# A date, or a time as people write it and as the engine prints what YAML takes for one: 2026-05-31 00:00:00 +0000 UTC
_DATE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)\d*"
    r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d)(?: [A-Z+-][\w:+-]{0,9})?)?)?",
    re.ASCII,
)
_MIDNIGHT = " 00:00:00 +0000 UTC"  # what the engine adds to a date that stands in YAML without quotes
_FIRST_YEAR = 2000  # the zero dates of programs, 0001-01-01 and 1970-01-01, attest nothing
_FIRST_ZONE = timezone(timedelta(hours=14))  # where a day begins first on earth


@dataclass(frozen=True)
class Attestations:
    """What a stack's configuration attests, asked at a moment."""

    said: Mapping[str, Mapping[str, Any]]  # kind of need: name: by, date and reference
    now: datetime  # of a time zone
    secret: bool = False  # whether its values must not be shown

    def lacking(self, stage: str, needs: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """A line for each need that nobody attests, or whose attestation is not one: what is wrong, and the command."""
        for kind, sentence in WORDS.items():
            strange = self.said.get(kind, {}).keys() - set(needs[kind])
            for name in needs[kind]:
                one = self.said.get(kind, {}).get(name)
                if one is None:
                    near = get_close_matches(name, sorted(strange), n=1)
                    what = sentence.format(name)
                    what += f", {kind}.{shown(near[0])[1:-1]} is: did you mean '{name}'?" if near else ""
                else:
                    faults = [*self._faults(one)]
                    if not faults:
                        continue
                    what = f"{kind}.{name} is attested {' and '.join(faults)}"
                yield f"stage {stage}: {what}; attest it: {command(stage, kind, name)}"

    def of_nothing(self, needs: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """A line for each attestation of what no stage needs; `needs` are those of all stages."""
        for kind, names in self.said.items():
            for name in sorted(set(names) - set(needs[kind])):
                known = did_you_mean(name, needs[kind]) or "nothing of the kind is needed"
                yield f"no stage needs {kind}.{shown(name)[1:-1]}, which is attested; {known}"

    def _faults(self, one: object) -> Iterator[str]:
        """What an attestation lacks, and what in it is none; nothing when it is complete."""
        if not isinstance(one, Mapping):
            yield f"with {self._value(one)}, which is not by, date and reference"
            return
        lacks = [key for key in BLANKS if one.get(key) is None or (isinstance(one[key], str) and _is_blank(one[key]))]
        if lacks:
            yield f"without {' and '.join(lacks)}"
        for key in BLANKS:
            if key not in lacks and (why := self._fault(key, one[key])):
                yield f"with {key} {self._value(one[key])}, which is {why}"
        for key in sorted(one.keys() - BLANKS.keys()):
            yield f"with {shown(key)}, which is not known ({did_you_mean(key, BLANKS)})"

    def _fault(self, key: str, value: object) -> str:
        """Why a value that is there says nothing; empty when it does."""
        if not isinstance(value, str):
            return "no text; write it in quotes"
        if "".join(filter(str.isalnum, value)).casefold() in _UNSAID:
            return "to be filled in"
        return self._date_fault(value.strip()) if key == "date" else ""

    def _date_fault(self, text: str) -> str:
        """Why a text is no date on which something was attested; a day may have begun anywhere on earth."""
        match = _DATE.fullmatch(text)
        try:
            if match is None:
                raise ValueError  # noqa: TRY301 - said below, as of one that the calendar lacks
            day = date.fromisoformat(match["day"])
            if match["time"] is None or text == match["day"] + _MIDNIGHT:
                is_to_come = day > self.now.astimezone(_FIRST_ZONE).date()
            else:
                said = datetime.fromisoformat(f"{match['day']}T{match['time']}{match['zone'] or ''}")
                is_to_come = (said if said.tzinfo else said.replace(tzinfo=_FIRST_ZONE)) > self.now
        except ValueError:
            return "no date like 2026-05-31"
        if day.year < _FIRST_YEAR:
            return f"before {_FIRST_YEAR}"
        return "still to come" if is_to_come else ""

    def _value(self, value: object) -> str:
        return "a secret" if self.secret else shown(value)


def command(stage: str, kind: str, name: str) -> str:
    """The command that attests a need, to be filled in."""
    where = f"attest.{kind}.{name}"
    words = " ".join(f"--plaintext {where}.{key}={blank}" for key, blank in BLANKS.items())
    return f"pulumi config set-all -s {stage} --path {words}"


def _is_blank(text: str) -> bool:
    """Whether a reader sees no letter and no digit in a text."""
    return not any(unicodedata.category(each)[0] in "LN" and each not in _FILLERS for each in text)
