import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import polars as pl
import pytest
from inventory_records import cable, node, rack, records

from topology.deploy.inventory import InventoryError, open_inventory
from topology.deploy.inventory.records import TABLES

UNIT = records(racks=[rack(1), rack(2)], nodes=[node(1, 1), node(2, 1)], cables=[cable("h1r0001n01 compute0", "l 1/1")])


def rows(path, query, *values):
    """What the sqlite3 of any program reads."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query, values).fetchall()


def change(path, statement):
    """What a hand in another program does."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()


def refused(call, *arguments):
    """The error of a call that must be refused: one line."""
    with pytest.raises(InventoryError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_written_stands_and_its_token_is_what_write_returned(inventory, path):
    token = inventory.write("a/unit-1", UNIT)
    assert len(token) == 64
    assert inventory.token("a/unit-1") == token
    assert rows(path, 'SELECT owner, name, "row" FROM racks ORDER BY name') == [
        ("a/unit-1", "h1r0001", 1),
        ("a/unit-1", "h1r0002", 1),
    ]
    assert rows(path, "SELECT version FROM schema_version") == [(1,)]


def test_nothing_stands_before_the_first_write_and_asking_makes_no_file(inventory, path):
    assert inventory.token("a/unit-1") is None
    inventory.remove("a/unit-1")
    assert not path.exists()


def test_the_order_of_rows_and_columns_does_not_change_the_token(inventory):
    token = inventory.write("a", UNIT)
    turned = {name: frame.reverse().select(reversed(frame.columns)) for name, frame in reversed(UNIT.items())}
    assert inventory.write("a", turned) == token


def test_the_same_records_again_change_no_byte_of_the_file(inventory, path):
    inventory.write("a", UNIT)
    before = path.read_bytes()
    inventory.write("a", UNIT)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE nodes SET name = 'mine' WHERE name = 'h1r0001n01'",
        "UPDATE nodes SET rack = 'h1r0002' WHERE name = 'h1r0001n01'",
        "UPDATE racks SET position = 40 WHERE name = 'h1r0002'",
        "DELETE FROM cables",
        "INSERT INTO nodes SELECT 'more', rack, slot, product, gpus, domain, stage, owner FROM nodes LIMIT 1",
    ],
)
def test_an_edit_by_hand_changes_the_token_and_a_write_repairs_it(inventory, path, edit):
    edit = edit.replace(
        "SELECT 'more', rack, slot, product, gpus, domain, stage, owner",
        "SELECT owner, 'more', rack, slot, product, gpus, domain, stage",
    )
    token = inventory.write("a", UNIT)
    change(path, edit)
    assert inventory.token("a") not in {token, None}
    assert inventory.write("a", UNIT) == token
    assert inventory.token("a") == token


def test_remove_takes_the_rows_of_its_owner_only(inventory):
    other = inventory.write("b", records(racks=[rack(3)]))
    inventory.write("a", UNIT)
    inventory.remove("a")
    assert inventory.token("a") is None
    assert inventory.token("b") == other
    inventory.remove("a")


def test_truth_values_floats_and_nulls_come_back_as_they_went(inventory, path):
    source = {"name": "mlgw", "kind": "utility", "capacity_w": 150_000_000, "units": 1, "permitted": True}
    device = {"name": "site-ups01", "kind": "ups", "side": "", "hall": None, "level": 2, "rating_w": 9, "stage": "s1"}
    feed = {"rack": "h1r0001", "side": "A", "panel": "p", "breaker": 1, "circuits": 2, "breaker_a": 62.5, "phase": "L1"}
    feeds = [{**feed, "capacity_w": 9, "load_w": 8, "stage": "s1"}]
    token = inventory.write("power", records(sources=[source], power_nodes=[device], feeds=feeds))
    assert inventory.token("power") == token
    assert rows(path, "SELECT permitted, stage FROM sources") == [(1, None)]
    assert rows(path, "SELECT breaker_a, typeof(breaker_a) FROM feeds") == [(62.5, "real")]
    assert rows(path, "SELECT hall FROM power_nodes") == [(None,)]


def test_two_owners_of_one_rack_are_both_named_and_nothing_changes(inventory, path):
    inventory.write("a", UNIT)
    inventory.write("b", records(racks=[rack(3)]))
    before = path.read_bytes()
    said = refused(inventory.write, "b", records(racks=[rack(2), rack(4)]))
    assert said.startswith("racks h1r0002 is claimed by b and stands for a; ")
    assert path.read_bytes() == before


def test_two_cables_of_two_owners_do_not_share_a_switch_port(inventory):
    inventory.write("a", UNIT)
    said = refused(inventory.write, "b", records(cables=[cable("h1r0009n01 compute0", "l 1/1")]))
    assert said.startswith("cables l 1/1 is claimed by b and stands for a; ")


@pytest.mark.parametrize(
    ("owner", "tables", "says"),
    [
        ("", UNIT, "'' is no owner"),
        ("a", {}, "a has no record to write"),
        ("a", records(rack=[rack(1)]), "no table rack in an inventory"),
        ("a", records(racks=[{"name": "h1r0001"}]), "racks differ in design, hall, height_u"),
        ("a", records(racks=[rack(1), rack(1)]), "racks hold h1r0001 twice"),
        ("a", records(racks=[rack(1, hall=None)]), "racks have no hall in some rows"),
        ("a", records(racks=[rack(1, power_w="much")]), "racks do not fit their columns"),
        ("a", records(cables=[cable("x 1", "l 1/1"), cable("y 1", "l 1/1")]), "cables hold l 1/1 twice"),
        ("a", records(cables=[cable("x 1", "l 1/1"), cable("l 1/1", "s 1/1")]), "two cables share port 1/1 of l"),
    ],
)
def test_malformed_records_are_refused_in_one_line(inventory, path, owner, tables, says):
    assert says in refused(inventory.write, owner, tables)
    assert not path.exists()


def test_a_file_of_another_program_is_left_alone(inventory, path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    said = refused(inventory.write, "a", UNIT)
    assert f"inventory {path}: it is the database of another program" in said
    path.write_text("not a database, though long enough to be looked at" * 40)
    assert f"inventory {path}: it is no SQLite file" in refused(inventory.write, "a", UNIT)
    assert f"inventory {path}: it is no SQLite file" in refused(inventory.token, "a")


def test_a_schema_of_another_version_is_refused(inventory, path):
    inventory.write("a", UNIT)
    change(path, "UPDATE schema_version SET version = 7")
    assert "its schema is version 7, this program writes version 1" in refused(inventory.token, "a")


def test_a_file_that_another_program_holds_is_waited_for_and_then_named(inventory, path, monkeypatch):
    inventory.write("a", UNIT)
    monkeypatch.setattr("topology.deploy.inventory.sqlite_file.BUSY_S", 0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        assert f"inventory {path}: another program has held it" in refused(inventory.write, "b", UNIT)
        assert inventory.token("a")  # readers do not wait for a writer


def test_a_folder_that_is_a_file_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    inventory = open_inventory({"kind": "sqlite", "path": str(tmp_path / "file/site.db")})
    assert str(tmp_path / "file/site.db") in refused(inventory.write, "a", UNIT)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "kind None is unknown"),
        ({"kind": "excel"}, "kind excel is unknown; write one of"),
        ({"kind": "sqlite"}, "sqlite needs a path"),
        ({"kind": "sqlite", "path": "x", "file": "y"}, "sqlite knows no key file"),
    ],
)
def test_a_wrong_configuration_is_refused_in_one_line(config, says):
    assert says in refused(open_inventory, config)


# --- what somebody changed, in words ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ("UPDATE racks SET position = 40 WHERE name = 'h1r0002'", ["racks h1r0002 position: is '40', was '2'"]),
        (
            "UPDATE nodes SET name = 'mine' WHERE name = 'h1r0001n01'",
            ["nodes h1r0001n01: 'rack=", "nodes mine: 'rack="],
        ),
        ("DELETE FROM cables", ["cables h1r0001n01 compute0: 'b_device=l b_port=1/1"]),
        (
            "UPDATE nodes SET domain = '' WHERE name = 'h1r0002n01'",
            ["nodes h1r0002n01 domain: is '', was 'h1r0002n01-1'"],
        ),
        (
            "UPDATE racks SET stage = 'pw=1' || char(10) || '::error::'",
            [f"racks h1r000{number} stage: is 'pw=1\\n::error::', was 's1'" for number in (1, 2)],
        ),
    ],
)
def test_an_edit_by_hand_is_told_by_record_and_field(inventory, path, edit, says):
    inventory.write("a", UNIT)
    assert [*inventory.edits("a", UNIT)] == []
    change(path, edit)
    lines = [str(each) for each in inventory.edits("a", UNIT)]
    assert len(lines) == len(says)
    assert all(line.startswith(said) for line, said in zip(lines, says, strict=True))
    assert not any("\n" in line for line in lines)


def test_what_is_lost_is_known_without_reading_all(inventory):
    assert inventory.is_lost("a")
    inventory.write("a", UNIT)
    assert not inventory.is_lost("a")
    assert inventory.is_lost("b")
    assert {str(each).rpartition("'")[2] for each in inventory.edits("b", UNIT)} == {" is gone"}


# --- parallel writers, kill -9, full and read-only disks -----------------------------------------------


def test_writers_in_parallel_wait_for_each_other(path):
    def write(number):
        inventory = open_inventory({"kind": "sqlite", "path": str(path)})
        return inventory.write(f"owner-{number}", records(racks=[rack(number)]))

    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(write, range(1, 65)))
    assert len(set(tokens)) == 64
    assert rows(path, "SELECT count(*), count(DISTINCT owner) FROM racks") == [(64, 64)]


def test_readers_and_writers_of_two_processes_never_see_a_damaged_file(path, tmp_path):
    """A log that is moved into the file leaves it half written for a moment."""
    site = open_inventory({"kind": "sqlite", "path": str(path)})
    frame = pl.DataFrame([rack(number) for number in range(1, 2001)])
    for stage in ("s1", "s2"):
        frame.with_columns(stage=pl.lit(stage)).write_parquet(tmp_path / f"{stage}.parquet")
    other = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, tmp_path / "s1.parquet", tmp_path / "s2.parquet"],
        stdout=subprocess.PIPE,
    )

    def use(number):
        mine = records(racks=[rack(number)])
        for _ in range(20):
            site.write(f"owner-{number}", mine)
            assert site.token(f"owner-{number}")
            site.remove(f"owner-{number}")

    try:
        other.stdout.readline()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(use, range(3001, 3009)))
        assert other.poll() is None, "the other process failed"
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_file_whose_last_change_is_half_in_its_log_is_an_inventory(inventory, path):
    """Its first page tells of pages that the file lacks: a failure while the log was moved in leaves that."""
    token = inventory.write("a", UNIT)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("CREATE TABLE more (text TEXT)")
        db.execute("INSERT INTO more VALUES (hex(zeroblob(40000)))")
        log = path.with_name(f"{path.name}-wal").read_bytes()
        whole = path.stat().st_size
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    cut = path.read_bytes()[:whole]
    path.write_bytes(cut)
    path.with_name(f"{path.name}-wal").write_bytes(log)
    assert inventory.token("a") == token
    assert rows(path, "SELECT length(text) FROM more") == [(80000,)]


WRITER = """
import sys, polars as pl
from topology.deploy.inventory import open_inventory
inventory = open_inventory({"kind": "sqlite", "path": sys.argv[1]})
frames = [pl.read_parquet(path) for path in sys.argv[2:]]
while True:
    for frame in frames:
        inventory.write("a", {"racks": frame})
        print(flush=True)
"""


def test_a_writer_that_is_killed_leaves_the_old_rows_or_the_new_ones(inventory, path, tmp_path):
    versions = []
    for stage in ("s1", "s2"):
        frame = pl.DataFrame([rack(number, stage=stage) for number in range(1, 4001)])
        frame.write_parquet(tmp_path / f"{stage}.parquet")
        versions.append(inventory.write("a", {"racks": frame}))
    for delay_ms in (0, 3, 7, 11, 19, 29, 37, 45):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, tmp_path / "s1.parquet", tmp_path / "s2.parquet"],
            stdout=subprocess.PIPE,
        )
        writer.stdout.readline()
        time.sleep(delay_ms / 1000)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert inventory.token("a") in versions
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]


@contextmanager
def small_disk(folder, *options):
    """A file system of 1 MB at `folder`."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a small file system")
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(["size=1m", *options]), "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_said_with_the_path_and_what_stood_still_stands(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        inventory = open_inventory({"kind": "sqlite", "path": str(disk / "site.db")})
        token = inventory.write("a", UNIT)
        large = {"racks": pl.DataFrame([rack(number) for number in range(100, 40000)])}
        said = refused(inventory.write, "a", large)
        assert f"inventory {disk / 'site.db'}: the disk is full; make room" in said
        assert inventory.token("a") == token
        assert inventory.write("a", UNIT) == token


def test_a_disk_that_is_full_before_the_first_write_is_said_so(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        (disk / "other").write_bytes(bytes(1 << 20))
        inventory = open_inventory({"kind": "sqlite", "path": str(disk / "site.db")})
        assert "the disk is full; make room" in refused(inventory.write, "a", UNIT)
        (disk / "other").unlink()
        assert inventory.write("a", UNIT) == inventory.token("a")


def test_a_read_only_disk_is_said_with_the_path(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        inventory = open_inventory({"kind": "sqlite", "path": str(disk / "site.db")})
        inventory.write("a", UNIT)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        said = refused(inventory.write, "b", records(racks=[rack(3)]))
        assert str(disk / "site.db") in said
        assert "read-only" in said


def test_every_table_of_the_dictionary_is_there_with_its_columns(inventory, path):
    inventory.write("a", UNIT)
    for table in TABLES.values():
        found = [name for _, name, *_ in rows(path, f"PRAGMA table_info({table.name})")]
        assert found == ["owner", *(column.name for column in table.columns)]


# --- files of others: told in one line, and neither they nor their folder are changed ---------------------


def told(folder):
    """All that stands in a folder: bytes, where links lead, and when each was written."""
    return {
        each.name: (each.lstat().st_mode, each.lstat().st_mtime_ns, each.is_file() and each.read_bytes())
        for each in folder.iterdir()
    }


def theirs(path, *statements):
    """A database of another program."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in ("CREATE TABLE theirs (x)", "INSERT INTO theirs VALUES (1)", *statements):
            db.execute(statement)


def left_open(path, *statements):
    """A database whose program was killed: its log lies beside it."""
    program = "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    program += "for each in sys.argv[2:]: db.execute(each)\n"
    subprocess.run([sys.executable, "-c", program + "os._exit(0)", path, *statements], check=True)


WAL = ("PRAGMA journal_mode = WAL", "CREATE TABLE theirs (x)", "INSERT INTO theirs VALUES (1)")
HOT = (  # a transaction that was cut off when its pages were on the disk already
    *("PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "CREATE TABLE theirs (x)", "BEGIN"),
    *["INSERT INTO theirs VALUES (zeroblob(5000))"] * 9,
)
FLYWAY = "CREATE TABLE schema_version (installed_rank INT, version TEXT, script TEXT)"
FOREIGN = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("mine"),
    "header alone": lambda path: path.write_bytes(b"SQLite format 3\0"),
    "noise behind the header": lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40),
    "tables of others": theirs,
    "no tables": lambda path: theirs(path, "DROP TABLE theirs"),
    "another schema_version": lambda path: theirs(path, FLYWAY, "INSERT INTO schema_version VALUES (1, '1', 'x')"),
    "our schema_version alone": lambda path: theirs(
        path, "CREATE TABLE schema_version (version)", "INSERT INTO schema_version VALUES (1)"
    ),
    "racks of others": lambda path: theirs(
        path,
        "CREATE TABLE schema_version (version)",
        "INSERT INTO schema_version VALUES (1)",
        "CREATE TABLE racks (owner, name)",
    ),
    "log beside": lambda path: left_open(path, *WAL),
    "cut off": lambda path: left_open(path, *HOT),
    "truncated": lambda path: (theirs(path), os.truncate(path, 5000)),
    "link": lambda path: (theirs(path.with_name("real")), path.symlink_to("real")),
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "folder": lambda path: (path.mkdir(), (path / "x").write_text("mine")),
    "fifo": os.mkfifo,
    "socket": lambda path: os.mknod(path, 0o140644),
    "read-only": lambda path: (theirs(path), path.chmod(0o444)),
    "log of one that is gone": lambda path: path.with_name(f"{path.name}-wal").write_bytes(b"theirs"),
    "journal of one that is gone": lambda path: path.with_name(f"{path.name}-journal").write_bytes(b"theirs"),
    "a newer one of ours": lambda path: newer(path, "SELECT 1"),
    "ours without a table": lambda path: newer(path, "UPDATE schema_version SET version = 1", "DROP TABLE cables"),
    "ours without a column": lambda path: newer(
        path, "UPDATE schema_version SET version = 1", "ALTER TABLE racks DROP COLUMN height_u"
    ),
    "ours cut short": lambda path: (newer(path), os.truncate(path, 8192)),
}


def newer(path, *statements):
    """An inventory of a version that is yet to come."""
    open_inventory({"kind": "sqlite", "path": str(path)}).write("a", UNIT)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in ("PRAGMA journal_mode = DELETE", "UPDATE schema_version SET version = 7", *statements):
            db.execute(statement)


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_inventory_is_refused_and_no_byte_of_it_or_its_folder_changes(inventory, path, make):
    make(path)
    before = told(path.parent)
    for call in (lambda: inventory.token("a"), lambda: inventory.write("a", UNIT), lambda: inventory.remove("a")):
        assert str(path) in refused(call)
        assert told(path.parent) == before


def test_a_database_of_others_that_is_held_is_refused_at_once(inventory, path):
    theirs(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        db.execute("INSERT INTO theirs VALUES (2)")
        before = told(path.parent)
        began = time.monotonic()
        assert "another program" in refused(inventory.write, "a", UNIT)
        assert time.monotonic() - began < 30
        assert told(path.parent) == before
        db.execute("COMMIT")
    assert rows(path, "SELECT x FROM theirs") == [(1,), (2,)]


@pytest.mark.parametrize(
    "name",
    [
        ":memory:",
        "./:memory:",
        "file::memory:?cache=shared",
        "file:x.db",
        "file:///x.db?mode=memory",
        "FILE:x.db",
        ":x",
    ],
)
def test_a_name_that_sqlite_takes_for_something_else_than_a_file_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inventory = open_inventory({"kind": "sqlite", "path": name})
    for call in (lambda: inventory.token("a"), lambda: inventory.write("a", UNIT), lambda: inventory.remove("a")):
        assert "is no path of a file; write path: site.db" in refused(call)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "link/site.db", "/", "x" * 300, "folder", "."])
def test_a_path_that_no_build_would_take_is_refused_in_one_line(name, tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    inventory = open_inventory({"kind": "sqlite", "path": name})
    for call in (lambda: inventory.token("a"), lambda: inventory.write("a", UNIT), lambda: inventory.remove("a")):
        assert refused(call).startswith("inventory")
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["folder", "link", "real"]


@pytest.mark.parametrize("name", ["a b?mode=ro.db", "100%41#x.db", "ünï.db"])
def test_a_name_is_taken_as_it_is_written(name, tmp_path):
    inventory = open_inventory({"kind": "sqlite", "path": str(tmp_path / name)})
    assert inventory.write("a", UNIT) == inventory.token("a")
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_new_inventory_that_was_cut_off_is_made_again_and_leaves_nothing(inventory, path):
    begun = path.with_name(f".{path.name}.new-77")
    begun.mkdir()
    (begun / path.name).write_bytes(b"SQLite")
    assert inventory.token("a") is None
    inventory.write("a", UNIT)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
