"""Text of a spec inside Markdown: shown to the letter, and nothing else comes of it.

GitHub looks for mentions, issue numbers, commits and addresses in the text of the finished page, where
no entity hides them any more, and leaves code alone. So whatever is not a plain word of ours goes into a
code span. A runner takes a line that begins with `::`, or holds `##[`, for a command; no line of ours does.
"""

import re
from html import escape

from topology.findings_format import visible

_PLAIN = re.compile(r"[A-Za-z0-9,.;:()'\"%=+/−-]*")
_LINKED = re.compile(r"://|^www\.|^GH-\d|^[0-9a-f]{7,40}$|::", re.IGNORECASE)
_COMMAND = re.compile(r"^(\s*)::")
_TICKS = re.compile("`+")
_OPENING, _CLOSING = "('\"", ")'\",.;"  # stay outside a code span


def shown(text: str) -> str:
    """The text on one line, with what does not print, and what a runner obeys, as escapes."""
    return _COMMAND.sub(r"\1\\x3a:", visible(text).replace("##[", "##\\x5b"))


def code(text: str, *, cell: bool = False) -> str:
    """A code span that holds the text; in a table cell a bar is escaped, as GFM asks."""
    inside = shown(text)
    fence = "`" * (1 + max((len(run) for run in _TICKS.findall(inside)), default=0))
    pad = " " if not inside.strip() or inside.startswith(("`", " ")) or inside.endswith(("`", " ")) else ""
    span = f"{fence}{pad}{inside}{pad}{fence}"
    return span.replace("|", "\\|") if cell else span


def sentence(text: str, *, cell: bool = False) -> str:
    """The text, each word that is not plain in a code span."""
    return " ".join(_word(word, cell=cell) for word in shown(text).split(" "))


def _word(word: str, *, cell: bool) -> str:
    if not _LINKED.search(word) and _PLAIN.fullmatch(word):
        return word
    inside = word.lstrip(_OPENING).rstrip(_CLOSING)
    before, after = word[: len(word) - len(word.lstrip(_OPENING))], word[len(word.rstrip(_CLOSING)) :]
    if _LINKED.search(before + after) or not inside:
        return code(word, cell=cell)
    return f"{before}{code(inside, cell=cell)}{after}"


def html_code(text: str) -> str:
    """The text as HTML code, for a summary, in which Markdown is not read."""
    return f"<code>{escape(shown(text))}</code>"


def fenced(language: str, lines: list[str]) -> list[str]:
    """A fenced block that no line can end."""
    inside = [shown(line) for line in lines]
    longest = max((len(run) for line in inside for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *inside, fence]
