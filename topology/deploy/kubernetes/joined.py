"""Nodes that joined since the manifests were applied last, and wait for their labels."""

from collections.abc import Iterable
from pathlib import Path

from topology.deploy.kubernetes.documents import read
from topology.deploy.kubernetes.ownership import ApplySet
from topology.deploy.kubernetes.placing import place
from topology.deploy.kubernetes.server import Server


def joined(
    folders: Iterable[Path],
    *,
    owner: str,
    context: str | None = None,
    kubeconfig: Path | None = None,
    concurrency: int = 16,
) -> int:
    """How many real nodes of the manifests in `folders` are there and not labelled for `owner` yet.

    Raises:
        KubernetesError: a file, the connection or the server refused.
    """
    nodes = [each for each in read(list(folders)) if each.awaits_kubelet]
    owned = ApplySet(owner)
    with Server(context=context, kubeconfig=kubeconfig, concurrency=concurrency) as server:
        there = [each.live for each in place(nodes, server, owned) if each.live is not None]
    return sum(not owned.has(live) for live in there)
