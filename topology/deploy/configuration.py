"""A stack's configuration: read whole, every key of it known and of its form, with the defaults of its schema."""

import json
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

import pulumi
from jsonschema import Draft202012Validator
from pulumi.runtime.config import CONFIG, is_config_secret

from topology.deploy.secrets import without_secrets
from topology.deploy.stop import DeployError
from topology.findings import Finding, shown
from topology.resources import data
from topology.source.redaction import secret_key
from topology.spec.wording import findings_of

SCHEMA = "stack.schema.json"
_NAMES_A_KEY = {"S201", "S202"}  # findings whose words hold no value
_OF_A_TYPE = "S203"  # names a type, and a value that is no text


@dataclass(frozen=True)
class Configuration:
    """What a stack's configuration says, with the defaults of the schema where it says nothing."""

    values: Mapping[str, Any] = field(repr=False)
    secret: frozenset[str]  # keys with a secret somewhere inside

    @classmethod
    def of_stack(cls) -> "Configuration":
        """The configuration of the selected stack.

        Raises:
            DeployError: it cannot be read.
        """
        texts = CONFIG.get()
        return cls.read(pulumi.get_project(), texts, {key for key in texts if is_config_secret(key)})

    @classmethod
    def read(cls, project: str, texts: Mapping[str, str], secret: Collection[str] = ()) -> "Configuration":
        """The configuration that the engine hands over: a text for each `project:key`, JSON where it is no plain text.

        Raises:
            DeployError: a key that nobody reads, or a value that is not of its form.
        """
        mine = {key.removeprefix(f"{project}:"): text for key, text in texts.items() if key.startswith(f"{project}:")}
        hidden = {key.removeprefix(f"{project}:") for key in secret}
        said = {key: _value(key, text) for key, text in mine.items()}
        known = {key: {**_defaults(key, value), **value} for key, value in said.items() if isinstance(value, dict)}
        whole = {**_default_values(), **said, **known}
        lines = [*_misspelt_projects(project, texts), *_wrong(whole, hidden)]
        if lines:
            raise DeployError(*lines)
        whole["inventory"] = {key: value for key, value in whole["inventory"].items() if key != "token"}
        return cls(whole, frozenset(hidden & whole.keys()))

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 -- as its schema has it
        """The value of a key."""
        return self.values[key]

    def check_cells(self, cells: Collection[str]) -> None:
        """Check that what is led to an API server are cells of the build.

        Raises:
            DeployError: a name is of none.
        """
        known = f"the cells are {', '.join(cells) or 'none'}"
        names = sorted(set(self.values["kubernetes"].get("contexts", {})) - set(cells))
        lines = [f"the configuration key kubernetes names {shown(name)[1:-1]}; {known}" for name in names]
        if lines:
            raise DeployError(*lines)

    def guarded(self, key: str, value: Any = None) -> Any:  # noqa: ANN401 -- as above
        """The value of a key, or what was made of it, for a resource: what is secret here is secret in the state."""
        value = self.values[key] if value is None else value
        return pulumi.Output.secret(value) if key in self.secret else value


@cache
def schema() -> Mapping[str, Any]:
    """What a configuration may say; `Pulumi.yaml` declares the same keys to the engine."""
    document: Mapping[str, Any] = json.loads((data("schemas") / SCHEMA).read_bytes())
    return document


def _default_values() -> dict[str, Any]:
    return {key: rule["default"] for key, rule in schema()["properties"].items()}


def _value(key: str, text: str) -> Any:  # noqa: ANN401 -- whatever was written
    """What the engine's text for a key says; the text itself where that is not JSON, or is wanted as it is."""
    rule = schema()["properties"].get(key, {})
    if rule.get("type", "string") == "string":
        return text or rule.get("default", text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _defaults(key: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Defaults of the keys below a key, unless it is of another kind than they are."""
    default: Any = schema()["properties"].get(key, {}).get("default")
    if not isinstance(default, dict):
        return {}
    return default if value.get("kind", default.get("kind")) == default.get("kind") else {}


def _misspelt_projects(project: str, texts: Mapping[str, str]) -> Iterator[str]:
    """A line for each key of ours under a name that is nearly the project's: nobody reads it there."""
    for key in sorted(texts):
        space, _, name = key.partition(":")
        if space != project and name in schema()["properties"] and get_close_matches(space, [project]):
            yield f"the configuration key {key} is read by nobody; did you mean {project}:{name}?"


def _wrong(values: Mapping[str, Any], secret: Collection[str]) -> Iterator[str]:
    """A line for everything that is wrong, each once."""
    errors = Draft202012Validator(schema()).iter_errors(values)
    findings = dict.fromkeys(finding for error in errors for finding in findings_of(error, lambda rule: rule))
    yield from dict.fromkeys(_in_words(finding, secret) for finding in findings)
    if findings:
        return
    if "token" in values["inventory"] and "inventory" not in secret:
        remedy = "renew it and run pulumi config set --secret --path inventory.token"
        yield f"the configuration key inventory: token stands there for all to read; {remedy}"
    after = values["publish"].get("after", "")
    try:
        first = shlex.split(after)[:1]
    except ValueError as error:
        yield f"the configuration key publish: after is no command ({str(error).lower()}); close what it opens"
    else:
        if after and not "".join(first).strip():
            yield "the configuration key publish: after begins with an empty word; write a command"


def _in_words(finding: Finding, secret: Collection[str]) -> str:
    """One line of a finding, without a value that may be secret."""
    keys = [shown(str(step))[1:-1] for step in finding.path]
    said = finding.message
    is_command = keys[-1:] == ["after"] and finding.code != _OF_A_TYPE  # words of a command may be secret
    if finding.code not in _NAMES_A_KEY and ({*keys[:1]} & set(secret) or any(map(secret_key, keys)) or is_command):
        said = f"{keys[-1]} is not of its form"
    above = keys[:-1] if finding.code != "S202" else keys
    where = f"the configuration key {'.'.join(above)}: " if above else ""
    if len(keys) == 1 and finding.code not in _NAMES_A_KEY:
        where = "the configuration key "
    return without_secrets(f"{where}{said}{f'; {finding.help}' if finding.help else ''}")
