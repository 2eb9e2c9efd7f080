"""The reviews that the comparing job left: an artifact of a workflow run, read in memory and believed in nothing.

It is one file, a review on each line, as `topology diff --format data` writes it. No path of the archive is ever
opened on the disk, and sizes are those that come out, not those that the archive states. A line that is no review
costs its own comment and no other.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from topology.ci.bodies import Body, fits_marker
from topology.resources import data
from topology.review.document import Document
from topology.review.forms.data import document_of
from topology.review.forms.markdown import markdown

ARTIFACT, FILE = "topology-comments", "reviews.jsonl"
MOST_BYTES = 16 * 1024 * 1024  # of the archive
MOST_LINE_BYTES = 4 * 1024 * 1024  # of one review
MOST_TEXT_BYTES = 64 * 1024 * 1024  # of all


class ForgedError(Exception):
    """The artifact, or a line in it, is not what the comparing job writes."""


def bodies(archive: bytes, characters: int) -> Iterator[Body | ForgedError]:
    """Bodies of the comments, each of at most `characters`, in the order of the lines; what is wrong with a line.

    Raises:
        ForgedError: the archive is not what the comparing job writes.
    """
    told: set[str] = set()
    for number, line in enumerate(_text(archive).splitlines(), 1):
        try:
            body = _body(line, characters)
            if body.spec in told:
                raise ForgedError("a second text for one spec")  # noqa: TRY301 - as any other fault of the line
        except ForgedError as error:
            yield ForgedError(f"{error} on line {number}")
        else:
            told.add(body.spec)
            yield body


def _text(archive: bytes) -> bytes:
    if len(archive) > MOST_BYTES:
        raise ForgedError(f"an archive of {len(archive):,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = [entry.filename for entry in opened.infolist()]
            if names != [FILE]:
                raise ForgedError(f"{len(names)} files, {ascii(names[:1])[:60]}" if names else "no file")
            with opened.open(FILE) as file:
                text = file.read(MOST_TEXT_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ForgedError(f"no archive that can be read ({type(error).__name__})") from None
    if len(text) > MOST_TEXT_BYTES:
        raise ForgedError(f"more than {MOST_TEXT_BYTES:,} bytes")
    return text


def _body(line: bytes, characters: int) -> Body:
    document, measures, only_update = review_of(line)
    if not fits_marker(document.marker):
        raise ForgedError("no path of a spec")
    return Body(document.marker, markdown(document, characters), measures, only_update)


def review_of(line: bytes) -> tuple[Document, Mapping[str, float], bool]:
    """The document of a line, its measures, and whether it only keeps a comment up to date.

    Raises:
        ForgedError: it does not fit the schema.
    """
    if len(line) > MOST_LINE_BYTES:
        raise ForgedError(f"{len(line):,} bytes")
    try:
        review = json.loads(line)
    except (ValueError, RecursionError):
        raise ForgedError("no JSON") from None
    wrong = next(_schema().iter_errors(review), None)
    if wrong is not None:
        raise ForgedError(f"no review, at {ascii(wrong.json_path)[1:-1][:60]}")
    return document_of(review["document"]), review["measures"], review.get("unasked", False)


@cache
def _schema() -> Any:  # noqa: ANN401 - jsonschema's own type
    return Draft202012Validator(json.loads((data("schemas") / "review.schema.json").read_bytes()))
