"""Gates: what must be so before a stage is touched. A preview names them, an update stops at them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pulumi

from topology.artifacts.output.manifest import sha256
from topology.deploy.attestations import Attestations
from topology.deploy.stage import StackStage
from topology.deploy.standing import StackResource, found_resources, standing
from topology.deploy.stop import DeployError, stop


def pass_or_stop(stage: StackStage) -> None:
    """Stop the program at closed gates; in a preview, warn of each and go on."""
    for line in attested_for_nothing(stage):
        pulumi.log.warn(line)
    closed = [*gates_closed(stage)]
    if closed and pulumi.runtime.is_dry_run():
        for line in closed:
            pulumi.log.warn(f"up would stop here: {line}")
    elif closed:
        stop(closed)


def gates_closed(stage: StackStage) -> Iterator[str]:
    """One line per closed gate: what is missing, and the command that opens it."""
    yield from other_spec(stage)
    yield from _attestations(stage).lacking(stage.name, stage.inventory["needs"])
    yield from stages_before(stage)


def other_spec(stage: StackStage) -> Iterator[str]:
    """A line when the build is not of the spec that stands beside the project."""
    name = stage.config["spec"]
    if not name:
        return
    try:
        spec_sha256 = sha256(Path(name).read_bytes())
    except OSError as error:
        yield f"stage {stage.name}: {name}: {error.strerror}; set the key spec to the file that was built"
        return
    if spec_sha256 != stage.build.plan["spec_sha256"]:
        other = f"{stage.build.folder} was built from another spec than {name}"
        yield f"stage {stage.name}: {other}; run topology build {name}"


def stages_before(stage: StackStage) -> Iterator[str]:
    """A line for the first of the stages before that does not stand as this build has it."""
    for before in stage.before:
        try:
            how = standing(stage.build, before, _resources(before))
        except DeployError as error:
            yield f"stage {stage.name}: {error}"
            return
        if how.wrong:
            yield f"stage {stage.name}: stage {before} before it {how.wrong}; run pulumi up -s {before}"
            return


def attested_for_nothing(stage: StackStage) -> Iterator[str]:
    """A line for each attestation of what no stage of the build needs: it opens no gate."""
    said = _attestations(stage)
    if not [*said.of_nothing(stage.inventory["needs"])]:
        return
    needs = [stage.build.inventory(each)["needs"] for each in stage.inventory["stages"]]
    yield from said.of_nothing({kind: [name for each in needs for name in each[kind]] for kind in needs[0]})


def _attestations(stage: StackStage) -> Attestations:
    return Attestations(stage.config["attest"], datetime.now(UTC), secret="attest" in stage.config.secret)


def _resources(stage: str) -> dict[str, StackResource]:
    """What the state of another stage's stack holds now, by name; empty when there is no such stack.

    Not its outputs: they stay as the last whole update left them, whatever was destroyed since.

    Raises:
        DeployError: the state cannot be read.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stage}"
    try:
        answer = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": name})
    except Exception as error:  # noqa: BLE001 - the class that the engine's refusal comes as
        if "unknown stack" in str(error):
            return {}
        raise DeployError(f"the state of stage {stage} cannot be read: {' '.join(str(error).split())}") from None
    return found_resources({urn: each["outputs"] for urn, each in answer.value["outputs"].items()})
