"""What is ours, taken off a server: deleted when we made it, released when it was there before us."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from topology.deploy.kubernetes.documents import SIMULATED, Key
from topology.deploy.kubernetes.errors import stop_at
from topology.deploy.kubernetes.ownership import ADOPTED, APPLIED, MEMBER, ApplySet, is_adopted, key_of
from topology.deploy.kubernetes.placing import MAKERS
from topology.deploy.kubernetes.server import MERGE, Answer, Kind, Server

_NOT_FOUND = 404


def delete(
    *, owner: str, context: str | None = None, kubeconfig: Path | None = None, concurrency: int = 16
) -> tuple[int, int]:
    """Take everything of `owner` off a server; how many objects were deleted, and how many released.

    Only what we made is deleted. What was there before, as every real Node is, loses what we wrote on it and stays.

    Raises:
        KubernetesError: the connection or the server refused; what is left is found again by repeating it.
    """
    owned = ApplySet(owner)
    with Server(context=context, kubeconfig=kubeconfig, concurrency=concurrency) as server:
        words = remove(owned.members(server, owned.content(server)), server)
        owned.forget(server)
    return words.count("deleted"), words.count("released")


def remove(members: Sequence[tuple[Kind, dict[str, Any]]], server: Server) -> list[str]:
    """`deleted` or `released` for each member; namespaces and definitions after what may be in them."""
    words: list[str] = []
    for last in (False, True):
        chosen = [each for each in members if (each[0].kind in MAKERS) == last]
        outcomes = server.each(lambda each: _removed(*each, server), chosen)
        stop_at([refusal for _, refusal in outcomes if refusal])
        words += [word for word, _ in outcomes]
    return words


def _removed(kind: Kind, live: dict[str, Any], server: Server) -> tuple[str, str]:
    metadata = live["metadata"]
    key = key_of(kind, live)
    if is_adopted(live) or _is_real_node(kind, metadata):
        word, answer = "released", _released(kind, key, metadata, server)
    else:
        # By its uid: an object of this name that somebody made anew meanwhile is not ours.
        options = {"propagationPolicy": "Background", "preconditions": {"uid": metadata["uid"]}}
        path = kind.path(key.namespace, key.name)
        word, answer = (
            "deleted",
            server.ask("DELETE", path, body={"apiVersion": "v1", "kind": "DeleteOptions", **options}),
        )
    fine = answer.fine or answer.status == _NOT_FOUND
    return word, "" if fine else f"{key}: {answer.refusal}"


def _is_real_node(kind: Kind, metadata: dict[str, Any]) -> bool:
    """Whether a kubelet brought it: such a Node is deleted by whoever runs the cluster, by nobody else."""
    return (kind.api_version, kind.kind) == ("v1", "Node") and SIMULATED not in (metadata.get("annotations") or {})


def _released(kind: Kind, key: Key, metadata: dict[str, Any], server: Server) -> Answer:
    """Give up every field of ours: what nobody else holds goes. The version keeps it from being made anew."""
    bare = {"name": key.name, "resourceVersion": metadata["resourceVersion"]}
    body = {"apiVersion": key.api_version, "kind": key.kind, "metadata": bare}
    answer = server.apply(kind, key, body)
    if answer.status in {400, 422}:  # it cannot be without them: then they stay, and only our marks go
        nothing = {"labels": {MEMBER: None}, "annotations": {APPLIED: None, ADOPTED: None}}
        path = kind.path(key.namespace, key.name)
        answer = server.ask("PATCH", path, body={"metadata": nothing}, content=MERGE)
    return answer
