"""Plain REST with an inventory server, as anybody may speak it: no code of the inventory.

What it holds is read in the same words from either server, so that one test asks both.
"""

from types import MappingProxyType

import requests


class Rest:
    """What both servers have in common: Nautobot began as a copy of NetBox."""

    def __init__(self, url, token):
        self.url, self.session = url, requests.Session()
        self.session.headers["Authorization"] = f"{self.scheme} {token}"

    def all(self, path, **filters):
        answer = self.session.get(f"{self.url}/api/{path}/", params={**self.pages, **filters}, timeout=120)
        answer.raise_for_status()
        found = answer.json()
        assert len(found["results"]) == found["count"]
        return found["results"]

    def one(self, path, **filters):
        (found,) = self.all(path, **filters)
        return found

    def send(self, method, path, body=None):
        answer = self.session.request(method, f"{self.url}/api/{path}/", json=body, timeout=120)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def changes(self):
        """How many changes the server has logged so far."""
        answer = self.session.get(f"{self.url}/api/{self.change_log}/", params={"limit": 1}, timeout=120)
        return answer.json()["count"]

    def named(self, path, fields, site=None):
        """Objects of `path` by name: their marks, and `fields` as functions of a row give them."""
        rows = self.all(path, **(self.at(site) if site else {}))
        assert len({row["name"] for row in rows}) == len(rows)
        return {row["name"]: marks(row) | {key: field(row) for key, field in fields.items()} for row in rows}

    def ports(self, device):
        """Names of the ports of a device, sorted."""
        return sorted(row["name"] for row in self.all("dcim/interfaces", device=device))

    def rack(self, name):
        return self.one("dcim/racks", name=name)["id"]

    def device(self, name):
        return self.one("dcim/devices", name=name)["id"]


def marks(row):
    """Custom fields of ours, without what their names begin with."""
    return {key.removeprefix("topology_"): value for key, value in row["custom_fields"].items()}


def name(column):
    return lambda row: row[column] and row[column]["name"]


def value(column):
    return lambda row: row[column] and row[column]["value"]


def plain(column):
    return lambda row: row[column]


DEVICE = {
    "rack": name("rack"),
    "role": name("role"),
    "type": lambda row: row["device_type"]["model"],
    "position": plain("position"),
    "face": value("face"),
}
FEED = {"rack": name("rack"), "panel": name("power_panel"), "phase": value("phase"), "amperage": plain("amperage")}


class Nautobot(Rest):
    """Nautobot 3: halls are locations, rows of racks are rack groups."""

    scheme, change_log, pages = "Token", "extras/object-changes", MappingProxyType({"limit": 0, "depth": 1})

    def at(self, site):
        return {"location": site}

    def racks(self, site=None):
        fields = {"hall": name("location"), "row": name("rack_group"), "role": name("role"), "u": plain("u_height")}
        return self.named("dcim/racks", fields, site)

    def devices(self, site=None):
        return self.named("dcim/devices", DEVICE | {"place": name("location")}, site)

    def feeds(self):
        return self.named("dcim/power-feeds", FEED | {"side": value("power_path")})

    def panels(self):
        return self.named("dcim/power-panels", {"place": name("location")})

    def cables(self, **filters):
        """Marks of cables by their four ends: device and port, device and port."""
        devices = {row["id"]: row["name"] for row in self.all("dcim/devices", depth=0)}
        ports = {row["id"]: (devices[row["device"]["id"]], row["name"]) for row in self.all("dcim/interfaces", depth=0)}
        return {
            (*ports[row["termination_a_id"]], *ports[row["termination_b_id"]]): marks(row) | {"id": row["id"]}
            for row in self.all("dcim/cables", depth=0, **filters)
        }

    def halls(self, site):
        return [row["name"] for row in self.all("dcim/locations", parent=site)]

    def status(self, word):
        return {"status": {"name": word}}

    def new_rack(self, name):
        hall = self.one("dcim/locations", name="h1", parent="lab")["id"]
        return self.send("POST", "dcim/racks", {"name": name, "location": hall, **self.status("Active")})["id"]

    def new_device(self, name, beside):
        """A device of the kind of `beside`, in its rack."""
        row = self.one("dcim/devices", name=beside)
        same = {key: row[key]["id"] for key in ("rack", "location", "role", "device_type")}
        return self.send("POST", "dcim/devices", {"name": name, **same, **self.status("Active")})["id"]


class NetBox(Rest):
    """NetBox 4: halls are locations, rows of racks are locations in them."""

    scheme, change_log, pages = "Bearer", "core/object-changes", MappingProxyType({"limit": 0})

    def at(self, site):
        return {"site_id": self.one("dcim/sites", name=site)["id"]}

    def racks(self, site=None):
        hall_of_row = {row["id"]: name("parent")(row) for row in self.all("dcim/locations")}
        fields = {
            "hall": lambda row: hall_of_row[row["location"]["id"]],
            "row": name("location"),
            "role": name("role"),
            "u": plain("u_height"),
        }
        return self.named("dcim/racks", fields, site)

    def devices(self, site=None):
        return self.named("dcim/devices", DEVICE | {"place": self.place}, site)

    def feeds(self):
        return self.named("dcim/power-feeds", FEED | {"side": lambda row: row["custom_fields"]["topology_power_path"]})

    def panels(self):
        return self.named("dcim/power-panels", {"place": self.place})

    def place(self, row):
        """The hall or row; without either the site."""
        return (row["location"] or row["site"])["name"]

    def cables(self, **filters):
        """Marks of cables by their four ends: device and port, device and port."""
        return {
            tuple(
                word
                for end in ("a", "b")
                for each in row[f"{end}_terminations"]
                for word in (each["object"]["device"]["name"], each["object"]["name"])
            ): marks(row) | {"id": row["id"]}
            for row in self.all("dcim/cables", **filters)
        }

    def halls(self, site):
        return [row["name"] for row in self.all("dcim/locations", **self.at(site)) if row["parent"] is None]

    def status(self, word):
        return {"status": word.lower()}

    def new_rack(self, name):
        row = self.one("dcim/locations", name="h1-row01", **self.at("lab"))
        return self.send("POST", "dcim/racks", {"name": name, "site": row["site"]["id"], "location": row["id"]})["id"]

    def new_device(self, name, beside):
        """A device of the kind of `beside`, in its rack."""
        row = self.one("dcim/devices", name=beside)
        same = {key: row[key]["id"] for key in ("site", "rack", "location", "role", "device_type")}
        return self.send("POST", "dcim/devices", {"name": name, **same})["id"]
