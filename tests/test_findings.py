"""Findings as text, JSON, GitHub annotations and SARIF."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topology.findings import Finding, FindingsError, Severity, did_you_mean, shown
from topology.findings_format import as_github, as_json, as_sarif, as_text, totals
from topology.rules import RULES, Rule, by_code, found

LINES = {"cluster.yaml": ("version: 1", "  rows: ten", "# " + "x" * 300 + "y" + "z" * 300)}
FINDING = Finding(
    code="P401",
    message="feed f-03 is over its rating by 30.0 kW",
    path=("halls", 0, "rows"),
    help="raise rating_kw to 830",
    because="each side carries all of 2N",
    count=214,
    examples=("h1r0001", "h1r0002"),
    file="cluster.yaml",
    line=2,
    column=9,
)
NOTE = Finding(
    "S901", "power has no effect yet", ("power",), severity=Severity.NOTE, file="cluster.yaml", line=1, column=1
)
WARNING = replace(NOTE, code="S322", severity=Severity.WARNING)


def test_a_finding_reads_as_a_compiler_prints_it():
    assert (
        as_text([FINDING, NOTE], LINES)
        == """\
error[P401]: feed f-03 is over its rating by 30.0 kW
 --> cluster.yaml:2:9
  |
2 |   rows: ten
  |         ^
  = found: 214 times, such as h1r0001, h1r0002
  = help: raise rating_kw to 830
  = because: each side carries all of 2N

note[S901]: power has no effect yet
 --> cluster.yaml:1:1
  |
1 | version: 1
  | ^

1 error, 1 note
"""
    )


def test_a_finding_without_a_line_or_without_a_file_has_no_excerpt():
    assert as_text([replace(FINDING, line=0, column=0, count=1, examples=())], LINES).startswith(
        "error[P401]: feed f-03 is over its rating by 30.0 kW\n --> cluster.yaml\n  = help"
    )
    assert "-->" not in as_text([Finding("S125", "x")], LINES)
    assert "|" not in as_text([replace(FINDING, file="other.yaml")], LINES)
    assert "|" not in as_text([replace(FINDING, line=99)], LINES)


def test_nothing_to_say_is_no_text():
    assert as_text([], LINES) == ""
    assert totals([]) == ""


def test_the_reason_of_an_accepted_finding_is_shown():
    assert "  = accepted: the feed is replaced in May\n" in as_text(
        [replace(FINDING, accepted="the feed is replaced in May")], LINES
    )


def test_a_long_line_is_cut_around_its_caret():
    excerpt = as_text([replace(FINDING, line=3, column=303)], LINES).split("\n")
    line, caret = excerpt[3], excerpt[4]
    assert len(line) < 130
    assert line[caret.index("^")] == "y"
    assert line.startswith("3 | …")
    assert line.endswith("…")


@pytest.mark.parametrize("column", [0, 1, 2, 60, 119, 120, 121, 303, 603, 604, 9999])
def test_the_caret_is_under_its_column_wherever_that_is(column):
    text = LINES["cluster.yaml"][2]
    excerpt = as_text([replace(FINDING, line=3, column=column)], LINES).split("\n")
    line, caret = excerpt[3], excerpt[4].index("^")
    assert caret <= len(line)
    if 1 <= column <= len(text):
        assert line[caret] == text[column - 1]


def test_twenty_are_shown_the_worst_ones_in_reading_order_and_the_rest_counted():
    notes = [replace(NOTE, line=i, message=f"note {i}") for i in range(1, 31)]
    errors = [replace(FINDING, line=i, message=f"error {i}") for i in range(31, 46)]
    text = as_text([*notes, WARNING, *errors], LINES)
    heads = re.findall(r"^(error|warning|note)\[", text, re.MULTILINE)
    assert heads == ["note"] * 4 + ["warning"] + ["error"] * 15
    assert "… and 26 more: S901 (26)\n" in text
    assert text.endswith("15 errors, 1 warning, 30 notes\n")


EVIL = "x\x1b[31m\r\n::error::owned\x00\u202e%0A\u2028\x85\u200b"


def evil(finding=FINDING):
    """A finding whose every text is hostile."""
    return replace(
        finding, message=EVIL, help=EVIL, because=EVIL, accepted=EVIL, examples=(EVIL,), file=f"{EVIL},a=b:c"
    )


def test_control_and_direction_characters_are_shown_as_escapes():
    text = as_text([evil()], {evil().file: ("", f"a: {EVIL}")})
    assert text.replace("\n", "").isprintable()
    assert r"x\x1b[31m\r\n::error::owned\x00\u202e%0A\u2028\x85\u200b" in text
    assert len(re.findall("^error", text, re.MULTILINE)) == 1


def test_a_message_cannot_start_a_workflow_command_or_a_property_of_its_own():
    text = as_github([evil()])
    assert text.count("\n") == 1
    assert text.replace("\n", "").isprintable()
    properties, message = re.fullmatch(r"::error (.*?)::(.*)\n", text).groups()
    assert [part.split("=")[0] for part in properties.split(",")] == ["file", "line", "col", "title"]
    assert "%250A" in message
    assert "%250A" in properties
    assert ":" not in properties


def test_an_annotation_stands_on_the_line_with_help_and_reason():
    assert as_github([FINDING]) == (
        "::error file=cluster.yaml,line=2,col=9,title=P401::feed f-03 is over its rating by 30.0 kW"
        "%0Ahelp: raise rating_kw to 830%0Abecause: each side carries all of 2N\n"
    )
    assert as_github([NOTE, WARNING]).split("\n")[:2] == [
        "::notice file=cluster.yaml,line=1,col=1,title=S901::power has no effect yet",
        "::warning file=cluster.yaml,line=1,col=1,title=S322::power has no effect yet",
    ]


def test_ten_annotations_are_the_worst_and_one_more_counts_the_rest():
    commands = as_github([*[NOTE] * 9, *[FINDING] * 8, WARNING]).splitlines()
    assert [command.split(" ")[0] for command in commands] == ["::notice"] + ["::error"] * 8 + ["::warning", "::notice"]
    assert (
        commands[-1]
        == "::notice title=topology::8 more findings, 8 errors, 1 warning, 9 notes in all: see SARIF or JSON"
    )
    assert len(as_github([NOTE] * 10).splitlines()) == 10


def test_json_carries_its_version_and_every_field():
    document = json.loads(as_json([FINDING]))
    assert document["schema_version"] == 1
    assert document["findings"] == [
        {
            "code": "P401",
            "message": "feed f-03 is over its rating by 30.0 kW",
            "path": ["halls", 0, "rows"],
            "help": "raise rating_kw to 830",
            "because": "each side carries all of 2N",
            "severity": "error",
            "count": 214,
            "examples": ["h1r0001", "h1r0002"],
            "file": "cluster.yaml",
            "line": 2,
            "column": 9,
            "accepted": "",
        }
    ]
    assert as_json([evil()]).isascii()
    assert json.loads(as_json([])) == {"schema_version": 1, "findings": []}


def sarif(findings):
    """The one run of the log."""
    log = json.loads(as_sarif(findings, RULES.values(), "1.2.3"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


def test_sarif_declares_every_rule_met_or_not():
    driver = sarif([])["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("cluster-topology", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == sorted(RULES)
    assert sarif([])["results"] == []


def test_a_sarif_result_names_its_rule_level_and_place():
    run = sarif([FINDING, replace(NOTE, accepted="later")])
    first, second = run["results"]
    assert [run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] for result in run["results"]] == ["P401", "S901"]
    assert (first["ruleId"], first["level"], second["level"]) == ("P401", "error", "note")
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "cluster.yaml"},
                "region": {"startLine": 2, "startColumn": 9},
            }
        }
    ]
    assert "suppressions" not in first
    assert second["suppressions"] == [{"kind": "inSource", "justification": "later"}]


def test_sarif_has_one_result_for_each_rule_and_line():
    results = sarif([FINDING, replace(FINDING, message="another", column=3), replace(FINDING, line=3)])["results"]
    assert len(results) == 2
    assert results[0]["message"]["text"].startswith(
        "feed f-03 is over its rating by 30.0 kW; another\n428 times, such as h1r0001"
    )


def fingerprint(finding):
    return sarif([finding])["results"][0]["partialFingerprints"]["specPath/v1"]


def test_a_fingerprint_follows_rule_and_path_not_the_line_or_the_folder():
    moved = replace(FINDING, line=77, column=1, message="by 31.0 kW", file="/somewhere/else/cluster.yaml")
    assert fingerprint(moved) == fingerprint(FINDING)
    assert fingerprint(replace(FINDING, code="P402")) != fingerprint(FINDING)
    assert fingerprint(replace(FINDING, path=("halls", 1, "rows"))) != fingerprint(FINDING)
    assert fingerprint(replace(FINDING, file="catalog/racks/x.yaml")) != fingerprint(FINDING)


def test_a_file_in_sarif_is_a_uri():
    def uri(file):
        return sarif([replace(FINDING, file=file)])["results"][0]["locations"][0]["physicalLocation"][
            "artifactLocation"
        ]["uri"]

    assert uri("my specs/a#b.yaml") == "my%20specs/a%23b.yaml"
    assert uri("/srv/a b.yaml") == "file:///srv/a%20b.yaml"
    assert "locations" not in sarif([replace(FINDING, file="", line=0)])["results"][0]


texts = st.text(max_size=20)
findings = st.builds(
    Finding,
    code=st.sampled_from([*RULES, "P401"]),
    message=texts,
    help=texts,
    because=texts,
    severity=st.sampled_from(Severity),
    count=st.integers(1, 10**9),
    examples=st.lists(texts, max_size=3).map(tuple),
    file=st.sampled_from(["", "cluster.yaml", "a b.yaml"]),
    line=st.integers(0, 4),
    column=st.integers(0, 700),
    accepted=texts,
)


@settings(deadline=None)
@given(many=st.lists(findings, max_size=30))
def test_no_finding_escapes_its_format(many):
    assert as_text(many, LINES).replace("\n", "").isprintable()
    commands = as_github(many).split("\n")
    assert commands[-1] == ""
    assert len(commands) - 1 == len(many) if len(many) <= 10 else 11
    assert all(command.startswith(("::error", "::warning", "::notice")) for command in commands[:-1])
    assert len(json.loads(as_json(many))["findings"]) == len(many)
    assert len(sarif(many)["results"]) == len({(f.code, f.file, f.line) for f in many})


def test_a_rule_has_a_code_a_sentence_and_a_reason_of_its_own():
    assert all(re.fullmatch(r"S\d{3}", code) and rule.code == code for code, rule in RULES.items())
    assert all(rule.sentence and rule.because for rule in RULES.values())
    assert len({rule.sentence for rule in RULES.values()}) == len(RULES)


def test_a_code_is_given_out_once():
    with pytest.raises(ValueError, match="rule S301 is already"):
        by_code([*RULES.values(), Rule("S301", "another", "reason")])


def test_a_finding_of_a_rule_carries_its_reason_and_severity():
    rule = RULES["S322"]
    assert found("S322", "x", ("a",), "y") == Finding("S322", "x", ("a",), "y", rule.because, Severity.WARNING)
    assert isinstance(rule, Rule)
    with pytest.raises(KeyError):
        found("S999", "x")


def test_findings_travel_with_the_lines_they_point_into():
    assert FindingsError([FINDING]).lines == {}
    assert FindingsError(iter([FINDING]), LINES).findings == (FINDING,)


def test_the_nearest_word_comes_first_then_all_of_them():
    assert did_you_mean("rakcs", ["units", "racks"]) == "did you mean 'racks'? known: racks, units"
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("zzz", []) == ""
    many = did_you_mean("hall7", [f"hall{i}" for i in range(1000)])
    assert many.startswith("did you mean 'hall7'? known: hall0, hall1,")
    assert many.endswith(" and 976 more")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("ten", "'ten'"),
        ("a\n\x1b", r"'a\n\x1b'"),
        ("é", r"'\xe9'"),
        (8, "8"),
        (None, "None"),
        ("x" * 70, f"'{'x' * 60}…'"),
    ],
)
def test_a_value_is_quoted_in_printable_ascii(value, words):
    assert shown(value) == words
