"""YAML text to data and places."""

import json
import string
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topology.findings import Finding, FindingsError, Severity
from topology.source import YamlSource
from topology.source.redaction import MASK, mask_secrets, secret_key, secret_value

ANCHORS = """\
# limits of every hall
base: &base {power_kw: 140, height_u: 48}
halls:
  - name: h1
    limit: *base
  - {name: h2, limit: {<<: *base, height_u: 52}}
empty:
last: 1
"""


def parsed(text):
    return YamlSource.parse("spec.yaml", text if isinstance(text, bytes) else text.encode())


def codes(text):
    with pytest.raises(FindingsError) as error:
        parsed(text)
    return [finding.code for finding in error.value.findings]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *[(word, word) for word in ("no", "yes", "on", "off", "y", "True", "FALSE", "~", "Null", "NULL")],
        *[(word, word) for word in ("017", "0o17", "0x1F", "0b1", "1_000", "1:30", "+1", ".5", "5.", "1e", "\u0661")],
        *[(word, word) for word in ("2026-01-15", "2026-01-15T10:00:00Z", "7-00:00:00", "=", "1.2.3", "inf")],
        *[("true", True), ("false", False), ("null", None), ("", None)],
        *[("8", 8), ("-8", -8), ("0", 0), ("8.0", 8), ("8e0", 8), ("1e3", 1000), ("-2.0E1", -20)],
        *[("8.5", 8.5), ("1E-3", 0.001), ("1.25", 1.25), ("9007199254740993", 9007199254740993)],
        *[('"8"', "8"), ("'true'", "true"), ('"null"', "null"), ('""', "")],
    ],
)
def test_only_true_false_null_and_json_numbers_are_not_the_text_the_user_wrote(word, value):
    data = parsed(f"key: {word}\n").data["key"]
    assert data == value
    assert type(data) is type(value)


@pytest.mark.parametrize("word", [".inf", "-.inf", "+.INF", ".nan", ".NaN", "1e999", "-1e999", "-0", "-0.0"])
def test_a_number_that_is_not_finite_or_a_negative_zero_is_refused(word):
    assert codes(f"power_kw: {word}") == ["S133"]
    assert parsed(f"power_kw: '{word}'").data == {"power_kw": word}


def test_a_whole_number_beyond_float_precision_is_not_rounded_into_an_integer():
    assert type(parsed("a: 1e300").data["a"]) is float
    assert parsed("a: 100000000000000000000").data == {"a": 10**20}


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends_and_a_leading_mark_change_neither_data_nor_places(prefix, end, final):
    lines = ANCHORS.removesuffix("\n") + ("\n" if final else "")
    source = parsed(prefix + lines.replace("\n", end).encode())
    plain = parsed(ANCHORS)
    assert source.data == plain.data
    assert source.lines[:8] == plain.lines[:8]
    for path in (("halls", 0, "limit"), ("halls", 1, "limit", "height_u"), ("last",)):
        assert source.place(path) == plain.place(path)


def test_merge_keys_mean_what_yaml_says():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {'<<': 1}\n"
    assert parsed(text).data["c"] == {"x": 3, "y": 1, "z": 2}
    assert parsed(text).data["d"] == {"<<": 1}


def test_an_anchor_may_be_given_again_and_the_nearest_above_counts():
    assert parsed("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").data == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_a_value_stands_where_it_is_written_and_an_alias_where_it_is_used():
    source = parsed(ANCHORS)
    assert source.place(("halls", 0, "name")) == (4, 11)
    assert source.place(("halls", 0, "limit")) == (5, 12)
    assert source.place(("halls", 0, "limit", "power_kw")) == (2, 24)
    assert source.place(("halls", 1, "limit", "height_u")) == (6, 45)
    assert source.place(("halls", 1, "limit", "power_kw")) == (2, 24)


def test_what_is_absent_stands_at_its_nearest_parent():
    source = parsed(ANCHORS)
    assert source.place(("halls", 1, "rows", 4, "name")) == (6, 5)
    assert source.place(("halls", 7)) == (4, 3)
    assert source.place(("stages", 0)) == source.place(()) == (2, 1)
    assert not source.holds(("halls", 7))
    assert source.holds(("halls", 1, "limit", "power_kw"))


def test_an_empty_value_stands_at_its_key():
    assert parsed(ANCHORS).place(("empty",)) == (7, 1)


def test_a_key_has_a_place_of_its_own():
    source = parsed(ANCHORS)
    assert source.key_place(("halls",)) == (3, 1)
    assert source.key_place(("halls", 1, "limit", "height_u")) == (6, 35)
    assert source.key_place(("halls", 0)) == source.place(("halls", 0))
    assert source.key_place(("nowhere", "key")) == (2, 1)


def test_the_digest_is_of_the_bytes_that_were_read():
    assert parsed(b"a: 1\r\n").sha256 != parsed(b"a: 1\n").sha256
    data = b"\xef\xbb\xbfa: 1\r\n"
    assert parsed(data).sha256 == sha256(data).hexdigest()


keys = st.text(string.ascii_letters + "-_", min_size=1, max_size=8)


def maps(inner):
    """Mappings whose keys differ by more than case."""
    return st.dictionaries(keys, inner, max_size=4).filter(lambda d: len({k.casefold() for k in d}) == len(d))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(string.printable[:95] + "äß漢😀"),
    lambda inner: st.lists(inner, max_size=4) | maps(inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(data=maps(values), indent=st.sampled_from([None, 1, 4]))
def test_json_is_read_as_a_json_reader_reads_it(data, indent):
    assert parsed(json.dumps(data, indent=indent, ensure_ascii=False)).data == data


@settings(deadline=None)
@given(data=maps(values))
def test_every_value_stands_where_its_text_begins(data):
    text = json.dumps(data, indent=2, ensure_ascii=False)
    source, lines = parsed(text), text.split("\n")

    def walk(value, path):
        line, column = source.place(path)
        written = json.dumps(value, ensure_ascii=False)
        begins = written[0] if isinstance(value, dict | list) else written
        assert lines[line - 1][column - 1 :].startswith(begins)
        for step, item in value.items() if isinstance(value, dict) else ():
            key_line, key_column = source.key_place((*path, step))
            assert lines[key_line - 1][key_column - 1 :].startswith(json.dumps(step))
            walk(item, (*path, step))
        for step, item in enumerate(value) if isinstance(value, list) else ():
            walk(item, (*path, step))

    walk(data, ())


fragments = st.sampled_from(
    [
        *"{}[]:,-?&*!|>%@`#'\"\\ \n\t~<=.",
        "a",
        "1",
        "key: ",
        "- ",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "---\n",
        "...\n",
        "\\U00110000",
        "\\UFFFFFFFF",
        "\\ud800",
        "\\x",
        "%YAML 1.1\n",
        "é",
        "\ufeff",
        "\x00",
        "1e999",
        "null",
    ]
)


def read(text):
    """Data, findings and lines of a text, whichever there are."""
    try:
        source = parsed(text)
    except FindingsError as error:
        return None, error.findings, error.lines["spec.yaml"]
    return source.data, (), source.lines


@settings(deadline=None)
@given(text=st.lists(fragments, max_size=30).map("".join))
def test_whatever_the_text_it_is_data_or_findings_with_places(text):
    data, findings, lines = read(text)
    assert isinstance(data, dict) or findings
    for finding in findings:
        assert 1 <= finding.line <= len(lines)
        line = lines[finding.line - 1]
        assert 1 <= finding.column <= len(line) + 1 or MASK in line


@settings(deadline=None)
@given(data=st.binary(max_size=60))
def test_whatever_the_bytes_they_are_data_or_findings(data):
    said, findings, _ = read(data)
    assert isinstance(said, dict) or all(finding.line for finding in findings)


def test_findings_are_located_sorted_and_those_of_one_cause_are_one():
    source = parsed(ANCHORS)
    later = Finding("N301", "later", ("last",))
    twice = [Finding("N102", "too hot", ("halls", i, "limit", "power_kw"), count=3) for i in (0, 1)]
    other = Finding("C103", "elsewhere", ("model",), file="catalog/x.yaml", line=3, column=9)
    located = source.locate([later, *twice, other])
    assert [(f.file, f.line, f.column, f.count) for f in located] == [
        ("catalog/x.yaml", 3, 9, 1),
        ("spec.yaml", 2, 24, 6),
        ("spec.yaml", 8, 7, 1),
    ]
    assert source.locate(located) == located


IGNORES = """\
halls: 1  # topology: ignore[N302] two rows are enough here
# topology: ignore[N301, L110] agreed with the floor manager

# another comment
power: 2
text: "# topology: ignore[N302] no comment"
"""


def notes(findings):
    return [(f.code, f.line, f.severity, f.accepted) for f in findings]


def test_an_accepted_finding_is_a_note_that_carries_the_reason():
    found = [Finding("N302", "x", ("halls",)), Finding("N301", "y", ("power",)), Finding("L110", "z", ("power",))]
    assert notes(parsed(IGNORES).apply_ignores(found)) == [
        ("N302", 1, Severity.NOTE, "two rows are enough here"),
        ("L110", 5, Severity.NOTE, "agreed with the floor manager"),
        ("N301", 5, Severity.NOTE, "agreed with the floor manager"),
    ]


def test_an_ignore_comment_is_for_its_line_and_its_code_only():
    found = [Finding("N302", "x", ("power",)), Finding("N301", "y", ("halls",)), Finding("N302", "z", ("text",))]
    applied = parsed(IGNORES).apply_ignores(found, complete=False)
    assert {(f.code, f.severity) for f in applied} == {("N302", Severity.ERROR), ("N301", Severity.ERROR)}


def test_an_unused_ignore_comment_is_a_finding_unless_the_run_stopped_early():
    unused = parsed(IGNORES).apply_ignores([Finding("L110", "z", ("power",))])
    assert [(f.code, f.message, f.line) for f in unused if f.code == "S802"] == [
        ("S802", "no finding N302 on line 1", 1),
        ("S802", "no finding N301 on line 5", 2),
    ]
    assert parsed(IGNORES).apply_ignores([], complete=False) == []


@pytest.mark.parametrize("code", ["P401", "B203", "S203", "C103"])
def test_a_rule_that_guards_people_power_or_the_spec_is_not_ignored(code):
    source = parsed(f"feed: 1 # topology: ignore[{code}] it will hold\n")
    applied = source.apply_ignores([Finding(code, "over its rating", ("feed",))])
    assert notes(applied) == [(code, 1, Severity.ERROR, ""), ("S803", 1, Severity.ERROR, "")]


@pytest.mark.parametrize(
    "comment",
    [
        "ignore",
        "ignore N302 reason",
        "ignore[] reason",
        "ignore[N302",
        "ignore[n302] x",
        "ignore[N302]",
        "ignored[N302] x",
    ],
)
def test_an_ignore_comment_without_code_or_reason_accepts_nothing(comment):
    applied = parsed(f"a: 1 # topology: {comment}\n").apply_ignores([Finding("N302", "x", ("a",))])
    assert [(f.code, f.severity) for f in applied] == [("N302", Severity.ERROR), ("S801", Severity.ERROR)]


@pytest.mark.parametrize("comment", ["# topology: fat tree", "# topology of four halls", "# see topology: ignore it"])
def test_prose_about_topology_is_no_ignore_comment(comment):
    assert parsed(f"a: 1 {comment}\n").apply_ignores([]) == []


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "bmc_password",
        "PASSWORD",
        "dbPassword",
        "password1",
        "api_key",
        "apiKey",
        "API-KEY",
        "privateKey",
        "ssh_key",
        "token",
        "access_token",
        "client-secret",
        "secrets",
        "registry_credentials",
        "passphrase",
        "pwd",
    ],
)
def test_a_key_that_promises_a_secret_is_known_unless_it_names_a_place(key):
    assert secret_key(key)
    assert not secret_key(f"{key}_ref")


@pytest.mark.parametrize(
    "key", ["name", "monkey", "keyboard", "tokenizer", "compass", "secretary", "unit_racks", "key"]
)
def test_an_ordinary_key_promises_no_secret(key):
    assert not secret_key(key)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_" + "a" * 36,
        "AKIA" + "Z" * 16,
        "postgres://admin:hunter2@db.example/x",
        "https://u:p@h",
        "eyJhbGciOiJI.eyJzdWIiOiIx",
        "xoxb-1234567890",
    ],
)
def test_a_text_with_the_form_of_a_secret_is_known_and_masked(text):
    assert secret_value(text)
    assert text not in "".join(mask_secrets([f"a: {text} # b"]))


@pytest.mark.parametrize("text", ["nvidia-sn5600", "7-00:00:00", "https://example.org/a:b", "{hall}r{rack:04}", "h1"])
def test_an_ordinary_text_is_no_secret(text):
    assert not secret_value(text)
    assert mask_secrets([f"a: {text}"]) == (f"a: {text}",)


def test_every_line_of_a_secret_is_masked_and_nothing_else():
    text = """\
a: 1
password: one
b: {"token" : two, c: 3}
key: |
  -----BEGIN RSA PRIVATE KEY-----
  three
  -----END RSA PRIVATE KEY-----
d: 4
api_key:
  five
secret: "six

  seven"
e: 5
client_secret: >
  eight

  nine
f: 6"""
    shown = mask_secrets(text.split("\n"))
    secrets = ("one", "two", "three", "five", "six", "seven", "eight", "nine")
    assert not [word for word in secrets if word in "".join(shown)]
    assert [line for line in shown if MASK not in line] == ["a: 1", "key: |", "d: 4", "e: 5", "", "f: 6"]
