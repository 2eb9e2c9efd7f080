"""The job without a token: every spec of a pull request compared with its merge base, from git's objects alone.

It leaves in TOPOLOGY_OUT: `review/`, with everything that changed as JSON lines and SARIF, and the pictures
that changed; `comments/`, a line of data per spec for the other job. The step's summary has the review at length.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from topology.ci.bodies import fits_marker
from topology.ci.bundle import FILE, MOST_LINE_BYTES, MOST_TEXT_BYTES
from topology.ci.history import History
from topology.ci.runner import JobError, Runner, annotate, say, variable
from topology.findings import shown
from topology.review.document import Document, Mark, fault
from topology.review.forms.data import data_line, document_of
from topology.review.forms.markdown import LEAST, markdown

SUMMARY_CHARACTERS = 900_000  # of all specs; a step's summary takes 1,024 KiB
SUMMARY_BYTES = 1_000_000
LIMIT_S = 900.0  # of one comparison; that of two sites of 1,000,000 GPUs takes under a minute
FINE, FINDINGS, REFUSED = 0, 1, 2
_SAID_LINES = 20
_NAME = 100  # characters of a path in the name of a file


@dataclass(frozen=True, slots=True)
class ActionInputs:
    """Inputs of the action."""

    specs: tuple[str, ...]
    base: str
    head: str
    fail_on: tuple[str, ...]  # conditions of `topology diff`
    form: str  # of the log: text, or github for annotations
    out: Path

    @classmethod
    def from_environment(cls, runner: Runner) -> "ActionInputs":
        """Inputs as action.yml hands them over.

        Raises:
            JobError: one of them is not what it may be.
        """
        pull = runner.event.get("pull_request") or {}
        base = os.environ.get("TOPOLOGY_BASE") or (pull.get("base") or {}).get("sha")
        if not base:
            raise JobError(f"there is no base to compare with on {runner.event_name}", "give the input base")
        form = variable("TOPOLOGY_FORMAT", "github")
        if form not in {"text", "github"}:
            raise JobError(f"the input format is {form}", "write text or github")
        fail_on = variable("TOPOLOGY_FAIL_ON", "errors,verdict>1").replace("\n", ",").split(",")
        return cls(
            specs=tuple(line.strip() for line in variable("TOPOLOGY_SPECS", "**/cluster.yaml").splitlines()),
            base=str(base),
            head=os.environ.get("TOPOLOGY_HEAD") or str((pull.get("head") or {}).get("sha") or "HEAD"),
            fail_on=tuple(word.strip() for word in fail_on if word.strip()),
            form=form,
            out=Path(variable("TOPOLOGY_OUT")),
        )


def compare() -> int:
    """Exit code: 0; 1 when a condition of fail-on is met; 2 when a spec cannot be compared.

    Raises:
        JobError: the runner, an input or the clone does not allow any comparison.
    """
    runner = Runner.from_environment()
    inputs = ActionInputs.from_environment(runner)
    history = History.between(Path.cwd(), inputs.base, inputs.head)
    specs = history.specs(inputs.specs)
    for odd in [spec for spec in specs if not fits_marker(spec)]:
        annotate("warning", f"{shown(odd, 100)} is left out: its path has characters that a comment cannot carry")
        del specs[odd]
    changed = [spec for spec, touched in specs.items() if touched]
    say(f"{len(specs)} specs, {len(changed)} of them touched since {history.base[:12]}")
    for folder in ("comments", "review"):
        (inputs.out / folder).mkdir(parents=True, exist_ok=True)
    worst = FINE
    each = max(SUMMARY_CHARACTERS // max(len(changed), 1), LEAST)
    with (inputs.out / "comments" / FILE).open("wb") as left:
        for number, (spec, touched) in enumerate(specs.items(), 1):
            if touched:
                review = Comparison(history, inputs, spec, number, each)
                worst = max(worst, review.run())
                _summarize(runner, review)
                left.write(_bounded(review.data.read_bytes(), MOST_TEXT_BYTES // len(specs)))
            else:
                left.write(_untouched(spec))
    if not changed:
        runner.summarize("No spec changes.")
    runner.output("directory", str(inputs.out))
    runner.output("specs", str(len(specs)))
    runner.output("changed", str(len(changed)))
    return worst


@dataclass(frozen=True, slots=True)
class Comparison:
    """One spec of a pull request, compared by the command that a user has, in a process of its own."""

    history: History
    inputs: ActionInputs
    spec: str
    number: int
    length: int  # characters of the review in the summary

    @property
    def data(self) -> Path:
        """The review for the other job."""
        return self.inputs.out / f"data-{self.number:03}.jsonl"

    @property
    def summary(self) -> Path:
        """The review as the summary has it."""
        return self.inputs.out / f"summary-{self.number:03}.md"

    def run(self) -> int:
        """Exit code of the comparison, when its files are written and its log is said."""
        name = f"{self.number:03}-{self.spec.replace('/', '-').removesuffix('.yaml')[-_NAME:]}"
        folder = self.inputs.out / "review"
        forms = (
            f"data={self.data}",
            f"markdown:{self.length}={self.summary}",
            f"json={folder / name}.jsonl",
            f"sarif={folder / name}.sarif",
            self.inputs.form,
        )
        code, out, err = self._diff(forms, ("--pictures", str(folder / name)))
        say(f"\n{self.spec}\n{out}".rstrip())
        if err:
            say(_harmless(err))
        if not self.summary.exists():
            refusal = _refusal(self.spec, err)
            self.data.write_bytes(data_line(refusal, {}))
            self.summary.write_text(markdown(refusal))
            annotate("error", f"{self.spec} cannot be compared")
            return REFUSED
        return code

    def _diff(self, forms: Sequence[str], options: Sequence[str]) -> tuple[int, str, str]:
        """Exit code and outputs of `topology diff`.

        It runs in an empty folder, with the repository named by GIT_DIR: no file of the pull request can stand
        where the program looks for one of its own, or for a file by the name of a revision.
        """
        words = [
            *("diff", f"{self.history.base}:{self.spec}", f"{self.history.head}:{self.spec}"),
            *(word for form in forms for word in ("--format", form)),
            *(word for condition in self.inputs.fail_on for word in ("--fail-on", condition)),
            *options,
        ]
        kept = {name: value for name, value in os.environ.items() if "TOKEN" not in name}
        try:
            with TemporaryDirectory(prefix="topology-") as nowhere:
                done = subprocess.run(  # noqa: S603 - a list of words, no shell; -P: no module of the workspace is ours
                    [sys.executable, "-P", "-m", "topology", *words],
                    capture_output=True,
                    check=False,
                    cwd=nowhere,
                    env=kept | {"NO_COLOR": "1", "GIT_DIR": str(self.history.git_dir)},
                    stdin=subprocess.DEVNULL,
                    text=True,
                    errors="replace",
                    timeout=LIMIT_S,
                )
        except subprocess.TimeoutExpired:
            return REFUSED, "", f"error: the comparison took more than {LIMIT_S:g} s\n"
        return done.returncode, done.stdout, done.stderr


def _refusal(spec: str, said: str) -> Document:
    """What the comment says of a spec that cannot be compared: the program's own words."""
    lines = said.splitlines()[:_SAID_LINES] or ["error: no reason was given"]
    decisions = tuple(fault("not compared", f": {line}") for line in lines)
    return Document(spec, Mark.FAULT, ("This spec cannot be compared.",), (), decisions=decisions)


def _untouched(spec: str) -> bytes:
    """What a comment is kept up to date with when its spec, after some push, is as it was."""
    document = Document(spec, Mark.FINE, ("Nothing changes against the merge base.",), ())
    return json.dumps(json.loads(data_line(document, {"changes": 0})) | {"unasked": True}).encode() + b"\n"


def _bounded(line: bytes, most: int) -> bytes:
    """The line; only its first sentence where it is longer than the other job takes."""
    if len(line) <= min(MOST_LINE_BYTES, most):
        return line
    review = json.loads(line)
    whole = document_of(review["document"])
    footer = ("Too long for a comment: the artifact of the run has all of it.",)
    return data_line(Document(whole.marker, whole.mark, whole.sentence, footer), review["measures"])


def _harmless(said: str) -> str:
    """Lines of another program, none of which the runner takes for a command."""
    return "\n".join(f"  {line}".replace("::", ":\u200b:").replace("##[", "#[") for line in said.splitlines())


def _summarize(runner: Runner, review: Comparison) -> None:
    _, _, said = review.summary.read_text().partition("\n")  # without the marker
    whole = f"## `{review.spec}`\n\n{said}"
    used = runner.summary.stat().st_size if runner.summary and runner.summary.exists() else 0
    room = SUMMARY_BYTES - used
    fits = len(whole.encode()) <= room
    runner.summarize(whole if fits else f"## `{review.spec}`\n\nThe review is in the artifact: no room is left here.\n")
