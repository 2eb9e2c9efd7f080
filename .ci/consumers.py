#!/usr/bin/env python3
"""Gets the real programs that tests run, ahead of the tests, so that one that is missing is said once."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

from topology.verify import browser, definitions, nautobot, stores
from topology.verify.cache import UnavailableError
from topology.verify.engines import ENGINES, etcd, kube_apiserver, kueue, pulumi
from topology.verify.packages import SUITES, slurm

IN_CI = os.environ.get("CI") == "true"
SAID_FROM_S = 1.0  # what was there already is not worth a line


def inventory_server() -> None:
    """A Nautobot and its database; in CI the packages of PostgreSQL and Redis as well, where they are missing."""
    if IN_CI and os.getuid() == 0:
        stores.install()
    nautobot.prepare()


def pictures() -> None:
    """Chromium and the mermaid package; in CI Debian's Chromium is installed where none is."""
    if IN_CI and os.getuid() == 0:
        browser.install()
    browser.chromium()
    browser.mermaid()


_VERSIONS = {engine.name: engine.version for engine in ENGINES}
CONSUMERS: Mapping[str, Callable[[], object]] = {  # what a reader of a log calls it: what brings it
    **{f"Slurm {release}": partial(slurm, release) for release in SUITES},
    f"Pulumi {_VERSIONS['pulumi']}": pulumi,
    f"etcd {_VERSIONS['etcd']}": etcd,
    f"kube-apiserver and kubectl {_VERSIONS['kubernetes']}": kube_apiserver,
    f"Kueue {_VERSIONS['kueue']}": kueue,
    "the definitions of Kubernetes kinds": definitions.fetch,
    f"Nautobot {nautobot.VERSION}": inventory_server,
    f"Chromium and mermaid {browser.MERMAID}": pictures,
}


def main() -> int:
    """Exit code: 1 when CI lacks a program; elsewhere the tests that need it are left out."""
    missing = []
    for name, bring in CONSUMERS.items():  # one after another: each build takes all cores
        begun = time.monotonic()
        try:
            bring()
        except UnavailableError as error:
            missing.append(f"no {name}: {str(error).splitlines()[0]}")
        else:
            took = time.monotonic() - begun
            if took > SAID_FROM_S:
                sys.stderr.write(f"{name} is ready after {took:.0f} s\n")
    for line in missing:
        sys.stderr.write(f"error: {line}\n" if IN_CI else f"warning: tests are left out, {line}\n")
    return 1 if missing and IN_CI else 0


if __name__ == "__main__":
    sys.exit(main())
