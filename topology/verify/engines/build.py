"""A program built from its Go modules: complete in the cache or not there at all."""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from topology.verify.cache import UnavailableError, alone, cache, sweep
from topology.verify.engines.go import Go, find
from topology.verify.programs import Answer

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


def built(engine: Engine) -> Path:
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
        if not final.is_dir():
            with alone(folder / f"{engine.name}.lock"):
                if not final.is_dir():
                    _build(engine, go, final)
    except OSError as error:
        raise UnavailableError(f"{engine.name} {engine.version} cannot be built: {error}") from error
    return final


def _digest(engine: Engine, go: Go) -> str:
    """Name of one content: what is pinned, how it is built, by which Go, for which machine."""
    modules = sorted({each.module for each in engine.programs})
    pinned = [(MODULES / module / name).read_text() for module in modules for name in ("go.mod", "go.sum")]
    words = json.dumps([pinned, asdict(engine), go.version, go.platform], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _build(engine: Engine, go: Go, final: Path) -> None:
    """Make the folder `final`: all work is done beside it, then it gets its name."""
    title = f"{engine.name} {engine.version}"
    sys.stderr.write(f"building {title}, about {engine.minutes} min the first time\n")
    sys.stderr.flush()
    prefix = f".{engine.name}-"
    sweep(final.parent, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=final.parent) as work:
        programs = Path(work, "programs")
        programs.mkdir()
        for module in sorted({each.module for each in engine.programs}):  # a copy: the package may be read-only
            shutil.copytree(MODULES / module, Path(work, module))
        for program in engine.programs:
            _must(title, go.run(Path(work, program.module), "build", *program.arguments(programs), limit_s=BUILD_S))
        for script in engine.scripts:
            listed = go.run(Path(work, script.module), "list", "-mod=readonly", "-m", "-f={{.Dir}}", script.package)
            source = Path(_must(title, listed).strip(), script.path)
            copied = programs / source.name
            copied.write_bytes(source.read_bytes())
            copied.chmod(0o755)
        programs.rename(final)


def _must(title: str, answer: Answer) -> str:
    """Output of a step that has to succeed."""
    if answer.code != 0:
        raise UnavailableError(f"{title} cannot be built: {answer.last_words}")
    return answer.out
