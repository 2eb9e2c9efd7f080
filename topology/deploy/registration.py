"""The provider that registers records of the plan in the site inventory."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import ConfigureRequest, UpdateResult

from topology.deploy.provider import SiteProvider
from topology.deploy.secrets import inventory_token
from topology.deploy.stop import end_when_asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topology.deploy.edits import Edit
    from topology.deploy.inventory import Inventory
    from topology.views.record_tables import Records


class RegistrationProvider(SiteProvider):
    """Makes the inventory hold exactly the records of one owner.

    The state keeps the digest of the records, and the token of the inventory when they were written (`registered`).
    """

    written = "registered"
    compared = ("owner", "digest", "counts", "facts", "inventory")

    _token: str = ""

    def configure(self, req: ConfigureRequest) -> None:
        """Take also the token of an inventory server, where the configuration keeps it as a secret."""
        super().configure(req)
        self._token = inventory_token(req.config)

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Write the records anew, first taking them from where they no longer belong."""
        records = self._records(news)
        if any(olds.get(key) != news.get(key) for key in ("owner", "inventory")):
            self._inventory(olds).remove(olds["owner"])
        return UpdateResult(self._state(news, self._inventory(news).write(news["owner"], records)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Remove the records of this owner, and nothing else."""
        self._inventory(props).remove(props["owner"])

    def _write(self, props: Mapping[str, Any]) -> dict[str, Any]:
        return self._state(props, self._inventory(props).write(props["owner"], self._records(props)))

    def _read_back(self, props: Mapping[str, Any]) -> str | None:
        return self._inventory(props).token(props["owner"])

    def _records(self, props: Mapping[str, Any]) -> "Records":
        """Records of the plan for an owner, proved to be those that the state is to name."""
        from topology.deploy.stage_records import records  # noqa: PLC0415 -- as in `_inventory`

        end_when_asked()
        return records(self._build, props["owner"], props["digest"])

    def _edits(self, props: Mapping[str, Any]) -> "Iterator[Edit]":
        return self._inventory(props).edits(props["owner"], self._records(props))

    def _gone(self, props: Mapping[str, Any]) -> str:
        kept = props["inventory"].get("path", "")
        return f"the inventory {kept}" if kept and self._inventory(props).is_lost(props["owner"]) else ""

    def _inventory(self, props: Mapping[str, Any]) -> "Inventory":
        """The inventory that a resource is in. A program that has nothing to write never loads what it needs."""
        from topology.deploy.inventory import open_inventory  # noqa: PLC0415

        end_when_asked()
        return open_inventory(props["inventory"], self._token)
