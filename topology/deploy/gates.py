"""Gates: what must be so before a stage is touched. A preview names them, an update stops at them."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.sync_await import _sync_await  # the program must not go on before the answer is there

from topology.artifacts.output.manifest import sha256
from topology.deploy.stage import StackStage
from topology.deploy.stop import DeployError, stop

WORDS = {
    "permits": "the permit of {} is not attested",
    "energised": "hall {} is not attested to be energised",
    "banks": "battery bank {} is not attested to be in service",
}
ATTESTED = ("by", "date", "reference")  # who says so, since when, and where it is written


def pass_or_stop(stage: StackStage) -> None:
    """Stop the program at closed gates; in a preview, warn of each and go on."""
    closed = [*gates_closed(stage)]
    if closed and pulumi.runtime.is_dry_run():
        for line in closed:
            pulumi.log.warn(f"up would stop here: {line}")
    elif closed:
        stop(closed)


def gates_closed(stage: StackStage) -> Iterator[str]:
    """One line per closed gate: what is missing, and the command that opens it."""
    yield from other_spec(stage)
    yield from needs_without_attestation(stage.name, stage.inventory["needs"], stage.config["attest"])
    if stage.predecessor:
        yield from not_ready(stage, stage.predecessor, _outputs(stage.predecessor))


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


def needs_without_attestation(stage: str, needs: Mapping[str, Any], attest: Mapping[str, Any]) -> Iterator[str]:
    """A line for each need that nobody attests, or whose attestation is not complete."""
    for kind, sentence in WORDS.items():
        for name in needs[kind]:
            said = (attest.get(kind) or {}).get(name)
            lacks = _lacking(said)
            if lacks:
                what = sentence.format(name) if said is None else f"{kind}.{name} is attested without {lacks}"
                yield f"stage {stage}: {what}; attest it: {command(stage, kind, name)}"


def command(stage: str, kind: str, name: str) -> str:
    """The command that attests a need, to be filled in."""
    where = f"attest.{kind}.{name}"
    values = {"by": "NAME", "date": "YYYY-MM-DD", "reference": "TEXT"}
    words = " ".join(f"--plaintext {where}.{key}={value}" for key, value in values.items())
    return f"pulumi config set-all -s {stage} --path {words}"


def _lacking(said: object) -> str:
    """What an attestation lacks, by the names of its keys; empty when it is complete."""
    if not isinstance(said, Mapping):
        return "anything"
    lacks = [key for key in ATTESTED if not str(said.get(key, "")).strip()]
    if "date" not in lacks:
        try:
            date.fromisoformat(str(said["date"]))
        except ValueError:
            lacks.append("a date like 2026-05-31")
    return " and ".join(lacks)


def not_ready(stage: StackStage, before: str, outputs: Mapping[str, Any]) -> Iterator[str]:
    """A line when the stage before is not deployed, or not as this build has it."""
    if not outputs.get("ready"):
        yield f"stage {stage.name}: stage {before} before it is not deployed; run pulumi up -s {before}"
        return
    try:
        wanted = stage.build.digest(before)
    except DeployError as error:
        yield f"stage {stage.name}: {error}"
        return
    if outputs.get("digest") != wanted:
        other = f"stage {before} is deployed otherwise than this build has it"
        yield f"stage {stage.name}: {other}; run pulumi up -s {before}"


def _outputs(stage: str) -> dict[str, Any]:
    """The outputs `ready` and `digest` of another stage's stack; empty when there is no such stack.

    The invoke asks whether the stack is there: a StackReference to one that is not ends the program.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stage}"
    try:
        pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name})
    except Exception:  # noqa: BLE001 - the class that the engine's refusal comes as
        return {}
    reference = pulumi.StackReference(f"stage-{stage}", stack_name=name)
    return {key: _sync_await(reference.get_output_details(key)).value for key in ("ready", "digest")}
