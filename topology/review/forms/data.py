"""The review as one line of JSON, for a job that trusts none of it: words, tables and pictures, no Markdown.

Described, and bounded, in schemas/review.schema.json. Whoever reads one holds it against that first.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from topology.review import document as words
from topology.review.document import Document, Mark

SCHEMA_VERSION = 1
_WORDS = (words.Name, words.Strong)
_BLOCKS = (words.TextTable, words.Bullets, words.FileLines, words.Picture, words.DrawnBox, words.DrawnEdge, words.Note)
_PARTS = (words.Fold, words.Decision, words.Verdict, words.Chapter, Document)
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (*_WORDS, *_BLOCKS, *_PARTS)}


def data_line(document: Document, measures: Mapping[str, float]) -> bytes:
    """The line, with its end."""
    printed = tuple(words.Chapter(each.title, blocks=each.blocks, verdict=each.verdict) for each in document.sections)
    made = _plain(replace(document, sections=printed))
    line = {"schema_version": SCHEMA_VERSION, "measures": dict(measures), "document": made}
    return json.dumps(line, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def document_of(value: Any) -> Document:  # noqa: ANN401 - JSON that fits the schema
    """The document that stands under its key in a line."""
    made: Document = _made(value)
    return made


def _plain(value: object) -> object:
    """A value as JSON has it: an object of ours says of which kind it is, and leaves out what is empty by default."""
    if isinstance(value, Mark):
        return value.name.lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    if not is_dataclass(value):
        return value
    made: dict[str, object] = {"is": type(value).__name__}
    for field in fields(value):
        held = getattr(value, field.name)
        if held or (field.default is MISSING and field.default_factory is MISSING):
            made[field.name] = _plain(held)
    return made


def _made(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return tuple(_made(each) for each in value)
    if not isinstance(value, dict):
        return value
    given = {key: Mark[each.upper()] if key == "mark" else _made(each) for key, each in value.items() if key != "is"}
    return _KINDS[value["is"]](**given)
