"""The catalogue: what its entries say, how a user's own lie over them, and what is refused."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from topology.catalog import library
from topology.catalog.entry import covers, entry, figures
from topology.catalog.library import KINDS, Key, Library, built_in
from topology.catalog.load import load
from topology.catalog.rules import RULES
from topology.findings import FindingsError
from topology.resources import data
from topology.source import YamlSource

ENTRIES = sorted(built_in())
IDS = [f"{key.folder}/{key.slug}" for key in ENTRIES]
SCHEMA = json.loads((data("schemas") / "catalog.schema.json").read_text(encoding="utf-8"))
CATALOG = load()
NVL72 = ("nvidia-gb200-nvl72", "nvidia-gb300-nvl72")


def written(key):
    """What a built-in file says, unmerged."""
    return YamlSource.parse(str(key), built_in()[key]).data


def whole(key):
    """A built-in entry over all it extends."""
    return Library(built_in(), {}).entry(key)


# --- the entries themselves -------------------------------------------------------------------


def test_the_catalogue_holds_the_products_of_the_reference_designs():
    assert list(CATALOG.nodes) == [
        "dell-xe9680",
        "dell-xe9680l",
        "nvidia-dgx-b200",
        "nvidia-dgx-b300",
        "nvidia-dgx-h100",
        "nvidia-dgx-h200",
        "nvidia-gb200-nvl72-tray",
        "nvidia-gb300-nvl72-tray",
        "supermicro-4u-hgx-h100",
    ]
    assert list(CATALOG.racks) == [
        "dell-xe9680-x4",
        "dell-xe9680l-x8",
        "nvidia-dgx-b200-x2",
        "nvidia-dgx-b200-x4",
        "nvidia-dgx-b300-x4",
        "nvidia-dgx-h100-x2",
        "nvidia-dgx-h100-x4",
        "nvidia-dgx-h200-x4",
        "nvidia-gb200-nvl72",
        "nvidia-gb300-nvl72",
        "supermicro-4u-hgx-h100-x8",
    ]
    assert list(CATALOG.switches) == [
        "nvidia-q3400-ra",
        "nvidia-qm9700",
        "nvidia-qm9790",
        "nvidia-sn2201",
        "nvidia-sn4600c",
        "nvidia-sn5600",
        "nvidia-sn5610",
    ]
    assert list(CATALOG.appliances) == ["nvidia-ufm"]
    assert list(CATALOG.batteries) == [
        "tesla-megablock",
        "tesla-megapack-2xl-2h",
        "tesla-megapack-2xl-4h",
        "tesla-megapack-3",
    ]
    assert list(CATALOG.power) == [
        "busway-800kw",
        "mobile-gas-2500kw",
        "nvidia-nvl72-power-shelf-33kw",
        "pdu-57kw",
        "rpp-800kw",
        "solar-turbines-smt130",
        "transformer-2500kva",
        "ups-1250kw",
    ]


@pytest.mark.parametrize("key", ENTRIES, ids=IDS)
def test_an_entry_is_valid_as_an_editor_sees_it(key):
    assert not [error.message for error in Draft202012Validator(SCHEMA).iter_errors(written(key))]


@pytest.mark.parametrize("key", ENTRIES, ids=IDS)
def test_an_entry_is_complete_over_what_it_extends(key):
    made = {**whole(key).data, "sources": written(key)["sources"]}
    assert not [error.message for error in Draft202012Validator(SCHEMA).iter_errors(made)]
    assert made["kind"] == KINDS[key.folder]


@pytest.mark.parametrize("key", ENTRIES, ids=IDS)
def test_an_entry_tells_the_editor_its_schema(key):
    first = built_in()[key].decode().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../../schemas/catalog.schema.json"
    beside = library.BUILT_IN / key.folder / first.partition("$schema=")[2]
    assert beside.resolve() == (data("schemas") / "catalog.schema.json").resolve()


@pytest.mark.parametrize("key", ENTRIES, ids=IDS)
def test_every_figure_has_exactly_one_source(key):
    made = whole(key)
    by = {figure: sum(covered(figure, one) for one in made.sources) for figure in figures(made.data)}
    assert {figure: count for figure, count in by.items() if count != 1} == {}


@pytest.mark.parametrize("key", ENTRIES, ids=IDS)
def test_a_derived_figure_shows_its_arithmetic(key):
    derived = [one for one in whole(key).sources if one.mark == "derived"]
    assert [one for one in derived if not any(c.isdigit() for c in one.where)] == []


def covered(figure, source):
    return any(covers(cover, figure) for cover in source.covers)


def test_every_property_of_the_schema_is_described():
    missing = []

    def walk(schema, at):
        for name, rule in schema.get("properties", {}).items():
            if "description" not in rule and "description" not in referred(rule):
                missing.append(f"{at}.{name}")
            walk(rule, f"{at}.{name}")

    for name, rule in SCHEMA["$defs"].items():
        walk(rule, name)
        assert "description" in rule
        assert "properties" not in rule or rule["additionalProperties"] is False
    assert missing == []


def referred(rule):
    return SCHEMA["$defs"].get(rule.get("$ref", "").removeprefix("#/$defs/"), {})


# --- counts that follow from each other -------------------------------------------------------


@pytest.mark.parametrize("slug", CATALOG.racks)
def test_a_rack_holds_its_nodes_and_parts(slug):
    rack = CATALOG.racks[slug]
    parts_u = sum(part.count * part.height_u for part in rack.parts)
    assert rack.nodes * CATALOG.nodes[rack.node].height_u + parts_u <= rack.height_u


@pytest.mark.parametrize("slug", CATALOG.racks)
def test_a_rack_draws_at_least_what_its_nodes_draw(slug):
    rack = CATALOG.racks[slug]
    assert rack.power_max_w >= rack.nodes * CATALOG.nodes[rack.node].power_max_w


@pytest.mark.parametrize("slug", CATALOG.racks)
def test_gpus_have_one_nvlink_domain_the_nodes_or_the_racks(slug):
    rack = CATALOG.racks[slug]
    assert (rack.nvlink is None) != (CATALOG.nodes[rack.node].nvlink is None)


@pytest.mark.parametrize("slug", NVL72)
def test_an_nvl72_rack_has_1296_nvlinks_one_from_each_gpu_to_each_chip(slug):
    rack = CATALOG.racks[slug]
    gpus = rack.nodes * CATALOG.nodes[rack.node].gpus
    trays = {part.kind: part.count for part in rack.parts}
    assert (rack.nodes, trays) == (18, {"nvlink-switch": 9, "power-shelf": 8})
    assert rack.nvlink.switches == 2 * trays["nvlink-switch"] == rack.nvlink.links_per_gpu
    assert gpus * rack.nvlink.links_per_gpu == 72 * 18 == 1296


@pytest.mark.parametrize("slug", CATALOG.nodes)
def test_a_node_has_a_compute_nic_for_every_gpu_and_one_bmc(slug):
    node = CATALOG.nodes[slug]
    nics = {nic.role: nic for nic in node.nics}
    assert nics["compute"].count == node.gpus
    assert (nics["oob"].count, nics["oob"].ports) == (1, {1: 1})


@pytest.mark.parametrize("slug", CATALOG.nodes)
def test_slurm_keeps_a_name_for_the_gpus_and_leaves_memory_to_the_system(slug):
    node = CATALOG.nodes[slug]
    assert node.gres_type == node.gpu_model.lower()
    measured = {2: 2_063_205, 3: 3_095_874, 0: 979_729}  # RealMemory of nodes with 2 TB, 3 TB, 960 GB
    assert node.memory_mb < measured[node.memory_mb // 1_000_000]


@pytest.mark.parametrize(
    ("slug", "radix"),
    [
        ("nvidia-qm9700", {400: 64, 200: 128}),
        ("nvidia-qm9790", {400: 64, 200: 128}),
        ("nvidia-q3400-ra", {800: 144}),
        ("nvidia-sn5600", {800: 64, 400: 128, 200: 256}),
        ("nvidia-sn5610", {800: 64, 400: 128, 200: 256}),
        ("nvidia-sn2201", {1: 48, 100: 4}),
        ("nvidia-sn4600c", {100: 64}),
    ],
)
def test_a_switch_has_the_ports_its_maker_counts(slug, radix):
    ports = Counter()
    for cage in CATALOG.switches[slug].cages:
        for rate, count in cage.ports.items():
            ports[rate] += cage.count * count
    assert ports == radix


def test_a_split_never_makes_a_cage_faster():
    cages = [cage for switch in CATALOG.switches.values() for cage in switch.cages]
    assert all(len({rate * count for rate, count in cage.ports.items()}) == 1 for cage in cages)


def test_an_h200_box_is_an_h100_box_with_other_gpus():
    h100, h200 = CATALOG.nodes["nvidia-dgx-h100"], CATALOG.nodes["nvidia-dgx-h200"]
    assert (h200.gpu_model, h200.gres_type, h200.model) == ("H200", "h200", "DGX H200")
    assert (h200.nics, h200.power_max_w, h200.weight_kg) == (h100.nics, 10_200, 130.45)


def test_a_rack_design_of_the_superpod_draws_what_the_document_says():
    watts = {slug: CATALOG.racks[slug].power_max_w for slug in CATALOG.racks}
    assert watts["nvidia-dgx-h100-x4"] == 40_800  # RA-11333: "exceeds 40 kW"
    assert (watts["nvidia-dgx-b200-x2"], watts["nvidia-dgx-b200-x4"]) == (28_600, 57_200)
    assert (watts["nvidia-gb200-nvl72"], watts["nvidia-gb300-nvl72"]) == (132_000, 142_000)


@pytest.mark.parametrize(
    ("slug", "units_for_150_mw", "hours"),
    [
        ("tesla-megapack-2xl-2h", 78, 2),
        ("tesla-megapack-2xl-4h", 154, 4),
        ("tesla-megapack-3", 120, 4),
        ("tesla-megablock", 30, 4),
    ],
)
def test_a_battery_has_the_power_and_the_hours_of_its_name(slug, units_for_150_mw, hours):
    battery = CATALOG.batteries[slug]
    assert -(-150_000_000 // battery.power_w) == units_for_150_mw
    assert battery.energy_wh == hours * battery.power_w
    assert 0.9 < battery.round_trip < 0.95


def test_a_megablock_is_four_megapacks_on_its_share_of_an_acre():
    one, four = CATALOG.batteries["tesla-megapack-3"], CATALOG.batteries["tesla-megablock"]
    assert (four.power_w, four.energy_wh, four.cycles) == (4 * one.power_w, 4 * one.energy_wh, one.cycles)
    pad_m2 = (four.length_m + four.spacing_m) * (four.width_m + four.spacing_m)
    assert pad_m2 == pytest.approx(20 / 248 * 4046.86, rel=0.01)


def test_a_four_hour_megapack_is_a_two_hour_one_with_other_figures():
    two, four = CATALOG.batteries["tesla-megapack-2xl-2h"], CATALOG.batteries["tesla-megapack-2xl-4h"]
    assert (four.length_m, four.width_m, four.spacing_m, four.weight_kg) == (8.8, 1.65, 3.0, 38_100.0)
    assert (two.length_m, two.weight_kg, two.cycles, four.cycles) == (8.8, 38_100.0, None, None)


@pytest.mark.parametrize("slug", CATALOG.power)
def test_a_power_device_has_one_rating_and_gives_no_more_than_it_takes(slug):
    device = CATALOG.power[slug]
    assert (device.rating_va is None) != (device.rating_w is None)
    assert 0.9 < device.efficiency <= 1


def test_power_devices_have_the_ratings_of_their_names():
    ratings = {slug: device.rating_va or device.rating_w for slug, device in CATALOG.power.items()}
    assert ratings == {
        "busway-800kw": 800_000,
        "mobile-gas-2500kw": 2_500_000,
        "nvidia-nvl72-power-shelf-33kw": 33_000,
        "pdu-57kw": 57_500,
        "rpp-800kw": 800_000,
        "solar-turbines-smt130": 16_000_000,
        "transformer-2500kva": 2_500_000,
        "ups-1250kw": 1_250_000,
    }


@pytest.mark.parametrize("slug", NVL72)
def test_the_power_shelves_of_an_nvl72_rack_carry_it_with_two_missing(slug):
    shelves = next(part for part in CATALOG.racks[slug].parts if part.kind == "power-shelf")
    shelf_w = CATALOG.power[shelves.product].rating_w
    assert (shelves.product, shelf_w) == ("nvidia-nvl72-power-shelf-33kw", 33_000)
    assert (shelves.count - 2) * shelf_w >= CATALOG.racks[slug].power_max_w


# --- reading ----------------------------------------------------------------------------------


def test_loading_parses_no_file_and_a_product_parses_only_what_it_extends(monkeypatch):
    parsed = []
    parse = YamlSource.parse
    monkeypatch.setattr(library.YamlSource, "parse", lambda name, raw: parsed.append(name) or parse(name, raw))
    catalog = load()
    assert "nvidia-sn5600" in catalog.switches
    assert (len(catalog.nodes), catalog.sha256 != "", parsed) == (9, True, [])
    assert catalog.nodes["nvidia-dgx-h200"] is catalog.nodes["nvidia-dgx-h200"]
    assert parsed == ["nodes/nvidia-dgx-h200.yaml", "nodes/nvidia-dgx-h100.yaml"]


def test_a_product_that_is_not_there_is_a_key_error():
    with pytest.raises(KeyError, match="nvidia-dgx-h1000"):
        CATALOG.nodes["nvidia-dgx-h1000"]
    assert "nvidia-dgx-h1000" not in CATALOG.nodes


def test_the_digest_stands_for_every_byte_of_every_file(tmp_path):
    assert load().sha256 == CATALOG.sha256
    put(tmp_path, {"nodes/mine.yaml": OWN_NODE})
    mine = load(tmp_path).sha256
    (tmp_path / "nodes/mine.yaml").write_text(OWN_NODE + "# one more comment\n", encoding="utf-8")
    assert len({CATALOG.sha256, mine, load(tmp_path).sha256}) == 3


def test_the_digest_does_not_depend_on_where_the_folder_is(tmp_path):
    for place in ("a", "b/c"):
        put(tmp_path / place, {"nodes/mine.yaml": OWN_NODE})
    assert load(tmp_path / "a").sha256 == load(tmp_path / "b/c").sha256


# --- a user's own entries ---------------------------------------------------------------------

OWN_NODE = """\
kind: node
extends: nvidia-dgx-h100
model: DGX H100, our memory
memory_mb: 1900000
sources:
  - {covers: [memory_mb], document: slurmd -C on rack 7, mark: maker}
"""
SOURCED = "sources:\n  - {covers: [memory_mb], document: a run, mark: maker}\n"


def put(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_an_own_entry_starts_from_a_built_in_one(tmp_path):
    put(tmp_path, {"nodes/mine.yaml": OWN_NODE, "README.md": "ours", ".git/x.yaml": "- no entry"})
    catalog = load(tmp_path)
    mine, theirs = catalog.nodes["mine"], catalog.nodes["nvidia-dgx-h100"]
    assert (mine.memory_mb, theirs.memory_mb) == (1_900_000, 2_000_000)
    assert (mine.slug, mine.nics, mine.power_max_w) == ("mine", theirs.nics, theirs.power_max_w)


def test_an_own_entry_of_the_same_slug_replaces_the_built_in_one(tmp_path):
    put(tmp_path, {"nodes/nvidia-dgx-h100.yaml": OWN_NODE})
    catalog = load(tmp_path)
    assert catalog.nodes["nvidia-dgx-h100"].memory_mb == 1_900_000
    assert list(catalog.nodes) == list(CATALOG.nodes)
    # what the package makes of its own entry stays what it was
    assert catalog.nodes["nvidia-dgx-h200"].memory_mb == 2_000_000


def test_own_entries_extend_each_other(tmp_path):
    child = "kind: node\nextends: mine\nmodel: Child\nmemory_mb: 1800000\n" + SOURCED
    put(tmp_path, {"nodes/child.yaml": child, "nodes/mine.yaml": OWN_NODE})
    assert load(tmp_path).nodes["child"].memory_mb == 1_800_000


def test_null_takes_away_what_an_entry_inherits(tmp_path):
    text = OWN_NODE + "weight_kg: null\nnics: {storage: null, frontend: {ports: {200G: null}}}\n"
    put(tmp_path, {"nodes/mine.yaml": text})
    mine = load(tmp_path).nodes["mine"]
    assert mine.weight_kg is None
    assert {nic.role: nic.ports for nic in mine.nics} == {
        "compute": {400: 1},
        "frontend": {100: 1},
        "oob": {1: 1},
    }


def test_an_own_switch_stands_beside_the_built_in_ones(tmp_path):
    text = """\
kind: switch
manufacturer: Acme
model: Big
protocol: ethernet
height_u: 2
power_w: {maximum: 3000}
cages: {osfp: {count: 128, ports: {800G: 1, 400G: 2}}, sfp28: {count: 2, ports: {25G: 1}}}
sources: [{covers: [height_u, power_w, cages], document: Acme datasheet, where: page 2, mark: maker}]
"""
    put(tmp_path, {"switches/acme-big.yaml": text})
    big = load(tmp_path).switches["acme-big"]
    assert [(cage.cage, cage.count, cage.ports) for cage in big.cages] == [
        ("osfp", 128, {800: 1, 400: 2}),
        ("sfp28", 2, {25: 1}),
    ]
    assert (big.weight_kg, big.power_typical_w, big.sources[0].where) == (None, None, "page 2")


OWN_TRANSFORMER = """\
kind: power
extends: transformer-2500kva
rating: {va: null, w: 3000000}
sources: [{covers: [rating.w], document: our type plate, mark: maker}]
"""


def test_an_own_power_device_may_have_the_other_rating(tmp_path):
    put(tmp_path, {"power/ours.yaml": OWN_TRANSFORMER})
    ours = load(tmp_path).power["ours"]
    assert (ours.device, ours.rating_va, ours.rating_w, ours.efficiency) == ("transformer", None, 3_000_000, 0.99)
    assert [one.document for one in ours.sources if "rating.w" in one.covers] == ["our type plate"]


@pytest.mark.parametrize("rating", ["{w: 3000000}", "{va: null}"])  # two with the inherited one, and none
def test_an_own_power_device_has_exactly_one_rating(tmp_path, rating):
    text = OWN_TRANSFORMER.replace("{va: null, w: 3000000}", rating)
    if "w:" not in rating:
        text = text.replace("[rating.w]", "[rating.va]")
    put(tmp_path, {"power/ours.yaml": text})
    assert refused(tmp_path) == (
        "power/ours.yaml:3:9: C103 rating is "
        + ("empty" if "null" in rating else "a mapping, which does not have its form")
        + "\n  help: write exactly one of va and w\n"
    )


def test_an_own_battery_extends_a_built_in_one(tmp_path):
    text = "kind: battery\nextends: tesla-megapack-3\ncycles: null\npower_w: 2500000\n"
    text += "sources: [{covers: [power_w], document: our contract, mark: maker}]\n"
    put(tmp_path, {"batteries/ours.yaml": text})
    ours = load(tmp_path).batteries["ours"]
    assert (ours.power_w, ours.energy_wh, ours.cycles) == (2_500_000, 5_000_000, None)


def test_a_built_in_rack_that_an_own_node_overfills_is_refused_when_taken(tmp_path):
    text = OWN_NODE + "height_u: 14\npower_w: {maximum: 11000}\n"
    text = text.replace("[memory_mb]", "[memory_mb, height_u, power_w]")
    put(tmp_path, {"nodes/nvidia-dgx-h100.yaml": text})
    catalog = load(tmp_path)
    assert catalog.racks["nvidia-dgx-h200-x4"].nodes == 4
    with pytest.raises(FindingsError) as caught:
        catalog.racks["nvidia-dgx-h100-x4"]
    assert (
        told(caught.value, tmp_path)
        == """\
nodes/nvidia-dgx-h100.yaml:7:11: C304 rack 'nvidia-dgx-h100-x4' has 48U and needs 56U: 4 nodes of 14U
  help: replace the rack too: racks/nvidia-dgx-h100-x4.yaml with extends: nvidia-dgx-h100-x4
nodes/nvidia-dgx-h100.yaml:8:20: C305 rack 'nvidia-dgx-h100-x4' draws at most 40,800 W, \
its nodes 44,000 W: 4 nodes of 11,000 W
  help: replace the rack too: racks/nvidia-dgx-h100-x4.yaml with extends: nvidia-dgx-h100-x4
"""
    )


FIGURES = sorted(figures(whole(Key("nodes", "nvidia-dgx-h100")).data))


@given(changed=st.sets(st.sampled_from(FIGURES), min_size=1))
def test_whatever_an_entry_changes_every_figure_keeps_exactly_one_source(changed):
    patch = {"sources": [{"covers": sorted(changed), "document": "ours", "mark": "maker"}]}
    for figure in changed:
        *above, last = figure.split(".")
        inside = patch
        for step in above:
            inside = inside.setdefault(step, {})
        inside[last] = 7
    made = entry(patch, whole(Key("nodes", "nvidia-dgx-h100")))
    for figure in figures(made.data):
        by = [one.document for one in made.sources if covered(figure, one)]
        assert len(by) == 1
        assert (by == ["ours"]) == (figure in changed)


# --- what is refused, word for word -----------------------------------------------------------

CASES = sorted(path for path in (Path(__file__).parent / "catalog_fixtures").iterdir() if path.is_dir())


def told(error, root):
    """Findings as a text, files relative to the folder."""
    return "".join(
        f"{f.file.removeprefix(f'{root}/')}:{f.line}:{f.column}: {f.code} {f.message}\n  help: {f.help}\n"
        for f in error.findings
    )


def refused(root):
    with pytest.raises(FindingsError) as caught:
        load(root)
    assert all(finding.because for finding in caught.value.findings)
    return told(caught.value, root)


def codes(text):
    return re.findall(r"(?m)^\S+:\d+:\d+: (\S+)", text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_catalogue_is_refused_in_the_words_on_record(case):
    assert refused(case) == (case / "expected.txt").read_text(encoding="utf-8")


def test_every_rule_has_a_case_but_the_one_about_the_folder_itself():
    on_record = {code for case in CASES for code in codes((case / "expected.txt").read_text(encoding="utf-8"))}
    assert set(RULES) - on_record == {"C001"}


def test_a_catalogue_that_is_not_there_is_told_where_the_spec_names_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("", encoding="utf-8")
    for name, what in (("none", "does not exist"), ("a-file", "is not a folder")):
        with pytest.raises(FindingsError) as caught:
            load(Path(name))
        (finding,) = caught.value.findings
        assert (finding.code, finding.path, finding.file) == ("C001", ("catalog",), "")
        assert finding.message == f"the catalogue '{name}' {what}"


def test_an_entry_is_never_read_from_outside_the_folder(tmp_path):
    put(tmp_path, {"secret/mine.yaml": OWN_NODE, "catalog/nodes/b.yaml": OWN_NODE})
    (tmp_path / "catalog/nodes/mine.yaml").symlink_to(tmp_path / "secret/mine.yaml")
    (tmp_path / "catalog/racks").symlink_to(tmp_path / "secret")
    text = refused(tmp_path / "catalog")
    assert codes(text) == ["S104", "S104"]
    assert "nodes/mine.yaml:0:0: S104 it leads out of the folder" in text


def test_a_link_within_the_folder_is_followed(tmp_path):
    put(tmp_path, {"nodes/mine.yaml": OWN_NODE})
    (tmp_path / "nodes/same.yaml").symlink_to("mine.yaml")
    assert load(tmp_path).nodes["same"].memory_mb == 1_900_000


def test_pipes_folders_dead_links_and_huge_files_are_refused_without_waiting(tmp_path):
    folder = tmp_path / "nodes"
    folder.mkdir()
    os.mkfifo(folder / "a.yaml")
    (folder / "b.yaml").mkdir()
    (folder / "c.yaml").symlink_to("nowhere")
    with (folder / "d.yaml").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    (tmp_path / "racks").symlink_to("nowhere")
    assert codes(refused(tmp_path)) == ["S102", "S102", "S101", "S103", "C002"]


def test_a_report_can_show_the_line_of_every_finding(tmp_path):
    rack = "kind: rack\nextends: nvidia-dgx-h100-x4\nnode: x\n" + SOURCED.replace("memory_mb", "node")
    put(tmp_path, {"nodes/mine.yaml": OWN_NODE + "hieght_u: 8\n", "racks/ours.yaml": rack})
    with pytest.raises(FindingsError) as caught:
        load(tmp_path)
    (finding,) = caught.value.findings  # the rack waits until every file is right by itself
    assert caught.value.lines[finding.file][finding.line - 1] == "hieght_u: 8"
