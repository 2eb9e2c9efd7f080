"""NetBox through pynetbox."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pynetbox  # type: ignore[import-untyped]
from pynetbox.core.query import (  # type: ignore[import-untyped]
    AllocationError,
    ContentError,
    Request,
    RequestError,
)

from topology.deploy.inventory.server.objects import TEXT
from topology.deploy.inventory.server.products import DeviceType, type_name
from topology.deploy.inventory.server.rest import Call, RestServer, Row, Schema
from topology.deploy.inventory.server.settings import ServerSettings

SLUG_CHARACTERS = 100


class Netbox(RestServer):
    """One NetBox."""

    name = "NetBox"
    filters: ClassVar = {
        "site": "site_id",
        "panel": "power_panel_id",
        "rack": "rack_id",
        "type": "device_type_id",
        "device": "device_id",
        "cabled device": "device_id",
    }
    content = "object_types"
    new_port: ClassVar = {}
    refused: ClassVar = (RequestError, AllocationError)  # the second is a POST that conflicts with something
    unreadable = ContentError

    def __init__(self, settings: ServerSettings) -> None:
        self._api = pynetbox.api(settings.url, token=settings.token.text)
        self._api.http_session.verify = settings.ca_file or True
        super().__init__(settings, self._api.http_session)

    def page(self, schema: Schema) -> Mapping[str, str]:
        """Pages of 1,000 (the longest it gives), and no field that is not asked for."""
        return {"limit": "1000", "fields": ",".join(schema)}

    def named(self, name: str) -> Row:
        """A new thing that has nothing but a name."""
        return {"name": name, "slug": slug(name)}

    def modelled(self, product: DeviceType) -> Row:
        """A new device type, without its maker."""
        named = type_name(product.manufacturer, product.model)
        return {"model": product.model, "slug": slug(named), "u_height": product.height_u}

    def delete(self, endpoint: str, ids: Sequence[str]) -> None:
        """Delete objects; one that is gone already would have the whole list refused, so it is asked for first."""
        super().delete(endpoint, self.read_each(endpoint, {"id": TEXT}, "id", ids)["id"].to_list())

    def call(self, endpoint: str, filters: Mapping[str, Any] | None = None) -> Call:
        """A request to `endpoint`, such as dcim/racks."""
        request: Call = Request(
            base=f"{self._api.base_url}/{endpoint}",
            filters=filters,
            token=self._token.text,
            http_session=self._api.http_session,
        )
        return request


def slug(name: str) -> str:
    """How NetBox writes a name in an address: `Dell PowerEdge XE9680` is dell-poweredge-xe9680."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:SLUG_CHARACTERS]
