"""The commenting action when GitHub fails, when others write meanwhile, and when the artifact is forged."""

import io
import json
import zipfile

import pytest
from github_server import BOT, TOKEN, Failure

from topology.ci.bodies import FORK
from topology.ci.labels import LABELS
from topology.review.conditions import MEASURES
from topology.review.document import Document, Mark, Name
from topology.review.forms.data import data_line

MARKER = "<!-- topology:stacks/one/cluster.yaml -->"
RUN = "<sub>[The run](https://github.com/site/cluster/actions/runs/7)</sub>"
TEXT = f"{MARKER}\n✅ **8 racks more.**\n\n\n{RUN}"


def line(spec="stacks/one/cluster.yaml", *, measures=None, sentence=("8 racks more.",)):
    """A review of a spec, as the comparing job leaves it."""
    return data_line(Document(spec, Mark.FINE, sentence, ()), measures or {"changes": 1}).decode()


FILES = {"reviews.jsonl": line()}


@pytest.fixture
def left(repository, github):
    """A pull request whose comparing job left one text."""
    repository.runs = 7
    github.pull(12, repository.git("rev-parse", "HEAD"))
    github.artifact(7, FILES)
    return repository


def test_a_server_that_fails_for_a_while_is_asked_again(left, github):
    github.failures += [Failure("GET", "artifacts", 502), Failure("GET", "comments", 503), Failure("POST", "", 500)]
    job = left.comment()
    assert job.code == 0, job.log
    assert github.bodies(12) == [TEXT]


def test_a_write_that_was_carried_out_though_it_failed_is_not_made_twice(left, github):
    github.failures += [Failure("POST", "comments", 502, carried_out=True)]
    job = left.comment()
    assert "equal, not written" in job.log
    assert github.bodies(12) == [TEXT]


def test_a_rate_limit_is_waited_for(left, github):
    github.failures += [
        Failure("POST", "", 403, {"Retry-After": "0"}, "You have exceeded a secondary rate limit"),
        Failure("GET", "pulls", 429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}),
    ]
    assert left.comment().code == 0
    assert github.bodies(12) == [TEXT]


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure("POST", "", 403, message="Resource not accessible by integration"), "403 Forbidden: Resource not"),
        (Failure("POST", "", 422, message="Validation Failed"), "422 Unprocessable"),
        (Failure("POST", "", 403, {"Retry-After": "86400"}, "rate limit"), "403 Forbidden: rate limit"),
        (Failure("GET", "comments", 401, message="Bad credentials"), "401 Unauthorized"),
        (Failure("POST", "", 410, message="gone\n::error::forged"), "410 Gone: gone::error::forged"),
    ],
)
def test_a_refusal_becomes_one_warning_and_the_text_goes_to_the_summary(left, github, failure, said):
    github.failures += [failure]
    job = left.comment()
    assert job.code == 0
    (warning,) = [line for line in job.log.splitlines() if line.startswith("::")]
    assert warning.startswith(f"::warning title=topology::the comment was not written: {said}")
    assert warning.endswith("the step summary says the same")
    assert "**8 racks more.**" in job.summary
    assert github.bodies(12) == []
    assert TOKEN not in job.log + job.summary


def test_a_server_that_stays_broken_is_given_up_on(left, github):
    github.failures += [Failure("POST", "", 500) for _ in range(20)]
    job = left.comment()
    assert job.code == 0
    assert len(github.writes()) == 4
    assert "the comment was not written: 500 Internal Server Error" in job.log


def test_a_job_that_requires_the_comment_fails_without_it(left, github):
    github.failures += [Failure("POST", "", 403)]
    assert left.comment(required="true").code == 1
    assert left.comment(required="true").code == 0


def test_a_comment_deleted_meanwhile_is_begun_anew(left, github):
    number = github.comment(12, BOT, f"{MARKER}\nolder")
    github.failures += [Failure("PATCH", "", 0, before=lambda: github.comments.pop(number))]
    job = left.comment()
    assert job.code == 0, job.log
    assert github.writes() == ["PATCH", "POST"]
    assert github.bodies(12) == [TEXT]


def test_a_newer_push_wins(left, github):
    github.failures += [Failure("POST", "", 500, before=lambda: github.pull(12, "b" * 40))]
    job = left.comment()
    assert "superseded by a newer push" in job.log
    assert (job.code, github.bodies(12)) == (0, [])
    assert "superseded" in left.comment().log


# --- the artifact is forged ---------------------------------------------------------------------------


def archive(files, **options):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, **options) as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return packed.getvalue()


def linked():
    entry = zipfile.ZipInfo("reviews.jsonl")
    entry.external_attr = 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr(entry, "/etc/passwd")
    return packed.getvalue()


def other(**changes):
    """A line that is a review but for some keys."""
    return json.dumps(json.loads(line()) | changes)


def document(**changes):
    """A line of which the document is one but for some keys."""
    return other(document=json.loads(line())["document"] | changes)


DEEP = json.loads("[" * 500 + "]" * 500)
FORGED = {
    "Markdown": ({"reviews.jsonl": "# APPROVED\n"}, "no JSON on line 1"),
    "another version": ({"reviews.jsonl": other(schema_version=2)}, "no review, at $.schema_version on line 1"),
    "a key more": ({"reviews.jsonl": other(number=99)}, "no review, at $ on line 1"),
    "a measure that is none": ({"reviews.jsonl": other(measures={"a\n::b": 1})}, "no review, at $.measures"),
    "a list": ({"reviews.jsonl": "[]"}, "no review, at $ on line 1"),
    "a block of another kind": ({"reviews.jsonl": document(folds=[{"is": "Script"}])}, "at $.document.folds[0]"),
    "another mark": ({"reviews.jsonl": document(mark="approved")}, "at $.document.mark"),
    "words that are deep": ({"reviews.jsonl": document(sentence=DEEP)}, "at $.document.sentence[0]"),
    "brackets that are deep": ({"reviews.jsonl": "[" * 200_000}, "no JSON on line 1"),
    "no path": ({"reviews.jsonl": document(marker="-->\n@team")}, "no path of a spec on line 1"),
    "a climbing path": ({"../../reviews.jsonl": line()}, "1 files, ['../../reviews.jsonl']"),
    "an absolute path": ({"/tmp/reviews.jsonl": line()}, "1 files, ['/tmp/reviews.jsonl']"),  # noqa: S108
    "another file": ({**FILES, "number.txt": "99"}, "2 files"),
    "no file": ({}, "no file"),
    "a bomb": ({"reviews.jsonl": "a" * 70_000_000}, "more than 67,108,864 bytes"),
    "a long line": ({"reviews.jsonl": line() + "a" * 5_000_000}, "5,000,000 bytes on line 2"),
    "no text": ({"reviews.jsonl": b"\xff\xfe"}, "no JSON on line 1"),
    "no archive": (b"<html>", "no archive that can be read"),
    "a link": (linked(), "no JSON on line 1"),
}


@pytest.mark.parametrize(("held", "said"), FORGED.values(), ids=FORGED)
def test_a_forged_artifact_is_not_written(repository, github, held, said, tmp_path):
    repository.runs = 7
    github.pull(12, repository.git("rev-parse", "HEAD"))
    github.artifact(7, data=held if isinstance(held, bytes) else archive(held))
    before = {path for path in tmp_path.rglob("*") if ".git" not in path.parts}
    job = repository.comment()
    written = [TEXT] if held == FORGED["a long line"][0] else []  # which costs no other line its comment
    assert (job.code, github.bodies(12)) == (0, written)
    assert said in job.log
    assert "which topology does not write" in job.log
    assert "Traceback" not in job.log
    made = {path.name for path in tmp_path.rglob("*") if ".git" not in path.parts and path not in before}
    assert made <= {"temp-0", "topology-comment-venv", "empty", "step.sh", "outputs.txt", "event.json"}


def test_an_archive_of_100_mb_is_neither_loaded_nor_believed(repository, github):
    repository.runs = 7
    github.pull(12, repository.git("rev-parse", "HEAD"))
    github.artifact(7, data=b"0" * 5_000_000, size=100_000_000)
    assert "an archive of 100,000,000 bytes" in repository.comment().log
    assert not any(path.startswith("store:") for _, path, _ in github.requests)
    github.artifact(7, data=b"0" * 17_000_000, size=1000)  # it lies about its size
    assert "the answer is larger than 16,777,216 bytes" in repository.comment().log
    assert github.writes() == []


def test_a_line_that_is_no_review_costs_no_other_spec_its_comment(repository, github):
    repository.runs = 7
    github.pull(12, repository.git("rev-parse", "HEAD"))
    bad = [document(mark="approved"), "{", line("stacks/one/cluster.yaml"), line("a b")]
    lines = [line("a.yaml"), *bad, line("stacks/one/cluster.yaml"), line("b.yaml", sentence=(Name("@team"),))]
    github.artifact(7, {"reviews.jsonl": "\n".join(each.strip() for each in lines)})
    job = repository.comment()
    markers = [body.partition("\n")[0] for body in github.bodies(12)]
    assert markers == [f"<!-- topology:{spec} -->" for spec in ("a.yaml", "stacks/one/cluster.yaml", "b.yaml")]
    assert job.log.count("::warning") == 4
    assert "a second text for one spec on line 6" in job.log
    assert repository.comment(required="true").code == 1


def test_labels_say_what_all_specs_come_to_and_those_of_others_stay(repository, github):
    repository.runs = 7
    github.pull(12, repository.git("rev-parse", "HEAD"))
    github.labels |= {"bug", "topology/errors", "topology/other"}
    lines = [line("a.yaml", measures={"changes": 1, "replug": 4}), line("b.yaml", measures={"racks-removed": 1})]
    github.artifact(7, {"reviews.jsonl": "".join(lines)})
    assert repository.comment().code == 0
    assert github.labels == {"bug", "topology/errors", "topology/other"}
    assert "labels: topology/destroys, topology/replugs" in repository.comment(labels="true").log
    assert github.labels == {"bug", "topology/other", "topology/destroys", "topology/replugs"}
    github.failures += [Failure("GET", "labels", 403)]
    assert "the labels were not set: 403" in repository.comment(labels="true").log


def test_labels_go_by_measures_that_there_are():
    assert {measure for of in LABELS.values() for measure in of} <= MEASURES.keys()


def test_a_spec_of_which_nothing_is_built_differently_gets_no_new_comment_on_request(repository, github):
    repository.runs = 7
    github.pull(12, repository.git("rev-parse", "HEAD"))
    number = github.comment(12, BOT, f"{MARKER}\nolder")
    github.artifact(7, {"reviews.jsonl": line(measures={"changes": 0}) + line("b.yaml", measures={"changes": 0})})
    assert "b.yaml: no comment to update" in repository.comment(skip_unchanged="true").log
    assert github.bodies(12) == [github.comments[number]["body"]] == [TEXT]
    repository.comment()
    assert len(github.bodies(12)) == 2


def test_sixty_specs_one_of_them_deep_in_folders_have_a_comment_each_with_a_link_to_every_row(repository, github):
    repository.runs = 7
    github.pull(12, repository.git("rev-parse", "HEAD"))
    specs = [f"{'folder/' * 40}cluster.yaml", *(f"stacks/{at}/cluster.yaml" for at in range(59))]
    github.artifact(7, {"reviews.jsonl": "".join(map(line, specs))})
    github.artifact(7, {"a": "b"}, name="topology-review")
    job = repository.comment()
    assert job.code == 0, job.log
    bodies = github.bodies(12)
    assert [body.partition("\n")[0] for body in bodies] == [f"<!-- topology:{spec} -->" for spec in specs]
    run = "https://github.com/site/cluster/actions/runs/7"
    number = max(github.artifacts)
    links = f"<sub>[The run]({run}) · [every row, SARIF and pictures]({run}/artifacts/{number})</sub>"
    assert all(body.endswith(links) for body in bodies)


# --- pull requests of forks ---------------------------------------------------------------------------


def run_event(site, *, sha=None, owner="stranger", branch="pr", repository_id=2, event="pull_request"):
    home = {"full_name": f"{owner}/cluster", "id": repository_id, "owner": {"login": owner}}
    sha = sha or site.git("rev-parse", "HEAD")
    run = {"id": 7, "event": event, "head_sha": sha, "head_branch": branch, "head_repository": home}
    return {"workflow_run": run}


def test_the_pull_request_of_a_fork_is_found_by_the_head_of_its_run(left, github):
    sha = left.git("rev-parse", "HEAD")
    github.pulls.clear()
    github.pull(31, sha, owner="other", repository_id=3)  # the same commit, of another fork
    github.pull(32, "c" * 40, branch="pr", owner="stranger", repository_id=2)  # the same branch, another commit
    assert "nothing is written" in left.comment(event=run_event(left), event_name="workflow_run").log
    github.pull(33, sha, owner="stranger", repository_id=2)
    job = left.comment(event=run_event(left), event_name="workflow_run")
    assert job.code == 0, job.log
    assert github.bodies(33) == [f"{TEXT}\n\n{FORK}"]
    assert [github.bodies(number) for number in (12, 31, 32)] == [[], [], []]


@pytest.mark.parametrize(
    ("event", "name", "said"),
    [
        ({}, "workflow_run", "is not as GitHub sends it"),
        ({"workflow_run": {"event": "push"}}, "workflow_run", "the run was started by push"),
        ({"pull_request": {"number": "x; rm -rf /"}}, "pull_request", "is not as GitHub sends it"),
        ({"pull_request": {"number": 1, "head": {"sha": "main"}}}, "pull_request", "is not as GitHub sends it"),
        ({"ref": "main"}, "push", "no comment for an event push"),
    ],
)
def test_other_events_are_refused_in_one_line(left, github, event, name, said):
    job = left.comment(event=event or {"other": 1}, event_name=name)
    assert job.code == 2
    assert said in job.log
    assert "Traceback" not in job.log
    assert github.writes() == []


def test_the_api_is_spoken_to_over_https_or_on_this_machine_only(left, github):
    for address in ("http://api.example.org", "file:///etc", "ftp://127.0.0.1"):
        job = left.job("pull_request", left.event(), again=True)
        job.variables["GITHUB_API_URL"] = address
        assert "GITHUB_API_URL is no https address" in job.run(left.comment_action, done=("Set up",)).log
    assert github.requests == []


def test_a_python_that_is_none_is_said(left, github):
    job = left.comment(python="/usr/bin/false", done=())
    assert job.code == 2
    assert "is not Python 3.11 or newer" in job.log
    assert github.requests == []
