"""Documents matched with a server: which of its kinds each is of, and what is there of it already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from topology.deploy.kubernetes.documents import ManifestDocument, ObjectKey
from topology.deploy.kubernetes.errors import KubernetesError
from topology.deploy.kubernetes.ownership import ApplySet, is_adopted
from topology.deploy.kubernetes.server import ResourceKind, Server

CRD = "CustomResourceDefinition"
MAKERS = frozenset({"Namespace", CRD})  # of what other objects need to be there


@dataclass(frozen=True, slots=True)
class PlacedDocument:
    """A document, the kind it is of, and the object that is there already."""

    document: ManifestDocument
    kind: ResourceKind
    live: dict[str, Any] | None
    adopted: bool  # it was there before us

    @property
    def waits(self) -> bool:
        """Whether it is about a real Node that has not joined: there is nothing to label yet."""
        return self.live is None and self.document.awaits_kubelet


def place(documents: Sequence[ManifestDocument], server: Server, owned: ApplySet) -> list[PlacedDocument]:
    """Documents with their kinds and what is there of them, in their order.

    Raises:
        KubernetesError: the server lacks kinds, or an object belongs to another set.
    """
    promised = {(each.api_version, each.kind): each for document in documents for each in kinds_defined(document.body)}
    found = [(each, server.kind(*each.key[:2]) or promised.get(each.key[:2])) for each in documents]
    unknown = sorted({f"{each.key.kind} ({each.key.api_version})" for each, kind in found if kind is None})
    if unknown:
        raise KubernetesError(f"{server.where}: has no {', '.join(unknown)}; install what brings them, then repeat")
    known = [(_in_namespace(each, kind, server.namespace), kind) for each, kind in found if kind is not None]
    live = _live(known, server)
    placed = []
    for document, kind in known:
        there = live.get(document.key)
        ours = there is not None and owned.has(there)
        adopted = there is not None and (is_adopted(there) or not ours)
        placed.append(PlacedDocument(document, kind, there, adopted))
    return placed


def waves(placed: Sequence[PlacedDocument]) -> Iterator[list[PlacedDocument]]:
    """What may be applied side by side: file by file, and in each the makers before the rest."""
    for _, of_file in groupby(placed, key=lambda each: each.document.file):
        members = list(of_file)
        first = [each for each in members if each.kind.kind in MAKERS]
        rest = [each for each in members if each.kind.kind not in MAKERS]
        yield from filter(None, (first, rest))


def _in_namespace(document: ManifestDocument, kind: ResourceKind, usual: str) -> ManifestDocument:
    """The document under the name that the server gives it."""
    namespace = (document.key.namespace or usual) if kind.namespaced else ""
    key = document.key._replace(namespace=namespace)
    return document if document.key == key else replace(document, key=key)


def _live(known: Iterable[tuple[ManifestDocument, ResourceKind]], server: Server) -> Mapping[ObjectKey, dict[str, Any]]:
    """What is there now of the kinds and namespaces of the documents.

    Of a kind whose documents say nothing but metadata, such as the labels of nodes, only the metadata is asked for.
    """
    whole: dict[tuple[ResourceKind, str], bool] = {}
    for document, kind in known:
        place_ = (kind, document.key.namespace)
        whole[place_] = whole.get(place_, False) or not document.body.keys() <= {"apiVersion", "kind", "metadata"}
    found: dict[ObjectKey, dict[str, Any]] = {}
    for (kind, namespace), is_whole in whole.items():
        if server.kind(kind.api_version, kind.kind) is not None:  # else a CRD brings it only now
            for each in server.objects(kind, namespace, names_only=not is_whole):
                found[ObjectKey(kind.api_version, kind.kind, namespace, each["metadata"]["name"])] = each
    return found


def kinds_defined(body: Mapping[str, Any]) -> Iterator[ResourceKind]:
    """Kinds that a CustomResourceDefinition makes known."""
    if body["kind"] == CRD:
        spec = body["spec"]
        for version in (each for each in spec["versions"] if each["served"]):
            names, api_version = spec["names"], f"{spec['group']}/{version['name']}"
            yield ResourceKind(api_version, names["kind"], names["plural"], spec["scope"] == "Namespaced")
