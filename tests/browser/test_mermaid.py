"""Every Mermaid diagram of ours is drawn by the package that GitHub and GitLab draw it with."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hostile import HOSTILE
from pages import draw, mermaid_blocks

from topology.review.document import DrawnBox, DrawnEdge, Picture
from topology.review.forms.mermaid import mermaid

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("tests/**/*.md"), ROOT / "README.md"])
WITH_DIAGRAMS = [path for path in DOCUMENTS if mermaid_blocks(path.read_text())]
POWERED = sorted(path.parent.name for path in ROOT.glob("stacks/*/cluster.yaml") if "\npower:" in path.read_text())
MOST_LINES, MOST_CHARACTERS = 200, 20_000  # ours; the package's own are 500 and 50,000

pytestmark = pytest.mark.browser


def test_a_broken_diagram_is_refused():
    broken = ["flowchart TB\n  a[no end", "flowchrt TB\n  a --> b", "", "flowchart TB\n  a --> end"]
    drawn = draw([*broken, "flowchart TB\n  a --> b"])
    assert [bool(each.error) for each in drawn] == [True, True, True, True, False]
    assert [each.svg for each in drawn[:-1]] == [""] * 4


def test_the_package_keeps_its_limits():
    lines = "".join(f"  a{number} --> b{number}\n" for number in range(501))
    long = f'  a["{"word " * 10_100}"] --> b\n'
    too_many, too_long = draw([f"flowchart TB\n{lines}", f"flowchart TB\n{long}"])
    assert "Edge limit exceeded" in too_many.error
    assert too_long.error == "Maximum text size"


def test_diagrams_are_on_record():
    assert {path.name for path in WITH_DIAGRAMS} >= {"one-line.md"}


def test_a_hostile_label_is_drawn_as_text_and_nothing_else():
    boxes = tuple(DrawnBox(None, (text, text)) for text in HOSTILE)
    edges = tuple(DrawnEdge(at, 0, text, f"{text}x") for at, text in enumerate(HOSTILE))
    (drawn,) = draw(["\n".join(mermaid(Picture(boxes, edges)))])
    assert drawn.error == ""
    page = ET.fromstring(drawn.svg.replace("<br>", "<br/>"))  # noqa: S314 - drawn from our own text
    tags = {each.tag.rpartition("}")[2] for each in page.iter()}
    assert not tags & {"a", "img", "image", "script", "iframe", "i", "b", "em", "strong", "code", "use"}
    assert not [name for each in page.iter() for name in each.attrib if "href" in name or name.startswith("on")]
    shown = "".join(page.itertext()).replace("\u200b", "")
    for text in ("<img src=x onerror=alert(1)>", "(www.evil.example/phish", "**bold**", "fa:fa-car", "$$x$$", "&lt;"):
        assert text in shown


def test_every_diagram_on_record_is_drawn():
    places = [(path, source) for path in WITH_DIAGRAMS for source in mermaid_blocks(path.read_text())]
    for (path, source), drawn in zip(places, draw([source for _, source in places]), strict=True):
        assert drawn.error == "", path
        assert drawn.svg.startswith("<svg"), path
        assert source.count("-->") <= MOST_LINES, path
        assert len(source) <= MOST_CHARACTERS, path


@pytest.mark.parametrize("stack", POWERED)
def test_the_one_line_diagram_of_every_stack_is_drawn_with_a_box_for_every_level(stack, cli, tmp_path):
    cli("build", str(ROOT / "stacks" / stack / "cluster.yaml"), "-o", str(tmp_path / "out"), "--only", "power")
    (source,) = mermaid_blocks((tmp_path / "out/power/one-line.md").read_text())
    (drawn,) = draw([source])
    assert drawn.error == ""
    assert drawn.svg.count('class="node ') == source.count('["')
