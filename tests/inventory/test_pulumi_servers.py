"""The real Pulumi engine writes a stage to a real server, sees an edit by hand, repairs it, and takes all back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from topology.verify.cache import UnavailableError
from topology.verify.engines import pulumi

SPEC = Path(__file__).with_name("two-nodes.yaml")

pytestmark = pytest.mark.pulumi


@pytest.fixture
def project(kind, server, tmp_path):
    """Runs `pulumi` in the project of a build, whose stack s1 has the server as its inventory."""
    try:
        engine = pulumi()
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Pulumi must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"Pulumi is not to be had: {missing}")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
    (tmp_path / "state").mkdir()
    environment = kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(engine), os.environ["PATH"]]),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "for tests",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        f"{kind.upper()}_TOKEN": server.token,
    }

    def run(*words, folder=tmp_path / "build/pulumi"):
        ran = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    run(sys.executable, "-m", "topology", "build", SPEC, "-o", tmp_path / "build", folder=tmp_path)
    run("pulumi", "stack", "init", "s1")
    for key, value in (("kind", kind), ("url", server.url), ("site", "memphis")):
        run("pulumi", "config", "set", "-s", "s1", "--path", f"inventory.{key}", value)
    return run


def test_a_stage_goes_up_is_repaired_and_comes_down(project, rest, server, tmp_path):
    up = ("pulumi", "up", "-s", "s1", "--yes", "--skip-preview")
    project(*up)
    nodes = {name for name, row in rest.devices("memphis").items() if row["role"] == "compute-node"}
    assert nodes == {"h1r0001n01", "h1r0001n02"}
    cables = [row for row in rest.cables().values() if row["owner"].startswith("pair/")]
    assert {row["key"] for row in cables} == {f"h1r0001n0{node} frontend{card}" for node in (1, 2) for card in (0, 1)}

    before = rest.changes()
    assert '"update"' not in project("pulumi", "preview", "-s", "s1", "--json", "--refresh")
    project(*up)
    assert rest.changes() == before

    rest.send("DELETE", f"dcim/cables/{cables[0]['id']}")
    edited = json.loads(
        project("pulumi", "preview", "-s", "s1", "--json", "--refresh").partition("{")[2].join(["{", ""])
    )
    assert [step["urn"].rpartition("::")[2] for step in edited["steps"] if step["op"] == "update"] == ["unit-dgx-0001"]
    project("pulumi", "refresh", "-s", "s1", "--yes", "--skip-preview")
    project(*up)
    assert cables[0]["key"] in {row["key"] for row in rest.cables().values()}

    state = "".join(path.read_text() for path in (tmp_path / "state").rglob("*.json"))
    assert server.url in state
    assert server.token not in state

    project("pulumi", "destroy", "-s", "s1", "--yes", "--skip-preview")
    assert rest.devices("memphis") == {}
    assert rest.racks("memphis") == {}
    assert rest.halls("memphis") == ["h1"]
