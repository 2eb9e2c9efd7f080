"""The inventory in a server: what differs from the records is made, changed or deleted, and nothing else is touched.

Ours is an object whose custom field `topology_owner` names the owner. What a site adds to it (serial number, asset
tag, status, comments, tags) is not compared and stays. A device that was renamed or moved by hand, a mark that was
changed, a cable that was taken out is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from topology.catalog.load import load
from topology.catalog.model import Catalog
from topology.deploy.edits import Edit
from topology.deploy.inventory.compare import edits_of_frames
from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.records import TABLES, Records, check_records
from topology.deploy.inventory.server.objects import ENDPOINTS, KINDS, OWNER, TEXT, Objects, digest, objects
from topology.deploy.inventory.server.prerequisites import Prerequisites, has_marks, make_prerequisites
from topology.deploy.inventory.server.products import DeviceType, device_types
from topology.deploy.inventory.server.reading import read_objects
from topology.deploy.inventory.server.references import OWNED
from topology.deploy.inventory.server.rest import RestServer, Schema
from topology.deploy.inventory.server.settings import ServerSettings
from topology.deploy.inventory.server.writing import rows

# What would go with an object or be left without it: what depends on it, its kind, the filter that asks.
DEPENDENTS = {
    "panels": (("power feed", "feeds", "panel"),),
    "racks": (("device", "devices", "rack"), ("power feed", "feeds", "rack")),
    "devices": (("cable", "cables", "cabled device"),),
}
NAMED_AND_OWNED: Schema = {**OWNED, "name": TEXT}
LABELLED_AND_OWNED: Schema = {**OWNED, "display": TEXT}


class ServerInventory:
    """Objects of every owner in one server.

    Raises:
        InventoryError: In every method, when the server refuses or cannot be reached.
    """

    def __init__(self, settings: ServerSettings, server: RestServer) -> None:
        self._settings = settings
        self.server = server
        self._marked = False  # until the custom fields are seen to be there

    def write(self, owner: str, records: Records) -> str:
        """Token of exactly these records, which now stand for `owner`; nothing is sent where they stand already.

        Raises:
            InventoryError: A record is malformed, refers to something that is not there, or is claimed by
                another owner or by nobody.
        """
        given = check_records(owner, records)
        catalog = load(self._settings.catalog)
        wanted = objects(given, catalog)
        there = self._objects(owner)
        if digest(there) != digest(wanted):
            self._make(owner, wanted, there, given, catalog)
            there = self._objects(owner, [kind for kind in KINDS if kind in wanted or kind in there])
            self._check_same(owner, wanted, there)
        return digest(there)

    def token(self, owner: str) -> str | None:
        """Digest of the objects that carry `owner`, as the server has them now; None without any."""
        there = self._objects(owner)
        return digest(there) if there else None

    def is_lost(self, owner: str) -> bool:
        """Never, as far as is known without a question: everybody who deploys shares the server."""
        del owner
        return False

    def edits(self, owner: str, records: Records) -> Iterator[Edit]:
        """Objects that carry `owner` and are not as these records ask for, field by field."""
        wanted = objects(check_records(owner, records), load(self._settings.catalog))
        yield from edits_of_frames(self._objects(owner), wanted, dict.fromkeys(KINDS, ("key",)))

    def remove(self, owner: str) -> None:
        """Delete the objects that carry `owner`; what they refer to (locations, types, roles) stays.

        Raises:
            InventoryError: Something that is not the owner's depends on them: a device in a rack, a cable in a
                port. Nothing is deleted then.
        """
        there = self._objects(owner)
        self._delete(owner, there)

    def _objects(self, owner: str, kinds: Iterable[str] = KINDS) -> dict[str, pl.DataFrame]:
        """Objects that carry `owner`, by kind; kinds without an object are left out."""
        self._marked = self._marked or has_marks(self.server)
        found = {kind: self._read(kind, owner) for kind in kinds} if self._marked else {}
        return {kind: frame for kind, frame in found.items() if frame.height}

    def _read(self, kind: str, owner: str) -> pl.DataFrame:
        """Objects of one kind that carry `owner`, with their ids."""
        return read_objects(self.server, kind, owner, self._site(owner))

    def _site(self, owner: str) -> str:
        """Name of the site of an owner."""
        return self._settings.site or owner.partition("/")[0]

    def _make(
        self, owner: str, wanted: Objects, there: Objects, given: Mapping[str, pl.DataFrame], catalog: Catalog
    ) -> None:
        changes = {kind: Change.of(kind, wanted.get(kind), there.get(kind)) for kind in KINDS}
        prerequisites = make_prerequisites(self.server, self._site(owner), wanted, _types(given, catalog))
        for kind, change in changes.items():
            self._refuse_taken(owner, kind, change.missing, prerequisites)
        extra = {kind: change.extra for kind, change in changes.items()}
        renamed = changes["devices"].changed.height > 0
        if renamed:  # until that is mended, their cables seem to end elsewhere
            extra["cables"] = extra["cables"].join(changes["cables"].missing, on="key", how="anti")
        self._delete(owner, extra, kept=there)
        for kind, change in changes.items():
            if kind != "cables" or not renamed:
                self._send(owner, kind, change, prerequisites)
        if renamed:
            cables = self._read("cables", owner)
            left = Change.of("cables", wanted.get("cables"), cables)
            self.server.delete(ENDPOINTS["cables"], left.extra["id"].to_list())
            self._send(owner, "cables", left, prerequisites)

    def _send(self, owner: str, kind: str, change: "Change", prerequisites: Prerequisites) -> None:
        """Create what is missing and change what is otherwise."""
        if change.missing.height:
            new = rows(self.server, prerequisites, owner, kind, change.missing)
            self.server.create(ENDPOINTS[kind], [{**row, **self.server.begins.get(kind, {})} for row in new])
        if change.changed.height:
            new = rows(self.server, prerequisites, owner, kind, change.changed)
            ids = change.changed["id"]
            self.server.update(ENDPOINTS[kind], [{"id": each, **row} for each, row in zip(ids, new, strict=True)])

    def _refuse_taken(self, owner: str, kind: str, missing: pl.DataFrame, prerequisites: Prerequisites) -> None:
        """Refuse to make an object whose name is taken at the site, by another owner or by hand."""
        if kind == "cables" or missing.is_empty():
            return
        found = self.server.read_each(
            ENDPOINTS[kind], NAMED_AND_OWNED, "name", missing["name"], **self.server.at(prerequisites.site)
        ).sort("name")
        if found.height:
            name, other = found["name"][0], found["custom_fields"].struct.field(OWNER)[0]
            if other:
                raise InventoryError(
                    f"{kind} {name} is claimed by {owner} and stands for {other}",
                    f"deploy or remove {other} first, so that it lets go of it",
                )
            raise InventoryError(
                f"{kind} {name} of {owner} is in {self.server.name} and no owner wrote it",
                f"rename or delete it there, or hand it over: custom field {OWNER} = {owner}, topology_key = {name}",
            )

    def _delete(self, owner: str, extra: Objects, kept: Objects | None = None) -> None:
        """Delete objects of `owner`, cables first; before the first one, see that nothing depends on any of them."""
        for kind, dependents in DEPENDENTS.items():
            if kind in extra and extra[kind].height:
                for dependent in dependents:
                    self._refuse_in_use(owner, kind, extra[kind], dependent, kept or extra)
        for kind in reversed(list(KINDS)):
            if kind in extra and extra[kind].height:
                self.server.delete(ENDPOINTS[kind], extra[kind]["id"].to_list())

    def _refuse_in_use(
        self, owner: str, kind: str, frame: pl.DataFrame, dependent: tuple[str, str, str], mine: Objects
    ) -> None:
        """Refuse to delete objects of `kind` while something depends on one of them that is not among `mine`."""
        what, other, by = dependent
        found = self.server.read_each(ENDPOINTS[other], LABELLED_AND_OWNED, self.server.filters[by], frame["id"])
        known = mine[other]["id"] if other in mine else pl.Series([], dtype=TEXT)  # ids are unique in a kind only
        others = found.filter(~pl.col("id").is_in(known.implode())).sort("display")
        if others.height:
            row = others.row(0, named=True)
            whose = row["custom_fields"][OWNER] or "no owner here"
            raise InventoryError(
                f"{owner}: {kind} stay, {what} {row['display']} of {whose} is on one of {frame['key'][0]} "
                f"to {frame['key'][-1]}; {others.height} in all",
                "move or remove it, then run it again",
            )

    def _check_same(self, owner: str, wanted: Objects, there: Objects) -> None:
        """A server may take a row and keep something else; then nothing that says it is written would be true."""
        for kind in KINDS:
            change = Change.of(kind, wanted.get(kind), there.get(kind))
            different = pl.concat([change.extra["key"], change.missing["key"], change.changed["key"]]).sort()
            if different.len():
                raise InventoryError(
                    f"{owner}: {self.server.name} keeps {different.len()} {kind} otherwise than sent, "
                    f"such as {different[0]}",
                    "another program may be changing them; look at its change log",
                )


@dataclass(frozen=True, slots=True)
class Change:
    """What turns the objects of one kind into those that are wanted."""

    extra: pl.DataFrame  # with ids
    missing: pl.DataFrame
    changed: pl.DataFrame  # as wanted, with the ids of those that are there

    @classmethod
    def of(cls, kind: str, wanted: pl.DataFrame | None, there: pl.DataFrame | None) -> "Change":
        """Objects are matched by key. A copy that somebody made is extra; the ends of a cable cannot be changed."""
        schema = KINDS[kind].schema
        wanted = pl.DataFrame(schema=schema) if wanted is None else wanted
        there = pl.DataFrame(schema={**schema, "id": TEXT}) if there is None or there.is_empty() else there
        fixed = ["key", "a_device", "a_port", "b_device", "b_port"] if kind == "cables" else ["key"]
        first = there.filter(pl.struct("key").is_first_distinct())
        kept = first.join(wanted, on=fixed, how="semi")
        return cls(
            extra=there.join(kept, on="id", how="anti"),
            missing=wanted.join(kept, on="key", how="anti"),
            changed=wanted.join(kept.select("key", "id"), on="key").join(
                kept, on=[*schema, "id"], how="anti", nulls_equal=True
            ),
        )


def _types(given: Mapping[str, pl.DataFrame], catalog: Catalog) -> list[DeviceType]:
    """Device types of everything among the records that becomes a device."""
    boxes = [given[name] for name in ("switches", "appliances", "nodes", "batteries") if name in given]
    empty = pl.DataFrame(schema={"name": TEXT, "product": TEXT})
    devices = pl.concat([empty, *(frame.select("name", "product") for frame in boxes)])
    return device_types(devices, given.get("cables", TABLES["cables"].empty()), catalog)
