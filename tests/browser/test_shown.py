"""Pictures of ours as a browser shows them."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pages import colours, words_outside

from topology.artifacts.pictures.drawing import stage_colour

ROOT = Path(__file__).parents[2]
SITES = sorted([*ROOT.glob("tests/golden/*/cluster.yaml"), *ROOT.glob("stacks/*/cluster.yaml")])
SVG = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.browser


@pytest.fixture
def pictures(cli, tmp_path):
    """Every picture of a spec, by its path."""

    def made(spec):
        run = cli("build", str(spec), "-o", str(tmp_path / "out"), "--only", "report")
        assert run.code == 0, run.err
        folder = tmp_path / "out/report"
        return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.svg"))}

    return made


@pytest.mark.parametrize("spec", SITES, ids=lambda spec: spec.parent.name)
def test_no_word_of_a_picture_leaves_it(spec, pictures):
    made = pictures(spec)
    assert dict(zip(made, words_outside(list(made.values())), strict=True)) == {name: [] for name in made}


def test_a_word_that_leaves_a_picture_is_seen():
    paper = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text y="20">{}</text></svg>'
    assert words_outside([paper.format("in"), paper.format("far outside")]) == [[], ["far outside"]]


def test_racks_have_the_colour_of_their_stage_where_they_stand(pictures):
    site = pictures(ROOT / "tests/golden/gb300-two-units/cluster.yaml")["site.svg"]
    first, second = _middle(site, "1-8: 8 x nvidia-gb300-nvl72 of gb300, 576 GPUs, stage first")
    other = _middle(site, "1-8: 8 x nvidia-gb300-nvl72 of gb300, 576 GPUs, stage second")
    free = colours(site, [(first, second), other])
    assert free == [stage_colour(0), stage_colour(1)]


def test_a_picture_that_is_no_xml_is_not_shown():
    with pytest.raises(AssertionError):
        colours("<svg xmlns='http://www.w3.org/2000/svg'><rect></svg>", [(1, 1)])


def _middle(picture, tip):
    """Pixel in the middle of the second rack of the run whose tooltip begins so."""
    root = ET.fromstring(picture)  # noqa: S314 - our own
    left, top, width, _ = map(float, root.get("viewBox").split())
    scale = float(root.get("width")) / width
    for hall in root.iter(f"{SVG}g"):
        for row in hall.findall(f"{SVG}g"):
            for rack in row.findall(f"{SVG}rect"):
                title = rack.find(f"{SVG}title")
                if title is not None and title.text.startswith(tip):
                    x, y = (sum(pair) for pair in zip(_shift(hall), _shift(row), strict=True))
                    racks = int(re.match(r".*?: ([0-9]+) x", tip)[1])
                    one = float(rack.get("width")) / racks
                    x += float(rack.get("x")) + 1.5 * one
                    y += float(rack.get("y")) + float(rack.get("height")) / 2
                    return round((x - left) * scale), round((y - top) * scale)
    raise AssertionError(tip)


def _shift(group):
    return tuple(map(float, re.fullmatch(r"translate\((\S+) (\S+)\)", group.get("transform")).groups()))
