"""Inventories to write to: a file in a fresh folder, and a real Nautobot."""

import os

import pytest
from nautobot_rest import Rest

from topology.deploy.inventory import open_inventory
from topology.verify.cache import UnavailableError
from topology.verify.nautobot import Nautobot


@pytest.fixture
def path(tmp_path):
    """Where the file of `inventory` is."""
    return tmp_path / "site.db"


@pytest.fixture
def inventory(path):
    """An inventory in a file that is not there yet."""
    return open_inventory({"kind": "sqlite", "path": str(path)})


@pytest.fixture(scope="session")
def nautobot():
    """A Nautobot without any object."""
    try:
        with Nautobot() as running:
            yield running
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Nautobot must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"no Nautobot is to be had: {missing}")


@pytest.fixture(scope="session")
def rest(nautobot):
    return Rest(nautobot.url, nautobot.token)
