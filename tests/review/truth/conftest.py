"""The corpus of changes: every test asks for a change by site and kind."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from told import Told, told


@pytest.fixture(scope="session")
def tell(shared: Path) -> Callable[[str, str], Told]:
    """Gives what is told of a change, by site and kind."""
    return partial(told, shared=shared)
