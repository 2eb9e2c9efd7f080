"""Drift in words: which line of which file, which field of which record, before and after, on the real engine."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from conftest import copied

from topology.deploy.edits import SHOWN, edits_of_text, in_lines

SECRET = "hunter2-hunter2"  # noqa: S105 - that of a test


def change(path, *statements):
    """What a hand in another program does to a database."""
    with closing(sqlite3.connect(path)) as base:
        for statement in statements:
            base.execute(statement)
        base.commit()


def told(lines):
    """The lines of a drift, below their resources."""
    return {line.strip() for line in lines.splitlines() if line.startswith("         ")}


@pytest.mark.pulumi
def test_drift_says_line_and_field_before_and_after_in_the_command_and_in_the_engines_diff(begun):
    drift = ("deploy", "drift", begun.project, "--to", "s1")
    whole = begun.topology(*drift)
    assert (whole.code, whole.out) == (0, "all stands as it was deployed\n")
    folder = (begun.project / "site/slurm/site/current").resolve()
    conf = (folder / "slurm.conf").read_text().splitlines()
    number = next(number for number, line in enumerate(conf, 1) if line.startswith("ClusterName="))
    conf[number - 1] = "ClusterName=other"
    (folder / "slurm.conf").write_text("\n".join([*conf, f"StoragePass={SECRET}"]) + "\n")
    (folder / "gres.conf").unlink()
    (folder / "nodes.conf").chmod(0o600)
    (folder / "cgroup.conf").rename(folder / "kept.conf")
    (folder / "cgroup.conf").symlink_to("kept.conf")
    change(
        begun.inventory,
        "DELETE FROM feeds WHERE rack = 'h1r0011' AND side = 'A'",
        "INSERT INTO nodes SELECT owner, 'more', rack, 90, product, gpus, domain, stage FROM nodes "
        "WHERE name = 'h1r0001n01'",
        "UPDATE nodes SET slot = 40 WHERE name = 'h1r0001n01'",
    )
    lines = {
        f"slurm.conf:{number}: is 'ClusterName=other', was 'ClusterName=site'",
        f"slurm.conf:{len(conf) + 1}: 'StoragePass=********' was added",
        "gres.conf: 'a file of ours' is gone",
        "nodes.conf mode: is '0600', was '0644'",
        "cgroup.conf: is 'a symbolic link', was 'a file'",
        "kept.conf: 'a file or folder' was added",
        "nodes h1r0001n01 slot: is '40', was '1'",
    }
    ran = begun.topology(*drift)
    assert ran.code == 4, ran.out
    assert lines <= told(ran.out)
    for begin, end in (("nodes more: 'rack=h1r0001 slot=90 ", "was added"), ("feeds h1r0011 A: 'panel=", "is gone")):
        assert any(line.startswith(begin) and line.endswith(end) for line in told(ran.out))
    refreshed = begun.must("refresh", "-s", "s1", "--yes", "--skip-preview", "--diff")
    previewed = begun.must("preview", "-s", "s1")
    assert [line for line in lines if f'"{line}"' not in refreshed] == []
    assert [line for line in lines if f": {line}" not in previewed] == []
    assert SECRET not in ran.out + refreshed + previewed + begun.must("stack", "export", "-s", "s1")
    assert begun.up("s1").code == 0
    assert "drift" not in begun.pieces("s1")["slurm-site"]
    (folder / "kept.conf").unlink()  # of others: it is told, and stays
    after = begun.topology(*drift)
    assert (after.code, after.out) == (0, "all stands as it was deployed\n")


@pytest.mark.pulumi
def test_another_machine_with_the_same_state_says_that_nothing_is_there_and_makes_it(begun, engine, tmp_path):
    other = copied(begun, tmp_path / "other", engine)
    shutil.rmtree(other.project / "site")
    ran = other.topology("deploy", "drift", other.project, "--to", "s1")
    assert ran.code == 4
    assert told(ran.out) == {"nothing of it is there"}
    previewed = other.must("preview", "-s", "s1")
    assert "warning: the inventory site/inventory.sqlite has nothing of what was deployed; it was removed" in previewed
    assert "site/slurm/site has nothing of what was deployed; it was removed" in previewed
    assert set(other.changes("s1").values()) == {"update"}
    ran = other.up("s1")
    assert ran.code == 0, ran.out
    assert "up makes it anew" in ran.out
    for table in ("racks", "cables", "feeds"):
        assert other.rows(table) == begun.rows(table)
    assert other.up("s1", "--expect-no-changes").code == 0
    change(other.inventory, "DELETE FROM racks", "DELETE FROM nodes", "DELETE FROM cables", "DELETE FROM feeds")
    assert set(other.changes("s1")) == {"unit-dgx-0001", "unit-dgx-0002"}  # the pod has its switches


@pytest.mark.pulumi
def test_secret_configuration_is_in_no_state_and_in_no_message(attested, tmp_path):
    tool = tmp_path / "tool"
    tool.write_text('#!/bin/sh\necho "cannot use $1 at https://u:$1@host?token=$1" >&2\nexit 3\n')
    tool.chmod(0o755)
    attested.must("config", "set", "-s", "s1", "--path", "publish.kind", "directory")
    attested.must("config", "set", "-s", "s1", "--path", "publish.path", "site")
    attested.must("config", "set", "-s", "s1", "--secret", "--path", "publish.after", f"{tool} {SECRET}")
    ran = attested.up("s1")
    assert ran.code != 0
    assert any(f"{tool} … failed (3): cannot use ********" in line for line in ran.errors), ran.errors
    tool.write_text("#!/bin/sh\nexit 0\n")
    again = attested.up("s1")
    assert again.code == 0, again.out
    conf = attested.project / "site/slurm/site/current/slurm.conf"
    conf.write_text(conf.read_text() + "MaxNodeCount=1\n")
    refreshed = attested.must("refresh", "-s", "s1", "--yes", "--skip-preview", "--diff")
    drift = attested.topology("deploy", "drift", attested.project, "--to", "s1")
    assert "'MaxNodeCount=1' was added" in drift.out
    assert attested.up("s1").code == 0
    said = refreshed + drift.out + again.out + ran.out
    state = "".join(path.read_text() for path in attested.state.rglob("*") if path.is_file())
    assert SECRET not in state + attested.must("stack", "export", "-s", "s1") + said
    assert SECRET in attested.must("stack", "export", "-s", "s1", "--show-secrets")  # it is there, and encrypted


@pytest.mark.pulumi
def test_a_hostile_mark_and_a_current_of_others_stop_an_update_in_one_line(begun, attested):
    victim = begun.project / "victim.txt"
    victim.write_text("mine")
    release = (begun.project / "site/slurm/site/current").resolve()
    mark = release / ".topology.json"
    text = mark.read_text()
    mark.write_text(text.replace('"files": {', '"files": {"../../../../../victim.txt": "0",'))
    begun.must("config", "set", "-s", "s1", "protect", "false")
    for ran in (begun.up("s1"), begun.pulumi("destroy", "-s", "s1", "--yes", "--skip-preview")):
        assert ran.code != 0
        assert "Traceback" not in ran.out
        assert any("which is no file below its folder; move" in line for line in ran.errors), ran.errors
    assert victim.read_text() == "mine"
    theirs = attested.project / "site/slurm/site/current"
    theirs.parent.mkdir(parents=True)
    theirs.symlink_to(victim)
    ran = attested.up("s1")
    assert ran.code != 0
    assert any("site/current is not ours; move it away" in line for line in ran.errors), ran.errors
    assert [path.name for path in theirs.parent.iterdir()] == ["current"]
    assert theirs.readlink() == victim


TEXT = b"".join(b"a%d=%d\n" % (number, number) for number in range(5000))


@pytest.mark.parametrize(
    ("found", "wanted", "says"),
    [
        (b"a\nb\nc\n", b"a\nc\n", ["f:2: 'b' was added"]),
        (b"a\nc\n", b"a\nb\nc\n", ["f:2: 'b' is gone"]),
        (b"x\nb\nc\n", b"a\nb\nd\n", ["f:1: is 'x', was 'a'", "f:3: is 'c', was 'd'"]),
        (b"", b"a\n", ["f:1: 'a' is gone"]),
        (b"a", b"a\n", ["f: is '1 bytes', was '2 bytes'"]),
        (b"\x1b[31m\x00\xff\n", b"a\n", ["f:1: is '\\x1b[31m\\x00\N{REPLACEMENT CHARACTER}', was 'a'"]),
        (b"y" * 500 + b"\n", b"a\n", [f"f:1: is '{'y' * 120}…', was 'a'"]),
        (b"https://u:pass-word@host\n", b"a\n", ["f:1: is 'https://********@host', was 'a'"]),
        (b"JobCompPass=abc,x=1\n", b"a\n", ["f:1: is 'JobCompPass=********,x=1', was 'a'"]),
    ],
)
def test_lines_of_a_file_are_told_by_number_without_what_may_be_secret(found, wanted, says):
    assert in_lines(edits_of_text("f", found, wanted)) == says


def test_a_file_that_is_wholly_otherwise_is_cut_and_the_rest_counted():
    lines = in_lines(edits_of_text("f", TEXT.replace(b"=", b"=x"), TEXT))
    assert len(lines) == SHOWN + 1
    assert lines[0] == "f:1: is 'a0=x0', was 'a0=0'"
    assert lines[-1] == "and 4,980 more"
