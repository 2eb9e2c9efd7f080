import os

import pytest

from topology.verify import engines
from topology.verify.cache import UnavailableError


@pytest.fixture(scope="session")
def real():
    """Gives the real program of a name. Without it the test is skipped with the reason; in CI it fails."""

    def find(name):
        try:
            return getattr(engines, name)()
        except UnavailableError as missing:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{name} must be there in CI: {missing}", pytrace=False)
            pytest.skip(f"{name} is not to be had: {missing}")

    return find
