"""The files of the catalogue in two layers, the user's own over the built-in ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from topology.catalog.entry import Entry, entry
from topology.source import YamlSource

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "nodes": "node",
        "racks": "rack",
        "switches": "switch",
        "appliances": "appliance",
        "batteries": "battery",
        "power": "power",
    }
)  # the `kind` of an entry by the folder it stands in
BUILT_IN = Path(__file__).parent


class Key(NamedTuple):
    """What names an entry: slugs are unique within a folder only."""

    folder: str
    slug: str


class UnknownBaseError(LookupError):
    """An entry extends a slug that its folder does not hold."""

    def __init__(self, last: Key, base: str) -> None:
        self.last, self.base = last, base
        super().__init__(f"{last.slug} extends {base}, which {last.folder}/ does not hold")


class CyclicExtendsError(LookupError):
    """An entry extends itself; `slugs` is the way round, its first slug again at the end."""

    def __init__(self, slugs: tuple[str, ...]) -> None:
        self.slugs = slugs
        super().__init__(" extends ".join(slugs))


@dataclass(frozen=True)
class Library:
    """Bytes of every built-in file, parsed when asked for, and the user's own files."""

    built_in: Mapping[Key, bytes]
    own: Mapping[Key, YamlSource]

    def slugs(self, folder: str) -> tuple[str, ...]:
        """Slugs of a folder in both layers, sorted."""
        return tuple(sorted({key.slug for key in (*self.built_in, *self.own) if key.folder == folder}))

    def entry(self, key: Key) -> Entry:
        """Whole entry: the user's where there is one, else the built-in one.

        Raises:
            KeyError: No layer has it.
            UnknownBaseError: It, or what it extends, extends a slug that is not there.
            CyclicExtendsError: Its way down leads back to itself.
        """
        made: Entry | None = None
        for source in reversed(self._way_down(key)):
            made = entry(source.data, made)
        if made is None:
            raise KeyError(key.slug)
        return made

    @cached_property
    def sha256(self) -> str:
        """Hex digest over layer, path and digest of every file, sorted; no file is parsed for it."""
        files = [f"built-in {k.folder}/{k.slug} {sha256(raw).hexdigest()}\n" for k, raw in self.built_in.items()]
        files += [f"own {k.folder}/{k.slug} {source.sha256}\n" for k, source in self.own.items()]
        return sha256("".join(sorted(files)).encode()).hexdigest()

    def _way_down(self, key: Key) -> list[YamlSource]:
        """Files of an entry, its own first, then what each extends.

        A user's file finds the user's entries first, except that its own name means the built-in
        entry it replaces. A built-in file finds built-in entries only: what a user replaces does
        not change what others are made of.
        """
        own = key in self.own
        way: list[YamlSource] = []
        passed: list[tuple[bool, str]] = []
        while True:
            if (own, key.slug) in passed:
                loop = [slug for _, slug in passed[passed.index((own, key.slug)) :]]
                raise CyclicExtendsError((*loop, key.slug))
            passed.append((own, key.slug))
            source = self.own[key] if own else self._parsed(key)
            way.append(source)
            if "extends" not in source.data:
                return way
            base = Key(key.folder, source.data["extends"])
            if own and base in self.own and base != key:
                key = base
            elif base in self.built_in:
                key, own = base, False
            elif base == key:
                raise CyclicExtendsError((key.slug, key.slug))
            else:
                raise UnknownBaseError(key, base.slug)

    def _parsed(self, key: Key) -> YamlSource:
        if key not in self._sources:
            self._sources[key] = YamlSource.parse(f"{key.folder}/{key.slug}.yaml", self.built_in[key])
        return self._sources[key]

    @cached_property
    def _sources(self) -> dict[Key, YamlSource]:
        """Built-in files parsed so far."""
        return {}


def built_in() -> dict[Key, bytes]:
    """Bytes of every file the package brings, by key, sorted."""
    return {
        Key(folder, path.stem): path.read_bytes()
        for folder in sorted(KINDS)
        for path in sorted((BUILT_IN / folder).glob("*.yaml"))
    }
