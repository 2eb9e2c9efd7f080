"""Golden cases: what each is about, and what a build of it makes.

`case.yaml` of a case says what it shows, and for each target that it is about the paths of the files on record:

    shows: What a reader learns from it, in a sentence.
    keeps:
      plan: [plan.json]
      slurm: [stages/*/slurm/*/topology.yaml]

`expected/` holds these files, and in `paths.txt` the path of every file of these targets, kept or not.
"""

import contextlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from unittest import mock

import polars as pl
from jinja2 import Template
from ruamel.yaml import YAML

from topology.cli import main
from topology.verify.cache import alone

GOLDEN = Path(__file__).parent / "golden"
PATHS = "paths.txt"
HEIGHTS = "tables.json"  # stands for the whole folder `tables`
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
MASK = "(sha256)"
OF_THE_BUILD = ("artifacts", "plan_sha256", "spec_sha256", "catalog_sha256", "version")  # not of the cluster


@dataclass(frozen=True)
class Case:
    """A spec and what is on record of its build."""

    folder: Path
    shows: str
    keeps: Mapping[str, tuple[str, ...]]  # target: patterns of paths, below the folder of a build

    @classmethod
    def read(cls, folder: Path) -> "Case":
        """The case in a folder, as its case.yaml describes it."""
        said = YAML(typ="safe", pure=True).load((folder / "case.yaml").read_text())
        return cls(folder, said["shows"], {target: tuple(patterns) for target, patterns in said["keeps"].items()})

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def spec(self) -> Path:
        return self.folder / "cluster.yaml"

    @property
    def expected(self) -> Path:
        return self.folder / "expected"

    def on_record(self) -> dict[str, str]:
        """Texts in `expected/`, by path."""
        return {path: (self.expected / path).read_text() for path in _files(self.expected, "**/*")}

    def kept(self, out: Path) -> dict[str, str]:
        """Texts of a build that belong on record, by path."""
        made = {target: list(_of_target(out, target)) for target in self.keeps}
        texts = {PATHS: "".join(f"{path}\n" for path in sorted(chain.from_iterable(made.values())))}
        for target, patterns in self.keeps.items():
            for pattern in patterns:
                found = [HEIGHTS] if pattern == HEIGHTS else _files(out, pattern)
                assert set(found) & set(made[target]) == set(found) != set(), f"{pattern} finds no file of {target}"
                texts |= {path: _text(out, path) for path in found}
        return texts


def _files(folder: Path, pattern: str) -> list[str]:
    """Paths of the files below a folder that a pattern fits."""
    return [str(path.relative_to(folder)) for path in folder.glob(pattern) if path.is_file()]


def _of_target(out: Path, target: str) -> Iterator[str]:
    """Paths of all that a build has of a target; of tables their heights."""
    if target == "plan":
        yield "plan.json"
    elif target == "tables":
        yield HEIGHTS
    else:
        for pattern in (f"{target}/**/*", f"stages/*/{target}/**/*"):
            yield from _files(out, pattern)


def _text(out: Path, path: str) -> str:
    """A file as it stands on record: what a person can read of it, and a word for each digest."""
    if path == HEIGHTS:
        heights = {each.stem: pl.scan_parquet(each).select(pl.len()).collect().item() for each in out.glob("tables/*")}
        return _json(heights)
    text = (out / path).read_text()
    if path == "plan.json":
        text = _json({key: value for key, value in json.loads(text).items() if key not in OF_THE_BUILD})
    return DIGEST.sub(MASK, text)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def every() -> list[Case]:
    """All cases, by name."""
    return [Case.read(folder) for folder in sorted(GOLDEN.iterdir())]


def build(case: Case, folder: Path) -> Path:
    """The build of a case, in a folder of its own below `folder`; the first who asks makes it."""
    folder.mkdir(exist_ok=True)
    out = folder / case.name
    with alone(folder / f"{case.name}.lock"):
        if not _beside(out).exists():
            _build(case, out)
    return out


def _build(case: Case, out: Path) -> None:
    """Build, and write beside the folder which template made which text."""
    made: dict[str, str] = {}
    render = Template.render

    def recorded(template: Template, *arguments: object, **values: object) -> str:
        text = render(template, *arguments, **values)
        made[text] = str(template.name)
        return text

    said = io.StringIO()
    try:
        with (
            mock.patch.object(Template, "render", recorded),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            main(["build", str(case.spec), "-o", str(out)])
    except SystemExit as stop:
        assert not stop.code, said.getvalue()  # noqa: PT017 - every run of the command ends so
    texts = {path: (out / path).read_bytes() for path in _files(out, "**/*") if not path.startswith("tables/")}
    found = {path: made[text.decode()] for path, text in texts.items() if text.decode() in made}
    _beside(out).write_text(json.dumps(found))


def templates(out: Path) -> dict[str, str]:
    """The template of each file of a build that has one, by path."""
    return dict(json.loads(_beside(out).read_text()))


def _beside(out: Path) -> Path:
    return out.with_name(f"{out.name}.templates.json")
