"""`topology explain`: what a code means, offline."""

from typing import Annotated

import typer

from topology.cli.reports import refuse, say

EXAMPLES = "Examples: `topology explain N203` · `topology explain`"


def explain(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="A finding's code; all of them without.")] = None,
) -> None:
    """Print the rule behind a finding's CODE and the reason for it."""
    from topology.cli.codes import every_rule  # noqa: PLC0415 - not needed by --help
    from topology.findings import did_you_mean  # noqa: PLC0415

    rules = every_rule()
    if code is None:
        for each in rules.values():
            say(f"{each.code}  {each.sentence}")
        return
    rule = rules.get(code.upper())
    if rule is None:
        guess = did_you_mean(code.upper(), rules).split("known:")[0].strip()
        refuse(f"no finding has the code '{ascii(code)[1:-1]}'", guess or "topology explain lists all")
    say(f"{rule.code} ({rule.severity}): {rule.sentence}\n  because: {rule.because}")
