"""The table by stage: what each stage holds and what is left of its supply."""

from collections.abc import Mapping
from typing import Any

from topology.review.amounts import both, count, megawatts, row
from topology.review.document import TextTable
from topology.review.review import Review
from topology.views.supply import StagePower, by_stage


def stages(review: Review) -> TextTable | None:
    """A row per stage that differs, and how many do not; None where none does."""
    base, head = review.plans
    watts = review.delta.renames.under("stages", by_stage(base)), by_stage(head)
    supplied = any(stage.supply_w is not None for side in watts for stage in side.values())
    every = both(*reversed(review.rows("stages")))
    rows, same = [], 0
    for name, (now, was) in every.items():
        facts = [_facts(was, watts[0].get(name)), _facts(now, watts[1].get(name))]
        facts = facts if supplied else [each[:4] for each in facts]
        if facts[0] == facts[1]:
            same += 1
            continue
        rows.append(row(name, *facts))
    if not rows:
        return None
    if same:
        rows.append(((f"{count(same)} more, unchanged",), *[("",)] * (len(rows[0]) - 1)))
    heads = (
        "stage, all before it included",
        "GPUs",
        "racks",
        "cables",
        "IT, MW",
        *(("supply, MW", "headroom, MW") if supplied else ()),
    )
    return TextTable(heads, rows, (False, *[True] * (len(heads) - 1)))


def _facts(row: Mapping[str, Any] | None, stage: StagePower | None) -> tuple[str, ...]:
    """What the table says of a stage, supply and headroom last; dashes where there is none of it."""
    held = ("–",) * 3 if row is None else tuple(count(row[word]) for word in ("gpus", "racks", "cables"))
    watts = (row["it_w"] if row else None, *((stage.supply_w, stage.headroom_w) if stage else (None, None)))
    return (*held, *("–" if each is None else megawatts(each) for each in watts))
