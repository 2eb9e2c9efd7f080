"""Which tests one worker takes one after another, and which are begun first.

pytest-xdist 3.8 no longer sees its own marks of groups under pytest 9.2 (pytest-dev/pytest-xdist#1386): every worker
then starts servers of its own. So the queue of a test is read off its name, which the scheduler does know.
"""

import re

from xdist.scheduler import LoadScopeScheduling

# Tests that share a server that takes long to start, or one too large to run on every worker.
SHARED = re.compile(
    r"inventory/.*(nautobot|netbox)|kubernetes/test_(kueue)|review/test_(scale)|pulumi/test_(manifests)"
)
LONG = (  # what takes minutes, the longest queue first: none of it is to be all that is left in the end
    "tests/inventory/",
    "tests/kubernetes/test_kueue",
    "tests/pulumi/",
    "tests/kubernetes/",
    "tests/action/",
    "tests/review/test_scale",
    "tests/browser/",
)


def queue(name: str) -> str:
    """The queue of a test: that of all who share its server, or its own.

    >>> queue("tests/inventory/test_servers.py::test_every_cable[netbox]")
    'netbox'
    """
    shared = SHARED.search(name)
    return next(filter(None, shared.groups())) if shared else name


def turn(name: str) -> int:
    """When a test is begun: a place among the parts that take long, or after them all."""
    return next((place for place, start in enumerate(LONG) if name.startswith(start)), len(LONG))


class Queues(LoadScopeScheduling):
    """Hands out whole queues, in the order in which the tests are collected."""

    def _split_scope(self, nodeid: str) -> str:
        return queue(nodeid)
