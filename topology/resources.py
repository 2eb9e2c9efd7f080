"""Where the package's own data lives: inside it in a wheel, beside it in a checkout."""

from importlib.resources import files
from pathlib import Path


def data(kind: str) -> Path:
    """Folder of `templates` or `schemas`, wherever this copy of the package keeps it."""
    package = Path(str(files("topology")))
    packed = package / "_data" / kind
    return packed if packed.is_dir() else package.parent / kind
