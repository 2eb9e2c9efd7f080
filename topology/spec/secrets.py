"""Rule S001: no secret stands in a spec. Its findings never quote the value."""

from collections.abc import Iterator

from topology.findings import Finding, Path
from topology.rules import found
from topology.source.redaction import secret_key, secret_value

_HELP = "keep it in a vault and name it under a key that ends in _ref; renew it, it has been in a file"


def secrets(value: object, path: Path = ()) -> Iterator[Finding]:
    """Findings of values that are secrets by their key or by their form, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            if secret_value(key):
                yield found("S001", "a key that is a secret", path, _HELP)
            elif secret_key(key) and item is not None:
                yield found("S001", f"a secret under {key[:40]}", (*path, key), _HELP)
            else:
                yield from secrets(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from secrets(item, (*path, place))
    elif isinstance(value, str) and secret_value(value):
        yield found("S001", "a text that is a key, a token or a password", path, _HELP)
