"""The files of the project: program, project file, a configuration and an inventory per stage."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from topology.artifacts.artifact import Artifact, register
from topology.artifacts.kubernetes import federation
from topology.artifacts.pulumi.resources import earlier_names, resources
from topology.artifacts.render import render
from topology.artifacts.slurm.clusters import controllers
from topology.plan import Plan, store
from topology.resources import data
from topology.views import summary, supply
from topology.views.records import Register

FOLDER = PurePosixPath("pulumi")
SCHEMA_VERSION = 1  # of schemas/inventory.schema.json
CONFIG = "pulumi/Pulumi.{word}.yaml"

register(
    "pulumi",
    (
        "pulumi/{Pulumi.yaml|__main__.py|requirements.txt}",
        CONFIG,
        "pulumi/policy/{PulumiPolicy.yaml|__main__.py}",
        "pulumi/inventory/{word}.json",
    ),
    seeds=(CONFIG,),
)


def artifacts(plan: Plan, stages: Sequence[int]) -> Iterator[Artifact]:
    """Every file of the project; stages refer to each other, so all are made whichever are asked for."""
    del stages
    for name, text in project(plan, ".."):
        yield Artifact(FOLDER / name, text)
    tables = {name: frame.lazy() for name, frame in store.stored(plan)}
    records = Register.of(tables)
    for stage, spec in enumerate(plan.spec.stages):
        yield Artifact(FOLDER / "inventory" / f"{spec.name}.json", _lines(inventory(plan, records, stage)))


def project(
    plan: Plan, plan_folder: str, spec_file: str = "", virtualenv: str = "", package: str = "cluster-topology"
) -> Iterator[tuple[str, bytes]]:
    """Name and text of Pulumi.yaml, the program, what it runs on and each stack's configuration.

    `plan_folder` leads from the project to a build, `spec_file` to the spec it must be built from,
    `virtualenv` to the Python environment that has this package; empty: the one that Pulumi finds. `package` is what
    pip is to install there.
    """
    spec = plan.spec
    named = {"project": spec.pulumi.project, "cluster": spec.name}
    yield "Pulumi.yaml", render("pulumi/Pulumi.yaml.j2", virtualenv=virtualenv, config=_declared_keys(), **named)
    yield "requirements.txt", render("pulumi/requirements.txt.j2", package=package)
    stages = [stage.name for stage in spec.stages]
    cells = spec.kubernetes is not None
    yield "__main__.py", render("pulumi/__main__.py.j2", cluster=spec.name, stages=stages, cells=cells)
    yield "policy/PulumiPolicy.yaml", render("pulumi/policy/PulumiPolicy.yaml.j2", cluster=spec.name)
    has = {"power_tree": bool(plan.feeds.height), "sources": bool(supply.stages(plan).height)}
    exempt = [what for what, is_there in has.items() if not is_there]
    yield "policy/__main__.py", render("pulumi/policy/__main__.py.j2", exempt=exempt, cluster=spec.name, stages=stages)
    for stage in range(len(spec.stages)):
        needs = required(plan, stage)
        text = render(
            "pulumi/Pulumi.stage.yaml.j2",
            project=spec.pulumi.project,
            stage=spec.stages[stage].name,
            plan=plan_folder,
            spec=spec_file,
            needs=[f"attest.{kind}.{name}" for kind, names in needs.items() for name in names],
        )
        yield f"Pulumi.{spec.stages[stage].name}.yaml", text


def _declared_keys() -> list[dict[str, str]]:
    """Keys of a stack's configuration as a project declares them to the engine: name, type, description, default."""
    properties = json.loads((data("schemas") / "stack.schema.json").read_bytes())["properties"]
    return [
        {"name": key, "type": rule["type"], "description": rule["description"], "default": _flow(rule["default"])}
        for key, rule in properties.items()
    ]


def _flow(value: object) -> str:
    """A default as YAML writes it on a line, for words that need no quotes."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(below)}' for key, below in value.items())}}}"
    return value if isinstance(value, str) else _json(value)


def required(plan: Plan, stage: int) -> dict[str, list[str]]:
    """What must be attested before a stage is deployed and was not for a stage before it.

    Permits and battery banks by name, halls whose feeds are energised.
    """
    earlier = [each.needs for each in plan.spec.stages[:stage] if each.needs]
    needs = plan.spec.stages[stage].needs
    if needs is None:
        return {"permits": [], "energised": [], "banks": []}
    banks = plan.batteries.sort("battery").select("name", "bank").rows()
    before = max((each.banks for each in earlier), default=0)
    return {
        "permits": [name for name in needs.permits if not any(name in each.permits for each in earlier)],
        "energised": [hall for hall in needs.energised if not any(hall in each.energised for each in earlier)],
        "banks": [f"{name}-{bank}" for name, bank in banks[before : needs.banks]],
    }


def inventory(plan: Plan, records: Register, stage: int) -> dict[str, Any]:
    """What the stack of a stage deploys, as schemas/inventory.schema.json describes it."""
    spec = plan.spec
    renamed = dict(spec.pulumi.renamed)
    return {
        "schema_version": SCHEMA_VERSION,
        "cluster": spec.name,
        "project": spec.pulumi.project,
        "stage": spec.stages[stage].name,
        "stages": [each.name for each in spec.stages],
        "needs": required(plan, stage),
        "supply": _supply(plan, stage),
        "resources": [each.document() for each in resources(records, stage, renamed)],
        "bundles": [*_slurm(plan, stage, renamed), *_cells(plan, stage, renamed)],
    }


def _slurm(plan: Plan, stage: int, renamed: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The configuration of every slurmctld."""
    for each in controllers(plan, stage):
        name = f"slurm-{each.name}"
        yield {
            "name": name,
            "kind": "slurm-cluster",
            "folder": f"stages/{plan.spec.stages[stage].name}/slurm/{each.name}",
            "facts": {
                "nodes": each.nodes.height,
                "partitions": ", ".join(partition.name for partition in each.partitions),
            },
            "aliases": earlier_names(name, renamed),
        }


def _cells(plan: Plan, stage: int, renamed: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The manifests of every Kubernetes cell that the stage adds to, and of the cluster that manages several."""
    stages = [each.name for each in plan.spec.stages]
    for cell in summary.cells(plan) if plan.spec.kubernetes is not None else ():
        if stages[stage] in cell["stages"]:
            name = f"kubernetes-{cell['name']}"
            so_far = cell["stages"][: cell["stages"].index(stages[stage]) + 1]
            yield {
                "name": name,
                "kind": "kubernetes-cell",
                "folder": f"stages/{stages[stage]}/kubernetes/{cell['name']}",
                "facts": {"pool": cell["pool"], "stages": ", ".join(so_far)},
                "aliases": earlier_names(name, renamed),
            }
    if plan.spec.kubernetes is not None and (several := federation.members(plan, stage)):
        yield {
            "name": "kubernetes-federation",
            "kind": "kubernetes-cell",
            "folder": f"stages/{stages[stage]}/kubernetes/federation",
            "facts": {"cells": several},
            "aliases": [],
        }


def _supply(plan: Plan, stage: int) -> dict[str, float]:
    """Draw of the site in a stage, and what its sources give; empty where the spec names none."""
    rows = supply.stages(plan)
    if not rows.height:
        return {}
    row = rows.row(stage, named=True)
    return {"load_mw": summary.megawatts(row["load_w"]), "supply_mw": summary.megawatts(row["supply_w"])}


def _lines(document: dict[str, Any]) -> bytes:
    """JSON with a line per key and per thing in a list, so that a review shows what changed."""
    lines = []
    for key, value in document.items():
        things = value if isinstance(value, list) and value and isinstance(value[0], dict) else None
        body = ",\n".join(f"    {_json(thing)}" for thing in things) if things else ""
        lines.append(f"  {_json(key)}: " + (f"[\n{body}\n  ]" if things else _json(value)))
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False)
