"""What the review says of slurmctld, a reconfigure that suffices and a name that does not, is what a real one does."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from topology.verify.slurm import SlurmController
from topology.verify.slurm_daemon import UP, SlurmStartError, start
from topology.verify.slurm_machine import prepare_folder
from topology.verify.slurm_packages import UnavailableError, slurm

pytestmark = pytest.mark.slurm
TEXT = (Path(__file__).parent / "site.yaml").read_text()
SWAPPED = ("nodes.conf", "partitions.conf", "gres.conf", "topology.yaml")
HEADS = {
    "a-stage-added": [("units: 4, unit_racks", "units: 6, unit_racks"), ("units: 8, banks", "units: 12, banks"),
                      ("{gb300: {units: 2}, dgx", "{gb300: {units: 4}, dgx")],
    "a-partition-renamed": [("name: train", "name: big")],
    "a-hall-renamed": [("name: h2,", "name: annex,"), ("halls: [h1, h2]", "halls: [h1, annex]")],
}  # fmt: skip


@pytest.fixture(scope="module")
def root():
    """The unpacked Slurm; without it the tests are skipped with the reason, in CI they fail."""
    try:
        return slurm("26.05")
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Slurm must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"Slurm is not to be had: {missing}")


def built(cli, folder: Path, text: str) -> Path:
    """Slurm's files of the last stage of a spec."""
    folder.mkdir()
    (folder / "cluster.yaml").write_text(text)
    run = cli("build", str(folder / "cluster.yaml"), "-o", str(folder / "out"), "--only", "slurm")
    assert run.code == 0, run.err
    return folder / "out/stages/s2/slurm/nvl"


@pytest.mark.parametrize("name", HEADS)
def test_a_reconfigure_brings_what_the_review_says_it_brings(name, cli, tmp_path, root):
    text = TEXT
    for old, new in HEADS[name]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    base, head = built(cli, tmp_path / "base", TEXT), built(cli, tmp_path / "head", text)
    said = cli("diff", str(tmp_path / "base/cluster.yaml"), str(tmp_path / "head/cluster.yaml")).out
    assert "reconfigure, no restart" in said
    with SlurmController(head, root) as wanted:
        nodes, partitions = wanted.nodes(), wanted.partitions()
    with SlurmController(base, root) as controller:
        home = Path(controller.client_env["HOME"])
        asked = (controller.nodes, controller.partitions)
        assert not all(ask().equals(want) for ask, want in zip(asked, (nodes, partitions), strict=True))
        for file in SWAPPED:
            shutil.copyfile(head / file, home / "conf" / file)
        done = subprocess.run(["scontrol", "reconfigure"], env=dict(controller.client_env), check=False)
        assert done.returncode == 0
        deadline = time.monotonic() + 120
        while controller.log.count(UP) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert controller.nodes().equals(nodes)
        assert controller.partitions().equals(partitions)


def test_a_slurmctld_refuses_the_state_of_another_cluster_name(cli, tmp_path, root):
    renamed = TEXT.replace("name: nvl,", "name: other,")
    base = built(cli, tmp_path / "base", TEXT)
    head = built(cli, tmp_path / "head", renamed).with_name("other")
    said = cli("diff", str(tmp_path / "base/cluster.yaml"), str(tmp_path / "head/cluster.yaml")).out
    assert "Slurm cluster renamed: nvl → other" in said
    homes = [tmp_path / "home-base", tmp_path / "home-head"]
    for home in homes:
        home.mkdir()
    prepared = prepare_folder(base, homes[0], root)
    start(root, prepared, limit_s=120).end()
    prepared = prepare_folder(head, homes[1], root)
    shutil.copyfile(homes[0] / "state/clustername", homes[1] / "state/clustername")
    with pytest.raises(SlurmStartError, match="CLUSTER NAME MISMATCH"):
        start(root, prepared, limit_s=120).end()
