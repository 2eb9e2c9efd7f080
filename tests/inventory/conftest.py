"""Inventories to write to: a file in a fresh folder, a real Nautobot, a real NetBox."""

import os

import pytest
import rest as plain_rest

from topology.deploy.inventory import open_inventory
from topology.verify.cache import UnavailableError
from topology.verify.inventory_server import InventoryServer
from topology.verify.nautobot import NAUTOBOT
from topology.verify.netbox import NETBOX

SERVERS = {"nautobot": (NAUTOBOT, plain_rest.Nautobot), "netbox": (NETBOX, plain_rest.NetBox)}


@pytest.fixture
def path(tmp_path):
    """Where the file of `inventory` is."""
    return tmp_path / "site.db"


@pytest.fixture
def inventory(path):
    """An inventory in a file that is not there yet."""
    return open_inventory({"kind": "sqlite", "path": str(path)})


@pytest.fixture(
    scope="session",
    params=[pytest.param(kind, marks=pytest.mark.inventory) for kind in SERVERS],
)
def kind(request):
    """The kind of inventory server that a test runs on, each in its turn."""
    return request.param


@pytest.fixture(scope="session")
def server(kind):
    """A server of that kind without any object."""
    try:
        with InventoryServer(SERVERS[kind][0]) as running:
            yield running
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{kind} must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"no {kind} is to be had: {missing}")


@pytest.fixture(scope="session")
def rest(kind, server):
    return SERVERS[kind][1](server.url, server.token)
