"""The plan's invariants as a CrossGuard policy pack: what no stack may hold, whoever edits it.

The checks of a build prove the same of the plan; a policy proves it of what is about to be deployed.
"""

import io
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from topology.checks.deployment import MOST_RESOURCES

SIDES = 2  # every rack has an A and a B feed
POWER = "cluster:power:Power"

Report = Callable[[str, str | None], None]  # message, URN of the resource; None: the one that is looked at


def pack(cluster: str, *, power_tree: bool = True, sources: bool = True) -> None:
    """Offer the policies to the engine; the last line of a policy pack's program.

    What a spec leaves out is exempt, and only then: racks need no feeds in a site without a power tree, and no stage
    is held to its supply where no source is named.

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
                validate=lambda args, report: two_feeds(args.resource_type, args.props, report, power_tree=power_tree),
            ),
            ResourceValidationPolicy(
                name="supply",
                description="No stage draws more than its sources give.",
                validate=lambda args, report: supply(args.resource_type, args.props, report, sources=sources),
            ),
            StackValidationPolicy(
                name="power-path",
                description="Every stack has the power path, which says what its stage draws.",
                validate=lambda args, report: power_path([each.resource_type for each in args.resources], report),
            ),
            StackValidationPolicy(
                name="stack-size",
                description="A stack has a bounded number of resources.",
                validate=lambda args, report: stack_size(len(args.resources), report),
            ),
        ],
    )


def two_feeds(kind: str, props: Mapping[str, Any], report: Report, *, power_tree: bool) -> None:
    """Report a resource with racks of which some lack a feed, and a scalable unit without a rack."""
    if "dynamic/inventory" not in kind:
        return
    counts = props.get("counts") or {}
    racks, feeds = int(counts.get("racks", 0)), int(counts.get("feeds", 0))
    if power_tree and feeds != SIDES * racks:
        report(f"{props['owner']} has {racks} racks and {feeds} feeds; every rack has {SIDES}", None)
    if kind.endswith(":ScalableUnit") and not racks:
        report(f"{props['owner']} is a scalable unit without a rack", None)


def supply(kind: str, props: Mapping[str, Any], report: Report, *, sources: bool) -> None:
    """Report a stage that draws more than its sources give, or that does not say what they give."""
    if kind != POWER:
        return
    load, given = props.get("load_mw"), props.get("supply_mw")
    if not isinstance(load, int | float) or not isinstance(given, int | float):
        if sources:
            report("the stack does not say what its stage draws and what its sources give", None)
    elif not load <= given:
        report(f"the stage draws {load:g} MW, its sources give {given:g} MW; {load - given:g} MW are missing", None)


def power_path(kinds: Sequence[str], report: Report) -> None:
    """Report a stack without the component that `supply` asks; `kinds` are the types of its resources."""
    if POWER not in kinds:
        report(f"the stack has no {POWER}; its program makes one with Power(stage)", None)


def stack_size(resources: int, report: Report) -> None:
    """Report a stack that is too large."""
    if resources > MOST_RESOURCES:
        report(f"the stack has {resources:,} resources; {MOST_RESOURCES:,} are the most", None)
