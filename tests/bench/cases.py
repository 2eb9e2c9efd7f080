"""What is measured, each in a process of its own that prints JSON: `expand SPEC`, `build SPEC OUT` and so on."""

import contextlib
import io
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from steps import Shares


def expand(spec: str) -> dict[str, Any]:
    """From the file to a plan in memory, every cable in its frame; seconds of the expansion alone."""
    from topology.catalog import load as catalog  # noqa: PLC0415 - each case imports what it needs
    from topology.cli import session  # noqa: PLC0415
    from topology.expand import expand, fabrics  # noqa: PLC0415
    from topology.spec import load as specs  # noqa: PLC0415

    model, _ = specs.load(session.read(spec), fabrics.kinds())
    products = catalog.load(Path(spec).parent / model.catalog if model.catalog else None)
    begun = time.perf_counter()
    plan = expand(model, products)
    return {"seconds": time.perf_counter() - begun, "gpus": plan.gpus.height, "cables": plan.cables.height}


def build(spec: str, out: str) -> dict[str, Any]:
    """A whole build by the command, with every target; seconds in all and by step."""
    from topology.cli import main  # noqa: PLC0415 - each case imports what it needs

    shares = Shares()
    shares.install()
    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            main(["build", spec, "-o", out])
        except SystemExit as stop:
            if stop.code:
                raise
    took = time.perf_counter() - begun
    return {"seconds": took, "steps": shares.seconds, "summary": said.getvalue()}


def cell(build: str, name: str) -> dict[str, Any]:
    """A whole Kubernetes cell, its nodes as KWOK plays them, applied to a real API server and read back; then again.

    Seconds of the first apply with the reading, `again` of the second apply, which has nothing to do.
    """
    from topology.deploy import kubernetes  # noqa: PLC0415 - each case imports what it needs
    from topology.deploy.kubernetes.documents import read  # noqa: PLC0415
    from topology.verify import definitions, engines  # noqa: PLC0415
    from topology.verify.api_server import ApiServer  # noqa: PLC0415

    stages = next(
        each["stages"] for each in json.loads(Path(build, "plan.json").read_text())["cells"] if each["name"] == name
    )
    folders = [Path(build, "stages", stage, "kubernetes", name) for stage in stages]
    kinds = {(each.key.group, each.key.kind) for each in read(folders, simulated=True)}
    with ApiServer(engines.etcd(), engines.kube_apiserver()) as server, tempfile.TemporaryDirectory() as defined:
        for path in definitions.files(kinds):
            Path(defined, path.name).write_bytes(path.read_bytes())
        kubernetes.apply([Path(defined)], owner="definitions", kubeconfig=server.kubeconfig)
        where: dict[str, Any] = {"owner": "bench", "kubeconfig": server.kubeconfig, "simulated": True}
        begun = time.perf_counter()
        counts = kubernetes.apply(folders, **where)
        drift = kubernetes.drift(folders, **where)
        took = time.perf_counter() - begun
        begun = time.perf_counter()
        again = kubernetes.apply(folders, **where)
        took_again = time.perf_counter() - begun
    if drift or again.unchanged != counts.created:
        raise SystemExit(f"{counts}; then {again}; {len(drift)} differences")
    return {"seconds": took, "again": took_again, "objects": counts.created}


def kubernetes(spec: str) -> dict[str, Any]:
    """Every Kubernetes manifest of a site, rendered and not written; seconds of the rendering alone."""
    from topology.artifacts.kubernetes import files  # noqa: PLC0415 - each case imports what it needs
    from topology.catalog import load as catalog  # noqa: PLC0415
    from topology.cli import session  # noqa: PLC0415
    from topology.expand import expand, fabrics  # noqa: PLC0415
    from topology.spec import load as specs  # noqa: PLC0415

    model, _ = specs.load(session.read(spec), fabrics.kinds())
    plan = expand(model, catalog.load(Path(spec).parent / model.catalog if model.catalog else None))
    begun = time.perf_counter()
    sizes = [len(made.data) for made in files.artifacts(plan, range(len(plan.spec.stages)))]
    took = time.perf_counter() - begun
    return {"seconds": took, "files": len(sizes), "bytes": sum(sizes), "cells": plan.cells.height}


if __name__ == "__main__":
    case, *words = sys.argv[1:]
    cases = {"expand": expand, "build": build, "cell": cell, "kubernetes": kubernetes}
    found = cases[case](*words)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    sys.stdout.write(json.dumps(found))
