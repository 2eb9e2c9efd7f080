import os
import random

import pytest
import slurm_folders

from topology.verify.slurm_packages import UnavailableError, slurm


def unpacked(release):
    """The folder of Slurm `release`. Without it the tests are skipped with the reason; in CI they fail."""
    try:
        return slurm(release)
    except UnavailableError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Slurm {release} must be there in CI: {missing}", pytrace=False)
        pytest.skip(f"Slurm {release} is not to be had: {missing}")


@pytest.fixture(scope="session")
def slurm_root():
    return unpacked("26.05")


@pytest.fixture(scope="session")
def slurm_root_24_11():
    return unpacked("24.11")


@pytest.fixture
def nvl72_folder(tmp_path):
    return slurm_folders.nvl72(tmp_path / "nvl72")


@pytest.fixture
def nvl72_folder_24_11(tmp_path):
    return slurm_folders.nvl72_for_24_11(tmp_path / "nvl72-24.11")


@pytest.fixture
def boxes_folder(tmp_path):
    return slurm_folders.boxes(tmp_path / "boxes")


@pytest.fixture
def seed(record_property):
    """A new seed for each run, shown with a failure and kept in reports; PLACEMENT_SEED repeats one."""
    chosen = int(os.environ.get("PLACEMENT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"PLACEMENT_SEED={chosen}")  # noqa: T201 -- pytest shows it with a failure
    record_property("PLACEMENT_SEED", chosen)
    return chosen
