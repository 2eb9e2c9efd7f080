"""How an inventory server is reached: its address, and the name of what holds the token."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from topology.artifacts.output.refusal import shown
from topology.deploy.inventory.error import InventoryError
from topology.deploy.secrets import without_secrets

KEYS = ("kind", "url", "token_env", "token_file", "ca_file", "site", "catalog")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of one server. The token is shown nowhere."""

    url: str  # may hold a password, so messages show `address`
    token: "Secret"
    ca_file: str  # the authority that signed its certificate; empty: those of the machine
    site: str  # name of the site there; empty: the cluster's, which owners begin with
    catalog: Path | None  # the user's own products

    @property
    def address(self) -> str:
        """The address as messages show it."""
        return without_secrets(self.url)


class Secret:
    """A text that is not printed."""

    def __init__(self, text: str, told_by: str) -> None:
        self.text, self.told_by = text, told_by

    def __repr__(self) -> str:
        return f"<secret of {self.told_by}>"


def server_settings(config: Mapping[str, Any], default_env: str, token: str = "") -> ServerSettings:
    """Settings that `config` gives; the token is the one given, or is read from the environment or a file.

    Raises:
        InventoryError: An unknown or missing key, or no token where `config` says it is.
    """
    kind = config["kind"]
    if "token" in config:
        raise InventoryError(
            f"inventory: {kind} takes no token in the configuration, which is stored and shown",
            f"run pulumi config set --secret --path inventory.token, or name what holds it: token_env: {default_env}",
        )
    unknown = sorted(set(config) - set(KEYS))
    if unknown:
        raise InventoryError(f"inventory: {kind} knows no key {unknown[0]}", f"it takes {', '.join(KEYS)}")
    wrong = sorted(key for key in config if not isinstance(config[key], str))
    if wrong:
        raise InventoryError(f"inventory: {wrong[0]} is no text", "write it in quotes")
    url = config.get("url", "")
    try:
        parts = urlsplit(url)
    except ValueError:  # half of an address in brackets
        parts = None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InventoryError(
            f"inventory: {without_secrets(url)!r} is no address of a {kind}", "write url: https://host"
        )
    ca_file = config.get("ca_file", "")
    if ca_file and not Path(ca_file).is_file():
        raise InventoryError(f"inventory: no file {ca_file}", "ca_file names a PEM file of certificates")
    folder = config.get("catalog", "")
    return ServerSettings(
        url=url.rstrip("/"),
        token=Secret(token, "the secret inventory.token") if token else _token(config, default_env),
        ca_file=ca_file,
        site=config.get("site", ""),
        catalog=Path(folder) if folder else None,
    )


def _token(config: Mapping[str, Any], default_env: str) -> Secret:
    path = config.get("token_file")
    if path:
        try:
            return Secret(Path(path).read_text(encoding="ascii").strip(), path)
        except (OSError, ValueError) as error:  # a path may hold a NUL, a token what is no ASCII
            raise InventoryError(
                f"inventory: the token cannot be read from {shown(path)}", "token_file names it"
            ) from error
    name = config.get("token_env", default_env)
    token = os.environ.get(name, "").strip()
    if not token:
        raise InventoryError(
            f"inventory: the environment has no {name}", f"export {name}=…, or name a file that holds it: token_file"
        )
    return Secret(token, name)
