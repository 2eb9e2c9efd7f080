"""A small site in a real server: written, compared by plain REST, edited by hand, repaired, removed."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
import site_records

from topology.deploy.inventory import InventoryError, open_inventory


@pytest.fixture(scope="module")
def site():
    """Records of the small site by owner."""
    return site_records.owned(site_records.SITE)


@pytest.fixture(scope="module")
def inventory(kind, server, tmp_path_factory):
    token = tmp_path_factory.mktemp("secret") / "token"
    token.write_text(server.token)
    return open_inventory({"kind": kind, "url": server.url, "token_file": str(token)})


@pytest.fixture(scope="module")
def spelled(kind):
    """The server's name as people write it."""
    return {"nautobot": "Nautobot", "netbox": "NetBox"}[kind]


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


def subset(row, record, columns):
    """Whether the columns say in `row` what they say in `record`."""
    return {name: row[name] for name in columns} == {name: record[name] for name in columns}


@pytest.mark.usefixtures("tokens")
def test_every_record_is_there_field_by_field(rest, site):
    racks = rest.racks()
    assert len(racks) == together(site, "racks").height
    for record in together(site, "racks").iter_rows(named=True):
        row = racks[record["name"]]
        assert (row["hall"], row["row"]) == (record["hall"], f"{record['hall']}-row{record['row']:02}")
        assert (row["role"], row["u"]) == (record["role"], record["height_u"])
        assert subset(row, record, ("design", "position", "power_w", "stage"))

    devices = rest.devices()
    assert len(devices) == together(site, "nodes").height + together(site, "switches").height + 1 == 40
    for record in together(site, "nodes").iter_rows(named=True):
        row = devices[record["name"]]
        assert (row["role"], row["type"]) == ("compute-node", "GB200 NVL72 compute tray")
        assert row["position"] is None
        assert subset(row, record, ("rack", "product", "slot", "gpus", "domain", "stage"))
    for record in together(site, "switches").iter_rows(named=True):
        row = devices[record["name"]]
        assert (row["role"], row["type"]) == (record["tier"], "Quantum-2 QM9700")
        assert (row["position"], row["face"]) == (record["u"], "front")
        assert subset(row, record, ("rack", "product", "fabric", "plane", "stage"))
    (record,) = together(site, "batteries").iter_rows(named=True)
    row = devices[f"{record['name']}-{record['bank']}"]
    assert (row["place"], row["rack"], row["type"]) == ("lab", None, "Megapack 3")
    assert subset(row, record, ("product", "units", "power_w", "energy_wh"))


@pytest.mark.usefixtures("tokens")
def test_every_cable_has_its_two_ends(rest, site):
    cables, records = rest.cables(), together(site, "cables")
    ends = ("a_device", "a_port", "b_device", "b_port")
    assert len(cables) == 148
    assert set(cables) == set(records.select(ends).iter_rows())
    for record in records.iter_rows(named=True):
        row = cables[tuple(record[end] for end in ends)]
        assert subset(row, record, ("fabric", "plane", "hop", "rate_gbps", "stage"))


@pytest.mark.usefixtures("tokens")
def test_every_port_of_the_catalogue_came_with_its_device_and_none_twice(rest):
    cards = [f"compute{card}" for card in range(4)] + ["frontend0", "frontend1", "oob0"]
    assert rest.ports("h1r0001n01") == cards
    assert rest.ports("compute-p1-leaf-0001-001") == sorted(
        f"{cage}/{port}" for cage in range(1, 33) for port in (1, 2)
    )


@pytest.mark.usefixtures("tokens")
def test_every_feed_hangs_on_its_panel(rest, site):
    feeds, records = rest.feeds(), together(site, "feeds")
    assert len(feeds) == records.height
    for record in records.iter_rows(named=True):
        row = feeds[f"{record['rack']}-{record['side']}"]
        assert row["side"] == record["side"].lower()
        assert (row["phase"], row["amperage"]) == ("three-phase", record["breaker_a"])
        assert (float(row["breaker_a"]), row["phases"]) == (record["breaker_a"], record["phase"])
        assert subset(row, record, ("rack", "panel", "breaker", "circuits", "capacity_w", "load_w", "stage"))
    panels = rest.panels()
    assert len(panels) == together(site, "power_nodes").height + 1
    for record in together(site, "power_nodes").iter_rows(named=True):
        row = panels[record["name"]]
        assert row["place"] == record["hall"]
        assert subset(row, record, ("kind", "level", "rating_w", "stage"))
    (record,) = together(site, "sources").iter_rows(named=True)
    row = panels[record["name"]]
    assert (row["place"], row["permitted"]) == ("lab", True)
    assert subset(row, record, ("kind", "capacity_w", "units"))


def test_a_second_write_sends_nothing_and_tokens_are_what_write_returned(rest, inventory, site, tokens):
    before = rest.changes()
    for owner in ("lab/0/power-h1-A", POD, UNIT):
        assert inventory.write(owner, site[owner]) == tokens[owner]
    assert inventory.token(UNIT) == tokens[UNIT]
    assert rest.changes() == before


def test_edits_by_hand_change_the_token_and_a_write_repairs_each_in_place(rest, inventory, site, tokens):
    renamed, moved = rest.device("h1r0001n01"), rest.device("h1r0001n02")
    other, marked = rest.rack("h1r0002"), rest.rack("h1r0001")
    cable = next(iter(rest.cables(cf_topology_owner=UNIT).values()))
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
    told = [str(each) for each in inventory.edits(UNIT, site[UNIT])]
    assert f"racks h1r0001 stage: is 'never', was '{site[UNIT]['racks']['stage'][0]}'" in told
    assert "devices h1r0001n01 name: is 'somebody-else', was 'h1r0001n01'" in told
    assert "devices h1r0001n02 rack: is 'h1r0002', was 'h1r0001'" in told
    assert any(line.startswith(f"cables {cable['key']}: ") and line.endswith(" is gone") for line in told)
    before = rest.changes()
    assert inventory.write(UNIT, site[UNIT]) == tokens[UNIT]
    assert [*inventory.edits(UNIT, site[UNIT])] == []
    assert 4 <= rest.changes() - before <= 12  # three objects and a cable, with what a server logs beside it
    assert rest.device("h1r0001n01") == renamed
    assert rest.devices()["h1r0001n02"]["rack"] == "h1r0001"


def test_what_a_site_adds_is_not_drift_and_stays(rest, inventory, site, tokens):
    device = rest.device("h1r0001n03")
    rest.send("PATCH", f"dcim/devices/{device}", {"serial": "1660224000001", "comments": "new fan", "asset_tag": "A7"})
    rest.send("PATCH", f"dcim/devices/{device}", rest.status("Staged"))
    assert inventory.token(UNIT) == tokens[UNIT]
    inventory.write(UNIT, site[UNIT])
    row = rest.one("dcim/devices", name="h1r0001n03")
    assert (row["serial"], row["comments"]) == ("1660224000001", "new fan")
    assert "Staged" in {row["status"].get("name"), row["status"].get("label")}


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
def test_an_object_that_no_owner_wrote_is_not_taken_over(rest, inventory, site, spelled):
    foreign = rest.new_rack("h1r0009")
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"racks": site[UNIT]["racks"].with_columns(name=pl.lit("h1r0009"))})
    assert f"racks h1r0009 of lab/other is in {spelled} and no owner wrote it" in str(error.value)
    rest.send("DELETE", f"dcim/racks/{foreign}")


@pytest.mark.usefixtures("tokens")
def test_what_a_record_refers_to_must_be_there(inventory, site, spelled):
    node = site[UNIT]["nodes"].head(1).with_columns(name=pl.lit("h1r0099n01"), rack=pl.lit("h1r0099"))
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"nodes": node})
    assert str(error.value).startswith(f"h1r0099n01: {spelled} has no rack h1r0099 at this site; ")
    assert inventory.token("lab/other") is None
    unknown = node.with_columns(product=pl.lit("my-own-node"))
    with pytest.raises(InventoryError) as error:
        inventory.write("lab/other", {"nodes": unknown})
    assert "product my-own-node is in no catalogue" in str(error.value)


def test_remove_takes_only_ours_and_says_what_leans_on_it(rest, inventory, site, tokens):
    foreign = rest.new_device("console-server", beside="h1r0001n01")
    with pytest.raises(InventoryError) as error:
        inventory.remove(UNIT)
    assert f"{UNIT}: racks stay, device console-server of no owner here is on one of h1r0001" in str(error.value)
    assert inventory.token(UNIT) == tokens[UNIT]
    rest.send("PATCH", f"dcim/devices/{foreign}", {"rack": rest.rack("h1r0002")})
    inventory.remove(UNIT)
    inventory.remove(UNIT)
    assert inventory.token(UNIT) is None
    others = {"console-server", "packs-1", *site[NEIGHBOUR]["nodes"]["name"], *site[POD]["switches"]["name"]}
    assert set(rest.devices()) == others
    assert inventory.token(NEIGHBOUR) == tokens[NEIGHBOUR]


def test_a_wrong_token_is_said_without_the_token(kind, server, spelled, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "f" * 40)
    inventory = open_inventory({"kind": kind, "url": server.url, "token_env": "MY_TOKEN"})
    with pytest.raises(InventoryError) as error:
        inventory.token(UNIT)
    assert f"{spelled} at {server.url} refuses the token of MY_TOKEN (40" in str(error.value)
    assert "f" * 40 not in str(error.value)
