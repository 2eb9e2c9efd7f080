"""The inventory in a server: what differs from the records is made, changed or deleted, and nothing else is touched.

Ours is an object whose custom field `topology_owner` names the owner. What a site adds to it (serial number, asset
tag, status, comments, tags) is not compared and stays. A device that was renamed or moved by hand, a mark that was
changed, a cable that was taken out is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from topology.catalog.load import load
from topology.catalog.model import Catalog
from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.records import TABLES, Records, checked
from topology.deploy.inventory.server.ground import Ground
from topology.deploy.inventory.server.objects import ENDPOINTS, KINDS, OWNER, TEXT, Objects, digest, objects
from topology.deploy.inventory.server.products import DeviceType, device_types
from topology.deploy.inventory.server.references import OWNED
from topology.deploy.inventory.server.rest import RestServer, Row, Schema
from topology.deploy.inventory.server.settings import ServerSettings

# What would go or be left without a footing when an object goes: what leans on it, its kind, the filter that asks.
LEANING = {
    "panels": (("power feed", "feeds", "panel"),),
    "racks": (("device", "devices", "rack"), ("power feed", "feeds", "rack")),
    "devices": (("cable", "cables", "cabled device"),),
}
NAMED_AND_OWNED: Schema = {**OWNED, "name": TEXT}
LABELLED_AND_OWNED: Schema = {**OWNED, "display": TEXT}


class ServerInventory(ABC):
    """Objects of every owner in one server.

    Raises:
        InventoryError: In every method, when the server refuses or cannot be reached.
    """

    begins: ClassVar[Mapping[str, Row]]  # fields that a new object of a kind begins with; then they are the site's own

    def __init__(self, settings: ServerSettings, server: RestServer) -> None:
        self._settings = settings
        self.server = server
        self._marked = False  # until the custom fields are seen to be there

    @abstractmethod
    def has_marks(self) -> bool:
        """Whether the server has the custom field that says whose an object is."""

    @abstractmethod
    def of_kind(self, kind: str, owner: str, site: str) -> pl.DataFrame:
        """Objects of one kind that carry `owner`: `id`, then the columns of the kind; sorted by key.

        `site` is the name of the site. A reference to something that is not there any more is null.
        """

    @abstractmethod
    def lay(self, site: str, wanted: Objects, types: Sequence[DeviceType]) -> Ground:
        """What `wanted` stands on at the site of this name, made where it is missing."""

    @abstractmethod
    def rows(self, on: Ground, owner: str, kind: str, wanted: pl.DataFrame) -> list[Row]:
        """Objects as the server takes them, in the order of `wanted`; what they refer to is `on` the ground."""

    def write(self, owner: str, records: Records) -> str:
        """Token of exactly these records, which now stand for `owner`; nothing is sent where they stand already.

        Raises:
            InventoryError: A record is malformed, refers to something that is not there, or is claimed by
                another owner or by nobody.
        """
        given = checked(owner, records)
        catalog = load(self._settings.catalog)
        wanted = objects(given, catalog)
        there = self._standing(owner)
        if digest(there) != digest(wanted):
            self._make(owner, wanted, there, given, catalog)
            there = self._standing(owner, [kind for kind in KINDS if kind in wanted or kind in there])
            self._same(owner, wanted, there)
        return digest(there)

    def token(self, owner: str) -> str | None:
        """Digest of the objects that carry `owner`, as the server has them now; None without any."""
        there = self._standing(owner)
        return digest(there) if there else None

    def remove(self, owner: str) -> None:
        """Delete the objects that carry `owner`; what they stand on (locations, types, roles) stays.

        Raises:
            InventoryError: Something that is not the owner's leans on them: a device in a rack, a cable in a
                port. Nothing is deleted then.
        """
        there = self._standing(owner)
        self._delete(owner, there)

    def _standing(self, owner: str, kinds: Iterable[str] = KINDS) -> dict[str, pl.DataFrame]:
        """Objects that carry `owner`, by kind; kinds without an object are left out."""
        self._marked = self._marked or self.has_marks()
        found = {kind: self.of_kind(kind, owner, self._site(owner)) for kind in kinds} if self._marked else {}
        return {kind: frame for kind, frame in found.items() if frame.height}

    def _site(self, owner: str) -> str:
        return self._settings.site or owner.partition("/")[0]

    def _make(
        self, owner: str, wanted: Objects, there: Objects, given: Mapping[str, pl.DataFrame], catalog: Catalog
    ) -> None:
        changes = {kind: Change.of(kind, wanted.get(kind), there.get(kind)) for kind in KINDS}
        ground = self.lay(self._site(owner), wanted, _types(given, catalog))
        for kind, change in changes.items():
            self._claimed(owner, kind, change.missing, ground)
        extra = {kind: change.extra for kind, change in changes.items()}
        renamed = changes["devices"].changed.height > 0
        if renamed:  # until that is mended, their cables seem to end elsewhere
            extra["cables"] = extra["cables"].join(changes["cables"].missing, on="key", how="anti")
        self._delete(owner, extra, kept=there)
        for kind, change in changes.items():
            if kind != "cables" or not renamed:
                self._send(owner, kind, change, ground)
        if renamed:
            cables = self.of_kind("cables", owner, self._site(owner))
            left = Change.of("cables", wanted.get("cables"), cables)
            self.server.delete(ENDPOINTS["cables"], left.extra["id"].to_list())
            self._send(owner, "cables", left, ground)

    def _send(self, owner: str, kind: str, change: "Change", ground: Ground) -> None:
        """Create what is missing and change what is otherwise."""
        if change.missing.height:
            new = self.rows(ground, owner, kind, change.missing)
            self.server.create(ENDPOINTS[kind], [{**row, **self.begins[kind]} for row in new])
        if change.changed.height:
            new = self.rows(ground, owner, kind, change.changed)
            ids = change.changed["id"]
            self.server.update(ENDPOINTS[kind], [{"id": each, **row} for each, row in zip(ids, new, strict=True)])

    def _claimed(self, owner: str, kind: str, missing: pl.DataFrame, ground: Ground) -> None:
        """Refuse to make an object whose name is taken at the site, by another owner or by hand."""
        if kind == "cables" or missing.is_empty():
            return
        found = self.server.read_each(
            ENDPOINTS[kind], NAMED_AND_OWNED, "name", missing["name"], **self.server.at(ground.site)
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
        """Delete objects of `owner`, cables first; before the first one, see that nothing leans on any of them."""
        for kind, leaning in LEANING.items():
            if kind in extra and extra[kind].height:
                for asked in leaning:
                    self._leaning(owner, kind, extra[kind], asked, kept or extra)
        for kind in reversed(list(KINDS)):
            if kind in extra and extra[kind].height:
                self.server.delete(ENDPOINTS[kind], extra[kind]["id"].to_list())

    def _leaning(self, owner: str, kind: str, frame: pl.DataFrame, asked: tuple[str, str, str], mine: Objects) -> None:
        """Refuse to delete objects of `kind` while something leans on one of them that is not among `mine`."""
        what, leaner, by = asked
        found = self.server.read_each(ENDPOINTS[leaner], LABELLED_AND_OWNED, self.server.filters[by], frame["id"])
        known = mine[leaner]["id"] if leaner in mine else pl.Series([], dtype=TEXT)  # ids are unique in a kind only
        others = found.filter(~pl.col("id").is_in(known.implode())).sort("display")
        if others.height:
            row = others.row(0, named=True)
            whose = row["custom_fields"][OWNER] or "no owner here"
            raise InventoryError(
                f"{owner}: {kind} stay, {what} {row['display']} of {whose} is on one of {frame['key'][0]} "
                f"to {frame['key'][-1]}; {others.height} in all",
                "move or remove it, then run it again",
            )

    def _same(self, owner: str, wanted: Objects, there: Objects) -> None:
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
