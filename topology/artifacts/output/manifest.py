"""plan.json: the facts of a plan and the digest of every file, by which we know our own trees."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

NAME = "plan.json"
SCHEMA_VERSION = 1  # of schemas/plan.schema.json; another one is another program's tree
DIGEST = "plan_sha256"
_PART = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One artifact as plan.json lists it."""

    path: str  # below OUT, with `/`
    sha256: str
    size_bytes: int


ListedFiles = Mapping[str, ListedFile]  # by path


class ManifestError(Exception):
    """The text is not a plan.json that this program wrote; the message says how one sees it."""


def sha256(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def leads_below(path: str) -> bool:
    """Whether a path that somebody wrote down leads to a file below its folder: no part is empty, `.` or `..`."""
    return all(_PART.fullmatch(part) and part not in {".", ".."} for part in path.split("/"))


def files_below(digests: Mapping[str, str], folder: str) -> dict[str, str]:
    """Digests of the files of a folder by their paths below it; `digests` are those of every file by its path."""
    inside = f"{folder}/"
    return {path.removeprefix(inside): digest for path, digest in digests.items() if path.startswith(inside)}


def digest_of(parts: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over names and digests, in any order: the identity of files, or resources, that go together.

    It stands in the states of stacks, which would all be deployed anew if it were made otherwise.
    """
    return sha256("".join(f"{name} {digest}\n" for name, digest in sorted(parts)).encode())


def render(facts: Mapping[str, object], entries: Iterable[ListedFile]) -> bytes:
    """Text of plan.json: `facts`, the artifacts by path, and the digest of all that.

    Canonical JSON: sorted keys, two spaces, a newline at the end, ASCII.

    Raises:
        ValueError: `facts` has no `cluster`, another `schema_version`, a key of ours, or a
            number that JSON cannot write.
    """
    if not isinstance(facts.get("cluster"), str) or facts.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"a manifest has a cluster and schema_version {SCHEMA_VERSION}")
    if {"artifacts", DIGEST} & facts.keys():
        raise ValueError("artifacts and their digest are counted here, not given")
    listed = [
        {"path": entry.path, "sha256": entry.sha256, "bytes": entry.size_bytes}
        for entry in sorted(entries, key=attrgetter("path"))
    ]
    document = {**facts, "artifacts": listed}
    return _canonical({**document, DIGEST: sha256(_canonical(document))})


def read(text: bytes) -> ListedFiles:
    """Artifacts that a plan.json lists.

    Raises:
        ManifestError: cut short, edited, of another schema version, or not ours at all.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ManifestError("is not whole JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("cluster"), str):
        raise ManifestError("is not a plan of this program")
    version = document.get("schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        raise ManifestError(f"has schema version {version!r:.20}; this program reads {SCHEMA_VERSION}")
    try:
        entries = [_listed_file(item) for item in document["artifacts"]]
        body = {key: value for key, value in document.items() if key != DIGEST}
        genuine = document[DIGEST] == sha256(_canonical(body))
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ManifestError("does not list its files as this program does") from None
    if not genuine:
        raise ManifestError("was edited")
    if len({entry.path.casefold() for entry in entries}) < len(entries):
        raise ManifestError("lists a file twice")
    return {entry.path: entry for entry in entries}


def _listed_file(item: Mapping[str, object]) -> ListedFile:
    """The entry of one item; a path that leads anywhere else than below OUT is a ValueError.

    The digest already shows an edit by hand, but what is listed may be deleted one day, so the
    path is not trusted even so.
    """
    path, digest, size = item["path"], item["sha256"], item["bytes"]
    if not isinstance(path, str) or not isinstance(digest, str) or type(size) is not int:
        raise TypeError
    if path == NAME or not leads_below(path):
        raise ValueError
    return ListedFile(path, digest, size)


def _canonical(document: Mapping[str, object]) -> bytes:
    """The one way this program writes a JSON document."""
    return json.dumps(document, sort_keys=True, indent=2, allow_nan=False).encode() + b"\n"
