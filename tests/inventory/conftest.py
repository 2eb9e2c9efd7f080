"""An inventory file in a fresh folder."""

import pytest

from topology.deploy.inventory import open_inventory


@pytest.fixture
def path(tmp_path):
    """Where the file of `inventory` is."""
    return tmp_path / "site.db"


@pytest.fixture
def inventory(path):
    """An inventory in a file that is not there yet."""
    return open_inventory({"kind": "sqlite", "path": str(path)})
