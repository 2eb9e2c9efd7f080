"""What the documents say is what the program does."""

import re
from pathlib import Path

import pytest

from topology.checks import registered
from topology.cli import app
from topology.cli.codes import every_rule
from topology.expand.fabrics import kinds
from topology.plan.plan import Plan
from topology.plan.tables import BY_NAME, TABLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def first(tmp_path, monkeypatch):
    """The README's first spec, in a folder of its own."""
    spec = next(text for word, text in BLOCKS if word == "yaml" and text.startswith("version: 1"))
    monkeypatch.chdir(tmp_path)
    Path("first").mkdir()
    Path("first/cluster.yaml").write_text(spec)
    return spec


def test_the_first_spec_has_twenty_lines_and_builds_what_the_readme_shows(cli, first):
    assert len(first.splitlines()) == 20
    assert cli("build", "first/cluster.yaml").code == 0
    shown = next(text for word, text in BLOCKS if word == "yaml" and text.startswith("- topology"))
    assert shown in Path("build/first/stages/s2/slurm/first/topology.yaml").read_text()


def test_the_finding_in_the_readme_is_the_programs_own(cli, first):
    Path("first/broken.yaml").write_text(first.replace("gpus: 1152", "gpus: 1000"))
    shown = next(text for word, text in BLOCKS if word == "text" and text.startswith("error"))
    assert cli("check", "first/broken.yaml").out == shown


def test_the_summary_in_the_readme_is_that_of_colossus(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = cli("build", str(ROOT / "stacks/colossus/cluster.yaml")).out
    shown = next(text for word, text in BLOCKS if word == "text" and text.startswith("colossus"))
    seconds = re.compile(r"\d+\.\d s$", re.MULTILINE)
    assert seconds.sub("", said) == seconds.sub("", shown)


def test_every_file_of_a_build_is_in_the_readme(cli, first):
    assert first
    cli("build", "first/cluster.yaml")
    names = {path.name for path in Path("build/first").rglob("*") if path.is_file() and path.suffix != ".parquet"}
    assert {name for name in names if name not in README} == set()


@pytest.mark.parametrize("command", [command.name for command in app.registered_commands])
def test_every_command_is_in_the_readme_and_its_help_shows_examples(cli, command):
    assert f"`topology {command} " in README
    assert "Example" in cli(command, "--help").out


@pytest.mark.parametrize("kind", kinds())
def test_every_fabric_kind_is_in_the_readme(kind):
    assert f"`{kind}`" in README


@pytest.mark.parametrize("code", [code for code in every_rule() if code[0] in "NLK" or code in registered()])
def test_every_code_of_a_site_is_shown_in_a_broken_spec_or_planted_in_a_test(code):
    shown = "".join(path.read_text() for path in (ROOT / "tests/errors").glob("*.txt"))
    planted = "".join(
        path.read_text() for path in (ROOT / "tests").glob("test_*.py") if path.name != Path(__file__).name
    )
    assert f"[{code}]" in shown or f'"{code}"' in planted


def test_every_table_of_a_plan_is_in_the_dictionary():
    frames = set(Plan.__dataclass_fields__) - {"spec", "catalog", "origins"}
    assert frames == {table.name for table in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_says_what_it_is_and_points_at_a_table_that_exists(table):
    columns = {column.name: column for column in table.columns}
    for column in table.columns:
        assert column.doc.endswith(".")
        if column.to.startswith("@"):
            assert set(columns[column.to[1:]].dtype.categories) <= set(BY_NAME)
        else:
            assert not column.to or BY_NAME[column.to].label
    assert set(table.key) <= set(columns)
