"""The schema of the language: what it forbids, and the defaults it promises.

`schemas/cluster.schema.json` is the manual, the editor's completion and the source of every
default, so that none of them can drift from what the program does.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from topology.findings import Finding
from topology.resources import data as folder_of
from topology.source import YamlSource
from topology.source.validator import validator
from topology.spec.wording import findings_of

Rule = Mapping[str, Any]


def violations(source: YamlSource) -> list[Finding]:
    """Findings of all that the schema forbids, one per cause; unknown keys stand at the key."""
    errors = _validator().iter_errors(source.data)
    # dict: the validator reports each of several missing keys, and words are found for all at once
    findings = dict.fromkeys(finding for error in errors for finding in findings_of(error, resolve))
    return [source.at_key(finding) if finding.code == "S201" else finding for finding in findings]


def with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the spec says, with the schema's defaults where it says nothing. Keys in schema order."""
    filled: dict[str, Any] = _fill(data, _schema())
    return filled


def resolve(rule: Rule) -> Rule:
    """The rule with the definition it refers to laid under its own words."""
    name = rule.get("$ref", "").removeprefix("#/$defs/")
    return {**resolve(_schema()["$defs"][name]), **rule} if name else rule


@cache
def _schema() -> dict[str, Any]:
    text = (folder_of("schemas") / "cluster.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator() -> Draft202012Validator:
    return validator(_schema())


def _fill(value: Any, rule: Rule) -> Any:  # noqa: ANN401 - any value of the spec
    rule = resolve(rule)
    if isinstance(value, Mapping) and "properties" in rule:
        known: Rule = rule["properties"]
        given = {key: value.get(key, resolve(sub).get("default")) for key, sub in known.items()}
        there = {key for key, sub in known.items() if key in value or "default" in resolve(sub)}
        return {key: _fill(given[key], sub) for key, sub in known.items() if key in there}
    if isinstance(value, Mapping) and isinstance(rule.get("additionalProperties"), Mapping):
        return {key: _fill(item, rule["additionalProperties"]) for key, item in value.items()}
    if isinstance(value, list) and "items" in rule:
        return [_fill(item, rule["items"]) for item in value]
    return value
