"""Which pull request a run is about: told by the event or asked from the API, never by what the run left."""

import re
from dataclasses import dataclass
from typing import Any

from topology.ci.api import Api
from topology.ci.runner import JobError, Runner

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
EVENTS = ("pull_request", "workflow_run")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request at one of its commits."""

    number: int
    head_sha: str
    from_fork: bool
    run_id: str  # of the workflow run that compared it


def of_event(runner: Runner, api: Api) -> Pull | None:
    """The pull request that the event is about; None when no open one has that head any more.

    Raises:
        JobError: the event is of another kind, or not as GitHub sends it.
        ApiError: the API does not say.
    """
    try:
        if runner.event_name == "pull_request":
            pull = runner.event["pull_request"]
            return Pull(int(pull["number"]), sha(pull["head"]["sha"]), _is_from_fork(pull, runner), runner.run_id)
        if runner.event_name == "workflow_run":
            return _of_run(runner.event["workflow_run"], runner, api)
    except (KeyError, TypeError, ValueError):
        raise JobError(
            f"the event {runner.event_name} is not as GitHub sends it", "run this in GitHub Actions"
        ) from None
    raise JobError(f"no comment for an event {runner.event_name}", f"run this on {' or '.join(EVENTS)}")


def sha(text: object) -> str:
    """The text when it is the object name of a commit.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(text, str) or not _SHA.fullmatch(text):
        raise ValueError(text)
    return text


def _of_run(run: dict[str, Any], runner: Runner, api: Api) -> Pull | None:
    """The open pull request whose head is the commit that the run was about.

    The commit and the branch come from GitHub's own account of the run. A pull request of a fork is found by
    its branch, since the commits of forks are not among those of the repository.
    """
    if run["event"] != "pull_request":
        raise JobError(f"the run was started by {run['event']}", "trigger it by a workflow that runs on pull_request")
    head = sha(run["head_sha"])
    branch = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    for pull in api.pages("pulls", state="open", head=branch):
        if pull["head"]["sha"] == head and (pull["head"]["repo"] or {}).get("id") == run["head_repository"]["id"]:
            return Pull(int(pull["number"]), head, _is_from_fork(pull, runner), str(int(run["id"])))
    return None


def newest_head(api: Api, pull: Pull) -> str:
    """The commit that is the head of the pull request now.

    Raises:
        ApiError: the API does not say.
    """
    return str(api.get(f"pulls/{pull.number}")["head"]["sha"])


def _is_from_fork(pull: dict[str, Any], runner: Runner) -> bool:
    return (pull["head"]["repo"] or {}).get("full_name") != runner.repository
