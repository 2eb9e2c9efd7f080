"""Pictures of a site: well-formed, closed to the outside, true to the plan, and small in a diff."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path

import polars as pl
import pytest

from topology.artifacts.pictures import files
from topology.artifacts.pictures.drawing import stage_colour
from topology.artifacts.pictures.floor import floor_plan
from topology.artifacts.pictures.kinds import with_kinds
from topology.artifacts.pictures.places import hall_floors
from topology.artifacts.render import RenderError, render
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.cli.session import open_plan
from topology.source import YamlSource

ROOT = Path(__file__).parents[1]
SITES = sorted([*ROOT.glob("tests/golden/*/cluster.yaml"), *ROOT.glob("stacks/*/cluster.yaml")])
SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "style", "defs", "pattern", "g", "rect", "text", "use"}
RUN = re.compile(r"(?P<where>[-0-9, ]+): (?P<racks>[0-9,]+) x .*?(?:, (?P<gpus>[0-9,]+) GPUs)?, (?:stage|in no)")


def plan_of(spec):
    text = spec if isinstance(spec, str) else spec.read_text()
    name = "cluster.yaml" if isinstance(spec, str) else str(spec)
    return open_plan(YamlSource.parse(name, text.encode()), name, Progress(), Severities()).plan


def pictures(plan):
    return {str(made.path): made.data.decode() for made in files.artifacts(plan, ())}


@pytest.fixture(scope="module", params=SITES, ids=lambda spec: spec.parent.name)
def site(request):
    plan = plan_of(request.param)
    return plan, pictures(plan)


def test_pictures_are_xml_that_runs_nothing_and_loads_nothing(site):
    _, made = site
    for name, text in made.items():
        for element in ET.fromstring(text).iter():  # noqa: S314 - our own
            assert element.tag.removeprefix(SVG) in ALLOWED, name
            for attribute, value in element.attrib.items():
                assert not attribute.startswith("on"), name
                assert "href" not in attribute or value.startswith("#"), name
                assert "url(" not in value or value.startswith("url(#"), name
        assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), name


def test_what_a_picture_points_at_is_in_it(site):
    _, made = site
    for name, text in made.items():
        there = set(re.findall(r' id="([^"]+)"', text))
        assert set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text)) <= there, name


def test_the_floor_plan_has_every_rack_and_every_gpu_once(site):
    plan, made = site
    tips = re.findall(r'<rect class="[sn][0-9x]+" [^>]*><title>([^<]+)</title>', made["report/site.svg"])
    runs = [RUN.match(tip) for tip in tips]
    assert sum(_int(run["racks"]) for run in runs) == plan.racks.height
    assert sum(_int(run["gpus"] or "0") for run in runs) == plan.gpus.height
    for run in runs:
        low, _, high = run["where"].partition("-")
        assert int(high or low) - int(low) + 1 == _int(run["racks"])


def test_the_rows_of_a_hall_hold_its_racks(site):
    plan, made = site
    for at, hall in enumerate(plan.spec.halls):
        racks = plan.racks.filter(pl.col("hall") == at).height
        text = made.get(f"report/rows/{hall.name}.svg")
        assert (text is not None) == bool(racks)
        if text:
            assert sum(map(_int, re.findall(r">([0-9,]+) in this hall<", text))) == racks
            strips = re.split(r'<text class="strip"[^>]*>rows? ', text)[1:]
            assert sum(_rows(strip) * sum(map(_int, re.findall(r">([0-9,]+) x ", strip))) for strip in strips) == racks


def test_every_feed_of_a_kind_of_rack_is_shown_with_its_watts(site):
    plan, made = site
    racks = with_kinds(plan).unique("kind", keep="first", maintain_order=True).select("rack", "hall")
    for feed in plan.feeds.join(racks, on="rack").iter_rows(named=True):
        text = made[f"report/rows/{plan.spec.halls[feed['hall']].name}.svg"]
        kw = f"{feed['load_w'] / 1000:,.1f} of {feed['capacity_w'] / 1000:,.1f} kW"
        assert f"{feed['side']}: {feed['circuits']} x {feed['breaker_a']:g} A, {kw}" in text


def test_pictures_of_a_million_gpus_can_be_reviewed(site):
    _, made = site
    assert all(len(text) < 1_000_000 for text in made.values())
    assert all(len(line) < 500 for text in made.values() for line in text.splitlines())


def test_a_unit_more_changes_few_lines():
    spec = (ROOT / "tests/golden/own-names/cluster.yaml").read_text()
    before, after = (pictures(plan_of(spec.replace("units: 8,", f"units: {units},"))) for units in (8, 7))
    changed = _changed(before["report/site.svg"], after["report/site.svg"])
    assert 0 < len(changed) <= 12, changed


def test_a_hall_that_moves_is_one_line_when_the_site_keeps_its_size():
    spec = (ROOT / "stacks/colossus/cluster.yaml").read_text()
    before = pictures(plan_of(spec.replace("[0, 30]", "[1, 30]")))["report/site.svg"]
    after = pictures(plan_of(spec.replace("[0, 30]", "[2, 30]")))["report/site.svg"]
    assert len(_changed(before, after)) == 2


def test_a_stage_more_keeps_the_colours_of_the_others():
    colours = [stage_colour(stage) for stage in range(40)]
    assert len(set(colours)) == 40
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)


def test_halls_that_overlap_are_drawn_apart_and_the_picture_says_so():
    text = (ROOT / "tests/golden/islands-and-core/cluster.yaml").read_text()
    plan = plan_of(text)
    floors, as_given = hall_floors(plan.halls)
    assert not as_given
    assert not floors[0].overlaps(floors[1])
    assert "drawn apart" in pictures(plan)["report/site.svg"]
    apart = plan_of(text.replace("{name: h2, ", "{name: h2, origin_m: [30, 0], "))
    assert "drawn apart" not in pictures(apart)["report/site.svg"]


def test_a_slot_left_out_is_drawn_empty():
    made = pictures(plan_of(ROOT / "tests/golden/h100-unit/cluster.yaml"))["report/rows/h1.svg"]
    assert made.count('<rect class="empty"') == 1
    assert "slot 4 · left out" in made


def test_no_value_leaves_its_place_in_a_picture():
    floor = floor_plan(plan_of(ROOT / "tests/golden/one-rack/cluster.yaml"))
    text = render("report/site.svg.j2", floor=replace(floor, title=NASTY, note=NASTY, font=NASTY)).decode()
    assert "<script" not in text
    assert NASTY in "".join(ET.fromstring(text).itertext())  # noqa: S314 - our own
    with pytest.raises(RenderError, match="may not be written to a picture"):
        render("report/site.svg.j2", floor=replace(floor, title="a\x1bb"))


NASTY = "\"><script>alert('1')</script>&amp;<"


def _int(text):
    return int(text.replace(",", ""))


def _rows(strip):
    """How many rows the head of a strip names."""
    spans = [span.split("-") for span in strip[: strip.index("<")].split(", ")]
    return sum(int(span[-1]) - int(span[0]) + 1 for span in spans)


def _changed(before, after):
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in {"---", "+++"}]
