"""Small rendered Slurm folders, written by hand in the layout that `build` writes."""

from pathlib import Path

RACKS = 16
TRAYS = 18
LEAF_RACKS = 2  # racks under one leaf group
NVL_NODES = "h1r[0001-0016]n[01-18]"
BOX_NODES = "h1r[0001-0016]n[1-8]"
LEAF_BOXES = 32

SLURM_CONF = """\
ClusterName=colossus
SlurmctldHost=ctl1
SlurmctldHost=ctl2
SlurmctldPort=6817
SlurmdPort=6818
SlurmUser=slurm
SlurmdUser=root
AuthType=auth/slurm
CredType=auth/slurm
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
ProctrackType=proctrack/cgroup
TaskPlugin=task/affinity,task/cgroup
SlurmctldParameters=enable_configless
{more}\
Include nodes.conf
Include partitions.conf
"""
IMEX = "SwitchType=switch/nvidia_imex\nSwitchParameters=imex_channel_count=2048\n"
CGROUP_CONF = "CgroupPlugin=cgroup/v2\nConstrainCores=yes\nConstrainDevices=yes\nConstrainRAMSpace=yes\n"


def write(folder: Path, **files: str) -> Path:
    """`folder` with one file per keyword; `slurm_conf` is slurm.conf."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(text)
    return folder


def nvl72(folder: Path) -> Path:
    """Sixteen NVL72 racks: a block per rack, and a tree of eight leaf groups under two spines and a core."""
    return write(
        folder,
        slurm_conf=SLURM_CONF.format(more=IMEX),
        nodes_conf=_nvl_nodes(),
        partitions_conf=(
            f"PartitionName=train Nodes={NVL_NODES} Default=YES MaxTime=7-00:00:00 Topology=nvlink\n"
            f"PartitionName=net Nodes={NVL_NODES} MaxTime=INFINITE Topology=compute\n"
            f"PartitionName=any Nodes={NVL_NODES} MaxTime=INFINITE Topology=flat\n"
        ),
        gres_conf="Name=gpu Type=gb200 File=/dev/nvidia[0-3]\n",
        cgroup_conf=CGROUP_CONF,
        topology_yaml=_nvl_topology(),
    )


def nvl72_for_24_11(folder: Path) -> Path:
    """The same racks for Slurm 24.11, which knows one topology and no topology.yaml."""
    return write(
        folder,
        slurm_conf=SLURM_CONF.format(more=IMEX + "TopologyPlugin=topology/block\n"),
        nodes_conf=_nvl_nodes(),
        partitions_conf=f"PartitionName=train Nodes={NVL_NODES} Default=YES MaxTime=7-00:00:00\n",
        gres_conf="Name=gpu Type=gb200 File=/dev/nvidia[0-3]\n",
        cgroup_conf=CGROUP_CONF,
        topology_conf="BlockSizes=18,36,72,144,288\n"
        + "".join(f"BlockName=nvl{rack:04} Nodes=h1r{rack:04}n[01-18]\n" for rack in range(1, RACKS + 1)),
    )


def boxes(folder: Path) -> Path:
    """128 boxes of eight H100 in four leaf groups of 32 under one spine."""
    switches = ["{switch: spine, children: 'su[1-4]'}"]
    switches += [f"{{switch: su{i + 1}, nodes: 'h1r[{4 * i + 1:04}-{4 * i + 4:04}]n[1-8]'}}" for i in range(4)]
    listed = "".join(f"      - {switch}\n" for switch in switches)
    return write(
        folder,
        slurm_conf=SLURM_CONF.format(more=""),
        nodes_conf=(
            f"NodeName={BOX_NODES} Sockets=2 CoresPerSocket=56 ThreadsPerCore=2 RealMemory=2000000 "
            "Gres=gpu:h100:8 Feature=h100\n"
        ),
        partitions_conf=f"PartitionName=train Nodes={BOX_NODES} Default=YES MaxTime=INFINITE Topology=compute\n",
        gres_conf="Name=gpu Type=h100 File=/dev/nvidia[0-7]\n",
        cgroup_conf=CGROUP_CONF,
        topology_yaml=f"---\n- topology: compute\n  cluster_default: true\n  tree:\n    switches:\n{listed}",
    )


def _nvl_nodes() -> str:
    return (
        f"NodeName={NVL_NODES} Sockets=2 CoresPerSocket=72 ThreadsPerCore=1 RealMemory=860000 "
        "Gres=gpu:gb200:4 Feature=gb200,nvl72\n"
    )


def _nvl_topology() -> str:
    blocks = "".join(
        f"      - block: nvl{rack:04}\n        nodes: h1r{rack:04}n[01-18]\n" for rack in range(1, RACKS + 1)
    )
    leaves = "".join(
        f"      - switch: leaf{leaf}\n        nodes: h1r[{2 * leaf - 1:04}-{2 * leaf:04}]n[01-18]\n"
        for leaf in range(1, RACKS // LEAF_RACKS + 1)
    )
    spines = "".join(
        f"      - switch: {name}\n        children: {children}\n"
        for name, children in (("core", "spine[1-2]"), ("spine1", "leaf[1-4]"), ("spine2", "leaf[5-8]"))
    )
    return (
        "---\n- topology: nvlink\n  cluster_default: true\n  block:\n"
        f"    block_sizes: [18, 36, 72, 144, 288]\n    blocks:\n{blocks}"
        f"- topology: compute\n  cluster_default: false\n  tree:\n    switches:\n{spines}{leaves}"
        "- topology: flat\n  cluster_default: false\n  flat: true\n"
    )
