"""Records of a stage, from the tables of its build."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock

import polars as pl

from topology.deploy.stop import DeployError
from topology.plan import store
from topology.views.record_tables import Records
from topology.views.records import Register, by_owner, digest

_reading = Lock()  # the engine calls from several threads; the tables are read once


def records(folder: Path, owner: str, wanted: str) -> Records:
    """Records of an owner, such as colossus/s1/unit-h100-0001, that have the digest wanted.

    Raises:
        DeployError: the tables are not those of the inventory file, or of this version of the program.
    """
    cluster, stage, name = owner.split("/")
    with _reading:
        try:
            found = _stage_records(folder, (folder / "plan.json").stat().st_mtime_ns, stage)
        except OSError as error:
            raise DeployError(f"{error.filename or folder}: {error.strerror}; run topology build again") from None
        except (pl.exceptions.PolarsError, KeyError):
            message = f"{folder}/tables are of another version of the program, or of another spec"
            raise DeployError(f"{message}; run topology build again") from None
    mine = found.get(name, {})
    if digest(mine) != wanted:
        message = f"{folder}/tables are not those of {cluster} stage {stage}"
        raise DeployError(f"{message}; run topology build again, and nothing beside it")
    return mine


@cache
def _stage_records(folder: Path, changed_ns: int, stage: str) -> Mapping[str, Records]:
    """Records that a stage adds, by owner."""
    del changed_ns  # another build in the same folder is another plan
    tables = store.scan(folder)
    names = tables["stages"].select("stage", "name").collect()
    number = dict(names.select("name", "stage").iter_rows())[stage]
    return dict(by_owner(Register.of(tables).stage(number)))
