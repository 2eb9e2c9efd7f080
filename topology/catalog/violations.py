"""What the schema forbids, in words: every violation of one entry as a finding."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from topology.catalog.entry import Data
from topology.catalog.library import KINDS
from topology.catalog.rules import found
from topology.findings import Finding, Path, did_you_mean, shown
from topology.resources import data as folder_of
from topology.source import YamlSource
from topology.source.validator import validator

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}
_BOUNDS = {
    "minimum": "is {value}; the least is {bound}",
    "exclusiveMinimum": "is {value}; it must be above {bound}",
    "maximum": "is {value}; the most is {bound}",
    "minLength": "is empty",
    "maxLength": "is too long; the most is {bound} characters",
    "minItems": "is empty",
    "maxItems": "is too long; the most is {bound} items",
    "minProperties": "is empty",
    "uniqueItems": "has an item twice",
}


def violations(source: YamlSource, folder: str, data: Data) -> list[Finding]:
    """Findings of all that the schema forbids in `data`, located in `source`.

    `data` is what the file says, or what came of it over the entry it extends; a key that the
    file does not have itself stands at the top of the file.
    """
    kind = KINDS[folder]
    if data.get("kind", kind) != kind:  # every key would be held against the wrong words
        help_ = f"write {kind}, or move the file"
        stands = f"kind is {_in_words(data['kind'])}, but the file stands in {folder}/"
        return [found("C103", stands, ("kind",), help_)]
    seen: dict[tuple[str, Path, str], Finding] = {}
    for error in _validator(kind).iter_errors(data):
        for finding in _findings(error, folder):
            seen.setdefault((finding.code, finding.path, finding.message), finding)
    return [source.at_key(finding) if finding.code == "C101" else finding for finding in seen.values()]


def dotted_key(path: Path) -> str:
    """Path as entries write it: ``sources[0].covers``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


@cache
def _schema() -> dict[str, Any]:
    text = (folder_of("schemas") / "catalog.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator(kind: str) -> Draft202012Validator:
    """Validator of one kind, so that an error is about the entry and not about a choice of kinds."""
    return validator({"$ref": f"#/$defs/{kind}", "$defs": _schema()["$defs"]})


def _findings(error: ValidationError, folder: str) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    entry: Any = error.instance
    rule: Any = error.schema
    asked: Any = error.validator_value
    place = f" in {dotted_key(path)}" if path else ""
    if error.validator == "additionalProperties":
        known = rule["properties"]
        for key in entry:
            if key not in known:
                yield found("C101", f"unknown key {shown(key)}{place}", (*path, key), did_you_mean(key, known))
    elif "propertyNames" in error.absolute_schema_path:
        yield found("C101", f"unknown key {shown(entry)}{place}", (*path, entry), f"write {rule['x-hint']}")
    elif error.validator == "required":
        for key in asked:
            if key not in entry:
                help_ = f"add {key}: {_description(folder, (*path, key))}"
                yield found("C102", f"key '{key}' is missing{place}", path, help_)
    else:
        yield _wrong_value(error, folder, path, rule)


def _wrong_value(error: ValidationError, folder: str, path: Path, rule: Mapping[str, Any]) -> Finding:
    name, value = dotted_key(path), _in_words(error.instance)
    bound: Any = error.validator_value
    keyword = str(error.validator)
    help_ = f"write {rule['x-hint']}" if "x-hint" in rule else _description(folder, path)
    if keyword == "type":
        wanted = bound if isinstance(bound, list) else [bound]
        words = " or ".join(_TYPES[word] for word in wanted)
        return found("C103", f"{name} is {value}, not {words}", path, help_)
    if keyword == "enum":
        return found("C103", f"{name} is {value}", path, did_you_mean(str(error.instance), bound))
    if keyword in _BOUNDS:
        said = _BOUNDS[keyword].format(value=value, bound=bound)
        return found("C103", f"{name} {said}", path, help_)
    return found("C103", f"{name} is {value}, which does not have its form", path, help_)


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return json.dumps(value) if value is None or isinstance(value, bool) else shown(value)


def _description(folder: str, path: Path) -> str:
    """Sentence of the schema about the value at `path`, or about its nearest parent."""
    schema = _schema()["$defs"][KINDS[folder]]
    said = ""
    for step in path:
        if isinstance(step, int):
            inside = schema.get("items", {})
        else:
            inside = schema.get("properties", {}).get(step) or schema.get("additionalProperties") or {}
        target = inside.get("$ref", "").removeprefix("#/$defs/")
        schema = {**_schema()["$defs"].get(target, {}), **inside}
        said = schema.get("description", said)
    return str(said)
