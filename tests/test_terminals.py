"""Streams that are full, closed or left by their reader; plain terminals; little memory; no working directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from topology.cli import streams

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
SPEC, OTHER = GOLDEN / "one-rack" / "cluster.yaml", GOLDEN / "power-tree" / "cluster.yaml"
TOPOLOGY = f"{sys.executable} -m topology"
COMMANDS = {
    "help": "--help",
    "version": "--version",
    "explain": "explain",
    "init": "init mysite",
    "check": f"check {SPEC}",
    "build": f"build {SPEC} -o out",
    "diff": f"diff {SPEC} {OTHER} --fail-on never",
    "whatif": f"whatif {OTHER} --fail h1-transformer-01",
}


def shell(command, cwd, **env):
    """One line of bash; its exit code and what it said."""
    return subprocess.run(
        ["/bin/bash", "-c", command],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("to", "words"), [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_a_result_that_cannot_be_written_is_told_in_one_line(command, to, words, tmp_path):
    run = shell(f"{TOPOLOGY} {COMMANDS[command]} {to}", tmp_path)
    *before, error, help_ = run.stderr.splitlines()
    assert run.returncode == 2
    assert error == f"error: cannot write to standard output: {words}"
    assert help_.startswith("  help: ")
    assert not any(line.startswith("error:") for line in before)
    assert "Nothing was written" not in run.stderr
    assert command != "build" or (tmp_path / "out" / "plan.json").is_file()
    assert command != "init" or (tmp_path / "mysite" / "cluster.yaml").is_file()


@pytest.mark.parametrize("command", ["check", "build"])
@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full", "<&-", "TERM=dumb", "HOME=", "TMPDIR=/nowhere"])
def test_a_run_needs_no_messages_no_input_and_no_home(command, to, tmp_path):
    line = f"{to} {TOPOLOGY} {COMMANDS[command]}" if to[0].isalpha() else f"{TOPOLOGY} {COMMANDS[command]} {to}"
    run = shell(line, tmp_path)
    assert (run.returncode, bool(run.stdout)) == (0, True), run.stderr


@pytest.mark.parametrize("command", ["help", "explain", "diff"])
def test_a_reader_that_leaves_ends_the_run_as_a_closed_pipe_does(command, tmp_path):
    run = shell(f"{TOPOLOGY} {COMMANDS[command]} | true; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (run.returncode, run.stderr) in {(141, ""), (0, "")}


@pytest.mark.parametrize("command", ["help", "build", "diff"])
def test_a_terminal_of_ascii_shows_words_instead_of_a_traceback(command, tmp_path):
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = shell(f"{TOPOLOGY} {COMMANDS[command]}", tmp_path, **plain)
    assert run.returncode == 0, run.stderr
    assert (run.stdout + run.stderr).isascii()
    assert "\\u" not in run.stdout + run.stderr


def test_every_character_of_our_own_words_has_plain_ones():
    ours = {*(ROOT / "topology").rglob("*.py"), *(ROOT / "templates").rglob("*.j2")}
    used = {letter for file in ours for letter in file.read_text(encoding="utf-8") if not letter.isascii()}
    streams.register()
    assert {letter for letter in used if "\\u" in letter.encode("ascii", streams.HANDLER).decode()} == set()


@pytest.mark.parametrize("command", ["help", "explain", "check", "diff"])
def test_a_working_directory_that_is_gone_is_needed_by_no_absolute_path(command, tmp_path):
    run = shell(f"mkdir gone && cd gone && rmdir ../gone && {TOPOLOGY} {COMMANDS[command]}", tmp_path)
    assert (run.returncode, bool(run.stdout), run.stderr) == (0, True, "")


@pytest.mark.parametrize(
    "command", ["init mysite", f"build {SPEC}", f"build {SPEC} -o out", "diff a b", "verify build/x"]
)
def test_a_working_directory_that_is_gone_is_told(command, tmp_path):
    run = shell(f"mkdir gone && cd gone && rmdir ../gone && {TOPOLOGY} {command}", tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert len([line for line in run.stderr.splitlines() if line.startswith("error:")]) == 1
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(("command", "kib"), [("check", 200_000), ("build", 400_000), ("diff", 800_000)])
def test_little_memory_is_told_in_one_line(command, kib, tmp_path):
    run = shell(f"ulimit -v {kib}; {TOPOLOGY} {COMMANDS[command]}", tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    error, help_ = run.stderr.splitlines()
    assert error == f"error: there is not enough memory; {kib / 1024:,.0f} MiB are allowed here (ulimit -v)"
    assert help_.startswith("  help: allow more")
    assert list(tmp_path.iterdir()) == []


def test_enough_memory_under_a_limit_changes_nothing(tmp_path):
    run = shell(f"ulimit -v 8000000; {TOPOLOGY} check {SPEC}; exit $?", tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "one-rack: no findings\n", "")
    broken = ROOT / "tests" / "errors" / "plan-rack-over-power.yaml"
    assert shell(f"ulimit -v 8000000; {TOPOLOGY} check {broken}", tmp_path).returncode == 1
