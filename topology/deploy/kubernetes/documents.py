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
OF_NODES = ("10-nodes-", "70-hosts-")  # as artifacts/kubernetes/files.py names the files of what arrives
KWOK = "kwok"  # the folder beside them with nodes to simulate
SIMULATED = "kwok.x-k8s.io/node"  # KWOK plays the kubelet of a Node that carries this annotation
_MARK = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)


class ObjectKey(NamedTuple):
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


class _TextError(Exception):
    """A file is no YAML; the text is what follows its name."""


@dataclass(frozen=True)
class ManifestDocument:
    """One object of one file."""

    file: Path
    number: int  # of the document in its file, from 1
    body: dict[str, Any]
    key: ObjectKey

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


def read(folders: Sequence[Path], *, simulated: bool = False) -> list[ManifestDocument]:
    """Documents of the manifests in `folders`, in the order in which they are applied: file name, folder, place.

    Several folders are those of one cell, stage by stage: each holds the nodes that arrive and everything else as it
    then stands, so of all but the last the files of nodes alone count. What lies in folders below is left alone, as
    `kubectl apply -f` leaves it; with `simulated`, nodes are those that KWOK plays, from the folders `kwok`.

    Raises:
        KubernetesError: there is none; or a file is no YAML, holds something that is no object, or one object twice.
    """
    documents = [document for path in _files(folders, simulated=simulated) for document in _documents(path)]
    if not documents:
        raise KubernetesError(
            f"no manifests in {', '.join(map(str, folders))}; name a folder that topology build wrote"
        )
    seen: dict[ObjectKey, ManifestDocument] = {}
    for document in documents:
        if (first := seen.setdefault(document.key, document)) is not document:
            raise KubernetesError(f"{document}: the same object is in {first.file}, document {first.number}")
    return documents


def _files(folders: Sequence[Path], *, simulated: bool) -> list[Path]:
    files = []
    for folder in folders:
        here = {path.name: path for path in folder.glob("*") if path.suffix in SUFFIXES}
        if folder != folders[-1]:
            here = {name: path for name, path in here.items() if name.startswith(OF_NODES)}
        if simulated:
            here |= {path.name: path for path in (folder / KWOK).glob("*") if path.suffix in SUFFIXES}
        files += list(here.values())
    places = {folder: place for place, folder in enumerate(folders)}
    return sorted(files, key=lambda path: (path.name, places.get(path.parent, places.get(path.parent.parent, 0))))


def _documents(path: Path) -> Iterator[ManifestDocument]:
    try:
        bodies = list(_bodies(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise KubernetesError(f"{path}: cannot be read: {error}") from error
    except _TextError as error:
        raise KubernetesError(f"{path}{error}") from error
    for number, body in enumerate(bodies, 1):
        key = _key(body)
        if key is None:
            raise KubernetesError(f"{path}, document {number}: no object with apiVersion, kind and metadata.name")
        yield ManifestDocument(path, number, body, key)


def _key(body: Any) -> ObjectKey | None:  # noqa: ANN401 -- whatever a document holds
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        return None
    words = [body.get("apiVersion"), body.get("kind"), metadata.get("namespace") or "", metadata.get("name")]
    key = ObjectKey(*(word if isinstance(word, str) else "" for word in words))
    return key if key.api_version and key.kind and key.name else None


def _bodies(text: str) -> Iterator[Any]:
    """The documents of a file. One that is a line of JSON, as the thousands of nodes are, is read as JSON.

    The others are read as kubectl reads them, by the rules of YAML 1.1.
    """
    import yaml  # type: ignore[import-untyped] # noqa: PLC0415 - comes with lightkube, asked for by `server`

    line = 0
    for part in _MARK.split(text):
        bare = part.strip()
        if bare.startswith("{"):
            try:
                yield json.loads(bare)
            except ValueError:
                pass
            else:
                bare = ""
        if bare:
            try:
                body = yaml.load(part, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe
            except yaml.MarkedYAMLError as error:
                place = line + error.problem_mark.line + 1 if error.problem_mark else line + 1
                raise _TextError(f", line {place}: {error.problem}") from error
            except yaml.YAMLError as error:
                raise _TextError(f": {' '.join(str(error).split())}") from error
            if body is not None:
                yield body
        line += part.count("\n")
