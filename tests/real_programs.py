"""Real programs for tests. Without one its tests are skipped with the reason; in CI they fail."""

import os

import pytest

from topology.verify import engines
from topology.verify.cache import UnavailableError


def real_program(name):
    """What `topology.verify.engines` gives for a name, such as `etcd`."""
    try:
        return getattr(engines, name)()
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"{name} is not to be had: {missing}")
