"""Manifests as they stand in files: which object each document is, and where it was written."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from topology.deploy.kubernetes.errors import KubernetesError

SUFFIXES = (".yaml", ".yml", ".json")
SIMULATED = "kwok.x-k8s.io/node"  # KWOK plays the kubelet of a Node that carries this annotation
_MARK = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)


class Key(NamedTuple):
    """What names an object on a server; `namespace` is empty for what belongs to the whole cluster."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def group(self) -> str:
        """`kueue.x-k8s.io` of `kueue.x-k8s.io/v1beta2`; empty for the core of Kubernetes."""
        return self.api_version.rpartition("/")[0]

    @property
    def object(self) -> tuple[str, str, str, str]:
        """The object itself, which is the same in every version of its kind."""
        return self.group, self.kind, self.namespace, self.name


@dataclass(frozen=True)
class Document:
    """One object of one file."""

    file: Path
    number: int  # of the document in its file, from 1
    body: dict[str, Any]
    key: Key

    def __str__(self) -> str:
        return f"{self.file}, document {self.number} ({self.key})"

    @cached_property
    def digest(self) -> str:
        """Says whether two documents ask for the same, however they are laid out."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def awaits_kubelet(self) -> bool:
        """Whether this is a Node that its own kubelet brings: it is labelled when it is there, never made by us."""
        annotations = self.body["metadata"].get("annotations") or {}
        return self.key[:2] == ("v1", "Node") and SIMULATED not in annotations


def read(folders: Sequence[Path]) -> list[Document]:
    """Documents of the manifests in `folders`, in the order in which they are applied: folder, file name, place.

    What lies in folders below them is left alone, as `kubectl apply -f` leaves it.

    Raises:
        KubernetesError: there is none; or a file is no YAML, holds something that is no object, or one object twice.
    """
    files = [path for folder in folders for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES]
    documents = [document for path in files for document in _documents(path)]
    if not documents:
        raise KubernetesError(
            f"no manifests in {', '.join(map(str, folders))}; name a folder that topology build wrote"
        )
    seen: dict[Key, Document] = {}
    for document in documents:
        if (first := seen.setdefault(document.key, document)) is not document:
            raise KubernetesError(f"{document}: the same object is in {first.file}, document {first.number}")
    return documents


def _documents(path: Path) -> Iterator[Document]:
    try:
        bodies = list(_bodies(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise KubernetesError(f"{path}: cannot be read: {error}") from error
    except ValueError as error:
        raise KubernetesError(f"{path}: {error}") from error
    for number, body in enumerate(bodies, 1):
        key = _key(body)
        if key is None:
            raise KubernetesError(f"{path}, document {number}: no object with apiVersion, kind and metadata.name")
        yield Document(path, number, body, key)


def _key(body: Any) -> Key | None:  # noqa: ANN401 -- whatever a document holds
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        return None
    words = [body.get("apiVersion"), body.get("kind"), metadata.get("namespace") or "", metadata.get("name")]
    key = Key(*(word if isinstance(word, str) else "" for word in words))
    return key if key.api_version and key.kind and key.name else None


def _bodies(text: str) -> Iterator[Any]:
    """The documents of a file. One that is a line of JSON, as the thousands of nodes are, is read as JSON.

    The others are read as kubectl reads them, by the rules of YAML 1.1.
    """
    import yaml  # type: ignore[import-untyped] # noqa: PLC0415 - comes with lightkube, asked for by `server`

    for part in _MARK.split(text):
        bare = part.strip()
        if not bare:
            continue
        if bare.startswith("{"):
            try:
                yield json.loads(bare)
            except ValueError:
                pass
            else:
                continue
        try:
            body = yaml.load(part, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from error
        if body is not None:
            yield body
