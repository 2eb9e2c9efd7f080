"""The job with the token: the reviews of a run become comments of its pull request, or go to the step's summary."""

from collections.abc import Sequence
from dataclasses import dataclass

from topology.ci import comments, labels, pull
from topology.ci.api import Api, ApiError
from topology.ci.bodies import FORK, MOST_CHARACTERS, Body
from topology.ci.bundle import ARTIFACT, MOST_BYTES, ForgedError, bodies
from topology.ci.pull import Pull
from topology.ci.runner import JobError, Runner, annotate, say, variable
from topology.review.forms.markdown import LEAST

PUBLIC_API, PUBLIC_SERVER = "https://api.github.com", "https://github.com"
AUTHOR = "github-actions[bot]"  # whose comments a workflow's own token writes
LEAST_CHARACTERS = LEAST + 1_000  # with the links that follow every text
ROWS = "topology-review"  # the artifact with every changed row
FAILED = 1


@dataclass(frozen=True, slots=True)
class CommentInputs:
    """Inputs of the action."""

    author: str
    characters: int
    required: bool
    skip_unchanged: bool
    labels: bool

    @classmethod
    def from_environment(cls) -> "CommentInputs":
        """Inputs as comment/action.yml hands them over.

        Raises:
            JobError: one of them is not what it may be.
        """
        characters = variable("TOPOLOGY_MAX_CHARS", "60000")
        if not characters.isdecimal() or not LEAST_CHARACTERS <= int(characters) <= MOST_CHARACTERS:
            raise JobError(f"the input max-chars is {characters}", f"write {LEAST_CHARACTERS} to {MOST_CHARACTERS}")
        switches = (f"TOPOLOGY_{word}" for word in ("REQUIRED", "SKIP_UNCHANGED", "LABELS"))
        return cls(
            variable("TOPOLOGY_AUTHOR", AUTHOR),
            int(characters),
            *(variable(each, "false") == "true" for each in switches),
        )


def comment() -> int:
    """Exit code: 0, or 1 when a comment was not written and TOPOLOGY_REQUIRED says true.

    Raises:
        JobError: the runner does not give what the job needs.
    """
    runner, inputs = Runner.from_environment(), CommentInputs.from_environment()
    api = Api(variable("GITHUB_API_URL", PUBLIC_API).rstrip("/"), runner.repository, variable("GITHUB_TOKEN"))
    try:
        about = pull.of_event(runner, api)
        if about is None:
            say("no open pull request has this head any more; nothing is written")
            return 0
        trailer = _trailer(runner, api, about)
        every = list(bodies(_archive(api, about.run_id), max(inputs.characters - len(trailer), LEAST)))
    except (ApiError, ForgedError) as error:
        _warn(error, "the summary of the comparing job has the review")
        return FAILED if inputs.required else 0
    good = [body for body in every if isinstance(body, Body)]
    for bad in (each for each in every if isinstance(each, ForgedError)):
        _warn(bad, "the other comments are")
    left = _write(runner, api, about, good, trailer, inputs)
    whole = len(good) == len(every) and not left
    if inputs.labels and whole and not about.from_fork:  # what a fork says of itself is no label of ours
        try:
            say(f"labels: {labels.write(api, about, [body.measures for body in good])}")
        except ApiError as error:
            annotate("warning", f"the labels were not set: {error.words}")
    return FAILED if inputs.required and not whole else 0


def _write(  # noqa: PLR0913, PLR0917 - where, what, and how
    runner: Runner, api: Api, about: Pull, every: Sequence[Body], trailer: str, inputs: CommentInputs
) -> Sequence[Body]:
    """Write all comments; those that could not be written, which stand in the step's summary."""
    for at, body in enumerate(every):
        quiet = body.only_update or (inputs.skip_unchanged and body.measures.get("changes") == 0)
        try:
            said = comments.write(api, about, f"{body.text}{trailer}", inputs.author, only_update=quiet)
            say(f"{body.spec}: {said}")
        except ApiError as error:
            for unwritten in every[at:]:
                runner.summarize(unwritten.text)
            _warn(error, "the step summary says the same")
            return every[at:]
    return ()


def _trailer(runner: Runner, api: Api, about: Pull) -> str:
    """What follows every text: where the run and its artifact are, and for a fork whose word it is."""
    run = f"{variable('GITHUB_SERVER_URL', PUBLIC_SERVER).rstrip('/')}/{runner.repository}/actions/runs/{about.run_id}"
    rows = _newest(api, about.run_id, ROWS)
    links = [f"[The run]({run})", *([f"[every row, SARIF and pictures]({run}/artifacts/{rows[0]})"] if rows else [])]
    return f"\n<sub>{' · '.join(links)}</sub>" + (f"\n\n{FORK}" if about.from_fork else "")


def _archive(api: Api, run_id: str) -> bytes:
    """The newest archive of reviews of the run.

    Raises:
        ForgedError: it is not what the comparing job leaves.
        ApiError: it is not to be had.
    """
    newest = _newest(api, run_id, ARTIFACT)
    if newest is None:
        raise ApiError(f"the run left no artifact {ARTIFACT}", 0)
    number, size = newest
    if size > MOST_BYTES:
        raise ForgedError(f"an archive of {size:,} bytes")
    return api.download(f"actions/artifacts/{number}/zip", MOST_BYTES)


def _newest(api: Api, run_id: str, name: str) -> tuple[int, int] | None:
    """Number and bytes of the newest artifact of a name.

    Raises:
        ApiError: the API does not say.
    """
    listed = api.get(f"actions/runs/{run_id}/artifacts", name=name, per_page="100")
    try:
        return max(
            ((int(a["id"]), int(a["size_in_bytes"])) for a in listed["artifacts"] if a["name"] == name), default=None
        )
    except (KeyError, TypeError, ValueError):
        raise ApiError("the list of artifacts is not as GitHub sends it", 0) from None


def _warn(error: ApiError | ForgedError, instead: str) -> None:
    """One line that says why a comment is missing."""
    said = error.words if isinstance(error, ApiError) else f"the artifact holds {error}, which topology does not write"
    annotate("warning", f"the comment was not written: {said}; {instead}")
