"""Products as an inventory server needs them: maker, model, height and ports of each device type."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from topology.catalog.model import Appliance, Battery, Catalog, Node, Switch
from topology.deploy.inventory.error import InventoryError

Product = Node | Switch | Appliance | Battery


@dataclass(frozen=True, slots=True)
class DeviceType:
    """A product as a server lists it; `ports` are made with every device of the type."""

    product: str
    manufacturer: str
    model: str
    height_u: int
    ports: tuple[str, ...]


def type_names(slugs: Sequence[str], catalog: Catalog) -> dict[str, str]:
    """Maker and model of each product, in one text that names its device type.

    Raises:
        InventoryError: A product is in no catalogue.
    """
    return {slug: type_name(product.manufacturer, product.model) for slug, product in _products(slugs, catalog)}


def type_name(manufacturer: str, model: str) -> str:
    """How a device type is named in one text."""
    return f"{manufacturer} {model}"


def device_types(devices: pl.DataFrame, cables: pl.DataFrame, catalog: Catalog) -> list[DeviceType]:
    """Device types of `devices` (name, product), sorted, with the ports that the catalogue gives and `cables` use.

    A cage of a switch is split as its cables here need it, or as little as it can be where there are none: a
    pod is written before the units that are plugged into it, and what is still missing then is added to each device.
    """
    ends = pl.concat([cables.select("rate_gbps", name=f"{end}_device", port=f"{end}_port") for end in ("a", "b")]).join(
        devices.select("name", "product"), on="name"
    )
    found = []
    for slug, product in _products(devices["product"].unique().sort().to_list(), catalog):
        used = ends.filter(pl.col("product") == slug)
        ports = {*used["port"].unique(), *_ports(product, set(used["rate_gbps"].unique()))}
        height = 0 if isinstance(product, Battery) else product.height_u
        found.append(
            DeviceType(slug, product.manufacturer, product.model, height, tuple(sorted(ports, key=_by_number)))
        )
    return found


def _products(slugs: Iterable[str], catalog: Catalog) -> Iterator[tuple[str, Product]]:
    shelves = (catalog.nodes, catalog.switches, catalog.appliances, catalog.batteries)
    for slug in slugs:
        shelf = next((shelf for shelf in shelves if slug in shelf), None)
        if shelf is None:
            raise InventoryError(
                f"inventory: product {slug} is in no catalogue",
                "name the folder of your own products: inventory: {catalog: catalog/}",
            )
        yield slug, shelf[slug]


def _ports(product: Product, rates: set[int]) -> Iterator[str]:
    """Names of the ports of a product, as cables have them."""
    match product:
        case Node():
            first: dict[str, int] = {}
            for nic in product.nics:
                begin = first.get(nic.role, 0)
                yield from (f"{nic.role}{index}" for index in range(begin, begin + nic.count))
                first[nic.role] = begin + nic.count
        case Switch():
            cage = 0
            for cages in product.cages:
                splits = [ports for rate, ports in cages.ports.items() if rate in rates] or [min(cages.ports.values())]
                yield from (
                    f"{number}/{port}"
                    for number in range(cage + 1, cage + cages.count + 1)
                    for port in range(1, max(splits) + 1)
                )
                cage += cages.count
        case Appliance():
            yield from (f"{number}/1" for number in range(1, max(product.ports.values()) + 1))
        case Battery():
            return


def _by_number(port: str) -> list[tuple[str, int]]:
    """Sort key under which 2/1 comes before 10/1."""
    words = port.replace("-", "/").split("/")
    return [(word.rstrip("0123456789"), int("0" + word[len(word.rstrip("0123456789")) :])) for word in words]
