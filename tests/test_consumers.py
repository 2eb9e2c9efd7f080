"""`make consumers`: what apt brings as root or with sudo, and what is said where it may not."""

import subprocess
import sys
from pathlib import Path

import pytest

from topology.verify import debian
from topology.verify.cache import UnavailableError

ROOT = Path(__file__).parents[1]
SAY = '#!/bin/sh\necho "$(basename "$0") $*" >>"$LOG"\n'


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with an apt-get that only tells what it is asked for."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    program(tmp_path, "apt-get", SAY)
    return tmp_path


def program(machine, name, text):
    (machine / "bin" / name).write_text(text)
    (machine / "bin" / name).chmod(0o755)


@pytest.mark.parametrize("user", ["root", "a user with sudo"])
def test_apt_is_asked_by_root_or_through_sudo(user, machine, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0 if user == "root" else 1000)
    program(machine, "sudo", f'{SAY}shift\nexec "$@"\n')
    debian.install("redis-server")
    said = (machine / "log").read_text().splitlines()
    assert [line for line in said if line.startswith("apt-get")] == [
        "apt-get -qq update",
        "apt-get -qq install -y --no-install-recommends redis-server",
    ]
    assert any(line.startswith("sudo -n") for line in said) == (user != "root")


@pytest.mark.parametrize("sudo", ["#!/bin/sh\necho a password is required >&2\nexit 1\n", None])
def test_who_may_not_install_is_told_what_to_install(sudo, machine, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(machine / "bin"))
    if sudo:
        program(machine, "sudo", sudo)
    with pytest.raises(UnavailableError, match=r"install as root, or with sudo: apt-get install redis-server"):
        debian.install("redis-server")
    assert not (machine / "log").exists()


def test_what_is_left_out_is_said_outside_ci(monkeypatch):
    lines = (
        "import runpy, sys\n"
        "from topology.verify.cache import UnavailableError\n"
        "def refused(): raise UnavailableError('apt says no')\n"
        f"made = runpy.run_path({str(ROOT / '.ci' / 'consumers.py')!r})\n"
        "made['SYSTEM'].clear(); made['CONSUMERS'].clear()\n"
        "made['SYSTEM']['PostgreSQL and Redis'] = refused\n"
        "sys.exit(made['main']())\n"
    )
    monkeypatch.delenv("CI", raising=False)
    run = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (run.returncode, run.stderr) == (0, "warning: tests are left out, no PostgreSQL and Redis: apt says no\n")
