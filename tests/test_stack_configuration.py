"""A stack's configuration as the engine hands it over: every key is known and of its form, or said in one line."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.deploy.attestations import Attestations
from topology.deploy.configuration import Configuration, schema
from topology.deploy.stop import DeployError
from topology.deploy.walk import plan_key

MADE = {"by": "E. Ohm", "date": "2026-05-31", "reference": "letter 12"}
NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)
NEEDS = {"permits": ["grid"], "energised": [], "banks": []}


def read(secret=(), **keys):
    """The configuration of a project `site` that says `keys`."""
    texts = {f"site:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    return Configuration.read("site", texts, {f"site:{key}" for key in secret})


def refused(secret=(), **keys):
    """What is said of a configuration that is refused."""
    with pytest.raises(DeployError) as error:
        read(secret, **keys)
    return list(error.value.lines)


def test_what_is_left_out_has_its_default():
    assert read().values == {key: rule["default"] for key, rule in schema()["properties"].items()}
    assert read(publish={"after": "true"})["publish"] == {"kind": "directory", "path": "site", "after": "true"}
    assert read(plan="")["plan"] == ".."
    assert read(protect="false")["protect"] is False


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"protec": False}, "unknown key 'protec' in the configuration of the stack; did you mean 'protect'? "),
        ({"protect": "False"}, "the configuration key protect is the text 'False', not true or false; write "),
        ({"plan": "a\0b"}, "the configuration key plan is 'a\\x00b', not of its form; write the path "),
        ({"spec": "a\nb"}, "the configuration key spec is 'a\\nb', not of its form; write the path "),
        (
            {"publish": {"aftr": "x"}},
            "the configuration key publish: unknown key 'aftr' in publish; did you mean 'after'",
        ),
        (
            {"publish": {"after": "echo 'x"}},
            "the configuration key publish: after is no command (no closing quotation)",
        ),
        (
            {"publish": {"after": " "}},
            "the configuration key publish: after is not of its form; write a command such as ",
        ),
        (
            {"publish": {"after": True}},
            "the configuration key publish: after is true, not text; write a command such as ",
        ),
        ({"publish": {"after": "'' x"}}, "the configuration key publish: after begins with an empty word; "),
        ({"publish": {"after": "a\0"}}, "the configuration key publish: after is not of its form; "),
        ({"publish": {"kind": "git"}}, "the configuration key publish: key 'path' is missing in publish; "),
        ({"publish": {"path": "a\0b"}}, "the configuration key publish: path is 'a\\x00b', not of its form; "),
        ({"inventory": {"path": "a\0b"}}, "the configuration key inventory: path is 'a\\x00b', not of its form; "),
        ({"inventory": {"url": "https://h"}}, "the configuration key inventory: unknown key 'url' in inventory; "),
        (
            {"inventory": {"kind": "netbx"}},
            "the configuration key inventory: kind is 'netbx', not one of its values; did ",
        ),
        (
            {"inventory": {"kind": "netbox"}},
            "the configuration key inventory: key 'url' is missing in inventory; add url: ",
        ),
        (
            {"kubernetes": {"context": {}}},
            "the configuration key kubernetes: unknown key 'context' in kubernetes; did you ",
        ),
        (
            {"kubernetes": {"contexts": {"a": ""}}},
            "the configuration key kubernetes.contexts: a is '', not of its form; ",
        ),
        (
            {"attest": {"permit": {}}},
            "the configuration key attest: unknown key 'permit' in attest; did you mean 'permits'",
        ),
        (
            {"attest": {"permits": ["grid"]}},
            "the configuration key attest: permits is a list of 1, not a mapping; write ",
        ),
        ({"attest": "[" * 100_000}, "the configuration key attest is the text '[[["),
    ],
)
def test_a_key_that_is_wrong_is_told_in_one_line(keys, said):
    (line,) = refused(**keys)
    assert line.startswith(said)


@pytest.mark.parametrize(
    "text",
    ["[", "[" * 5000, "5", "config: 5", "config: [1]", "\0", "x: 2026-99-99", "x: " + "9" * 5000, "a: 1\n---\nb: 2"],
)
def test_a_file_that_is_no_configuration_of_a_stack_is_named(text, tmp_path):
    path = tmp_path / "Pulumi.s1.yaml"
    path.write_text(text)
    with pytest.raises(DeployError, match=rf"^{re.escape(str(path))} is not a stack's configuration; correct it, or "):
        plan_key(tmp_path)


def test_a_key_under_a_project_that_is_not_quite_ours_is_told():
    with pytest.raises(DeployError, match=r"^the configuration key sit:protect is read by nobody; did you mean site:"):
        Configuration.read("site", {"sit:protect": "false", "aws:region": "x"})


def test_a_cell_that_is_not_there_is_told():
    config = read(kubernetes={"contexts": {"a-01": "x"}})
    config.check_cells(["a-01"])
    with pytest.raises(DeployError, match=r"^the configuration key kubernetes names a-01; the cells are b-01$"):
        config.check_cells(["b-01"])


def test_a_token_is_a_secret_and_no_part_of_what_resources_are_given():
    server = {"kind": "netbox", "url": "https://host"}
    (line,) = refused(inventory=server | {"token": "hunter2"})
    assert "--secret --path inventory.token" in line
    assert "hunter2" not in line
    config = read(["inventory"], inventory=server | {"token": "hunter2"})
    assert config["inventory"] == server
    assert config.secret == {"inventory"}
    assert "hunter2" not in repr(config)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["hunter2", "a\0b", "'", " "]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
INNER = [
    "kind",
    "path",
    "after",
    "url",
    "token",
    "token_env",
    "contexts",
    "kubeconfig",
    "simulated",
    "permits",
    "banks",
]
KEYS = st.sampled_from([*schema()["properties"], "protec", "\0"]) | st.text(max_size=8)
KIND = st.sampled_from(["sqlite", "netbox", "git", "directory"])
BELOW = st.dictionaries(st.sampled_from(INNER), VALUES | KIND, max_size=4)


@given(keys=st.dictionaries(KEYS, VALUES | BELOW, max_size=4), secret=st.booleans())
def test_whatever_a_configuration_says_it_is_read_or_refused_in_lines(keys, secret):
    lines = []
    try:
        config = read(keys if secret else (), **keys)
    except DeployError as error:
        lines += error.lines or ["nothing was said"]
    else:
        assert config.values.keys() == schema()["properties"].keys()
        said = Attestations(config["attest"], NOW, secret=secret)
        lines += [*said.lacking("s1", NEEDS), *said.of_nothing(NEEDS)]
    assert all(line.isprintable() for line in lines)
    assert not (secret and any("hunter2" in line for line in lines))


def lacks(one, **more):
    """What is said of an attestation of the permit that is needed, up to the command."""
    lines = list(Attestations({"permits": {"grid": one}} | more, NOW).lacking("s1", NEEDS))
    assert all("\n" not in line and line.isprintable() for line in lines)
    return [
        line.partition("; attest it: pulumi config set-all -s s1 --path --plaintext attest.permits.grid.by")[0]
        for line in lines
    ]


@pytest.mark.parametrize("key", MADE)
@pytest.mark.parametrize("value", [None, "", " ", "\u00a0", "\u200b", "\u2060\ufeff", "\u3164", "-", "…", "?"])
def test_a_value_in_which_nobody_reads_anything_is_none(key, value):
    assert lacks(MADE | {key: value}) == [f"stage s1: permits.grid is attested without {key}"]


@pytest.mark.parametrize("key", MADE)
@pytest.mark.parametrize("value", [0, 12, 1.5, True, False, [], ["E. Ohm"], {}, {"by": "E. Ohm"}])
def test_a_value_that_is_no_text_is_told(key, value):
    (line,) = lacks(MADE | {key: value})
    assert line.startswith(f"stage s1: permits.grid is attested with {key} ")
    assert line.endswith(", which is no text; write it in quotes")


@pytest.mark.parametrize("key", MADE)
@pytest.mark.parametrize(
    "value", ["NAME", "TEXT", "YYYY-MM-DD", "<name>", "None", "null", "TODO", " t.b.d. ", "pending"]
)
def test_a_word_that_was_to_be_filled_in_is_no_attestation(key, value):
    (line,) = lacks(MADE | {key: value})
    assert line.endswith(f"with {key} '{value}', which is to be filled in")


@pytest.mark.parametrize("one", [[], [MADE], "E. Ohm", True, 12, {}])
def test_what_is_no_mapping_of_the_three_is_told(one):
    (line,) = lacks(one)
    assert line.startswith("stage s1: permits.grid is attested with")


def test_keys_that_nobody_reads_are_told_with_what_was_meant():
    (line,) = lacks({"by": "E. Ohm", "date": "2026-05-31", "referense": "letter 12"})
    assert "attested without reference and with 'referense', which is not known (did you mean 'reference'? " in line
    (line,) = lacks(None, permits={"gird": MADE})
    assert line == "stage s1: the permit of grid is not attested, permits.gird is: did you mean 'grid'?"
    (line,) = Attestations({"permits": {"gird": MADE}}, NOW).of_nothing(NEEDS)
    assert line == "no stage needs permits.gird, which is attested; did you mean 'grid'? known: grid"


FIRST_ZONE = timezone(timedelta(hours=14))


@pytest.mark.parametrize(
    "said",
    [
        "2026-05-31 00:00:00 +0000 UTC",  # as the engine prints a date without quotes
        "2026-05-31 14:00:00 +0200 +0200",
        "2026-05-31 14:00:00.123456789 +0000 UTC",
        "2026-05-31T14:00:00Z",
        "2026-05-31T14:00",
        "2024-02-29",
        NOW.astimezone(FIRST_ZONE).date().isoformat(),  # today, where the day begins first
        (NOW - timedelta(minutes=1)).isoformat(),
        (NOW + timedelta(hours=13)).strftime("%Y-%m-%dT%H:%M"),  # of no zone: it has come somewhere
    ],
)
def test_a_date_that_has_come_somewhere_on_earth_is_accepted(said):
    assert lacks(MADE | {"date": said}) == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ((NOW.astimezone(FIRST_ZONE) + timedelta(days=1)).date().isoformat(), "still to come"),
        (f"{(NOW.astimezone(FIRST_ZONE) + timedelta(days=1)).date()} 00:00:00 +0000 UTC", "still to come"),
        ((NOW + timedelta(hours=1)).isoformat(), "still to come"),
        ((NOW + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S +0000 UTC"), "still to come"),
        ("9999-12-31T23:59:59-12:00", "still to come"),
        ("0001-01-01", "before 2000"),
        ("1970-01-01 00:00:00 +0000 UTC", "before 2000"),
        ("2026-02-29", "no date like 2026-05-31"),
        ("2026-05-31T25:00", "no date like 2026-05-31"),
        ("2026-05-31T12:00+99:00", "no date like 2026-05-31"),
        ("2026-5-31", "no date like 2026-05-31"),
        ("31.05.2026", "no date like 2026-05-31"),
        ("\u0662\u0660\u0662\u0666-05-31", "no date like 2026-05-31"),
        ("2026-05-31 or so", "no date like 2026-05-31"),
    ],
)
def test_a_date_that_is_none_or_has_not_come_is_told(said, why):
    (line,) = lacks(MADE | {"date": said})
    assert re.search(rf"with date '.*', which is {why}$", line)


def test_a_secret_attestation_is_not_shown():
    (line,) = Attestations({"permits": {"grid": MADE | {"by": 12345}}}, NOW, secret=True).lacking("s1", NEEDS)
    assert "with by a secret, which is no text" in line
