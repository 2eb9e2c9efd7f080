"""Kinds of change that a reviewer has to judge, and what each is on every site: lines that take the place of others.

What an author knows of a change and two plans do not tell stands beside it: which name took the place of which, whether
racks were carried elsewhere, and whether what is named by its turn in the spec has to be told by its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "sites"
SPEC = "cluster.yaml"
SITES = ("rails", "islands", "dragonfly")
Edit = tuple[str, str]  # a text that stands once in the file, and what takes its place
Files = Mapping[str, str]  # text by path, below the folder of the spec


@dataclass(frozen=True, slots=True)
class Change:
    """What is edited on each site."""

    edits: Mapping[str, tuple[Edit, ...]]  # by site, of the spec
    catalog: Mapping[str, tuple[str, Edit]] = field(default_factory=dict)  # by site: a file of the catalogue, its edit
    halls: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by site: new names of halls by old ones
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # likewise of groups
    carried: bool = False  # racks stand elsewhere, and are the same
    by_place: bool = False  # units, and switches named after them, change their numbers: they are told by their place
    base: bool = True  # whether the site was there before
    head: bool = True  # whether it is there afterwards


def files(site: str, change: Change | None = None) -> dict[str, str]:
    """The files of a site, with a change made."""
    folder = FOLDER / site
    texts = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.yaml"))}
    if change is not None:
        for edit in change.edits.get(site, ()):
            texts[SPEC] = _edited(texts[SPEC], edit)
        if site in change.catalog:
            path, edit = change.catalog[site]
            texts[path] = _edited(texts[path], edit)
    return texts


def _edited(text: str, edit: Edit) -> str:
    old, new = edit
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def alike(*edits: Edit) -> dict[str, tuple[Edit, ...]]:
    """The same edits on every site."""
    return dict.fromkeys(SITES, edits)


CHANGES: Mapping[str, Change] = {
    "hall-added": Change(
        {
            "rails": (
                ("origin_m: [60, 0]}\n", "origin_m: [60, 0]}\n  - {name: h4, rows: 2, positions: 8, network_rows: [2], origin_m: [0, 30]}\n"),
                ("halls: [h1]}\n\nfabrics", "halls: [h1]}\n  - {name: lab, rack: nvidia-dgx-h100-x2, racks: 4, unit_racks: 2, halls: [h4]}\n\nfabrics"),
                ("  - name: lan\n", "  - {name: labnet, kind: fat-tree, protocol: roce, compute: [lab], switch: nvidia-sn5600, port_gbps: 400}\n  - name: lan\n"),
                ("{dgx: {units: 2}}, needs", "{dgx: {units: 2}, lab: {racks: 4}}, needs"),
            ),
            "islands": (
                ("origin_m: [90, 0]}\n", "origin_m: [90, 0]}\n  - {name: h5, rows: 2, positions: 14, network_rows: [2], origin_m: [0, 30]}\n"),
                ("halls: [h4]}\n\nfabrics", "halls: [h4]}\n  - {name: b200, rack: nvidia-dgx-b200-x2, units: 2, unit_racks: 4, halls: [h5]}\n\nfabrics"),
                ("  - {name: core,", "  - {name: blackwell, kind: fat-tree, protocol: roce, compute: [b200], switch: nvidia-sn5600, port_gbps: 400}\n  - {name: core,"),
                ("{nvl: {units: 2}}, needs", "{nvl: {units: 2}, b200: {units: 2}}, needs"),
                ("compute: [hgx]}\n    - {name: racks", "compute: [hgx, b200]}\n    - {name: racks"),
            ),
            "dragonfly": (
                ("origin_m: [0, 30]}\n", "origin_m: [0, 30]}\n  - {name: south, rows: 2, positions: 8, network_rows: [2], origin_m: [30, 30]}\n"),
                ("[east-01-01-s1]}\n", "[east-01-01-s1]}\n  - {name: dev, rack: lab-box-x2, units: 2, unit_racks: 2, halls: [south]}\n"),
                ("    kind: dragonfly-plus\n", "    kind: dragonfly-plus\n    compute: [train]\n"),
                ("  - name: oob\n", "  - {name: lan, kind: fat-tree, protocol: roce, compute: [dev], switch: nvidia-sn5600, port_gbps: 400}\n  - name: oob\n"),
                ("    connects: oob\n", "    connects: oob\n    compute: [train]\n"),
                ("{units: 1}}, needs: {permits: [grid, cells]", "{units: 1}, dev: {units: 2}}, needs: {permits: [grid, cells]"),
            ),
        },
    ),
    "stage-added": Change(
        {
            "rails": (
                ("lab-dgx-x4, units: 4", "lab-dgx-x4, units: 5"),
                ("\nslurm:", "  - {name: s3, add: {dgx: {units: 1}}, needs: {permits: [grid, turbines], banks: 2}}\n\nslurm:"),
            ),
            "islands": (
                ("lab-gb200-nvl72, units: 3", "lab-gb200-nvl72, units: 4"),
                ("\nslurm:", "  - {name: s4, add: {nvl: {units: 1}}, needs: {permits: [grid, engines], banks: 3}}\n\nslurm:"),
            ),
            "dragonfly": (
                ("lab-box-x4, units: 4", "lab-box-x4, units: 5"),
                ("\nslurm:", "  - {name: s4, add: {train: {units: 1}}, needs: {permits: [grid, cells], banks: 2}}\n\nslurm:"),
            ),
        },
    ),
    "stage-removed": Change(
        {
            "rails": (
                ("lab-dgx-x4, units: 4", "lab-dgx-x4, units: 2"),
                ("  - {name: s2, add: {dgx: {units: 2}}, needs: {permits: [grid, turbines], banks: 2}}\n", ""),
            ),
            "islands": (
                ("lab-gb200-nvl72, units: 3", "lab-gb200-nvl72, units: 1"),
                ("  - {name: s3, add: {nvl: {units: 2}}, needs: {permits: [grid, engines], banks: 3}}\n", ""),
            ),
            "dragonfly": (
                ("lab-box-x4, units: 4", "lab-box-x4, units: 3"),
                ("  - {name: s3, add: {train: {units: 1}}, needs: {permits: [grid, cells], banks: 2}}\n", ""),
            ),
        },
    ),
    "group-grown": Change(
        {
            "rails": (("lab-dgx-x4, units: 4", "lab-dgx-x4, units: 6"), ("{dgx: {units: 2}}, needs", "{dgx: {units: 4}}, needs")),
            "islands": (("h200-x4, units: 4", "h200-x4, units: 6"), ("s2, add: {hgx: {units: 2}", "s2, add: {hgx: {units: 4}")),
            "dragonfly": (("lab-box-x4, units: 4", "lab-box-x4, units: 6"), ("{units: 1}}, needs: {permits: [grid, cells]", "{units: 3}}, needs: {permits: [grid, cells]")),
        },
    ),
    "group-outgrown": Change(
        {
            "rails": (
                ("origin_m: [60, 0]}\n", "origin_m: [60, 0]}\n  - {name: h4, rows: 4, positions: 12, network_rows: [3], origin_m: [90, 0]}\n  - {name: h5, rows: 4, positions: 12, network_rows: [3], origin_m: [120, 0]}\n"),
                ("halls: [h1, h2, h3]", "halls: [h1, h2, h3, h4, h5]"),
                ("lab-dgx-x4, units: 4", "lab-dgx-x4, units: 9"),
                ("sized_for: {units: 6}\n    managers", "sized_for: {units: 9}\n    managers"),
                ("{dgx: {units: 2}}, needs", "{dgx: {units: 7}}, needs"),
                ("capacity_mw: 1.2", "capacity_mw: 2.4"),
            ),
            "islands": (
                ("nvl72, units: 3", "nvl72, units: 5"),
                ("    sized_for: {units: 4}\n", "    sized_for: {units: 6}\n"),
                ("rows: 4, positions: 14, network_rows: [4]", "rows: 6, positions: 14, network_rows: [4]"),
                ("s3, add: {nvl: {units: 2}}", "s3, add: {nvl: {units: 4}}"),
            ),
            "dragonfly": (
                ("origin_m: [0, 30]}\n", "origin_m: [0, 30]}\n  - {name: south, rows: 4, positions: 12, network_rows: [3], origin_m: [30, 30]}\n"),
                ("halls: [east, west, north]", "halls: [east, west, north, south]"),
                ("lab-box-x4, units: 4", "lab-box-x4, units: 8"),
                ("    groups: 6\n    sized_for: {units: 6}\n", "    groups: 8\n    sized_for: {units: 8}\n"),
                ("    uplink_gbps: 100\n    oversubscription: {leaf: 1}\n    sized_for: {units: 6}\n", "    uplink_gbps: 100\n    oversubscription: {leaf: 1}\n    sized_for: {units: 8}\n"),
                ("{units: 1}}, needs: {permits: [grid, cells]", "{units: 5}}, needs: {permits: [grid, cells]"),
            ),
        },
    ),
    "group-shrunk": Change(
        {
            "rails": (("racks: 4, unit_racks", "racks: 2, unit_racks"), ("dev: {racks: 4}", "dev: {racks: 2}")),
            "islands": (("h200-x4, units: 4", "h200-x4, units: 3"), ("s2, add: {hgx: {units: 2}", "s2, add: {hgx: {units: 1}")),
            "dragonfly": (("lab-box-x4, units: 4", "lab-box-x4, units: 3"), ("s1, add: {train: {units: 2}}", "s1, add: {train: {units: 1}}")),
        },
    ),
    "switch-replaced": Change(
        {
            "rails": (("switch: nvidia-sn5600", "switch: nvidia-sn5610"),),
            "islands": (("compute: [nvl]\n    switch: nvidia-sn5600", "compute: [nvl]\n    switch: nvidia-sn5610"),),
            "dragonfly": (("switch: nvidia-qm9700", "switch: nvidia-qm9790"),),
        },
    ),
    "racks-replaced": Change(
        {
            "rails": (("rack: lab-dgx-x4", "rack: nvidia-dgx-h200-x4"),),
            "islands": (("rack: lab-gb200-nvl72", "rack: nvidia-gb300-nvl72"),),
            "dragonfly": (("rack: lab-box-x4", "rack: nvidia-dgx-h200-x4"),),
        },
    ),
    "network-changed": Change(  # another protocol, another rate of ports or of uplinks
        {
            "rails": (("protocol: roce\n    compute: [dev]\n    switch: nvidia-sn5600", "protocol: infiniband\n    compute: [dev]\n    switch: nvidia-qm9700"),),
            "islands": (("compute: [nvl]\n    switch: nvidia-sn5600\n    port_gbps: 400\n", "compute: [nvl]\n    switch: nvidia-sn5600\n    port_gbps: 400\n    uplink_gbps: 800\n"),),
            "dragonfly": (("    port_gbps: 400\n", "    port_gbps: 400\n    uplink_gbps: 200\n"),),
        },
    ),
    "oversubscription-changed": Change(
        {
            "rails": (("    port_gbps: 400\n    sized_for: {units: 6}\n    managers", "    port_gbps: 400\n    oversubscription: 2\n    sized_for: {units: 6}\n    managers"),),
            "islands": (("port_gbps: 800, oversubscription: 4", "port_gbps: 800, oversubscription: 2"),),
            "dragonfly": (("oversubscription: 2", "oversubscription: 1"),),
        },
    ),
    "level-removed": Change(
        {
            "rails": (("    - {kind: switchgear, rating_kw: 600, redundancy: N+1}\n", ""),),
            "islands": (("    - {kind: ups, rating_kw: 500, redundancy: N+1, efficiency: 0.97}\n", ""), ("attach: ups", "attach: busway")),
            "dragonfly": (("    - {kind: ups, rating_kw: 240, redundancy: 4N/3, efficiency: 0.96}\n", ""),),
        },
    ),
    "redundancy-given-up": Change(
        {
            "rails": (("redundancy: 2N", "redundancy: N"),),
            "islands": (("redundancy: 2N", "redundancy: N"),),
            "dragonfly": (("redundancy: 4N/3", "redundancy: N+1"), ("redundancy: 2N", "redundancy: N")),
        },
    ),
    "rating-changed": Change(
        {
            "rails": (("rating_kva: 500", "rating_kva: 300"),),
            "islands": (("rating_kva: 1000", "rating_kva: 2500"),),
            "dragonfly": (("rating_kw: 240", "rating_kw: 180"),),
        },
    ),
    "halls-swapped": Change(
        {
            "rails": (("halls: [h1, h2, h3]", "halls: [h2, h1, h3]"),),
            "islands": (("halls: [h1, h2, h3]", "halls: [h2, h1, h3]"),),
            "dragonfly": (("halls: [east, west, north]", "halls: [west, east, north]"),),
        },
        by_place=True,
    ),
    "group-moved": Change(
        {
            "rails": (("unit_racks: 2, halls: [h1]}", "unit_racks: 2, halls: [h3]}"),),
            "islands": (("origin_m: [90, 0]}\n", "origin_m: [90, 0]}\n  - {name: h5, rows: 4, positions: 14, network_rows: [4], origin_m: [0, 30]}\n"), ("halls: [h4]}", "halls: [h5]}")),
            "dragonfly": (("halls: [east, west, north]", "halls: [east, north]"), ("units_per_hall: 2", "units_per_hall: 3"), ),
        },
        carried=True,
    ),
    "names-changed": Change(
        {
            "rails": (
                ("{name: h2, rows", "{name: annex, rows"), ("halls: [h1, h2, h3]", "halls: [h1, annex, h3]"),
                ("{name: train, compute", "{name: big, compute"),
            ),
            "islands": (
                ("{name: hgx, rack", "{name: hopper, rack"),
                ("    compute: [hgx]\n    switch: nvidia-sn5600\n    port_gbps: 400\n    leaf", "    compute: [hopper]\n    switch: nvidia-sn5600\n    port_gbps: 400\n    leaf"),
                ("connects: storage\n    compute: [hgx]", "connects: storage\n    compute: [hopper]"),
                ("s1, add: {hgx", "s1, add: {hopper"), ("s2, add: {hgx", "s2, add: {hopper"),
                ("{name: boxes, compute: [hgx]", "{name: boxes, compute: [hopper]"), ("{name: train, compute: [hgx]", "{name: train, compute: [hopper]"),
            ),
            "dragonfly": (
                ("{name: east, rows", "{name: orient, rows"), ("halls: [east,", "halls: [orient,"), ("[east-01-01-s1]", "[orient-01-01-s1]"),
                ("{name: all, compute", "{name: everyone, compute"),
            ),
        },
        halls={"rails": {"h2": "annex"}, "dragonfly": {"east": "orient"}},
        groups={"islands": {"hgx": "hopper"}},
    ),
    "limit-changed": Change(
        {
            "rails": (("max_time: 7-00:00:00", "max_time: 2-00:00:00"),),
            "islands": (("max_time: 7-00:00:00", "max_time: 2-00:00:00"),),
            "dragonfly": (("max_time: 2-00:00:00", "max_time: 7-00:00:00"),),
        },
    ),
    "nodes-renamed": Change(
        {
            "rails": (("\nhalls:\n", '\nnames: {node: "{rack}s{node:02}"}\n\nhalls:\n'), ("without: [h1r0001n01]", "without: [h1r0001s01]")),
            "islands": (("\nhalls:\n", '\nnames: {node: "gpu-{rack}-{node:02}"}\n\nhalls:\n'),),
            "dragonfly": (('node: "{rack}-s{node}"', 'node: "{rack}-n{node}"'), ("[east-01-01-s1]", "[east-01-01-n1]")),
        },
    ),
    "catalogue-changed": Change(
        {},
        catalog={
            "rails": ("catalog/racks/lab-dgx-x4.yaml", ("power_w: {maximum: 40800}", "power_w: {maximum: 44000}")),
            "islands": ("catalog/racks/lab-gb200-nvl72.yaml", ("power_w: {maximum: 132000}", "power_w: {maximum: 135200}")),
            "dragonfly": ("catalog/racks/lab-box-x4.yaml", ("power_w: {maximum: 36000}", "power_w: {maximum: 39200}")),
        },
    ),
    "banks-given-up": Change(
        {
            "rails": (("units: 6, banks: 2", "units: 4, banks: 2"),),
            "islands": (("    - {name: bridge, product: tesla-megapack-2xl-2h, attach: ups, units: 4, hold_s: 300}\n", ""), ("s3, add: {nvl: {units: 2}}, needs: {permits: [grid, engines], banks: 3}", "s3, add: {nvl: {units: 2}}, needs: {permits: [grid, engines], banks: 2}")),
            "dragonfly": (("units: 4, banks: 2", "units: 2, banks: 1"), ("s2, add: {train: {units: 1}}, needs: {permits: [grid], banks: 2}", "s2, add: {train: {units: 1}}, needs: {permits: [grid], banks: 1}"), ("cells], banks: 2", "cells], banks: 1")),
        },
    ),
    "permit-withdrawn": Change(
        {
            "rails": (("unit_mw: 0.3, permit: granted", "unit_mw: 0.3, permit: pending"),),
            "islands": (("unit_mw: 0.5, permit: granted", "unit_mw: 0.5, permit: pending"),),
            "dragonfly": (("unit_mw: 0.1, permit: granted", "unit_mw: 0.1, permit: pending"),),
        },
    ),
    "site-removed": Change({}, head=False),
    "site-added": Change({}, base=False),
    "comment-added": Change(alike(("version: 1\n", "version: 1 # of the language\n# and a line more\n"))),
    "keys-reordered": Change(
        {
            "rails": (("site: {name: lab, pue: 1.25}", "site: {pue: 1.25, name: lab}"), ("{kind: busway, rating_kw: 250, redundancy: 2N}", "{redundancy: 2N, rating_kw: 250, kind: busway}"), ("{name: train, compute: [dgx], default: true, max_time: 7-00:00:00}", "{max_time: 7-00:00:00, default: true, compute: [dgx], name: train}")),
            "islands": (("site: {name: lab, pue: 1.2}", "site: {pue: 1.2, name: lab}"), ("{kind: busway, rating_kw: 800, redundancy: 2N}", "{redundancy: 2N, rating_kw: 800, kind: busway}")),
            "dragonfly": (("site: {name: lab, pue: 1.3}", "site: {pue: 1.3, name: lab}"), ("{kind: rpp, rating_kw: 200, redundancy: 2N}", "{redundancy: 2N, rating_kw: 200, kind: rpp}")),
        },
    ),
}
