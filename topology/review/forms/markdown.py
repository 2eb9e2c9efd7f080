"""The review as GitHub's Markdown, within a number of characters.

The first sentence and the verdicts always stand; then decisions come before all else, on the page, too. What one part
does not need, others may take. What does not fit is dropped by whole rows and counted, so that no table, list or fold
vanishes without a word; a text longer than a paragraph ends in an ellipsis.
"""

from collections.abc import Callable
from functools import partial

from topology.review.document import (
    Block,
    Bullets,
    Chapter,
    Document,
    FileLines,
    Fold,
    Mark,
    Name,
    Note,
    Picture,
    Strong,
    TextTable,
    Words,
    spell,
)
from topology.review.forms.budget import MORE, Frame, Rows, size, together
from topology.review.forms.escape import begun, code, fenced, html_code, sentence, shown
from topology.review.forms.mermaid import mermaid

LIMIT = 60_000  # of a comment; GitHub refuses above 65,536
LEAST = 5_000  # below it the parts that always stand might not fit
PARAGRAPH, LINE, TITLE = 1_000, 300, 100  # characters of a text, of one of several on a line, of a heading
_MARKS = {Mark.FINE: "✅", Mark.LOOK: "⚠️", Mark.FAULT: "❌"}


def markdown(document: Document, limit: int = LIMIT) -> str:
    """Text of at most `limit` characters that ends with a line feed.

    Raises:
        ValueError: `limit` is below `LEAST`.
    """
    if limit < LEAST:
        raise ValueError(f"a comment needs {LEAST:,} characters")
    marker = shown(document.marker).replace("--", "-\\x2d").replace(">", "\\x3e")[:PARAGRAPH]
    head = [f"<!-- topology:{marker} -->", f"{_MARKS[document.mark]} **{inline(_flat(document.sentence))}**", ""]
    tail = [f"<sub>{inline(document.footer)}</sub>", ""] if document.footer else [""]
    return "\n".join([*head, *_body(document, limit - size(head) - size(tail)), *tail])


def _body(document: Document, left: int) -> list[str]:
    """What stands between the first sentence and the footer."""
    items = [f"- {_MARKS[each.mark]} {inline(each.words)}" for each in document.decisions]
    decisions = Frame(("### Needs a decision",) * bool(items), [Rows(items, "decisions")] if items else [])
    folds = _parts(document.folds)
    others: list[Rows | Frame] = [_rows(table) for table in (document.figures, document.stages) if table and table.rows]
    others += [_chapter(chapter) for chapter in document.sections]
    stand = min(sum(part.least for part in others), left // 2) + 2 * MORE
    made = decisions.within(left - stand)
    left -= size(made)
    if size(made) < decisions.size:  # no fold stands where a decision does not
        return [*made, *together(others, left - MORE, "parts"), *together(folds, 0, "folds")]
    return [*made, *together([*others, *folds], left, "parts")]


def inline(words: Words, most: int = PARAGRAPH, *, cell: bool = False) -> str:
    """Words as Markdown on one line of at most `most` characters."""
    span = partial(code, cell=cell)
    return _cut(words, most, lambda some: spell(some, span, partial(sentence, code_of=span), "**{}**"))


def _summary(words: Words) -> str:
    """Words as HTML on one line, in which Markdown is not read."""
    return _cut(words, LINE, lambda some: spell(some, html_code, partial(sentence, code_of=html_code), "<b>{}</b>"))


def _cut(words: Words, most: int, render: Callable[[Words], str]) -> str:
    """Words as `render` writes them, in at most `most` characters; where they are cut, the last is an ellipsis."""
    keep = sum(len(part if isinstance(part, str) else part.text) for part in _flat(words))
    made = "" if keep > most else render(words)
    while keep > most or len(made) > most:
        keep = min(keep, 2 * most) // 2
        made = render(_first(words, keep))
    return made


def _first(words: Words, characters: int) -> Words:
    """Words up to a number of characters, without emphasis, and an ellipsis."""
    kept: list[str | Name] = []
    for part in _flat(words):
        text = part if isinstance(part, str) else part.text
        kept.append(text[:characters] if isinstance(part, str) else Name(text[:characters]))
        characters -= len(text)
        if characters <= 0:
            break
    return (*kept, "…")


def _flat(words: Words) -> tuple[str | Name, ...]:
    """The words without emphasis, for a sentence that is strong as a whole."""
    return tuple(part for word in words for part in (word.parts if isinstance(word, Strong) else (word,)))


def _chapter(chapter: Chapter) -> Frame:
    """A chapter between its heading and its verdict."""
    title, said = inline((chapter.title,), TITLE), chapter.verdict
    closing = (f"{_MARKS[said.mark]} **{title}** {inline(said.words, LINE)}", "") if said else ()
    return Frame((f"### {title}",) if chapter.blocks else (), _parts(chapter.blocks), closing)


def _parts(blocks: tuple[Block, ...]) -> list[Rows | Frame]:
    """Blocks as Markdown, empty ones left out."""
    parts = [_fold(block) if isinstance(block, Fold) else _rows(block) for block in blocks]
    return [part for part in parts if isinstance(part, Frame) or part.lines]


def _fold(fold: Fold) -> Frame:
    head = ("<details>", f"<summary>{_summary(fold.summary)}</summary>", "")
    return Frame(head, _parts(fold.blocks), ("</details>", ""))


def _rows(block: TextTable | Bullets | FileLines | Picture | Note) -> Rows:
    match block:
        case TextTable():
            heads = [inline((head,), LINE, cell=True) for head in block.heads]
            rule = f"|{'|'.join('--:' if right else '---' for right in block.right)}|"
            cells = [[inline(cell, LINE, cell=True) for cell in row] for row in block.rows]
            return Rows([f"| {' | '.join(row)} |" for row in cells], "rows", (f"| {' | '.join(heads)} |", rule))
        case Bullets():
            return Rows([f"- {begun(inline(item))}" for item in block.items], "lines")
        case FileLines():
            first, *lines, last = fenced(block.language, [_short(line) for group in block.groups for line in group])
            return Rows(lines, "lines", (first,), (last,))
        case Picture():
            drawn = mermaid(block)
            return Rows(["\n".join(["```mermaid", *drawn, "```"]) if drawn else "too large to be drawn"], "pictures")
        case Note():
            return Rows([begun(inline(block.words))], "lines")


def _short(line: str) -> str:
    """A line of a file; how much of it is left out where it is longer than a paragraph."""
    more = len(line) - PARAGRAPH
    return line if more <= 0 else f"{line[:PARAGRAPH]} …and {more:,} characters more"
