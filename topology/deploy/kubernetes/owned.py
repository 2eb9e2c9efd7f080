"""What of an owner stands on a server, as a token that changes when somebody else writes on it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topology.deploy.kubernetes.ownership import APPLIED, ApplySet, key_of
from topology.deploy.kubernetes.server import FIELD_MANAGER, Server


@dataclass(frozen=True, slots=True)
class OwnedObjects:
    """The objects of one owner."""

    rank: int  # place of the stage that was applied last
    objects: int
    token: str


def read_owned(
    *, owner: str, context: str | None = None, kubeconfig: Path | None = None, concurrency: int = 16
) -> OwnedObjects | None:
    """What stands of an owner; None when nothing does.

    The token covers which objects there are, what was applied to each, and which of its fields are ours. A server
    takes a field from us as soon as somebody else gives it another value, so that no value has to be compared.

    Raises:
        KubernetesError: the connection or the server refused.
    """
    owned = ApplySet(owner)
    with Server(context=context, kubeconfig=kubeconfig, concurrency=concurrency) as server:
        rank = owned.rank(server)
        if rank is None:
            return None
        members = owned.members(server, owned.content(server), names_only=True)
    whole = hashlib.sha256()
    for key, live in sorted(((key_of(kind, live).object, live) for kind, live in members), key=lambda each: each[0]):
        applied = (live["metadata"].get("annotations") or {}).get(APPLIED)
        whole.update(json.dumps([key, applied, _ours(live)], sort_keys=True).encode())
    return OwnedObjects(rank, len(members), whole.hexdigest())


def _ours(live: dict[str, Any]) -> list[Any]:
    """Fields of an object that this program holds."""
    managed = live["metadata"].get("managedFields") or []
    return [each["fieldsV1"] for each in managed if (each["manager"], each["operation"]) == (FIELD_MANAGER, "Apply")]
