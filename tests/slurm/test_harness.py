import os
import random
import re
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import slurm_folders

from topology.verify import slurm_machine
from topology.verify.placement import only_whole_units, trials, units_of
from topology.verify.slurm import SlurmAnswerError, SlurmController, SlurmStartError
from topology.verify.slurm_topology import differences, find_topology, from_conf, groups, read_topologies

pytestmark = pytest.mark.slurm


def passed(found, seed):
    """Assert every trial, naming the seed."""
    wrong = [f"{trial.question}: expected {trial.expected}, got {trial.answer}" for trial in found if not trial.passed]
    assert wrong == [], f"PLACEMENT_SEED={seed}"
    return len(found)


def test_slurm_gives_back_the_nvl72_folder_as_it_was_written(nvl72_folder, slurm_root):
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        nodes, partitions = slurm.nodes(), slurm.partitions()
        assert nodes["name"].to_list() == slurm.expand(slurm_folders.NVL_NODES)
        assert nodes.drop("name", "state").unique().to_dicts() == [
            {
                "sockets": 2,
                "cores_per_socket": 72,
                "threads_per_core": 1,
                "cpus": 144,
                "memory_mb": 860000,
                "gres": "gpu:gb200:4",
                "features": "gb200,nvl72",
                "partitions": ["train", "net", "any"],
            }
        ]
        assert partitions.drop("nodes").rows() == [
            ("train", True, "7-00:00:00", "nvlink", 288, 288 * 144),
            ("net", False, "UNLIMITED", "compute", 288, 288 * 144),
            ("any", False, "UNLIMITED", "flat", 288, 288 * 144),
        ]
        for hostlist in partitions["nodes"]:
            assert set(slurm.expand(hostlist)) == set(nodes["name"])
        assert list(differences(read_topologies(nvl72_folder), slurm.topoconf(), slurm.expand)) == []
    assert slurm.log_complaints() == []


def test_slurm_gives_back_the_boxes_folder_as_it_was_written(boxes_folder, slurm_root, seed):
    with SlurmController(boxes_folder, slurm_root) as slurm:
        nodes = slurm.nodes()
        assert nodes["name"].to_list() == slurm.expand(slurm_folders.BOX_NODES)
        assert nodes["gres"].unique().to_list() == ["gpu:h100:8"]
        assert nodes["cpus"].unique().to_list() == [224]
        assert list(differences(read_topologies(boxes_folder), slurm.topoconf(), slurm.expand)) == []
        leaves = slurm.topology().filter(kind="switch", level=0)
        assert {name: len(slurm.expand(nodes)) for name, nodes in leaves.select("name", "nodes").rows()} == {
            f"su{unit}": slurm_folders.LEAF_BOXES for unit in range(1, 5)
        }
        assert passed(trials(slurm, boxes_folder, seed=seed), seed) == 4
    assert slurm.log_complaints() == []


def test_show_topology_has_a_block_per_rack_and_doubles_up_to_the_cluster(nvl72_folder, slurm_root):
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        blocks, switches = slurm.topology("nvlink"), slurm.topology("compute")
    assert blocks.filter(kind="block")["name"].to_list() == [f"nvl{rack:04}" for rack in range(1, 17)]
    assert dict(blocks.group_by("size").len().rows()) == {18: 16, 36: 8, 72: 4, 144: 2, 288: 1}
    assert switches.filter(name="core")["children"].to_list() == ["spine[1-2]"]
    assert switches.filter(name="leaf8")["nodes"].to_list() == ["h1r0015n[01-18],h1r0016n[01-18]"]


def test_jobs_land_on_whole_racks_and_under_one_leaf(nvl72_folder, slurm_root, seed):
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        assert passed(trials(slurm, nvl72_folder, seed=seed), seed) == 7
        assert slurm.place("net", 36, switches=1, extra=["--gres=gpu:4"]) is not None
        assert slurm.place("net", 36, switches=1, extra=["--gres=gpu:5"]) is None
        assert slurm.place("train", 289) is None


def test_a_topology_that_no_partition_uses_is_tried_through_a_probe(nvl72_folder, slurm_root, seed):
    lines = (nvl72_folder / "partitions.conf").read_text().splitlines()
    (nvl72_folder / "partitions.conf").write_text(f"{lines[0]}\n")
    with SlurmController(nvl72_folder, slurm_root, probe=True) as slurm:
        assert slurm.partitions()["name"].to_list() == ["train", "probe-compute"]
        found = trials(slurm, nvl72_folder, seed=seed)
    assert passed(found, seed) == 7
    assert slurm.log_complaints() == []


def test_the_placement_trial_fails_where_the_scheduler_does_not_know_the_units(nvl72_folder, slurm_root, seed):
    chance = random.Random(seed)  # noqa: S311 -- a choice, not a secret
    racks = groups(find_topology(read_topologies(nvl72_folder), "nvlink"))
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        units = units_of(slurm, racks, slurm_folders.NVL_NODES)
        found = [only_whole_units(slurm, "any", units, chance) for _ in range(8)]
    assert [trial.passed for trial in found].count(True) < 4  # the first rack has no neighbour to be mixed with


def test_the_placement_trial_fails_where_slurm_runs_another_topology(nvl72_folder, tmp_path, slurm_root, seed):
    other = shutil.copytree(nvl72_folder, tmp_path / "other")
    text = (other / "topology.yaml").read_text()
    (other / "topology.yaml").write_text(re.sub(r"r\[(\d+)-\d+\]n\[01-18\]", r"r\1n[01-18]", text))
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        found = trials(slurm, other, seed=seed)
    assert [trial.question for trial in found if not trial.passed] != []


def test_a_job_asks_for_segments_that_do_not_divide_it_and_the_harness_says_so(nvl72_folder, slurm_root):
    with SlurmController(nvl72_folder, slurm_root) as slurm, pytest.raises(SlurmAnswerError, match="segment"):
        slurm.place("train", 36, segment=19)


def test_every_hostlist_expands_on_its_own_even_past_the_length_of_an_argument(nvl72_folder, slurm_root):
    many = [f"h{hall}r[0001-{racks:04}]n[01-18]" for hall in (1, 2) for racks in range(1, 40)]
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        names = slurm.expand_each(["a[1-3],b", "", "c[08-10]x[1-2]", *many])
        long = ",".join(f"someverylongnodename{node:06}" for node in range(20_000))
        assert len(slurm.expand(long)) == 20_000
    assert names[:3] == [["a1", "a2", "a3", "b"], [], ["c08x1", "c08x2", "c09x1", "c09x2", "c10x1", "c10x2"]]
    assert [len(found) for found in names[3:]] == [18 * racks for racks in range(1, 40)] * 2


def test_two_controllers_run_at_once_and_do_not_meet(nvl72_folder, boxes_folder, slurm_root):
    with SlurmController(nvl72_folder, slurm_root) as one, SlurmController(boxes_folder, slurm_root) as two:
        with ThreadPoolExecutor() as both:
            counts = list(both.map(lambda slurm: slurm.nodes().height, (one, two)))
        one.down(slurm_folders.NVL_NODES)
        assert counts == [288, 128]
        assert two.place("train", 128) is not None
        assert one.place("train", 1) is None
    assert one.log_complaints() + two.log_complaints() == []


def test_a_port_that_was_taken_meanwhile_is_given_up_for_another(nvl72_folder, slurm_root, monkeypatch):
    another = slurm_machine.free_port
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = iter([other.getsockname()[1]])
        monkeypatch.setattr(slurm_machine, "free_port", lambda: next(ports, None) or another())
        with SlurmController(nvl72_folder, slurm_root) as slurm:
            assert slurm.nodes().height == 288
    assert slurm.log_complaints() == []


def test_a_controller_that_is_not_up_in_time_is_ended_and_says_so(nvl72_folder, slurm_root):
    with (
        pytest.raises(SlurmStartError, match=r"^not up after 0 s"),
        SlurmController(nvl72_folder, slurm_root, limit_s=0),
    ):
        pass


def test_broken_nodes_come_back(nvl72_folder, slurm_root):
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        slurm.down("h1r0001n[01-18]")
        assert slurm.nodes()["state"].str.starts_with("DOWN").sum() == 18
        slurm.resume("h1r0001n[01-18]")
        assert len(slurm.place("train", 288)) == 288


def test_nobody_commands_the_controller_without_its_token(nvl72_folder, slurm_root):
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        env = {key: value for key, value in slurm.client_env.items() if key != "SLURM_JWT"}
        asked = subprocess.run(["scontrol", "show", "nodes"], env=env, capture_output=True, text=True, check=False)
        port = re.search(r"SlurmctldPort=(\d+)", Path(env["SLURM_CONF"]).with_name("machine.conf").read_text())[1]
        tables = [table for table in ("tcp", "tcp6") if (Path("/proc/net") / table).exists()]
        sockets = [line.split() for table in tables for line in (Path("/proc/net") / table).read_text().splitlines()]
    assert asked.returncode != 0
    assert "Protocol authentication error" in asked.stderr
    listening = [words[1] for words in sockets if words[3] == "0A" and words[1].endswith(f":{int(port):04X}")]
    assert listening == [f"0100007F:{int(port):04X}"]


def test_nothing_is_left_behind(nvl72_folder, slurm_root):
    before = sorted(path.name for path in nvl72_folder.iterdir())
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        home = Path(slurm.client_env["HOME"])
        assert home.is_dir()
    commands = [path.read_bytes() for path in running()]
    assert not home.exists()
    assert not any(str(home).encode() in command for command in commands)
    assert sorted(path.name for path in nvl72_folder.iterdir()) == before


def running():
    """The command lines of all processes that can still be read."""
    for process in os.scandir("/proc"):
        if process.name.isdigit() and (path := Path(process.path, "cmdline")).exists():
            yield path


def test_24_11_takes_the_block_file_and_places_by_it(nvl72_folder_24_11, slurm_root_24_11, seed):
    with SlurmController(nvl72_folder_24_11, slurm_root_24_11) as slurm:
        assert slurm.nodes().height == 288
        ours = groups(from_conf((nvl72_folder_24_11 / "topology.conf").read_text()))
        theirs = slurm.topology().filter(kind="block").select("name", "nodes").rows()
        assert slurm.expand_each([nodes for _, nodes in ours]) == slurm.expand_each([nodes for _, nodes in theirs])
        assert passed(trials(slurm, nvl72_folder_24_11, seed=seed), seed) == 3
    assert slurm.log_complaints() == []
