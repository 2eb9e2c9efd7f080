"""The table by stage: what each stage holds and what is left of its supply."""

from topology.review.amounts import arrow, count, megawatts
from topology.review.chapters.power_facts import by_stage
from topology.review.document import Name, TextTable
from topology.review.review import Review

ALWAYS = 12  # stages that are listed whether they change or not


def stages(review: Review) -> TextTable | None:
    """A row per stage of either side, unchanged ones left out where there are many."""
    base, head = review.plans
    renamed = review.changes.renames.stages.renamed
    before = {renamed.get(row["name"], row["name"]): row for row in base.stages.iter_rows(named=True)}
    after = {row["name"]: row for row in head.stages.iter_rows(named=True)}
    watts = {renamed.get(name, name): stage for name, stage in by_stage(base).items()}, by_stage(head)
    supplied = any(stage.supply_w is not None for side in watts for stage in side.values())
    rows, same = [], 0
    for name in dict.fromkeys([*after, *before]):
        facts = []
        for side, stages in enumerate((before, after)):
            row, stage = stages.get(name), watts[side].get(name)
            shown = (
                ("–",) * 4
                if row is None
                else (count(row["gpus"]), count(row["racks"]), count(row["cables"]), megawatts(row["it_w"]))
            )
            power: tuple[str, ...] = ()
            if supplied:
                left = stage.headroom_w if stage else None
                given = stage.supply_w if stage else None
                power = ("–" if given is None else megawatts(given), "–" if left is None else megawatts(left))
            facts.append((*shown, *power))
        if facts[0] == facts[1] and len({*before, *after}) > ALWAYS:
            same += 1
            continue
        rows.append(((Name(name),), *(arrow(*pair) for pair in zip(*facts, strict=True))))
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
