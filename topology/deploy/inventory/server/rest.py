"""The REST API of an inventory server in lists of a hundred objects, and what it refuses in one line.

A list is one transaction: all of it stands or nothing. Nothing spans two lists, so a write that is cut off
leaves whole lists; the next write of the same owner makes up the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol

import polars as pl
import requests
from requests.adapters import HTTPAdapter

from topology.deploy.inventory.error import InventoryError
from topology.deploy.inventory.server.objects import KINDS, TEXT
from topology.deploy.inventory.server.products import DeviceType
from topology.deploy.inventory.server.settings import ServerSettings
from topology.deploy.secrets import without_secrets

LIST = 100  # objects of one request; a hundred cables take Nautobot half a minute
ANSWER_S = 300
FORBIDDEN = frozenset({401, 403})

Row = dict[str, Any]
Schema = Mapping[str, pl.DataType]


class Call(Protocol):
    """A request as the client libraries of both servers have it, pages and all."""

    def get(self) -> Iterable[Row]:
        """Every object that the filters leave."""
        ...

    def post(self, data: Sequence[Row]) -> list[Row]:
        """New objects."""
        ...

    def patch(self, data: Sequence[Row]) -> object:
        """Change objects."""
        ...

    def delete(self, data: Sequence[Row]) -> object:
        """Delete objects."""
        ...


class RestServer(ABC):
    """One server. Methods raise InventoryError for everything that it or the way to it refuses."""

    name: ClassVar[str]  # as people write it
    filters: ClassVar[Mapping[str, str]]  # by the id of a site, panel, rack, device, or of a device with a cable
    content: ClassVar[str]  # what it calls the list of kinds that a custom field is for
    field_name: ClassVar[str]  # what it calls the name of a custom field
    field_group: ClassVar[str]  # and the heading under which its pages show one
    new_port: ClassVar[Row]  # what an interface needs beside device, name and type
    begins: ClassVar[Mapping[str, Row]]  # fields that a new object of a kind begins with; then they are the site's own
    fields: ClassVar[Mapping[str, Schema]]  # those that objects are compared by, by kind
    also_sent: ClassVar[Mapping[str, tuple[str, ...]]]  # further ones that a new object needs, by kind
    more_marks: ClassVar[Mapping[str, Schema]] = {}  # columns that it has no field for, by kind
    request: ClassVar[type[Any]]  # of its library
    refused: ClassVar[tuple[type[Exception], ...]]  # what its library raises when the server refuses: has `req`
    unreadable: ClassVar[type[Exception]]  # what its library raises when the answer is no JSON

    def __init__(self, settings: ServerSettings, api: Any) -> None:  # noqa: ANN401 -- of a library without types
        self.url = settings.address
        self._token = settings.token
        self._api = api
        for scheme in ("http://", "https://"):
            api.http_session.mount(scheme, _Patient(settings.ca_file))

    @property
    def rows_are_locations(self) -> bool:
        """Whether a row of racks is a location in its hall; otherwise it is a group of racks."""
        return "rack_group" not in self.fields["racks"]

    def marks(self, kind: str) -> Schema:
        """What custom fields hold of a kind."""
        return {**KINDS[kind].marks, **self.more_marks.get(kind, {})}

    @abstractmethod
    def page(self, schema: Schema) -> Mapping[str, str]:
        """Parameters that ask for long pages and for no more than `schema` has."""

    @abstractmethod
    def new_named(self, name: str) -> Row:
        """A new thing that has nothing but a name."""

    @abstractmethod
    def new_device_type(self, product: DeviceType) -> Row:
        """A new device type, without its maker."""

    @abstractmethod
    def names(self, frame: pl.DataFrame, field: str) -> pl.Series:
        """Names of what `field` refers to; null where it refers to nothing."""

    @abstractmethod
    def locations(self, kind: str, frame: pl.DataFrame, site: str) -> pl.Series:
        """Halls of objects of a kind by name; `SITE` for what stands in none. `site` is the name of the site."""

    @abstractmethod
    def cable_ends(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Cables as the server gives them, with the names of devices and ports."""

    @abstractmethod
    def terminations(self, cables: pl.DataFrame) -> pl.DataFrame:
        """Cables with the ids `a_id` and `b_id` of their ports, as the server takes them."""

    @abstractmethod
    def places(
        self, site: str, halls: Sequence[str], rows: Sequence[tuple[str, str]]
    ) -> tuple[str, dict[str, str], dict[str, str]]:
        """Id of the site, ids of halls and of rows by name, made where missing; `rows` come with their halls."""

    @abstractmethod
    def role_ids(self, roles: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, str]]:
        """Ids of roles by kind and name, made where they are missing."""

    def call(self, endpoint: str, filters: Mapping[str, Any] | None = None) -> Call:
        """A request to `endpoint`, such as dcim/racks."""
        request: Call = self.request(
            base=f"{self._api.base_url}/{endpoint}",
            filters=filters,
            token=self._token.text,
            http_session=self._api.http_session,
        )
        return request

    def at(self, site: str) -> dict[str, str]:
        """The filter that leaves what stands at the site of this id."""
        return {self.filters["site"]: site}

    def read(self, endpoint: str, schema: Schema, **filters: Sequence[str] | str) -> pl.DataFrame:
        """Objects that the filters leave, as a frame of `schema`; ids are texts."""
        with self._explain_errors(f"reading {endpoint}"):
            rows = list(self.call(endpoint, {**filters, **self.page(schema)}).get())
        return pl.from_dicts(rows, schema=dict(schema))

    def read_each(self, endpoint: str, schema: Schema, by: str, values: Iterable[str], **filters: str) -> pl.DataFrame:
        """Objects whose `by` is one of `values`, asked for in lists."""
        parts = [self.read(endpoint, schema, **{by: part}, **filters) for part in lists(sorted(set(values)))]
        return pl.concat([pl.DataFrame(schema=dict(schema)), *parts])

    def create(self, endpoint: str, rows: Sequence[Row]) -> list[str]:
        """Ids of new objects, in the order of `rows`."""
        made: list[str] = []
        for part in lists(rows):
            with self._explain_errors(f"creating {endpoint}", part):
                made += [str(row["id"]) for row in self.call(endpoint).post(part)]
        return made

    def update(self, endpoint: str, rows: Sequence[Row]) -> None:
        """Change objects; each row has the id and what is new."""
        for part in lists(rows):
            with self._explain_errors(f"changing {endpoint}", part):
                self.call(endpoint).patch(part)

    def delete(self, endpoint: str, ids: Sequence[str]) -> None:
        """Delete objects; one that is gone already is fine."""
        for part in lists(ids):
            with self._explain_errors(f"deleting {endpoint}"):
                self.call(endpoint).delete([{"id": each} for each in part])

    def create_missing(self, endpoint: str, known: Mapping[str, str], rows: Sequence[Row]) -> dict[str, str]:
        """Ids of `rows` by name, beside those that are `known`; a row whose name is not is made."""
        new = [row for row in rows if row["name"] not in known]
        made = zip((row["name"] for row in new), self.create(endpoint, new), strict=True)
        return {**known, **dict(made)}

    def ids_of_names(self, endpoint: str, names: Iterable[str]) -> dict[str, str]:
        """Ids of things that have nothing but a name, such as manufacturers; those that are missing are made."""
        wanted = sorted(set(names))
        there = self.read_each(endpoint, {"id": TEXT, "name": TEXT}, "name", wanted)
        return self.create_missing(endpoint, ids_by_name(there), [self.new_named(name) for name in wanted])

    def extend(self, endpoint: str, there: pl.DataFrame, rows: Sequence[Row]) -> dict[str, str]:
        """Ids of `rows` by name; those that are `there` are made good for the kinds that they are not for yet."""
        name = "key" if "key" in there.columns else "name"  # the first is how Nautobot names custom fields
        known = {row[name]: row for row in there.iter_rows(named=True)}
        new = [row for row in rows if row[name] not in known]
        made = dict(zip((row[name] for row in new), self.create(endpoint, new), strict=True))
        content = {
            row[name]: ({*row[self.content]}, {*known[row[name]][self.content]}) for row in rows if row[name] in known
        }
        lacking = [
            {"id": known[each]["id"], self.content: sorted(wanted | has)}
            for each, (wanted, has) in content.items()
            if not wanted <= has
        ]
        self.update(endpoint, lacking)
        return {**{each: row["id"] for each, row in known.items()}, **made}

    @contextmanager
    def _explain_errors(self, doing: str, rows: Sequence[Row] = ()) -> Iterator[None]:
        """Turn what the client library and requests raise into one line, without the token."""
        where = f"{self.name} at {self.url}"
        try:
            yield
        except self.refused as error:
            answer: requests.Response = error.req  # type: ignore[attr-defined]
            status = answer.status_code
            if status in FORBIDDEN:
                raise InventoryError(
                    f"{where} refuses the token of {self._token.told_by} ({status}, {doing})",
                    "it needs a token whose user may view, add, change and delete DCIM objects and custom fields",
                ) from error
            raise InventoryError(f"{where} refuses {doing} ({status}): {_reason(answer, rows)}") from error
        except self.unreadable as error:
            raise InventoryError(f"{where} gives no JSON", f"is it the address of a {self.name}?") from error
        except requests.exceptions.SSLError as error:
            raise InventoryError(
                f"{where} has a certificate that is not trusted", "name its authority: ca_file: /path/to/ca.pem"
            ) from error
        except requests.exceptions.Timeout as error:
            raise InventoryError(f"{where} gave no answer within {ANSWER_S} s, {doing}") from error
        except requests.exceptions.RequestException as error:
            raise InventoryError(f"{where} cannot be reached, {doing}", "does it run there?") from error


class _Patient(HTTPAdapter):
    """Waits for an answer, but not for ever, and trusts `ca_file` where one is named.

    A session would let the environment variable REQUESTS_CA_BUNDLE win over the authority that it was given.
    """

    def __init__(self, ca_file: str) -> None:
        self._ca_file = ca_file
        super().__init__()

    def send(self, *args: Any, **options: Any) -> requests.Response:  # noqa: ANN401 -- as in requests
        trusted = {"verify": self._ca_file} if self._ca_file else {}
        return super().send(*args, **{**options, **trusted, "timeout": options.get("timeout") or ANSWER_S})


def ids_by_name(things: pl.DataFrame) -> dict[str, str]:
    """Ids of things by name."""
    return dict(things.select("name", "id").iter_rows())


def lists(values: Sequence[Any], length: int = LIST) -> Iterator[Sequence[Any]]:
    """The values in pieces that one request takes."""
    yield from (values[first : first + length] for first in range(0, len(values), length))


def _reason(answer: requests.Response, rows: Sequence[Row]) -> str:
    """The first thing that an answer complains of, with the name of the row that it is about."""
    try:
        said = answer.json()
    except ValueError:
        return without_secrets(answer.text.strip().split("\n", 1)[0])[:300]
    row: Row = {}
    if isinstance(said, list):
        number, said = next(((number, each) for number, each in enumerate(said) if each), (0, said))
        row = rows[number] if number < len(rows) else {}
    named = row.get("custom_fields", {}).get("topology_key") or row.get("name", "")
    return without_secrets(" ".join(f"{f'{named}: ' if named else ''}{_flat(said)}".split()))[:500]


def _flat(said: object) -> str:
    if isinstance(said, dict):
        return "; ".join(f"{key}: {_flat(value)}" for key, value in said.items())
    return ", ".join(map(_flat, said)) if isinstance(said, list) else str(said)
