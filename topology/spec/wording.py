"""What the schema forbids, in words: the value found, and what to write instead.

One function per keyword of the schema; a keyword without one fails a test, not a user.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from topology.findings import Finding, Path, did_you_mean, shown
from topology.rules import found

Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that breaks a rule of the schema."""

    value: Any
    rule: Rule  # with the definition it refers to laid under it
    asked: Any  # what the keyword asks for
    path: Path
    resolve: Callable[[Rule], Rule]

    @property
    def name(self) -> str:
        """Last key of the path with the positions behind it: `network_rows[0]`."""
        keys = [place for place, step in enumerate(self.path) if isinstance(step, str)]
        last = self.path[keys[-1] :] if keys else self.path
        return "".join(f"[{step}]" if isinstance(step, int) else shown(step)[1:-1] for step in last) or str(
            self.rule.get("x-name", "the spec")
        )

    @property
    def help(self) -> str:
        """What the schema says to write instead."""
        return str(self.rule.get("x-hint", ""))

    @property
    def misspelt(self) -> set[str]:
        """Known keys that an unknown one probably means: their absence is no second finding."""
        known = self.rule["properties"]
        return {guess for key in self.value if key not in known for guess in get_close_matches(key, known, n=1)}


def findings_of(error: ValidationError, resolve: Callable[[Rule], Rule]) -> Iterator[Finding]:
    """Findings of one violation; `resolve` lays definitions under the rules that refer to them."""
    rule: Any = error.schema
    if error.validator == "oneOf" and "x-one-of" not in rule:  # of several types, the one that was meant
        error = best_match([error]) or error
        rule = error.schema
    path = tuple(error.absolute_path)
    yield from KEYWORDS[str(error.validator)](
        Violation(error.instance, resolve(rule), error.validator_value, path, resolve)
    )


def describe(value: object) -> str:
    """A value as a sentence names it: its kind, and what it is when that is short."""
    if value is None:
        return "empty (null)"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)} keys" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return str(value).lower() if isinstance(value, bool) else f"{value:,}"


_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def _type(at: Violation) -> Iterator[Finding]:
    yield found("S203", f"{at.name} is {describe(at.value)}, not {_TYPES[at.asked]}", at.path, at.help)


def _const(at: Violation) -> Iterator[Finding]:
    yield found("S203", f"{at.name} is {describe(at.value)}, not the number {at.asked}", at.path, at.help)


def _enum(at: Violation) -> Iterator[Finding]:
    guess = did_you_mean(str(at.value), [str(word) for word in at.asked])
    help_ = guess if isinstance(at.value, str) or not at.help else at.help
    said = shown(at.value) if isinstance(at.value, str) else describe(at.value)
    yield found("S205", f"{at.name} is {said}, not one of its values", at.path, help_)


def _pattern(at: Violation) -> Iterator[Finding]:
    yield found(at.rule.get("x-code", "S206"), f"{at.name} is {shown(at.value)}, not of its form", at.path, at.help)


def _limit(code: str, words: str) -> Callable[[Violation], Iterator[Finding]]:
    def limit(at: Violation) -> Iterator[Finding]:
        said = words.format(f"{at.asked:,}")
        yield found(code, f"{at.name} is {describe(at.value)}; {said}", at.path, at.help)

    return limit


def _unknown(at: Violation) -> Iterator[Finding]:
    known = at.rule["properties"]
    for key in at.value:
        if key in known:
            continue
        help_ = did_you_mean(key, known)
        if ":" in key:
            help_ = f"write a space behind the colon: {shown(key.replace(':', ': ', 1).rstrip())[1:-1]}"
        yield found("S201", f"unknown key {shown(key)} in {at.name}", (*at.path, key), help_)


def _required(at: Violation) -> Iterator[Finding]:
    misspelt = at.misspelt
    for key in at.asked:
        if key not in at.value and key not in misspelt:
            wanted = at.resolve(at.rule["properties"][key])
            yield found("S202", f"key '{key}' is missing in {at.name}", at.path, _addition(key, wanted))


def _addition(key: str, rule: Rule) -> str:
    example = rule.get("examples", [None])[0]
    written = example if isinstance(example, str | int | float) else rule.get("const", "...")
    sentence = str(rule["description"]).split(". ", maxsplit=1)[0]
    return f"add {key}: {written}; {sentence}"


def _dependent(at: Violation) -> Iterator[Finding]:
    for key, others in at.asked.items():
        for other in others:
            if key in at.value and other not in at.value:
                yield found("S202", f"{key} is given without {other}", (*at.path, key), f"add {other}")


def _one_of(at: Violation) -> Iterator[Finding]:
    choices: Sequence[str] = at.rule.get("x-one-of", ())
    if choices and not isinstance(at.value, Mapping):
        return  # said already: it has the wrong type
    if not choices:  # a choice of types, and none of them is close
        yield found("S203", f"{at.name} is {describe(at.value)}", at.path, at.help)
        return
    given = [key for key in choices if key in at.value]
    words = f"{', '.join(choices[:-1])} and {choices[-1]}"
    if given:
        message = f"{' and '.join(given)} are given in {at.name}"
        yield found("S207", message, (*at.path, given[1]), f"keep one of {words}")
    elif not at.misspelt & set(choices):
        yield found("S202", f"none of {words} is given in {at.name}", at.path, "add exactly one of them")


def _unique(at: Violation) -> Iterator[Finding]:
    """One finding per value that a list repeats, at its second place."""
    counts: dict[str, int] = {}
    for place, item in enumerate(at.value):
        counts[repr(item)] = counts.get(repr(item), 0) + 1
        if counts[repr(item)] == 2:  # noqa: PLR2004 - the first repetition
            yield found("S210", f"{at.name} names {shown(item)} again", (*at.path, place), "delete it")


KEYWORDS: Mapping[str, Callable[[Violation], Iterator[Finding]]] = {
    "additionalProperties": _unknown,
    "const": _const,
    "dependentRequired": _dependent,
    "enum": _enum,
    "exclusiveMinimum": _limit("S204", "it must be above {}"),
    "maxItems": _limit("S209", "the most is {}"),
    "maxLength": _limit("S209", "the most is {} characters"),
    "maxProperties": _limit("S209", "the most is {} keys"),
    "maximum": _limit("S204", "the most is {}"),
    "minItems": _limit("S209", "at least {} is wanted"),
    "minLength": _limit("S209", "the least is {} characters"),
    "minProperties": _limit("S209", "at least {} is wanted"),
    "minimum": _limit("S204", "the least is {}"),
    "oneOf": _one_of,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
    "uniqueItems": _unique,
}
