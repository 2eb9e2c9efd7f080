import pytest

from topology.verify import debian
from topology.verify.slurm_packages import UnavailableError, slurm


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cluster-topology"


def fake(folder, name, script):
    """A program `name` in `folder` that runs `script`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_an_unknown_release_is_refused_with_the_known_ones():
    with pytest.raises(UnavailableError, match=r"23\.11 is in no Debian suite known here; known: 26\.05, 24\.11"):
        slurm("23.11")


def test_a_machine_without_apt_is_told_what_is_missing(empty_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="apt-get and dpkg-deb not found"):
        slurm("26.05")
    assert not list(empty_cache.glob(".slurm-*"))


def test_a_machine_without_archives_is_told_so(empty_cache, monkeypatch, tmp_path):
    fake(tmp_path / "bin", "apt-get", "exit 0")
    fake(tmp_path / "bin", "dpkg-deb", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(UnavailableError, match="gives suite forky: apt is set up with none"):
        slurm("26.05")
    assert not list(empty_cache.glob(".slurm-*"))


def test_a_mirror_that_does_not_answer_gives_the_words_of_apt(empty_cache, monkeypatch, tmp_path):
    script = 'case "$*" in *indextargets*) echo mirror://nowhere/;; *) echo "E: cannot connect" >&2; exit 100;; esac'
    fake(tmp_path / "bin", "apt-get", script)
    fake(tmp_path / "bin", "dpkg-deb", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(UnavailableError, match="no configured package archive gives suite forky: E: cannot connect"):
        slurm("26.05")
    assert not list(empty_cache.glob(".slurm-*"))


def test_a_suite_that_has_moved_on_is_named_with_its_release(empty_cache, monkeypatch, tmp_path):
    debs = [tmp_path / "slurmctld_26.11.1-1_amd64.deb"]
    fake(tmp_path / "bin", "apt-get", "exit 0")
    fake(tmp_path / "bin", "dpkg-deb", "echo 1:26.11.1-1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(debian, "download", lambda *_: debs)
    with pytest.raises(UnavailableError, match=r"suite forky now carries Slurm 26\.11\.1-1, not 26\.05"):
        slurm("26.05")
    assert not list(empty_cache.glob("*26*"))


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match=r"Slurm cannot be unpacked: .*Not a directory"):
        slurm("26.05")


@pytest.mark.slurm
def test_the_second_call_finds_the_folder_of_the_first(slurm_root, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt-get, no dpkg-deb: nothing can be unpacked again
    assert slurm("26.05") == slurm_root


@pytest.mark.slurm
def test_a_folder_that_was_moved_is_not_taken_for_a_good_one(slurm_root, empty_cache, monkeypatch, tmp_path):
    moved = empty_cache / slurm_root.name
    (moved / "usr/sbin").mkdir(parents=True)
    fake(moved / "usr/sbin", "slurmctld", "exit 127")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="not found"):
        slurm("26.05")
