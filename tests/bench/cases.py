"""What is measured, each in a process of its own that prints JSON: `expand SPEC`, `build SPEC OUT` and so on."""

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from steps import Shares

LARGE_STAGE_GPUS = 100_000


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


def deployed(build: str) -> dict[str, Any]:
    """The first stage of a build that adds 100,000 GPUs, by the real engine: seconds of preview, of up, of up again.

    Stages before it go up unmeasured, into a state and an inventory beside the build.
    """
    from topology.verify.engines import pulumi  # noqa: PLC0415 - each case imports what it needs

    project = Path(build, "pulumi")
    Path(build, "pulumi-state").mkdir()
    env = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(pulumi()), os.environ["PATH"]]),
        "PULUMI_HOME": str(Path(build, "pulumi-home").absolute()),
        "PULUMI_BACKEND_URL": f"file://{Path(build, 'pulumi-state').absolute()}",
        "PULUMI_CONFIG_PASSPHRASE": "for the bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }

    def timed(*words: str) -> float:
        begun = time.perf_counter()
        argv = ["pulumi", "--non-interactive", *words]
        done = subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        return time.perf_counter() - begun

    stages = json.loads(Path(build, "plan.json").read_text())["stages"]
    gpus = [after["gpus"] - before["gpus"] for before, after in pairwise([{"gpus": 0}, *stages])]
    large = next(at for at, count in enumerate(gpus) if count >= LARGE_STAGE_GPUS)
    for stage in stages[: large + 1]:
        timed("stack", "init", stage["name"])
    for stage in stages[:large]:
        timed("up", "-s", stage["name"], "--yes", "--skip-preview")
    name = stages[large]["name"]
    preview = timed("preview", "-s", name)
    up = timed("up", "-s", name, "--yes", "--skip-preview")
    again = timed("up", "-s", name, "--yes", "--skip-preview", "--expect-no-changes")
    inventory = json.loads((project / "inventory" / f"{name}.json").read_text())
    return {"seconds": preview, "up": up, "again": again, "gpus": gpus[large], "resources": len(inventory["resources"])}


if __name__ == "__main__":
    case, *words = sys.argv[1:]
    cases = {"expand": expand, "build": build, "cell": cell, "kubernetes": kubernetes, "deployed": deployed}
    found = cases[case](*words)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    sys.stdout.write(json.dumps(found))
