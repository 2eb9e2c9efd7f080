"""The plan's invariants as a CrossGuard policy pack: what no stack may hold, whoever edits it.

The checks of a build prove the same of the plan; a policy proves it of what is about to be deployed.
"""

import io
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from topology.checks.deployment import MOST_RESOURCES

SIDES = 2  # every rack has an A and a B feed

Report = Callable[[str, str | None], None]  # message, URN of the resource; None: the one that is looked at


def pack(cluster: str) -> None:
    """Offer the policies to the engine; the last line of a policy pack's program.

    Raises:
        SystemExit: the extra package is not installed.
    """
    try:
        from pulumi_policy import (  # noqa: PLC0415 - an extra
            EnforcementLevel,
            PolicyPack,
            ResourceValidationPolicy,
            StackValidationPolicy,
        )
    except ImportError:
        raise SystemExit('error: install "cluster-topology[policy]", which brings pulumi-policy') from None
    # The engine waits for a port on stdout, which pulumi-policy writes and does not flush
    sys.stdout = io.TextIOWrapper(cast("io.BufferedWriter", open(1, "wb", 0, closefd=False)), write_through=True)  # noqa: SIM115
    PolicyPack(
        f"{cluster}-invariants",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[
            ResourceValidationPolicy(
                name="two-feeds",
                description="Every rack has two feeds.",
                validate=lambda args, report: two_feeds(args.resource_type, args.props, report),
            ),
            ResourceValidationPolicy(
                name="supply",
                description="No stage draws more than its sources give.",
                validate=lambda args, report: supply(args.resource_type, args.props, report),
            ),
            StackValidationPolicy(
                name="stack-size",
                description="A stack has a bounded number of resources.",
                validate=lambda args, report: stack_size(len(args.resources), report),
            ),
        ],
    )


def two_feeds(kind: str, props: Mapping[str, Any], report: Report) -> None:
    """Report a resource with racks of which some lack a feed; a site without a power tree has no feeds at all."""
    counts = props.get("counts") or {}
    racks, feeds = int(counts.get("racks", 0)), int(counts.get("feeds", 0))
    if "dynamic/inventory" in kind and racks and feeds and feeds != SIDES * racks:
        report(f"{props['owner']} has {racks} racks and {feeds} feeds; every rack has {SIDES}", None)


def supply(kind: str, props: Mapping[str, Any], report: Report) -> None:
    """Report a stage that draws more than its sources give."""
    load, given = props.get("load_mw"), props.get("supply_mw")
    if kind == "cluster:power:Power" and load is not None and given is not None and load > given:
        report(f"the stage draws {load:g} MW, its sources give {given:g} MW; {load - given:g} MW are missing", None)


def stack_size(resources: int, report: Report) -> None:
    """Report a stack that is too large."""
    if resources > MOST_RESOURCES:
        report(f"the stack has {resources:,} resources; {MOST_RESOURCES:,} are the most", None)
