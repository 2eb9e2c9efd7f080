"""Kinds of change that a reviewer has to judge, as changes.yaml has them, and the files that they make of a site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parent
SPEC = "cluster.yaml"


@dataclass(frozen=True, slots=True)
class Change:
    """What is edited on each site, and what its author knows."""

    sites: Mapping[str, list[dict[str, str]]]  # edits by site: `now` takes the place of `was` in `file`, or in the spec
    halls: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by site: new names of halls by old ones
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # likewise of groups
    carried: bool = False  # racks stand elsewhere, and are the same
    by_place: bool = False  # switches change their numbers: they may be told by their places
    base: bool = True  # whether the site was there before
    head: bool = True  # whether it is there afterwards


def files(site: str, change: Change | None = None) -> dict[str, str]:
    """Text by path of the files of a site, with a change made."""
    folder = HERE / "sites" / site
    texts = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.yaml"))}
    for edit in change.sites[site] if change else ():
        path = edit.get("file", SPEC)
        assert texts[path].count(edit["was"]) == 1, f"{edit['was']!r} stands {texts[path].count(edit['was'])} times"
        texts[path] = texts[path].replace(edit["was"], edit["now"])
    return texts


def _read() -> dict[str, Change]:
    kinds: dict[str, Any] = YAML(typ="safe", pure=True).load((HERE / "changes.yaml").read_text())
    return {kind: Change(**given) for kind, given in kinds.items()}


CHANGES = _read()
