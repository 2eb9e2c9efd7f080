"""A newer Python than the one that runs here, for servers that need one."""

import shutil
import sys
import tempfile
from pathlib import Path

from topology.verify import debian
from topology.verify.cache import UnavailableError, alone, cache, sweep
from topology.verify.programs import run

SUITE, RELEASE = "trixie", "3.13"  # the Debian release that carries this Python
PACKAGES = (f"python{RELEASE}", f"python{RELEASE}-venv", "libc6", "libstdc++6")


def release(least: tuple[int, int]) -> str:
    """Release of the interpreter that `python` gives, such as 3.13."""
    here = sys.version_info[:2]
    return f"{here[0]}.{here[1]}" if here >= least else RELEASE


def python(least: tuple[int, int]) -> Path:
    """An interpreter of at least `least` (3.13 or older): the one that runs here, else Debian's, unpacked.

    The first call that unpacks takes about 8 s and the network. The folder must stay where it was unpacked.

    Raises:
        UnavailableError: Debian's is needed, and no configured mirror gives it.
    """
    if sys.version_info[:2] >= least:
        return Path(sys.executable)
    folder = cache()
    final = folder / f"python-{SUITE}-{RELEASE}"
    with alone(folder / f"{final.name}.lock"):
        if not _starts(final):
            _unpack(folder, final)
    return _program(final)


def _unpack(folder: Path, final: Path) -> None:
    """Fill `final` anew, complete or not at all: all work is done beside it, then renamed."""
    patchelf = debian.patchelf()
    prefix = f".{final.name}-"
    sweep(folder, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as work:
        root = Path(work, "root")
        debian.extract(debian.download(Path(work), SUITE, PACKAGES), root)
        debian.make_runnable(_program(root), root, final, patchelf)
        shutil.rmtree(final, ignore_errors=True)
        root.rename(final)
    if not _starts(final):
        raise UnavailableError(f"Python {RELEASE} was unpacked but does not start: {_program(final)} -V")


def _program(root: Path) -> Path:
    return root / f"usr/bin/python{RELEASE}"


def _starts(root: Path) -> bool:
    """Whether it runs from here with what a server needs of it."""
    return run([_program(root), "-c", "import ssl, ctypes, sqlite3"], limit_s=20).code == 0
