"""What the program tells of a change on a site, and what the tables of both sides hold: made once for all tests."""

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import changes
from recount import Known, recount

from topology.cli import main
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.cli.session import open_plan
from topology.plan import store
from topology.source import YamlSource
from topology.verify.cache import alone

FIRST = 25  # lines that everyone reads
GIT = ("git", "-c", "user.name=reviewer", "-c", "user.email=reviewer@example.org")


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
            _make(site, kind, folder, _tables(site, "", shared))
    code, summary, truth = (json.loads((folder / name).read_text()) for name in ("code", "summary.json", "truth.json"))
    return Told(code, (folder / "comment.md").read_text(), summary, truth)


def _make(site: str, kind: str, folder: Path, base: Path) -> None:
    change = changes.CHANGES[kind]
    repository = _repository(site, kind, folder)
    with contextlib.chdir(repository):
        code = _run(
            "diff", "main:cluster.yaml", "change:cluster.yaml",
            "--format", f"markdown={folder / 'comment.md'}", "--format", f"json={folder / 'review.jsonl'}",
        )  # fmt: skip
    with (folder / "review.jsonl").open() as lines:
        (folder / "summary.json").write_text(next(lines))
    head = _store(repository, folder / "head") if change.head else None
    known = Known(change.halls.get(site, {}), change.groups.get(site, {}), change.carried, change.by_place)
    truth = recount(base if change.base else None, head, known)
    (folder / "code").write_text(str(code))
    (folder / "truth.json").write_text(json.dumps(truth))


def _run(*arguments: str) -> int:
    """Exit code of a command that says nothing but what it writes to files."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(arguments)
    except SystemExit as stop:
        assert stop.code in {0, 1}, said.getvalue()  # noqa: PT017 - every run of the command ends so
        return int(stop.code)
    raise AssertionError("the command went on")


def _repository(site: str, kind: str, folder: Path) -> Path:
    """A git repository whose branch main has the site, and whose branch change is checked out."""
    change = changes.CHANGES[kind]
    repository = folder / "repository"
    repository.mkdir()
    for branch, files, there in (
        ("main", changes.files(site), change.base), ("change", changes.files(site, change), change.head)
    ):  # fmt: skip
        for path, text in files.items():
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            (repository / path).write_text(text)
        if not there:
            (repository / changes.SPEC).unlink()
        words = [["add", "--all"], ["commit", "--quiet", "--allow-empty", "--message", branch]]
        words.insert(0, ["init", "--quiet", "--initial-branch", "main"] if branch == "main" else ["switch", "-qc", branch])
        for each in words:
            env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
            subprocess.run([*GIT, *each], cwd=repository, env=env, capture_output=True, check=True)
    return repository


@cache
def _tables(site: str, kind: str, shared: Path) -> Path:
    """Tables of a site as it is before any change."""
    folder = shared / "truth" / site / "base"
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "lock"):
        if not (folder / "done").exists():
            for path, text in changes.files(site).items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text)
            _store(folder, folder)
            (folder / "done").touch()
    return folder


def _store(spec: Path, folder: Path) -> Path:
    """The folder, with the tables of a spec as a build would store them."""
    file = spec / changes.SPEC
    plan = open_plan(YamlSource.read(file), str(file), Progress(), Severities()).plan
    for path, data in store.parquet(plan):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
