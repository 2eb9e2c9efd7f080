"""The output folder in good days: what a build writes, keeps, removes and reports."""

import copy
import hashlib
import json
import os
import stat
from pathlib import Path, PurePosixPath

import jsonschema
import pytest

from topology.artifacts import artifact as artifacts
from topology.artifacts import targets  # noqa: F401 - their patterns are known once they are imported
from topology.artifacts.artifact import Artifact, check_path, is_known, register
from topology.artifacts.output import swap
from topology.artifacts.output.manifest import SCHEMA_VERSION
from topology.artifacts.output.refusal import OutputError
from topology.artifacts.output.tree import Published, check, publish
from topology.resources import data

FACTS = {"cluster": "colossus", "schema_version": SCHEMA_VERSION}
OLD = {
    "findings.json": "[]\n",
    "tables/racks.parquet": "racks of yesterday",
    "tables/nodes.parquet": "nodes",
    "stages/s1/slurm/main/slurm.conf": "ClusterName=main\n",
}
NEW = {
    "findings.json": "[]\n",  # unchanged
    "tables/racks.parquet": "racks of today",  # changed
    "stages/s1/slurm/main/slurm.conf": "ClusterName=main\n",  # unchanged
    "stages/s2/slurm/main/slurm.conf": "ClusterName=main\n",  # new; nodes.parquet is gone
}


def files(texts):
    return (Artifact(PurePosixPath(path), text.encode()) for path, text in texts.items())


def read(out):
    """Texts of all files below a folder but plan.json, by path."""
    every = (path for path in out.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(out)): path.read_text() for path in every if path != out / "plan.json"}


def beside(out):
    """Names next to OUT."""
    return sorted(each.name for each in out.parent.iterdir() if each != out)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "build"


@pytest.fixture
def no_exchange(monkeypatch):
    def refuse(*_names):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(swap, "exchange", refuse)


# --- what is written ---


def test_a_first_build_writes_every_artifact_and_a_plan_that_lists_them(out):
    assert publish(out, files(OLD), FACTS) == Published(written=5, unchanged=0, removed=0)
    assert read(out) == OLD
    plan = json.loads((out / "plan.json").read_bytes())
    assert plan["cluster"] == "colossus"
    assert plan["artifacts"] == [
        {"path": path, "sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text)}
        for path, text in sorted(OLD.items())
    ]
    assert beside(out) == []


def test_the_folders_above_out_are_made(tmp_path):
    publish(tmp_path / "a" / "b" / "c", files(OLD), FACTS)
    assert read(tmp_path / "a" / "b" / "c") == OLD


def test_an_empty_folder_may_become_out(out):
    out.mkdir()
    publish(out, files(OLD), FACTS)
    assert read(out) == OLD


def test_plan_json_is_canonical_and_does_not_depend_on_order(out, tmp_path):
    publish(out, files(OLD), {**FACTS, "b": 1, "a": "ü"})
    publish(tmp_path / "two", files(dict(reversed(OLD.items()))), {"a": "ü", "b": 1, **FACTS})
    text = (out / "plan.json").read_bytes()
    assert text == (tmp_path / "two" / "plan.json").read_bytes()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True).encode() + b"\n"


@pytest.mark.parametrize("facts", [{}, {"cluster": "c"}, {**FACTS, "artifacts": []}, {**FACTS, "x": 1e999}])
def test_facts_that_make_no_manifest_are_our_fault_and_leave_nothing(out, facts):
    with pytest.raises(ValueError, match=r"."):
        publish(out, files(OLD), facts)
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        publish(tmp_path / "a" / "build", files(OLD), FACTS)
    finally:
        os.umask(before)
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in [tmp_path / "a", *tmp_path.rglob("*")]}
    assert modes == {(True, 0o755), (False, 0o644)}


def test_artifacts_are_written_as_they_come(out):
    def watched():
        for each in files(OLD):
            yield each
            written = out.parent / f".build.new-{os.getpid()}" / each.path
            assert written.read_bytes() == each.data

    publish(out, watched(), FACTS)


# --- what is left alone ---


def test_a_rebuild_replaces_what_changed_and_counts_it(out):
    publish(out, files(OLD), FACTS)
    assert publish(out, files(NEW), FACTS) == Published(written=3, unchanged=2, removed=1)
    assert read(out) == NEW
    assert beside(out) == []


def test_unchanged_files_keep_their_inode_and_times(out):
    publish(out, files(OLD), FACTS)
    for path in OLD:
        os.utime(out / path, (1, 1))
    before = (out / "findings.json").stat()
    publish(out, files(NEW), FACTS)
    after = (out / "findings.json").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_nlink) == (before.st_ino, 10**9, 1)
    assert (out / "tables/racks.parquet").stat().st_mtime > 1


def test_a_build_that_changes_nothing_touches_nothing(out):
    publish(out, files(OLD), FACTS)
    before = {path: path.stat() for path in [out, *out.rglob("*")]}
    assert publish(out, files(OLD), FACTS) == Published(written=0, unchanged=5, removed=0)
    after = {path: path.stat() for path in [out, *out.rglob("*")]}
    marks = [{path: (s.st_ino, s.st_mtime_ns) for path, s in each.items()} for each in (before, after)]
    assert marks[0] == marks[1]


def test_a_file_with_another_mode_is_written_anew(out):
    publish(out, files(OLD), FACTS)
    (out / "findings.json").chmod(0o600)
    publish(out, files(OLD), FACTS)
    assert stat.S_IMODE((out / "findings.json").stat().st_mode) == 0o644


def test_files_are_written_again_where_the_file_system_has_no_hard_links(out, monkeypatch):
    publish(out, files(OLD), FACTS)

    def refuse(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert publish(out, files(NEW), FACTS) == Published(written=5, unchanged=0, removed=1)
    assert read(out) == NEW


def test_foreign_files_are_carried_and_never_deleted(out):
    publish(out, files(OLD), FACTS)
    (out / "notes.txt").write_text("mine")
    (out / "tables/extra.parquet").write_text("mine too")  # looks like ours, but is not listed
    (out / "stages/s1/mine/deep").mkdir(parents=True)
    (out / "stages/s1/mine/deep/x").write_text("deep")
    (out / "shelf").mkdir()
    (out / "away").symlink_to("/nowhere")
    os.mkfifo(out / "pipe")
    inode = (out / "notes.txt").stat().st_ino
    publish(out, files({"findings.json": "[]\n"}), FACTS)
    kept = {"notes.txt": "mine", "tables/extra.parquet": "mine too", "stages/s1/mine/deep/x": "deep"}
    assert read(out) == {"findings.json": "[]\n", **kept}
    assert (out / "shelf").is_dir()
    assert (out / "away").is_symlink()
    assert (out / "pipe").is_fifo()
    assert (out / "notes.txt").stat().st_ino == inode
    assert not (out / "stages/s1/slurm").exists()
    assert beside(out) == []


def test_a_foreign_folder_is_merged_into_a_new_one_of_ours(out):
    publish(out, files({"findings.json": "[]\n"}), FACTS)
    (out / "tables").mkdir()
    (out / "tables/README").write_text("mine")
    publish(out, files(OLD), FACTS)
    assert read(out) == {**OLD, "tables/README": "mine"}


def test_a_partial_build_keeps_and_lists_what_it_was_told_to_keep(out):
    publish(out, files(OLD), FACTS)
    counts = publish(out, files({"findings.json": "{}"}), FACTS, keep=lambda path: path.startswith("tables/"))
    assert counts == Published(written=2, unchanged=2, removed=1)
    listed = [item["path"] for item in json.loads((out / "plan.json").read_bytes())["artifacts"]]
    assert listed == ["findings.json", "tables/nodes.parquet", "tables/racks.parquet"]
    assert read(out).keys() == set(listed)


def test_a_kept_file_that_was_edited_cannot_be_blessed_by_force(out):
    publish(out, files(OLD), FACTS)
    (out / "tables/nodes.parquet").write_text("edited")
    with pytest.raises(OutputError, match="this run does not make it"):
        publish(out, files({"findings.json": "{}"}), FACTS, force=True, keep=lambda _: True)
    assert beside(out) == []


# --- build --check ---


def test_a_fresh_tree_has_nothing_to_report(out):
    publish(out, files(OLD), FACTS)
    before = sorted(out.parent.rglob("*"))
    assert check(out, files(OLD), FACTS) == []
    assert sorted(out.parent.rglob("*")) == before


def test_a_tree_that_was_never_built_is_all_missing(out):
    paths = [*sorted(OLD), "plan.json"]
    assert check(out, files(OLD), FACTS) == sorted(f"{path}: not built yet" for path in paths)
    assert not out.exists()


def test_check_names_what_differs_is_missing_edited_or_no_longer_made(out):
    publish(out, files(OLD), FACTS)
    (out / "findings.json").write_text("{}\n")
    (out / "stages/s1/slurm/main/slurm.conf").unlink()
    assert check(out, files(NEW), FACTS) == [
        "findings.json: edited",
        "plan.json: differs from what the spec gives now",
        "stages/s1/slurm/main/slurm.conf: missing",
        "stages/s2/slurm/main/slurm.conf: not built yet",
        "tables/nodes.parquet: no longer made",
        "tables/racks.parquet: differs from what the spec gives now",
    ]


def test_check_sees_a_change_of_the_facts_alone(out):
    publish(out, files(OLD), FACTS)
    assert check(out, files(OLD), {**FACTS, "counts": {"gpus": 8}}) == [
        "plan.json: differs from what the spec gives now"
    ]


def test_check_names_a_link_and_a_broken_manifest(out):
    publish(out, files(OLD), FACTS)
    (out / "findings.json").unlink()
    (out / "findings.json").symlink_to("/etc/hostname")
    assert check(out, files(OLD), FACTS) == ["findings.json: a symbolic link"]
    (out / "plan.json").write_text("{")
    assert check(out, files(OLD), FACTS) == ["plan.json: is not whole JSON"]


def test_check_of_a_partial_build_leaves_the_kept_files_out(out):
    publish(out, files(OLD), FACTS)
    some = {"findings.json": OLD["findings.json"]}
    assert check(out, files(some), FACTS, keep=lambda _: True) == []


# --- where folders cannot be exchanged ---


@pytest.mark.usefixtures("no_exchange")
def test_without_exchange_out_becomes_a_link_to_a_version(out):
    publish(out, files(OLD), FACTS)
    assert str(out.readlink()) == ".build.versions/1"
    (out / "notes.txt").write_text("mine")
    os.utime(out / "findings.json", (1, 1))
    assert publish(out, files(NEW), FACTS) == Published(written=3, unchanged=2, removed=1)
    assert str(out.readlink()) == ".build.versions/2"
    assert read(out) == {**NEW, "notes.txt": "mine"}
    assert (out / "findings.json").stat().st_mtime == 1
    assert [each.name for each in (out.parent / ".build.versions").iterdir()] == ["2"]
    assert check(out, files(NEW), FACTS) == []
    assert beside(out) == [".build.versions"]


def test_a_folder_becomes_a_link_when_it_comes_to_such_a_file_system(out, monkeypatch, request):
    publish(out, files(OLD), FACTS)
    (out / "notes.txt").write_text("mine")
    request.getfixturevalue("no_exchange")
    publish(out, files(NEW), FACTS)
    assert out.is_symlink()
    assert read(out) == {**NEW, "notes.txt": "mine"}
    monkeypatch.undo()
    publish(out, files(OLD), FACTS)  # a link stays one, wherever it is taken
    assert str(out.readlink()) == ".build.versions/3"
    assert read(out) == {**OLD, "notes.txt": "mine"}


@pytest.mark.usefixtures("no_exchange")
def test_removing_the_link_and_building_again_starts_from_the_version_it_showed(out):
    publish(out, files(OLD), FACTS)
    out.unlink()
    assert publish(out, files(OLD), FACTS) == Published(written=0, unchanged=5, removed=0)
    assert read(out) == OLD


@pytest.mark.usefixtures("no_exchange")
def test_a_version_link_whose_folder_is_gone_is_named(out):
    publish(out, files(OLD), FACTS)
    (out.parent / ".build.versions").rename(out.parent / "elsewhere")
    with pytest.raises(OutputError, match="links to a folder that is gone"):
        publish(out, files(OLD), FACTS)


# --- paths come from a closed table ---


@pytest.mark.parametrize(
    "path",
    [
        "plan.json",
        "findings.sarif",
        "tables/nvlink_domains.parquet",
        "stages/s1/slurm/main-2/slurm.conf",
        "stages/s1/slurm/main/topology.yaml",
    ],
)
def test_a_path_of_the_table_is_known(path):
    check_path(PurePosixPath(path))


@pytest.mark.parametrize(
    "path",
    [
        "../plan.json",
        "/etc/passwd",
        "/plan.json",
        "tables/../../x.parquet",
        "tables/..parquet",
        "tables/.parquet",
        "tables/Racks.parquet",
        "tables/1.parquet",
        "tables/-rf.parquet",
        "tables/a b.parquet",
        "tables/a\n.parquet",
        "tables/räcks.parquet",
        "tables/racks.parquet\n",
        "tables/racks.parquet/x",
        "tables/a/b.parquet",
        "stages/s1/slurm/main/passwd",
        "stages/s1/slurm/main/slurmXconf",
        "findings.jsonx",
        "C:\\x",
        "",
    ],
)
def test_any_other_path_is_refused_before_anything_is_written(out, path):
    with pytest.raises(OutputError, match="is not a path that a build writes"):
        publish(out, files({"findings.json": "", path: "x"}), FACTS)
    assert list(out.parent.iterdir()) == []


def test_a_target_registers_its_patterns_once(monkeypatch):
    monkeypatch.setattr(artifacts, "PATTERNS", dict(artifacts.PATTERNS))
    monkeypatch.setattr(artifacts, "_KNOWN", dict(artifacts._KNOWN))  # noqa: SLF001 - put back afterwards
    register("bill", ("bom.csv", "power/{word}.{csv|xlsx}"))
    register("bill", ("bom.csv", "power/{word}.{csv|xlsx}"))
    assert is_known(PurePosixPath("power/feeds.xlsx"))
    assert not is_known(PurePosixPath("power/feeds.pdf"))
    with pytest.raises(ValueError, match="target bill"):
        register("bill", ("other.csv",))


def test_two_artifacts_of_one_path_are_refused(out):
    pair = [*files({"findings.json": "a"}), *files({"findings.json": "b"})]
    with pytest.raises(OutputError, match=r"two files of this build want one path"):
        publish(out, pair, FACTS)
    with pytest.raises(OutputError, match=r"two files of this build want one path"):
        publish(out, files({"plan.json": "{}"}), FACTS)
    assert list(out.parent.iterdir()) == []


# --- schemas/plan.schema.json ---


def schema():
    return json.loads((data("schemas") / "plan.schema.json").read_bytes())


def whole_facts():
    links = {"node-leaf": 1020, "leaf-spine": 1024, "spine-core": 0}
    return {
        **FACTS,
        "version": "0.1.0",
        "spec_sha256": "0" * 64,
        "catalog_sha256": "f" * 64,
        "counts": {
            "gpus": 1016,
            "nodes": 127,
            "racks": 32,
            "network_racks": 5,
            "units": 4,
            "nvlink_domains": 127,
            "cables": 2044,
            "batteries": 0,
            "switches": 48,
            "fabrics": {
                "compute": {"planes": 1, "tiers": 2, "islands": 1, "leaf": 32, "spine": 16, "core": 0, "links": links}
            },
        },
        "power": {
            "it_mw": 1.3,
            "facility_mw": 1.69,
            "source_mw": None,
            "battery_mw": None,
            "battery_mwh": None,
            "ride_through_s": None,
        },
        "stages": [{"name": "all", "gpus": 1016, "nodes": 127, "racks": 32, "units": 4, "cables": 2044, "it_mw": 1.3}],
        "cells": [],
    }


def test_a_published_plan_is_what_the_schema_describes(out):
    publish(out, files(OLD), whole_facts())
    plan = json.loads((out / "plan.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(plan)
    assert plan.keys() == schema()["properties"].keys()


def test_every_property_of_the_plan_is_described():
    def undescribed(node, at):
        if isinstance(node, dict):
            for name, child in node.get("properties", {}).items():
                if "description" not in child:
                    yield f"{at}/{name}"
            for name, child in node.items():
                yield from undescribed(child, f"{at}/{name}")

    assert list(undescribed(schema(), "")) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("counts", "gpus"), -1),
        (("counts", "gpus"), 1.5),
        (("counts", "gpus"), "8"),
        (("counts", "fabrics", "compute", "links", "node-leaf"), None),
        (("counts", "fabrics", "compute", "core"), ...),
        (("power", "it_mw"), None),
        (("power", "source_mw"), "150"),
        (("stages",), []),
        (("stages", 0, "name"), "all\n"),
        (("spec_sha256",), "abc"),
        (("schema_version",), 2),
        (("artifacts", 0, "path"), "../x"),
        (("artifacts", 0, "path"), "/etc/passwd"),
        (("surprise",), 1),
        (("cells",), ...),
    ],
)
def test_a_plan_that_breaks_the_contract_is_refused_by_the_schema(out, path, value):
    publish(out, files(OLD), whole_facts())
    plan = json.loads((out / "plan.json").read_bytes())
    broken = copy.deepcopy(plan)
    *parents, last = path
    node = broken
    for step in parents:
        node = node[step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    assert not jsonschema.Draft202012Validator(schema()).is_valid(broken)


def test_the_path_may_be_relative_to_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    publish(Path("../build/x"), files(OLD), FACTS)
    publish(Path("build/../here"), files(OLD), FACTS)
    assert read(tmp_path / "build/x") == OLD
    assert read(tmp_path / "work/here") == OLD


# --- files that are the user's once they are written ---

SEED = "pulumi/Pulumi.s1.yaml"


def test_a_seed_that_was_edited_is_kept_and_no_build_takes_it_for_stale(out):
    publish(out, files(NEW | {SEED: "config:\n"}), FACTS)
    (out / SEED).write_text("config:\n  site:attest: {}\n")
    before = (out / SEED).stat()
    assert check(out, files(NEW | {SEED: "config:\n"}), FACTS) == []
    publish(out, files(OLD | {SEED: "config: {}\n"}), FACTS)
    assert read(out) == OLD | {SEED: "config:\n  site:attest: {}\n"}
    assert (out / SEED).stat().st_mtime_ns == before.st_mtime_ns
    assert check(out, files(OLD | {SEED: "config: {}\n"}), FACTS) == []


def test_a_seed_that_is_gone_is_written_anew(out):
    publish(out, files(NEW | {SEED: "config:\n"}), FACTS)
    (out / SEED).unlink()
    publish(out, files(NEW | {SEED: "config:\n"}), FACTS)
    assert read(out) == NEW | {SEED: "config:\n"}


@pytest.mark.parametrize(("text", "stays"), [("config:\n", False), ("config: {a: 1}\n", True)])
def test_a_seed_that_is_no_longer_made_stays_when_it_was_edited(out, text, stays):
    publish(out, files(NEW | {SEED: "config:\n"}), FACTS)
    (out / SEED).write_text(text)
    publish(out, files(OLD), FACTS)
    assert read(out) == OLD | ({SEED: text} if stays else {})


def test_a_seed_that_is_a_link_is_refused(out, tmp_path):
    publish(out, files(NEW | {SEED: "config:\n"}), FACTS)
    (out / SEED).unlink()
    (out / SEED).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="a symbolic link"):
        publish(out, files(OLD | {SEED: "config:\n"}), FACTS)
    assert read(out) == NEW
