"""The job with the token: the texts of a run become comments of its pull request, or go to the step's summary."""

from collections.abc import Sequence

from topology.ci import comments, pull
from topology.ci.api import Api, ApiError
from topology.ci.bodies import Body, ForgedError
from topology.ci.bundle import ARTIFACT, MOST_BYTES, bodies
from topology.ci.runner import Runner, annotate, say, variable

PUBLIC_API = "https://api.github.com"
AUTHOR = "github-actions[bot]"  # whose comments a workflow's own token writes
FAILED = 1


def comment() -> int:
    """Exit code: 0, or 1 when a comment was not written and TOPOLOGY_REQUIRED says true.

    Raises:
        JobError: the runner does not give what the job needs.
    """
    runner = Runner.from_environment()
    api = Api(variable("GITHUB_API_URL", PUBLIC_API).rstrip("/"), runner.repository, variable("GITHUB_TOKEN"))
    author, required = variable("TOPOLOGY_AUTHOR", AUTHOR), variable("TOPOLOGY_REQUIRED", "false") == "true"
    found: Sequence[Body] = ()
    try:
        about = pull.of_event(runner, api)
        if about is None:
            say("no open pull request has this head any more; nothing is written")
            return 0
        found = _read_bodies(api, about.run_id)
        for body in found:
            say(f"{body.spec}: {comments.write(api, about, body, author)}")
    except (ApiError, ForgedError) as error:
        _fall_back(runner, found, error)
        return FAILED if required else 0
    return 0


def _read_bodies(api: Api, run_id: str) -> list[Body]:
    """Bodies in the newest artifact of the run.

    Raises:
        ForgedError: it is not what the comparing job leaves.
        ApiError: it is not to be had.
    """
    listed = api.get(f"actions/runs/{run_id}/artifacts", name=ARTIFACT, per_page="100")
    try:
        sizes = {int(a["id"]): int(a["size_in_bytes"]) for a in listed["artifacts"] if a["name"] == ARTIFACT}
    except (KeyError, TypeError, ValueError):
        raise ApiError("the list of artifacts is not as GitHub sends it", 0) from None
    if not sizes:
        raise ApiError(f"the run left no artifact {ARTIFACT}", 0)
    newest = max(sizes)
    if sizes[newest] > MOST_BYTES:
        raise ForgedError(f"an archive of {sizes[newest]:,} bytes")
    return bodies(api.download(f"actions/artifacts/{newest}/zip", MOST_BYTES))


def _fall_back(runner: Runner, found: Sequence[Body], error: ApiError | ForgedError) -> None:
    """One line that says why, and the texts where everyone can read them: in the step's summary."""
    for body in found:
        runner.summarize(body.text)
    if isinstance(error, ForgedError):
        annotate("warning", f"the comment was not written: the artifact holds {error}, which topology does not write")
        return
    instead = "; the step summary says the same" if found else "; the summary of the comparing job has the review"
    annotate("warning", f"the comment was not written: {error.words}{instead}")
