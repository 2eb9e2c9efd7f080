"""Errors of a side by the letters of their codes."""

from collections.abc import Sequence

from topology.findings import Severity
from topology.review.side import Side


def faulty(side: Side, codes: Sequence[str]) -> int:
    """Errors whose code begins with one of `codes`."""
    return sum(f.severity is Severity.ERROR and f.code.startswith(tuple(codes)) for f in side.findings)
