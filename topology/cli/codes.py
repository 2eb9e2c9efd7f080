"""Every code there is, from the rooms that give them out."""

from collections.abc import Mapping

from topology import checks, rules
from topology.catalog import rules as catalog
from topology.expand import rules as expansion
from topology.rules import Rule


def every_rule() -> Mapping[str, Rule]:
    """Rules by code, sorted.

    Raises:
        ValueError: two rooms gave out one code.
    """
    found = [check.rule for check in checks.registered().values()]
    rooms = (rules.RULES, catalog.RULES, expansion.RULES)
    every = rules.by_code([*(rule for room in rooms for rule in room.values()), *found])
    return dict(sorted(every.items()))
