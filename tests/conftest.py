"""Options and fixtures that every test may use."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import settings

from topology.cli import main

settings.register_profile("any machine", deadline=None)  # a busy machine is no fault of the program
settings.load_profile("any machine")


@dataclass(frozen=True)
class Run:
    """What one command did."""

    code: int
    out: str
    err: str


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the files on record anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write the files on record instead of comparing with them; review before commit."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Runs `topology` with some arguments in this process."""

    def run(*arguments: str) -> Run:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        said = capsys.readouterr()
        return Run(int(stop.value.code or 0), said.out, said.err)

    return run
