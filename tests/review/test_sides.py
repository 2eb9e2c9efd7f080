"""What a side may be: files, revisions and builds, and everything that can be wrong with each."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest

SITE = Path(__file__).parent / "site.yaml"
TEXT = SITE.read_text()
PRODUCT = """\
extends: nvidia-sn5600
kind: switch
model: Own SN5600
height_u: {height}
sources:
  - {{covers: [height_u], document: our own data sheet, mark: maker}}
"""


def grown(text: str = TEXT) -> str:
    return text.replace("capacity_mw: 8,", "capacity_mw: 9,")


def test_a_build_compares_as_the_spec_it_was_made_from(repository, cli):
    repository.write("old.yaml", TEXT)
    repository.write("new.yaml", grown())
    for name in ("old", "new"):
        assert cli("build", f"{name}.yaml", "-o", f"out/{name}").code == 0
    pairs = [("old.yaml", "new.yaml"), ("out/old", "new.yaml"), ("old.yaml", "out/new"), ("out/old", "out/new")]
    said = [cli("diff", *pair, "--format", "markdown").out.splitlines()[1:-1] for pair in pairs]
    without_places = [
        [line.replace("`new.yaml:", "`").replace("`out/new/source/cluster.yaml:", "`") for line in one] for one in said
    ]
    assert without_places[0][0].startswith("✅ **")
    assert all(one == without_places[0] for one in without_places)


@pytest.mark.parametrize(
    "file", ["plan.json", "findings.json", "source/cluster.yaml", "tables/cables.parquet", "tables/racks.parquet"]
)
def test_a_build_that_was_edited_or_is_not_whole_is_refused(repository, cli, file):
    repository.write("a.yaml", TEXT)
    cli("build", "a.yaml", "-o", "out", "--only", "tables")
    assert cli("diff", "out", "a.yaml").code == 0
    (repository.folder / "out" / file).write_bytes(b"{}")
    run = cli("diff", "out", "a.yaml")
    assert (run.code, run.out) == (2, "")
    assert run.err.count("\n") == 2
    (repository.folder / "out" / file).unlink()
    assert cli("diff", "out", "a.yaml").code == 2


def test_a_build_without_tables_or_a_folder_of_something_else_is_refused(repository, cli):
    repository.write("a.yaml", TEXT)
    cli("build", "a.yaml", "-o", "out", "--only", "power")
    assert "no tables/cables.parquet" in cli("diff", "out", "a.yaml").err
    (repository.folder / "else").mkdir()
    assert "no folder that topology build wrote" in cli("diff", "else", "a.yaml").err
    repository.commit(**{"else/cluster.yaml": TEXT})
    assert "name 'else/cluster.yaml'" in cli("diff", "else", "a.yaml").err
    for folder in ("else", "else/"):
        assert "name 'HEAD:else/cluster.yaml'" in cli("diff", f"HEAD:{folder}", "a.yaml").err


def test_the_catalogue_of_each_revision_is_read_at_that_revision(repository, cli):
    spec = TEXT.replace("switch: nvidia-sn5600", "switch: own-sn5600").replace(
        "version: 1\n", "version: 1\ncatalog: own\n"
    )
    repository.commit(**{"site/cluster.yaml": spec, "site/own/switches/own-sn5600.yaml": PRODUCT.format(height=2)})
    repository.commit(**{"site/own/switches/own-sn5600.yaml": PRODUCT.format(height=3)})
    run = cli("diff", "HEAD~1:site/cluster.yaml", "HEAD:site/cluster.yaml", "--format", "json", "--all-rows")
    assert run.code == 0, run.err
    rows = [json.loads(line) for line in run.out.splitlines()]
    racks = [row for row in rows if row.get("table") == "racks" and row["change"] == "changed"]
    assert racks
    assert any(row["after"]["used_u"] > row["before"]["used_u"] for row in racks)
    assert (
        cli("diff", "HEAD:site/cluster.yaml", "site/cluster.yaml", "--exit-code").code == 0
    )  # the files stand as committed


def test_what_is_wrong_in_a_catalogue_of_a_revision_is_told_with_its_place_there(repository, cli):
    spec = TEXT.replace("version: 1\n", "version: 1\ncatalog: own\n")
    wrong = PRODUCT.format(height=2).replace("height_u", "hight_u", 1)
    repository.commit(**{"site/cluster.yaml": TEXT})
    repository.commit(**{"site/cluster.yaml": spec, "site/own/switches/own-sn5600.yaml": wrong})
    run = cli("diff", "HEAD~1:site/cluster.yaml", "HEAD:site/cluster.yaml")
    assert run.code == 1
    assert "site/own/switches/own-sn5600.yaml:4" in run.out
    assert gettempdir() not in run.out


def test_a_path_of_a_revision_may_be_told_from_where_one_stands(repository, cli, monkeypatch):
    repository.commit(**{"site/cluster.yaml": TEXT})
    monkeypatch.chdir(repository.folder / "site")
    assert cli("diff", "main:./cluster.yaml", "cluster.yaml", "--exit-code").code == 0
    assert cli("diff", "main:site/cluster.yaml", "main:./cluster.yaml", "--exit-code").code == 0


def test_a_spec_that_is_new_or_gone_is_added_or_removed_as_a_whole(repository, cli):
    repository.commit(**{"other.txt": "nothing"})
    repository.write("cluster.yaml", TEXT)
    repository.commit()
    new = cli("diff", "HEAD~1:cluster.yaml", "HEAD:cluster.yaml")
    assert new.code == 0
    assert "reviewed: a new site (HEAD~1:cluster.yaml is not there); +2,432 GPUs" in new.out
    gone = cli("diff", "HEAD:cluster.yaml", "HEAD~1:cluster.yaml")
    assert gone.code == 1  # what is removed does not hold any more
    assert "the whole site is removed (HEAD~1:cluster.yaml is not there); −2,432 GPUs" in gone.out
    neither = cli("diff", "HEAD:none.yaml", "HEAD~1:none.yaml")
    assert (neither.code, neither.out) == (2, "")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("--output=stolen:cluster.yaml", "no revision '--output=stolen'"),
        ("nowhere:cluster.yaml", "no revision 'nowhere'"),
        ("main..main:cluster.yaml", "no revision 'main..main'"),
        (":cluster.yaml", "names no revision"),
        ("main:/etc/passwd", "leads out of the repository"),
        ("main:../../etc/passwd", "leads out of the repository"),
        ("main:site/../../x", "leads out of the repository"),
        ("main:", "leads out of the repository"),
        ("main:folder", "is a folder"),
        ("main:module/cluster.yaml", "is a submodule"),
        ("main:module", "is a submodule"),
        ("main:out-link", "a link that leads out of the repository"),
        ("main:ring", "a circle of links"),
        ("missing.yaml", "no file 'missing.yaml'"),
    ],
)
def test_a_side_that_cannot_be_had_is_told_in_one_line(repository, cli, base, message):
    repository.commit(**{"cluster.yaml": TEXT, "folder/x.yaml": "x"})
    commit = repository.git("rev-parse", "HEAD").strip()
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},module")
    (repository.folder / "out-link").symlink_to("../../etc/passwd")
    (repository.folder / "ring").symlink_to("ring")
    repository.git("add", "out-link", "ring")
    repository.git("commit", "--quiet", "--message", "links")
    before = sorted(path.name for path in repository.folder.iterdir())
    run = cli("diff", "--", base, "cluster.yaml")
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert run.err.startswith("error: ")
    assert run.err.count("\n") == 2
    assert sorted(path.name for path in repository.folder.iterdir()) == before


def test_a_path_with_control_characters_is_shown_with_escapes(repository, cli):
    repository.commit(**{"cluster.yaml": TEXT})
    run = cli("diff", "main:\x1b[31m\n::error::x", "cluster.yaml", "--format", "markdown")
    assert run.code == 0  # there is no such path: the site is new
    assert "\x1b" not in run.out
    assert "\n::" not in run.out


def test_links_inside_the_tree_of_a_revision_are_followed(repository, cli):
    repository.commit(**{"real/cluster.yaml": TEXT})
    (repository.folder / "link").symlink_to("real")
    (repository.folder / "spec.yaml").symlink_to("link/cluster.yaml")
    repository.commit()
    assert cli("diff", "main:spec.yaml", "real/cluster.yaml", "--exit-code").code == 0


def test_a_shallow_clone_says_how_to_fetch_what_it_lacks(repository, cli, tmp_path, monkeypatch):
    first = repository.commit(**{"cluster.yaml": TEXT})
    repository.commit(**{"cluster.yaml": grown()})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", repository.folder.as_uri(), clone], check=True)
    monkeypatch.chdir(clone)
    assert cli("diff", "HEAD:cluster.yaml", "cluster.yaml", "--exit-code").code == 0
    run = cli("diff", f"{first}:cluster.yaml", "cluster.yaml")
    assert run.code == 2
    assert "this clone is shallow; fetch it: git fetch --unshallow" in run.err


def test_without_git_or_a_repository_files_are_still_compared(tmp_path, cli, monkeypatch):
    (tmp_path / "a.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    run = cli("diff", "main:a.yaml", "a.yaml")
    assert run.code == 2
    assert "not a git repository" in run.err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli("diff", "a.yaml", "a.yaml", "--exit-code").code == 0
    run = cli("diff", "main:a.yaml", "a.yaml")
    assert (run.code, "there is no git on this machine" in run.err) == (2, True)


def test_a_spec_of_a_pull_request_reads_nothing_outside_the_work_tree(repository, cli, tmp_path):
    secret = tmp_path / "secret"
    (secret / "switches").mkdir(parents=True)
    (secret / "switches" / "stolen.yaml").write_text("kind: switch\nmodel: 4711-secret\n")
    (secret / "cluster.yaml").write_text("name: 4711-secret\n")
    repository.commit(**{"cluster.yaml": TEXT})
    repository.write("head.yaml", TEXT.replace("version: 1\n", "version: 1\ncatalog: own\n"))
    (repository.folder / "own").symlink_to(secret)
    (repository.folder / "linked.yaml").symlink_to(secret / "cluster.yaml")
    for head in ("head.yaml", "linked.yaml"):
        run = cli("diff", "main:cluster.yaml", head)
        assert run.code == 1
        assert "S104" in run.out
        assert "4711" not in run.out + run.err
    repository.commit()
    run = cli("diff", "main~1:cluster.yaml", "main:head.yaml")
    assert run.code == 2
    assert "leads out of the repository" in run.err


def test_nothing_of_a_repository_is_run_or_changed(repository, cli):
    """Filters, hooks, pagers and file monitors of the repository stay silent, and the index keeps its bytes."""
    marks = [repository.folder.parent / name for name in ("filtered", "monitored", "paged", "converted")]
    repository.commit(**{"cluster.yaml": TEXT, ".gitattributes": "*.yaml filter=f diff=d\n"})
    commands = [f"touch {mark}; cat" for mark in marks]
    for key, command in zip(
        ("filter.f.smudge", "core.fsmonitor", "core.pager", "diff.d.textconv"), commands, strict=True
    ):
        repository.git("config", key, command)
    index = (repository.folder / ".git" / "index").read_bytes()
    repository.write("cluster.yaml", grown())
    assert cli("diff", "main:cluster.yaml", "cluster.yaml").code == 0
    assert not any(mark.exists() for mark in marks)
    assert (repository.folder / ".git" / "index").read_bytes() == index


def test_standard_input_is_a_side(repository):
    repository.commit(**{"cluster.yaml": TEXT})
    argv = [sys.executable, "-m", "topology", "diff", "main:cluster.yaml", "-"]
    run = subprocess.run(argv, input=grown().encode(), capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    assert b"13.0 MW" in run.stdout
    both = subprocess.run([*argv[:-2], "-", "-"], input=b"", capture_output=True, check=False)
    assert both.returncode == 2


def test_a_build_of_another_version_is_refused(repository, cli):
    repository.write("a.yaml", TEXT)
    cli("build", "a.yaml", "-o", "out", "--only", "tables")
    plan = json.loads((repository.folder / "out/plan.json").read_text())
    plan["schema_version"] = 2
    (repository.folder / "out/plan.json").write_text(json.dumps(plan))
    run = cli("diff", "out", "a.yaml")
    assert run.code == 2
    assert "build it again" in run.err
    shutil.rmtree(repository.folder / "out")
