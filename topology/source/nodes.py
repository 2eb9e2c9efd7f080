"""A value of the text with the places of everything in it, and the making of one."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from topology.findings import Finding, shown
from topology.rules import found
from topology.source import scalars

MAX_KEY = 128  # characters

Spot = tuple[int, int]  # 1-based line and column


@dataclass(slots=True)
class YamlNode:
    """One value of the text, where it starts, and the places of what it holds."""

    value: Any
    spot: Spot
    keys: dict[str, Spot] = field(default_factory=dict)
    items: dict[str | int, "YamlNode"] = field(default_factory=dict)
    size: int = 1  # values in it, itself included, aliases expanded
    height: int = 1  # levels in it, itself included

    def hold(self, key: str | int, item: "YamlNode") -> None:
        """Take `item` in under a key, or under the next position of a list."""
        self.items[key] = item
        self.size += item.size
        self.height = max(self.height, item.height + 1)
        if isinstance(self.value, list):
            self.value.append(item.value)
        else:
            self.value[key] = item.value


@dataclass(slots=True)
class OpenCollection:
    """A list or mapping whose end has not been read yet."""

    node: YamlNode
    anchor: str | None
    key: str | None = None  # whose value comes next; None: a key comes next, or this is a list
    key_spot: Spot = (0, 0)
    merge_spot: Spot | None = None  # of its '<<' key
    merged: YamlNode | None = None  # what '<<' names
    folded: dict[str, str] = field(default_factory=dict)  # its keys by their form without case

    @property
    def wants_key(self) -> bool:
        """Whether the next scalar is a key."""
        return isinstance(self.node.value, dict) and self.key is None

    def take_key(self, word: str, spot: Spot, *, quoted: bool) -> Iterator[Finding]:
        """Expect the value of `word` next; findings of what is wrong with the key itself."""
        self.key, self.key_spot = word, spot
        if word == "<<" and not quoted:
            if self.merge_spot is not None:
                yield _twice("'<<' stands twice", self.merge_spot, spot)
            self.merge_spot = spot
            return
        if not quoted and not scalars.is_text(word):
            what = f"{shown(word)} is not text, so it is no key" if word else "no key stands before ':'"
            help_ = "quote a key that looks like a number" if word else "write a key, or quote the text"
            yield at(found("S132", what, help=help_), spot)
        elif len(word) > MAX_KEY:
            help_ = f"{MAX_KEY} characters are the limit"
            yield at(found("S132", f"a key of {len(word):,} characters", help=help_), spot)
        yield from self._once(word, spot)
        self.node.keys[word] = spot

    def take(self, item: YamlNode) -> None:
        """Put a finished value where it belongs."""
        if isinstance(self.node.value, list):
            self.node.hold(len(self.node.value), item)
        elif self.key == "<<" and self.key_spot == self.merge_spot:
            self.merged = item
        elif self.key is not None:
            self.node.hold(self.key, item)
        self.key = None

    def close(self) -> Iterator[Finding]:
        """Merge what '<<' names: keys of the mapping itself win, then earlier mappings before later."""
        if self.merged is None or self.merge_spot is None:
            return
        parts = list(self.merged.items.values()) if isinstance(self.merged.value, list) else [self.merged]
        for part in parts:
            if not isinstance(part.value, dict):
                help_ = "name one mapping (<<: *anchor) or a list of them"
                yield at(found("S134", f"'<<' cannot merge {shown(part.value)}", help=help_), self.merge_spot)
                continue
            for key, spot in part.keys.items():
                if key in self.node.items or key not in part.items:
                    continue
                yield from self._once(key, self.merge_spot)
                self.node.keys[key] = spot
                self.node.hold(key, part.items[key])

    def _once(self, word: str, spot: Spot) -> Iterator[Finding]:
        first = self.folded.setdefault(word.casefold(), word)
        if first in self.node.keys:
            same = f"key {shown(word)} stands twice"
            other = f"keys {shown(first)} and {shown(word)} differ in case only"
            yield _twice(same if first == word else other, self.node.keys[first], spot)


def _twice(what: str, first: Spot, second: Spot) -> Finding:
    return at(found("S131", f"{what}: {both_lines(first[0], second[0])}", help="keep one of them"), second)


def both_lines(first: int, second: int) -> str:
    """Two line numbers as a message says them."""
    return f"both on line {first}" if first == second else f"lines {first} and {second}"


def at(finding: Finding, spot: Spot) -> Finding:
    """The finding, standing at a place of the text."""
    return replace(finding, line=spot[0], column=spot[1])
