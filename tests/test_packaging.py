"""The wheel holds what it should and works where no checkout is; the requirements are pinned."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parent.parent
PACKED = {"topology": "topology", "templates": "topology/_data/templates", "schemas": "topology/_data/schemas"}
SUFFIXES = {".py", ".yaml", ".j2", ".json", ".typed", ".txt", ".mod", ".sum"}
LOCKS = ("requirements.txt", "requirements-dev.txt")


def run(*argv, cwd):
    """Output of a program that has to succeed, started as a stranger would: nothing leads it to the checkout."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CHECKOUT, cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel and sees our dependencies."""

    bin: Path
    packages: Path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel, installed; a path file leads to our own dependencies in place of an index."""
    root = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(root, symlinks=True, with_pip=False)
    paths = sysconfig.get_paths(vars={"base": str(root), "platbase": str(root)})
    python, packages = Path(paths["scripts"], "python"), Path(paths["purelib"])
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=root)
    # Written after pip ran, which would take what it leads to for its own.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(python.parent, packages)


def test_the_wheel_holds_the_files_of_the_checkout_and_no_others(wheel):
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PACKED, cwd=CHECKOUT)
    sources = {path for path in listed.split("\0") if path and (CHECKOUT / path).is_file()}
    expected = {f"{PACKED[room]}/{rest}" for room, _, rest in (path.partition("/") for path in sources)}
    names = zipfile.ZipFile(wheel).namelist()
    made = {name for name in names if ".dist-info/" not in name}
    assert made == expected
    assert len(names) == len(set(names))
    assert {Path(name).suffix for name in made} <= SUFFIXES  # editor back-ups that git does not ignore
    assert any(name.startswith("topology/_data/templates/slurm/") for name in made)


def test_the_installed_program_runs_from_its_own_files(installed, tmp_path):
    where = run(installed.bin / "python", "-c", "import topology; print(topology.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.packages)


def test_a_stranger_begins_a_site_and_builds_it_in_an_empty_folder(installed, tmp_path):
    run(installed.bin / "topology", "init", "mysite", cwd=tmp_path)
    said = run(installed.bin / "topology", "build", "mysite/cluster.yaml", cwd=tmp_path)
    plan = json.loads((tmp_path / "build/mysite/plan.json").read_text())
    schema = json.loads((installed.packages / PACKED["schemas"] / "plan.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(plan)
    assert plan["cluster"] == "mysite"
    assert f"{plan['counts']['gpus']:,} GPUs" in said
    assert all((tmp_path / "build/mysite" / artifact["path"]).is_file() for artifact in plan["artifacts"])
    assert {path.name for path in tmp_path.iterdir()} == {"mysite", "build"}


def pins(lock):
    """Versions by name, from a file of pinned requirements; every one of them has to have a hash."""
    found = {}
    for line in (CHECKOUT / lock).read_text().replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split("--hash=")
            assert hashes, line
            assert all(each.startswith("sha256:") for each in hashes), line
            parsed = Requirement(requirement)
            (pin,) = parsed.specifier
            assert pin.operator == "==", line
            found.setdefault(canonicalize_name(parsed.name), set()).add(pin.version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_pinned_requirements_name_no_address(lock):
    assert "://" not in (CHECKOUT / lock).read_text()
    assert "--index" not in (CHECKOUT / lock).read_text()


@pytest.mark.parametrize(("lock", "extras"), [(LOCKS[0], []), (LOCKS[1], ["dev"])])
def test_everything_the_project_asks_for_is_pinned(lock, extras):
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    asked = project["dependencies"] + [line for extra in extras for line in optional[extra]]
    own = [line for line in asked if Requirement(line).name == project["name"]]  # extras that an extra is made of
    asked += [line for each in own for extra in Requirement(each).extras for line in optional[extra]]
    asked = [line for line in asked if line not in own]
    pinned = pins(lock)
    for requirement in map(Requirement, asked):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not in {lock}: make lock"
        assert all(map(requirement.specifier.contains, versions)), f"{lock} pins another {requirement.name}: make lock"


def test_runs_and_tests_use_the_same_versions():
    run_time, tests = pins("requirements.txt"), pins("requirements-dev.txt")
    assert run_time.items() <= tests.items()
