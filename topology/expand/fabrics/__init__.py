"""Fabric kinds, one module each. The file name is the word in the spec.

A kind offers `design(ask) -> Design` (integers, before anything has a place); what is
designed is turned into switches and cables by `wire`. `core` is the one kind that joins
fabrics instead of nodes; its module offers functions of its own.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def kinds() -> tuple[str, ...]:
    """Words a spec may use for `fabric.kind`, sorted."""
    names = (module.name for module in iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in names if not name.startswith("_")))


def load(kind: str) -> ModuleType:
    """Module that builds `kind`; KeyError when no file has that name."""
    if kind not in kinds():
        raise KeyError(kind)
    return import_module(f"{__name__}.{kind.replace('-', '_')}")
