"""Slinky's Slurm of a rendered cell, on a real slurmctld: its extra lines, its topologies, and nodes that join them."""

from pathlib import Path

import pytest
import yaml

from topology.verify.programs import run
from topology.verify.slurm import SlurmController

pytestmark = pytest.mark.slurm

GOLDEN = Path(__file__).parent.parent / "golden"
CELLS = {
    "gb200": GOLDEN / "kubernetes-nvl72/expected/stages/s2/kubernetes/gb200-02",
    "h100": GOLDEN / "kubernetes-boxes/expected/stages/all/kubernetes/main-01",
}
# The lines that Slinky's operator itself writes before spec.extraConf, as far as they matter here
# (SlinkyProject/slurm-operator v1.1.0, internal/builder/controllerbuilder/controller_config.go).
OPERATOR = """\
ClusterName={name}
SlurmctldHost=slurmctld
SlurmUser=slurm
AuthType=auth/slurm
CredType=auth/slurm
StateSaveLocation=/var/spool/slurmctld
ReturnToService=2
MaxNodeCount=1024
GresTypes=gpu
SelectTypeParameters=CR_Core_Memory
{sets}
{extra}
"""


def documents(path):
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def read_topologies(cell, folder):
    """The folder that the operator mounts into slurmctld."""
    (controller, *sets) = documents(cell / "61-slinky.yaml")
    (config,) = documents(cell / "60-slinky-topology.yaml")
    assert [config["metadata"]["name"]] == [each["name"] for each in controller["spec"]["configFileRefs"]]
    lines = "\n".join(f"NodeSet={each['metadata']['name']} Feature={each['metadata']['name']}" for each in sets)
    spec = controller["spec"]
    folder.mkdir()
    (folder / "slurm.conf").write_text(OPERATOR.format(name=spec["clusterName"], sets=lines, extra=spec["extraConf"]))
    (folder / "topology.yaml").write_text(config["data"]["topology.yaml"])
    (folder / "cgroup.conf").write_text("")
    # A slurmd finds its GPUs itself (the operator's gres.conf says AutoDetect=nvidia); none runs here.
    kinds = [each["spec"]["extraConf"].split(":") for each in sets]
    devices = [f"Name=gpu Type={kind} File=/dev/nvidia[0-{int(count) - 1}]\n" for _, kind, count in kinds]
    (folder / "gres.conf").write_text("".join(devices))
    return folder, spec, sets


@pytest.mark.parametrize("group", CELLS)
def test_pods_join_the_topologies_that_their_nodes_are_annotated_with(group, slurm_root, tmp_path):
    cell = CELLS[group]
    folder, spec, sets = read_topologies(cell, tmp_path / "slinky")
    (most,) = [line for line in spec["extraConf"].splitlines() if line.startswith("MaxNodeCount=")]
    (nodes,) = [each for each in sets if each["metadata"]["name"] == group]
    labelled = [each for path in sorted(cell.glob("10-nodes-*")) for each in documents(path)]
    labelled = [each for each in labelled if group in each["metadata"]["labels"].values()]
    with SlurmController(folder, slurm_root) as slurm:
        config = run(["scontrol", "show", "config"], env=slurm.client_env).out
        assert most.partition("=")[2] in next(line for line in config.splitlines() if line.startswith("MaxNodeCount"))
        assert [each["topology"] for each in slurm.topoconf()] == [
            each["topology"] for each in yaml.safe_load((folder / "topology.yaml").read_text())
        ]
        for number, node in enumerate(labelled):
            topology = node["metadata"]["annotations"]["topology.slinky.slurm.net/spec"]
            words = [
                f"nodename={group}-{number}",
                "state=cloud",
                "cpus=64",
                f"features={group}",
                f"topology={topology}",
            ]
            answer = run(["scontrol", "create", *words, nodes["spec"]["extraConf"]], env=slurm.client_env)
            assert answer.code == 0, answer.err
        for name in dict.fromkeys(each["topology"] for each in slurm.topoconf()):
            shown = slurm.topology(name)
            members = {host for hosts in shown["nodes"] if hosts for host in slurm.expand(hosts)}
            assert members == {f"{group}-{number}" for number in range(len(labelled))}
        expected = [line.split()[0].partition("=")[2] for line in spec["extraConf"].splitlines() if "Partition" in line]
        assert slurm.partitions()["name"].to_list() == expected
