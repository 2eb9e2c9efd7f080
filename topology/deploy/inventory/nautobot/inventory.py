"""The inventory in Nautobot, through its REST API and pynautobot."""

from collections.abc import Sequence

import polars as pl

from topology.deploy.inventory.nautobot import ground, reading, writing
from topology.deploy.inventory.nautobot.server import Nautobot
from topology.deploy.inventory.server.ground import Ground, alone, has_marks
from topology.deploy.inventory.server.inventory import ServerInventory
from topology.deploy.inventory.server.objects import Objects
from topology.deploy.inventory.server.products import DeviceType
from topology.deploy.inventory.server.rest import Row
from topology.deploy.inventory.server.settings import ServerSettings


class NautobotInventory(ServerInventory):
    """Objects of every owner in one Nautobot."""

    begins = writing.BEGINS

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings, Nautobot(settings))

    def has_marks(self) -> bool:  # noqa: D102 -- as in ServerInventory
        return has_marks(self.server, "key")

    def of_kind(self, kind: str, owner: str, site: str) -> pl.DataFrame:  # noqa: D102
        return reading.of_kind(self.server, kind, owner, site)

    def lay(self, site: str, wanted: Objects, types: Sequence[DeviceType]) -> Ground:  # noqa: D102
        return alone(lambda: ground.laid(self.server, site, wanted, types))

    def rows(self, on: Ground, owner: str, kind: str, wanted: pl.DataFrame) -> list[Row]:  # noqa: D102
        return writing.rows(self.server, on, owner, kind, wanted)
