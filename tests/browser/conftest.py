import os

import pytest

from topology.verify import browser
from topology.verify.cache import UnavailableError


@pytest.fixture(scope="session", autouse=True)
def real_browser():
    """Chromium and mermaid. Without them the tests here are skipped with the reason; in CI they fail."""
    try:
        return browser.chromium(), browser.mermaid()
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Chromium and mermaid must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"Chromium or mermaid is not to be had: {missing}")
