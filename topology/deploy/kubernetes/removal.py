"""What is ours, taken off a server: deleted when we made it, released when it was there before us."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from topology.deploy.kubernetes.counts import ObjectCounts
from topology.deploy.kubernetes.documents import SIMULATED, ObjectKey
from topology.deploy.kubernetes.errors import stop_at
from topology.deploy.kubernetes.ownership import ADOPTED, APPLIED, MEMBER, ApplySet, is_adopted, key_of
from topology.deploy.kubernetes.placing import MAKERS
from topology.deploy.kubernetes.server import MERGE, ResourceKind, Server, ServerResponse

DELETED, LEAVING, RELEASED = "deleted", "leaving", "released"
LEAVING_S = 10  # controllers let go of what nobody uses within a second or two
POLL_S = 0.1
_NOT_FOUND = 404


def delete(
    *, owner: str, context: str | None = None, kubeconfig: Path | None = None, concurrency: int = 16
) -> ObjectCounts:
    """Take everything of `owner` off a server; count what that took.

    Only what we made is deleted. What was there before, as every real Node is, loses what we wrote on it and stays.
    What its users hold, such as a queue with running jobs, leaves when they let go; repeating it tells whether it has.

    Raises:
        KubernetesError: the connection or the server refused; what is left is found again by repeating it.
    """
    owned = ApplySet(owner)
    with Server(context=context, kubeconfig=kubeconfig, concurrency=concurrency) as server:
        gone = remove(owned.members(server, owned.content(server)), server)
        if all(word != LEAVING for word, _ in gone):
            owned.forget(server)
    return ObjectCounts.of(word for word, _ in gone)


def holders_text(live: dict[str, Any]) -> str | None:
    """None, or for an object that is being deleted, who holds it: `, held by kueue.x-k8s.io/resource-in-use`."""
    metadata = live["metadata"]
    if "deletionTimestamp" not in metadata:
        return None
    holders = [*metadata.get("finalizers", []), *live.get("spec", {}).get("finalizers", [])]
    return f", held by {', '.join(sorted(holders))}" if holders else ""


def remove(members: Sequence[tuple[ResourceKind, dict[str, Any]]], server: Server) -> list[tuple[str, ObjectKey]]:
    """What became of each member, as in `ObjectCounts`; namespaces and definitions go after what may be in them."""
    gone: list[tuple[str, ObjectKey]] = []
    for last in (False, True):
        chosen = [each for each in members if (each[0].kind in MAKERS) == last]
        outcomes = server.each(lambda each: _remove_one(*each, server), chosen)
        stop_at([refusal for _, refusal in outcomes if refusal])
        deadline = time.monotonic() + LEAVING_S
        for (word, _), (kind, live) in zip(outcomes, chosen, strict=True):
            key = key_of(kind, live)
            # A namespace empties itself, which takes its time; nothing here has to wait for that.
            is_left = word == LEAVING and not last and not _is_gone(kind, key, server, deadline)
            gone.append((word if word == RELEASED or is_left else DELETED, key))
    return gone


def _remove_one(kind: ResourceKind, live: dict[str, Any], server: Server) -> tuple[str, str]:
    """What was done with a member, or why the server refused it."""
    key, metadata = key_of(kind, live), live["metadata"]
    if is_adopted(live) or _is_real_node(kind, metadata):
        word, answer = RELEASED, _release(kind, key, metadata, server)
    else:
        # By its uid: an object of this name that somebody made anew meanwhile is not ours.
        options = {"propagationPolicy": "Background", "preconditions": {"uid": metadata["uid"]}}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        answer = server.ask("DELETE", kind.path(key.namespace, key.name), body=body)
        word = LEAVING if answer.fine and "deletionTimestamp" in answer.body.get("metadata", {}) else DELETED
    fine = answer.fine or answer.status == _NOT_FOUND
    return word, "" if fine else f"{key}: {answer.refusal}"


def _is_gone(kind: ResourceKind, key: ObjectKey, server: Server, deadline: float) -> bool:
    """Whether an object that its finalizers held has gone by the deadline."""
    while server.ask("GET", kind.path(key.namespace, key.name)).status != _NOT_FOUND:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _is_real_node(kind: ResourceKind, metadata: dict[str, Any]) -> bool:
    """Whether a kubelet brought it: such a Node is deleted by whoever runs the cluster, by nobody else."""
    return (kind.api_version, kind.kind) == ("v1", "Node") and SIMULATED not in (metadata.get("annotations") or {})


def _release(kind: ResourceKind, key: ObjectKey, metadata: dict[str, Any], server: Server) -> ServerResponse:
    """Give up every field of ours: what nobody else holds goes. The version keeps it from being made anew."""
    bare = {"name": key.name, "resourceVersion": metadata["resourceVersion"]}
    body = {"apiVersion": key.api_version, "kind": key.kind, "metadata": bare}
    answer = server.apply(kind, key, body)
    if answer.status in {400, 422}:  # it cannot be without them: then they stay, and only our marks go
        nothing = {"labels": {MEMBER: None}, "annotations": {APPLIED: None, ADOPTED: None}}
        path = kind.path(key.namespace, key.name)
        answer = server.ask("PATCH", path, body={"metadata": nothing}, content=MERGE)
    return answer
