import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from topology.verify.engines import pulumi
from topology.verify.slurm_packages import UnavailableError

HERE = Path(__file__).parent
SITE = HERE / "site.yaml"


@pytest.fixture(scope="session")
def engine():
    """Folder with the real Pulumi. Without it the tests are skipped with the reason; in CI they fail."""
    try:
        return pulumi()
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Pulumi must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"Pulumi is not to be had: {missing}")


@dataclass(frozen=True)
class Ran:
    """What one command said."""

    code: int
    out: str  # both outputs

    @property
    def errors(self):
        """The engine's errors as it lists them at the end, each once."""
        last = self.out.rpartition("Diagnostics:")[2]
        return [line.strip()[len("error: ") :] for line in last.splitlines() if line.strip().startswith("error: ")]


@dataclass(frozen=True)
class Deployment:
    """A project, and a Pulumi with a home and a state of its own."""

    project: Path
    state: Path
    env: dict = field(repr=False)

    def pulumi(self, *words, wait=True, **env):
        """`pulumi` in the project; the running process when it is not waited for."""
        argv = ["pulumi", "--non-interactive", "--color", "never", *words]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        run = subprocess.Popen(argv, cwd=self.project, env=self.env | env, text=True, start_new_session=True, **streams)
        if not wait:
            return run
        out, _ = run.communicate(timeout=300)
        return Ran(run.returncode, out)

    def must(self, *words, **env):
        """What `pulumi` said, which had to succeed."""
        ran = self.pulumi(*words, **env)
        assert ran.code == 0, ran.out
        return ran.out

    def topology(self, *words):
        """The `topology` command beside this Pulumi."""
        argv = [sys.executable, "-m", "topology", *map(str, words)]
        home = self.state.parent
        ran = subprocess.run(argv, cwd=home, env=self.env, capture_output=True, text=True, check=False, timeout=300)
        return Ran(ran.returncode, ran.stdout + ran.stderr)

    def stack(self, *stages):
        """Stacks of these stages, made."""
        for stage in stages:
            self.must("stack", "init", stage)

    def attest(self, stage, *needs):
        """Say that these needs of a stage are met."""
        for need in needs:
            said = {"by": "E. Ohm", "date": "2026-05-31", "reference": "letter 12"}
            words = [word for key, value in said.items() for word in ("--plaintext", f"attest.{need}.{key}={value}")]
            self.must("config", "set-all", "-s", stage, "--path", *words)

    def up(self, stage, *words):
        """`pulumi up` of a stage."""
        return self.pulumi("up", "-s", stage, "--yes", "--skip-preview", *words)

    def resources(self, stage):
        """Resources in the state of a stack, by URN."""
        text = json.loads(self.must("stack", "export", "-s", stage))
        return {each["urn"]: each for each in text["deployment"].get("resources") or []}

    def pieces(self, stage):
        """Outputs of the resources that we provide, by name."""
        found = self.resources(stage)
        return {urn.split("::")[-1]: each["outputs"] for urn, each in found.items() if "dynamic" in each["type"]}

    def changes(self, stage):
        """Names of the resources that a preview would change, with what it would do."""
        text = self.must("preview", "-s", stage, "--json")
        steps = json.loads(text[text.index("{") :])["steps"]
        return {each["urn"].split("::")[-1]: each["op"] for each in steps if each["op"] not in {"same", "read"}}

    def build(self, spec):
        """The project's build, made anew of a spec."""
        ran = self.topology("build", spec, "-o", self.project.parent)
        assert ran.code == 0, ran.out

    @property
    def inventory(self):
        """The embedded inventory."""
        return self.project / "site/inventory.sqlite"

    def rows(self, table):
        """Rows of the inventory, in any order, without their owner."""
        with sqlite3.connect(self.inventory) as base:
            cursor = base.execute(f"select * from {table}")  # noqa: S608 - a table's name of ours
            names = [column[0] for column in cursor.description]
            kept = [at for at, name in enumerate(names) if name != "owner"]
            return sorted(tuple(row[at] for at in kept) for row in cursor), [names[at] for at in kept]


def at(home, engine):
    """The deployment in a folder: its project, its state, and a Pulumi that knows no other."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
    env = kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(engine), os.environ["PATH"]]),
        "PULUMI_HOME": str(home / "home"),
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "for tests",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return Deployment(home / "build/pulumi", home / "state", env)


@pytest.fixture(scope="session")
def deployed(engine, tmp_path_factory):
    """Makes a build of a spec and a Pulumi beside it, with a stack per stage and all their needs attested."""

    def make(spec, needs, name="site"):
        home = tmp_path_factory.mktemp(name)
        made = at(home, engine)
        made.state.mkdir()
        shutil.copy(spec, home / "cluster.yaml")
        made.build(home / "cluster.yaml")
        made.stack(*needs)
        for stage, names in needs.items():
            made.attest(stage, *names)
        return made

    return make


NEEDS = {"s1": ["energised.h1"], "s2": ["permits.turbine", "energised.h2", "banks.packs-1"], "s3": ["banks.packs-2"]}


@pytest.fixture(scope="session")
def first_site(deployed):
    """The small site, made once; tests work on copies."""
    return deployed(SITE, NEEDS)


@pytest.fixture(scope="session")
def first_stage(first_site, engine, tmp_path_factory):
    """The small site with its first stage deployed, made once; tests work on copies."""
    made = copied(first_site, tmp_path_factory.mktemp("first-stage") / "site", engine)
    assert made.up("s1").code == 0
    return made


def copied(deployment, home, engine):
    """A deployment of its own that is the same by now."""
    shutil.copytree(deployment.state.parent, home, symlinks=True)
    return at(home, engine)


@pytest.fixture
def attested(first_site, engine, tmp_path):
    """The small site: a stack per stage, everything attested, nothing deployed."""
    return copied(first_site, tmp_path / "site", engine)


@pytest.fixture
def begun(first_stage, engine, tmp_path):
    """The small site with its first stage deployed."""
    return copied(first_stage, tmp_path / "begun", engine)


@pytest.fixture
def site(attested):
    """The small site with a stack per stage and nothing attested."""
    for path in attested.project.glob("Pulumi.s*.yaml"):
        text = path.read_text()
        path.write_text(
            "".join(line for line in text.splitlines(True) if not line.startswith(("  site:attest", "    ")))
        )
    return attested


def table(build, name):
    """A table of a build."""
    return pl.read_parquet(build / "tables" / f"{name}.parquet")
