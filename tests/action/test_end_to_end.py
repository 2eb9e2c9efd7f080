"""The two actions on a real repository, step by step under bash, against a stand-in for GitHub's API."""

import json

import pytest
from action_runner import ROOT
from action_site import SPEC
from github_server import BOT, TOKEN, Failure

MORE = SPEC.replace("gpus: 1152", "gpus: 1728").replace("gpus: 576}", "gpus: 1152}").replace("rows: 4", "rows: 5")
MARKER = "<!-- topology:stacks/one/cluster.yaml -->"


def test_the_comment_is_begun_and_then_kept_up_to_date(site, github):
    for number in range(130):  # more than a page
        github.comment(12, "someone", f"comment {number}")
    imposter = github.comment(12, "someone", f"{MARKER}\nnot ours")
    site.push({"stacks/one/cluster.yaml": MORE})
    job = site.compare()
    assert job.code == 0, job.log
    assert site.comment().code == 0
    (first,) = github.bodies(12)
    assert first.startswith(MARKER)
    assert "1,728" in first
    (number,) = [each for each, comment in github.comments.items() if comment["login"] == BOT]
    again = site.comment()
    assert "equal, not written" in again.log
    assert github.writes() == ["POST"]
    site.push({"stacks/one/cluster.yaml": MORE.replace("1728", "1152").replace("gpus: 1152}", "gpus: 576}")})
    assert site.compare().code == 0
    assert "updated" in site.comment().log
    assert github.comments[number]["body"] == github.bodies(12)[0] != first
    assert github.writes() == ["POST", "PATCH"]
    assert github.comments[imposter]["body"] == f"{MARKER}\nnot ours"
    site.push({"stacks/one/cluster.yaml": SPEC})
    assert site.compare().outputs["changed"] == "0"
    assert "updated" in site.comment().log
    assert "Nothing changes" in github.comments[number]["body"]


def test_every_spec_has_a_comment_of_its_own(site, github):
    site.git("checkout", "-q", "main")
    site.write({"stacks/two/cluster.yaml": SPEC, "stacks/three/cluster.yaml": SPEC}, "more")
    site.git("checkout", "-qb", "second")
    site.push({"stacks/two/cluster.yaml": MORE, "stacks/new/cluster.yaml": SPEC, "stacks/three/cluster.yaml": None})
    job = site.compare(specs="stacks/*/cluster.yaml")
    assert job.code == 1, job.log  # a site that is gone does not hold
    assert job.outputs["changed"] == "3"
    log = site.comment().log
    assert log.count("created") == 3
    assert "stacks/one/cluster.yaml: no comment to update" in log
    markers = sorted(body.partition("\n")[0] for body in github.bodies(12))
    assert markers == [f"<!-- topology:stacks/{name}/cluster.yaml -->" for name in ("new", "three", "two")]
    assert {f"## `stacks/{name}/cluster.yaml`" in job.summary for name in ("new", "three", "two")} == {True}


def test_pictures_that_are_committed_beside_their_spec_are_no_other_spec(site, github):
    kept = {"pictures/plan.json": "{}", "pictures/source/cluster.yaml": SPEC}
    site.push({f"stacks/one/{path}": text for path, text in kept.items()} | {"source/cluster.yaml": SPEC})
    job = site.compare()
    assert job.log.startswith("2 specs, 1 of them touched")
    site.comment()
    assert [body.partition("\n")[0] for body in github.bodies(12)] == ["<!-- topology:source/cluster.yaml -->"]


def test_the_artifact_holds_everything_that_changed(site, github):
    site.push({"stacks/one/cluster.yaml": MORE})
    site.compare()
    (packed,) = [each for each in github.artifacts.values() if each["name"] == "topology-review"]
    files = _unpacked(packed["data"])
    lines = [json.loads(line) for line in files["001-stacks-one-cluster.jsonl"].splitlines()]
    assert lines[0]["measures"]["racks"] == 8
    assert json.loads(files["001-stacks-one-cluster.sarif"])["version"] == "2.1.0"
    for side in ("before", "after"):
        assert files[f"001-stacks-one-cluster/{side}/site.svg"].startswith("<svg")
        assert files[f"001-stacks-one-cluster/{side}/rows/h1.svg"].startswith("<svg")


def test_a_path_of_250_characters_has_its_files_and_its_comment(site, github):
    spec = f"{'deep-in-folders/' * 15}cluster.yaml"
    assert len(spec) > 250
    site.push({spec: SPEC})
    job = site.compare()
    assert job.code == 0, job.log
    (packed,) = [each for each in github.artifacts.values() if each["name"] == "topology-review"]
    assert any(name.endswith("-cluster.jsonl") for name in _unpacked(packed["data"]))
    site.comment()
    assert [body.partition("\n")[0] for body in github.bodies(12)] == [f"<!-- topology:{spec} -->"]


def test_a_condition_that_is_met_fails_the_job_and_the_comment_is_written_all_the_same(site, github):
    site.push({"stacks/one/cluster.yaml": MORE})
    job = site.compare(fail_on="errors\nracks>4")
    assert job.code == 1
    assert "fails on racks>4" in job.log
    assert site.comment().code == 0
    assert len(github.bodies(12)) == 1
    assert site.compare(fail_on="never").code == 0


def test_findings_stand_on_the_lines_of_the_pull_request(site):
    site.push({"stacks/one/cluster.yaml": SPEC.replace("gpus: 1152", "gpus: 1000")})
    job = site.compare()
    assert job.code == 1
    assert "::error file=stacks/one/cluster.yaml,line=8,col=" in job.log
    assert "::" not in site.compare(format="text").log.replace("::error title=topology::", "")


def test_a_pull_request_without_a_spec_is_left_alone(site, github):
    site.push({"README.md": "other words"})
    job = site.compare()
    assert (job.code, job.outputs["changed"]) == (0, "0")
    assert "No spec changes." in job.summary
    assert site.comment().code == 0
    assert github.bodies(12) == []


def test_a_shallow_clone_is_told_what_it_lacks(site, tmp_path):
    site.push({"stacks/one/cluster.yaml": MORE})
    event = site.event()
    shallow = tmp_path / "shallow"
    site.git("clone", "-q", "--depth", "1", "-b", "pr", f"file://{site.repository}", str(shallow))
    site.repository = shallow
    job = site.job("pull_request", event)
    job.run(ROOT, done=("Set up",))
    assert job.code == 2
    assert "the clone is shallow: set fetch-depth: 0 at actions/checkout" in job.log


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"format": "yaml"}, "write text or github"),
        ({"specs": "../*.yaml"}, "leads out of the repository"),
        ({"base": "no-such-commit"}, "the commit no-such-commit is not in this clone"),
        ({"base": "--output=x"}, "the commit --output=x is not in this clone"),
    ],
)
def test_inputs_that_are_none_are_refused_in_one_line(site, inputs, said):
    site.push({"stacks/one/cluster.yaml": MORE})
    job = site.compare(**inputs)
    assert job.code == 2
    assert said in job.log
    assert "Traceback" not in job.log


def test_the_token_is_sent_to_the_api_alone_and_stands_in_no_log(site, github):
    site.push({"stacks/one/cluster.yaml": MORE})
    compared = site.compare()
    github.failures += [Failure("POST", "comments", 403, message="Resource not accessible by integration")]
    commented = site.comment()
    assert TOKEN not in compared.log + compared.summary + commented.log + commented.summary
    assert {"Authorization" in str(request) for request in github.requests if request[1].startswith("store:")} == {
        False
    }
    stored = [sent for _, path, sent in github.requests if path.startswith("store:")]
    assert stored == [""]


def test_the_summary_has_what_the_comment_has_no_room_for(site, github):
    site.push({"stacks/one/cluster.yaml": (ROOT / "tests/golden/power-tree/cluster.yaml").read_text()})
    job = site.compare()
    assert job.code == 0, job.log
    assert "write 6000 to 65536" in site.comment(max_chars="70000").log
    said = site.comment(max_chars="6000")
    assert "created" in said.log
    (comment,) = github.bodies(12)
    assert len(comment) <= 6000 < len(job.summary) < 900_000
    assert "all in the JSON" in comment


def _unpacked(data):
    import io  # noqa: PLC0415 - this helper alone reads archives
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
