"""What on a server is ours: an ApplySet, as KEP-3659 describes it and `kubectl apply --prune --applyset` keeps it.

Every object carries the set's identity as a label. The set itself is a ConfigMap that lists the kinds and namespaces
its members are of, so that whatever left the plan is found again, whole kinds included. Kinds are added to it before
members are, and dropped after members are: an apply that is cut short forgets nothing.

Two annotations are our own. `APPLIED` is the digest of the document as it was applied; with it, an object that is as
it should be needs no request. `ADOPTED` marks what was there before us, which is released and never deleted.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from topology.deploy.kubernetes.documents import ManifestDocument, ObjectKey
from topology.deploy.kubernetes.errors import KubernetesError
from topology.deploy.kubernetes.server import ResourceKind, Server

MEMBER = "applyset.kubernetes.io/part-of"
IDENTITY = "applyset.kubernetes.io/id"
TOOLING = "applyset.kubernetes.io/tooling"
KINDS = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
APPLIED = "cluster-topology/applied"
ADOPTED = "cluster-topology/adopted"
RANK = "cluster-topology/rank"
VERSION = "cluster-topology/v1"
HOME = "default"  # the namespace of the sets' ConfigMaps: every cluster has it
_OWNER = re.compile(r"[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?")
_CONFIG_MAPS = ResourceKind("v1", "ConfigMap", "configmaps", namespaced=True)


@dataclass(frozen=True, slots=True)
class Content:
    """Where members of a set may be: `Kind.group` words and namespaces."""

    kinds: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()

    def __or__(self, other: "Content") -> "Content":
        return Content(self.kinds | other.kinds, self.namespaces | other.namespaces)


class ApplySet:
    """The objects of one `owner`, such as `colossus-c1`."""

    def __init__(self, owner: str) -> None:
        if not _OWNER.fullmatch(owner):
            raise KubernetesError(f"owner {owner!r} must be lower-case letters, digits, '-' and '.', as host names are")
        self._key = ObjectKey("v1", "ConfigMap", HOME, f"topology-{owner}")
        digest = hashlib.sha256(f"{self._key.name}.{HOME}.ConfigMap.".encode()).digest()
        self.identity = f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"

    @property
    def selector(self) -> str:
        """The label selector of the members."""
        return f"{MEMBER}={self.identity}"

    def has(self, live: dict[str, Any]) -> bool:
        """Whether `live` is a member. Raises KubernetesError when it is one of another set: two would fight over it."""
        label = (live["metadata"].get("labels") or {}).get(MEMBER)
        if label not in {None, self.identity}:
            name = f"{live.get('kind', 'object')} {live['metadata']['name']}"
            raise KubernetesError(f"{name} belongs to another apply set, {label}: delete it there, or rename it here")
        return label is not None

    def with_marks(self, document: ManifestDocument, *, adopted: bool) -> dict[str, Any]:
        """What is sent of a document: its body with the marks of this set."""
        metadata = document.body["metadata"]
        marks = {APPLIED: document.digest, **({ADOPTED: "true"} if adopted else {})}
        labels = {**(metadata.get("labels") or {}), MEMBER: self.identity}
        annotations = {**(metadata.get("annotations") or {}), **marks}
        return {**document.body, "metadata": {**metadata, "labels": labels, "annotations": annotations}}

    def content(self, server: Server) -> Content:
        """Where members were put so far; nowhere when the set is new."""
        answer = server.ask("GET", _CONFIG_MAPS.path(HOME, self._key.name))
        annotations = (answer.body.get("metadata", {}).get("annotations") or {}) if answer.fine else {}
        return Content(_words(annotations.get(KINDS)), _words(annotations.get(NAMESPACES)))

    def rank(self, server: Server) -> int | None:
        """Place among the stages of the one that was applied last; None when nothing of the set stands."""
        answer = server.ask("GET", _CONFIG_MAPS.path(HOME, self._key.name))
        annotations = (answer.body.get("metadata", {}).get("annotations") or {}) if answer.fine else None
        return None if annotations is None else int(annotations.get(RANK, "0"))

    def record(self, server: Server, content: Content, rank: int) -> None:
        """Write down where members may be from now on, and of which stage they are."""
        marks = {
            TOOLING: VERSION,
            RANK: str(rank),
            KINDS: ",".join(sorted(content.kinds)),
            NAMESPACES: ",".join(sorted(content.namespaces - {HOME})),
        }
        metadata = {
            "name": self._key.name,
            "namespace": HOME,
            "labels": {IDENTITY: self.identity},
            "annotations": marks,
        }
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        answer = server.apply(_CONFIG_MAPS, self._key, body)
        if not answer.fine:
            raise KubernetesError(f"{server.where}: {answer.refusal}")

    def forget(self, server: Server) -> None:
        """Remove the record, when the set has no members any more."""
        server.ask("DELETE", _CONFIG_MAPS.path(HOME, self._key.name))

    def members(
        self, server: Server, content: Content, *, names_only: bool = False
    ) -> list[tuple[ResourceKind, dict[str, Any]]]:
        """Every member on the server, in all kinds and namespaces of `content`. Kinds that are gone have none."""
        found: list[tuple[ResourceKind, dict[str, Any]]] = []
        for word in sorted(content.kinds):
            name, _, group = word.partition(".")
            kind = server.preferred_kind(group, name)
            if kind is not None:
                for place in sorted(content.namespaces | {HOME}) if kind.namespaced else [""]:
                    listed = server.objects(kind, place, label=self.selector, names_only=names_only)
                    found += [(kind, each) for each in listed]
        return found


def content_of(keys: Iterable[ObjectKey]) -> Content:
    """Where the objects of these names are."""
    listed: Collection[ObjectKey] = list(keys)
    return Content(
        frozenset(f"{key.kind}.{key.group}".rstrip(".") for key in listed),
        frozenset(key.namespace for key in listed if key.namespace),
    )


def key_of(kind: ResourceKind, live: dict[str, Any]) -> ObjectKey:
    """What names an object that the server gave."""
    metadata = live["metadata"]
    return ObjectKey(kind.api_version, kind.kind, metadata.get("namespace", ""), metadata["name"])


def is_adopted(live: dict[str, Any]) -> bool:
    """Whether an object was there before us."""
    return ADOPTED in (live["metadata"].get("annotations") or {})


def _words(text: str | None) -> frozenset[str]:
    return frozenset(filter(None, (text or "").split(",")))
