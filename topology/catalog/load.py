"""The catalogue as the rest of the program sees it: products by slug, made when asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from topology.catalog import products
from topology.catalog.entry import Entry
from topology.catalog.fits import misfits_of_own_node, wrong_together
from topology.catalog.library import Key, Library, built_in
from topology.catalog.model import Catalog, Rack
from topology.catalog.overlay import own, reading_order
from topology.findings import FindingsError

P = TypeVar("P")


class Shelf(Mapping[str, P]):
    """Products of one folder by slug, sorted; each is made on first access and then kept.

    Reading one takes about 4 ms, and a cluster uses a handful of the built-in ones.
    """

    def __init__(self, slugs: Iterable[str], make: Callable[[str], P]) -> None:
        self._slugs = tuple(slugs)
        self._make = make
        self._made: dict[str, P] = {}

    def __getitem__(self, slug: str) -> P:
        if slug not in self._slugs:
            raise KeyError(slug)
        if slug not in self._made:
            self._made[slug] = self._make(slug)
        return self._made[slug]

    def __contains__(self, slug: object) -> bool:
        return slug in self._slugs

    def __iter__(self) -> Iterator[str]:
        return iter(self._slugs)

    def __len__(self) -> int:
        return len(self._slugs)


def load(overlay: Path | None = None) -> Catalog:
    """Every built-in product and, over them, the user's own under `overlay`: same slug replaces.

    The user's entries are read and checked here, all of them. A built-in rack that the user's
    node does not fit raises FindingsError when it is taken from the catalogue.

    Raises:
        FindingsError: What is wrong with the user's files, in reading order. A finding about the
            folder itself has the spec's path `catalog` and no file.
    """
    library = Library(built_in(), own(overlay) if overlay is not None else {})
    wrong = wrong_together(library)
    if wrong:
        lines = {source.name: source.lines for source in library.own.values()}
        raise FindingsError(sorted(wrong, key=reading_order), lines)
    return _catalog(library)


def _catalog(library: Library) -> Catalog:
    def shelf(folder: str, make: Callable[[str, Entry], P]) -> Shelf[P]:
        return Shelf(library.slugs(folder), lambda slug: make(slug, library.entry(Key(folder, slug))))

    def rack(slug: str, made: Entry) -> Rack:
        design = products.rack(slug, made)
        owner = library.own.get(Key("nodes", design.node))
        if owner is not None and (wrong := misfits_of_own_node(design, nodes[design.node])):
            raise FindingsError(owner.locate(wrong), {owner.name: owner.lines})
        return design

    nodes = shelf("nodes", products.node)
    return Catalog(
        nodes=nodes,
        racks=shelf("racks", rack),
        switches=shelf("switches", products.switch),
        appliances=shelf("appliances", products.appliance),
        batteries=shelf("batteries", products.battery),
        power=shelf("power", products.power_device),
        sha256=library.sha256,
        own={f"{key.folder}/{key.slug}.yaml": "\n".join(source.lines) for key, source in sorted(library.own.items())},
    )
