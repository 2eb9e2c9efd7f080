"""What the program tells of a change on a site, and what the tables of both sides hold: made once for all tests."""

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import changes
from recount import Known, recount

from topology.cli import main, sides
from topology.cli.progress import Progress
from topology.plan import store
from topology.review.side import Side
from topology.verify.cache import alone

FIRST = 25  # lines that everyone reads
GIT = ("git", "-c", "user.name=reviewer", "-c", "user.email=reviewer@example.org")
BEFORE: dict[str, Side] = {}  # each site as it is before any change; cached, because it is half of the work


@dataclass(frozen=True, slots=True)
class Told:
    """A comment, its measures, and the truth."""

    code: int  # of the run, under the default of --fail-on
    comment: str
    summary: Mapping[str, Any]  # first line of the JSON form
    truth: Mapping[str, int]  # see `recount`

    @property
    def first(self) -> str:
        """The lines of the comment that everyone reads."""
        return "".join(self.comment.splitlines(keepends=True)[:FIRST])


def told(site: str, kind: str, shared: Path) -> Told:
    """A change as it is told; whoever asks first has it made."""
    folder = shared / "truth" / site / kind
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "lock"):
        if not (folder / "truth.json").exists():
            _make(site, kind, folder)
    code, summary, truth = (json.loads((folder / name).read_text()) for name in ("code", "summary.json", "truth.json"))
    return Told(code, (folder / "comment.md").read_text(), summary, truth)


def _make(site: str, kind: str, folder: Path) -> None:
    """Run the command on a repository with the change, and count again what both sides hold."""
    change, made, read = changes.CHANGES[kind], [], sides._side  # noqa: SLF001 - is called as it is

    def side(words: str, progress: Progress) -> Side:
        if words.startswith("main:") and change.base:
            BEFORE[site] = BEFORE.get(site) or read(words, progress)
            made.append(BEFORE[site])
        else:
            made.append(read(words, progress))
        return made[-1]

    with contextlib.chdir(_repository(site, kind, folder)), mock.patch.object(sides, "_side", side):
        code = _run(
            "diff", "main:cluster.yaml", "change:cluster.yaml",
            "--format", f"markdown={folder / 'comment.md'}", "--format", f"json={folder / 'review.jsonl'}",
        )  # fmt: skip
    with (folder / "review.jsonl").open() as lines:
        (folder / "summary.json").write_text(next(lines))
    known = Known(change.halls.get(site, {}), change.groups.get(site, {}), change.carried, change.by_place)
    base, head = (_stored(each, folder / word) for each, word in zip(made, ("base", "head"), strict=True))
    (folder / "code").write_text(str(code))
    (folder / "truth.json").write_text(json.dumps(recount(base, head, known)))


def _run(*arguments: str) -> int:
    """Exit code of a command that says nothing but what it writes to files."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(arguments)
    except SystemExit as stop:
        assert stop.code in {None, 0, 1}, said.getvalue()  # noqa: PT017 - every run of the command ends so
        return int(stop.code or 0)
    raise AssertionError("the command went on")


def _repository(site: str, kind: str, folder: Path) -> Path:
    """A git repository whose branch main has the site, and whose branch change has it changed."""
    change = changes.CHANGES[kind]
    repository = folder / "repository"
    repository.mkdir()
    begun = {
        "main": ("init", "--quiet", "--initial-branch", "main"),
        "change": ("switch", "--quiet", "--create", "change"),
    }
    texts = {"main": changes.files(site), "change": changes.files(site, change)}
    for branch, there in (("main", change.base), ("change", change.head)):
        _git(repository, *begun[branch])
        for path, text in texts[branch].items():
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            (repository / path).write_text(text)
        if not there:
            (repository / changes.SPEC).unlink()
        _git(repository, "add", "--all")
        _git(repository, "commit", "--quiet", "--allow-empty", "--message", branch)
    return repository


def _git(repository: Path, *words: str) -> None:
    env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([*GIT, *words], cwd=repository, env=env, capture_output=True, check=True)


def _stored(side: Side, folder: Path) -> Path | None:
    """The folder, with the tables of a side as a build stores them; nothing of a side without a plan."""
    if side.plan is None:
        return None
    for path, data in store.parquet(side.plan):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
