"""Nautobot through pynautobot."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pynautobot  # type: ignore[import-untyped]
from pynautobot.core.query import ContentError, Request, RequestError  # type: ignore[import-untyped]

from topology.deploy.inventory.server.products import DeviceType
from topology.deploy.inventory.server.rest import Call, RestServer, Row, Schema
from topology.deploy.inventory.server.settings import ServerSettings

ACTIVE: Row = {"status": {"name": "Active"}}


class Nautobot(RestServer):
    """One Nautobot."""

    name = "Nautobot"
    filters: ClassVar = {
        "site": "location",
        "panel": "power_panel",
        "rack": "rack",
        "type": "device_type",
        "device": "device",
        "cabled device": "device_id",
    }
    content = "content_types"
    new_port: ClassVar = ACTIVE
    refused: ClassVar = (RequestError,)
    unreadable = ContentError

    def __init__(self, settings: ServerSettings) -> None:
        self._api = pynautobot.api(settings.url, token=settings.token.text, verify=settings.ca_file or True)
        super().__init__(settings, self._api.http_session)

    def page(self, schema: Schema) -> Mapping[str, str]:
        """References as ids, pages of 1,000 (the longest it gives), lists of references only where asked for."""
        return {"depth": "0", "limit": "1000", "exclude_m2m": str("content_types" not in schema)}

    def named(self, name: str) -> Row:
        """A new thing that has nothing but a name."""
        return {"name": name}

    def modelled(self, product: DeviceType) -> Row:
        """A new device type, without its maker."""
        return {"model": product.model, "u_height": product.height_u}

    def call(self, endpoint: str, filters: Mapping[str, Any] | None = None) -> Call:
        """A request to `endpoint`, such as dcim/racks."""
        request: Call = Request(
            base=f"{self._api.base_url}/{endpoint}",
            filters=filters,
            token=self._token.text,
            http_session=self._api.http_session,
        )
        return request
