"""Texts of comments: the marker that makes them sticky, and what a review never writes.

A comment is written with a token, from a text that a job without one left. In a pull request from a fork
that job may be anyone's, so a text is taken only when every part of it is of the kind that a review is made
of: tables, lists, emphasis, code, folds and Mermaid. It can say what it likes, in those; it cannot link,
mention, embed, call a person or a host, or carry HTML.
"""

import re
from dataclasses import dataclass
from html import unescape

MOST_CHARACTERS = 65_536  # GitHub: "Body is too long (maximum is 65536 characters)"
MARKER = re.compile(r"<!-- topology:([\x20-\x7e]{1,400}) -->")
FORK = "<sub>From a fork: the text is the work of its own run.</sub>"
_FENCE = re.compile(r"(`{3,})([a-z]*)$")
_TICKS = re.compile(r"`+")
_INLINE = ("<code>", "</code>", "<b>", "</b>", "<sub>", "</sub>")  # within a line that Markdown reads
_FOLDS = ("<details>", "</details>", "<summary>", "</summary>")  # begin a block that Markdown does not read
_PREFIX = re.compile(r"^[\s>*+.)0-9-]*")  # of lists and quotes
_LIVE = (  # what becomes more than text outside code, and how a message calls it
    (re.compile(r"<"), "HTML"),
    (re.compile(r"\]\s*[(\[:]|!\["), "a link or an image"),
    (re.compile(r"://|www\.", re.IGNORECASE), "an address"),
    (re.compile(r"@"), "a mention"),
    (re.compile(r"#\d|\bGH-\d", re.IGNORECASE), "a reference"),
)
_LINKED_IN_TAGS = (
    (re.compile(r"://|www\.|\S@\S", re.IGNORECASE), "an address"),
)  # by the parser, in code tags as well
_DRAWN = (  # what a Mermaid diagram may do beyond drawing
    (re.compile(r"^\s*(?:click|href|link|links)\b", re.IGNORECASE | re.MULTILINE), "a link in a diagram"),
    (re.compile(r"%%\s*\{|^---", re.MULTILINE), "settings in a diagram"),
    (re.compile(r"<(?!br/>)"), "HTML in a diagram"),
    (re.compile(r"://|javascript:|url\(|\bimg\b", re.IGNORECASE), "an address in a diagram"),
)


class ForgedError(Exception):
    """A text is not of the kind that a review writes."""


@dataclass(frozen=True, slots=True)
class Body:
    """The text of a comment; `spec` is the path in its marker."""

    spec: str
    text: str
    only_update: bool = False  # nothing changes: an earlier comment is told so, none is begun

    @property
    def marker(self) -> str:
        """First line of the comment."""
        return self.text.partition("\n")[0]


def check_body(text: str, *, only_update: bool = False) -> Body:
    """The text as a comment's body.

    Raises:
        ForgedError: it is too long, has no marker, or holds what a review never writes.
    """
    if len(text) > MOST_CHARACTERS:
        raise ForgedError(f"{len(text):,} characters; a comment takes {MOST_CHARACTERS:,}")
    first, _, rest = text.partition("\n")
    marker = MARKER.fullmatch(first)
    if marker is None or "--" in marker[1] or ">" in marker[1]:
        raise ForgedError("no marker in the first line")
    if not rest.replace("\n", "").isprintable():
        raise ForgedError("a control character")
    _check(rest)
    return Body(marker[1], text, only_update)


def unchanged_text(spec: str) -> str:
    """What a comment says when its spec, after some push, is as it was."""
    return f"<!-- topology:{spec} -->\n✅ **Nothing changes** against the merge base.\n"


def _check(text: str) -> None:
    """Check that all of the text is harmless.

    Raises:
        ForgedError: with the kind of thing found first.
    """
    language, fence, html = "", "", False
    inside: list[str] = []
    for line in text.split("\n"):
        opening = _FENCE.fullmatch(line)
        if fence and line == fence:
            _refuse(_DRAWN if language == "mermaid" else (), "\n".join(inside))
            fence = ""
        elif fence:
            if line.strip().startswith(fence):  # a longer fence would end the block, too
                raise ForgedError("a block of code with another end")
            inside.append(line)
        elif opening and not html:
            fence, language, inside = opening[1], opening[2], []
        else:
            html = bool(line.strip()) and (html or line.startswith(_FOLDS))
            _check_line(line, html=html)
    if fence:
        raise ForgedError("a block of code without an end")


def _check_line(line: str, *, html: bool) -> None:
    """As `_check`, of a line outside of blocks of code; `html`: of a block of HTML."""
    if line.startswith(("    ", "~~~")) or "```" in line:
        raise ForgedError("a block of code of another form")
    if any(tag in line[1:] for tag in _FOLDS if tag != "</summary>" or not line.startswith("<summary>")):
        raise ForgedError("a fold that does not begin its line")
    if _PREFIX.sub("", line).strip() in _INLINE:
        raise ForgedError("a tag that is all of its line")
    outside = _outside_code(line, html=html)
    _refuse(_LIVE, f"{outside}\n{unescape(outside)}")


def _outside_code(line: str, *, html: bool) -> str:
    """What of a line is neither code nor one of our tags, read from the left as CommonMark does.

    In a block of HTML, which begins with a fold and ends at a blank line, backticks are just backticks.
    """
    kept, at = "", 0
    while at < len(line):
        tag = next((tag for tag in (*_INLINE, *_FOLDS) if line.startswith(tag, at)), "")
        if tag == "<code>":
            end = line.find("</code>", at)
            inside = line[at + len(tag) : end]
            if end < 0 or "<" in inside or "`" in inside or "|" in inside:
                raise ForgedError("HTML")
            if not html:  # to Markdown this is text between two tags
                _refuse(_LINKED_IN_TAGS, inside)
            at = end + len("</code>")
        elif tag:
            at += len(tag)
        elif line[at] == "`":
            if html:
                raise ForgedError("code in a block of HTML")
            at = _after_span(line, at)
        else:
            kept += line[at : at + 2] if line[at] == "\\" else line[at]
            at += 2 if line[at] == "\\" else 1
    return kept


def _after_span(line: str, at: int) -> int:
    """Where the code span that begins here is over.

    Raises:
        ForgedError: it has no end, so another line or the next cell of a table may hold it.
    """
    run = _TICKS.match(line, at)
    ticks = run[0] if run else "`"
    for closing in _TICKS.finditer(line, at + len(ticks)):
        if closing[0] == ticks:
            if re.search(r"(?<!\\)\|", line[at : closing.start()]):
                break
            return closing.end()
    raise ForgedError("code without an end")


def _refuse(kinds: tuple[tuple[re.Pattern[str], str], ...], text: str) -> None:
    for pattern, name in kinds:
        if pattern.search(text):
            raise ForgedError(name)
