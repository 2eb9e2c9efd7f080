"""The provider that registers records of the plan in the site inventory."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from topology.deploy.inventory import Inventory, open_inventory
from topology.deploy.stop import DeployError
from topology.plan import store
from topology.plan.owners import Owners
from topology.plan.record_tables import Records
from topology.plan.records import Register, by_owner, digest

COMPARED = ("owner", "digest", "counts", "facts", "inventory")
_reading = Lock()  # the engine calls from several threads; the tables are read once


class RegistrationProvider(ResourceProvider):
    """Makes the inventory hold exactly the records of one owner.

    The state keeps the digest of the records, the token of the inventory when they were written
    (`registered`) and when they were last read (`standing`); where the two differ, somebody edited.
    """

    serialize_as_secret_always = False  # it has no secrets, and its state should be read in a review
    _plan: str = ".."

    def configure(self, req: ConfigureRequest) -> None:
        """Take the folder of the build from the stack's configuration."""
        self._plan = req.config.get("plan") or ".."

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Write the records. Done twice it is done once, so an update that was killed can be run again."""
        token = _inventory(props).write(props["owner"], self._records(props))
        return CreateResult(props["owner"], {**props, "registered": token, "standing": token})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether the plan or the inventory changed."""
        edited = olds.get("registered") != olds.get("standing")
        return DiffResult(changes=edited or any(olds.get(key) != news.get(key) for key in COMPARED))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Write the records anew, first taking them from where they no longer belong."""
        records = self._records(news)
        if any(olds.get(key) != news.get(key) for key in ("owner", "inventory")):
            _inventory(olds).remove(olds["owner"])
        token = _inventory(news).write(news["owner"], records)
        return UpdateResult({**news, "registered": token, "standing": token})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What stands in the inventory now; no id when nothing does."""
        token = _inventory(props).token(props["owner"])
        return ReadResult(id_, {**props, "standing": token}) if token else ReadResult("", {})

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Remove the records of this owner, and nothing else."""
        _inventory(props).remove(props["owner"])

    def _records(self, props: Mapping[str, Any]) -> Records:
        """Records of the plan for an owner, proved to be those that the state is to name.

        Raises:
            DeployError: the tables are not those of the inventory file.
        """
        cluster, stage, name = props["owner"].split("/")
        folder = Path(self._plan)
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
