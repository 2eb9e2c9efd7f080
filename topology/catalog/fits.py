"""How entries fit together: what they extend, and whether a rack takes its nodes."""

from collections.abc import Iterator
from dataclasses import replace

from topology.catalog import products
from topology.catalog.entry import Entry
from topology.catalog.library import CyclicExtendsError, Key, Library, UnknownBaseError
from topology.catalog.model import POWER_SHELF, Node, Rack
from topology.catalog.rules import found
from topology.catalog.violations import violations
from topology.findings import Finding, did_you_mean, shown


def wrong_together(library: Library) -> list[Finding]:
    """Findings of the user's entries that no file shows by itself, located, unordered."""
    problems: list[Finding] = []
    whole: dict[Key, Entry] = {}
    for key, source in library.own.items():
        made, wrong = _whole(library, key)
        problems += source.locate(wrong)
        if made is None:
            continue
        missing = violations(source, key.folder, {**made.data, "sources": source.data["sources"]})
        problems += source.locate(missing)
        if not missing:
            whole[key] = made
    for key, made in whole.items():
        if key.folder == "racks":
            problems += library.own[key].locate(list(_wrong_rack(library, key, made, whole)))
    return problems


def misfits_of_own_node(rack: Rack, node: Node) -> list[Finding]:
    """Findings of a built-in rack and the user's node; the user can replace the rack as well."""
    help_ = f"replace the rack too: racks/{rack.slug}.yaml with extends: {rack.slug}"
    return [replace(finding, help=help_) for finding in _misfits(rack, node)]


def _whole(library: Library, key: Key) -> tuple[Entry | None, list[Finding]]:
    """The entry over all it extends; else a finding, unless another file of the way has it."""
    try:
        return library.entry(key), []
    except UnknownBaseError as error:
        if error.last != key:
            return None, []
        message = f"{shown(key.slug)} extends {shown(error.base)}, which is not in {key.folder}/"
        help_ = did_you_mean(error.base, library.slugs(key.folder))
        return None, [found("C301", message, ("extends",), help_)]
    except CyclicExtendsError as error:
        if key.slug != min(error.slugs):
            return None, []
        circle = " extends ".join(shown(slug) for slug in error.slugs)
        help_ = "let one of them start from a built-in entry, or write its keys out"
        return None, [found("C302", circle, ("extends",), help_)]


def _wrong_rack(library: Library, key: Key, made: Entry, whole: dict[Key, Entry]) -> Iterator[Finding]:
    rack = products.rack(key.slug, made)
    node = Key("nodes", rack.node)
    if rack.node not in library.slugs("nodes"):
        help_ = did_you_mean(rack.node, library.slugs("nodes"))
        yield found("C303", f"node {shown(rack.node)} is not in the catalogue", ("node",), help_)
    elif node in whole or node not in library.own:  # else the node has a finding of its own
        yield from _misfits(rack, products.node(rack.node, library.entry(node)))
    yield from _wrong_parts(library, rack, whole)


def _wrong_parts(library: Library, rack: Rack, whole: dict[Key, Entry]) -> Iterator[Finding]:
    """Parts whose product is not in the catalogue, or is no power shelf where one is asked for."""
    slugs = library.slugs("power")
    for part in rack.parts:
        product, path = Key("power", part.product), ("parts", part.kind, "product")
        if part.product and part.product not in slugs:
            message = f"product {shown(part.product)} is not in the catalogue"
            yield found("C307", message, path, did_you_mean(part.product, slugs))
        elif part.kind == POWER_SHELF and (product in whole or product not in library.own):
            device = library.entry(product).data["device"]
            if device != POWER_SHELF:
                message = f"product {shown(part.product)} is a {device}, not a {POWER_SHELF}"
                yield found("C307", message, path, f"name an entry with device: {POWER_SHELF}")


def _misfits(rack: Rack, node: Node) -> Iterator[Finding]:
    parts_u = sum(part.count * part.height_u for part in rack.parts)
    needed_u = rack.nodes * node.height_u + parts_u
    if needed_u > rack.height_u:
        held = _count(rack.nodes) + f" of {node.height_u}U" + (f", parts of {parts_u}U" if parts_u else "")
        message = f"rack {shown(rack.slug)} has {rack.height_u}U and needs {needed_u}U: {held}"
        most = max(0, rack.height_u - parts_u) // node.height_u
        help_ = f"give it {needed_u}U" + (f", or at most {_count(most)}" if most else "")
        yield found("C304", message, ("height_u",), help_)
    drawn_w = rack.nodes * node.power_max_w
    if drawn_w > rack.power_max_w:
        held = f"{_count(rack.nodes)} of {node.power_max_w:,} W"
        message = f"rack {shown(rack.slug)} draws at most {rack.power_max_w:,} W, its nodes {drawn_w:,} W: {held}"
        yield found("C305", message, ("power_w", "maximum"), f"write at least {drawn_w}")
    if rack.nvlink and node.nvlink:
        message = f"rack {shown(rack.slug)} and its node {shown(node.slug)} both have an NVLink domain"
        yield found("C306", message, ("nvlink",), "write nvlink: null in one of them")


def _count(nodes: int) -> str:
    return "1 node" if nodes == 1 else f"{nodes} nodes"
