"""What a review says, before any format: words, tables, folds. A chapter is one engineer's part of it.

No text is trusted, ours included: a document may come from a job that anyone could have run. Each format escapes
every string where it prints it; a `Name` is shown as code whatever it holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from typing import Literal


class Mark(IntEnum):
    """How a sentence is meant; the larger, the worse."""

    FINE = 0
    LOOK = 1  # somebody has to say yes to it
    FAULT = 2


@dataclass(frozen=True, slots=True)
class Name:
    """A name, path or line of a spec or the catalogue, shown to the letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that a reader may not miss."""

    parts: tuple[str | Name, ...]


Words = tuple[str | Name | Strong, ...]


def strong(*parts: str | Name) -> Strong:
    """The parts, for a reader who reads nothing else."""
    return Strong(parts)


def listed(items: Sequence[Words], between: str = ", ") -> Words:
    """Items one after another."""
    words: Words = ()
    for at, item in enumerate(items):
        words += ((between,) if at else ()) + item
    return words


def some(every: Sequence[str], most: int = 3) -> Words:
    """Some names, and how many more there are."""
    shown: Words = listed([(Name(name),) for name in every[:most]])
    return (*shown, f" and {len(every) - most:,} more") if len(every) > most else shown


def spell(words: Words, name: Callable[[str], str], sentence: Callable[[str], str], emphasis: str) -> str:
    """Words on one line: names and sentences as a format writes them, strong ones put into its `emphasis`.

    Neighbouring strings are one sentence, since each may hold half of what is more than text.
    """
    made = ""
    for kind, parts in groupby(words, type):
        if issubclass(kind, str):
            pieces = [sentence("".join(part for part in parts if isinstance(part, str)))]
        else:
            pieces = [_piece(part, name, sentence, emphasis) for part in parts]
        for piece in pieces:
            apart = made.endswith("`") and piece.startswith("`")  # two spans of code may not become one
            made += f" {piece}" if apart else piece
    return made


def _piece(part: str | Name | Strong, name: Callable[[str], str], sentence: Callable[[str], str], emphasis: str) -> str:
    if isinstance(part, Strong):
        return emphasis.format(spell(part.parts, name, sentence, emphasis))
    return name(part.text) if isinstance(part, Name) else sentence(part)


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows under heads; columns are text where `right` has no letter of theirs set."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[Words, ...]]
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[Words]


@dataclass(frozen=True, slots=True)
class FileLines:
    """Lines of a file to the letter, in groups that are shown or dropped whole."""

    language: Literal["diff", "text"]
    groups: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box: what it stands for on either side, as lines; None where it does not stand."""

    base: tuple[str, ...] | None
    head: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """A line between two boxes, which are told by their positions: its label on either side, None where it is not."""

    start: int
    end: int
    base: str | None
    head: str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A diagram of both sides at once."""

    boxes: tuple[DrawnBox, ...]
    edges: tuple[DrawnEdge, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    words: Words


@dataclass(frozen=True, slots=True)
class Fold:
    """Details that are shown when asked for."""

    summary: Words
    blocks: tuple["Block", ...]


Block = TextTable | Bullets | FileLines | Picture | Note | Fold


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the first table."""

    label: Words
    base: Words
    head: Words
    change: Words


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that somebody has to decide; never inside a fold."""

    mark: Mark
    words: Words


def look(title: str, *words: str | Name | Strong) -> Decision:
    """What somebody has to say yes to, under a title."""
    return Decision(Mark.LOOK, (strong(title), *words))


def fault(title: str, *words: str | Name | Strong) -> Decision:
    """What should not be, under a title."""
    return Decision(Mark.FAULT, (strong(title), *words))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence that closes a section."""

    mark: Mark
    words: Words


@dataclass(frozen=True, slots=True)
class Chapter:
    """One part of a review. Each of its fields has a place of its own in the comment."""

    title: str
    figures: tuple[Figure, ...] = ()
    decisions: tuple[Decision, ...] = ()
    phrases: tuple[Words, ...] = ()  # for the first sentence, the most important first
    blocks: tuple[Block, ...] = ()
    verdict: Verdict | None = None  # None: the change does not touch it
    folds: tuple[Fold, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)  # what --fail-on compares


@dataclass(frozen=True, slots=True)
class Document:
    """The whole review."""

    marker: str
    mark: Mark
    sentence: Words
    footer: Words
    figures: TextTable | None = None
    stages: TextTable | None = None
    decisions: tuple[Decision, ...] = ()
    sections: tuple[Chapter, ...] = ()  # those with a verdict, in order
    folds: tuple[Fold, ...] = ()
