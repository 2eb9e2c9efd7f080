"""What a build can make: one row per target, in the order in which they are made."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from topology.artifacts.artifact import Artifact
from topology.artifacts.kubernetes import files as kubernetes
from topology.artifacts.output.manifest import NAME
from topology.artifacts.pictures import files as pictures
from topology.artifacts.power import files as power
from topology.artifacts.pulumi import files as pulumi
from topology.artifacts.slurm import files as slurm
from topology.plan import Plan, store
from topology.views import summary

Maker = Callable[[Plan, Sequence[int]], Iterator[Artifact]]


def _tables(plan: Plan, stages: Sequence[int]) -> Iterator[Artifact]:
    """Tables hold every stage, whichever are asked for: a stage is a column."""
    del stages
    for path, data in store.parquet(plan):
        yield Artifact(path, data)


TARGETS: Mapping[str, tuple[str, Maker]] = {  # word of --only: first folder of its paths below a stage, maker
    "tables": ("tables", _tables),
    "slurm": ("slurm", slurm.artifacts),
    "kubernetes": ("kubernetes", kubernetes.artifacts),
    "power": ("power", power.artifacts),
    "report": ("report", pictures.artifacts),
    "pulumi": ("pulumi", pulumi.artifacts),
}


def artifacts(plan: Plan, only: Sequence[str], stages: Sequence[int]) -> Iterator[Artifact]:
    """Every file of the chosen targets and stages, one at a time."""
    for word in TARGETS:
        if word in only:
            yield from TARGETS[word][1](plan, stages)


def is_made(plan: Plan, path: str, only: Sequence[str], stages: Sequence[int]) -> bool:
    """Whether a path is one that these targets and stages make, or would have."""
    parts = PurePosixPath(path).parts
    staged = parts[0] == "stages"
    names = {plan.spec.stages[stage].name for stage in stages}
    words = {TARGETS[word][0] for word in only}
    return (parts[2] in words and parts[1] in names) if staged else parts[0] in words


def manifest(plan: Plan, spec_sha256: str, version: str) -> dict[str, object]:
    """Facts of plan.json, without the files, which are counted as they are written."""
    return {
        "schema_version": 1,
        "version": version,
        "cluster": plan.spec.name,
        "spec_sha256": spec_sha256,
        "catalog_sha256": plan.catalog.sha256,
        "counts": summary.counts(plan),
        "power": summary.power(plan),
        "stages": summary.stages(plan),
        "cells": summary.cells(plan),
    }


def same_plan(out: Path, facts: Mapping[str, object]) -> bool:
    """Whether the folder's plan.json tells of this very spec, catalogue and program."""
    try:
        old = json.loads((out / NAME).read_bytes())
    except (OSError, ValueError):
        return False
    keys = ("cluster", "spec_sha256", "catalog_sha256", "version")
    return isinstance(old, dict) and all(old.get(key) == facts[key] for key in keys)
