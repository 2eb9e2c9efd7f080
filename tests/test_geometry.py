"""Where racks, halls and battery pads lie, in metres, worked out by hand."""

from strategies import loaded

from topology.catalog.load import load as load_catalog
from topology.diff.delta import Delta
from topology.expand import expand

SITE = {
    "version": 1,
    "name": "two-halls",
    "site": {"name": "here", "pue": 1.2},
    "halls": [
        {"name": "h1", "rows": 3, "positions": 4, "row_pitch_m": 3.0, "position_pitch_m": 0.8, "origin_m": [10, 20]}
        | {"network_rows": [2]},
        {"name": "h2", "rows": 2, "positions": 6, "row_pitch_m": 1.5, "position_pitch_m": 0.6, "origin_m": [-5, 40]},
    ],
    "compute": [
        {"name": "a", "rack": "nvidia-dgx-h100-x4", "racks": 8, "unit_racks": 4, "halls": ["h1"]},
        {"name": "b", "rack": "nvidia-dgx-h100-x4", "racks": 3, "unit_racks": 3, "halls": ["h2"]},
    ],
    "fabrics": [],
    "power": {
        "levels": [{"kind": "busway", "rating_kw": 400, "redundancy": "2N"}],
        "batteries": [
            {"name": "packs", "product": "tesla-megapack-2xl-4h", "attach": "busway", "banks": 2, "units": 7}
        ],
    },
}


def metres(frame, *names):
    """Some columns as rows, to the millimetre."""
    return [tuple(round(value, 3) for value in row) for row in frame.select(names).rows()]


def test_racks_stand_at_the_pitches_of_their_hall_from_its_origin():
    racks = expand(loaded(SITE), load_catalog()).racks
    row_1 = [(10.0, 20.0), (10.8, 20.0), (11.6, 20.0), (12.4, 20.0)]
    row_3 = [(x, 26.0) for x, _ in row_1]
    assert metres(racks, "x_m", "y_m") == [*row_1, *row_3, (-5.0, 40.0), (-4.4, 40.0), (-3.8, 40.0)]


def test_a_floor_reaches_from_its_first_position_to_the_back_of_its_last_row():
    halls = expand(loaded(SITE), load_catalog()).halls
    assert metres(halls, "x_m", "y_m", "length_m", "width_m", "rack_depth_m") == [
        (10.0, 20.0, 3.2, 7.2, 1.2),
        (-5.0, 40.0, 3.6, 2.55, 1.05),  # racks take 0.7 of a pitch of 1.5 m
    ]


def test_pads_stand_south_of_all_halls_and_no_wider_than_these():
    """The halls reach from -5 m to 13.2 m: three units of 1.65 m with 3 m between them are 13.95 m side by side."""
    banks = expand(loaded(SITE), load_catalog()).batteries
    assert metres(banks, "units", "x_m", "y_m", "length_m", "width_m") == [
        (4, -5.0, -23.6, 13.95, 23.6),  # two lines of 8.8 m and 3 m behind them, from 20 m south of the halls
        (3, -5.0, -35.4, 13.95, 11.8),
    ]


def test_a_hall_that_moves_is_one_change_and_its_racks_are_none():
    first, second = SITE["halls"]
    moved = SITE | {"halls": [first, second | {"origin_m": [-5, 50]}]}
    delta = Delta(*(expand(loaded(site), load_catalog()) for site in (SITE, moved)))
    assert {table: diff.changed for table, diff in delta.every().items()} == {"halls": 1}
