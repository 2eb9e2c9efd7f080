"""The inventory in NetBox."""

from collections.abc import Sequence

import polars as pl

from topology.deploy.inventory.netbox import ground, reading, writing
from topology.deploy.inventory.netbox.server import Netbox
from topology.deploy.inventory.server.ground import Ground, alone, has_marks
from topology.deploy.inventory.server.inventory import ServerInventory
from topology.deploy.inventory.server.objects import Objects
from topology.deploy.inventory.server.products import DeviceType
from topology.deploy.inventory.server.rest import Row
from topology.deploy.inventory.server.settings import ServerSettings


class NetboxInventory(ServerInventory):
    """Objects of every owner in one NetBox."""

    begins = writing.BEGINS

    def __init__(self, settings: ServerSettings) -> None:
        super().__init__(settings, Netbox(settings))

    def has_marks(self) -> bool:  # noqa: D102 -- as in ServerInventory
        return has_marks(self.server, "name")

    def of_kind(self, kind: str, owner: str, site: str) -> pl.DataFrame:  # noqa: D102
        del site  # a location is in a site and never the site itself
        return reading.of_kind(self.server, kind, owner)

    def lay(self, site: str, wanted: Objects, types: Sequence[DeviceType]) -> Ground:  # noqa: D102
        return alone(lambda: ground.laid(self.server, site, wanted, types))

    def rows(self, on: Ground, owner: str, kind: str, wanted: pl.DataFrame) -> list[Row]:  # noqa: D102
        return writing.rows(self.server, on, owner, kind, wanted)
