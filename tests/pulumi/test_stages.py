"""A site deployed stage by stage with plain Pulumi commands, by the real engine."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from conftest import NEEDS
from standing import registered, standing

pytestmark = pytest.mark.pulumi


def test_the_stages_of_a_site_go_up_in_order_and_again_change_nothing(attested):
    for number, stage in enumerate(NEEDS):
        assert attested.up(stage).code == 0
        assert registered(attested) == standing(attested, number)
    before = {stage: attested.pieces(stage) for stage in NEEDS}
    for stage in NEEDS:
        again = attested.up(stage, "--expect-no-changes")
        assert again.code == 0, again.out
    assert {stage: attested.pieces(stage) for stage in NEEDS} == before


def untouched(deployment, stage):
    return not deployment.pieces(stage) and not (deployment.project / "site").exists()


def test_a_preview_needs_no_attestation_and_names_the_closed_gates(site):
    said = site.must("preview", "-s", "s1")
    assert "up would stop here: stage s1: hall h1 is not attested to be energised" in said
    assert "ScalableUnit unit-dgx-0001 create" in said
    assert untouched(site, "s1")


def test_a_stage_whose_hall_is_not_attested_is_refused_in_one_line(site):
    ran = site.up("s1")
    assert ran.code != 0
    command = (
        "pulumi config set-all -s s1 --path --plaintext attest.energised.h1.by=NAME "
        "--plaintext attest.energised.h1.date=YYYY-MM-DD --plaintext attest.energised.h1.reference=TEXT"
    )
    assert ran.errors == [f"stage s1: hall h1 is not attested to be energised; attest it: {command}"]
    assert "Traceback" not in ran.out
    assert untouched(site, "s1")
    filled = command.replace("YYYY-MM-DD", "2026-05-31").replace("TEXT", "letter-12")
    site.must(*(word.replace("NAME", "E. Ohm") for word in filled.split()[1:]))
    assert site.up("s1").code == 0


def test_a_stage_is_refused_without_its_permit_and_goes_up_with_it(begun):
    begun.must("config", "rm", "-s", "s2", "--path", "attest.permits")
    ran = begun.up("s2")
    assert ran.code != 0
    assert len(ran.errors) == 1
    assert ran.errors[0].startswith(
        "stage s2: the permit of turbine is not attested; attest it: pulumi config set-all "
    )
    assert not begun.pieces("s2")
    begun.attest("s2", "permits.turbine")
    assert begun.up("s2").code == 0


def configure(deployment, stage, text):
    """Write keys into a stack's configuration as an editor does, after those that stand there."""
    path = deployment.project / f"Pulumi.{stage}.yaml"
    lines = [
        line for line in path.read_text().splitlines(keepends=True) if not line.startswith(("  site:attest", "    "))
    ]
    path.write_text("".join(lines).replace("config:\n", f"config:\n{text}", 1))


def test_an_attestation_that_nobody_made_opens_no_gate(attested):
    soon = (datetime.now(UTC) + timedelta(days=2)).date()  # unquoted: YAML takes it for a time
    configure(attested, "s1", f"  site:attest: {{energised: {{h1: {{by: , date: {soon}, reference: }}}}}}\n")
    ran = attested.up("s1")
    assert ran.code != 0
    (line,) = ran.errors
    start = f"stage s1: energised.h1 is attested without by and reference and with date '{soon} 00:00:00 +0000 UTC'"
    assert line.startswith(f"{start}, which is still to come; attest it: pulumi config set-all -s s1 ")
    assert untouched(attested, "s1")


def test_a_date_without_quotes_is_accepted_as_the_readme_has_it(attested):
    """YAML takes it for a time, and the engine hands over `2026-05-31 00:00:00 +0000 UTC`."""
    configure(attested, "s1", "  site:attest: {energised: {h1: {by: E. Ohm, date: 2026-05-31, reference: order 7}}}\n")
    assert attested.up("s1").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  protec: false\n", ["unknown key 'protec' in the configuration of the stack; did you mean 'protect'? "]),
        (
            "  site:publish: {aftr: x, path: }\n  site:attest: {permits: [grid]}\n",
            [
                "the configuration key publish: unknown key 'aftr' in publish; did you mean 'after'? ",
                "the configuration key publish: path is empty (null), not text; write the path ",
                "the configuration key attest: permits is a list of 1, not a mapping; write NAME: {by: ",
            ],
        ),
    ],
)
def test_what_nobody_reads_in_a_configuration_is_said_before_anything_is_touched(attested, text, said):
    configure(attested, "s1", text)
    ran = attested.up("s1")
    assert ran.code != 0
    assert len(ran.errors) == len(said)
    assert all(any(line.startswith(start) for line in ran.errors) for start in said), ran.errors
    assert "Traceback" not in ran.out
    assert untouched(attested, "s1")


def test_a_stage_before_its_predecessor_is_refused(begun):
    inventory = registered(begun)
    ran = begun.up("s3")
    assert ran.code != 0
    assert ran.errors == ["stage s3: stage s2 before it is not deployed; run pulumi up -s s2"]
    assert not begun.pieces("s3")
    assert registered(begun) == inventory


def urn(deployment, stage, name):
    return next(each for each in deployment.resources(stage) if each.endswith(f"::{name}"))


def forget(deployment):
    deployment.must("state", "delete", urn(deployment, "s1", "slurm-site"), "-s", "s1", "--yes")


def destroy_one(deployment):
    target = urn(deployment, "s1", "slurm-site")
    deployment.must("destroy", "-s", "s1", "--yes", "--skip-preview", "--target", target)


def destroy_what_is_not_protected(deployment):
    assert deployment.pulumi("destroy", "-s", "s1", "--yes", "--skip-preview").code != 0


def find_it_gone(deployment):
    for path in deployment.inventory.parent.glob("inventory.sqlite*"):
        path.unlink()
    deployment.must("refresh", "-s", "s1", "--yes", "--skip-preview")


def find_it_edited(deployment):
    with sqlite3.connect(deployment.inventory) as base:
        base.execute("update nodes set slot = 40 where name = 'h1r0001n01'")
    deployment.must("refresh", "-s", "s1", "--yes", "--skip-preview")


@pytest.mark.parametrize(
    ("happens", "how"),
    [
        (forget, "is deployed in part, 1 of 8 resources are not there (slurm-site)"),
        (destroy_one, "is deployed in part, 1 of 8 resources are not there (slurm-site)"),
        (destroy_what_is_not_protected, "is deployed in part, 4 of 8 resources are not there (pod-"),
        (find_it_gone, "is deployed in part, 7 of 8 resources are not there (pod-"),
        (find_it_edited, "does not stand as it was deployed (unit-dgx-0001)"),
    ],
)
def test_a_gate_asks_what_stands_and_not_what_the_last_update_said(begun, happens, how):
    happens(begun)
    ran = begun.up("s2")
    assert ran.code != 0
    (line,) = ran.errors
    assert line.startswith(f"stage s2: stage s1 before it {how}")
    assert line.endswith("; run pulumi up -s s1")
    assert not begun.pieces("s2")


def test_a_stage_rests_on_all_stages_before_it_and_goes_up_when_they_stand_again(begun):
    assert begun.up("s2").code == 0
    forget(begun)
    line = "stage s1 before it is deployed in part, 1 of 8 resources are not there (slurm-site); run pulumi up -s s1"
    assert begun.up("s3").errors == [f"stage s3: {line}"]
    status = begun.topology("deploy", "status", begun.project)
    assert "s1       deployed in part, 1 of 8 resources are not there (slurm-site)\n" in status.out
    assert "s2       deployed, 8 resources\n" in status.out
    assert begun.up("s1").code == 0
    assert begun.up("s3").code == 0


def test_an_update_that_was_killed_in_the_middle_is_told_by_status(begun):
    """Pulumi notes in the state what it begins; a kill leaves the note."""
    path = begun.state / ".pulumi/stacks/site/s1.json"
    state = json.loads(path.read_text())
    latest = state["checkpoint"]["latest"]
    (unit,) = [each for each in latest["resources"] if each["urn"].endswith("::unit-dgx-0002")]
    latest["pending_operations"] = [{"resource": unit, "type": "deleting"}]
    path.write_text(json.dumps(state))
    path.with_name("s1.json.attrs").unlink()
    said = begun.topology("deploy", "status", begun.project).out
    assert "s1       was left in the middle of an update (unit-dgx-0002)\n" in said


def test_a_stage_without_a_stack_before_it_is_refused(attested):
    attested.must("stack", "rm", "s1", "--yes", "--preserve-config")
    ran = attested.up("s2")
    assert ran.code != 0
    assert ran.errors == ["stage s2: stage s1 before it is not deployed; run pulumi up -s s1"]


def test_a_stage_is_refused_while_the_one_before_stands_as_another_build_had_it(begun, tmp_path):
    spec = tmp_path / "cluster.yaml"
    spec.write_text((begun.project.parent.parent / "cluster.yaml").read_text().replace("train", "batch"))
    begun.build(spec)
    ran = begun.up("s2")
    assert ran.code != 0
    assert ran.errors == [
        "stage s2: stage s1 before it is deployed otherwise than this build has it; run pulumi up -s s1"
    ]
    assert begun.up("s1").code == 0
    assert begun.up("s2").code == 0


def test_a_build_of_another_spec_than_the_one_beside_the_project_is_refused(attested):
    attested.must("config", "set", "-s", "s1", "spec", "../../cluster.yaml")
    spec = attested.project.parent.parent / "cluster.yaml"
    spec.write_text(spec.read_text() + "# changed\n")
    ran = attested.up("s1")
    assert ran.code != 0
    assert ran.errors == [
        "stage s1: .. was built from another spec than ../../cluster.yaml; run topology build ../../cluster.yaml"
    ]
    assert untouched(attested, "s1")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda build: (build / "plan.json").unlink(), "../plan.json is not the plan of a build"),
        (lambda build: (build / "pulumi/inventory/s1.json").write_text("{}"), "is not as it was built"),
    ],
)
def test_a_build_that_is_not_whole_is_refused(attested, damage, said):
    damage(attested.project.parent)
    ran = attested.up("s1")
    assert ran.code != 0
    assert len(ran.errors) == 1
    assert said in ran.errors[0]
    assert "Traceback" not in ran.out


def test_a_stack_that_is_no_stage_is_refused(site):
    site.stack("s9")
    ran = site.up("s9")
    assert ran.code != 0
    assert ran.errors == [".. has no stage s9; run topology build on its spec again, or select another stack"]
