"""The inventory: what stands at the site, written by the resources of a deployment, one owner each.

A token is the SHA-256 of what the inventory holds for an owner, read back from it. After `write` it stays the same
until somebody changes the inventory, so that `pulumi refresh` sees every change made by hand.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from topology.deploy.edits import Edit
from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.records import TABLES, Records
from topology.deploy.inventory.server.settings import server_settings

__all__ = ["TABLES", "Inventory", "InventoryError", "Records", "open_inventory"]


class Inventory(Protocol):
    """Where records of owners stand. Every method raises InventoryError when the inventory cannot be reached."""

    def write(self, owner: str, records: Records) -> str:
        """Token of exactly these records, which now stand for `owner`."""
        ...

    def token(self, owner: str) -> str | None:
        """Token of what stands for `owner` now; None when nothing does."""
        ...

    def is_lost(self, owner: str) -> bool:
        """Whether nothing stands for `owner`, as far as that is known without asking a server."""
        ...

    def edits(self, owner: str, records: Records) -> Iterator[Edit]:
        """What stands for `owner` otherwise than these records, which were written for it."""
        ...

    def remove(self, owner: str) -> None:
        """Take away what `write` made for `owner`, and nothing else; gone already is fine."""
        ...


def open_inventory(config: Mapping[str, Any], token: str = "") -> Inventory:
    """The inventory that `config` names: `{"kind": "sqlite", "path": "site.db"}`, or a server's.

    Nothing is opened or asked yet. A token of a server is never in `config`: it is given, or that names what holds it.

    Raises:
        InventoryError: An unknown kind or key, a missing one, or the package of the kind is not installed.
    """
    kind = str(config.get("kind"))
    if kind not in _KINDS:
        raise InventoryError(f"inventory: kind {kind} is unknown", f"write one of {', '.join(sorted(_KINDS))}")
    return _KINDS[kind](config, token)


def _sqlite(config: Mapping[str, Any], _token: str) -> Inventory:
    from topology.deploy.inventory.sqlite import SqliteInventory  # noqa: PLC0415 -- only the backend in use is loaded

    unknown = sorted(set(config) - {"kind", "path"})
    if unknown:
        raise InventoryError(f"inventory: sqlite knows no key {unknown[0]}", "it takes kind and path")
    if not isinstance(config.get("path"), str) or not config["path"]:
        raise InventoryError("inventory: sqlite needs a path", "write path: site.db, the file that holds it")
    return SqliteInventory(Path(config["path"]))


def _nautobot(config: Mapping[str, Any], token: str) -> Inventory:
    with _check_installed("nautobot"):
        from topology.deploy.inventory.nautobot import Nautobot  # noqa: PLC0415 -- as above
        from topology.deploy.inventory.server.inventory import ServerInventory  # noqa: PLC0415
    settings = server_settings(config, "NAUTOBOT_TOKEN", token)
    return ServerInventory(settings, Nautobot(settings))


def _netbox(config: Mapping[str, Any], token: str) -> Inventory:
    with _check_installed("netbox"):
        from topology.deploy.inventory.netbox import Netbox  # noqa: PLC0415 -- as above
        from topology.deploy.inventory.server.inventory import ServerInventory  # noqa: PLC0415
    settings = server_settings(config, "NETBOX_TOKEN", token)
    return ServerInventory(settings, Netbox(settings))


@contextmanager
def _check_installed(kind: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise InventoryError(
            f"inventory: {kind} needs the package {error.name}", f'run: pip install "cluster-topology[{kind}]"'
        ) from error


_KINDS: Mapping[str, Callable[[Mapping[str, Any], str], Inventory]] = {
    "nautobot": _nautobot,
    "netbox": _netbox,
    "sqlite": _sqlite,
}
