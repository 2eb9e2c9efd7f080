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


def made(place, action, said):
    """A folder with the virtual environment that an action's first step makes, once for all tests and workers."""
    with alone(place.with_suffix(".lock")):
        if not (place / "done").exists():
            place.mkdir(exist_ok=True)
            job = Job(place, place, "pull_request", {"pull_request": {}}, {"GITHUB_REPOSITORY": "site/cluster"})
            job.token = github_server.TOKEN
            job.run(action)  # there is nothing to work on: the second step says so, the first has installed
            if "No matching distribution" in job.log and os.environ.get("CI") != "true":
                pytest.skip(f"the package index is out of reach: {job.log.splitlines()[0]}")
            assert said in job.log, job.log
            (place / "done").write_text(job.log)
    return place


@pytest.fixture(scope="session")
def renderer(shared):
    """The virtual environment of the commenting action."""
    return made(shared / "comment-venv", ROOT / "comment", "is not as GitHub sends it")


@pytest.fixture(scope="session")
def installed(shared, renderer):
    """The virtual environments of both actions."""
    place = made(shared / "action-venv", ROOT, "there is no base to compare with")
    return [place / "topology-venv", renderer / "topology-comment-venv"]


@pytest.fixture
def repository(tmp_path, github, renderer):
    """As `site`, where nothing is compared."""
    return Site(tmp_path, github, [renderer / "topology-comment-venv"])


@pytest.fixture
def site(tmp_path, github, installed):
    """A repository with a base branch and a branch of a pull request, and the jobs that run on it."""
    return Site(tmp_path, github, installed)
