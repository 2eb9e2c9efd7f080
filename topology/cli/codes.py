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
    rooms = [rules.RULES, catalog.RULES, expansion.RULES]
    rooms.append({code: check.rule for code, check in checks.registered().items()})
    merged: dict[str, Rule] = {}
    for room in rooms:
        if both := merged.keys() & room.keys():
            raise ValueError(f"codes given out twice: {', '.join(sorted(both))}")
        merged |= room
    return dict(sorted(merged.items()))
