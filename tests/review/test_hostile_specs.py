"""Every hostile text in every free place of a spec and a catalogue, through every form of a review."""

import json
import re
from pathlib import Path

import pytest
from hostile import FINISHED, HOSTILE, LIVE, page
from ruamel.yaml import YAML

from topology.ci.bundle import review_of
from topology.review.forms.markdown import markdown

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "tests/review/site.yaml").read_text()
RACK = "extends: nvidia-dgx-h100-x2\nname: own\ndescription: ours\n"
FORMS = ("markdown", "data", "text", "json", "sarif", "github")
BASE = (ROOT / "tests/golden/one-rack/cluster.yaml").read_text()
TURNS = 6  # tests; together they turn every text through every place


def free(schema):
    """Names of properties that take any text: strings without an enum or a constant."""
    found = set()

    def walk(node):
        if isinstance(node, dict):
            for name, each in (node.get("properties") or {}).items():
                if isinstance(each, dict) and not {"enum", "const"} & each.keys():
                    found.add(name)
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(json.loads((ROOT / "schemas" / schema).read_text()))
    return found


def filled(value, names, texts, *, keys):
    """The value with a hostile text in place of each string under a free name, with `keys` a hostile key, too."""
    if isinstance(value, dict):
        made = {
            name: next(texts) if isinstance(each, str) and name in names else filled(each, names, texts, keys=keys)
            for name, each in value.items()
        }
        return made | ({next(texts): next(texts)} if keys else {})
    if isinstance(value, list):
        return [next(texts) if isinstance(each, str) else filled(each, names, texts, keys=keys) for each in value]
    return value


def texts_from(shift):
    at = shift
    while True:
        yield HOSTILE[at % len(HOSTILE)]
        at += 1


def written(value):
    """As YAML, which JSON is; a comment carries a text, too."""
    return json.dumps(value, indent=1) + "\n"


def changed(shift):
    """Spec and catalogue file of a hostile pull request, by what they are about."""
    base, names = YAML(typ="safe", pure=True).load(SPEC), free("cluster.schema.json") | free("catalog.schema.json")
    rack = YAML(typ="safe", pure=True).load(RACK)
    yield "every value", written(filled(base, names, texts_from(shift), keys=False)), RACK
    yield "every key", written(filled(base, names, texts_from(shift), keys=True)), RACK
    yield "the catalogue", f"catalog: own\n{SPEC}", written(filled(rack, names, texts_from(shift), keys=True))
    yield "the name", SPEC.replace("name: reviewed", f"name: {json.dumps(HOSTILE[shift])}"), RACK


@pytest.mark.parametrize("turn", range(TURNS))
def test_nothing_of_a_hostile_spec_is_live_in_any_form(turn, repository, cli):
    repository.write("cluster.yaml", BASE)
    for shift in range(turn, len(HOSTILE), TURNS):
        for about, spec, rack in changed(shift):
            holds_in_every_form(about, spec, rack, repository, cli)


def test_comments_of_a_spec_that_builds_are_live_in_no_form(repository, cli):
    repository.write("cluster.yaml", BASE)
    comments = "".join(f"# {text}\n" for text in HOSTILE if text.isprintable())
    holds_in_every_form("comments", BASE.replace("racks: 1", "racks: 2") + comments, RACK, repository, cli)


def holds_in_every_form(about, spec, rack, repository, cli):
    """Check all forms of a comparison with the spec."""
    repository.write("head/cluster.yaml", spec)
    repository.write("head/own/racks/own.yaml", rack)
    options = [word for form in FORMS for word in ("-f", f"{form}=out.{form}")]
    run = cli("diff", "cluster.yaml", "head/cluster.yaml", *options, "--fail-on", "never")
    assert run.code == 0, (about, run.err)
    made = {form: (repository.folder / f"out.{form}").read_text() for form in FORMS}
    document, _, _ = review_of(made["data"].encode())
    for shown in (made["markdown"], markdown(document), markdown(document, 6_000)):
        read = page(shown)
        assert set(read.tags) <= set(FINISHED), about
        assert not LIVE.search(read.outside), (about, LIVE.search(read.outside))
        assert set(read.languages) <= {"diff", "mermaid"}
    for line in made["github"].splitlines():
        assert re.match(r"::(error|warning|notice) (file|title)=", line), (about, line)
    assert not [line for line in made["text"].splitlines() if line.lstrip().startswith("::")]
    assert json.loads(made["sarif"])["version"] == "2.1.0"
    assert all(json.loads(line)["type"] for line in made["json"].splitlines())
    for form in FORMS:
        assert all(char.isprintable() or char == "\n" for char in made[form]), (about, form)
        if form in {"markdown", "text"}:  # others are no lines of a log, or begin with another command
            assert "##[" not in made[form], (about, form)
