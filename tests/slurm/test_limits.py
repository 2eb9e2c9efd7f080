"""Limits of Slurm's own that a spec is held to, shown to the real slurmctld."""

from pathlib import Path

import pytest

from topology.verify.slurm import SlurmController, SlurmStartError

GOLDEN = Path(__file__).parents[1] / "golden"
TIMES = {  # as the spec writes them, and whether they are accepted
    "24855-03:13:08": True,
    "35791393": True,
    "35791393:08": True,
    "596523:13:08": True,
    "0-00:00:01": True,
    "1-99:99:99": True,
    "35791394": False,
    "24855-03:13:09": False,
    "596523:13:09": False,
    "9999999999-00:00:00": False,
    "4294967293": False,
}


@pytest.mark.parametrize("written", TIMES)
def test_a_time_that_check_accepts_starts_slurmctld_and_one_that_slurm_refuses_is_a_finding(
    written, cli, slurm_root, tmp_path
):
    spec, out = tmp_path / "cluster.yaml", tmp_path / "out"
    partitions = f'slurm: {{partitions: [{{name: p, compute: [dgx], max_time: "{written}"}}]}}\n'
    spec.write_text((GOLDEN / "one-rack" / "cluster.yaml").read_text() + partitions)
    run = cli("build", str(spec), "-o", str(out), "--only", "slurm")
    assert (run.code == 0, "S348" in run.err) == (TIMES[written], not TIMES[written])
    if TIMES[written]:
        with SlurmController(next(out.glob("stages/*/slurm/*")), slurm_root):
            return
    spec.write_text((GOLDEN / "one-rack" / "cluster.yaml").read_text() + partitions.replace(written, "1"))
    assert cli("build", str(spec), "-o", str(out), "--only", "slurm").code == 0
    folder = next(out.glob("stages/*/slurm/*"))
    conf = folder / "partitions.conf"
    conf.write_text(conf.read_text().replace("MaxTime=1 ", f"MaxTime={written} "))
    with pytest.raises(SlurmStartError, match="for MaxTime"), SlurmController(folder, slurm_root):
        pass
