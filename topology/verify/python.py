"""A newer Python than the one that runs here, for servers that need one."""

import sys
from functools import partial
from pathlib import Path

from topology.verify import debian
from topology.verify.cache import UnavailableError, cache, keep
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
    final = cache() / f"python-{SUITE}-{RELEASE}"
    keep(final, final.name, partial(_unpack, final), _starts)
    if not _starts(final):
        raise UnavailableError(f"Python {RELEASE} was unpacked but does not start: {_program(final)} -V")
    return _program(final)


def _unpack(final: Path, root: Path) -> None:
    """Unpack into `root` what will stand in `final`."""
    patchelf = debian.patchelf()
    debian.extract(debian.download(root.parent, SUITE, PACKAGES), root)
    debian.make_runnable(_program(root), root, final, patchelf)


def _program(root: Path) -> Path:
    return root / f"usr/bin/python{RELEASE}"


def _starts(root: Path) -> bool:
    """Whether it runs from here with what a server needs of it."""
    return run([_program(root), "-c", "import ssl, ctypes, sqlite3"], limit_s=20).code == 0
