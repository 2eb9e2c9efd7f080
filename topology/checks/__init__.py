"""Rules over the tables. A check returns the rows that break its rule; no rows is a pass.

Each module of this package is found by itself, so a new check is one function in one file.
A check's frame has a row per breach, with `origin`, `example` (a name), `message` and
`help`; the runner folds them into one finding per line of the spec.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import polars as pl

from topology.findings import Finding, Path, Severity
from topology.plan import Plan
from topology.rules import Rule

Query = Callable[[Plan], pl.DataFrame]
EXAMPLES = 3
BREACH = {"origin": pl.UInt16, "example": pl.String, "message": pl.String, "help": pl.String}


@dataclass(frozen=True, slots=True)
class Check:
    """A rule and the query that finds its breaches."""

    rule: Rule
    query: Query
    keys: Mapping[str, str]  # key of the spec to point at, by the section the row came from


CHECKS: dict[str, Check] = {}


def check(
    code: str,
    sentence: str,
    because: str,
    *,
    severity: Severity = Severity.ERROR,
    keys: Mapping[str, str] | None = None,
) -> Callable[[Query], Query]:
    """Register a query; a code is given out once, ever."""

    def register(query: Query) -> Query:
        if code in CHECKS:
            raise ValueError(f"check {code} is already '{CHECKS[code].rule.sentence}'")
        CHECKS[code] = Check(Rule(code, sentence, because, severity), query, keys or {})
        return query

    return register


def nothing() -> pl.DataFrame:
    """What a check returns when its rule holds: a frame of breaches without a row."""
    return pl.DataFrame(schema=BREACH)


def run(plan: Plan) -> Iterator[Finding]:
    """Findings of every check, in order of codes; one per origin, with its count and three names."""
    for code in sorted(registered()):
        found = CHECKS[code]
        breaches = found.query(plan)
        for (origin,), rows in breaches.group_by("origin", maintain_order=True):
            first = rows.row(0, named=True)
            yield Finding(
                code,
                first["message"],
                _path(plan, found, int(str(origin))),
                first["help"],
                found.rule.because,
                found.rule.severity,
                rows.height,
                tuple(rows["example"].head(EXAMPLES)),
            )


@cache
def registered() -> Mapping[str, Check]:
    """Every check there is, by code."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return CHECKS


def _path(plan: Plan, found: Check, origin: int) -> Path:
    path = plan.origins[origin]
    key = found.keys.get(str(path[0])) if path else None
    return (*path, key) if key else path
