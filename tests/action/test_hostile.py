"""Pull requests that mean harm: nothing outside the repository is read or written, nothing of theirs is run."""

from pathlib import Path

import pytest
from action_site import SPEC
from github_server import TOKEN

from topology.ci.bundle import review_of
from topology.review.forms.markdown import markdown

SPEC_PATH = "stacks/one/cluster.yaml"
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
CANARY = "import pathlib; pathlib.Path({path!r}).write_text('run')\n"


def compared(site, **inputs):
    """The comparison, and the comment it leaves, held to what every hostile pull request must leave alone."""
    outside = {path: path.read_bytes() for path in site.folder.glob("*") if path.is_file()}
    before = site.git("status", "--porcelain", "--ignored")
    job = site.compare(**inputs)
    assert "Traceback" not in job.log
    assert "root:" not in job.log + job.summary
    assert site.git("status", "--porcelain", "--ignored") == before
    assert {path: path.read_bytes() for path in site.folder.glob("*") if path.is_file()} == outside
    made = {path.name for path in job.temp.iterdir()}
    left = {"topology-review", "step.sh", "outputs.txt", "event.json", "summary.md"}
    assert made <= left | {environment.name for environment in site.installed}
    lines = (job.temp / "topology-review/comments/reviews.jsonl").read_bytes().splitlines()
    reviews = [review_of(line) for line in lines]
    texts = [markdown(document) for document, _, only_update in reviews if not only_update]
    assert "root:" not in "".join(texts)
    return job, texts


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (BOMB, "aliases"),
        ("&a [*a]", "anchor"),
        ("[" * 5000, "levels"),
        ("!!python/object/apply:os.system ['touch /tmp/pwned']\n", "tag"),
        ("\x00", "S1"),
        ("", "S1"),
    ],
)
def test_a_spec_that_is_no_spec_is_told_in_the_comment(site, github, spec, said):
    site.push({SPEC_PATH: spec})
    job, (text,) = compared(site)
    assert job.code in {1, 2}
    assert "❌" in text
    assert said in text
    assert site.comment().code == 0
    assert github.bodies(12)[0].startswith(text.strip())


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../.git/config", "../../../outside.yaml", "/dev/zero", "cluster.yaml"]
)
def test_a_link_in_place_of_the_spec_leads_nowhere(site, target):
    (site.folder / "o.yaml").write_text(SPEC)
    site.push({SPEC_PATH: Path(target)})
    job, (text,) = compared(site)
    assert job.code == 2
    assert "cannot be compared" in text
    assert "link" in text
    assert "repositoryformatversion" not in text + job.log


@pytest.mark.parametrize("catalog", ["../../", "/etc", "..", "a/../../..", "~", "$HOME", "c"])
def test_a_catalogue_outside_the_folder_of_the_spec_is_not_read(site, catalog):
    site.write({"switches/example.yaml": "kind: switch\n"}, "a file that would be a product")
    site.push({SPEC_PATH: SPEC.replace("site:", f"catalog: '{catalog}'\nsite:"), "stacks/one/c": Path("/etc")})
    job, (text,) = compared(site)
    assert job.code in {1, 2}
    assert "❌" in text


@pytest.mark.parametrize(
    "name",
    [
        "{{ 7 * 7 }}",
        "{{ self.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "$(touch /tmp/pwned)",
        "`id`",
        "::error::x",
    ],
)
def test_a_name_that_is_a_template_or_a_command_stays_a_text(site, name):
    site.push({SPEC_PATH: SPEC.replace("name: gb300-two-units", f'name: "{name}"')})
    job, (text,) = compared(site)
    assert job.code == 1
    assert "49" not in text.replace(name, "").split("```diff")[0]
    assert not Path("/tmp/pwned").exists()  # noqa: S108 - what the name would make
    commands = [line for line in job.log.splitlines() if line.startswith("::")]
    assert all(
        line.startswith(("::error file=stacks/one/cluster.yaml,", "::notice title=topology")) for line in commands
    )


def test_no_module_of_the_repository_is_imported(site):
    """Each of these would be found first, were Python started in the work tree as it usually is."""
    canary = site.folder / "canary"
    code = CANARY.format(path=str(canary))
    names = ("topology/__init__.py", "json.py", "polars.py", "venv.py", "pip/__main__.py", "sitecustomize.py", "re.py")
    site.push({SPEC_PATH: SPEC.replace("1152", "576").replace("gpus: 576}", "gpus: 0}"), **dict.fromkeys(names, code)})
    job, texts = compared(site)
    assert len(texts) == 1
    assert job.outputs["changed"] == "1"
    assert not canary.exists()


def test_no_filter_hook_or_helper_of_the_repository_is_run(site):
    canary = site.folder / "canary"
    script = f"#!/bin/sh\ntouch {canary}\n"
    site.push(
        {
            SPEC_PATH: SPEC.replace("1152", "1728").replace("gpus: 576}", "gpus: 1152}").replace("rows: 4", "rows: 5"),
            ".gitattributes": "*.yaml filter=evil diff=evil textconv=evil\n",
            ".gitconfig": f'[filter "evil"]\n  smudge = touch {canary}\n[core]\n  fsmonitor = touch {canary}\n',
            "hooks/post-checkout": script,
            ".git-hooks/pre-commit": script,
            "git": script,
            "python": script,
        }
    )
    job, _ = compared(site)
    assert job.code == 0, job.log
    assert not canary.exists()


def test_a_file_by_the_name_of_a_revision_is_not_taken_for_it(site):
    """The base of the comparison is the merge base, whatever the pull request puts where it would be looked up."""
    base = site.git("rev-parse", "main")
    changed = SPEC.replace("1152", "1728").replace("gpus: 576}", "gpus: 1152}").replace("rows: 4", "rows: 5")
    site.push({f"{base}:{SPEC_PATH}": changed, SPEC_PATH: changed})
    job, (text,) = compared(site, specs=SPEC_PATH)
    assert job.code == 0, job.log
    assert "1,728" in text


@pytest.mark.parametrize(
    "name", ["a b/cluster.yaml", "a\n::error::b/cluster.yaml", "-->/cluster.yaml", "ü/cluster.yaml"]
)
def test_a_path_that_a_marker_cannot_carry_is_left_out_and_said(site, name):
    site.push({f"{name}/cluster.yaml": SPEC})
    job, texts = compared(site)
    assert texts == []
    assert "has characters" in job.log
    assert sum(line.startswith("::") for line in job.log.splitlines()) == 1


def test_the_job_that_reads_the_pull_request_passes_no_token_on(site):
    site.push({SPEC_PATH: SPEC.replace("1152", "1000")})
    job = site.job("pull_request", site.event())
    job.variables |= {"ACTIONS_RUNTIME_TOKEN": TOKEN, "GITHUB_TOKEN": TOKEN}
    job.run(site.action, done=("Set up",))
    assert TOKEN not in job.log + job.summary
