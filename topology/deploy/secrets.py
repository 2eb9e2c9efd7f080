"""What may be secret in a stack's configuration: kept out of messages, and out of what a state shows.

A message shows a command by its first word and an address without its user: an argument may be a password, and so may
anything in front of the `@`.
"""

import json
import re
import shlex
from collections.abc import Iterable
from urllib.parse import unquote

from pulumi.dynamic import Config

from topology.source.redaction import MASK, mask_values, secret_key

_LEAST = 6  # characters of what is masked wherever it stands: `-s`, `up` and `https` are words of many a sentence
# Every repetition is bounded: what a server says may be long, and hostile.
_USER = re.compile(  # a password may hold a slash, or an @ that nobody escaped
    r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://)(?:[^\s/@:]{0,300}:\S{0,300}|[^\s/@]{1,300})@"
)
_PARAMETER = re.compile(r"([?&;])([\w.%-]{1,60})=([^\s&;#'\"]{1,2000})")


def without_secrets(text: str, command: str = "") -> str:
    """A text for a message: no user of an address, no known form of a token, no argument of the command it is about."""
    for word in sorted(_arguments(command), key=len, reverse=True):
        text = text.replace(word, MASK)
    text = _USER.sub(rf"\1{MASK}@", text)
    text = _PARAMETER.sub(_mask_parameter, text)
    return mask_values(text)


def command_in_words(argv: Iterable[str]) -> str:
    """A command as messages show it: its first word alone, `scontrol …` when there are more."""
    first, *others = argv
    return f"{without_secrets(first)} …" if others else without_secrets(first)


def inventory_token(config: Config) -> str:
    """The token that a stack's configuration keeps as the secret `inventory.token`; empty where it has none.

    A provider asks for it when it is configured, so that a token that is renewed changes no resource.
    """
    try:
        said = json.loads(config.get("inventory") or "{}")
    except ValueError:
        return ""
    token = said.get("token") if isinstance(said, dict) else None
    return token if isinstance(token, str) else ""


def _arguments(command: str) -> set[str]:
    """Words of a command but its first, and their parts: `token` and `x` of `token=x` or `token: x`."""
    try:
        words = shlex.split(command)[1:]
    except ValueError:  # a quote is not closed
        words = command.split()[1:]
    parts = [part for word in words for part in re.split(r"[\s=:]+", word)]
    return {word for word in (*words, *parts) if len(word) >= _LEAST}


def _mask_parameter(match: re.Match[str]) -> str:
    mark, name, _ = match.groups()
    return f"{mark}{name}={MASK}" if secret_key(unquote(name)) else match.group()
