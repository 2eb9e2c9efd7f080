"""Manifests on a real API server, by server-side apply: applied, compared, removed. Needs the extra `kubernetes`."""

from topology.deploy.kubernetes.apply import apply
from topology.deploy.kubernetes.counts import Counts
from topology.deploy.kubernetes.drift import Drift, drift
from topology.deploy.kubernetes.errors import KubernetesError
from topology.deploy.kubernetes.removal import delete
from topology.deploy.kubernetes.standing import Standing, standing

__all__ = ["Counts", "Drift", "KubernetesError", "Standing", "apply", "delete", "drift", "standing"]
