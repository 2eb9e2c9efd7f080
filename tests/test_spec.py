"""From text to ClusterSpec: schema, defaults, and what the parts of a spec must agree on."""

import copy
import json
from dataclasses import MISSING, fields, replace

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topology.catalog.load import load as load_catalog
from topology.expand.fabrics import kinds
from topology.expand.groups import size_groups
from topology.findings import FindingsError, Severity
from topology.resources import data as folder_of
from topology.source import YamlSource
from topology.spec import model
from topology.spec.load import load
from topology.spec.schema import resolve, with_defaults
from topology.spec.wording import KEYWORDS

SCHEMA = json.loads((folder_of("schemas") / "cluster.schema.json").read_text(encoding="utf-8"))
KINDS = kinds()

SMALL = """\
version: 1
name: demo
site: {name: lab, pue: 1.25}
halls:
  - {name: h1, rows: 10, positions: 48}
  - {name: h2, rows: 4, positions: 20}
compute:
  - {name: h100, rack: nvidia-dgx-h100-x4, racks: 32}
fabrics:
  - {name: compute, kind: fat-tree, protocol: infiniband, switch: nvidia-qm9700, port_gbps: 400}
"""

WHOLE = """\
version: 1
name: colossus
site: {name: memphis, pue: 1.25, price_book: prices.yaml}
catalog: catalog/
names: {rack: "{hall}-{row}-{position}", node: "{rack}n{node:02}"}

halls:
  - &hall {name: h1, rows: 10, positions: 48, row_pitch_m: 3.5, position_pitch_m: 0.7, origin_m: [0, 12.5],
     network_rows: [6, 5], rack_limit: {power_kw: 140, weight_kg: 1600, height_u: 52}}
  - {<<: *hall, name: h2, origin_m: [0, 60]}

compute:
  - {name: h100, rack: supermicro-4u-hgx-h100-x8, gpus: 100352, unit_racks: 8, halls: [h2, h1]}
  - {name: gb300, rack: nvidia-gb300-nvl72, units: 9, unit_racks: 16, nodes_per_rack: 17, without: [h1-1-1n01]}

fabrics:
  - name: compute
    kind: rail-optimized
    protocol: roce
    connects: compute
    compute: [h100]
    switch: nvidia-sn5600
    port_gbps: 400
    uplink_gbps: 800
    planes: 2
    tiers: 3
    oversubscription: {leaf: 1, spine: 1.5}
    islands: {units: 72}
    sized_for: {units: 392}
    pod_units: 8
    leaf_down: 32
    leaf_sharing: rails
    place: {leaf: network-row}
  - {name: gb300, kind: fat-tree, protocol: roce, compute: [gb300], switch: nvidia-sn5610, port_gbps: 800,
     tiers: auto, islands: {units: 3}, managers: {product: nvidia-ufm, count: 2, ports: 1}, oversubscription: 2}
  - {name: core, kind: core, joins: [compute, gb300], switch: nvidia-sn5610, port_gbps: 800, oversubscription: 4,
     halls: [h2]}

power:
  redundancy: 2N
  sources:
    - {name: mlgw-1, kind: utility, capacity_mw: 150, permit: granted}
    - {name: turbines, kind: turbine, units: 14, unit_mw: 2.5, permit: pending}
  levels:
    - {kind: substation, rating_mva: 160}
    - {kind: transformer, rating_kva: 2500}
    - {kind: ups, rating_kw: 1250}
    - {kind: busway, rating_kw: 800}
  feed: {volts: 415, phases: 3, derating: 0.8}
  workload: {swing: 0.6, period_s: 2.0, duty: 0.7, ramp_limit_mw_per_s: 0.5}
  batteries:
    - {name: megapacks, product: tesla-megapack-2xl-4h, attach: substation, power_mw: 150,
       redundancy: N+1, reserve_soc: 0.2, ride_through_s: 300}

stages:
  - {name: s1, add: {gb300: {units: 9}, h100: {gpus: 25088}}, needs: {permits: [mlgw-1], energised: [h1], banks: 1}}
  - {name: s2, add: {h100: {units: 49}}, needs: {permits: [turbines]}}

slurm:
  partitions: [{name: train, compute: [h100], default: true, max_time: 7-00:00:00, topology: tree}]
  clusters: [{name: east, compute: [h100]}, {name: west, compute: [gb300]}]
  controllers: [slurm1.example, slurm2.example]
  release: "24.11"
  max_nodes: 20000
  imex_channels: 128
kubernetes: {max_nodes_per_cell: 4608, labels: topograph-v1, network_operator: true}
pulumi: {project: colossus}
"""


def source(text):
    return YamlSource.parse("spec.yaml", text.encode())


def spec(text):
    return load(source(text), KINDS)[0]


def findings(text):
    """(code, line) of what is wrong with a spec."""
    with pytest.raises(FindingsError) as error:
        spec(text)
    return [(finding.code, finding.line) for finding in error.value.findings]


def placeless(noun):
    """A noun of the spec without its place."""
    return replace(noun, path=())


def test_a_small_spec_has_every_default_filled_in():
    small = spec(SMALL)
    assert small.names == model.Names("{hall}r{rack:04}", "{rack}n{node:02}")
    assert small.halls[1] == model.Hall(
        name="h2",
        rows=4,
        positions=20,
        row_pitch_m=3.0,
        position_pitch_m=0.6,
        origin_m=(0.0, 0.0),
        network_rows=(),
        rack_limit=model.RackLimit(None, None, 48),
        path=("halls", 1),
    )
    racks = model.Count("racks", 32, ("compute", 0, "racks"))
    assert small.compute == (
        model.ComputeGroup("h100", "nvidia-dgx-h100-x4", racks, 1, ("h1", "h2"), path=("compute", 0)),
    )
    assert placeless(small.fabrics[0]) == model.Fabric(
        "compute", "fat-tree", "infiniband", "compute", (), "nvidia-qm9700", 400, 400
    )
    assert small.stages == (model.Stage("all", (("h100", racks),), path=("compute",)),)
    assert small.slurm == model.Slurm(
        (model.Partition("h100", ("h100",), default=True, path=("compute", 0)),),
        (model.SlurmCluster("demo", ("h100",), ("slurm", "clusters", 0)),),
        path=("slurm",),
    )
    assert (small.power, small.catalog) == (None, None)


def test_a_levels_rating_is_what_one_device_carries_all_day():
    level = "{kind: transformer, rating_kva: 2500, power_factor: 0.9, derating: 0.8}"
    spec = load(source(f"{SMALL}power:\n  levels: [{level}]\n"), KINDS)[0]
    assert spec.power.levels[0].rating_w == pytest.approx(2.5e6 * 0.9 * 0.8)


def test_a_whole_spec_is_kept_word_for_word():
    whole = spec(WHOLE)
    assert (whole.name, whole.site, whole.catalog) == ("colossus", model.Site("memphis", 1.25), "catalog/")
    assert [hall.name for hall in whole.halls] == ["h1", "h2"]
    assert whole.halls[1].origin_m == (0.0, 60.0)
    assert whole.halls[1].network_rows == (5, 6)
    assert whole.halls[1].rack_limit == model.RackLimit(140.0, 1600.0, 52)
    assert whole.compute[0].halls == ("h2", "h1")
    assert placeless(whole.compute[1]) == model.ComputeGroup(
        "gb300",
        "nvidia-gb300-nvl72",
        model.Count("units", 9, ("compute", 1, "units")),
        16,
        ("h1", "h2"),
        17,
        ("h1-1-1n01",),
    )
    compute, gb300, core = whole.fabrics
    assert placeless(compute) == model.Fabric(
        name="compute",
        kind="rail-optimized",
        protocol="roce",
        connects="compute",
        compute=("h100",),
        switch="nvidia-sn5600",
        port_gbps=400,
        uplink_gbps=800,
        planes=2,
        tiers=3,
        oversubscription=model.Oversubscription(1.0, 1.5),
        island_units=72,
        sized_for_units=392,
        pod_units=8,
        leaf_down=32,
        leaf_sharing="rails",
        place=model.Place("network-row", "network-row", "network-row"),
    )
    assert (gb300.tiers, gb300.oversubscription) == (None, model.Oversubscription(leaf=2.0))
    assert gb300.managers == model.Managers("nvidia-ufm", 2, 1)
    assert placeless(core) == model.Fabric(
        name="core",
        kind="core",
        protocol="roce",
        connects="",
        compute=(),
        switch="nvidia-sn5610",
        port_gbps=800,
        uplink_gbps=800,
        oversubscription=model.Oversubscription(core=4.0),
        halls=("h2",),
        joins=("compute", "gb300"),
    )


def test_stages_name_groups_in_the_specs_order_and_know_their_lines():
    text = source(WHOLE)
    first, _ = load(text, KINDS)[0].stages
    assert [(group, count.kind, count.value) for group, count in first.add] == [
        ("h100", "gpus", 25088),
        ("gb300", "units", 9),
    ]
    line, column = text.place(first.add[0][1].path)
    assert text.lines[line - 1][column - 1 :].startswith("25088")


def test_slurm_is_kept_word_for_word():
    slurm = spec(WHOLE).slurm
    assert [(one.name, one.compute) for one in slurm.clusters] == [("east", ("h100",)), ("west", ("gb300",))]
    assert placeless(slurm.partitions[0]) == model.Partition(
        "train", ("h100",), default=True, max_time="7-00:00:00", topology="tree"
    )
    assert (slurm.controllers, slurm.release, slurm.max_nodes, slurm.imex_channels) == (
        ("slurm1.example", "slurm2.example"),
        "24.11",
        20000,
        128,
    )


def test_power_is_kept_word_for_word():
    power = spec(WHOLE).power
    assert [placeless(one) for one in power.sources] == [
        model.PowerSource("mlgw-1", "utility", 150.0, 1, "granted"),
        model.PowerSource("turbines", "turbine", 14 * 2.5, 14, "pending"),
    ]
    assert [placeless(one) for one in power.levels] == [
        model.Level("substation", 0.95 * 160e6, "2N", apparent_factor=0.95),
        model.Level("transformer", 0.95 * 2500e3, "2N", apparent_factor=0.95),
        model.Level("ups", 1250e3, "2N"),
        model.Level("busway", 800e3, "2N"),
    ]
    assert placeless(power.feed) == model.RackFeed(415.0, 3, 0.8)
    assert placeless(power.workload) == model.Workload(0.6, 2.0, 0.7, 0.5)
    assert [placeless(one) for one in power.batteries] == [
        model.BatteryBanks(
            "megapacks", "tesla-megapack-2xl-4h", "substation", 150.0, redundancy="N+1", ride_through_s=300.0
        )
    ]
    assert (power.cooling_mw, power.path) == (None, ("power",))


def test_power_knows_its_lines():
    text = source(WHOLE)
    power = load(text, KINDS)[0].power
    nouns = [*power.sources, *power.levels, power.feed, power.workload, *power.batteries]
    starts = ["{name: mlgw-1", "{name: turbines", "{kind: substation", "{kind: transformer", "{kind: ups"]
    starts += ["{kind: busway", "{volts", "{swing", "{name: megapacks"]
    for noun, start in zip(nouns, starts, strict=True):
        line, column = text.place(noun.path)
        assert text.lines[line - 1][column - 1 :].startswith(start)


def test_what_a_stage_needs_is_kept_and_a_stage_without_needs_has_none():
    first, second = spec(WHOLE).stages
    assert first.needs == model.Needs(("mlgw-1",), ("h1",), 1, ("stages", 0, "needs"))
    assert second.needs == model.Needs(permits=("turbines",), path=("stages", 1, "needs"))
    assert spec(WHOLE.replace(", needs: {permits: [turbines]}", "")).stages[1].needs is None


@pytest.mark.parametrize(
    ("key", "noun"),
    [
        ("redundancy: N", model.Power()),
        ("cooling_mw: 0", model.Power(cooling_mw=0.0)),
        (
            "levels: [{kind: ups, rating_mw: 1.25}]",
            model.Power(levels=(model.Level("ups", 1.25e6, "2N", path=("power", "levels", 0)),)),
        ),
        (
            "feed: {volts: 240, phases: 1, amps: 63, circuits: 4}",
            model.Power(feed=model.RackFeed(240.0, 1, 0.8, 63.0, 4, ("power", "feed"))),
        ),
    ],
)
def test_power_may_have_a_few_of_its_keys(key, noun):
    assert spec(f"{SMALL}power: {{{key}}}\n").power == replace(noun, path=("power",))


def test_a_level_has_its_own_redundancy_efficiency_and_power_factor_or_those_of_the_tree():
    levels = "{kind: transformer, rating_kva: 2500, power_factor: 0.9, efficiency: 0.99, redundancy: N+1}"
    text = (
        f"{SMALL}power: {{redundancy: 4N/3, levels: [{levels}, {{kind: ups, rating_kw: 1250, power_factor: 0.5}}]}}\n"
    )
    assert [placeless(level) for level in spec(text).power.levels] == [
        model.Level("transformer", 2_250_000.0, "N+1", 0.99, 0.9),
        model.Level("ups", 1_250_000.0, "4N/3", 1.0),
    ]


@pytest.mark.parametrize(
    ("date", "right"),
    [
        ('"2025-05-01"', True),
        ("2025-05-01", True),
        ("2024-02-29", True),
        ("2000-02-29", True),
        ("2025-02-29", False),
        ("2100-02-29", False),
        ("1900-02-29", False),
        ("2025-04-31", False),
        ("2025-13-01", False),
        ("2025-5-1", False),
        ("2025-05", False),
        ('"2025-05-01\\n"', False),
    ],
)
def test_a_date_is_a_day_of_the_calendar(date, right):
    one = f"{{name: a, kind: utility, capacity_mw: 1, permit: granted, in_service: {date}}}"
    text = f"{SMALL}power: {{sources: [{one}]}}\n"
    if right:
        assert spec(text).power.sources[0].in_service == date.strip('"')
    else:
        assert {code for code, _ in findings(text)} <= {"S206", "S112"}


BANKS = "power: {levels: [{kind: ups, rating_kw: 1250}], batteries: [{name: b, product: p, attach: ups"


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ("", ["S316"]),
        (", ride_through_s: 0", ["S316"]),
        (", power_mw: 1", []),
        (", units: 3, banks: 3", []),
        (", ride_through_s: 1", []),
        (", hold_s: 1, soc: 0.1", []),
        (", units: 3, power_mw: 3", ["S207"]),
        (", ride_through_s: 1, soc: 0.2", ["S317"]),
        (", power_mw: 1, soc: 0.2", []),
        (", units: 1, redundancy: 2N", ["S205"]),
        (", units: 1, attach: rpp", ["S305"]),
    ],
)
def test_batteries_have_one_size_or_a_need_that_gives_it(keys, wrong):
    text = SMALL + BANKS.replace(", attach: ups", "" if "attach" in keys else ", attach: ups") + keys + "}]}\n"
    assert ([code for code, _ in findings(text)] if wrong else []) == wrong
    assert wrong or spec(text)


def test_a_ramp_limit_is_a_need_that_sizes_batteries():
    limit = "}], workload: {swing: 0.6, period_s: 2, duty: 0.7, ramp_limit_mw_per_s: 0.5}}\n"
    banks = spec(SMALL + BANKS + limit).power.batteries[0]
    assert (banks.power_mw, banks.units, banks.banks, banks.soc) == (None, None, 1, 1.0)
    assert findings((SMALL + BANKS + limit).replace(", ramp_limit_mw_per_s: 0.5", "")) == [("S316", 11)]


@pytest.mark.parametrize(("needed", "wrong"), [(0, []), (3, []), (4, [("S315", 12)])])
def test_a_stage_needs_no_more_banks_than_all_batteries_have(needed, wrong):
    more = ", units: 4, banks: 2}, {name: c, product: p, attach: ups, units: 1}]}\n"
    text = f"{SMALL}{BANKS}{more}stages: [{{name: s, add: {{h100: {{racks: 32}}}}, needs: {{banks: {needed}}}}}]\n"
    assert (findings(text) if wrong else []) == wrong
    assert wrong or spec(text)


def test_every_slurm_cluster_has_a_default_partition_when_none_is_written():
    text = WHOLE[: WHOLE.index("  partitions:")] + WHOLE[WHOLE.index("  clusters:") :]
    assert [(one.name, one.compute, one.default) for one in spec(text).slurm.partitions] == [
        ("h100", ("h100",), True),
        ("gb300", ("gb300",), True),
    ]


def test_the_groups_of_one_slurm_cluster_share_one_default_partition():
    text = WHOLE[: WHOLE.index("slurm:")]
    assert [(one.name, one.default) for one in spec(text).slurm.partitions] == [("h100", True), ("gb300", False)]


def test_a_key_without_effect_is_a_note_at_its_key_and_nothing_else_is():
    _, notes = load(source(WHOLE), KINDS)
    assert {note.severity for note in notes} == {Severity.NOTE}
    lines = WHOLE.split("\n")
    assert [lines[note.line - 1][note.column - 1 :].split(":")[0] for note in notes] == [
        "price_book",
    ]
    assert load(source(SMALL), KINDS)[1] == ()


def test_a_count_written_as_8_0_is_8():
    text = SMALL.replace("racks: 32", "racks: 32.0").replace("400}", "4e2}")
    assert spec(text) == spec(SMALL)
    assert type(spec(text).compute[0].count.value) is int
    assert type(spec(text.replace("1.25", "2")).site.pue) is float


def shuffled(value):
    """The value with the keys of every mapping the other way round."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def test_the_order_of_keys_means_nothing():
    text = json.dumps(shuffled(source(WHOLE).data))
    assert spec(text) == spec(WHOLE)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_change_nothing(end):
    marked = YamlSource.parse("spec.yaml", b"\xef\xbb\xbf" + WHOLE.replace("\n", end).encode())
    assert load(marked, KINDS) == load(source(WHOLE), KINDS)


def test_all_findings_of_a_step_come_at_once_in_reading_order():
    text = SMALL.replace("rows: 10", "rows: 0").replace("pue: 1.25", "pue: 9").replace("port_gbps: 400", "port: 1")
    assert findings(text) == [("S204", 3), ("S204", 5), ("S201", 10)]


def test_a_later_step_waits_for_an_earlier_one():
    twice = SMALL.replace("name: h2", "name: h1")
    assert findings(twice) == [("S306", 6)]
    assert findings(twice.replace("rows: 4", "rows: 0")) == [("S204", 6)]
    assert findings(twice.replace("version: 1", "version: 3")) == [("S208", 1)]
    assert findings(twice.replace("version: 1", "version: 3\npassword: x")) == [("S001", 2)]


@pytest.mark.parametrize("gpus", [1, 8, 1_000_000, 1_000_001, 4_000_000])
def test_one_gpu_and_four_million_are_within_the_language(gpus):
    assert spec(SMALL.replace("racks: 32", f"gpus: {gpus}")).compute[0].count.value == gpus


@pytest.mark.parametrize("gpus", [0, -1, 4_000_001, 10**20])
def test_more_or_fewer_gpus_are_refused_with_the_limit(gpus):
    with pytest.raises(FindingsError) as error:
        spec(SMALL.replace("racks: 32", f"gpus: {gpus}"))
    assert error.value.findings[0].help == "write a whole number of GPUs, 1 to 4,000,000"


HOSTILE = ["h1\n", "h1\r", "h 1", "h#1", "h\\1", "h=1", "h,1", "h[1", "h]1", 'h"1', "h'1", "h;1", "$(x)", "`x`"]
HOSTILE += ["..", ".", "/etc/x", "a/b", "C:\\x", "-h", "h-", "h.", "h_1", "H1", "1h", "é", "h\u0430", "x" * 300, ""]
HOSTILE += ["{hall}", "{{x}}", "<b>", "@team", "=1+1", "+h", "h|x", "#1", "::error::x", "%0A", "h\u00ad1"]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("key", ["demo", "lab", "h2", "h100", "compute"])
def test_a_name_is_a_short_lower_case_word(key, name):
    text = SMALL.replace(f"name: {key}", f"name: {json.dumps(name)}")
    assert {code for code, _ in findings(text)} <= {"S206", "S209", "S112"}


@pytest.mark.parametrize("name", ["con", "prn", "aux", "nul", "com0", "com9", "lpt1"])
def test_a_name_is_no_device_of_windows(name):
    assert findings(SMALL.replace("name: h2", f"name: {name}")) == [("S307", 6)]


@pytest.mark.parametrize(
    "path", ["/abs", "../up", "a/../../b", "a/..", "~/x", "C:\\x", "a\\b", "https://h/x", "", "a//b"]
)
def test_a_path_stays_in_the_folder_of_the_spec(path):
    assert findings(SMALL.replace("name: demo", f"name: demo\ncatalog: {json.dumps(path)}")) == [("S313", 3)]


@pytest.mark.parametrize("path", ["catalog", "catalog/", "own/catalog.d", "./x", "a..b/..c"])
def test_a_path_inside_the_folder_is_kept(path):
    assert spec(SMALL.replace("name: demo", f"name: demo\ncatalog: {path}")).catalog == path


@pytest.mark.parametrize(
    ("rack", "node"),
    [
        ("{hall}r{rack:04}", "{rack}n{node:02}"),
        ("{hall}-{row}-{position}", "{rack}-{node}"),
        ("{hall}{row:02}{position:02}", "{rack}{node:02}"),
        ("x{rack}{hall}", "n{node}{rack}"),
        ("{row}{hall}p{position}", "{rack}n{node}"),
    ],
)
def test_a_format_that_tells_racks_and_nodes_apart_is_kept(rack, node):
    text = SMALL.replace("name: demo", f'name: demo\nnames: {{rack: "{rack}", node: "{node}"}}')
    assert spec(text).names == model.Names(rack, node)


@pytest.mark.parametrize(
    "rack",
    [
        *("{hall}{rack}", "{row}{position}", "{hall}-{row}", "r{rack:04}", "{hall}1{rack}", "{hall}{row:02}{position}"),
        *("{hall}r{rack:02}", "{hall}r{rack:4}", "{hall}r{rack:>4}", "{hall}r{rack!s}", "{hall.name}{rack:04}"),
        *("{hall[0]}r{rack:04}", "{}r{rack:04}", "{0}r{rack:04}", "{hall}r{rack:04", "hall}r{rack:04}", "{{hall}}"),
        *("{hall}_{rack:04}", "{hall} {rack:04}", "{hall}R{rack:04}", "{hall}.{rack:04}", "-{hall}r{rack:04}"),
        *("{hall}r{rack:04}-", "{hall}r{rack:04}r{rack:04}", "{node}{hall}r{rack:04}", "{hall:04}r{rack:04}"),
        *("{hall}r{rack:09}" + "x" * 60, "{hall}r{rack:04}\n"),
    ],
)
def test_a_format_that_does_not_is_refused(rack):
    text = SMALL.replace("name: demo", f"name: demo\nnames: {{rack: {json.dumps(rack)}}}")
    assert {code for code, _ in findings(text)} <= {"S312", "S209"}


def test_a_hall_too_large_for_the_default_names_is_found_at_the_halls():
    assert findings(SMALL.replace("rows: 10, positions: 48", "rows: 300, positions: 48")) == [("S312", 5)]


CORE = "  - {name: core, kind: core, joins: [compute], switch: nvidia-qm9700, port_gbps: 400}\n"
ISLANDS = SMALL.replace("port_gbps: 400}", "port_gbps: 400, islands: {units: 2}}")


def test_a_core_joins_islands():
    assert spec(ISLANDS + CORE).fabrics[1].protocol == "infiniband"
    assert findings(ISLANDS) == [("S333", 10)]
    assert findings(SMALL + CORE) == [("S333", 11)]
    assert findings(ISLANDS + CORE + CORE.replace("core,", "top,", 1)) == [("S333", 12)]
    assert findings(ISLANDS + CORE.replace("port_gbps", "protocol: roce, port_gbps")) == [("S334", 11)]


@pytest.mark.parametrize("key", ["planes: 1", "tiers: auto", "uplink_gbps: 400", "leaf_sharing: none", "pod_units: 1"])
def test_a_core_has_no_keys_of_a_tree_not_even_with_their_default(key):
    assert findings(ISLANDS + CORE.replace("port_gbps", f"{key}, port_gbps")) == [("S335", 11)]


def test_fabrics_of_different_roles_may_share_a_group():
    storage = SMALL.splitlines(keepends=True)[-1].replace("name: compute", "name: st, connects: storage")
    assert len(spec(SMALL + storage).fabrics) == 2
    assert findings(SMALL + storage + storage.replace("name: st", "name: sto")) == [("S332", 12)]


@pytest.mark.parametrize(
    ("adds", "wrong"),
    [
        ("{racks: 16} {racks: 16}", []),
        ("{racks: 16} {racks: 17}", [("S321", 13)]),
        ("{racks: 32} {racks: 1} {racks: 1}", [("S321", 13)]),
        ("{racks: 33}", [("S321", 12)]),
        ("{gpus: 1024}", []),
        ("{gpus: 1025}", [("S352", 12)]),  # another kind of count: what a rack holds decides
        ("{units: 33}", [("S353", 12)]),
    ],
)
def test_stages_add_up_to_the_group(adds, wrong):
    stages = [
        f"  - {{name: s{i}, add: {{h100: {add}}}}}\n" for i, add in enumerate(adds.replace("} ", "};").split(";"))
    ]
    read = source(f"{SMALL}stages:\n{''.join(stages)}")
    made, _ = load(read, KINDS)
    try:
        size_groups(made, load_catalog())
        found = []
    except FindingsError as error:
        found = read.locate(error.findings)
    assert [(finding.code, finding.line) for finding in found] == wrong


def test_a_group_that_no_stage_adds_is_a_warning():
    more = SMALL.replace("fabrics:", "  - {name: b200, rack: nvidia-dgx-b200-x4, racks: 8}\nfabrics:")
    _, notes = load(source(f"{more}stages: [{{name: s1, add: {{h100: {{racks: 32}}}}}}]\n"), KINDS)
    assert [(note.code, note.severity, note.line) for note in notes] == [("S322", Severity.WARNING, 9)]


def test_a_kind_is_one_that_the_program_has():
    text = SMALL.replace("kind: fat-tree", "kind: slim-fly")
    assert findings(text) == [("S331", 10)]
    assert load(source(text), {**KINDS, "slim-fly": KINDS["fat-tree"]})[0].fabrics[0].kind == "slim-fly"


# The schema is the manual: what it says must be complete, and true.


def rules(rule=SCHEMA, at="$"):
    """(place, rule) of every rule of the schema."""
    yield at, rule
    for name, inner in rule.get("properties", {}).items():
        yield from rules(inner, f"{at}.{name}")
    for name, inner in rule.get("$defs", {}).items():
        yield from rules(inner, f"{at}.$defs.{name}")
    for i, inner in enumerate(rule.get("oneOf", ())):
        yield from rules(inner, f"{at}.oneOf[{i}]")
    for key in ("items", "additionalProperties"):
        if isinstance(rule.get(key), dict):
            yield from rules(rule[key], f"{at}.{key}")


RULES = dict(rules())
TYPED = {at: rule for at, rule in RULES.items() if "type" in rule}


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("at", [at for at, rule in RULES.items() if "properties" in rule])
def test_every_property_is_described_and_has_a_default_or_an_example(at):
    assert RULES[at]["additionalProperties"] is False
    for key, rule in RULES[at]["properties"].items():
        whole = resolve(rule)
        assert rule.get("description"), key
        assert {"default", "examples", "const"} & whole.keys(), key


@pytest.mark.parametrize("at", TYPED)
def test_every_value_has_bounds_and_a_hint(at):
    rule = TYPED[at]
    bounds = {
        "string": {"pattern"} if "pattern" in rule else {"minLength", "maxLength"},
        "integer": {"minimum", "maximum"},
        "number": {"maximum", "exclusiveMinimum" if "exclusiveMinimum" in rule else "minimum"},
        "array": {"items", "maxItems"},
        "object": {"additionalProperties"},
        "boolean": set(),
    }[rule["type"]]
    assert bounds <= rule.keys()
    assert "x-hint" in rule or at == "$"


@pytest.mark.parametrize("at", [at for at, rule in RULES.items() if "default" in rule or "examples" in rule])
def test_defaults_and_examples_are_valid(at):
    rule = RULES[at]
    validator = jsonschema.Draft202012Validator({**rule, "$defs": SCHEMA["$defs"]})
    for value in [*rule.get("examples", ()), *([rule["default"]] if "default" in rule else [])]:
        validator.validate(value)


def test_every_keyword_of_the_schema_has_words():
    silent = {"$schema", "$id", "$defs", "$ref", "title", "description", "properties", "items", "default", "examples"}
    silent |= {"x-hint", "x-one-of", "x-code"}
    assert {keyword for rule in RULES.values() for keyword in rule} - silent <= KEYWORDS.keys()


def test_a_pattern_does_not_let_a_trailing_line_end_through():
    patterns = [rule["pattern"] for rule in RULES.values() if "pattern" in rule]
    assert all(pattern.startswith("^") and pattern.endswith(r"$(?!\n)") for pattern in patterns)


@pytest.mark.parametrize(
    ("definition", "noun"),
    [
        ("names", model.Names),
        ("rack_limit", model.RackLimit),
        ("place", model.Place),
        ("partition", model.Partition),
        ("slurm", model.Slurm),
        ("group", model.ComputeGroup),
        ("power_source", model.PowerSource),
        ("power_level", model.Level),
        ("feed", model.RackFeed),
        ("workload", model.Workload),
        ("battery", model.BatteryBanks),
    ],
)
def test_the_schema_and_the_model_agree_on_defaults(definition, noun):
    said = {key: resolve(rule).get("default") for key, rule in SCHEMA["$defs"][definition]["properties"].items()}
    for field in fields(noun):
        if field.default is not MISSING and field.name in said:
            promised = said[field.name]
            assert (tuple(promised) if isinstance(promised, list) else promised) == field.default, field.name


def test_filling_in_defaults_twice_is_filling_them_in_once():
    filled = with_defaults(source(WHOLE).data)
    assert with_defaults(filled) == filled


# Whatever a spec says, it is a ClusterSpec or a list of findings.

SCALARS = st.sampled_from(
    [None, True, -1, 0, 1, 8, 10**20, 0.5, "", "x", "h1", "h100", "core", "compute", "auto", "{rack}"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)


def places(value, path=()):
    """Path of every value in the data."""
    yield path
    for step, item in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from places(item, (*path, step))


PLACES = [path for path in places(source(WHOLE).data) if path]


@settings(deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), VALUES | st.just(...)), min_size=1, max_size=3))
def test_whatever_a_spec_says_it_is_a_spec_or_findings_with_places(changes):
    data = copy.deepcopy(source(WHOLE).data)
    for path, value in changes:
        parent = data
        for step in path[:-1]:
            inside = isinstance(parent, dict) and step in parent
            inside |= isinstance(parent, list) and isinstance(step, int) and step < len(parent)
            parent = parent[step] if inside else None
        if value is ... and isinstance(parent, dict):
            parent.pop(path[-1], None)
        elif isinstance(parent, dict) or (
            isinstance(parent, list) and isinstance(path[-1], int) and path[-1] < len(parent)
        ):
            parent[path[-1]] = None if value is ... else value
    wrong = said(json.dumps(data))
    assert all(finding.line and finding.message and finding.because for finding in wrong)


def said(text):
    """Findings of a spec, none when there is nothing wrong."""
    try:
        return load(source(text), KINDS)[1]
    except FindingsError as error:
        return error.findings
