"""A stand-in for GitHub's REST API on this machine: comments, pull requests and artifacts of one repository.

It keeps what is written, pages as GitHub does, and can be told to fail. Artifacts lie on a second server, as
they do at GitHub, which must never see the token.
"""

import io
import json
import re
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

REPOSITORY = "site/cluster"
TOKEN = "ghs_the_token_of_the_second_job"  # noqa: S105 - of a server that lives as long as a test
BOT = "github-actions[bot]"


@dataclass
class Failure:
    """What the next request that fits is answered with."""

    method: str
    path: str  # an expression
    status: int
    headers: dict = field(default_factory=dict)
    message: str = "Server Error"
    carried_out: bool = False  # the request was carried out all the same
    before: object = None  # called first


class GitHub:
    """State of the repository."""

    def __init__(self):
        self.comments = {}  # number of the comment: issue, login, body
        self.pulls = {}
        self.labels = set()  # of the one pull request that has some
        self.artifacts = {}  # id: run, name, data, stated size
        self.failures = []
        self.requests = []  # method, path, authorization
        self.address = self.store = ""
        self._next = 1000

    def comment(self, issue, login, body):
        """A new comment; returns its number."""
        self._next += 1
        self.comments[self._next] = {"issue": issue, "login": login, "body": body}
        return self._next

    def pull(self, number, sha, *, branch="pr", owner="site", repository="cluster", repository_id=1):
        """An open pull request, or one with a new head."""
        home = {"full_name": f"{owner}/{repository}", "id": repository_id, "owner": {"login": owner}}
        head = {"sha": sha, "ref": branch, "repo": home, "label": f"{owner}:{branch}"}
        self.pulls[number] = {"number": number, "state": "open", "head": head}

    def artifact(self, run, files=None, *, data=None, name="topology-comments", size=None):
        """An artifact of a run: files by name, or the bytes of the archive."""
        if data is None:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path, text in files.items():
                    archive.writestr(path, text)
            data = packed.getvalue()
        self._next += 1
        size = len(data) if size is None else size
        self.artifacts[self._next] = {"run": run, "name": name, "data": data, "size": size}

    def bodies(self, issue, login=BOT):
        """Texts of comments, oldest first."""
        return [
            each["body"].replace("\r\n", "\n")
            for _, each in sorted(self.comments.items())
            if (each["issue"], each["login"]) == (issue, login)
        ]

    def writes(self):
        """Methods of all requests that write."""
        return [method for method, _, _ in self.requests if method != "GET"]

    # --- what requests get ---------------------------------------------------------------------------

    def answer(self, method, path, query, body):
        """Status, headers and JSON of a request."""
        routes = (
            ("GET", r"issues/(\d+)/comments", self._list),
            ("POST", r"issues/(\d+)/comments", self._create),
            ("PATCH", r"issues/comments/(\d+)", self._update),
            ("GET", r"issues/(\d+)/labels", self._labels),
            ("POST", r"issues/(\d+)/labels", self._add_labels),
            ("GET", r"pulls/(\d+)", self._pull),
            ("GET", r"pulls", self._pulls),
            ("GET", r"actions/runs/(\d+)/artifacts", self._artifacts),
            ("GET", r"actions/artifacts/(\d+)/zip", self._zip),
        )
        for verb, pattern, handle in routes:
            found = re.fullmatch(f"/repos/{REPOSITORY}/{pattern}", path)
            if found and verb == method:
                return handle(*map(int, found.groups()), query=query, body=body)
        gone = re.fullmatch(f"/repos/{REPOSITORY}/issues/(\\d+)/labels/(.+)", path)
        if gone and method == "DELETE" and unquote(gone[2]) in self.labels:
            self.labels.remove(unquote(gone[2]))
            return 200, {}, []
        return 404, {}, {"message": "Not Found"}

    def _labels(self, issue, *, query, body):
        del body
        path = f"/repos/{REPOSITORY}/issues/{issue}/labels"
        return self._paged([{"name": each} for each in sorted(self.labels)], query, path)

    def _add_labels(self, issue, *, query, body):
        del issue, query
        self.labels |= set(body["labels"])
        return 200, {}, []

    def _paged(self, items, query, path):
        size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
        rest = {key: values[0] for key, values in query.items() if key != "page"}
        words = "&".join(f"{key}={value}" for key, value in rest.items())
        more = f'<{self.address}{path}?{words}&page={page + 1}>; rel="next"'
        last = f'<{self.address}{path}?{words}&page=99>; rel="last"'
        headers = {"Link": f"{more}, {last}"} if page * size < len(items) else {}
        return 200, headers, items[(page - 1) * size : page * size]

    def _list(self, issue, *, query, body):
        del body
        path = f"/repos/{REPOSITORY}/issues/{issue}/comments"
        return self._paged(
            [self._shown(n) for n, c in sorted(self.comments.items()) if c["issue"] == issue], query, path
        )

    def _shown(self, number):
        comment = self.comments[number]
        return {"id": number, "body": comment["body"], "user": {"login": comment["login"]}}

    def _create(self, issue, *, query, body):
        del query
        if not 0 < len(body["body"]) <= 65_536:
            return 422, {}, {"message": "Validation Failed"}
        return 201, {}, self._shown(self.comment(issue, BOT, body["body"].replace("\n", "\r\n")))

    def _update(self, number, *, query, body):
        del query
        if number not in self.comments:
            return 404, {}, {"message": "Not Found"}
        self.comments[number]["body"] = body["body"]
        return 200, {}, self._shown(number)

    def _pull(self, number, *, query, body):
        del query, body
        return (200, {}, self.pulls[number]) if number in self.pulls else (404, {}, {"message": "Not Found"})

    def _pulls(self, *, query, body):
        del body
        assert query["state"] == ["open"]
        found = [each for each in self.pulls.values() if each["head"]["label"] == query["head"][0]]
        return self._paged(found, query, f"/repos/{REPOSITORY}/pulls")

    def _artifacts(self, run, *, query, body):
        del body
        every = [
            {"id": number, "name": each["name"], "size_in_bytes": each["size"], "expired": False}
            for number, each in self.artifacts.items()
            if each["run"] == run and query.get("name", [each["name"]]) == [each["name"]]
        ]
        return 200, {}, {"total_count": len(every), "artifacts": every}

    def _zip(self, number, *, query, body):
        del query, body
        return 302, {"Location": f"{self.store}/blob/{number}"}, {}


@contextmanager
def running():
    """The state behind two servers, which stand until the end of the block."""
    github = GitHub()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), kind) for kind in (_api(github), _store(github))]
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in servers]
    github.address, github.store = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for thread in threads:
        thread.start()
    try:
        yield github
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing."""

    def reply(self, status, headers, data):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _api(github):
    class Handler(_Quiet):
        def handle_any(self):
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length", "0"))
            body = json.loads(self.rfile.read(size)) if size else None
            authorization = self.headers.get("Authorization", "")
            github.requests.append((self.command, parts.path, authorization))
            if authorization != f"Bearer {TOKEN}":
                self.reply(401, {}, b'{"message": "Bad credentials"}')
                return
            failure = next(
                (f for f in github.failures if f.method == self.command and re.search(f.path, parts.path)), None
            )
            if failure:
                github.failures.remove(failure)
                if failure.before:
                    failure.before()
                if failure.carried_out:
                    github.answer(self.command, parts.path, parse_qs(parts.query), body)
                if failure.status:
                    self.reply(failure.status, failure.headers, json.dumps({"message": failure.message}).encode())
                    return
            status, headers, said = github.answer(self.command, parts.path, parse_qs(parts.query), body)
            self.reply(status, headers, json.dumps(said).encode())

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any  # noqa: N815 - the names are the library's

    return Handler


def _store(github):
    class Handler(_Quiet):
        def do_GET(self):
            github.requests.append(("GET", f"store:{self.path}", self.headers.get("Authorization", "")))
            self.reply(200, {}, github.artifacts[int(self.path.rpartition("/")[2])]["data"])

    return Handler
