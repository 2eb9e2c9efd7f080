"""The actions and the workflows in the README: what GitHub reads, what zizmor finds, and what they may do."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from action_runner import EXPRESSION, ROOT
from ruamel.yaml import YAML

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
WORKFLOWS = {
    re.match(r"name: (\S+)", text)[1]: text for text in BLOCKS if text.startswith("name: topology") and "\non:" in text
}
ACTIONS = {"compare": ROOT / "action.yml", "comment": ROOT / "comment" / "action.yml"}
ZIZMOR = Path(sys.executable).with_name("zizmor")


def read(text):
    return YAML(typ="safe", pure=True).load(text)


def zizmor(*paths, persona="pedantic"):
    """Findings of zizmor, offline."""
    words = [ZIZMOR, "--offline", "--no-progress", "--no-config", f"--persona={persona}", "--format=json", *paths]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    return [finding["ident"] for finding in json.loads(done.stdout) if not finding["ignored"]]


@pytest.fixture
def copied(tmp_path):
    """A repository that uses our workflows, and holds our actions."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for name, text in WORKFLOWS.items():
        (folder / f"{name}.yml").write_text(text)
    return folder


def test_the_readme_has_a_workflow_for_branches_and_one_for_forks():
    assert set(WORKFLOWS) == {"topology", "topology-comment"}


def test_zizmor_finds_nothing_in_the_actions():
    assert zizmor(*ACTIONS.values(), persona="auditor") == []


def test_zizmor_finds_nothing_in_the_workflows(copied):
    assert zizmor(copied) == []


def test_zizmor_would_find_what_the_workflows_avoid(copied):
    first = WORKFLOWS["topology"]
    spoiled = {
        "artipacked": first.replace(", persist-credentials: false", ""),
        "unpinned-uses": first.replace("08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "v5"),
        "excessive-permissions": first.replace("permissions: {}", "permissions: write-all"),
        "dangerous-triggers": WORKFLOWS["topology-comment"].replace(" # zizmor: ignore[dangerous-triggers]", " #"),
        "template-injection": first + "      - run: echo ${{ github.event.pull_request.title }}\n",
    }
    for rule, text in spoiled.items():
        (copied / "topology.yml").write_text(text)
        assert rule in zizmor(copied), rule


def test_every_ignore_has_its_reason():
    texts = [README, *(path.read_text() for path in ACTIONS.values())]
    ignores = [line for text in texts for line in text.splitlines() if "zizmor: ignore" in line]
    assert len(ignores) == 1
    assert all(len(line.partition("]")[2].split()) >= 5 for line in ignores)


def test_the_job_that_reads_the_pull_request_cannot_write_and_the_one_that_writes_reads_nothing():
    jobs = read(WORKFLOWS["topology"])["jobs"]
    assert jobs["compare"]["permissions"] == {"contents": "read"}
    assert "secrets" not in WORKFLOWS["topology"] + WORKFLOWS["topology-comment"]
    writing = [jobs["comment"], read(WORKFLOWS["topology-comment"])["jobs"]["comment"]]
    for job in writing:
        assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
        assert [step["uses"].split("@")[0] for step in job["steps"]] == ["OWNER/cluster-topology/comment"]
    assert all(read(text)["permissions"] == {} for text in WORKFLOWS.values())
    assert "head.repo.full_name == github.repository" in jobs["comment"]["if"]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_no_script_of_an_action_holds_an_expression_and_all_else_is_pinned(action):
    document = read(action.read_text())
    for step in document["runs"]["steps"]:
        assert not EXPRESSION.search(step.get("run", ""))
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
    for name, each in document["inputs"].items():
        assert each["description"].endswith("."), name
        assert isinstance(each["default"], str), name


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_no_python_of_an_action_looks_for_modules_in_the_work_tree(action):
    for step in read(action.read_text())["runs"]["steps"]:
        started = re.findall(r'(?:"\$PYTHON"|bin/python") (\S+)', step.get("run", ""))
        assert set(started) <= {"-I", "-P"}
        assert started or "uses" in step


def test_the_inputs_that_workflows_give_are_those_of_the_actions():
    for text in WORKFLOWS.values():
        for job in read(text)["jobs"].values():
            for step in job["steps"]:
                if step["uses"].startswith("OWNER/"):
                    action = ACTIONS["comment" if "/comment@" in step["uses"] else "compare"]
                    assert set(step.get("with", {})) <= set(read(action.read_text())["inputs"])


def test_the_gitlab_jobs_are_yaml_and_check_nothing_out_where_they_write():
    (text,) = [each for each in BLOCKS if each.startswith("topology:\n")]
    jobs = read(text)
    assert set(jobs) == {"topology", "topology-note"}
    assert jobs["topology-note"]["variables"] == {"GIT_STRATEGY": "none"}
    assert "TOKEN" not in str(jobs["topology"])


def test_the_action_installs_what_a_diff_needs_and_no_engine_of_deployments():
    every, mine = (
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / path).read_text(), re.MULTILINE))
        for path in ("requirements.txt", "topology/ci/requirements.txt")
    )
    assert mine.items() <= every.items()
    assert not {"pulumi", "grpcio", "protobuf"} & mine.keys()
    comment = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "comment/requirements.txt").read_text(), re.MULTILINE))
    assert comment.items() <= mine.items()
    assert "jsonschema" in comment
