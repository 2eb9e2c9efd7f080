"""Options and fixtures that every test may use."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import golden_cases
import pytest
import queues
from hypothesis import settings
from xdist.remote import Producer

from topology.cli import main

settings.register_profile("any machine", deadline=None)  # a busy machine is no fault of the program
settings.load_profile("any machine")
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:  # tests that run in the background send signals as well
        signal.signal(number, handler)


@dataclass(frozen=True)
class Run:
    """What one command did."""

    code: int
    out: str
    err: str


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the files on record anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long is begun first, so that no worker is left alone with it in the end."""
    items.sort(key=lambda item: queues.turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)  # without workers there is nothing to hand out
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> queues.Queues:
    """Tests that share a server stay on one worker, which starts it once."""
    config.option.loadscopereorder = False  # the order is ours, see above
    return queues.Queues(config, log)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write the files on record instead of comparing with them; review before commit."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is the same for all workers of a run; see `topology.verify.cache.alone` for taking turns."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def golden_build(shared: Path) -> Callable[[golden_cases.Case], Path]:
    """Gives the folder that a golden case builds; all tests of a run read the same one."""
    return lambda case: golden_cases.build(case, shared / "golden")


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
