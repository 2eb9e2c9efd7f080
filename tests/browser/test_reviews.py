"""Reviews as GitHub shows them: its own parser keeps tables and folds whole, the real mermaid draws every diagram."""

import re
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from pages import draw, mermaid_blocks

from topology.ci.bundle import review_of
from topology.review.forms.markdown import markdown as rendered

ROOT = Path(__file__).parents[2]
SPECS = {path.parent.name: path.read_text() for path in ROOT.glob("tests/golden/*/cluster.yaml")}
SPECS |= {path.parent.name: path.read_text() for path in ROOT.glob("stacks/*/cluster.yaml")}

CHANGES = {  # name: spec before and after
    "a unit more": (SPECS["own-names"], SPECS["own-names"].replace("units: 8,", "units: 9,")),
    "another site": (SPECS["islands-and-core"], SPECS["power-tree"]),
    "less power": (SPECS["power-tree"], SPECS["power-tree"].replace("rating_kva: 300", "rating_kva: 200")),
    "a fabric gone": (SPECS["storage-fabric"], SPECS["gb200-unit"]),
    "another switch": (SPECS["colossus"], SPECS["colossus"].replace("nvidia-sn5600", "nvidia-sn5610")),
    "a spec that does not build": (SPECS["one-rack"], SPECS["one-rack"].replace("racks: 1", "racks: 0")),
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=CHANGES, ids=lambda name: name)
def review(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("review")
    for name, text in zip(("before", "after"), CHANGES[request.param], strict=True):
        (folder / name).mkdir()
        (folder / name / "cluster.yaml").write_text(text)
    before, after = (str(folder / name / "cluster.yaml") for name in ("before", "after"))
    return before, after


@pytest.fixture
def markdown(review, cli):
    run = cli("diff", *review, "--format", "markdown", "--fail-on", "never")
    assert run.code == 0, run.err
    return run.out


def test_tables_and_folds_come_out_whole(markdown):
    page = Page()
    page.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))
    assert page.open == []
    rules = [line for line in outside_code(markdown) if re.fullmatch(r"\|(?:-+:?\|)+", line)]
    assert page.count.get("table", 0) == len(rules)
    assert page.count.get("details", 0) == page.count.get("summary", 0) == markdown.count("\n<details>\n")
    assert all(len(set(widths)) == 1 for widths in page.tables), page.tables
    assert "|" not in page.text


def test_every_diagram_is_drawn(markdown):
    sources = mermaid_blocks(markdown)
    for source, drawn in zip(sources, draw(sources) if sources else [], strict=True):
        assert drawn.error == "", source
        assert drawn.svg.startswith("<svg")
        assert sum(source.count(arrow) for arrow in ("-->", "---", "==>", "-.->")) <= 200
        assert len(source) <= 20_000


def test_the_commenting_job_renders_the_same(review, markdown, cli):
    run = cli("diff", *review, "--format", "data", "--fail-on", "never")
    document, measures, _ = review_of(run.out.encode())
    assert rendered(document) == markdown
    assert measures["changes"] == 1


def test_some_of_these_changes_have_diagrams(cli, tmp_path):
    for name, text in zip(("before", "after"), CHANGES["another site"], strict=True):
        (tmp_path / f"{name}.yaml").write_text(text)
    run = cli(
        "diff", str(tmp_path / "before.yaml"), str(tmp_path / "after.yaml"), "-f", "markdown", "--fail-on", "never"
    )
    assert len(mermaid_blocks(run.out)) >= 2


def outside_code(markdown):
    """Lines that stand in no fence."""
    return re.sub(r"^(`{3,})[a-z]*\n.*?^\1$", "", markdown, flags=re.MULTILINE | re.DOTALL).splitlines()


class Page(HTMLParser):
    """Elements of a page: how many of each, which were left open, and how many cells the rows of each table have."""

    def __init__(self):
        super().__init__()
        self.open, self.count, self.tables, self.text = [], {}, [], ""

    def handle_starttag(self, tag, attrs):
        del attrs
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in {"br", "hr", "input"}:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append(0)
        if tag in {"td", "th"}:
            self.tables[-1][-1] += 1

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"code", "pre"} & set(self.open):
            self.text += data
