"""The validator of our JSON Schemas, for documents of people who mean no good as well."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator whose work grows with the document, not with its square."""
    made: Draft202012Validator = _Linear(schema)
    return made


def _unique_items(
    _validator: object,
    asked: bool,  # noqa: FBT001 - jsonschema's own call
    value: object,
    _rule: object,
) -> Iterator[ValidationError]:
    """Jsonschema's own compares every two items of a list that cannot be sorted."""
    if asked and isinstance(value, list) and len({repr(item) for item in value}) < len(value):
        yield ValidationError("an item stands twice")


_Linear: Any = extend(Draft202012Validator, {"uniqueItems": _unique_items})  # type: ignore[no-untyped-call]
