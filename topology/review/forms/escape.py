"""Text inside Markdown: shown to the letter, and nothing else comes of it, whoever wrote it.

GitHub and GitLab look for mentions, references, commits, addresses, emoji and commands in the text of the finished
page, where no entity hides them any more, and leave code alone. So whatever is not a plain word goes into a
code span. A runner takes a line that begins with `::`, or holds `##[`, for a command; no line of ours does.
"""

import re
from collections.abc import Callable, Sequence
from html import escape

from topology.findings_format import visible

_PLAIN = re.compile(r"[A-Za-z0-9,.;:()'\"%=+/±−–—→…-]*")
_LIVE = re.compile(  # made of plain characters, and more than text all the same
    r"""://|www\.|\bGH(?:SA)?-|\b[0-9a-f]{7,40}\b  # addresses, issues, commits
    |::|:[\w+-]+:  # commands of a runner, emoji
    |(?<![\w.)])/\w|%["\w]  # commands and milestones of GitLab""",
    re.IGNORECASE | re.VERBOSE,
)
_BLOCK = re.compile(r"(?:[-+=]+|\d{1,9}[.)])(?= |$)")  # what begins a list, a heading or a rule
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


def sentence(text: str, code_of: Callable[[str], str] = code) -> str:
    """The text on one line, each word that is not plain as code."""
    return " ".join(_word(word, code_of) for word in shown(text).split(" "))


def _word(word: str, code_of: Callable[[str], str]) -> str:
    if _PLAIN.fullmatch(word) and not _LIVE.search(word):
        return word
    inside = word.lstrip(_OPENING).rstrip(_CLOSING)
    before, after = word[: len(word) - len(word.lstrip(_OPENING))], word[len(word.rstrip(_CLOSING)) :]
    if not inside or _LIVE.search(f"{before} {after}"):
        return code_of(word)
    return f"{before}{code_of(inside)}{after}"


def html_code(text: str) -> str:
    """The text as HTML code, for a summary, in which Markdown is not read."""
    return f"<code>{escape(shown(text))}</code>"


def begun(line: str) -> str:
    """A line that begins a paragraph or an item, and nothing else."""
    return _BLOCK.sub(lambda found: f"`{found[0]}`", line, count=1) if _BLOCK.match(line) else line


def fenced(language: str, lines: Sequence[str]) -> list[str]:
    """A fenced block that no line can end."""
    inside = [shown(line) for line in lines]
    longest = max((len(run) for line in inside for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *inside, fence]
