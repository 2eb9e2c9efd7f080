"""A program built from its Go modules: complete in the cache or not there at all."""

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from topology.verify.cache import UnavailableError, cache, keep
from topology.verify.engines.go import Go, find

MODULES = Path(__file__).parent / "modules"
BUILD_S = 3600  # the longest takes 8 minutes on two busy cores


@dataclass(frozen=True, slots=True)
class Program:
    """A file that `go build` makes of `package`, with the versions that `modules/<module>/go.mod` pins."""

    name: str
    module: str
    package: str
    values: Mapping[str, str] = field(default_factory=dict)  # of variables that say the version
    tags: tuple[str, ...] = ()

    def arguments(self, into: Path) -> list[str | Path]:
        """Words of `go build`. Nothing of the machine gets into the file: no paths, no symbols, no commit."""
        linker = ["-w", "-s", *(f"-X={name}={value}" for name, value in sorted(self.values.items()))]
        flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={' '.join(linker)}"]
        return [*flags, f"-tags={','.join(self.tags)}", "-o", into / self.name, self.package]


@dataclass(frozen=True, slots=True)
class Script:
    """A file of the module `package` that is used as it is."""

    module: str
    package: str
    path: str


@dataclass(frozen=True, slots=True)
class Engine:
    """Programs that belong together in one folder."""

    name: str
    version: str
    minutes: int  # of the first build on two cores, for who waits
    programs: tuple[Program, ...]
    scripts: tuple[Script, ...] = ()


def build_engine(engine: Engine) -> Path:
    """Folder that holds the programs of `engine`, in the cache.

    The first call builds them, which takes minutes and the network, and says so on stderr. The folder's name holds
    a digest of all that decides about its content, so another version or another Go never takes its place.

    Raises:
        UnavailableError: there is no Go, or it cannot build them; the text says why.
    """
    try:
        go = find()
        folder = cache() / "engines"
        folder.mkdir(exist_ok=True)
        final = folder / f"{engine.name}-{engine.version}-{_digest(engine, go)}"
        return keep(final, engine.name, partial(_build, engine, go))
    except OSError as error:
        raise UnavailableError(f"{engine.name} {engine.version} cannot be built: {error}") from error


def _digest(engine: Engine, go: Go) -> str:
    """Name of one content: what is pinned, how it is built, by which Go, for which machine."""
    modules = sorted({each.module for each in engine.programs})
    pinned = [(MODULES / module / name).read_text() for module in modules for name in ("go.mod", "go.sum")]
    words = json.dumps([pinned, asdict(engine), go.version, go.platform], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _build(engine: Engine, go: Go, programs: Path) -> None:
    """Build the programs into the folder `programs`; modules are copied beside it: the package may be read-only."""
    title = f"{engine.name} {engine.version}"
    sys.stderr.write(f"building {title}, about {engine.minutes} min the first time\n")
    sys.stderr.flush()
    otherwise, modules = f"{title} cannot be built", programs.parent / "modules"
    for module in sorted({each.module for each in engine.programs}):
        shutil.copytree(MODULES / module, modules / module)
    for program in engine.programs:
        words = program.arguments(programs)
        go.run(modules / program.module, "build", *words, limit_s=BUILD_S).require(otherwise)
    for script in engine.scripts:
        listed = go.run(modules / script.module, "list", "-mod=readonly", "-m", "-f={{.Dir}}", script.package)
        source = Path(listed.require(otherwise).strip(), script.path)
        copied = programs / source.name
        copied.write_bytes(source.read_bytes())
        copied.chmod(0o755)
