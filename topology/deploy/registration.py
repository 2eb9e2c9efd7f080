"""The provider that registers records of the plan in the site inventory."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from pulumi.dynamic import UpdateResult

from topology.deploy.inventory import Inventory, open_inventory
from topology.deploy.provider import SiteProvider
from topology.deploy.stop import DeployError
from topology.plan import store
from topology.plan.owners import Owners
from topology.plan.record_tables import Records
from topology.plan.records import Register, by_owner, digest

_reading = Lock()  # the engine calls from several threads; the tables are read once


class RegistrationProvider(SiteProvider):
    """Makes the inventory hold exactly the records of one owner.

    The state keeps the digest of the records, and the token of the inventory when they were written (`registered`).
    """

    written = "registered"
    compared = ("owner", "digest", "counts", "facts", "inventory")

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Write the records anew, first taking them from where they no longer belong."""
        records = self._records(news)
        if any(olds.get(key) != news.get(key) for key in ("owner", "inventory")):
            _inventory(olds).remove(olds["owner"])
        return UpdateResult(self._state(news, _inventory(news).write(news["owner"], records)))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Remove the records of this owner, and nothing else."""
        _inventory(props).remove(props["owner"])

    def _write(self, props: Mapping[str, Any]) -> dict[str, Any]:
        return self._state(props, _inventory(props).write(props["owner"], self._records(props)))

    def _standing(self, props: Mapping[str, Any]) -> str | None:
        return _inventory(props).token(props["owner"])

    def _records(self, props: Mapping[str, Any]) -> Records:
        """Records of the plan for an owner, proved to be those that the state is to name.

        Raises:
            DeployError: the tables are not those of the inventory file.
        """
        cluster, stage, name = props["owner"].split("/")
        folder = self._build
        with _reading:
            found = _stage_records(folder, (folder / "plan.json").stat().st_mtime_ns, stage)
        records = found.get(name, {})
        if digest(records) != props["digest"]:
            message = f"{folder}/tables are not those of {cluster} stage {stage}"
            raise DeployError(f"{message}; run topology build again, and nothing beside it")
        return records


@cache
def _stage_records(folder: Path, changed_ns: int, stage: str) -> Mapping[str, Records]:
    """Records that a stage adds, by owner."""
    del changed_ns  # another build in the same folder is another plan
    tables = store.scan(folder)
    names = tables["stages"].select("stage", "name").collect()
    number = dict(names.select("name", "stage").iter_rows())[stage]
    return dict(by_owner(Register(tables, Owners.of(tables)).stage(number)))


def _inventory(props: Mapping[str, Any]) -> Inventory:
    return open_inventory(props["inventory"])
