import os

import github_server
import pytest
from action_runner import ROOT, Job
from action_site import Site

from topology.verify.cache import alone


@pytest.fixture
def github():
    with github_server.running() as state:
        yield state


@pytest.fixture(scope="session")
def installed(shared):
    """The virtual environment that the action's first step makes, once for all tests and workers."""
    place = shared / "action-venv"
    with alone(place.with_suffix(".lock")):
        if not (place / "done").exists():
            place.mkdir(exist_ok=True)
            job = Job(place, place, "pull_request", {"pull_request": {}}, {"GITHUB_REPOSITORY": "site/cluster"})
            job.run(ROOT)  # there is nothing to compare: the second step says so, the first has installed
            if "No matching distribution" in job.log and os.environ.get("CI") != "true":
                pytest.skip(f"the package index is out of reach: {job.log.splitlines()[0]}")
            assert "there is no base to compare with" in job.log, job.log
            (place / "done").write_text(job.log)
    return place


@pytest.fixture
def repository(tmp_path, github):
    """As `site`, for jobs that install nothing."""
    return Site(tmp_path, github, None)


@pytest.fixture
def site(tmp_path, github, installed):
    """A repository with a base branch and a branch of a pull request, and the jobs that run on it."""
    return Site(tmp_path, github, installed)
