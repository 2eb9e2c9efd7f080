"""GitHub's REST API: one request at a time, with patience that ends.

The token is read from the environment, goes to the API's own host and to no other, and into no message.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from topology.ci.runner import JobError

TRIES = 4
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0  # a rate limit that lasts longer is not waited for
TIMEOUT_S = 30.0
MOST_BYTES = 16 * 1024 * 1024  # of one answer; 100 comments of 65,536 characters are less
MOST_PAGES = 300  # of 100 comments each; the busiest pull requests have some thousands
PER_PAGE = 100
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_GONE, _LIMITED, _SERVER = {404, 410}, {403, 429}, 500


class ApiError(Exception):
    """The API said no; `passing` means that it may say yes in `pause_s` seconds."""

    def __init__(self, words: str, status: int, pause_s: float | None = None) -> None:
        self.words, self.status, self.pause_s = words, status, pause_s
        super().__init__(words)

    @property
    def passing(self) -> bool:
        """Whether another try is worth it."""
        return self.pause_s is not None

    @property
    def gone(self) -> bool:
        """Whether what was asked for is not there, or not any more."""
        return self.status in _GONE


@dataclass(frozen=True, slots=True)
class GithubResponse:
    """Body and address of the next page, which is empty on the last."""

    body: bytes
    next_page: str
    location: str


class _Stay(HTTPRedirectHandler):
    """Follows nothing: a redirect may lead to another host, which must not see the token."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the signature is urllib's
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """No request follows."""
        del req, fp, code, msg, headers, newurl


@dataclass(frozen=True, slots=True)
class Api:
    """One repository's part of the API."""

    base: str
    repository: str
    token: str = field(repr=False)
    wait: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise JobError("GITHUB_API_URL is no https address", "leave it as GitHub sets it")

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """JSON of one page.

        Raises:
            ApiError: after a few tries.
        """
        return _json(self._patient("GET", self._address(path, query)).body)

    def pages(self, path: str, **query: str) -> Iterator[Any]:
        """Items of a list, over all its pages.

        Raises:
            ApiError: after a few tries of a page.
        """
        address = self._address(path, {**query, "per_page": str(PER_PAGE)})
        for _ in range(MOST_PAGES):
            answer = self._patient("GET", address)
            items = _json(answer.body)
            if not isinstance(items, list):
                raise ApiError("the answer is no list", 0)
            yield from items
            if not answer.next_page:
                return
            self._same_host(answer.next_page)
            address = answer.next_page

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
        """Write once; a failed write is for the caller to judge, who knows whether it may be repeated.

        Raises:
            ApiError: the write was refused, or nobody knows.
        """
        self._once(method, self._address(path, {}), json.dumps(body).encode() if body else None)

    def download(self, path: str, most_bytes: int) -> bytes:
        """Bytes of a file, which another host may hold.

        Raises:
            ApiError: it is not to be had, or larger than `most_bytes`.
        """
        answer = self._patient("GET", self._address(path, {}), most_bytes)
        if not answer.location:
            return answer.body
        parts = urlsplit(answer.location)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ApiError("the file lies at no https address", 0)
        return self._patient("GET", answer.location, most_bytes, signed=False).body

    def _address(self, path: str, query: dict[str, str]) -> str:
        return f"{self.base}/repos/{self.repository}/{path}" + (f"?{urlencode(query)}" if query else "")

    def _same_host(self, address: str) -> None:
        if urlsplit(address)[:2] != urlsplit(self.base)[:2]:
            raise ApiError("the next page lies at another host", 0)

    def _patient(
        self, method: str, address: str, most_bytes: int = MOST_BYTES, *, signed: bool = True
    ) -> GithubResponse:
        for turn in range(TRIES):
            try:
                return self._once(method, address, None, most_bytes, signed=signed)
            except ApiError as error:
                if error.pause_s is None or turn == TRIES - 1:
                    raise
                self.wait(max(error.pause_s, FIRST_PAUSE_S * 2**turn))
        raise AssertionError

    def _once(
        self, method: str, address: str, data: bytes | None, most_bytes: int = MOST_BYTES, *, signed: bool = True
    ) -> GithubResponse:
        headers = {"User-Agent": "cluster-topology", "X-GitHub-Api-Version": "2022-11-28"}
        if signed:
            headers |= {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {self.token}"}
        request = Request(address, data, headers, method=method)  # noqa: S310 - https, or this very machine
        try:
            with build_opener(_Stay).open(request, timeout=TIMEOUT_S) as response:
                return GithubResponse(_read(response, most_bytes), _next(response.headers.get("Link", "")), "")
        except HTTPError as error:
            if error.code in {301, 302, 303, 307, 308}:
                return GithubResponse(b"", "", error.headers.get("Location", ""))
            _refuse(error)
        except (URLError, HTTPException, OSError) as error:
            raise ApiError(f"no answer: {type(error).__name__}", 0, FIRST_PAUSE_S) from None


def _read(response: IO[bytes], most_bytes: int) -> bytes:
    body = response.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise ApiError(f"the answer is larger than {most_bytes:,} bytes", 0)
    return body


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError("the answer is no JSON", 0) from None


def _next(link: str) -> str:
    """Address of the next page in a Link header (RFC 8288)."""
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return address.strip().strip("<>")
    return ""


def _refuse(error: HTTPError) -> NoReturn:
    """Raise what an answer of 4xx or 5xx says."""
    try:
        said = json.loads(error.read(10_000)).get("message", "")
    except (ValueError, AttributeError, OSError, HTTPException):
        said = ""
    said = "".join(c for c in str(said)[:200] if c.isprintable())
    words = f"{error.code} {error.reason}" + (f": {said}" if said else "")
    raise ApiError(words, error.code, _pause_s(error)) from None


def _pause_s(error: HTTPError) -> float | None:
    """Seconds to wait before another try; None where that is no use.

    Source: GitHub's "Rate limits for the REST API": retry-after, else x-ratelimit-reset where nothing remains.
    """
    if error.code >= _SERVER:
        return FIRST_PAUSE_S
    if error.code not in _LIMITED:
        return None
    after, left = error.headers.get("Retry-After"), error.headers.get("X-RateLimit-Remaining")
    try:
        if after is not None:
            pause = float(after)
        elif left == "0":
            pause = float(error.headers.get("X-RateLimit-Reset", "0")) - time.time()
        else:
            return None
    except ValueError:
        return None
    return max(pause, 0.0) if pause <= LONGEST_PAUSE_S else None
