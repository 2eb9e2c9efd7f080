"""One comment per spec, found by its marker over all pages, updated by its number, not written where it is equal."""

from dataclasses import dataclass
from enum import StrEnum

from topology.ci.api import FIRST_PAUSE_S, TRIES, Api, ApiError
from topology.ci.pull import Pull, newest_head


class CommentOutcome(StrEnum):
    """What became of a body."""

    CREATED = "created"
    UPDATED = "updated"
    EQUAL = "equal, not written"
    NONE = "no comment to update"
    SUPERSEDED = "superseded by a newer push"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of ours."""

    number: int
    text: str


def write(api: Api, pull: Pull, text: str, author: str, *, only_update: bool) -> CommentOutcome:
    """Make the comment that begins with the text's first line say the text.

    A failed write may have been carried out all the same, and a comment may be deleted meanwhile: every try
    looks anew at what is there. Nothing is written for a commit that is not the head any more.

    Raises:
        ApiError: after a few tries, or at once where another try is no use.
    """
    marker = text.partition("\n")[0]
    for turn in range(TRIES):
        if newest_head(api, pull) != pull.head_sha:
            return CommentOutcome.SUPERSEDED
        there = find(api, pull, marker, author)
        try:
            return _write_once(api, pull, there, text, only_update=only_update)
        except ApiError as error:
            vanished = error.gone and there is not None
            if turn == TRIES - 1 or not (error.passing or vanished):
                raise
            api.wait(max(error.pause_s or 0.0, FIRST_PAUSE_S * 2**turn))
    raise AssertionError


def find(api: Api, pull: Pull, marker: str, author: str) -> Comment | None:
    """The oldest comment of `author` that begins with the marker.

    Anyone may write the marker into a comment of their own, which is not ours to change.
    """
    for comment in api.pages(f"issues/{pull.number}/comments"):
        text = str(comment.get("body") or "").replace("\r\n", "\n")
        if text.partition("\n")[0] == marker and (comment.get("user") or {}).get("login") == author:
            return Comment(int(comment["id"]), text)
    return None


def _write_once(api: Api, pull: Pull, there: Comment | None, text: str, *, only_update: bool) -> CommentOutcome:
    if there is None:
        if only_update:
            return CommentOutcome.NONE
        api.send("POST", f"issues/{pull.number}/comments", {"body": text})
        return CommentOutcome.CREATED
    if there.text.strip() == text.strip():
        return CommentOutcome.EQUAL
    api.send("PATCH", f"issues/comments/{there.number}", {"body": text})
    return CommentOutcome.UPDATED
