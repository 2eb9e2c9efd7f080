"""What an update survives: a kill, a destination that takes nothing, a hand that edits what was deployed."""

import os
import signal
import sqlite3
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import NEEDS

from topology.verify.programs import run

pytestmark = pytest.mark.pulumi
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


def published(deployment):
    """Every published file, by its path below the site's folder, and where the links lead."""
    site = deployment.project / "site/slurm"
    files = {str(path.relative_to(site)): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}
    return files, {path.name: str(path.readlink()) for path in site.glob("*/*") if path.is_symlink()}


def everything(deployment, stage):
    """All that a stage left: its state, the inventory and the published files."""
    tables = ("racks", "nodes", "switches", "cables", "feeds", "power_nodes", "sources", "batteries")
    return deployment.pieces(stage), {name: deployment.rows(name) for name in tables}, published(deployment)


def killed_at(deployment, count):
    """An update of the first stage, killed with all its processes when it has made so many resources."""
    process = deployment.pulumi("up", "-s", "s1", "--yes", "--skip-preview", "--parallel", "1", wait=False)
    seen = 0
    for line in process.stdout:
        seen += " created (" in line
        if seen >= count:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return seen


def readable(deployment):
    """Do what the README says of a state in files that a kill left between a checkpoint and its attributes."""
    for path in deployment.state.rglob("*.attrs"):
        if path.stat().st_size == 0:
            path.unlink()


def test_a_checkpoint_whose_attributes_a_kill_left_empty_is_read_again(begun):
    before = begun.pieces("s1")
    (attributes,) = begun.state.rglob("stacks/*/s1.json.attrs")
    attributes.write_bytes(b"")
    assert "failed to load checkpoint: EOF" in begun.pulumi("stack", "-s", "s1").out
    readable(begun)
    assert begun.pieces("s1") == before


@pytest.mark.parametrize("count", [1, 4, 7])
def test_an_update_that_was_killed_goes_on_and_ends_as_if_nothing_had_been(attested, begun, count):
    assert killed_at(attested, count) == count
    readable(attested)
    blocked = attested.up("s1")  # Pulumi's own lock tells of the killed update
    assert blocked.code != 0
    assert "pulumi cancel" in blocked.out
    attested.must("cancel", "-s", "s1", "--yes")
    again = attested.up("s1")
    assert again.code == 0, again.out
    assert everything(attested, "s1") == everything(begun, "s1")
    assert attested.up("s1", "--expect-no-changes").code == 0


@contextmanager
def small_disk(folder, size):
    """A file system of its own, of a few pages."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@ROOT_ONLY
@pytest.mark.parametrize("what", ["publish", "inventory"])
def test_a_full_destination_is_told_in_one_line_and_filled_once_there_is_room(attested, begun, what):
    disk = attested.project / "site"
    with small_disk(disk, "64k" if what == "publish" else "4k"):
        if what == "publish":  # the inventory elsewhere, and no page left for the files
            attested.must("config", "set", "-s", "s1", "--path", "inventory.kind", "sqlite")
            attested.must("config", "set", "-s", "s1", "--path", "inventory.path", "inventory.sqlite")
            (disk / "full").write_bytes(bytes(65536 - 4096))
        ran = attested.up("s1")
        assert ran.code != 0
        assert "Traceback" not in ran.out
        assert any("No space left on device" in line or "is full" in line for line in ran.errors), ran.errors
        if what == "publish":
            assert not [*disk.rglob("slurm.conf")]
            (disk / "full").unlink()
            subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        else:
            subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        again = attested.up("s1")
        assert again.code == 0, again.out
        if what == "inventory":
            assert attested.rows("nodes") == begun.rows("nodes")
        assert published(attested)[1] == published(begun)[1]


@ROOT_ONLY
def test_a_destination_that_is_read_only_is_told_in_one_line(attested):
    disk = attested.project / "site"
    with small_disk(disk, "8m"):
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        ran = attested.up("s1")
        assert ran.code != 0
        assert "Traceback" not in ran.out
        assert any("ead-only" in line for line in ran.errors), ran.errors
        assert not attested.pieces("s1")
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert attested.up("s1").code == 0


def refreshed(deployment):
    """Resources that a refresh found to be otherwise than they were left."""
    said = deployment.must("refresh", "-s", "s1", "--yes", "--skip-preview")
    return {line.split()[-3].rstrip(":") for line in said.splitlines() if " updated (" in line and "dynamic/" in line}


def test_a_published_file_that_was_edited_is_shown_by_refresh_and_repaired_by_up(begun):
    before = published(begun)
    conf = begun.project / "site/slurm/site/current/slurm.conf"
    conf.write_text(conf.read_text() + "MaxNodeCount=1\n")
    assert begun.changes("s1") == {}  # a preview alone asks the state
    assert refreshed(begun) == {"slurm-site"}
    assert begun.changes("s1") == {"slurm-site": "update"}
    assert begun.up("s1").code == 0
    assert published(begun) == before


def test_files_that_return_to_what_they_were_are_in_use_again(begun, tmp_path):
    first = published(begun)
    text = (begun.state.parent / "cluster.yaml").read_text()
    for names in ("batch", "train"):
        spec = tmp_path / "cluster.yaml"
        spec.write_text(text.replace("name: train,", f"name: {names},"))
        begun.build(spec)
        assert begun.up("s1").code == 0
        assert begun.up("s1", "--expect-no-changes").code == 0
        assert refreshed(begun) == set()
    files, links = published(begun)
    assert links["current"] == first[1]["current"]
    assert links["previous"] != links["current"]
    assert first[0].items() <= files.items()


def test_a_link_that_was_turned_is_shown_by_refresh_and_repaired_by_up(begun):
    before = published(begun)
    link = begun.project / "site/slurm/site/current"
    link.unlink()
    link.symlink_to("/tmp")  # noqa: S108 - a folder that is always there and never ours
    assert refreshed(begun) == {"slurm-site"}
    assert begun.up("s1").code == 0
    assert published(begun) == before


def test_rows_that_were_edited_are_shown_by_refresh_and_repaired_by_up(begun):
    before = {name: begun.rows(name) for name in ("racks", "nodes", "cables")}
    with sqlite3.connect(begun.inventory) as base:
        base.execute("update nodes set slot = 40 where name = 'h1r0001n01'")
        base.execute("delete from cables where a_device = 'h1r0011n01'")  # of the second unit
    found = refreshed(begun)
    assert found == {"unit-dgx-0001", "unit-dgx-0002"}
    assert begun.changes("s1") == dict.fromkeys(found, "update")
    assert begun.up("s1").code == 0
    assert {name: begun.rows(name) for name in before} == before


def test_an_inventory_that_is_gone_is_made_anew(begun):
    before = begun.rows("cables")
    for path in begun.inventory.parent.glob("inventory.sqlite*"):
        path.unlink()
    begun.must("refresh", "-s", "s1", "--yes", "--skip-preview")
    assert begun.up("s1").code == 0
    assert begun.rows("cables") == before


def test_a_later_stage_takes_over_and_leaves_again(begun):
    first = published(begun)
    assert begun.up("s2").code == 0
    _, links = published(begun)
    assert links["current"].startswith("releases/s2-")
    assert links["previous"].startswith("releases/s1-")
    assert refreshed(begun) == set()  # the first stage is not disturbed by the second
    assert begun.up("s1", "--expect-no-changes").code == 0
    begun.must("config", "set", "-s", "s2", "protect", "false")
    assert begun.up("s2").code == 0
    begun.must("destroy", "-s", "s2", "--yes", "--skip-preview")
    files, links = published(begun)
    assert (files, links["current"]) == (first[0], first[1]["current"])


def test_power_is_protected_and_destroy_removes_only_what_it_made(begun):
    stranger = begun.project / "site/slurm/site/current/site.local.conf"
    stranger.write_text("# of the site's own\n")
    with sqlite3.connect(begun.inventory) as base:
        columns = [row[1] for row in base.execute("pragma table_info(racks)")]
        values = ["by hand" if name == "owner" else "spare" if name == "name" else 0 for name in columns]
        base.execute(f"insert into racks values ({', '.join('?' * len(columns))})", values)  # noqa: S608
    refused = begun.pulumi("destroy", "-s", "s1", "--yes", "--skip-preview")
    assert refused.code != 0
    assert "protect" in refused.out
    assert begun.rows("racks")[0]
    begun.must("config", "set", "-s", "s1", "protect", "false")
    assert begun.up("s1").code == 0
    begun.must("destroy", "-s", "s1", "--yes", "--skip-preview")
    assert [row for row in begun.rows("racks")[0] if "spare" in row] == begun.rows("racks")[0]
    assert begun.rows("cables")[0] == []
    assert [path.name for path in (begun.project / "site/slurm").rglob("*") if path.is_file()] == ["site.local.conf"]


def test_the_state_names_a_provider_and_holds_neither_code_nor_secrets(begun):
    found = begun.resources("s1")
    assert not [
        urn for urn, each in found.items() if "4dabf18193072939515e22adb298388d" in str(each)
    ]  # a secret's mark
    sizes = {urn: len(each["inputs"]["__provider"]) for urn, each in found.items() if "dynamic" in each["type"]}
    assert len(sizes) == len(begun.pieces("s1"))
    assert max(sizes.values()) < 200  # a class by value takes more than a thousand


def test_a_git_working_copy_has_a_commit_for_each_change(attested, tmp_path):
    copy = tmp_path / "configuration"
    git = ["git", "-C", copy, "-c", "user.name=t", "-c", "user.email=t@t"]
    run(["git", "init", "--quiet", copy])
    for key, value in (("user.name", "t"), ("user.email", "t@example.com")):
        run(["git", "-C", copy, "config", key, value])
    for stage in NEEDS:
        attested.must("config", "set", "-s", stage, "--path", "publish.kind", "git")
        attested.must("config", "set", "-s", stage, "--path", "publish.path", str(copy))
    assert attested.up("s1").code == 0
    assert attested.up("s2").code == 0
    assert run([*git, "log", "--format=%s", "--reverse"]).out.splitlines() == [
        "site: site of stage s1",
        "site: site of stage s2",
    ]
    assert run([*git, "status", "--porcelain"]).out == ""
    assert str((copy / "slurm/site/current").readlink()) == "releases/s2"
    conf = copy / "slurm/site/releases/s2/slurm.conf"
    wanted = conf.read_bytes()
    conf.write_text("# edited\n")
    attested.must("refresh", "-s", "s2", "--yes", "--skip-preview")
    assert attested.up("s2").code == 0
    assert conf.read_bytes() == wanted


def test_the_command_after_runs_when_the_files_are_in_use_and_its_failure_is_told(attested, tmp_path):
    said = tmp_path / "said"
    tool = tmp_path / "scontrol"
    lines = (
        "#!/bin/sh",
        "test -e slurm.conf || exit 9",
        f'if [ -e {said}.fail ]; then echo "no daemon" >&2; exit 3; fi',
        f'echo "$@" "$TOPOLOGY_STAGE" >> {said}',
    )
    tool.write_text("\n".join(lines) + "\n")
    tool.chmod(0o755)
    attested.must("config", "set", "-s", "s1", "--path", "publish.kind", "directory")
    attested.must("config", "set", "-s", "s1", "--path", "publish.path", "site")
    attested.must("config", "set", "-s", "s1", "--path", "publish.after", f"{tool} reconfigure")
    Path(f"{said}.fail").touch()
    ran = attested.up("s1")
    assert ran.code != 0
    assert any(line.endswith(f"{tool} … failed (3): no daemon") for line in ran.errors), ran.errors
    Path(f"{said}.fail").unlink()
    assert attested.up("s1").code == 0
    assert said.read_text() == "reconfigure s1\n"
