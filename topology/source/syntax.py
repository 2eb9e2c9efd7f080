"""Parser events, and the parser's complaints in words that say what to write."""

import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import Event

from topology.findings import Finding
from topology.rules import found
from topology.source.nodes import Spot, at

# What the parser says (its context and problem) → what we say, and what to write instead.
_WORDS = (
    ("expected the node content", "a value is missing, or the text ends too early", "check the brackets"),
    ("quoted scalar.*end of stream", "a quote is opened and never closed", "close the quote"),
    ("quoted scalar.*document separator", "a quote is opened and never closed", "close the quote"),
    ("quoted scalar.*(escape|hexdecimal)", "a backslash that escapes nothing", "write \\\\ or use ' quotes"),
    ("flow sequence.*expected", "a list is not closed, or lacks a comma", "write [a, b, c]"),
    ("flow mapping.*expected", "a mapping is not closed, or lacks a comma", "write {key: value, key: value}"),
    ("mapping values are not allowed", "a second ':' stands on the line, or the line is indented wrongly",
     "quote a text that holds ': ', or indent the line like its neighbours"),
    ("sequence entries are not allowed", "a list item '- ' behind something else", "start a new line"),
    ("could not find expected ':'", "a line holds no ': ' between key and value", "write key: value"),
    ("expected <block end>", "the line is indented unlike the lines above", "indent like lines alike"),
    ("cannot start any token", "a character that starts no value", "quote the text"),
    ("block scalar", "something stands behind '|' or '>'", "start the text on the next line"),
    ("expected '<document start>'", "something stands behind the end", "delete it, or check the brackets"),
    ("mapping keys are not allowed", "a '?' where no key can be", "write key: value"),
    ("(alias|anchor)|alphabetic or numeric", "'&' or '*' without a name", "write &name or *name, or quote the text"),
    ("tag", "'!' starts a tag, and tags are not read", "quote a text that starts with '!'"),
)  # fmt: skip
MAX_PARSED = 2 * 1024 * 1024  # characters: parsing takes some seconds a million
_LONGEST_KEY = 1024  # characters that may stand before ':' on a line: YAML 1.2.2 §7.4.3


def events(text: str) -> Iterator[Event]:
    """Events of the YAML in `text`, as the parser yields them.

    Raises:
        NotYamlError: The text is not YAML; carries the finding.
    """
    try:
        yield from YAML(typ="safe", pure=True).parse(_MeteredText(text))
    except MarkedYAMLError as error:
        raise NotYamlError(_finding_of(error)) from None
    except (YAMLError, ValueError, OverflowError):  # chr() of an escape that is no character
        raise NotYamlError(
            at(
                found("S121", "an escape that stands for no character", help="delete it"),
                _beyond_unicode(text),
            )
        ) from None


class _MeteredText:
    """The text piece by piece, as far as it is parsed: an error at its beginning is told whatever its size."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self, size: int) -> str:
        """The next piece.

        Raises:
            NotYamlError: more is asked for than is parsed.
        """
        if self._at > MAX_PARSED:
            message = f"more than {MAX_PARSED:,} characters are not parsed"
            lines = self._text.count("\n", 0, MAX_PARSED) + 1
            raise NotYamlError(at(found("S103", message, help="split the file, or delete comments"), (lines, 1)))
        piece = self._text[self._at : self._at + size]
        self._at += size
        return piece


class NotYamlError(Exception):
    """Nothing after this finding can be read."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.message)


def spot(event: Event) -> Spot:
    """1-based line and column where an event starts."""
    return event.start_mark.line + 1, event.start_mark.column + 1


def _beyond_unicode(text: str) -> Spot:
    """Place of the first escape in double quotes that stands for no character."""
    hit = re.search(r"\\U(?!00(?:0|10))[0-9A-Fa-f]{8}", text)
    before = text[: hit.start()] if hit else ""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _finding_of(error: MarkedYAMLError) -> Finding:
    said = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    opened = error.context_mark
    fitting = ((ours, repair) for pattern, ours, repair in _WORDS if re.search(pattern, said))
    message, help_ = next(fitting, (f"this is not YAML: {error.problem}", ""))
    if "mapping values" in said and mark is not None and mark.column > _LONGEST_KEY:
        message, help_ = f"a key of more than {_LONGEST_KEY:,} characters", "a key is a word"
    if opened is not None and "quoted scalar" in said and "escape" not in said:
        mark = opened  # the other end is the end of the text
    if opened is not None and mark is not None and opened.line != mark.line:
        message = f"{message} (it starts on line {opened.line + 1})"
    place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return at(found("S121", message, help=help_), place)
