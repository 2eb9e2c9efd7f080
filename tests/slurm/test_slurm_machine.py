import os
import shutil
import stat

import pytest

from topology.verify.slurm_machine import REPLACED, prepare_folder, without_machine_keys
from topology.verify.slurm_packages import UnavailableError


@pytest.fixture
def fake_root(tmp_path):
    """A folder where plugins would be; settling starts nothing."""
    (tmp_path / "root/usr/lib/x86_64-linux-gnu/slurm-wlm").mkdir(parents=True)
    return tmp_path / "root"


def settled_in(tmp_path, folder, root):
    home = tmp_path / "home"
    home.mkdir()
    return prepare_folder(folder, home, root)


def test_only_the_listed_keys_change_and_every_line_keeps_its_number(nvl72_folder):
    text = (nvl72_folder / "slurm.conf").read_text()
    before, after = text.splitlines(), without_machine_keys(text).splitlines()
    changed = [old.partition("=")[0] for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [
        "SlurmctldHost",
        "SlurmctldHost",
        "SlurmctldPort",
        "SlurmUser",
        "StateSaveLocation",
        "SlurmdSpoolDir",
    ]
    assert set(changed) <= set(REPLACED)
    assert after[1] == "Include machine.conf"


def test_the_machine_sets_the_listed_keys_and_no_other(nvl72_folder, fake_root, tmp_path):
    conf = settled_in(tmp_path, nvl72_folder, fake_root).conf
    lines = conf.with_name("machine.conf").read_text().splitlines()
    assert lines[0] == "NodeName=DEFAULT State=CLOUD"
    assert [line.partition("=")[0] for line in lines[1:]] == list(REPLACED)


def test_files_of_nodes_partitions_gres_and_topology_are_not_touched(nvl72_folder, fake_root, tmp_path):
    conf = settled_in(tmp_path, nvl72_folder, fake_root).conf
    for name in ("nodes.conf", "partitions.conf", "gres.conf", "cgroup.conf", "topology.yaml"):
        assert (conf.parent / name).read_bytes() == (nvl72_folder / name).read_bytes()


def test_a_key_is_found_in_any_case_and_with_blanks():
    lines = without_machine_keys("slurmctldhost = a\n  SLURMUSER=slurm\nGresTypes=gpu\n").splitlines()
    assert lines == ["Include machine.conf", "#   SLURMUSER=slurm", "GresTypes=gpu"]


def test_a_controller_that_was_not_rendered_is_not_made_up(nvl72_folder, fake_root, tmp_path):
    path = nvl72_folder / "slurm.conf"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "SlurmctldHost" not in line))
    conf = settled_in(tmp_path, nvl72_folder, fake_root).conf
    assert "SlurmctldHost" not in conf.with_name("machine.conf").read_text()


def test_rendered_communication_parameters_are_kept(nvl72_folder, fake_root, tmp_path):
    path = nvl72_folder / "slurm.conf"
    path.write_text(path.read_text() + "CommunicationParameters=EnableIPv6,keepaliveinterval=30\n")
    conf = settled_in(tmp_path, nvl72_folder, fake_root).conf
    wanted = "CommunicationParameters=EnableIPv6,keepaliveinterval=30,NoCtldInAddrAny\n"
    assert wanted in conf.with_name("machine.conf").read_text()


def test_commands_read_no_node_lines_but_the_same_settings_and_topology(nvl72_folder, fake_root, tmp_path):
    settled = settled_in(tmp_path, nvl72_folder, fake_root)
    client = settled.home / "client"
    text = (client / "slurm.conf").read_text()
    assert "nodes.conf" not in text
    assert "partitions.conf" not in text
    assert "GresTypes=gpu" in text
    assert "AuthType=auth/slurm" in text
    assert (client / "topology.yaml").read_bytes() == (nvl72_folder / "topology.yaml").read_bytes()


def test_keys_are_new_each_time_and_only_their_owner_reads_them(nvl72_folder, fake_root, tmp_path):
    keys = []
    for _ in range(2):
        conf = settled_in(tmp_path, nvl72_folder, fake_root).conf
        for name in ("slurm.key", "token.key"):
            assert stat.S_IMODE((conf.parent / name).stat().st_mode) == 0o600
            keys.append((conf.parent / name).read_bytes())
        shutil.rmtree(tmp_path / "home")
    assert len(set(keys)) == 4


def test_a_user_without_a_name_is_told_that_slurm_takes_none(nvl72_folder, fake_root, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    with pytest.raises(UnavailableError, match="Slurm takes no user without a name: uid 4000000000"):
        settled_in(tmp_path, nvl72_folder, fake_root)
