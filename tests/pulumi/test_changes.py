"""A changed spec: a preview names the resources it touches, and no other."""

import pytest

pytestmark = pytest.mark.pulumi


@pytest.fixture
def changed(begun, tmp_path):
    """What a preview of the first stage would do after a change of the spec's text."""

    def preview(*pairs):
        text = (begun.project.parent.parent / "cluster.yaml").read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        spec = tmp_path / "cluster.yaml"
        spec.write_text(text)
        begun.build(spec)
        return begun.changes("s1")

    return preview


def test_nothing_changed(changed):
    assert changed() == {}


def test_a_comment_and_another_order_of_keys_change_nothing(changed):
    stage = "name: s1, add: {dgx: {racks: 6}}", "add: {dgx: {racks: 6}}, name: s1"
    assert changed(stage, ("# Two", "# Still two")) == {}


def test_a_unit_added_to_the_stage(changed):
    found = changed(
        ("racks: 12,", "racks: 15,"),
        ("capacity_mw: 0.2,", "capacity_mw: 0.4,"),
        ("{name: s1, add: {dgx: {racks: 6}}", "{name: s1, add: {dgx: {racks: 9}}"),
    )
    assert found.pop("unit-dgx-0003") == "create"
    assert found.pop("slurm-site") == "update"
    assert found.pop("power-site") == "update"  # the source that grew
    pods = {name: found.pop(name) for name in [*found] if name.startswith("pod-")}
    assert set(pods.values()) <= {"update", "create"}  # its leaf switches join
    assert all(name.startswith(("power-h", "Power")) for name in found), found  # and what feeds its hall


def test_a_rack_moved(changed):
    """The second unit starts in another row: its racks, what feeds them, and its names in Slurm."""
    old, new = "rows: 3, positions: 5, network_rows: [2]", "rows: 4, positions: 5, network_rows: [2, 3]"
    found = changed((old, new))
    assert found["unit-dgx-0002"] == "update"
    assert found["slurm-site"] == "update"
    assert "unit-dgx-0001" not in found
    assert set(found.values()) == {"update"}


def test_a_partition_renamed(changed):
    assert changed(("name: train,", "name: batch,")) == {"slurm-site": "update"}


def test_a_bank_that_a_later_stage_brings_is_none_of_this_stage(changed):
    assert changed(("ride_through_s: 600", "ride_through_s: 1200")) == {}


def test_a_hall_that_is_renamed_replaces_nothing_when_the_spec_says_so(changed, begun):
    """Resources named after it keep their identity; what they hold is registered under the new name."""
    found = changed(
        ("name: h1,", "name: north,"),
        ("halls: [h1, h2]", "halls: [north, h2]"),
        ("energised: [h1]", "energised: [north]"),
        ("stages:", "pulumi: {renamed: [{name: north, was: h1}]}\nstages:"),
    )
    assert found["power-north-A"] == "update"
    assert set(found.values()) == {"update"}
    assert "power-h1-A" not in found
    begun.attest("s1", "energised.north")
    racks = len(begun.rows("racks")[0])
    assert begun.up("s1").code == 0
    rows, names = begun.rows("racks")
    assert {row[names.index("hall")] for row in rows} == {"north"}
    assert len(rows) == racks
    assert begun.up("s1", "--expect-no-changes").code == 0


def test_the_stack_configuration_of_a_build_is_the_users(changed, begun):
    config = begun.project / "Pulumi.s1.yaml"
    before = config.read_bytes()
    assert b"E. Ohm" in before
    assert changed(("name: train,", "name: batch,"))
    assert config.read_bytes() == before
