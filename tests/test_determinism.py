"""The same spec gives the same bytes, wherever, whenever and by whom it is built."""

import hashlib
import json
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

GOLDEN = Path(__file__).parent / "golden"
CASES = ("islands-and-core", "gb300-two-units", "own-names", "storage-fabric")
SPEC = "source/cluster.yaml"  # a build keeps the text it was made from


def build(spec: Path, out: Path, *, cwd: Path | None = None, umask: int = 0o022, **environment: str) -> None:
    """Build in a process of its own."""
    command = [sys.executable, "-m", "topology", "build", str(spec), "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True, cwd=cwd, umask=umask, env={**os.environ, **environment})


def digests(out: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and mode of every file; of plan.json without the digest of the spec's own bytes."""
    found = {}
    for path in sorted(out.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        data = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(out))] = (hashlib.sha256(data).hexdigest(), mode)
    return found


def without_spec_digest(out: Path) -> dict[str, tuple[str, int]]:
    """As `digests`, but plan.json compared without what tells one text of the spec from another."""
    plan = json.loads((out / "plan.json").read_text())
    del plan["spec_sha256"], plan["plan_sha256"]
    plan["artifacts"] = [each for each in plan["artifacts"] if each["path"] != SPEC]
    made = {**digests(out), "plan.json": (json.dumps(plan, sort_keys=True), 0)}
    return {path: facts for path, facts in made.items() if path != SPEC}


@pytest.mark.parametrize("case", CASES)
def test_hash_seeds_threads_and_folders_leave_no_trace(case, tmp_path):
    spec = GOLDEN / case / "cluster.yaml"
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "cluster.yaml").write_bytes(spec.read_bytes())
    build(spec, tmp_path / "a", PYTHONHASHSEED="0", POLARS_MAX_THREADS="1")
    build(Path("cluster.yaml"), tmp_path / "b", cwd=other, PYTHONHASHSEED="1", POLARS_MAX_THREADS="4")
    build(other / "cluster.yaml", tmp_path / "c", cwd=tmp_path, PYTHONHASHSEED="random")
    assert digests(tmp_path / "a") == digests(tmp_path / "b") == digests(tmp_path / "c")


@pytest.mark.parametrize(
    "environment",
    [{"TZ": "Pacific/Kiritimati"}, {"LANG": "C", "LC_ALL": "C"}, {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"}],
    ids=["zone", "plain", "turkish"],
)
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_zone_language_and_umask_leave_no_trace(environment, umask, tmp_path):
    spec = GOLDEN / "gb200-unit" / "cluster.yaml"
    build(spec, tmp_path / "a")
    build(spec, tmp_path / "b", umask=umask, **environment)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_the_year_leaves_no_trace(tmp_path):
    """The program asks the clock by `time` and `datetime`; both say 1970, then 2100."""
    spec = GOLDEN / "gb200-unit" / "cluster.yaml"
    for year, seconds in (("1970", 0.0), ("2100", 4.1e9)):
        code = (
            "import sys, time, datetime\n"
            f"time.time = lambda: {seconds}\n"
            "class Then(datetime.datetime):\n"
            f"    now = classmethod(lambda cls, tz=None: cls.fromtimestamp({seconds}, tz))\n"
            "datetime.datetime = Then\n"
            "from topology.cli import main\n"
            f"main(['build', {str(spec)!r}, '-o', {str(tmp_path / year)!r}])\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert digests(tmp_path / "1970") == digests(tmp_path / "2100")


def test_no_file_names_the_machine_the_user_or_the_folder(tmp_path):
    build(GOLDEN / "gb200-unit" / "cluster.yaml", tmp_path / "out")
    traces = [os.uname().nodename, str(tmp_path), str(GOLDEN), os.environ.get("HOME", "/nowhere")]
    texts = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [trace for trace in traces for text in texts if len(trace) > 1 and trace.encode() in text]


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_keys_means_nothing(case, tmp_path):
    data = YAML(typ="safe", pure=True).load((GOLDEN / case / "cluster.yaml").read_text())

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            items = list(value.items())
            random.Random(7).shuffle(items)  # noqa: S311 - not a secret
            return {key: shuffled(each) for key, each in items}
        return [shuffled(each) for each in value] if isinstance(value, list) else value

    (tmp_path / "one.yaml").write_text(json.dumps(data))
    (tmp_path / "other.yaml").write_text(json.dumps(shuffled(data)))
    build(tmp_path / "one.yaml", tmp_path / "a")
    build(tmp_path / "other.yaml", tmp_path / "b")
    assert without_spec_digest(tmp_path / "a") == without_spec_digest(tmp_path / "b")


@pytest.mark.parametrize("ends", ["\r\n", "\r"], ids=["crlf", "cr"])
def test_line_ends_a_byte_order_mark_and_comments_mean_nothing(ends, tmp_path):
    text = (GOLDEN / "gb200-unit" / "cluster.yaml").read_text()
    (tmp_path / "lf.yaml").write_text(text)
    (tmp_path / "other.yaml").write_bytes(
        "\ufeff".encode() + ("# more\n" + text).rstrip("\n").replace("\n", ends).encode()
    )
    build(tmp_path / "lf.yaml", tmp_path / "a")
    build(tmp_path / "other.yaml", tmp_path / "b")
    assert without_spec_digest(tmp_path / "a") == without_spec_digest(tmp_path / "b")
