"""Manifests on a real API server, by server-side apply: applied, compared, removed. Needs the extra `kubernetes`."""

from topology.deploy.kubernetes.apply import apply
from topology.deploy.kubernetes.counts import ObjectCounts
from topology.deploy.kubernetes.drift import Drift, drift
from topology.deploy.kubernetes.errors import KubernetesError
from topology.deploy.kubernetes.joined import joined
from topology.deploy.kubernetes.owned import OwnedObjects, read_owned
from topology.deploy.kubernetes.removal import delete

__all__ = [
    "Drift",
    "KubernetesError",
    "ObjectCounts",
    "OwnedObjects",
    "apply",
    "delete",
    "drift",
    "joined",
    "read_owned",
]
