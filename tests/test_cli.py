"""Commands: exit codes, streams, signals, and what is left standing after each."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from topology.cli.codes import every_rule

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
ERRORS = ROOT / "tests" / "errors"
SPEC = GOLDEN / "gb300-two-units" / "cluster.yaml"
TOPOLOGY = [sys.executable, "-m", "topology"]


def tree(out: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and times of every file."""
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A build of SPEC to copy."""
    out = tmp_path_factory.mktemp("built") / "out"
    subprocess.run([*TOPOLOGY, "build", str(SPEC), "-o", str(out)], check=True, capture_output=True)
    return out


def test_a_started_folder_builds_as_it_stands(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("init", "mysite").code == 0
    assert cli("check", "mysite/cluster.yaml").out == "mysite: no findings\n"
    assert cli("build", "mysite/cluster.yaml").code == 0


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "Über", "con\n", "x" * 41])
def test_a_name_that_is_none_is_refused_and_nothing_is_made(cli, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("init", "--", name).code == 2
    assert list(tmp_path.iterdir()) == []


def test_what_a_started_folder_builds_next_stays_out_of_git(tmp_path):
    def run(*words, cwd=tmp_path):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": "/dev/null"}
        return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=True).stdout

    run("git", "init", "--quiet")
    next_line = run(*TOPOLOGY, "init", "mysite").partition("next: ")[2].strip()
    assert next_line == "cd mysite && topology build cluster.yaml"
    run("/bin/sh", "-c", next_line.replace("topology", " ".join(TOPOLOGY)))
    assert (tmp_path / "mysite" / "build" / "mysite" / "plan.json").is_file()
    status = run("git", "status", "--porcelain", "--untracked-files=all")
    assert status.splitlines() == ["?? mysite/.gitignore", "?? mysite/cluster.yaml"]


@pytest.mark.parametrize("command", ["check", "build", "whatif"])
def test_a_folder_for_a_spec_is_answered_with_the_spec_in_it(command, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli("init", "mysite")
    more = ["--fail", "x"] if command == "whatif" else []
    run = cli(command, "mysite", *more)
    assert run.code == 2
    assert "help: name mysite/cluster.yaml" in run.out + run.err
    (tmp_path / "empty").mkdir()
    run = cli(command, "empty", *more)
    assert "help: name a file, or - for stdin" in run.out + run.err


@pytest.mark.parametrize("length", [250, 251, 600])
def test_names_as_long_as_a_file_system_takes_are_read_and_longer_ones_refused(length, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"{'x' * length}.yaml"
    fits = len(name) <= 255  # bytes of a name: NAME_MAX of Linux
    if fits:
        Path(name).write_text(SPEC.read_text())
    assert cli("check", name).code == (0 if fits else 2)
    assert cli("build", name, "--only", "slurm").code == (0 if fits else 2)
    run = cli("diff", name, str(SPEC), "--fail-on", "never")
    assert run.code == (0 if fits else 2)
    for words in (("build", str(SPEC), "-o", "y" * length), ("verify", name * 3), ("deploy", "status", name * 3)):
        run = cli(*words)
        assert (run.code, run.err.startswith("error: ")) == (2, True), run.err
        assert "  help: " in run.err or words[0] == "deploy"


def test_init_leaves_what_is_there_alone(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    run = cli("init", "mine")
    assert (run.code, list((tmp_path / "mine").iterdir())) == (2, [])
    assert "is there already" in run.err


@pytest.mark.parametrize("spec", sorted(ERRORS.glob("*.yaml")), ids=lambda spec: spec.stem)
def test_a_broken_spec_harms_no_older_build_and_shows_no_traceback(cli, spec, built, tmp_path, monkeypatch):
    monkeypatch.chdir(ERRORS)
    out = tmp_path / "out"
    shutil.copytree(built, out)
    before = tree(out)
    words = spec.with_suffix(".txt").read_text()
    run = cli("build", spec.name, "-o", str(out))
    if "error[" in words:
        unreadable = "error[S1" in words
        assert (run.code, run.out, run.err) == (2 if unreadable else 1, "", words)
        assert tree(out) == before
    else:
        assert run.code in {0, 2}  # it builds; into a folder of another cluster's files it may not
    assert "Traceback" not in run.out + run.err


def test_the_same_build_twice_touches_nothing(cli, tmp_path):
    out = tmp_path / "out"
    cli("build", str(SPEC), "-o", str(out))
    before = tree(out)
    run = cli("build", str(SPEC), "-o", str(out))
    assert "0 written" in run.out
    assert tree(out) == before


def test_a_stage_or_a_target_alone_keeps_the_rest_of_the_same_plan(cli, tmp_path):
    out = tmp_path / "out"
    cli("build", str(SPEC), "-o", str(out))
    before = tree(out)
    assert cli("build", str(SPEC), "-o", str(out), "--only", "slurm", "--stage", "first").code == 0
    assert tree(out) == before


def test_a_stage_alone_has_only_its_own_files(cli, tmp_path):
    out = tmp_path / "out"
    cli("build", str(SPEC), "-o", str(out), "--only", "slurm", "--stage", "first")
    assert {path.split("/")[1] for path in tree(out) if path.startswith("stages/")} == {"first"}
    assert not (out / "tables").exists()


def test_what_another_spec_left_is_not_kept(cli, tmp_path):
    out, spec = tmp_path / "out", tmp_path / "spec.yaml"
    spec.write_text(SPEC.read_text())
    cli("build", str(spec), "-o", str(out))
    spec.write_text(SPEC.read_text().replace("imex_channels: 1024", "imex_channels: 2048"))
    cli("build", str(spec), "-o", str(out), "--only", "slurm", "--stage", "first")
    assert not (out / "tables").exists()
    assert not (out / "stages" / "second").exists()


def test_check_tells_a_stale_folder_from_a_fresh_one(cli, tmp_path):
    out, spec = tmp_path / "out", tmp_path / "spec.yaml"
    spec.write_text(SPEC.read_text())
    assert cli("build", str(spec), "-o", str(out), "--check").code == 3
    cli("build", str(spec), "-o", str(out))
    assert cli("build", str(spec), "-o", str(out), "--check").code == 0
    spec.write_text(SPEC.read_text().replace("imex_channels: 1024", "imex_channels: 2048"))
    before = tree(out)
    run = cli("build", str(spec), "-o", str(out), "--check")
    assert run.code == 3
    assert "stages/first/slurm/gb300-two-units/slurm.conf" in run.out
    assert tree(out) == before


def test_an_edited_file_is_named_and_kept_until_forced(cli, tmp_path):
    out = tmp_path / "out"
    cli("build", str(SPEC), "-o", str(out))
    edited = out / "stages" / "first" / "slurm" / "gb300-two-units" / "slurm.conf"
    edited.write_text(edited.read_text() + "# mine\n")
    run = cli("build", str(SPEC), "-o", str(out))
    assert run.code == 2
    assert "slurm.conf" in run.err
    assert edited.read_text().endswith("# mine\n")
    assert cli("build", str(SPEC), "-o", str(out), "--force").code == 0
    assert not edited.read_text().endswith("# mine\n")


@pytest.mark.parametrize("arguments", [["--only", "slrum"], ["--stage", "frist"], ["--format", "xml"], ["--nope"]])
def test_wrong_use_exits_with_2_and_one_clear_message(cli, arguments, tmp_path):
    run = cli("build", str(SPEC), "-o", str(tmp_path / "out"), *arguments)
    assert (run.code, run.out) == (2, "")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_check_speaks_to_machines_on_stdout_alone(cli, form):
    for spec in (SPEC, ERRORS / "plan-rack-over-power.yaml"):
        run = cli("check", str(spec), "--format", form)
        assert run.err == ""
        if form != "github":
            json.loads(run.out)
        else:
            assert all(line.startswith("::") for line in run.out.splitlines())


def test_severity_is_the_runs(cli):
    spec = str(ERRORS / "plan-leaves-half-empty.yaml")
    assert cli("check", spec).code == 0
    assert cli("check", spec, "--fail-on", "warning").code == 1
    assert cli("check", spec, "--error", "N3").code == 1
    assert cli("check", str(ERRORS / "plan-rack-over-power.yaml"), "--warn", "L202").code == 0


def test_standard_input_is_a_spec(tmp_path):
    run = subprocess.run(
        [*TOPOLOGY, "build", "-", "-o", str(tmp_path / "out")],
        input=SPEC.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0
    assert (tmp_path / "out" / "plan.json").exists()


def test_a_closed_standard_input_is_an_empty_spec():
    run = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m topology check - <&-"], capture_output=True, check=False
    )
    assert run.returncode == 2
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["interrupt", "terminate"]
)
def test_a_signal_ends_the_run_quietly_and_leaves_the_old_tree_whole(sent, code, cli, tmp_path):
    out = tmp_path / "out"
    assert cli("build", str(SPEC), "-o", str(out)).code == 0
    before = tree(out)
    slow = ROOT / "stacks" / "colossus-1m" / "cluster.yaml"
    with subprocess.Popen(
        [*TOPOLOGY, "build", str(slow), "-o", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        while not list(tmp_path.glob(".out.new-*/tables/*")):  # it writes now
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(sent)
        said, wrong = run.communicate()
    assert run.returncode in {code, -sent}
    assert b"Traceback" not in said + wrong
    assert tree(out) == before
    assert list(tmp_path.glob(".out.new-*")) == []


def test_a_reader_that_leaves_early_gets_no_traceback():
    command = f"{sys.executable} -m topology explain | head -n 1; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["/bin/bash", "-c", command], capture_output=True, check=False)
    assert run.returncode in {0, 141}
    assert b"Traceback" not in run.stderr


def test_no_colour_or_progress_reaches_a_pipe(tmp_path):
    run = subprocess.run(
        [*TOPOLOGY, "build", str(SPEC), "-o", str(tmp_path / "out")],
        capture_output=True, check=True, env={**os.environ, "FORCE_COLOR": "", "TERM": "xterm-256color"},
    )  # fmt: skip
    assert b"\x1b" not in run.stdout + run.stderr


def test_every_rule_can_be_explained(cli):
    listed = cli("explain").out
    for code, rule in every_rule().items():
        assert f"{code}  {rule.sentence}\n" in listed
        assert rule.because in cli("explain", code.lower()).out
    assert cli("explain", "Z999").code == 2


def test_an_internal_error_says_whose_fault_it_is(cli, monkeypatch):
    monkeypatch.setattr("topology.cli.session.read", lambda _spec: 1 // 0)
    run = cli("check", str(SPEC))
    assert (run.code, run.out) == (70, "")
    assert "internal error at" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["build", "--help"]])
def test_help_and_version_need_no_tables(arguments):
    code = (
        f"import sys; sys.argv = ['topology', *{arguments!r}]\n"
        "from topology.cli import main\n"
        "try: main()\n"
        "finally: assert 'polars' not in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_one_run_of_diff_writes_markdown_of_two_lengths(cli, tmp_path):
    short, long = tmp_path / "short.md", tmp_path / "long.md"
    sides = (str(GOLDEN / "one-rack" / "cluster.yaml"), str(GOLDEN / "power-tree" / "cluster.yaml"))
    forms = ("-f", f"markdown={short}", "-f", f"markdown:900000={long}", "--max-chars", "6000")
    assert cli("diff", *sides, *forms, "--fail-on", "never").code == 0
    assert len(short.read_text()) <= 6000 < len(long.read_text())
    for form in ("markdown:4999", "markdown:", "markdown:x", "json:9000"):
        run = cli("diff", *sides, "-f", form)
        assert (run.code, f"'{form}' is no format; write markdown:5000 or more" in run.err) == (2, True), run.err
