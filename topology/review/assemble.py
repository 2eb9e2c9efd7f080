"""From two sides to the document that every format prints."""

import re
from collections.abc import Mapping, Sequence

from topology.findings import Finding, Severity
from topology.findings_format import totals
from topology.review import findings as found
from topology.review import pictures, spec_lines
from topology.review.amounts import count, plural
from topology.review.chapters import PARTS
from topology.review.chapters.artifacts import ArtifactsPart
from topology.review.document import (
    Bullets,
    Chapter,
    Decision,
    Document,
    FileLines,
    Fold,
    Mark,
    Name,
    TextTable,
    Words,
    listed,
    strong,
)
from topology.review.findings import FindingChanges
from topology.review.review import Review
from topology.review.stages import stages
from topology.views.banks import rides
from topology.views.supply import by_stage

PHRASES = 6  # of the first sentence
_MARKS = {Severity.ERROR: Mark.FAULT, Severity.WARNING: Mark.LOOK, Severity.NOTE: Mark.FINE}


def assemble(review: Review) -> tuple[Document, Mapping[str, float]]:
    """The document, and the measures that --fail-on compares."""
    if review.head.broken or review.base.broken:
        return _without_plan(review)
    changed = found.finding_changes(review.base, review.head)
    chapters = [part(review).chapter() for part in PARTS]
    measures = _measures(review, changed)
    for chapter in chapters:
        measures |= chapter.measures
    same = _same(review, changed)
    decisions = [*_findings(changed), *(decision for chapter in chapters for decision in chapter.decisions)]
    decisions.sort(key=lambda decision: -decision.mark)  # stable: findings come first among equals
    mark = _mark(review, decisions, chapters)
    measures |= {"changes": float(not same), "verdict": float(mark)}
    document = Document(
        marker=review.head.spec,
        mark=mark,
        sentence=_unchanged(review) if same else _sentence(review, chapters, changed),
        figures=None if same else _figures(chapters),
        stages=None if same else stages(review),
        decisions=tuple(decisions),
        sections=() if same else tuple(chapter for chapter in chapters if chapter.verdict),
        folds=() if same else tuple(_folds(review, chapters, changed)),
        footer=_footer(review),
    )
    return document, measures


def _same(review: Review, changed: FindingChanges) -> bool:
    """Whether the two sides are one site with the same files and findings."""
    if review.base.absent or review.head.absent:
        return False
    delta, (base, head) = review.delta, review.plans
    renamed = any(kind.renamed or kind.added or kind.removed for kind in delta.renames.each().values())
    if renamed or changed.new or changed.fixed or delta.every():
        return False
    return by_stage(base) == by_stage(head) and rides(base) == rides(head) and ArtifactsPart(review).same


def _measures(review: Review, changed: FindingChanges) -> dict[str, float]:
    sides = (("", review.head.findings), ("new-", changed.new))
    kinds = (("errors", Severity.ERROR), ("warnings", Severity.WARNING))
    return {f"{new}{word}": sum(f.severity is kind for f in every) for new, every in sides for word, kind in kinds}


def _mark(review: Review, decisions: Sequence[Decision], chapters: Sequence[Chapter]) -> Mark:
    worst = max((decision.mark for decision in decisions), default=Mark.FINE)
    verdicts = max((chapter.verdict.mark for chapter in chapters if chapter.verdict), default=Mark.FINE)
    return Mark.FAULT if review.head.errors or review.head.absent else max(worst, verdicts)


def _sentence(review: Review, chapters: Sequence[Chapter], changed: FindingChanges) -> Words:
    """What changes, how much is wrong, and what happens to power and cables."""
    every = [phrase for chapter in chapters for phrase in chapter.phrases]
    if review.base.absent:
        every = [("a new site (", Name(review.base.shown), " is not there)"), *every]
    if review.head.absent:
        every = [("the whole site is removed (", Name(review.head.shown), " is not there)"), *every]
    told = every[:PHRASES] + every[PHRASES:][-1:]
    files = plural(len(review.file_changes), "rendered file does", "rendered files do")
    words = listed(told or [(f"nothing that stands changes, {files}",)], "; ")
    tally = _tally(review, changed)
    return (*_site(review), *words, f": {tally}." if tally else ".")


def _site(review: Review) -> Words:
    """The site's name, which every first sentence begins with."""
    old, new = (plan.spec.name for plan in review.plans)
    return (Name(old), " → ", Name(new), ": ") if old != new else (Name(new), ": ")


def _tally(review: Review, changed: FindingChanges) -> str:
    """Errors and warnings of head, and how many of them are new: ``2 errors, 1 warning, 1 of them new``."""
    every = [f for f in review.head.findings if f.severity is not Severity.NOTE]
    new = [f for f in changed.new if f.severity is not Severity.NOTE]
    if len(new) == len(every):
        return re.sub(r"(\d) (error|warning)", r"\1 new \2", totals(every))
    return totals(every) + (f", {count(len(new))} of them new" if new else "")


def _unchanged(review: Review) -> Words:
    if not review.hunks:
        return (*_site(review), "no change, the two sides are the same.")
    number = sum(hunk.height for hunk in review.hunks)
    differ = plural(number, "line differs", "lines differ")
    return (*_site(review), f"no change; {differ}, and nothing that is built from them.")


def _figures(chapters: Sequence[Chapter]) -> TextTable | None:
    rows = [(f.label, f.base, f.head, f.change) for chapter in chapters for f in chapter.figures]
    return TextTable(("", "base", "head", "change"), rows, (False, True, True, False)) if rows else None


def _findings(changed: FindingChanges) -> list[Decision]:
    """New errors and warnings, and errors that were there before."""
    shown = [f for f in changed.new if f.severity is not Severity.NOTE]
    old = [f for f in changed.unchanged if f.severity is Severity.ERROR]
    return [*(_decision(f, "new") for f in shown), *(_decision(f, "as before") for f in old)]


def _decision(finding: Finding, word: str) -> Decision:
    return Decision(_MARKS[finding.severity], _worded(finding, word))


def _worded(finding: Finding, word: str = "") -> Words:
    times = f" ({count(finding.count)} times)" if finding.count > 1 else ""
    where: Words = (" — ", Name(f"{finding.file}:{finding.line}")) if finding.file and finding.line else ()
    help_: Words = (" — ", finding.help) if finding.help else ()
    new = f" {word}" if word == "as before" else ""
    return (strong(Name(finding.code)), f"{new} ", finding.message, times, *where, *help_)


def _folds(review: Review, chapters: Sequence[Chapter], changed: FindingChanges) -> list[Fold]:
    lines = spec_lines.fold(review)
    of_chapters = (fold for chapter in chapters for fold in chapter.folds)
    return [*([lines] if lines else []), *pictures.folds(review), *of_chapters, *_finding_folds(changed)]


def _finding_folds(changed: FindingChanges) -> list[Fold]:
    notes = [f for f in changed.new if f.severity is Severity.NOTE]
    old = [f for f in changed.unchanged if f.severity is not Severity.ERROR]
    parts = (("fixed", changed.fixed), ("unchanged", old), ("new notes", notes))
    return [
        Fold((f"Findings: {count(len(every))} {word}",), (Bullets([_worded(f) for f in every]),))
        for word, every in parts
        if every
    ]


def _footer(review: Review) -> Words:
    sides = (Name(review.base.shown), " → ", Name(review.head.shown))
    return (*sides, ". Every changed row: ", Name("topology diff --format json"), ".")


def _without_plan(review: Review) -> tuple[Document, Mapping[str, float]]:
    """A side cannot be expanded, so there are no tables to compare: findings, and the lines that changed."""
    changed = found.finding_changes(review.base, review.head)
    if review.head.broken:
        words = f"The spec does not build: {_tally(review, changed)}. Nothing else could be compared."
    else:
        gpus = f"{count(review.head.plan.gpus.height)} GPUs" if review.head.plan else ""
        fixed = plural(len(changed.fixed), "finding is", "findings are")
        words = f"The spec builds again, {gpus}: {fixed} fixed. The base has no plan to compare with."
    document = Document(
        marker=review.head.spec,
        mark=Mark.FAULT if review.head.errors else Mark.LOOK,
        sentence=(words,),
        decisions=tuple(_findings(changed)),
        folds=(*_text_fold(review), *_finding_folds(changed)),
        footer=_footer(review),
    )
    return document, _measures(review, changed) | {"changes": 1.0, "verdict": float(document.mark)}


def _text_fold(review: Review) -> list[Fold]:
    """Changed lines without what they cause."""
    groups = [(f"@@ line {hunk.head_line} @@", *hunk.lines) for hunk in review.hunks]
    return [Fold(("Changed lines of the spec",), (FileLines("diff", groups),))] if groups else []
