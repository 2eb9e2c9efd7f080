"""An entry as its file writes it, and what it becomes over the entry it extends.

Figures are named by dotted keys (``power_w.maximum``); a source covers a figure by naming it
or a map around it. Nothing here knows files, folders or products.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from topology.catalog.model import Citation

Data = Mapping[str, Any]  # plain YAML: maps, lists, text, numbers, true, false, null
ABOUT = frozenset({"extends", "sources"})  # keys about the entry, not about the product


@dataclass(frozen=True, slots=True)
class Entry:
    """A whole product: every inherited key filled in, every source still with its figures."""

    data: Data
    sources: tuple[Citation, ...]


def entry(written: Data, base: Entry | None = None) -> Entry:
    """What `written` says over `base`: its keys replace, null removes, maps merge key by key.

    A base source keeps only the figures that `written` neither replaces nor removes, so that
    no figure ends up with the source of another. Source: RFC 7396, JSON Merge Patch.
    """
    about_product = {key: value for key, value in written.items() if key not in ABOUT}
    data = _merge(base.data if base else {}, about_product)
    inherited = _still_true(base, about_product, data) if base else ()
    return Entry(data, inherited + sources(written))


def sources(written: Data) -> tuple[Citation, ...]:
    """Sources of a file in its own order; empty when it has none."""
    return tuple(
        Citation(tuple(one["covers"]), one["document"], one.get("where", ""), one["mark"])
        for one in written.get("sources", ())
    )


def figures(written: Data) -> Iterator[str]:
    """Dotted keys of every number a file states, in its own order."""
    return (key for key, value in _leaves(written) if _is_number(value))


def keys(written: Data) -> set[str]:
    """Dotted keys of everything a file states: each value and each map around it."""
    named = {key for key, _ in _leaves(written)}
    return {part for key in named for part in _with_parents(key)}


def covers(cover: str, key: str) -> bool:
    """Whether a source that names `cover` speaks for `key`.

    >>> covers("power_w", "power_w.maximum"), covers("power_w", "power_w_typical")
    (True, False)
    """
    return key == cover or key.startswith(f"{cover}.")


def _merge(base: Data, patch: Data) -> dict[str, Any]:
    merged = dict(base)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = _merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def _leaves(data: Data, above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if not above and key in ABOUT:
            continue
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_parents(key: str) -> Iterable[str]:
    steps = key.split(".")
    return (".".join(steps[: n + 1]) for n in range(len(steps)))


def _still_true(base: Entry, patch: Data, data: Data) -> tuple[Citation, ...]:
    """Base sources, each without the figures that the patch states anew or takes away."""
    stated_anew = {key for key, _ in _leaves(patch)}
    kept = {key for key, _ in _leaves(data)} - stated_anew
    inherited = []
    for source in base.sources:
        left: list[str] = []
        for cover in source.covers:
            under = [key for key, _ in _leaves(base.data) if covers(cover, key)]
            true = [key for key in under if key in kept]
            left += [cover] if true == under else true
        if left:
            inherited.append(replace(source, covers=tuple(left)))
    return tuple(inherited)
