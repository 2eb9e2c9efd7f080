"""What is written at the ends of cables, by numbers: device and port as on the label, and the owner.

A site has millions of cables and a few hundred thousand devices, so texts are made once per device and per kind of
port, and every cable takes its own by index: no join, and a code of four bytes where a text would be.
"""

from dataclasses import dataclass
from itertools import product
from typing import Self

import polars as pl

from topology.plan.tables import ROLES
from topology.views.owners import Owners, Tables


@dataclass(frozen=True, slots=True)
class CableEnds:
    """Texts of a plan's cables. Each column is an Enum in alphabetical order, so that it sorts as its text does.

    Ends near the nodes are numbered through the tables that they point into, in the order of `ENDS`.
    """

    first: pl.Series  # by table: number of its first end
    devices: pl.Series  # by end
    owners: pl.Series  # by end
    cards: pl.Series  # by end: number of a NIC's role and index; 0 for a box, whose ports go by cage and port alone
    switches: pl.Series  # by switch: its name, for the upper end
    ports: pl.Series  # by card, cage and port
    port_shape: tuple[int, int]  # cages and ports that a card has in these numbers

    @classmethod
    def of(cls, tables: Tables, owners: Owners) -> Self:
        """Texts of every cable of a plan, whichever stage brings it."""
        nics = tables["nics"].select("node", "role", "index").collect()
        nodes = tables["nodes"].select("name", "unit").collect()
        boxes = [
            tables[table].select(key, "name").join(owned.lazy(), on=key, how="left").sort(key).collect()
            for table, key, owned in (
                ("appliances", "appliance", owners.appliances),
                ("switches", "switch", owners.switches),
            )
        ]
        names = _coded(pl.concat([nodes["name"], *(box["name"] for box in boxes)]))
        owned = _coded(pl.concat([owners.units.sort("unit")["owner"], *(box["owner"] for box in boxes)]))
        node_names, box_names = names.head(nodes.height), names.slice(nodes.height)
        node_owners = owned.head(owners.units.height).gather(nodes["unit"])
        indexes = int(nics["index"].max() or 0) + 1  # type: ignore[arg-type]
        numbers = nics["role"].to_physical().cast(pl.UInt16) * indexes + nics["index"] + 1
        cages, ports = tables["cables"].select(_most("cage"), _most("port")).collect().row(0)
        return cls(
            first=pl.Series([0, nics.height, nics.height + boxes[0].height], dtype=pl.UInt32),
            devices=pl.concat([node_names.gather(nics["node"]), box_names]),
            owners=pl.concat([node_owners.gather(nics["node"]), owned.slice(owners.units.height)]),
            cards=pl.concat([numbers, pl.zeros(box_names.len(), dtype=numbers.dtype, eager=True)]),
            switches=box_names.slice(boxes[0].height),
            ports=_ports(indexes, cages, ports),
            port_shape=(cages, ports),
        )

    def number(self) -> pl.Expr:
        """Number of a cable's end near the nodes."""
        return pl.col("a") + pl.lit(self.first).gather(pl.col("a_table").to_physical())

    def order(self) -> pl.Expr:
        """One number per cable that sorts as its owner, device and port together do, in half of the time."""
        number = pl.lit(0, pl.UInt64)
        for column, texts in (("owner", self.owners), ("a_device", self.devices), ("a_port", self.ports)):
            number = number * _words(texts).len() + pl.col(column).to_physical()
        return number

    def port(self, end: str, card: pl.Expr) -> pl.Expr:
        """Port at an end, as on the label."""
        cages, ports = self.port_shape
        number = (card.cast(pl.UInt32) * cages + pl.col(f"{end}_cage") - 1) * ports + pl.col(f"{end}_port") - 1
        return pl.lit(self.ports).gather(number)


def _coded(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.Enum(texts.drop_nulls().unique().sort()))


def _words(texts: pl.Series) -> pl.Series:
    """Every text that there can be in an Enum column."""
    assert isinstance(texts.dtype, pl.Enum)  # noqa: S101 -- `_coded` made it
    return texts.dtype.categories


def _most(part: str) -> pl.Expr:
    return (
        pl.max_horizontal(pl.col(f"a_{part}").max(), pl.col(f"b_{part}").max()).cast(pl.Int64).fill_null(1).alias(part)
    )


def _ports(indexes: int, cages: int, ports: int) -> pl.Series:
    """Every port there can be, by card, cage and port."""
    cards = ["", *(f"{role}{index}" for role in ROLES.categories for index in range(indexes))]
    every = product(cards, range(1, cages + 1), range(1, ports + 1))
    return _coded(pl.Series([port_name(*each) for each in every], dtype=pl.String))


def port_name(card: str, cage: int, port: int) -> str:
    """A port as on the label: 31/2 on the front of a box; compute0 of a card, compute0-1/2 where it has several."""
    place = f"{cage}/{port}"
    if not card:
        return place
    return card if place == "1/1" else f"{card}-{place}"
