"""What a spec names exists in it, and goes by one name only."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from topology.findings import Finding, Path, did_you_mean
from topology.rules import found
from topology.source import YamlSource
from topology.source.nodes import both_lines

Data = Mapping[str, Any]

_GUESSED = 100  # unknown names that are compared with the known ones: a spec may hold thousands of both
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
_LISTS: tuple[tuple[Path, str], ...] = (  # lists of named things, and what one of them is
    (("halls",), "hall"),
    (("compute",), "compute group"),
    (("fabrics",), "fabric"),
    (("stages",), "stage"),
    (("slurm", "partitions"), "partition"),
    (("slurm", "clusters"), "Slurm cluster"),
    (("kubernetes", "pools"), "pool"),
    (("kubernetes", "queues"), "queue"),
    (("kubernetes", "priorities"), "priority"),
    (("power", "sources"), "power source"),
    (("power", "batteries"), "battery bank"),
)


def names_at(data: Data, path: Path) -> list[str]:
    """Names of the things in the list at `path`; empty when the spec has none."""
    return [thing["name"] for thing in _list(data, path)]


def unknown_names(data: Data, source: YamlSource) -> Iterator[Finding]:
    """Findings of references to halls, groups, fabrics, sources and levels that are not there."""
    known = {
        "S301": ("hall", set(names_at(data, ("halls",)))),
        "S302": ("compute group", set(names_at(data, ("compute",)))),
        "S303": ("fabric", set(names_at(data, ("fabrics",)))),
        "S304": ("power source", set(names_at(data, ("power", "sources")))),
        "S305": ("power level", {level["kind"] for level in _list(data, ("power", "levels"))}),
    }
    guessed = 0
    for code, path, name in _references(data):
        noun, names = known[code]
        if name not in names:
            guessed += 1
            guess = did_you_mean(name, names) if guessed <= _GUESSED else f"write the name of a {noun} of this spec"
            help_ = guess if names else f"add it: the spec has no {noun}"
            finding = found(code, f"no {noun} is called '{name}'", path, help_)
            yield source.at_key(finding) if path[-1] == name else finding


def like_names(data: Data, source: YamlSource) -> Iterator[Finding]:
    """Findings of names in one list that differ by nothing, or by case and leading zeros only."""
    for path, noun in _LISTS:
        first: dict[str, int] = {}
        things = _list(data, path)
        for place, thing in enumerate(things):
            folded = re.sub(r"(?<![0-9])0+(?=[0-9])", "", thing["name"].casefold())
            earlier = first.setdefault(folded, place)
            if earlier == place:
                continue
            here, there = (*path, place, "name"), (*path, earlier, "name")
            lines = both_lines(source.place(there)[0], source.place(here)[0])
            one, two = things[earlier]["name"], thing["name"]
            what = f"two {noun}s are called '{one}'" if one == two else f"{noun}s '{one}' and '{two}' are one name"
            yield found("S306", f"{what}: {lines}", here, "rename one of them")


def reserved_names(data: Data) -> Iterator[Finding]:
    """Findings of names that Windows keeps for devices or Slurm for itself."""
    places: list[Path] = [("name",), ("site", "name")]
    places += [(*path, place, "name") for path, _ in _LISTS for place in range(len(_list(data, path)))]
    for path in places:
        name = _at(data, path)
        if _RESERVED.fullmatch(name):
            yield found(
                "S307",
                f"'{name}' is the name of a device on Windows",
                path,
                f"choose another name, such as {name}-1",
            )
    own = _list(data, ("slurm", "partitions"))
    source, noun = (("slurm", "partitions"), "partition") if own else (("compute",), "group and its partition")
    for place, name in enumerate(names_at(data, source)):
        if name == "default":
            yield found(
                "S307",
                f"a {noun} called 'default'",
                (*source, place, "name"),
                "choose another name, such as train",
            )


def _references(data: Data) -> Iterator[tuple[str, Path, str]]:
    """(rule, path, name) of every place of the spec that names another."""
    for i, group in enumerate(data["compute"]):
        yield from _each("S301", ("compute", i, "halls"), group.get("halls", ()))
    for i, fabric in enumerate(data["fabrics"]):
        yield from _each("S302", ("fabrics", i, "compute"), fabric.get("compute", ()))
        yield from _each("S303", ("fabrics", i, "joins"), fabric.get("joins", ()))
        yield from _each("S301", ("fabrics", i, "halls"), fabric.get("halls", ()))
    for i, stage in enumerate(data.get("stages", ())):
        yield from (("S302", ("stages", i, "add", name), name) for name in stage["add"])
        needs = stage.get("needs", {})
        yield from _each("S304", ("stages", i, "needs", "permits"), needs.get("permits", ()))
        yield from _each("S301", ("stages", i, "needs", "energised"), needs.get("energised", ()))
    for path in (("slurm", "partitions"), ("slurm", "clusters")):
        for i, one in enumerate(_list(data, path)):
            yield from _each("S302", (*path, i, "compute"), one["compute"])
    for key in ("pools", "queues"):
        for i, one in enumerate(_list(data, ("kubernetes", key))):
            yield from _each("S302", ("kubernetes", key, i, "compute"), one.get("compute", ()))
    for i, bank in enumerate(_list(data, ("power", "batteries"))):
        yield "S305", ("power", "batteries", i, "attach"), bank["attach"]


def _each(code: str, path: Path, names: Sequence[str]) -> Iterator[tuple[str, Path, str]]:
    for place, name in enumerate(names):
        yield code, (*path, place), name


def _list(data: Data, path: Path) -> Sequence[Data]:
    for step in path:
        data = data.get(str(step), {})
    return data if isinstance(data, list) else ()


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401 - any value of the spec
    for step in path:
        data = data[step]
    return data
