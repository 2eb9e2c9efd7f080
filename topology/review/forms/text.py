"""The review as plain text for a terminal: the same parts, without a limit, with nothing folded away."""

from collections.abc import Iterator, Sequence

from topology.review.document import (
    Block,
    Bullets,
    Document,
    FileLines,
    Fold,
    Mark,
    Note,
    Picture,
    TextTable,
    Words,
    spell,
)
from topology.review.forms.escape import shown

_MARKS = {Mark.FINE: "ok", Mark.LOOK: "look", Mark.FAULT: "fault"}


def text(document: Document) -> str:
    """Lines of the review, ending with a line feed."""
    lines = [f"{_MARKS[document.mark]}: {plain(document.sentence)}", ""]
    for table in (document.figures, document.stages):
        if table:
            lines += [*_table(table), ""]
    if document.decisions:
        lines += ["needs a decision", *(f"  {_MARKS[d.mark]}: {plain(d.words)}" for d in document.decisions), ""]
    for chapter in document.sections:
        lines += [shown(chapter.title.lower())]
        for block in chapter.blocks:
            lines += [f"  {line}" if line else "" for line in _lines(block)]
        if chapter.verdict:
            lines += [f"  {_MARKS[chapter.verdict.mark]}: {plain(chapter.verdict.words)}"]
        lines += [""]
    for fold in document.folds:
        lines += [*_lines(fold), ""]
    while lines[-1:] == [""]:
        lines.pop()
    return "\n".join([*lines, ""])


def plain(words: Words) -> str:
    """Words as text on one line."""
    return shown(spell(words, str, str, "{}"))


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Fold):
        inside = [line for each in block.blocks if not isinstance(each, Picture) for line in _lines(each)]
        if inside:
            yield plain(block.summary)
            yield from (f"  {line}" for line in inside)
    elif isinstance(block, Note):
        yield plain(block.words)
    elif isinstance(block, TextTable):
        yield from _table(block)
    elif isinstance(block, Bullets):
        yield from (f"- {plain(item)}" for item in block.items)
    elif isinstance(block, FileLines):
        yield from (shown(line) for group in block.groups for line in group)


def _table(table: TextTable) -> list[str]:
    cells = [[shown(head) for head in table.heads], *([plain(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(table.heads))]
    return [_row(row, widths, table.right) for row in cells]


def _row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)]
    return "  ".join(padded).rstrip()
