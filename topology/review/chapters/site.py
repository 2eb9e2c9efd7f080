"""What stands where: GPUs, racks, halls, groups and stages; what is renamed, moved or taken away."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
import polars as pl

from topology.diff.matching import Rows
from topology.plan import Plan, names
from topology.review.amounts import count, plural, signed
from topology.review.document import Bullets, Decision, Figure, Fold, Mark, Name, Words, listed, look, some, strong
from topology.review.folding import alike
from topology.review.review import ReviewPart

MOST_DESIGNS = 3  # named in the first table
NO_STAGE = "no stage"
MOST_PLACES = 400  # lines of the fold by place; a format may show fewer


class SitePart(ReviewPart):
    """Counts of the site, and everything on the floor that comes, goes, moves or changes its name."""

    title = "Site"

    def figures(self) -> Iterator[Figure]:
        """Rows of GPUs, nodes and racks."""
        base, head = self.base, self.head
        for label, was, now in (("GPUs", base.gpus, head.gpus), ("Nodes", base.nodes, head.nodes)):
            if was.height != now.height:
                yield _counted(label, was.height, now.height)
        designs = _delta(base.racks["design"].to_list(), head.racks["design"].to_list())
        spelled = listed([_racks(delta, name, "±") for name, delta in designs[:MOST_DESIGNS]])
        more = f" and {len(designs) - MOST_DESIGNS} more designs" if len(designs) > MOST_DESIGNS else ""
        if designs:
            yield Figure(("Racks",), (count(base.racks.height),), (count(head.racks.height),), (*spelled, more))

    @cached_property
    def replaced(self) -> list[tuple[str, int, Words]]:
        """Compute racks and nodes that are replaced: how many, their GPUs before, and what takes the place of what."""
        gpus = np.bincount(self.base.gpus["node"].to_numpy(), minlength=self.base.nodes.height)
        found: list[tuple[str, int, Words]] = []
        for table, column in (("racks", "design"), ("nodes", "product")):
            was, now = self.delta.replaced[table]
            base, head = self.base.tables()[table], self.head.tables()[table]
            held = gpus
            if table == "racks":
                held = np.bincount(self.base.nodes["rack"].to_numpy(), gpus, base.height)
            else:
                alone = ~np.isin(self.base.nodes["rack"].to_numpy()[was], self.delta.replaced["racks"][0])
                was, now = was[alone], now[alone]
            rows = pl.DataFrame({"was": base[column].gather(was), "now": head[column].gather(now), "gpus": held[was]})
            counted = rows.group_by("was", "now", maintain_order=True).agg(pl.len(), pl.col("gpus").sum())
            for old, new, many, lost in counted.iter_rows():
                what: Words = (Name(old), " → ", Name(new)) if old != new else (Name(old), " with other cards")
                found.append((plural(many, table.removesuffix("s")), int(lost), what))
        return found

    @property
    def gpus_replaced(self) -> int:
        """GPUs of base that come out because what holds them is replaced."""
        return sum(gpus for _, gpus, _ in self.replaced)

    def decisions(self) -> Iterator[Decision]:
        """What is replaced, taken away or moved."""
        delta, base, head = self.delta, self.base, self.head
        for many, gpus, what in self.replaced:
            yield look("replaced", f": {many} with {plural(gpus, 'GPU')}, ", *what)
        for old, new, racks in self.other_stage:
            yield look("other stage", f": {plural(racks, 'rack')}, ", Name(old), " → ", Name(new))
        for word, kind in delta.renames.each().items():
            if word in {"source", "battery", "partition", "Slurm cluster"}:
                continue  # the chapters of power and scheduling say what that means
            if kind.removed:
                noun = word if len(kind.removed) == 1 else _many(word)
                yield look("destroyed", f": {noun} ", *some(kind.removed, 8))
        removed = delta.table("racks").removed
        if len(removed):
            lost = len(delta.table("gpus").removed)
            gone = Counter(base.racks["design"].gather(removed)).most_common()
            parts = listed([_racks(number, design) for design, number in gone])
            held = f" with {plural(lost, 'GPU')}" if lost else ""
            yield look("destroyed", ": ", *parts, held, *_at(base, removed))
        was, now = delta.moves.racks
        if len(now):
            example = (names.labels(base, "racks")[int(was[0])], names.labels(head, "racks")[int(now[0])])
            words = (strong("moved"), f": {plural(len(now), 'rack')}, ", Name(example[0]), " → ", Name(example[1]))
            more = f" and {count(len(now) - 1)} more" if len(now) > 1 else ""
            yield Decision(Mark.LOOK, (*words, more))

    @cached_property
    def other_stage(self) -> list[tuple[str, str, int]]:
        """Racks that are built in another stage than before: stage before and after, and how many."""
        was, now = self.delta.matched("racks")
        renamed = self.delta.renames.stages.renamed
        before, after = (
            pl.Series([*plan.stages["name"], NO_STAGE]).gather(plan.racks["stage"].fill_null(plan.stages.height)[rows])
            for plan, rows in ((self.base, was), (self.head, now))
        )
        before = before.replace(renamed) if renamed else before
        pairs = pl.DataFrame({"was": before, "now": after}).filter(pl.col("was") != pl.col("now"))
        return list(pairs.group_by("was", "now", maintain_order=True).len().iter_rows())

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        renames = self.delta.renames
        for many, gpus, what in self.replaced:
            are = "is" if many.startswith("1 ") else "are"
            yield (f"{many} with {plural(gpus, 'GPU')} {are} replaced (", *what, ")")
        delta = self.head.gpus.height - self.base.gpus.height
        where = [*renames.halls.added] if delta > 0 else [*renames.halls.removed]
        stages = [*renames.stages.added] if delta > 0 else [*renames.stages.removed]
        if delta:
            words: Words = (f"{signed(delta)} GPUs",)
            words += (" in hall " if len(where) == 1 else " in halls ", *some(where)) if where else ()
            words += (" (stage " if len(stages) == 1 else " (stages ", *some(stages), ")") if stages else ()
            yield words
        elif stages := [*renames.stages.added]:
            yield ("new stage " if len(stages) == 1 else "new stages ", *some(stages))
        moved = len(self.delta.moves.racks[1])
        if moved:
            yield (f"{plural(moved, 'rack moves', 'racks move')}",)
        if self.other_stage and self.base.stages.height and self.head.stages.height:
            racks = sum(each for *_, each in self.other_stage)
            yield (f"{plural(racks, 'rack is', 'racks are')} built in another stage",)
        for word, kind in renames.each().items():
            if len(kind.renamed) == 1:
                ((old, new),) = kind.renamed.items()
                yield (f"{word} ", Name(old), " is renamed ", Name(new))
            elif kind.renamed:
                yield (f"{len(kind.renamed)} {_many(word)} are renamed",)

    def folds(self) -> Iterator[Fold]:
        """What happens to racks, by hall and row, folded where it is alike."""
        delta, base, head = self.delta, self.base, self.head
        diff = delta.table("racks")
        was, now = delta.moves.racks
        other = diff.after[~np.isin(diff.after, np.concatenate([now, delta.replaced["racks"][1]]))]
        out = delta.replaced["racks"][1]
        lines = [
            *_places(head, diff.added, "+"),
            *_places(base, diff.removed, "−"),
            *_places(base, was, "moved away: "),
            *_places(head, now, "moved here: "),
            *_places(head, out, "replaced by "),
            *_places(head, other, "changed: "),
        ]
        kinds = delta.renames.each().items()
        renamed = [(word, old, new) for word, kind in kinds for old, new in kind.renamed.items()]
        named = [(f"{word} ", Name(old), " → ", Name(new)) for word, old, new in renamed]
        blocks = [Bullets(named)] if named else []
        blocks += [Bullets(lines[:MOST_PLACES])] if lines else []
        if blocks:
            parts = [plural(len(named), "rename")] if named else []
            told = (
                *(("+", diff.added, ""), ("−", diff.removed, ""), ("", now, " moved")),
                *(("", out, " replaced"), ("", other, " changed")),
            )
            parts += [f"{sign}{count(len(rows))}{word}" for sign, rows, word in told if len(rows)]
            yield Fold((f"By place: {', '.join(parts)}{' racks' if lines else ''}",), tuple(blocks))

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        return {
            "gpus": self.head.gpus.height - self.base.gpus.height,
            "racks": _compute(self.head) - _compute(self.base),
            "racks-removed": len(self.delta.table("racks").removed),
            "racks-moved": len(self.delta.moves.racks[1]),
            "gpus-removed": len(self.delta.table("gpus").removed),
            "gpus-replaced": self.gpus_replaced,
            "renamed": sum(len(kind.renamed) for kind in self.delta.renames.each().values()),
        }


def _compute(plan: Plan) -> int:
    return plan.racks.filter(pl.col("role") == "compute").height


def _counted(label: str, base: int, head: int) -> Figure:
    delta = head - base
    return Figure((label,), (count(base),), (count(head),), (strong(signed(delta)),) if delta < 0 else (signed(delta),))


def _racks(number: int, design: str, sign: str = "") -> Words:
    """A number of racks of a design; without one they are network racks."""
    words = "" if design else f" network {'rack' if abs(number) == 1 else 'racks'}"
    spelled = signed(number) if sign == "±" else f"{sign}{count(number)}"
    return (f"{spelled} ", Name(design)) if design else (f"{spelled}{words}",)


def _delta(base: list[str], head: list[str]) -> list[tuple[str, int]]:
    """Words whose count changed, the largest change first."""
    had, have = Counter(base), Counter(head)
    every = {word: have[word] - had[word] for word in {*had, *have}}
    return sorted(((word, delta) for word, delta in every.items() if delta), key=lambda pair: (-abs(pair[1]), pair[0]))


def _many(word: str) -> str:
    return {"battery": "batteries"}.get(word, f"{word}s")


def _at(plan: Plan, rows: Rows) -> Words:
    halls = plan.halls["name"].gather(plan.racks["hall"].gather(rows)).unique(maintain_order=True).to_list()
    return (" in hall " if len(halls) == 1 else " in halls ", *some(halls))


def _places(plan: Plan, rows: Rows, sign: str) -> Iterator[Words]:
    if not len(rows):
        return
    racks = names.with_places(plan, plan.racks[rows])
    counted = racks.group_by("hall", "row_number", "hall_name", "design", maintain_order=True).len()
    counted = counted.sort("hall", "row_number", "design")
    places = [(hall, row, (design, many)) for _, row, hall, design, many in counted.iter_rows()]
    for halls, where, (design, many) in alike(places):
        rows_of = "row" if where.isdecimal() else "rows"
        each = "" if where.isdecimal() and len(halls) == 1 else " each"
        yield (*some(halls, 16), f" {rows_of} {where}: ", *_racks(many, design, sign), each)
