"""`topology deploy`: all stages at once, over the Automation API and the real engine."""

import pytest

pytestmark = pytest.mark.pulumi


def steps(ran):
    """What was said of each stage."""
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in ran.out.splitlines() if line[:1] == "s"}


def test_the_walk_stops_at_a_closed_gate_and_goes_on_from_there(attested):
    attested.must("config", "rm", "-s", "s2", "--path", "attest.banks")
    planned = attested.topology("deploy", "plan", attested.project)
    assert planned.code == 1
    assert steps(planned)["s1"].endswith("created")
    assert "stage s2: battery bank packs-1 is not attested to be in service" in planned.out
    assert f"pulumi -C {attested.project} up -s s3" in planned.out
    assert not (attested.project / "site").exists()

    stopped = attested.topology("deploy", "up", attested.project, "--yes")
    assert stopped.code == 1
    assert steps(stopped)["s2"] == "stopped"
    assert "stage s2: battery bank packs-1 is not attested to be in service; attest it: pulumi config" in stopped.out
    assert "s3" not in steps(stopped)
    assert "Traceback" not in stopped.out

    states = steps(attested.topology("deploy", "status", attested.project))
    assert states["s1"].startswith("deployed, ")
    assert states["s2"] == states["s3"] == "not deployed"

    attested.attest("s2", "banks.packs-1")
    done = attested.topology("deploy", "up", attested.project, "--yes")
    assert done.code == 0, done.out
    assert steps(done)["s1"].endswith("unchanged")
    assert "created" in steps(done)["s3"]
    assert attested.up("s3", "--expect-no-changes").code == 0  # plain Pulumi finds nothing left to do


def test_destroy_takes_the_last_stage_down_first_and_touches_nothing_when_something_is_protected(begun):
    assert begun.topology("deploy", "up", begun.project, "--to", "s2", "--yes").code == 0
    before = {stage: begun.pieces(stage) for stage in ("s1", "s2")}
    refused = begun.topology("deploy", "destroy", begun.project, "--yes")
    assert refused.code == 1
    assert "stage s2: bank-packs-1 and 4 more are protected; run pulumi config set protect false -s s2" in refused.out
    assert {stage: begun.pieces(stage) for stage in before} == before  # nothing is touched, of either stage
    for stage in ("s1", "s2"):
        begun.must("config", "set", "-s", stage, "protect", "false")
    assert begun.topology("deploy", "up", begun.project, "--to", "s2", "--yes").code == 0
    begun.must("stack", "rename", "s9", "-s", "s2")  # as when the build that brought it had another name for it
    under = begun.topology("deploy", "destroy", begun.project, "--yes")
    assert under.code == 1
    assert "stage s1: stack s9 of this project may stand on it and is no stage of " in under.out
    assert under.out.rstrip().endswith("; destroy that first, or say --force")
    assert begun.pieces("s1")
    begun.must("stack", "rename", "s2", "-s", "s9")
    down = begun.topology("deploy", "destroy", begun.project, "--from", "s2", "--yes")
    assert down.code == 0, down.out
    assert not begun.pieces("s2")
    assert begun.pieces("s1")


def test_a_killed_update_is_told_with_the_command_that_frees_the_stack(begun):
    lock = begun.state / ".pulumi/locks/organization/site/s1"
    lock.mkdir(parents=True, exist_ok=True)
    (lock / "held.json").write_text(
        '{"pid": 1, "username": "root", "hostname": "elsewhere", "timestamp": "2026-01-01T00:00:00Z"}'
    )
    ran = begun.topology("deploy", "up", begun.project, "--to", "s1", "--yes")
    assert ran.code == 1
    assert "another update holds the stack, or one was killed; see it ended, then run pulumi cancel -s s1" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "."), "error: . has no Pulumi.yaml; name the folder pulumi/ of a build, or one under stacks/"),
        (("up", "build/pulumi", "--to", "s9", "--yes"), "error: no stage is called 's9'; the build has s1, s2, s3"),
        (("up", "build/pulumi"), "error: nobody is there to ask; say --yes"),
    ],
)
def test_wrong_use_is_told_in_one_line(attested, words, said):
    ran = attested.topology("deploy", *words)
    assert ran.code == 2
    assert ran.out.strip() == said
