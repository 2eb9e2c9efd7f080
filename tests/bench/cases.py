"""What is measured, each in a process of its own: `cases.py expand SPEC` and `cases.py build SPEC OUT` print JSON."""

import contextlib
import io
import json
import resource
import sys
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


if __name__ == "__main__":
    case, *words = sys.argv[1:]
    found = {"expand": expand, "build": build}[case](*words)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    sys.stdout.write(json.dumps(found))
