"""What does not stand as it was deployed, by the states of a project's stacks and the places that they name."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from typing import Any

from pulumi import automation
from pulumi.dynamic import Config, ConfigureRequest

from topology.deploy.kubernetes import KubernetesError
from topology.deploy.manifests import ManifestsProvider
from topology.deploy.provider import SiteProvider
from topology.deploy.publishing import PublishingProvider
from topology.deploy.registration import RegistrationProvider
from topology.deploy.stop import DeployError
from topology.deploy.walk import Project

PROVIDERS: Sequence[type[SiteProvider]] = (RegistrationProvider, PublishingProvider, ManifestsProvider)
_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - under which an export has what is secret in a state


@dataclass(frozen=True, slots=True)
class DriftedResource:
    """A resource that does not stand as it was deployed."""

    stage: str
    resource: str
    lines: tuple[str, ...]


def drifted(project: Project, stages: Sequence[str]) -> Iterator[DriftedResource]:
    """Resources of these stages that do not stand as they were deployed, in the order of their states.

    Raises:
        DeployError: a state cannot be read, or a place.
    """
    for stage in stages:
        try:
            stack = automation.select_stack(stage, work_dir=str(project.folder.absolute()))
            state, config = stack.export_stack().deployment or {}, stack.get_all_config()
        except automation.StackNotFoundError:
            continue
        except automation.CommandError as error:
            said = [line for line in str(error).splitlines() if "error:" in line] or [f"error: {stage} cannot be read"]
            raise DeployError(f"stage {stage}: {said[-1].partition('error: ')[2]}") from None
        said_config = {key: value.value for key, value in config.items()}
        name = stack.workspace.project_settings().name
        asked = ConfigureRequest(Config(raw_config=said_config, project_name=name))
        for each in state.get("resources") or []:
            outputs = _plain(each.get("outputs") or {})
            provider = next((kind() for kind in PROVIDERS if kind.written in outputs), None)
            if provider is None or "owner" not in outputs or each.get("delete"):
                continue
            provider.configure(asked)
            with chdir(project.folder):  # a configuration names its places from there, as the engine does
                lines = _lines(stage, provider, outputs)
            if lines:
                yield DriftedResource(stage, each["urn"].rpartition("::")[2], lines)


def _lines(stage: str, provider: SiteProvider, outputs: Mapping[str, Any]) -> tuple[str, ...]:
    """How a resource stands otherwise than it was left."""
    try:
        stands = provider.read("", dict(outputs)).outs
        if not stands:
            return ("nothing of it is there",)
        if stands["standing"] == outputs[provider.written]:
            return ()
        return tuple(stands["drift"])
    except KubernetesError as error:
        raise DeployError(f"stage {stage}: {error}") from None


def _plain(value: Any) -> Any:  # noqa: ANN401 -- JSON of a state
    """The value with what is secret in it laid open, as an export gives it."""
    if isinstance(value, dict) and _SECRET in value:
        return json.loads(value["plaintext"])
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
