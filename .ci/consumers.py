#!/usr/bin/env python3
"""Gets the real programs that tests run, ahead of the tests, so that one that is missing is said once."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from topology.verify import browser, definitions, stores
from topology.verify.cache import UnavailableError
from topology.verify.engines import ENGINES, etcd, kube_apiserver, kueue, pulumi
from topology.verify.inventory_server import prepare
from topology.verify.nautobot import NAUTOBOT
from topology.verify.netbox import NETBOX
from topology.verify.slurm_packages import SUITES, slurm

IN_CI = os.environ.get("CI") == "true"
SAID_FROM_S = 1.0  # what was there already is not worth a line
AT_ONCE = 2  # a build takes all cores, the migrations of a database one


def pictures() -> None:
    """Chromium and the mermaid package."""
    browser.chromium()
    browser.mermaid()


_VERSIONS = {engine.name: engine.version for engine in ENGINES}
SYSTEM: Mapping[str, Callable[[], object]] = {  # what apt brings as root or with sudo, one after another
    "PostgreSQL and Redis": stores.install,
    "Chromium": browser.install,
}
CONSUMERS: Mapping[str, Callable[[], object]] = {  # what a reader of a log calls it: what brings it
    **{f"Slurm {release}": partial(slurm, release) for release in SUITES},
    f"NetBox {NETBOX.version}": partial(prepare, NETBOX),
    f"Nautobot {NAUTOBOT.version}": partial(prepare, NAUTOBOT),
    f"Pulumi {_VERSIONS['pulumi']}": pulumi,
    f"etcd {_VERSIONS['etcd']}": etcd,
    f"kube-apiserver and kubectl {_VERSIONS['kubernetes']}": kube_apiserver,
    f"Kueue {_VERSIONS['kueue']}": kueue,
    "the definitions of Kubernetes kinds": definitions.fetch,
    f"Chromium and mermaid {browser.MERMAID}": pictures,
}


def missing(name: str, bring: Callable[[], object]) -> str:
    """Why there is no `name`; empty when it is there now."""
    begun = time.monotonic()
    try:
        bring()
    except UnavailableError as error:
        return f"no {name}: {str(error).splitlines()[0]}"
    took = time.monotonic() - begun
    if took > SAID_FROM_S:
        sys.stderr.write(f"{name} is ready after {took:.0f} s\n")
    return ""


def main() -> int:
    """Exit code: 1 when CI lacks a program; elsewhere the tests that need it are left out."""
    said = [missing(name, bring) for name, bring in SYSTEM.items()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said += pool.map(missing, CONSUMERS, CONSUMERS.values())
    for line in filter(None, said):
        sys.stderr.write(f"error: {line}\n" if IN_CI else f"warning: tests are left out, {line}\n")
    return 1 if any(said) and IN_CI else 0


if __name__ == "__main__":
    sys.exit(main())
