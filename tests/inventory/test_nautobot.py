"""A small site in a real Nautobot: written, compared by plain REST, edited by hand, repaired, removed."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
import site_records

from topology.deploy.inventory import InventoryError, open_inventory

pytestmark = [pytest.mark.nautobot, pytest.mark.xdist_group("nautobot")]


@pytest.fixture(scope="module")
def site():
    """Records of the small site by owner."""
    return site_records.owned(site_records.SITE)


@pytest.fixture(scope="module")
def inventory(nautobot, tmp_path_factory):
    token = tmp_path_factory.mktemp("secret") / "token"
    token.write_text(nautobot.token)
    return open_inventory({"kind": "nautobot", "url": nautobot.url, "token_file": str(token)})


UNIT, NEIGHBOUR, POD = "lab/0/unit-gb200-0001", "lab/0/unit-gb200-0002", "lab/0/pod-compute-p1-0001"


@pytest.fixture(scope="module")
def tokens(inventory, site):
    """Tokens of the whole site, which is written once: several owners at a time, as the engine does it."""
    power = [owner for owner in site if owner not in {UNIT, NEIGHBOUR, POD}]
    found = {}
    for together in (power, [POD], [UNIT, NEIGHBOUR]):
        with ThreadPoolExecutor(4) as pool:
            found |= zip(together, pool.map(lambda owner: inventory.write(owner, site[owner]), together), strict=True)
    return found


def together(site, table):
    """Records of all owners in one table."""
    return pl.concat(records[table] for records in site.values() if table in records)


def mark(row, name):
    return row["custom_fields"][f"topology_{name}"]


@pytest.mark.usefixtures("tokens")
def test_every_record_is_in_nautobot_field_by_field(rest, site):
    racks = {row["name"]: row for row in rest.all("dcim/racks")}
    assert len(racks) == together(site, "racks").height
    for record in together(site, "racks").iter_rows(named=True):
        row = racks[record["name"]]
        assert row["location"]["name"] == record["hall"]
        assert row["rack_group"]["name"] == f"{record['hall']}-row{record['row']:02}"
        assert row["role"]["name"] == record["role"]
        assert row["u_height"] == record["height_u"]
        for name in ("design", "position", "power_w", "stage"):
            assert mark(row, name) == record[name]

    devices = {row["name"]: row for row in rest.all("dcim/devices")}
    assert len(devices) == together(site, "nodes").height + together(site, "switches").height + 1
    for record in together(site, "nodes").iter_rows(named=True):
        row = devices[record["name"]]
        assert row["rack"]["name"] == record["rack"]
        assert (row["role"]["name"], row["position"]) == ("compute-node", None)
        assert row["device_type"]["model"] == "GB200 NVL72 compute tray"
        for name in ("product", "slot", "gpus", "domain", "stage"):
            assert mark(row, name) == record[name]
    for record in together(site, "switches").iter_rows(named=True):
        row = devices[record["name"]]
        assert (row["rack"]["name"], row["position"], row["face"]["value"]) == (record["rack"], record["u"], "front")
        assert (row["role"]["name"], row["device_type"]["model"]) == (record["tier"], "Quantum-2 QM9700")
        for name in ("product", "fabric", "plane", "stage"):
            assert mark(row, name) == record[name]
    (record,) = together(site, "batteries").iter_rows(named=True)
    row = devices[f"{record['name']}-{record['bank']}"]
    assert (row["location"]["name"], row["rack"], row["device_type"]["model"]) == ("lab", None, "Megapack 3")
    for name in ("product", "units", "power_w", "energy_wh"):
        assert mark(row, name) == record[name]


@pytest.mark.usefixtures("tokens")
def test_every_cable_has_its_two_ends(rest, site):
    devices = {row["id"]: row["name"] for row in rest.all("dcim/devices", depth=0)}
    ports = {row["id"]: (devices[row["device"]["id"]], row["name"]) for row in rest.all("dcim/interfaces", depth=0)}
    cables = {
        (*ports[row["termination_a_id"]], *ports[row["termination_b_id"]]): row
        for row in rest.all("dcim/cables", depth=0)
    }
    records = together(site, "cables")
    ends = ("a_device", "a_port", "b_device", "b_port")
    assert set(cables) == set(records.select(ends).iter_rows())
    for record in records.iter_rows(named=True):
        row = cables[tuple(record[end] for end in ends)]
        for name in ("fabric", "plane", "hop", "rate_gbps", "stage"):
            assert mark(row, name) == record[name]


@pytest.mark.usefixtures("tokens")
def test_every_port_of_the_catalogue_came_with_its_device_and_none_twice(rest):
    trays = rest.all("dcim/interfaces", device="h1r0001n01")
    cards = [f"compute{card}" for card in range(4)] + ["frontend0", "frontend1", "oob0"]
    assert sorted(row["name"] for row in trays) == cards
    leaf = [row["name"] for row in rest.all("dcim/interfaces", device="compute-p1-leaf-0001-001")]
    assert sorted(leaf) == sorted(f"{cage}/{port}" for cage in range(1, 33) for port in (1, 2))


@pytest.mark.usefixtures("tokens")
def test_every_feed_hangs_on_its_panel(rest, site):
    feeds = {row["name"]: row for row in rest.all("dcim/power-feeds")}
    records = together(site, "feeds")
    assert len(feeds) == records.height
    for record in records.iter_rows(named=True):
        row = feeds[f"{record['rack']}-{record['side']}"]
        assert row["rack"]["name"] == record["rack"]
        assert row["power_panel"]["name"] == record["panel"]
        assert row["power_path"]["value"] == record["side"].lower()
        assert (row["phase"]["value"], row["amperage"]) == ("three-phase", record["breaker_a"])
        assert float(mark(row, "breaker_a")) == record["breaker_a"]
        assert mark(row, "phases") == record["phase"]
        for name in ("breaker", "circuits", "capacity_w", "load_w", "stage"):
            assert mark(row, name) == record[name]
    panels = {row["name"]: row for row in rest.all("dcim/power-panels")}
    assert len(panels) == together(site, "power_nodes").height + 1
    for record in together(site, "power_nodes").iter_rows(named=True):
        row = panels[record["name"]]
        assert row["location"]["name"] == record["hall"]
        for name in ("kind", "level", "rating_w", "stage"):
            assert mark(row, name) == record[name]
    (record,) = together(site, "sources").iter_rows(named=True)
    row = panels[record["name"]]
    assert (row["location"]["name"], mark(row, "permitted")) == ("lab", True)
    for name in ("kind", "capacity_w", "units"):
        assert mark(row, name) == record[name]


def test_a_second_write_sends_nothing_and_tokens_are_what_write_returned(rest, inventory, site, tokens):
    before = rest.changes()
    for owner in ("lab/0/power-h1-A", POD, UNIT):
        assert inventory.write(owner, site[owner]) == tokens[owner]
    assert inventory.token(UNIT) == tokens[UNIT]
    assert rest.changes() == before


def test_edits_by_hand_change_the_token_and_a_write_repairs_each_in_place(rest, inventory, site, tokens):
    renamed = rest.one("dcim/devices", name="h1r0001n01")["id"]
    moved = rest.one("dcim/devices", name="h1r0001n02")["id"]
    other = rest.one("dcim/racks", name="h1r0002")["id"]
    marked = rest.one("dcim/racks", name="h1r0001")["id"]
    cable = rest.all("dcim/cables", cf_topology_owner=UNIT)[0]
    seen = {tokens[UNIT]}
    for method, path, body in (
        ("PATCH", f"dcim/devices/{renamed}", {"name": "somebody-else"}),
        ("PATCH", f"dcim/devices/{moved}", {"rack": other}),
        ("PATCH", f"dcim/racks/{marked}", {"custom_fields": {"topology_stage": "never"}}),
        ("DELETE", f"dcim/cables/{cable['id']}", None),
    ):
        rest.send(method, path, body)
        token = inventory.token(UNIT)
        assert token not in seen
        seen.add(token)
    before = rest.changes()
    assert inventory.write(UNIT, site[UNIT]) == tokens[UNIT]
    assert 4 <= rest.changes() - before <= 12  # three objects and a cable, with what Nautobot logs beside it
    assert rest.one("dcim/devices", name="h1r0001n01")["id"] == renamed
    assert rest.one("dcim/devices", name="h1r0001n02")["rack"]["name"] == "h1r0001"


def test_what_a_site_adds_is_not_drift_and_stays(rest, inventory, site, tokens):
    device = rest.one("dcim/devices", name="h1r0001n03")["id"]
    rest.send("PATCH", f"dcim/devices/{device}", {"serial": "1660224000001", "comments": "new fan", "asset_tag": "A7"})
    rest.send("PATCH", f"dcim/devices/{device}", {"status": {"name": "Staged"}})
    assert inventory.token(UNIT) == tokens[UNIT]
    inventory.write(UNIT, site[UNIT])
    row = rest.one("dcim/devices", name="h1r0001n03")
    assert (row["serial"], row["comments"], row["status"]["name"]) == ("1660224000001", "new fan", "Staged")


@pytest.mark.usefixtures("tokens")
def test_what_two_owners_claim_is_refused_and_both_are_named(rest, inventory, site):
    before = rest.changes()
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"racks": site[UNIT]["racks"]})
    assert str(error.value).startswith(f"racks h1r0001 is claimed by lab/other and stands for {UNIT}; ")
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"cables": site[UNIT]["cables"].head(1)})
    assert f"has a cable of {UNIT} in it; take that out first" in str(error.value)
    assert rest.changes() == before


@pytest.mark.usefixtures("tokens")
def test_an_object_that_no_owner_wrote_is_not_taken_over(rest, inventory, site):
    hall = rest.one("dcim/locations", name="h1")["id"]
    foreign = rest.send("POST", "dcim/racks", {"name": "h1r0009", "location": hall, "status": {"name": "Active"}})
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"racks": site[UNIT]["racks"].with_columns(name=pl.lit("h1r0009"))})
    assert "racks h1r0009 of lab/other is in Nautobot and no owner wrote it" in str(error.value)
    rest.send("DELETE", f"dcim/racks/{foreign['id']}")


@pytest.mark.usefixtures("tokens")
def test_what_a_record_refers_to_must_be_there(inventory, site):
    node = site[UNIT]["nodes"].head(1).with_columns(name=pl.lit("h1r0099n01"), rack=pl.lit("h1r0099"))
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"nodes": node})
    assert str(error.value).startswith("h1r0099n01: Nautobot has no rack h1r0099 at this site; ")
    assert inventory.token("lab/other") is None
    unknown = node.with_columns(product=pl.lit("my-own-node"))
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"nodes": unknown})
    assert "product my-own-node is in no catalogue" in str(error.value)


def test_remove_takes_only_ours_and_says_what_leans_on_it(rest, inventory, site, tokens):
    rack = rest.one("dcim/racks", name="h1r0001")
    kind = rest.one("dcim/devices", name="h1r0001n01")
    foreign = rest.send(
        "POST",
        "dcim/devices",
        {
            "name": "console-server",
            "rack": rack["id"],
            "location": rack["location"]["id"],
            "role": kind["role"]["id"],
            "device_type": kind["device_type"]["id"],
            "status": {"name": "Active"},
        },
    )
    with pytest.raises(InventoryError) as error:
        inventory.remove(UNIT)
    assert f"{UNIT}: racks stay, device console-server of no owner here is on one of h1r0001" in str(error.value)
    assert inventory.token(UNIT) == tokens[UNIT]
    rest.send("PATCH", f"dcim/devices/{foreign['id']}", {"rack": rest.one("dcim/racks", name="h1r0002")["id"]})
    inventory.remove(UNIT)
    inventory.remove(UNIT)
    assert inventory.token(UNIT) is None
    left = {row["name"] for row in rest.all("dcim/devices", depth=0)}
    assert left == {
        "console-server",
        "packs-1",
        *site[NEIGHBOUR]["nodes"]["name"],
        *site[POD]["switches"]["name"],
    }
    assert inventory.token(NEIGHBOUR) == tokens[NEIGHBOUR]


def test_a_wrong_token_is_said_without_the_token(nautobot, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "f" * 40)
    inventory = open_inventory({"kind": "nautobot", "url": nautobot.url, "token_env": "MY_TOKEN"})
    with pytest.raises(InventoryError) as error:
        inventory.token(UNIT)
    assert f"Nautobot at {nautobot.url} refuses the token of MY_TOKEN (40" in str(error.value)
    assert "f" * 40 not in str(error.value)
