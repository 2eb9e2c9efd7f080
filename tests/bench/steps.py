"""Where the time of a build goes: functions that the package calls in turn, timed from outside it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any

STEPS = {  # word: the functions whose time it is, each as the name by which its caller finds it
    "read": ("topology.cli.session:read",),
    "load": ("topology.spec.load:load",),
    "catalogue": ("topology.catalog.load:load", "topology.catalog.load:Shelf.__getitem__"),  # read when asked for
    "groups": ("topology.expand:size_groups",),
    "design": ("topology.expand:demand.design_fabrics",),
    "placement": (
        "topology.expand:Networks.row_ends",
        "topology.expand:Networks.rooms",
        "topology.expand:Networks.boxes",
        "topology.expand:floor.place_units",
        "topology.expand:mount",
    ),
    "nodes": (
        "topology.expand:place_nodes",
        "topology.expand:domains",
        "topology.expand:nic_frame",
        "topology.expand:gpu_frame",
        "topology.expand:pattern",
        "topology.expand:SiteTables.halls",
        "topology.expand:SiteTables.rows",
        "topology.expand:SiteTables.units",
        "topology.expand:SiteTables.racks",
        "topology.expand:SiteTables.nodes",
        "topology.expand:SiteTables.domains",
    ),
    "localities": (
        "topology.expand:wiring.fabric_rows",
        "topology.expand:wiring.localities",
        "topology.expand:wiring.node_localities",
    ),
    "cables": ("topology.expand:wiring.wire", "topology.expand:wiring.fabrics", "topology.expand:wiring.cables"),
    "expand": ("topology.expand:expand",),  # what is left of it: switches in their racks, stages
    "checks": ("topology.checks:run",),
    "write": (
        "topology.artifacts.output.tree:publish",
    ),  # what is left of it: the disk; targets are words of their own
}


class Shares:
    """Seconds by step. A step that runs inside another counts for itself alone."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STEPS, 0.0)
        self.called: set[str] = set()
        self._inner: list[float] = []

    @contextmanager
    def step(self, word: str) -> Iterator[None]:
        """Count the time of a block, less that of the steps in it."""
        begun = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            took = time.perf_counter() - begun
            self.seconds[word] = self.seconds.get(word, 0.0) + took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took

    def timed(self, word: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time counts for `word`; of a generator, the time of each `next`."""

        @wraps(function)
        def run(*arguments: Any, **options: Any) -> Any:
            self.called.add(name)
            with self.step(word):
                made = function(*arguments, **options)
            return self._each(word, made) if isinstance(made, Iterator) else made

        return run

    def _each(self, word: str, items: Iterator[Any]) -> Iterator[Any]:
        while True:
            with self.step(word):
                item = next(items, self)
            if item is self:
                return
            yield item

    def install(self, replace: Callable[[Any, str, Any], None] = setattr) -> set[str]:
        """Names of the functions that are timed from now on: those of STEPS, and what makes each target's files.

        Raises:
            AttributeError: the package no longer has a function of STEPS.
        """
        from topology.artifacts import targets  # noqa: PLC0415 - imports are part of what is measured

        for word, names in STEPS.items():
            for name in names:
                holder, attribute = _holder(name)
                replace(holder, attribute, self.timed(word, name, getattr(holder, attribute)))
        makers = {word: (folder, self.timed(word, word, make)) for word, (folder, make) in targets.TARGETS.items()}
        replace(targets, "TARGETS", makers)
        return {name for names in STEPS.values() for name in names} | set(makers)


def _holder(name: str) -> tuple[Any, str]:
    """The module or class that holds a function, and the function's name in it."""
    module, _, path = name.partition(":")
    *parents, attribute = path.split(".")
    holder: Any = import_module(module)
    for parent in parents:
        holder = getattr(holder, parent)
    return holder, attribute
