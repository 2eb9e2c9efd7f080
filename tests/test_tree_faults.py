"""The output folder on bad days: crashes, full disks, two builds at once, links, strangers, edits.

Every case asks for the same: OUT is the whole old tree or the whole new one, nothing of anyone
else's is lost, the refusal is one line with its place, and the next run leaves no trace of it.
"""

import contextlib
import errno
import fcntl
import itertools
import json
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

import pytest

from topology.artifacts.artifact import Artifact
from topology.artifacts.output import folder as folders
from topology.artifacts.output import swap
from topology.artifacts.output.manifest import SCHEMA_VERSION, render
from topology.artifacts.output.refusal import OutputError
from topology.artifacts.output.tree import check, publish

FACTS = {"cluster": "colossus", "schema_version": SCHEMA_VERSION}
OLD = {
    "findings.json": "[]\n",
    "tables/racks.parquet": "racks of yesterday",
    "tables/nodes.parquet": "nodes",
    "stages/s1/slurm/main/slurm.conf": "ClusterName=main\n",
}
NEW = {
    "findings.json": "[]\n",
    "tables/racks.parquet": "racks of today",
    "stages/s1/slurm/main/slurm.conf": "ClusterName=main\n",
    "stages/s2/slurm/main/slurm.conf": "ClusterName=main\n",
}
FOREIGN = {"notes.txt": "mine", "tables/mine.parquet": "also mine", "shelf/a/b": "deep", "stages/s1/x": "x"}
CALLS = (  # whatever changes a file system, or makes it last
    "open",
    "write",
    "pwrite",
    "ftruncate",
    "fsync",
    "fchmod",
    "chmod",
    "mkdir",
    "rmdir",
    "rename",
    "link",
    "unlink",
    "symlink",
)
SCRIPT_HEAD = f"""
import os, sys, time
from pathlib import Path, PurePosixPath
from topology.artifacts.artifact import Artifact
from topology.artifacts.output.refusal import OutputError
from topology.artifacts.output.tree import publish
FACTS = {FACTS!r}
OLD = {OLD!r}
NEW = {NEW!r}
def files(texts):
    return (Artifact(PurePosixPath(p), t.encode()) for p, t in texts.items())
def read(out):
    every = [p for p in out.rglob("*") if p.is_file() and p.name != "plan.json"]
    return {{str(p.relative_to(out)): p.read_text() for p in every}}
"""


def files(texts):
    return (Artifact(PurePosixPath(path), text.encode()) for path, text in texts.items())


def read(folder):
    """Texts of all files below a folder but plan.json, by path; None without the folder."""
    if not os.path.lexists(folder):
        return None
    every = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_text() for path in every if path != folder / "plan.json"}


def beside(out):
    return sorted(each.name for each in out.parent.iterdir() if each != out)


def add_foreign(out):
    for path, text in FOREIGN.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text)


def ours(out):
    """The files of OUT that are not foreign; they are whole when `check` finds nothing edited."""
    return {path: text for path, text in read(out).items() if path not in FOREIGN}


def snapshot(folder):
    """Everything about a folder that a refused build must not change; a dead run may leave its lock."""

    def facts(path):
        found = path.lstat()
        text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        return found.st_mode, found.st_ino, found.st_mtime_ns, found.st_nlink, text

    every = [path for path in sorted(folder.rglob("*")) if path.name != ".build.lock"]
    return {str(path): facts(path) for path in every}


def refused(out, *, match, artifacts=None, **options):
    """The OutputError of a build that changed nothing around OUT."""
    before = snapshot(out.parent)
    with pytest.raises(OutputError, match=match) as caught:
        publish(out, files(artifacts or NEW), FACTS, **options)
    assert snapshot(out.parent) == before
    assert "\n" not in caught.value.message + caught.value.hint
    assert caught.value.hint
    return caught.value


def script(text, *arguments, prefix=(), **options):
    """A Python process with the names of SCRIPT_HEAD."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", SCRIPT_HEAD + textwrap.dedent(text), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def out(tmp_path):
    """OUT in memory where there is such a place, because hundreds of runs need not wait for a disk."""
    memory = Path("/dev/shm").resolve()  # noqa: S108 - the folder made in it is private
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        (Path(folder) / "room").mkdir()
        yield Path(folder) / "room" / "build"


@pytest.fixture
def built(out):
    publish(out, files(OLD), FACTS)
    return out


def refuse_exchange(*_names):
    raise OSError(errno.ENOSYS, "Function not implemented")


# --- 48: kill -9 at every step ---


class Steps:
    """Counts the calls that touch the file system and acts on the one with a given number."""

    def __init__(self, act, at):
        self.act, self.at, self.count = act, at, 0

    def patch(self, monkeypatch):
        """Put the counter around every call of CALLS, the exchange and the lock."""
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrapped(getattr(os, name)))
        monkeypatch.setattr(swap, "exchange", self.wrapped(swap.exchange))
        monkeypatch.setattr(fcntl, "flock", self.wrapped(fcntl.flock))

    def wrapped(self, call):
        """The call, counted."""

        def step(*args, **kwargs):
            self.count += 1
            if self.at(self.count):
                self.act(call, args)
            return call(*args, **kwargs)

        return step


def die(call, args):
    """Be killed just before a call, or half-way through a write."""
    if call.__name__ == "write":
        call(args[0], bytes(args[1])[: len(args[1]) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def killed(number, work):
    """Whether a child process that does `work` was killed at its step `number`; False: it had fewer."""
    pid = os.fork()
    if pid == 0:
        code = 3
        with contextlib.suppress(BaseException), pytest.MonkeyPatch.context() as patch:
            Steps(die, lambda count: count == number).patch(patch)
            work()
            code = 0
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def first(out):
    return {"before": None, "foreign": {}, "force": False, "out": out}


def rebuild(out):
    publish(out, files(OLD), FACTS)
    add_foreign(out)
    return {"before": OLD, "foreign": FOREIGN, "force": False, "out": out}


def forced(out):
    publish(out, files(OLD), FACTS)
    add_foreign(out)
    (out / "plan.json").write_text('{"cut')
    (out / "tables/nodes.parquet").unlink()  # so that what is left is what the new build replaces
    return {
        "before": {path: text for path, text in OLD.items() if "nodes" not in path},
        "foreign": FOREIGN,
        "force": True,
        "out": out,
    }


def after_a_crash(out):
    """A run was killed between the exchange and the cleaning: foreign files are stranded."""
    case = rebuild(out)
    exchange = swap.exchange

    def last_words(*names):
        exchange(*names)
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(swap, "exchange", last_words)
        assert killed(0, lambda: publish(out, files(NEW), FACTS))
    assert any("swap" in name for name in beside(out))
    assert read(out) == NEW
    return {**case, "before": NEW}


@pytest.mark.parametrize(
    ("case", "exchange"),
    [
        *itertools.product([first, rebuild, forced], ["exchange", "links", "to-links"]),
        (after_a_crash, "exchange"),
    ],
)
def test_a_run_killed_at_any_step_leaves_the_whole_old_tree_or_the_whole_new_one(out, monkeypatch, case, exchange):
    points, seen = 0, set()
    for number in range(1, 1000):
        shutil.rmtree(out.parent)
        out.parent.mkdir()
        with monkeypatch.context() as patch:
            if exchange == "links":
                patch.setattr(swap, "exchange", refuse_exchange)
            start = case(out)
            if exchange == "to-links":
                patch.setattr(swap, "exchange", refuse_exchange)
            build = partial(publish, out, files(NEW), FACTS, force=start["force"])
            if not killed(number, build):
                break
            points += 1
            gap = exchange == "to-links" and start["before"] and not os.path.lexists(out)
            if not gap:
                tree = ours(out) if os.path.lexists(out) else None
                assert tree in (start["before"], NEW), f"step {number}"
                seen.add(str(tree))
            everything = [path.read_text() for path in out.parent.rglob("*") if path.is_file()]
            assert set(start["foreign"].values()) <= set(everything), f"step {number} lost a foreign file"

            publish(out, files(NEW), FACTS, force=start["force"])
            assert read(out) == {**NEW, **start["foreign"]}
            assert check(out, files(NEW), FACTS) == []
            assert beside(out) in ([], [".build.versions"])
            assert len(swap.version_folders(folders.output_folder(out))) == (exchange != "exchange")
            assert all(path.lstat().st_nlink == 1 for path in out.rglob("*") if path.is_file())
    assert points >= 40
    assert len(seen) == (1 if start["before"] == NEW else 2)  # both outcomes were met


def test_a_leftover_of_a_first_build_that_died_is_cleaned_and_a_stranger_in_it_is_not(out):
    begun = out.parent / ".build.new-77"
    (begun / "tables").mkdir(parents=True)
    (begun / "tables/racks.parquet").write_text("half")
    (begun / "diary.txt").write_text("mine")
    publish(out, files(NEW), FACTS)
    assert read(begun) == {"diary.txt": "mine"}
    assert beside(out) == [".build.new-77"]


def test_stranded_files_are_kept_when_out_is_gone(out):
    after_a_crash(out)
    shutil.rmtree(out)
    error = refused(out, match="holds files that are not ours")
    assert ".build.swap-" in error.message


def test_a_stranded_file_whose_place_was_taken_is_kept(out):
    after_a_crash(out)
    (out / "notes.txt").write_text("newer")
    refused(out, match=r"notes\.txt is not ours")
    (out / "notes.txt").unlink()
    publish(out, files(NEW), FACTS)
    assert read(out) == {**NEW, **FOREIGN}


# --- 49: no space, broken disk, no more files ---


@pytest.mark.parametrize(
    ("number", "lasting", "exchange"),
    [
        *itertools.product([errno.ENOSPC, errno.EMFILE, errno.EROFS, errno.EDQUOT], [False], ["exchange"]),
        *itertools.product([errno.EIO], [False, True], ["exchange", "links", "to-links"]),
    ],
)
def test_a_system_error_at_any_step_is_one_message_and_the_old_tree_stands(out, monkeypatch, number, lasting, exchange):

    def fail(*_call):
        raise OSError(number, os.strerror(number))

    failures = uncleaned = 0
    for at in range(1, 1000):
        shutil.rmtree(out.parent)
        out.parent.mkdir()
        with monkeypatch.context() as patch:
            if exchange == "links":
                patch.setattr(swap, "exchange", refuse_exchange)
            rebuild(out)
            if exchange == "to-links":
                patch.setattr(swap, "exchange", refuse_exchange)
            caught, count = failing(lambda count, at=at: count >= at if lasting else count == at, fail, out)
            if count < at:
                break
            if not (lasting and exchange == "to-links"):  # then the gap cannot be closed by us
                assert ours(out) in (OLD, NEW)
            if caught is not None:
                failures += 1
                assert str(out.parent) in caught.message
                assert os.strerror(number) in caught.message
                assert "\n" not in caught.message
            if os.path.lexists(out) and ours(out) == OLD and not lasting:  # else nothing can be cleaned
                assert caught is not None
                uncleaned += not set(beside(out)) <= {".build.versions", ".build.lock"}
                assert len(swap.version_folders(folders.output_folder(out))) == (exchange == "links")
            publish(out, files(NEW), FACTS)
        assert read(out) == {**NEW, **FOREIGN}
        assert beside(out) == ([] if exchange == "exchange" else [".build.versions"])
    assert failures >= 40
    assert uncleaned <= (exchange == "to-links")  # when the step that failed is the way back


def failing(at, act, out):
    """The OutputError of a build in which some steps fail, if there was one, and its steps."""
    steps = Steps(act, at)
    with pytest.MonkeyPatch.context() as patch:
        steps.patch(patch)
        try:
            publish(out, files(NEW), FACTS)
        except OutputError as error:
            return error, steps.count
    return None, steps.count


def test_a_process_out_of_descriptors_can_still_clean_up(built):
    ran = script(
        """
        import contextlib
        def greedy():
            yield from list(files(NEW))[:2]
            with contextlib.suppress(OSError):
                while True:
                    os.dup(0)
            yield from list(files(NEW))[2:]
        try:
            publish(Path(sys.argv[1]), greedy(), FACTS)
        except OutputError as error:
            os.write(1, f"{error.message} | {error.hint}".encode())
        """,
        built,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    )
    text, errors = ran.communicate(timeout=60)
    assert "Too many open files" in text, errors
    assert "ulimit -n" in text
    assert read(built) == OLD
    assert beside(built) == []


def private_mount(text, *arguments):
    """Output of a script run as root in a mount namespace of its own; skips where that is not allowed."""
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("needs the right to mount")
    ran = script(text, *arguments, prefix=("unshare", "-m"))
    output, errors = ran.communicate(timeout=120)
    assert ran.returncode == 0, errors
    return output


def test_a_disk_that_fills_up_anywhere_leaves_the_old_tree_whole(tmp_path):
    text = """
        import subprocess
        disk = Path(sys.argv[1])
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "small", disk], check=True)
        out = disk / "build"
        big = {**NEW, "tables/cables.parquet": "c" * 60_000}
        refused = built = 0
        for free in range(0, 40):
            publish(out, files(OLD), FACTS)
            (out / "notes.txt").write_text("mine")
            filler = disk / "filler"
            space = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
            filler.write_bytes(b"x" * max(space - free * 4096, 0))
            try:
                publish(out, files(big), FACTS)
                built += 1
                assert read(out) == {**big, "notes.txt": "mine"}
            except OutputError as error:
                refused += 1
                assert "No space left on device" in error.message and str(disk) in error.message
                assert "free some space" in error.hint
                assert read(out) == {**OLD, "notes.txt": "mine"}
            assert sorted(each.name for each in disk.iterdir()) == ["build", "filler"]
            filler.unlink()
        print(refused, built)
    """
    done, built = map(int, private_mount(text, tmp_path).split())
    assert done >= 10
    assert built >= 10


def test_a_read_only_disk_is_refused(tmp_path):
    text = """
        import subprocess
        disk = Path(sys.argv[1])
        subprocess.run(["mount", "-t", "tmpfs", "small", disk], check=True)
        publish(disk / "build", files(OLD), FACTS)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for out in (disk / "build", disk / "fresh", disk / "a" / "b"):
            try:
                publish(out, files(NEW), FACTS)
            except OutputError as error:
                print(error.message)
        assert read(disk / "build") == OLD
    """
    lines = private_mount(text, tmp_path).splitlines()
    assert len(lines) == 3
    assert all(line.endswith("Read-only file system") and str(tmp_path) in line for line in lines)


def test_an_overlay_and_a_mount_point_work_or_are_refused(tmp_path):
    text = """
        import subprocess
        disk = Path(sys.argv[1])
        subprocess.run(["mount", "-t", "tmpfs", "small", disk], check=True)
        for name in ("low", "up", "work", "all"):
            (disk / name).mkdir()
        publish(disk / "low" / "baked", files(OLD), FACTS)
        layers = "lowerdir={0}/low,upperdir={0}/up,workdir={0}/work".format(disk)
        subprocess.run(["mount", "-t", "overlay", "o", "-o", layers, disk / "all"], check=True)
        publish(disk / "all" / "build", files(OLD), FACTS)
        publish(disk / "all" / "build", files(NEW), FACTS)
        assert read(disk / "all" / "build") == NEW
        for out in (disk / "all", disk / "all" / "baked"):
            before = sorted((disk / "all").rglob("*"))
            try:
                publish(out, files(NEW), FACTS)
                print("built")
                assert read(out) == NEW
            except OutputError as error:
                print(error.message)
                assert out == disk / "all" or read(out) == OLD
                assert sorted((disk / "all").rglob("*")) == before
    """
    lines = private_mount(text, tmp_path).splitlines()
    assert "mount point" in lines[0]
    assert lines[1] == "built" or "device" in lines[1]


def test_a_parent_without_write_permission_is_refused(built):
    built.parent.chmod(0o555)
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    try:
        ran = script(
            """
            for out in (Path(sys.argv[1]), Path(sys.argv[1]).with_name("other")):
                try:
                    publish(out, files(NEW), FACTS)
                except OutputError as error:
                    print(error.message, "|", error.hint)
            """,
            built,
            prefix=prefix,
        )
        text, errors = ran.communicate(timeout=60)
    finally:
        built.parent.chmod(0o755)
    assert text.count("Permission denied") == 2, errors
    assert text.count("ask for write permission") == 2
    assert read(built) == OLD


# --- 50, 51: memory, signals ---


def test_running_out_of_memory_while_an_artifact_is_made_leaves_the_old_tree(built):
    ran = script(
        """
        import resource
        def huge():
            yield from files(NEW)
            resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
            yield Artifact(PurePosixPath("tables/cables.parquet"), bytes(1 << 32))
        try:
            publish(Path(sys.argv[1]), huge(), FACTS)
        except MemoryError:
            print("no memory")
        """,
        built,
    )
    assert ran.communicate(timeout=60) == ("no memory\n", "")
    assert read(built) == OLD
    assert beside(built) == []


SLOW = """
    def slow():
        yield from files(NEW)
        print("waiting", flush=True)
        time.sleep(60)
    try:
        publish(Path(sys.argv[1]), slow(), FACTS)
    except BaseException as error:
        print(type(error).__name__, *error.args, flush=True)
"""


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "KeyboardInterrupt"),
        (signal.SIGTERM, "SystemExit 143"),
        (signal.SIGHUP, "SystemExit 129"),
    ],
)
def test_a_signal_takes_the_new_tree_away_and_is_raised(built, number, said):
    ran = script(SLOW, built)
    assert ran.stdout.readline() == "waiting\n"
    ran.send_signal(number)
    assert ran.communicate(timeout=20)[0].strip() == said
    assert read(built) == OLD
    assert beside(built) == []


def test_an_ignored_hangup_stays_ignored(built):
    ran = script("import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + textwrap.dedent(SLOW), built)
    assert ran.stdout.readline() == "waiting\n"
    ran.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    ran.send_signal(signal.SIGTERM)
    assert ran.communicate(timeout=20)[0].strip() == "SystemExit 143"


def test_a_signal_at_any_moment_leaves_a_whole_tree_and_no_leftovers(built):
    ran = script(
        """
        import signal
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # between two builds it would just kill
        trees = [NEW, OLD]
        try:
            print("ready", flush=True)
            while True:
                publish(Path(sys.argv[1]), files(trees[0]), FACTS)
                trees.reverse()
        except KeyboardInterrupt:
            raise SystemExit(130)
        """,
        built,
    )
    moments = random.Random(48)  # noqa: S311 - moments, not secrets
    for _ in range(15):
        assert ran.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0.0, 0.05))
        number = moments.choice([signal.SIGINT, signal.SIGTERM])
        ran.send_signal(number)
        _, errors = ran.communicate(timeout=20)
        assert ran.returncode == 128 + number, errors
        assert read(built) in (OLD, NEW)
        assert beside(built) == []
        ran = script(ran.args[2].removeprefix(SCRIPT_HEAD), built)
    ran.kill()
    ran.communicate()


@pytest.mark.parametrize(("step", "tree"), [("write", OLD), ("fsync", OLD), ("exchange", NEW), ("unlink", NEW)])
def test_a_signal_before_the_exchange_undoes_the_build_and_one_after_it_finds_it_done(built, step, tree):
    def interrupt(_call, args):
        if step != "fsync" or stat.S_ISDIR(os.fstat(args[0]).st_mode):  # folders: the last thing before
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        where = swap if step == "exchange" else os
        patch.setattr(where, step, Steps(interrupt, lambda _count: True).wrapped(getattr(where, step)))
        with pytest.raises(KeyboardInterrupt):
            publish(built, files(NEW), FACTS)
    assert read(built) == tree
    assert beside(built) == []


def test_a_build_off_the_main_thread_has_no_signals_to_defer(built):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(publish, built, files(NEW), FACTS).result()
    assert read(built) == NEW


def test_the_signal_handlers_of_the_caller_come_back(built):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    publish(built, files(NEW), FACTS)
    with pytest.raises(OutputError):
        publish(built, files({"x": ""}), FACTS)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


@pytest.mark.parametrize("error", [RuntimeError("template"), OSError(2, "no such template"), KeyboardInterrupt()])
def test_an_error_of_an_artifact_passes_as_it_is_and_leaves_the_old_tree(built, error):
    def broken():
        yield from files(NEW)
        raise error

    before = snapshot(built)
    with pytest.raises(type(error)) as caught:
        publish(built, broken(), FACTS)
    assert caught.value is error
    assert snapshot(built) == before
    assert beside(built) == []


# --- 52: two builds at once ---


@pytest.mark.parametrize("started", [True, False], ids=["rebuild", "first-build"])
def test_a_second_build_is_refused_and_names_the_first(out, started):
    if started:
        publish(out, files(OLD), FACTS)
    ran = script(SLOW, out)
    assert ran.stdout.readline() == "waiting\n"
    holder = json.loads((out.parent / ".build.lock").read_text())
    assert holder.keys() == {"pid", "host", "started"}
    error = refused(out, match=f"is being built by pid {ran.pid} on {os.uname().nodename}, started 2")
    assert "wait" in error.hint
    with pytest.raises(OutputError, match=f"pid {ran.pid}"):
        check(out, files(OLD), FACTS)
    ran.kill()
    ran.communicate()
    publish(out, files(NEW), FACTS)  # the lock of a dead process blocks nobody
    assert read(out) == NEW
    assert beside(out) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"pid": 1, "host": "elsewhere", "started": "1970-01-01T00:00:00+00:00"}',
        '{"pid": [[[[',
        '{"pid": 4194304, "host": "h", "started": "2100-01-01"}\n' + " " * 9000,
    ],
)
def test_a_stale_lock_is_taken_over_silently(built, text):
    (built.parent / ".build.lock").write_text(text)
    publish(built, files(NEW), FACTS)
    assert read(built) == NEW
    assert beside(built) == []


def test_a_lock_file_that_is_not_ours_is_left_alone(built):
    lock = built.parent / ".build.lock"
    lock.write_text("shopping list")
    refused(built, match="is not a lock file of ours")
    lock.unlink()
    (built.parent / "precious").write_text('{"a": 1}')
    lock.hardlink_to(built.parent / "precious")
    refused(built, match="is not a lock file of ours")
    lock.unlink()
    lock.symlink_to(built.parent / "precious")
    refused(built, match="symbolic links")
    lock.unlink()
    os.mkfifo(lock)
    refused(built, match="is not a lock file of ours")
    lock.unlink()
    lock.mkdir()
    refused(built, match="Is a directory")
    assert (built.parent / "precious").read_text() == '{"a": 1}'


def test_a_lock_file_taken_away_while_it_is_being_locked_is_not_mistaken_for_a_lock(built, monkeypatch):
    flock, lock = fcntl.flock, built.parent / ".build.lock"

    def late(descriptor, operation):
        if os.fstat(descriptor).st_size == 0 and not tries:  # its holder ends just now
            lock.unlink()
        tries.append(descriptor)
        flock(descriptor, operation)

    def watched():
        yield from files(NEW)
        with lock.open() as other, pytest.raises(BlockingIOError):
            flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    tries = []
    monkeypatch.setattr(fcntl, "flock", late)
    publish(built, watched(), FACTS)
    assert len(tries) == 2


def test_many_builds_at_once_end_in_one_whole_tree(built):
    racer = """
        texts = {path: text + sys.argv[2] for path, text in NEW.items()}
        done = 0
        for _ in range(20):
            try:
                publish(Path(sys.argv[1]), files(texts), FACTS)
                done += 1
                texts = {path: text + "." for path, text in texts.items()}
            except OutputError as error:
                assert "is being built by" in error.message, error.message
        print(done)
    """
    runs = [script(racer, built, name) for name in "abcd"]
    outputs = [run.communicate(timeout=120) for run in runs]
    assert all(run.returncode == 0 for run in runs), outputs
    assert sum(int(text) for text, _ in outputs) >= 1
    assert beside(built) == []
    texts = read(built)
    assert texts.keys() == NEW.keys()
    assert len({texts[path].removeprefix(NEW[path]) for path in texts}) == 1
    assert check(built, files(texts), FACTS) == []


# --- 53: places that are not for building ---


@pytest.mark.parametrize("content", ["notes.txt", ".hidden", "plan.txt", "tables/mine.parquet"])
@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_not_ours_is_refused(out, content, force):
    (out / content).parent.mkdir(parents=True)
    (out / content).write_text("mine")
    (out / "other").write_text("mine")
    refused(out, match=r"is not empty and has no plan\.json of ours", force=force)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("stranger", ['{"terraform_version": "1.9", "artifacts": []}', "[]", "hello", ""])
def test_someone_elses_plan_json_does_not_make_a_folder_ours(out, stranger, force):
    out.mkdir()
    (out / "plan.json").write_text(stranger)
    (out / "main.tf").write_text("mine")
    if force:
        publish(out, files(NEW), FACTS, force=True)
        assert read(out) == {**NEW, "main.tf": "mine"}
    else:
        refused(out, match=r"plan\.json (is not|does not)")


def test_root_home_repository_and_the_spec_are_refused(built, monkeypatch):
    with pytest.raises(OutputError, match="/ cannot be an output folder"):
        publish(Path("/"), files(NEW), FACTS, force=True)
    with monkeypatch.context() as patch:
        patch.setenv("HOME", str(built))
        refused(built, match="is or holds a home folder", force=True)
        patch.setenv("HOME", str(built / "tables"))
        refused(built, match="is or holds a home folder")
    (built / ".git").mkdir()
    refused(built, match="is the root of a repository", force=True)
    (built / ".git").rmdir()
    (built / ".git").write_text("gitdir: ../elsewhere")
    refused(built, match="is the root of a repository")
    (built / ".git").unlink()
    refused(built, match="which this build reads", forbidden=[built])
    refused(built, match="which this build reads", forbidden=[built.parent, built / "tables"])
    (built.parent / "alias").symlink_to(built)
    refused(built, match="which this build reads", forbidden=[built.parent / "alias" / "stages"])
    publish(built, files(NEW), FACTS, forbidden=[built.parent, built.parent / "spec"])


def test_the_inside_of_a_git_folder_and_the_names_beside_out_are_refused(out):
    (out.parent / ".git").mkdir()
    refused(out.parent / ".git/build", match="is inside a .git folder")
    for name in (".build.lock", ".build.new-1", ".build.swap-12", ".build.versions"):
        refused(out.parent / name, match="builds keep for themselves")


def test_the_folder_one_stands_in_is_not_taken_away(built, monkeypatch):
    monkeypatch.chdir(built / "tables")
    refused(built, match="is or holds the folder you are in")
    monkeypatch.chdir(built)
    refused(built, match="is or holds the folder you are in")
    refused(Path("tables"), match=r"not empty and has no plan\.json")


@pytest.mark.parametrize("kind", ["file", "fifo", "socket"])
def test_out_that_is_no_folder_is_refused(out, kind):
    if kind == "file":
        out.write_text("mine")
    elif kind == "fifo":
        os.mkfifo(out)
    else:
        os.mknod(out, 0o140644)
    refused(out, match="is a file, not a folder", force=True)
    with pytest.raises(OutputError):
        publish(out / "below", files(NEW), FACTS)


@pytest.mark.parametrize("stranger", ["findings.sarif", "findings.sarif/", "stages/s2", "stages/s2/slurm/main/"])
def test_what_stands_where_a_new_file_belongs_is_never_replaced(built, stranger):
    target = built / stranger
    if stranger.endswith("/"):
        target.mkdir(parents=True)
        (target / "slurm.conf").write_text("mine")
    else:
        target.write_text("mine")
    for force in (False, True):
        refused(
            built,
            match="is not ours and stands where this build writes",
            artifacts={**NEW, "findings.sarif": "{}"},
            force=force,
        )


# --- 54: links ---


@pytest.mark.parametrize("absolute", [True, False])
def test_out_or_a_folder_on_the_way_that_is_a_link_is_refused(tmp_path, monkeypatch, absolute):
    monkeypatch.chdir(tmp_path)
    base = tmp_path if absolute else Path()
    (tmp_path / "target/inner").mkdir(parents=True)
    publish(tmp_path / "target/tree", files(OLD), FACTS)
    for name, to in {"link": "target", "tree": "target/tree", "broken": "nowhere"}.items():
        (tmp_path / name).symlink_to(to)
    (tmp_path / "target/out").symlink_to("inner")
    before = snapshot(tmp_path)
    for out in ("link/build", "link/inner/build", "link", "tree", "broken", "broken/x", "target/out"):
        with pytest.raises(OutputError, match="is a symbolic link"):
            publish(base / out, files(NEW), FACTS, force=True)
    assert snapshot(tmp_path) == before


def test_a_link_above_the_working_folder_is_the_users_own_way(tmp_path, monkeypatch):
    (tmp_path / "real/work").mkdir(parents=True)
    (tmp_path / "alias").symlink_to("real")
    monkeypatch.chdir(tmp_path / "alias/work")
    publish(tmp_path / "alias/work/build", files(OLD), FACTS)
    publish(Path("other"), files(OLD), FACTS)
    assert read(tmp_path / "real/work/build") == read(tmp_path / "real/work/other") == OLD


def test_a_link_that_only_looks_like_a_version_link_is_refused(out):
    (out.parent / ".build.versions").symlink_to("elsewhere")
    (out.parent / "elsewhere/1").mkdir(parents=True)
    for target in (
        ".build.versions/1",
        ".build.versions/../elsewhere/1",
        ".other.versions/1",
        ".build.versions/01",
    ):
        out.symlink_to(target)
        refused(out, match="is a symbolic link")
        out.unlink()


def test_versions_are_never_written_through_a_link(out, monkeypatch):
    monkeypatch.setattr(swap, "exchange", refuse_exchange)
    (out.parent / "elsewhere").mkdir()
    (out.parent / ".build.versions").symlink_to("elsewhere")
    with pytest.raises(OutputError, match=r"versions is not a folder of ours"):
        publish(out, files(NEW), FACTS)
    assert beside(out) == [".build.versions", "elsewhere"]
    assert list((out.parent / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("path", ["findings.json", "tables/nodes.parquet", "plan.json"])
@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_file_of_ours_that_became_a_link_is_refused_and_its_target_untouched(built, path, kind):
    target = built.parent / "precious"
    (built / path).rename(target)
    before = target.read_bytes()
    if kind == "symbolic":
        (built / path).symlink_to(target)
    else:
        (built / path).hardlink_to(target)
    refused(built, match=f"{Path(path).name}.*(a symbolic link|hard-linked from 1 other place)")
    publish(built, files(NEW), FACTS, force=True)
    assert read(built) == (
        {**NEW, "tables/nodes.parquet": "nodes"} if path == "plan.json" and kind == "symbolic" else NEW
    )
    assert target.read_bytes() == before
    assert not (built / path).is_symlink()
    assert target.stat().st_nlink == 1


def test_a_folder_of_ours_that_became_a_link_is_refused_even_with_force(built):
    (built / "tables").rename(built.parent / "moved")
    (built / "tables").symlink_to(built.parent / "moved")
    refused(built, match="tables is not ours and stands where this build writes")
    refused(built, match="tables is not ours and stands where this build writes", force=True)


# --- 55: an exchange that fails is not a reason to lose anything ---


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_exchange_is_not_supported_a_link_is_flipped(built, monkeypatch, number):
    def refuse(*_names):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(swap, "exchange", refuse)
    publish(built, files(NEW), FACTS)
    assert built.is_symlink()
    assert read(built) == NEW


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.EXDEV])
def test_where_exchange_fails_for_another_reason_the_old_tree_stands(built, monkeypatch, number):
    def refuse(*_names):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(swap, "exchange", refuse)
    refused(built, match=os.strerror(number))


def test_the_exchange_is_one_call_of_the_kernel(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(name)
    swap.exchange(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "one/two").exists()
    assert (tmp_path / "two/one").exists()
    with pytest.raises(FileNotFoundError):
        swap.exchange(tmp_path / "one", tmp_path / "missing")


def test_everything_is_on_the_disk_before_the_exchange_and_the_exchange_is_too(built, monkeypatch):
    settled, unsettled = set(), []
    fsync, exchange = os.fsync, swap.exchange

    def note(descriptor):
        fsync(descriptor)
        settled.add(os.fstat(descriptor).st_ino)

    def look(new, old):
        linked = {path.stat().st_ino for path in old.rglob("*") if path.is_file()}
        needed = {path.stat().st_ino for path in [new, *new.rglob("*")]} - linked
        unsettled.extend(needed - settled)
        settled.discard(old.parent.stat().st_ino)
        exchange(new, old)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(swap, "exchange", look)
    publish(built, files(NEW), FACTS)
    assert unsettled == []
    assert built.parent.stat().st_ino in settled


# --- 56: edits and broken manifests ---


@pytest.mark.parametrize(
    ("path", "change", "fault"),
    [
        ("findings.json", lambda file: file.write_text("{}\n"), "edited"),
        ("findings.json", lambda file: file.write_text("[]\n\n"), "edited"),
        ("tables/nodes.parquet", lambda file: file.write_text("NODES"), "edited"),
        ("tables/nodes.parquet", lambda file: file.unlink(), "missing"),
        ("tables/nodes.parquet", lambda file: (file.unlink(), os.mkfifo(file)), "not a file"),
        ("stages/s1/slurm/main/slurm.conf", lambda file: shutil.rmtree(file.parents[3]), "missing"),
    ],
)
def test_a_changed_file_is_named_and_replaced_only_by_force(built, path, change, fault):
    change(built / path)
    error = refused(built, match=f"is not as it was built: {path} \\({fault}\\)")
    assert "--force" in error.hint
    assert f"{path}: {fault}" in check(built, files(OLD), FACTS)
    publish(built, files(NEW), FACTS, force=True)
    assert read(built) == NEW
    assert beside(built) == []


def test_a_file_edited_while_the_build_runs_is_named(built):
    def meddled():
        yield from files(NEW)
        (built / "tables/nodes.parquet").write_text("edited just now")

    with pytest.raises(OutputError, match=r"nodes\.parquet \(edited during the build\)"):
        publish(built, meddled(), FACTS)
    assert (built / "tables/nodes.parquet").read_text() == "edited just now"
    assert beside(built) == []


def test_many_changed_files_are_counted(built):
    many = {f"tables/t{number}.parquet": "t" for number in range(9)}
    publish(built, files(many), FACTS)
    for path in many:
        (built / path).write_text("edited")
    refused(built, match=r"t0\.parquet \(edited\), .* and 4 more$")


def with_plan(change):
    def act(file):
        plan = json.loads(file.read_bytes())
        change(plan)
        file.write_text(json.dumps(plan, indent=2, sort_keys=True) + "\n")

    return act


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-40]), "is not whole JSON"),
        (lambda file: file.write_bytes(b""), "is not whole JSON"),
        (lambda file: file.write_bytes(b"\xff\xfe\x00"), "is not whole JSON"),
        (lambda file: file.write_bytes(b"[" * 100_000), "is not whole JSON"),
        (lambda file: file.write_bytes(b'{"a": ' + b"1" * 5000 + b"}"), "is not whole JSON"),
        (lambda file: file.write_bytes(b"[1, 2]"), "is not a plan of this program"),
        (with_plan(lambda plan: plan.update(schema_version=2)), "has schema version 2; this program reads 1"),
        (with_plan(lambda plan: plan.update(schema_version="1")), "has schema version '1'"),
        (with_plan(lambda plan: plan.update(cluster="other")), "was edited"),
        (with_plan(lambda plan: plan["artifacts"].pop()), "was edited"),
        (with_plan(lambda plan: plan["artifacts"][0].update(sha256="0" * 64)), "was edited"),
        (with_plan(lambda plan: plan.update(x=float("nan"))), "does not list its files"),
        (with_plan(lambda plan: plan.pop("artifacts")), "does not list its files"),
        (with_plan(lambda plan: plan.pop("plan_sha256")), "does not list its files"),
        (with_plan(lambda plan: plan["artifacts"][0].update(path="../../x")), "does not list its files"),
        (lambda file: (file.unlink(), os.mkfifo(file)), "is not a file"),
    ],
)
def test_a_manifest_that_does_not_read_is_named_and_nothing_is_deleted(built, change, reason):
    change(built / "plan.json")
    error = refused(built, match=f"plan.json {reason}")
    assert "--force" in error.hint
    assert check(built, files(OLD), FACTS)[0].startswith(f"plan.json: {reason}")
    publish(built, files(NEW), FACTS, force=True)
    assert read(built) == {**NEW, "tables/nodes.parquet": "nodes"}  # no list, no deletion


@pytest.mark.parametrize("path", ["../precious", "/etc/hostname", "tables/../../precious", "a//b", "plan.json", ""])
def test_a_manifest_cannot_name_a_file_outside_its_folder(built, path):
    (built.parent / "precious").write_text("mine")
    plan = json.loads((built / "plan.json").read_bytes())
    plan["artifacts"][0]["path"] = path
    listed = plan.pop("artifacts")
    plan.pop("plan_sha256")
    # Render an honest list, put the bad path in, and sign the result as this program would.
    text = render(plan, []).decode().replace('"artifacts": []', '"artifacts": ' + json.dumps(listed))
    (built / "plan.json").write_text(text)
    refused(built, match=r"plan\.json (does not list|was edited)")
    publish(built, files(NEW), FACTS, force=True)
    assert (built.parent / "precious").read_text() == "mine"


def test_a_tree_that_lost_its_manifest_is_rebuilt_only_by_force(built):
    (built / "plan.json").unlink()
    refused(built, match=r"is not empty and has no plan\.json of ours")
    publish(built, files(NEW), FACTS, force=True)
    assert read(built) == {**NEW, "tables/nodes.parquet": "nodes"}
    (built / "plan.json").unlink()
    (built / "notes.txt").write_text("mine")
    refused(built, match=r"is not empty and has no plan\.json of ours", force=True)


# --- 57: lengths and strange names ---


def with_length(folder, length):
    """A path below a folder that has exactly `length` bytes."""
    while length - len(os.fsencode(folder)) > 201:
        folder /= "d" * 100
    return folder / ("d" * (length - len(os.fsencode(folder)) - 1))


def test_a_path_that_is_too_long_is_refused_before_anything_is_written(out):
    before = snapshot(out.parent)
    for bad, match in {
        out / ("n" * 250): "a name on this path is too long",
        out / ("n" * 300) / "x": "a name on this path is too long",
        with_length(out, folders.PATH_BYTES - 10): "the path has 4",
        with_length(out, 3 * folders.PATH_BYTES): "the path has 12",
    }.items():
        with pytest.raises(OutputError, match=match):
            publish(bad, files(NEW), FACTS)
    almost = with_length(out, folders.PATH_BYTES - 60)  # OUT fits, and so do all artifacts but the last
    publish(almost, files({"findings.json": ""}), FACTS)
    assert (almost / "findings.json").exists()
    shutil.rmtree(out)
    with pytest.raises(OutputError, match="the path has 41"):
        publish(almost, files({"findings.json": "", f"stages/{'s' * 90}/slurm/m/slurm.conf": ""}), FACTS)
    assert snapshot(out.parent) == before
    refused(out, match="a name on this path is too long", artifacts={f"tables/{'t' * 250}.parquet": ""})


def test_paths_that_differ_only_in_case_are_refused(out, monkeypatch):
    monkeypatch.setattr("topology.artifacts.output.draft.check_path", lambda _path: None)
    for pair in (("a/X", "a/x"), ("plan.JSON", "b"), ("straße", "STRASSE")):
        refused(out, match="two files of this build want one path", artifacts=dict.fromkeys(pair, ""))


@pytest.mark.parametrize("name", ["with space", "ünï", "new\nline", "\x1b[31m", "-rf", "a'b\"c", "…" * 60])
def test_strange_names_of_out_work_and_never_break_a_line(out, name):
    strange = out.with_name(name)
    publish(strange, files(OLD), FACTS)
    publish(strange, files(NEW), FACTS)
    assert read(strange) == NEW
    (strange / "findings.json").write_text("edited")
    error = refused(strange, match="is not as it was built")
    assert error.message.isprintable()


def test_out_with_a_nul_byte_is_refused(out):
    with pytest.raises(OutputError, match="holds a NUL byte"):
        publish(Path(f"{out}\0x"), files(NEW), FACTS)
