"""When a run fails, and with which exit code."""

import json
from pathlib import Path

import pytest

from topology.review.conditions import MEASURES

TEXT = (Path(__file__).parent / "site.yaml").read_text()
OVER = TEXT.replace("    port_gbps: 400\n", "    port_gbps: 400\n    oversubscription: {leaf: 2}\n")
SHORT = TEXT.replace("capacity_mw: 8,", "capacity_mw: 2,").replace("unit_mw: 2.5", "unit_mw: 1")
BROKEN = TEXT.replace("units: 4, unit_racks", "gpus: 1000, unit_racks")


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (TEXT, (), 0),
        (TEXT, ("--exit-code",), 0),
        (f"# a comment\n{TEXT}", ("--exit-code",), 0),
        (OVER, (), 0),
        (OVER, ("--exit-code",), 3),
        (OVER, ("--fail-on", "replug>0"), 1),
        (OVER, ("--fail-on", "replug"), 1),
        (OVER, ("--fail-on", "replug > 1000000"), 0),
        (OVER, ("--fail-on", "new-errors,cables-removed>0", "--exit-code"), 1),
        (OVER, ("--fail-on", "errors", "--fail-on", "replug>=1"), 1),
        (OVER, ("--fail-on", "headroom-mw<100"), 1),
        (OVER, ("--fail-on", "overload,redundancy-lost,feeds-removed,short-mw"), 0),
        (SHORT, (), 1),
        (SHORT, ("--fail-on", "short-mw>1.5"), 1),
        (SHORT, ("--fail-on", "never"), 0),
        (SHORT, ("--fail-on", "never", "--exit-code"), 3),
        (TEXT.replace("redundancy: 2N", "redundancy: N"), ("--fail-on", "redundancy-lost"), 1),
        (BROKEN, (), 1),
        (BROKEN, ("--fail-on", "new-errors"), 1),
        (BROKEN, ("--fail-on", "replug>0"), 0),
        (BROKEN, ("--fail-on", "never", "--exit-code"), 3),
        (TEXT, ("--fail-on", "nonsense"), 2),
        (TEXT, ("--fail-on", "replug>"), 2),
        (TEXT, ("--format", "html"), 2),
        (TEXT, ("--format", "json", "--format", "text"), 2),
        (TEXT, ("--max-chars", "100"), 2),
        (TEXT, ("--format", "text=no/such/folder/x"), 2),
    ],
)
def test_the_exit_code_follows_from_what_changed(reviewed, text, options, code):
    run = reviewed(text, *options)
    assert run.code == code, run.err
    assert code not in {1, 2} or run.err


def test_every_measure_can_be_asked_for(reviewed):
    run = reviewed(OVER, "--format", "json", "--fail-on", ",".join(f"{word}>1000000000" for word in MEASURES))
    assert run.code == 0


def test_a_measure_that_no_chapter_gives_is_not_on_the_list(reviewed):
    given = json.loads(reviewed(OVER, "--format", "json").out.splitlines()[0])["measures"]
    assert set(given) == set(MEASURES)
