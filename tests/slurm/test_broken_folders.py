import dataclasses

import pytest
import slurm_folders

from topology.verify.placement import trials
from topology.verify.slurm import SlurmController, SlurmStartError
from topology.verify.slurm_topology import differences, read_topologies

pytestmark = pytest.mark.slurm


@dataclasses.dataclass(frozen=True)
class Fault:
    """One edit of the NVL72 folder and the words in which it is found out."""

    title: str
    file: str
    old: str
    new: str
    words: str


REFUSED = [
    Fault("a block size that is no doubling", "topology.yaml", "18, 36, 72", "18, 54, 72", "Invalid BlockSizes value"),
    Fault("a block twice", "topology.yaml", "block: nvl0002", "block: nvl0001", "has already been defined"),
    Fault("a switch twice", "topology.yaml", "switch: leaf2", "switch: leaf1", "has already been defined"),
    Fault("a child that is no switch", "topology.yaml", "leaf[5-8]", "leaf[5-9]", "has invalid child (leaf9)"),
    Fault("a switch under itself", "topology.yaml", "spine[1-2]", "core,spine[1-2]", "fatal"),
    Fault("a range backwards", "topology.yaml", "h1r0004n[01-18]", "h1r0004n[18-01]", "Invalid range"),
    Fault("an alias", "topology.yaml", "[18, 36, 72, 144, 288]", "&a [18]\n    alias: *a", "does not support aliases"),
    Fault("nodes as a list", "topology.yaml", "nodes: h1r0004n[01-18]", "nodes: [h1r0004n01]", "topology.yaml"),
    Fault("a partition of an unknown topology", "partitions.conf", "=compute", "=fabric", "Invalid partition topology"),
    Fault("a partition of unknown nodes", "partitions.conf", "[0001-0016]", "[0001-0017]", "Invalid node names"),
    Fault("a node twice", "nodes.conf", "h1r[0001-0016]", "h1r[0001-0016,0016]", "Duplicated NodeName"),
    Fault("an unknown key of a node", "nodes.conf", "Sockets=", "Socketts=", "unrecognized key: Socketts"),
    Fault("an unknown key", "slurm.conf", "GresTypes=", "GresType=", "unrecognized key: GresType"),
    Fault("an empty value", "slurm.conf", "GresTypes=gpu", "GresTypes=", "Parse error"),
    Fault("no controller", "slurm.conf", "SlurmctldHost=", "#SlurmctldHost=", "No SlurmctldHost"),
    Fault("an unknown plugin", "slurm.conf", "nvidia_imex", "nvidia_imx", "switch/nvidia_imx"),
    Fault(
        "a file that is not there",
        "slurm.conf",
        "Include nodes.conf",
        "Include node.conf",
        "No such file or directory, retrying",
    ),
    Fault("a wrong key in cgroup.conf", "cgroup.conf", "ConstrainCores", "ConstrainCore", "cgroup.conf"),
    Fault("a wrong key in gres.conf", "gres.conf", "Type=", "Tipe=", "gres.conf"),
]
COMPLAINED_OF = [
    Fault("a node of no machine", "topology.yaml", "h1r0004n[01-18]", "h1r0004n[01-19]", "h1r0004n19"),
    Fault(
        "a rack in no block",
        "topology.yaml",
        "      - block: nvl0016\n        nodes: h1r0016n[01-18]\n",
        "",
        "lack access",
    ),
    Fault("a node under two leaves", "topology.yaml", "h1r[0003-0004]n", "h1r[0002-0004]n", "Multiple leaf switches"),
    Fault(
        "two roots",
        "topology.yaml",
        "      - switch: core\n        children: spine[1-2]\n",
        "",
        "no switch can reach all",
    ),
    Fault("another GPU in gres.conf", "gres.conf", "Type=gb200", "Type=h100", "gpu:h100"),
    Fault("fewer GPU files than GPUs", "gres.conf", "[0-3]", "[0-1]", "Attempt to change gres/gpu Count"),
    Fault("CPUs that do not multiply", "nodes.conf", "Sockets=2", "CPUs=100 Sockets=2", "Resetting CPUs"),
    Fault("a key twice", "slurm.conf", "GresTypes=gpu", "GresTypes=gpu\nGresTypes=gpu", "specified more than once"),
    Fault("an obsolete key", "slurm.conf", "GresTypes=gpu", "GresTypes=gpu\nFastSchedule=1", "FastSchedule"),
]
SWALLOWED = [
    Fault("a key that Slurm drops", "topology.yaml", "block_sizes:", "blockSizes:", "blockSizes"),
    Fault("a word that means nothing", "topology.yaml", "  flat: true", "  flat: true\n  colour: red", "colour"),
]


def break_it(folder, fault):
    text = (folder / fault.file).read_text()
    assert fault.old in text
    (folder / fault.file).write_text(text.replace(fault.old, fault.new))


def titles(fault):
    return fault.title


def test_the_unbroken_folder_starts_without_a_complaint(nvl72_folder, slurm_root):
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        pass
    assert slurm.log_complaints() == []


@pytest.mark.parametrize("fault", REFUSED, ids=titles)
def test_slurm_refuses(fault, nvl72_folder, slurm_root):
    break_it(nvl72_folder, fault)
    with pytest.raises(SlurmStartError) as refused, SlurmController(nvl72_folder, slurm_root):
        pass
    assert fault.words in str(refused.value)


@pytest.mark.parametrize("fault", COMPLAINED_OF, ids=titles)
def test_slurm_complains_of(fault, nvl72_folder, slurm_root):
    break_it(nvl72_folder, fault)
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        pass
    assert any(fault.words in line for line in slurm.log_complaints()), slurm.log


@pytest.mark.parametrize("fault", SWALLOWED, ids=titles)
def test_what_slurm_swallows_shows_in_what_it_gives_back(fault, nvl72_folder, slurm_root):
    break_it(nvl72_folder, fault)
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        found = list(differences(read_topologies(nvl72_folder), slurm.topoconf(), slurm.expand))
    assert slurm.log_complaints() == []
    assert any(fault.words in difference for difference in found)


def test_26_05_swallows_a_short_block_and_24_11_refuses_it(
    nvl72_folder, nvl72_folder_24_11, slurm_root, slurm_root_24_11
):
    short = ("h1r0004n[01-18]", "h1r0004n[01-17]")
    for folder, file in ((nvl72_folder, "topology.yaml"), (nvl72_folder_24_11, "topology.conf")):
        for name in (file, "nodes.conf", "partitions.conf"):
            text = (folder / name).read_text().replace(*short)
            without = "h1r[0001-0003,0005-0016]n[01-18],h1r0004n[01-17]"
            (folder / name).write_text(text.replace(slurm_folders.NVL_NODES, without))
        tree = (folder / file).read_text().replace("h1r[0003-0004]n[01-18]", "h1r0003n[01-18],h1r0004n[01-17]")
        (folder / file).write_text(tree)
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        assert slurm.nodes().height == 287
    assert slurm.log_complaints() == []
    with (
        pytest.raises(SlurmStartError, match=r"children count lower than bblock_node_cnt"),
        SlurmController(nvl72_folder_24_11, slurm_root_24_11),
    ):
        pass


def test_block_sizes_that_stop_short_leave_no_room_for_a_job_on_every_node(nvl72_folder, slurm_root, seed):
    """Sixteen racks in groups of eight hold a job of 16; of fifteen, a job larger than eight racks gets eight."""
    fewer = ("h1r[0001-0016]", "h1r[0001-0015]")
    for name in ("nodes.conf", "partitions.conf"):
        (nvl72_folder / name).write_text((nvl72_folder / name).read_text().replace(*fewer))
    text = (nvl72_folder / "topology.yaml").read_text()
    text = text.replace("      - block: nvl0016\n        nodes: h1r0016n[01-18]\n", "")
    text = text.replace("h1r[0015-0016]n", "h1r0015n")
    (nvl72_folder / "topology.yaml").write_text(text)
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        assert all(trial.passed for trial in trials(slurm, nvl72_folder, seed=seed))
    (nvl72_folder / "topology.yaml").write_text(text.replace(", 288]", "]"))
    with SlurmController(nvl72_folder, slurm_root) as slurm:
        failed = [trial.question for trial in trials(slurm, nvl72_folder, seed=seed) if not trial.passed]
    assert failed == ["train: every node"]
    assert slurm.log_complaints() == []
