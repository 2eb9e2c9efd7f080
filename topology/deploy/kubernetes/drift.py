"""Where a server's objects differ from their manifests."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topology.deploy.kubernetes.compare import differences, is_current
from topology.deploy.kubernetes.documents import ManifestDocument, read
from topology.deploy.kubernetes.errors import KubernetesError
from topology.deploy.kubernetes.ownership import ApplySet, key_of
from topology.deploy.kubernetes.placing import PlacedDocument, place
from topology.deploy.kubernetes.server import Server


@dataclass(frozen=True, slots=True)
class Drift:
    """One field that is not as its manifest says, or with an empty `field` an object that is missing or too much."""

    object: str  # "Node h1r0001n03"
    field: str  # "metadata.labels.accelerator.topograph.run/domain"
    found: Any  # None: not there
    wanted: Any  # None: not in the manifests

    def __str__(self) -> str:
        if self.field:
            return f"{self.object}: {self.field} is {self.found!r}, the manifests say {self.wanted!r}"
        return f"{self.object}: {'missing' if self.found is None else 'in no manifest'}"


def drift(  # noqa: PLR0913 -- as `apply`
    folders: Iterable[Path],
    *,
    owner: str,
    context: str | None = None,
    kubeconfig: Path | None = None,
    simulated: bool = False,
    concurrency: int = 16,
) -> list[Drift]:
    """Every difference between a server and the manifests in `folders`, sorted; none when an apply would do nothing.

    What a field would become is the server's own answer to a dry run, so defaults and written forms do not show.

    Raises:
        KubernetesError: a file, the connection or the server refused.
    """
    documents = read(list(folders), simulated=simulated)
    with Server(context=context, kubeconfig=kubeconfig, concurrency=concurrency) as server:
        return find_drift(documents, server, ApplySet(owner))


def find_drift(documents: Sequence[ManifestDocument], server: Server, owned: ApplySet) -> list[Drift]:
    """Differences between `server` and `documents`; see `drift`."""
    placed = place(documents, server, owned)
    found = [each for of_one in server.each(lambda one: list(_of(one, server, owned)), placed) for each in of_one]
    kept = {each.document.key.object for each in placed}
    members = [key_of(*each) for each in owned.members(server, owned.content(server))]
    found += [Drift(str(key), "", "there", None) for key in members if key.object not in kept]
    return sorted(found, key=lambda each: (each.object, each.field))


def _of(each: PlacedDocument, server: Server, owned: ApplySet) -> Iterator[Drift]:
    name = str(each.document.key)
    if each.waits:
        return
    if each.live is None:
        yield Drift(name, "", None, "there")
        return
    if owned.has(each.live) and is_current(each.live, each.document):
        return
    marked = owned.with_marks(each.document, adopted=each.adopted)
    answer = server.apply(each.kind, each.document.key, marked, dry_run=True)
    if not answer.fine:
        raise KubernetesError(f"{each.document}: {answer.refusal}")
    live = server.must("GET", each.kind.path(each.document.key.namespace, each.document.key.name)).body
    for field, found, wanted in differences(live, answer.body):
        yield Drift(name, field, found, wanted)
