"""Real programs for tests. Without one its tests are skipped with the reason; in CI they fail."""

import os
from contextlib import contextmanager

import pytest

from topology.verify import definitions, engines
from topology.verify.cache import UnavailableError


@contextmanager
def needed(what):
    """A block that brings something; where it is not to be had, the test ends here."""
    try:
        yield
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what} must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"{what} is not to be had: {missing}")


def real_program(name):
    """What `topology.verify.engines` gives for a name, such as `etcd`."""
    with needed(name):
        return getattr(engines, name)()


def real_definitions(kinds, folder):
    """Put the definitions of kinds, as (API group, kind), into a folder."""
    with needed("the Go modules with definitions"):
        for path in definitions.files(kinds):
            (folder / path.name).write_bytes(path.read_bytes())
