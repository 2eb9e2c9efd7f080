"""What publishing leaves alone: files outside, files and links of others, whatever a mark or a folder says."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from topology.artifacts.output.manifest import ListedFile, leads_below, render, sha256
from topology.deploy.publication import Publication
from topology.deploy.publishing import PublishingProvider
from topology.deploy.releases import MARK, Release
from topology.deploy.stage import Build
from topology.deploy.stop import DeployError

FILES = {"slurm.conf": b"ClusterName=lab\n", "nodes.conf": b"NodeName=n1\n"}
FIRST = Release("lab", "s1", 0, "1" * 64)
SECOND = Release("lab", "s2", 1, "2" * 64)
NEWER = Release("lab", "s1", 0, "3" * 64)
KINDS = ("directory", "git")
OUTSIDE = (
    *(
        "../victim.txt",
        "../../../../../victim.txt",
        "/etc/victim.txt",
        "a/../../../victim.txt",
        "",
        ".",
        "..",
        "a//b",
        "a/",
    ),
    *("./a", "a/.", "a\\\\b", "a\0b", "a\nb", "a b", "..\\\\victim.txt", MARK),
)
NO_MARKS = {
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "text": b'"x"',
    "cut short": b'{"cluster": "lab", "sta',
    "no JSON": b"\xff\xfe\x00",
    "empty": b"",
    "another program's": b'{"version": 3, "files": ["a"]}',
    "files a list": b'{"cluster": "lab", "stage": "s1", "order": 0, "files": ["slurm.conf"]}',
    "files null": b'{"cluster": "lab", "stage": "s1", "order": 0, "files": null}',
    "digest a number": b'{"cluster": "lab", "stage": "s1", "order": 0, "files": {"slurm.conf": 1}}',
    "order a text": b'{"cluster": "lab", "stage": "s1", "order": "0", "files": {}}',
    "order true": b'{"cluster": "lab", "stage": "s1", "order": true, "files": {}}',
    "stage a list": b'{"cluster": "lab", "stage": ["s1"], "order": 0, "files": {}}',
    "nested": b"[" * 100_000,
    "long number": b"1" * 10_000,
    "huge": b" " * (1 << 24) + b"{}",
}


def place(folder, kind="directory", **more):
    """The place of a slurmctld under a folder, which Git knows where it has to."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "git" and not (folder / ".git").exists():
        for words in (("init", "--quiet"), ("config", "user.name", "t"), ("config", "user.email", "t@example.com")):
            subprocess.run(["git", "-C", folder, *words], check=True)
    return Publication.at({"kind": kind, "path": str(folder), **more}, "lab", "slurm", "lab")


@pytest.fixture
def dest(tmp_path):
    """A folder to publish in, with a file beside it that is nobody's business."""
    (tmp_path / "victim.txt").write_text("mine")
    return tmp_path / "a/b/c/dest"


def everything(folder):
    """All that stands below a folder: the bytes of files, where links lead, and what else there is."""

    def told(path):
        if path.is_symlink():
            return f"-> {path.readlink()}"
        return path.read_bytes() if path.is_file() else path.lstat().st_mode

    found = {}
    for at, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        found |= {str(Path(at, name).relative_to(folder)): told(Path(at, name)) for name in (*folders, *files)}
    return found


def refused(call, *arguments):
    """The one line of a call that must be refused."""
    with pytest.raises(DeployError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def calls(publication):
    """Everything that a provider does with a place."""
    return (
        (publication.withdraw, FIRST),
        (publication.withdraw, SECOND),
        (publication.live_digest, FIRST),
        (publication.publish, FIRST, FILES),
        (publication.publish, NEWER, FILES),
    )


def forge(folder, paths, **facts):
    """A release whose mark lists these paths."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"cluster": "lab", "stage": "s1", "order": 0, "digest": "1" * 64, "files": dict.fromkeys(paths, "0" * 64)}
    (folder / MARK).write_text(json.dumps({**said, **facts}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", OUTSIDE)
def test_a_mark_that_names_what_is_not_below_it_is_refused_and_nothing_is_touched(dest, path, kind):
    publication = place(dest, kind)
    publication.publish(FIRST, FILES)
    forge(publication.newest("s1").folder, [*FILES, path])
    before = everything(dest.parents[3])
    for call, *arguments in calls(publication):
        assert "names" in refused(call, *arguments)
    assert everything(dest.parents[3]) == before


def test_an_absolute_path_in_a_mark_is_refused(dest):
    publication = place(dest)
    forge(publication.root / "releases/s1-111111111111", [str(dest.parents[3] / "victim.txt")])
    for call, *arguments in calls(publication):
        assert "which is no file below its folder" in refused(call, *arguments)
    assert (dest.parents[3] / "victim.txt").read_text() == "mine"


def test_a_path_is_told_to_lead_below_by_its_words_alone():
    assert [path for path in OUTSIDE[:-1] if leads_below(path)] == []
    assert leads_below(".hidden/a-b_c.conf")


@pytest.mark.parametrize("text", NO_MARKS.values(), ids=NO_MARKS)
def test_a_mark_that_is_not_ours_is_told_in_one_line_and_stays(dest, text):
    publication = place(dest)
    folder = publication.root / "releases/other"
    folder.mkdir(parents=True)
    (folder / MARK).write_bytes(text)
    (folder / "slurm.conf").write_text("theirs")
    before = everything(dest)
    for call, *arguments in calls(publication):
        assert "is not the mark of a release of ours; move" in refused(call, *arguments)
    assert everything(dest) == before


@pytest.mark.parametrize("what", ["link", "fifo", "folder", "socket"])
def test_a_mark_that_is_no_file_is_told_in_one_line(dest, what):
    publication = place(dest)
    publication.publish(FIRST, FILES)
    mark = publication.newest("s1").folder / MARK
    kept = dest / "kept"
    mark.rename(kept)
    {"link": lambda: mark.symlink_to(kept), "fifo": lambda: os.mkfifo(mark), "folder": mark.mkdir}.get(
        what, lambda: os.mknod(mark, 0o140644)
    )()
    before = everything(dest)
    for call, *arguments in calls(publication):
        assert f"{mark} is " in refused(call, *arguments)
    assert everything(dest) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", ["slurm", "slurm/lab", "slurm/lab/releases", "release"])
def test_a_folder_that_is_a_link_is_never_followed(dest, step, kind):
    elsewhere = place(dest.parent / "elsewhere", kind)
    elsewhere.publish(FIRST, FILES)
    publication = place(dest, kind)
    release = elsewhere.newest("s1").folder.relative_to(elsewhere.place.out)
    inside = release if step == "release" else step
    (dest / inside).parent.mkdir(parents=True, exist_ok=True)
    (dest / inside).symlink_to(elsewhere.place.out / inside)
    before = everything(dest.parent)
    for call, *arguments in calls(publication):
        assert "is a link" in refused(call, *arguments)
    assert everything(dest.parent) == before


@pytest.mark.parametrize("what", ["link", "file"])
def test_a_path_of_a_mark_through_a_link_or_a_file_is_refused(dest, what):
    publication = place(dest)
    publication.publish(FIRST, FILES)
    folder = publication.newest("s1").folder
    forge(folder, [*FILES, "sub/victim.txt"])
    (dest / "sub").mkdir()
    (dest / "sub/victim.txt").write_text("mine")
    (folder / "sub").symlink_to(dest / "sub") if what == "link" else (folder / "sub").write_text("theirs")
    before = everything(dest)
    assert "in the way" in refused(publication.withdraw, FIRST)
    assert "in the way" in refused(publication.publish, FIRST, FILES)
    assert everything(dest) == before
    assert publication.live_digest(FIRST)


def test_a_folder_where_a_file_was_is_refused_before_anything_is_removed(dest):
    publication = place(dest)
    publication.publish(FIRST, FILES)
    file = publication.newest("s1").folder / "slurm.conf"
    file.unlink()
    file.mkdir()
    (file / "theirs").write_text("x")
    before = everything(dest)
    assert "is a folder, in the way" in refused(publication.withdraw, FIRST)
    assert "is a folder, in the way" in refused(publication.publish, FIRST, FILES)
    assert everything(dest) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["link", "fifo", "mode", "bytes", "gone"])
def test_a_file_of_ours_that_is_none_any_more_is_seen_and_repaired_without_what_it_led_to(dest, what, kind):
    publication = place(dest, kind)
    token = publication.publish(FIRST, FILES)
    before = everything(dest)
    file = publication.newest("s1").folder / "slurm.conf"
    victim = dest.parents[3] / "victim.txt"
    if what == "mode":
        file.chmod(0o600)
    else:
        file.unlink()
        {"link": lambda: file.symlink_to(victim), "fifo": lambda: os.mkfifo(file)}.get(
            what, lambda: what == "bytes" and file.write_text("x")
        )()
    assert publication.live_digest(FIRST) != token
    assert publication.publish(FIRST, FILES) == token == publication.live_digest(FIRST)
    assert everything(dest) == before
    assert file.stat().st_mode & 0o777 == 0o644
    assert victim.read_text() == "mine"


def test_a_file_of_others_in_a_release_is_seen_and_stays(dest):
    publication = place(dest)
    token = publication.publish(FIRST, FILES)
    other = publication.newest("s1").folder / "site.local.conf"
    other.write_text("theirs")
    assert publication.live_digest(FIRST) != token
    assert publication.publish(FIRST, FILES) == publication.live_digest(FIRST)
    publication.withdraw(FIRST)
    assert [path for path in everything(dest) if path.endswith(".conf")] == [str(other.relative_to(dest))]
    assert not os.path.lexists(publication.root / "current")
    publication.publish(FIRST, FILES)
    assert other.read_text() == "theirs"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["current", "previous"])
@pytest.mark.parametrize("what", ["file", "folder", "link", "dangling link", "deployment"])
def test_what_others_call_current_is_refused_and_untouched(dest, name, what, kind):
    publication = place(dest, kind)
    link = publication.root / name
    publication.root.mkdir(parents=True)
    if what == "file":
        link.write_text("mine")
    elif what == "folder":
        (link / "sub").mkdir(parents=True)
    elif what == "deployment":  # as other tools lay it out
        (publication.root / "releases/20261129").mkdir(parents=True)
        link.symlink_to("releases/20261129")
    else:
        link.symlink_to(dest.parents[3] / ("victim.txt" if what == "link" else "nowhere"))
    before = everything(dest)
    for _ in range(2):
        assert f"{link} is not ours; move it away" in refused(publication.publish, FIRST, FILES)
        assert everything(dest) == before
    assert publication.live_digest(FIRST) is None
    publication.withdraw(FIRST)
    assert everything(dest) == before


def test_a_file_in_the_place_of_current_is_not_replaced_and_a_link_is_turned_back(dest):
    publication = place(dest)
    token = publication.publish(FIRST, FILES)
    before = everything(dest)
    link = publication.root / "current"
    link.unlink()
    link.symlink_to("/tmp")  # noqa: S108 - a folder that is always there and never ours
    assert publication.live_digest(FIRST) != token
    assert publication.publish(FIRST, FILES) == token
    assert everything(dest) == before
    link.unlink()
    link.write_text("mine")
    assert "is not ours" in refused(publication.publish, SECOND, FILES)
    assert link.read_text() == "mine"
    publication.withdraw(FIRST)
    assert everything(publication.root) == {"current": b"mine"}


def test_names_of_others_beside_ours_stay(dest):
    publication = place(dest)
    publication.publish(FIRST, FILES)
    folder = publication.newest("s1").folder
    theirs = [publication.root / ".current.new", folder.with_name(f".{folder.name}"), folder / ".slurm.conf.new"]
    theirs += [publication.root / ".lock", publication.root / ".current.lock"]
    for path in theirs[:1]:
        path.symlink_to(dest.parents[3] / "victim.txt")
    for path in theirs[1:]:
        path.write_text("theirs")
    (folder / "slurm.conf").write_text("edited")
    (publication.root / "current").unlink()
    publication.publish(FIRST, FILES)
    publication.publish(NEWER, FILES)
    publication.withdraw(FIRST)
    assert all(os.path.lexists(path) for path in theirs)
    assert (dest.parents[3] / "victim.txt").read_text() == "mine"


def test_a_release_of_another_cluster_is_neither_used_nor_removed(dest):
    publication = place(dest)
    forge(publication.root / "releases/s1-000000000000", FILES, cluster="other", order=7)
    before = everything(dest)
    for call, *arguments in calls(publication):
        assert "is of the cluster other; publish lab to another folder" in refused(call, *arguments)
    assert everything(dest) == before


def test_a_folder_of_others_with_the_name_of_a_release_stays(dest):
    publication = place(dest, "git")
    folder = publication.root / "releases/s1"
    folder.mkdir(parents=True)
    (folder / "slurm.conf").write_text("theirs")
    assert "is not ours" in refused(publication.publish, FIRST, FILES)
    assert (folder / "slurm.conf").read_text() == "theirs"
    (folder / "slurm.conf").write_bytes(FILES["slurm.conf"])  # what we would write: only the mark was lost
    (folder / "site.conf").write_text("theirs")
    publication.publish(FIRST, FILES)
    publication.withdraw(FIRST)
    assert [path for path in everything(dest) if path.endswith(".conf")] == ["slurm/lab/releases/s1/site.conf"]


def killed_at(step, call):
    """How a process ended that did `call` and was killed just before it changed so many names."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = 0

    def kill(event, _arguments):
        nonlocal seen
        if event in {"os.rename", "os.symlink", "os.mkdir", "os.rmdir", "os.remove"}:
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill)
    try:
        call()
    finally:
        os._exit(seen >= step)


def test_a_run_that_was_killed_at_any_step_leaves_a_whole_release_and_the_next_one_nothing_else(dest, tmp_path):
    place(dest).publish(FIRST, {"slurm.conf": b"old\n"})
    place(dest).publish(NEWER, FILES)
    whole = {path: told for path, told in everything(dest).items() if isinstance(told, str | bytes)}
    for count in range(1, 40):
        again = tmp_path / f"again-{count}"
        place(again).publish(FIRST, {"slurm.conf": b"old\n"})
        ended = killed_at(count, lambda: place(again).publish(NEWER, FILES))  # noqa: B023 - called at once
        used = again / "slurm/lab/current/slurm.conf"
        assert used.read_bytes() in {b"old\n", FILES["slurm.conf"]}
        place(again).publish(NEWER, FILES)
        found = {path: told for path, told in everything(again).items() if isinstance(told, str | bytes)}
        assert found == whole
        assert not [path for path in everything(again) if ".new" in path]
        shutil.rmtree(again)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert ended == 0
    assert count > 5


@pytest.mark.parametrize(
    "where", ["link", "link above", "/", "home", "repository", "inside .git", "file", "NUL", "half"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_place_where_no_build_would_write_is_refused_in_one_line(dest, kind, where, monkeypatch):
    dest.mkdir(parents=True)
    home = dest / "home"
    (dest / "repository/.git/sub").mkdir(parents=True)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (dest / "link").symlink_to(home)
    (dest / "file").write_text("mine")
    path = {
        "link": dest / "link",
        "link above": dest / "link/site",
        "/": Path("/"),
        "home": home,
        "repository": dest / "repository",
        "inside .git": dest / "repository/.git/sub",
        "file": dest / "file",
        "NUL": f"{dest}/a\0b",
        "half": f"{dest}/a\ud800b",
    }[where]
    before = everything(dest)
    if (kind, where) != ("git", "repository"):  # a working copy is what that kind is for
        config = {"kind": kind, "path": str(path)}
        said = refused(lambda: Publication.at(config, "lab", "slurm", "lab").publish(FIRST, FILES))
        assert "publish.path" in said
        assert everything(dest) == before


@pytest.mark.parametrize(
    ("config", "owner"), [({}, "lab"), ({"kind": "directory", "path": 7}, "lab"), ({"kind": "directory"}, "..")]
)
def test_a_configuration_of_another_form_is_refused_in_one_line(config, owner, tmp_path):
    given = {"path": str(tmp_path), **config} if config else {}
    refused(Publication.at, given, "lab", "slurm", owner)


@pytest.mark.parametrize(
    "path", ["stages/s1/slurm/lab/../../../../../victim.txt", "/etc/victim.txt", "stages/s1/slurm/lab/"]
)
def test_a_plan_that_lists_what_is_not_below_its_folder_is_no_build(path, tmp_path):
    facts = {"cluster": "lab", "schema_version": 1, "spec_sha256": "0" * 64, "stages": []}
    (tmp_path / "plan.json").write_bytes(render(facts, [ListedFile(path, sha256(b"x"), 1)]))
    assert "does not list its files" in refused(Build.at, tmp_path)


def test_files_that_go_to_the_same_folder_under_another_name_stay(dest, monkeypatch):
    build = dest.parent / "build"
    (build / "stages/s1/slurm/lab").mkdir(parents=True)
    (build / "stages/s1/slurm/lab/slurm.conf").write_bytes(b"x")
    listed = [ListedFile("stages/s1/slurm/lab/slurm.conf", sha256(b"x"), 1)]
    facts = {"cluster": "lab", "schema_version": 1, "spec_sha256": "0" * 64, "stages": []}
    (build / "plan.json").write_bytes(render(facts, listed))
    monkeypatch.chdir(build)
    provider = PublishingProvider()
    provider.configure(ConfigureRequest(Config({"lab:plan": str(build)}, "lab")))
    props = {"owner": "lab/s1/slurm-lab", "digest": "1" * 64, "folder": "stages/s1/slurm/lab", "order": 0, "facts": {}}
    olds = provider.create({**props, "publish": {"kind": "directory", "path": "site"}}).outs
    news = {**props, "publish": {"kind": "directory", "path": str(build / "site")}}
    made = provider.update("", olds, news).outs
    assert provider.read("", made).outs["standing"] == made["published"]
    moved = provider.update("", made, {**props, "publish": {"kind": "directory", "path": "other"}}).outs
    assert provider.read("", moved).outs["standing"] == moved["published"]
    assert not (build / "site").exists() or not [*(build / "site").iterdir()]
