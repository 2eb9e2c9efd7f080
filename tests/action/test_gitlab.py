"""The GitLab jobs of the README, script by script, against a stand-in for GitLab's notes."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from action_runner import ROOT
from action_site import SPEC
from ruamel.yaml import YAML

(TEXT,) = re.findall(r"^```yaml\n(topology:\n.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
JOBS = YAML(typ="safe", pure=True).load(TEXT)
TOKEN = "glpat-of-a-server-that-lives-as-long-as-a-test"  # noqa: S105
NOTES = "/api/v4/projects/5/merge_requests/9/notes"


@pytest.fixture
def gitlab():
    """Notes of a merge request by number, its address, and the writes."""

    class Handler(BaseHTTPRequestHandler):
        notes, writes, address = {}, [], ""

        def log_message(self, *_):
            """Nothing."""

        def answer(self):
            parts, size = urlsplit(self.path), int(self.headers.get("Content-Length", "0"))
            body = json.loads(self.rfile.read(size))["body"] if size else ""
            if self.headers["PRIVATE-TOKEN"] != TOKEN or not parts.path.startswith(NOTES):
                return 401, {}, {}
            if self.command == "GET":
                query = {name: int(value[0]) for name, value in parse_qs(parts.query).items() if name != "sort"}
                size, page, every = query["per_page"], query["page"], sorted(self.notes.items())
                more = str(page + 1) if page * size < len(every) else ""
                listed = [{"id": number, "body": text} for number, text in every[(page - 1) * size : page * size]]
                return 200, {"X-Next-Page": more}, listed
            number = len(self.notes) + 1 if self.command == "POST" else int(parts.path.rpartition("/")[2])
            self.notes[number] = body
            self.writes.append(self.command)
            return 200, {}, {"id": number, "body": body}

        def reply(self):
            status, headers, said = self.answer()
            data = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = reply  # noqa: N815 - the names are the library's

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.address = f"http://127.0.0.1:{server.server_port}"
    yield Handler
    server.shutdown()
    server.server_close()


def run(lines, folder, **variables):
    """Lines of a job as GitLab's runner takes them: one shell for all."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {"PATH": path, "HOME": os.environ["HOME"], "CI_PROJECT_DIR": str(folder), **variables}
    words = ["bash", "-eo", "pipefail", "-c", "\n".join(lines)]
    done = subprocess.run(words, cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=300)
    assert TOKEN not in done.stdout + done.stderr
    return done


def test_the_note_is_begun_and_then_kept_up_to_date(gitlab, tmp_path):
    gitlab.notes.update({number: f"note {number}" for number in range(1, 131)})
    review = tmp_path / "topology" / "review.md"
    review.parent.mkdir()
    variables = {"CI_API_V4_URL": f"{gitlab.address}/api/v4", "CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "9"}
    for text, writes in (("one", ["POST"]), ("one", ["POST"]), ("two", ["POST", "PUT"])):
        review.write_text(f"<!-- topology:stacks/one/cluster.yaml -->\n{text}\n")
        done = run(JOBS["topology-note"]["script"], tmp_path, TOPOLOGY_TOKEN=TOKEN, **variables)
        assert done.returncode == 0, done.stderr
        assert gitlab.writes == writes
        assert gitlab.notes[131].endswith(f"{text}\n")


def test_the_review_of_a_merge_request_is_left_as_its_artifact(repository):
    base = repository.git("rev-parse", "HEAD")
    more = SPEC.replace("1152", "1728").replace("gpus: 576}", "gpus: 1152}").replace("rows: 4", "rows: 5")
    head = repository.push({"stacks/one/cluster.yaml": more, "topology.py": "raise SystemExit('imported')\n"})
    script = JOBS["topology"]["script"]
    lines = [line.replace("/tmp/topology/bin/", "") for line in script if "pip install" not in line]  # noqa: S108
    assert len(lines) == len(script) - 1
    names = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_COMMIT_SHA": head, "SPEC": "stacks/one/cluster.yaml"}
    done = run(lines, repository.repository, **names)
    assert (done.returncode, done.stderr) == (1, "fails on replug>0\n")  # the fabric is sized for what the spec holds
    left = repository.repository / "topology"
    assert "1,728" in (left / "review.md").read_text()
    assert json.loads((left / "review.jsonl").read_text().splitlines()[0])["measures"]["racks"] == 8
    assert (left / "after/site.svg").exists()
