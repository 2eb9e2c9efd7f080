"""The machine that runs a job: what it tells by its environment, and what it takes as outputs and messages."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_EVENT_BYTES = 25 * 1024 * 1024  # GitHub caps a webhook's payload there


class JobError(Exception):
    """The job cannot go on, and what to do about it; wrong use, not a fault of the pull request."""

    def __init__(self, message: str, help_: str) -> None:
        self.message, self.help = message, help_
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Runner:
    """What a job may know; everything comes from the runner, nothing from the pull request's files."""

    event_name: str
    event: dict[str, Any]
    repository: str  # owner/name that the job runs in
    run_id: str
    outputs: Path | None
    summary: Path | None

    @classmethod
    def from_environment(cls) -> "Runner":
        """The runner of this process.

        Raises:
            JobError: a variable that GitHub sets is missing, or the event cannot be read.
        """
        return cls(
            event_name=variable("GITHUB_EVENT_NAME"),
            event=_event(Path(variable("GITHUB_EVENT_PATH"))),
            repository=variable("GITHUB_REPOSITORY"),
            run_id=variable("GITHUB_RUN_ID"),
            outputs=_file("GITHUB_OUTPUT"),
            summary=_file("GITHUB_STEP_SUMMARY"),
        )

    def output(self, name: str, value: str) -> None:
        """Set an output of the step; values are words of ours, never more than a line."""
        if self.outputs and "\n" not in value:
            with self.outputs.open("a") as file:
                file.write(f"{name}={value}\n")

    def summarize(self, text: str) -> None:
        """Add to the step's summary."""
        if self.summary:
            with self.summary.open("a") as file:
                file.write(f"{text}\n")


def variable(name: str, default: str | None = None) -> str:
    """A variable of the environment, never empty.

    Raises:
        JobError: it is not set and has no default.
    """
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise JobError(f"{name} is not set", "run this in GitHub Actions, by action.yml or comment/action.yml")
    return value


def say(text: str) -> None:
    """A line of the log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def annotate(kind: str, text: str) -> None:
    """A `warning` or `error` on the run's page; the text cannot issue a command of its own."""
    line = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    say(f"::{kind} title=topology::{line}")


def _file(name: str) -> Path | None:
    value = os.environ.get(name, "")
    return Path(value) if value else None


def _event(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_EVENT_BYTES:
            raise JobError("the event is larger than GitHub sends", "run this in GitHub Actions")
        event = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise JobError("the event of GITHUB_EVENT_PATH cannot be read", "run this in GitHub Actions") from None
    if not isinstance(event, dict):
        raise JobError("the event of GITHUB_EVENT_PATH is no JSON object", "run this in GitHub Actions")
    return event
