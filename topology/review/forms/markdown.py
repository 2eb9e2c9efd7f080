"""The review as GitHub's Markdown, within a number of characters.

Every part has a quota and takes from what the parts before it left over. What does not fit is dropped by
whole rows, and counted; the first sentence, the figures and the verdicts always stand. No string is cut.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from topology.review.document import (
    Block,
    Bullets,
    Chapter,
    Decision,
    Document,
    FileLines,
    Fold,
    Mark,
    Note,
    Picture,
    Strong,
    TextTable,
    Words,
    spell,
)
from topology.review.forms.escape import code, fenced, html_code, sentence, shown

LIMIT = 60_000  # of a comment; GitHub refuses above 65,536
LEAST = 6_000  # below it the parts that always stand might not fit
_MARKS = {Mark.FINE: "✅", Mark.LOOK: "⚠️", Mark.FAULT: "❌"}
_RESERVE = 120  # characters for saying what was dropped from a part
_SHARES = {"stages": 0.12, "decisions": 0.28, "sections": 0.30, "folds": 0.30}  # of what is left by the fixed parts


def markdown(document: Document, limit: int = LIMIT) -> str:
    """Text of at most `limit` characters that ends with a line feed.

    Raises:
        ValueError: `limit` is below `LEAST`.
    """
    if limit < LEAST:
        raise ValueError(f"a comment needs {LEAST:,} characters")
    head = [
        f"<!-- topology:{_comment(document.marker)} -->",
        f"{_MARKS[document.mark]} **{inline(_flat(document.sentence))}**",
        "",
    ]
    tail = [f"<sub>{inline(document.footer)}</sub>", ""]
    closing = [_closing(chapter) for chapter in document.sections]
    fixed = _size(head) + _size(tail) + sum(map(len, closing)) + 40 * len(closing)
    pool = _Pool(limit - fixed)
    figures = _block(document.figures, pool, pool.left // 3) if document.figures else []
    body: list[str] = [*head, *figures]
    body += _stages(document, pool)
    body += _decisions(document.decisions, pool)
    body += _sections(document.sections, closing, pool)
    body += _folds(document.folds, pool)
    return "\n".join([*body, *tail])


class _Pool:
    """Characters that are left."""

    def __init__(self, size: int) -> None:
        self.size = self.left = size

    def share(self, part: str) -> int:
        """What a part may take: its share, and all that the parts before it left of theirs."""
        after = list(_SHARES)[list(_SHARES).index(part) + 1 :]
        return max(0, self.left - int(sum(_SHARES[each] for each in after) * self.size))

    def take(self, lines: Iterable[str]) -> list[str]:
        """The lines, counted."""
        made = list(lines)
        self.left -= _size(made)
        return made


def _size(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _flat(words: Words) -> Words:
    """The words without emphasis, for a sentence that is strong as a whole."""
    return tuple(part for word in words for part in (word.parts if isinstance(word, Strong) else (word,)))


def _comment(text: str) -> str:
    """A path inside an HTML comment, which it cannot end."""
    return shown(text).replace("--", "-\\x2d").replace(">", "\\x3e")


def inline(words: Words, *, cell: bool = False) -> str:
    """Words as Markdown on one line."""
    return spell(words, partial(code, cell=cell), partial(sentence, cell=cell), "**{}**")


def _closing(chapter: Chapter) -> str:
    if chapter.verdict is None:
        return ""
    return f"{_MARKS[chapter.verdict.mark]} **{chapter.title}** {inline(chapter.verdict.words)}"


def _stages(document: Document, pool: _Pool) -> list[str]:
    return _block(document.stages, pool, pool.share("stages")) if document.stages else []


def _decisions(decisions: Sequence[Decision], pool: _Pool) -> list[str]:
    if not decisions:
        return []
    head = pool.take(["### Needs a decision"])
    items = [(f"{_MARKS[each.mark]} ", *each.words) for each in decisions]
    return [*head, *_block(Bullets(items), pool, pool.share("decisions"))]


def _sections(chapters: Sequence[Chapter], closing: Sequence[str], pool: _Pool) -> list[str]:
    lines: list[str] = []
    for at, (chapter, close) in enumerate(zip(chapters, closing, strict=True)):
        lines.append(f"### {chapter.title}")
        room = pool.share("sections") // (len(chapters) - at)
        for number, block in enumerate(chapter.blocks):
            made = _block(block, pool, room // (len(chapter.blocks) - number))
            room -= _size(made)
            lines += made
        lines += [close, ""]
    return lines


def _folds(folds: Sequence[Fold], pool: _Pool) -> list[str]:
    lines: list[str] = []
    for at, fold in enumerate(folds):
        lines += _block(fold, pool, pool.share("folds") // (len(folds) - at))
    return lines


def _block(block: Block, pool: _Pool, room: int) -> list[str]:
    """Lines of a block that fit, a blank one at the end; none where nothing fits."""
    made = _lines(block, room)
    return pool.take(made) if _size(made) <= room else []


def _lines(block: Block, room: int) -> list[str]:
    if isinstance(block, Fold):
        head, tail = (
            ["<details>", f"<summary>{spell(block.summary, html_code, html_code, '<b>{}</b>')}</summary>", ""],
            ["</details>", ""],
        )
        left = room - _size(head) - _size(tail)
        inside: list[str] = []
        for at, each in enumerate(block.blocks):
            made = _lines(each, left // (len(block.blocks) - at))
            if _size(made) <= left:
                inside, left = [*inside, *made], left - _size(made)
        return [*head, *inside, *tail] if inside else []
    if isinstance(block, Note):
        return [inline(block.words), ""]
    if isinstance(block, Picture):
        return ["```mermaid", *block.text.splitlines(), "```", ""]
    if isinstance(block, TextTable):
        heads = f"| {' | '.join(block.heads)} |"
        rule = f"|{'|'.join('--:' if right else '---' for right in block.right)}|"
        rows = [f"| {' | '.join(inline(cell, cell=True) for cell in row)} |" for row in block.rows]
        return _fitted([heads, rule], [[row] for row in rows], [], room, "rows")
    if isinstance(block, FileLines):
        return _listing(block.language, [list(group) for group in block.groups], room)
    items = [[f"- {inline(item)}"] for item in block.items]
    return _fitted([], items, [], room, "lines")


def _fitted(head: list[str], groups: list[list[str]], tail: list[str], room: int, word: str) -> list[str]:
    """Head, as many groups as fit, what was dropped, tail and a blank line."""
    if not groups:
        return []
    fixed = _size(head) + _size(tail) + 1
    if fixed + sum(map(_size, groups)) <= room:
        return [*head, *(line for group in groups for line in group), *tail, ""]
    left = room - fixed - _RESERVE
    kept: list[list[str]] = []
    for group in groups:
        left -= _size(group)
        if left < 0:
            break
        kept.append(group)
    more = f"…and {len(groups) - len(kept):,} more {word}, all in the JSON"
    lines = [line for group in kept for line in group]
    return [*head, *lines, *tail, "", more, ""] if head or tail else [*lines, f"- {more}", ""]


def _listing(language: str, groups: list[list[str]], room: int) -> list[str]:
    """A fenced block of as many groups as fit."""
    if not groups:
        return []
    whole = fenced(language, [line for group in groups for line in group])
    if _size(whole) + 1 <= room:
        return [*whole, ""]
    left, kept = room - _RESERVE - 2 * len(whole[-1]) - len(language) - 4, []
    for group in groups:
        left -= _size(shown(line) for line in group)
        if left < 0:
            break
        kept += group
    dropped = sum(map(len, groups)) - len(kept)
    return [*fenced(language, kept), f"…and {dropped:,} more lines, all in the JSON", ""] if kept else []
