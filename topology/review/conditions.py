"""Conditions of --fail-on: a measure, and from where on it fails the run."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from topology.findings import did_you_mean, shown

MEASURES: Mapping[str, str] = {  # word: what is counted
    "verdict": "2 when something does not hold (❌), 1 when somebody has to look (⚠️), 0 otherwise",
    "changes": "1 when anything differs that is built",
    "errors": "errors of head",
    "warnings": "warnings of head",
    "new-errors": "errors that base does not have",
    "new-warnings": "warnings that base does not have",
    "gpus": "GPUs more than in base",
    "gpus-removed": "GPUs of base that are gone",
    "racks": "compute racks more than in base",
    "racks-moved": "racks that stand elsewhere",
    "racks-removed": "racks of base that are gone",
    "gpus-replaced": "GPUs that come out because another rack or node takes the place of what holds them",
    "renamed": "names that changed while what they stand for did not",
    "cables-new": "cables that base does not have",
    "cables-removed": "cables of base that are gone",
    "replug": "cables of which a plug moves to another port",
    "cables-out": "cables that come out and go in again because a device at an end is replaced",
    "switches-replaced": "switches and other boxes of fabrics in whose place another product or protocol comes",
    "relaid": "cables that are laid anew because a device at an end moves",
    "rerated": "cables at another line rate",
    "headroom-mw": "megawatts left in the tightest stage, where there are sources",
    "short-mw": "megawatts that the worst stage lacks",
    "overload": "rules against overload that head breaks, and kinds of device that overload another when one fails",
    "redundancy-lost": "kinds of power device of which one failure was survived and is no longer",
    "power-devices-removed": "devices of the power tree that are gone",
    "power-devices-replaced": "devices of the power tree in whose place one of another rating comes",
    "feeds-rewired": "feeds that stay on their device with other breakers, circuits or breaker positions",
    "feeds-moved": "feeds that hang on another device than before",
    "feeds-removed": "feeds that are gone while their rack stays",
    "nodes-renamed": "nodes that stay or move and have another name",
    "nodes-gone": "node names that leave Slurm",
    "cells-removed": "Kubernetes cells that are gone",
    "nodes-moved-cell": "nodes that leave one Kubernetes cell for another, or for none",
    "resources-destroyed": "resources of Pulumi stacks that are destroyed",
    "stacks-touched": "Pulumi stacks of which something is made, replaced, renamed or destroyed",
    "restarts": "slurmctlds that need more than a reconfigure",
    "artifacts-changed": "rendered files with other bytes",
    "artifacts-removed": "rendered files that are gone",
}
NEVER = "never"
DEFAULT = ("errors", "verdict>1")
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_FORM = re.compile(r"([a-z-]+)(?:\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?))?")


class ConditionError(Exception):
    """The text is no condition; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A measure compared with a number."""

    measure: str
    sign: str = ">"
    limit: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """The condition of `replug>0`; a measure alone means more than none.

        Raises:
            ConditionError: it is none.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ConditionError(f"{shown(text)} is no condition; write a measure alone or such as replug>0")
        word, sign, limit = found.groups()
        if word not in MEASURES:
            raise ConditionError(f"no measure {shown(word)}; {did_you_mean(word, MEASURES)}")
        return cls(word, sign or ">", float(limit or 0))

    def met(self, measures: Mapping[str, float]) -> bool:
        """Whether the run fails; a measure that a side cannot give fails nothing."""
        return self.measure in measures and _OPERATORS[self.sign](measures[self.measure], self.limit)

    def __str__(self) -> str:
        return f"{self.measure}{self.sign}{self.limit:g}"


def conditions(texts: list[str]) -> list[Condition]:
    """Conditions of several options, each of which may hold several by commas; `never` is none.

    Raises:
        ConditionError: one is none.
    """
    every = [part for text in texts for part in text.split(",")]
    return [Condition.parse(part) for part in every if part.strip() != NEVER]
