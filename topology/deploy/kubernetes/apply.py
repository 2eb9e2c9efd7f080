"""Manifests applied: sent side by side where order does not matter, and not at all where nothing differs."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from topology.deploy.kubernetes.compare import is_current
from topology.deploy.kubernetes.counts import ObjectCounts
from topology.deploy.kubernetes.documents import ManifestDocument, read
from topology.deploy.kubernetes.errors import KubernetesError, stop_at
from topology.deploy.kubernetes.ownership import ApplySet, content_of, key_of
from topology.deploy.kubernetes.placing import CRD, PlacedDocument, kinds_defined, place, waves
from topology.deploy.kubernetes.removal import LEAVING, holders_text, remove
from topology.deploy.kubernetes.server import ResourceKind, Server

SERVED_S = 30  # a kind is served a second after it was applied; a busy server takes longer
POLL_S = 0.1


def apply(  # noqa: PLR0913 -- where to, whose, and how
    folders: Iterable[Path],
    *,
    owner: str,
    context: str | None = None,
    kubeconfig: Path | None = None,
    simulated: bool = False,
    rank: int = 0,
    concurrency: int = 16,
) -> ObjectCounts:
    """Make a server's objects those of the manifests in `folders`; count what that took.

    Files are applied in the order of their names, the documents of one side by side. Afterwards, what `owner` had
    applied earlier and is in no file now is removed. A Node is never made, only labelled once its kubelet has
    brought it; nodes that KWOK plays are the exception. Repeating it does nothing where nothing has changed.
    `rank` is kept with the set: the place of a stage, by which the stages of a cell know which of them stands.

    Raises:
        KubernetesError: a file, the connection or the server refused; what had been applied by then stays.
    """
    documents = read(list(folders), simulated=simulated)
    with Server(context=context, kubeconfig=kubeconfig, concurrency=concurrency) as server:
        return apply_documents(documents, server, ApplySet(owner), rank=rank)


def apply_documents(
    documents: Sequence[ManifestDocument], server: Server, owned: ApplySet, *, rank: int = 0
) -> ObjectCounts:
    """Counts of applying `documents` to `server`; see `apply`."""
    placed = place(documents, server, owned)
    wanted = content_of(each.document.key for each in placed)
    before = owned.content(server)
    if before | wanted != before or owned.rank(server) != rank:
        owned.record(server, before | wanted, rank)
    words: list[str] = []
    for wave in waves(placed):
        words += _send(wave, server, owned)
        if crds := [each for each in wave if each.kind.kind == CRD]:
            _wait_for_crds(crds, server)
    kept = {each.document.key.object for each in placed}
    members = owned.members(server, before) if before.kinds else []
    gone = remove([(kind, live) for kind, live in members if key_of(kind, live).object not in kept], server)
    left = wanted | content_of(key for word, key in gone if word == LEAVING)
    if before | wanted != left:
        owned.record(server, left, rank)
    return ObjectCounts.of([*words, *(word for word, _ in gone)])


def _send(wave: Sequence[PlacedDocument], server: Server, owned: ApplySet) -> list[str]:
    """A word for each of what was done, as in `ObjectCounts`; all refusals of a wave are raised at once."""
    outcomes = server.each(lambda each: _outcome(each, server, owned), wave)
    stop_at([refusal for _, refusal in outcomes if refusal])
    return [word for word, _ in outcomes]


def _outcome(each: PlacedDocument, server: Server, owned: ApplySet) -> tuple[str, str]:
    """What was done with one document, or why the server refused it."""
    if each.waits:
        return "waiting", ""
    if each.live is not None and (holders := holders_text(each.live)) is not None:
        return "", f"{each.document}: is being deleted{holders}; apply again when it is gone"
    if each.live is not None and owned.has(each.live) and is_current(each.live, each.document):
        return "unchanged", ""
    answer = server.apply(each.kind, each.document.key, owned.with_marks(each.document, adopted=each.adopted))
    if not answer.fine:
        return "", f"{each.document}: {answer.refusal}"
    if answer.status == 201:  # noqa: PLR2004 -- HTTP's own code
        return "created", ""
    same = each.live is not None and _version(answer.body) == _version(each.live)
    return ("unchanged" if same else "changed"), ""


def _version(live: dict[str, Any]) -> str:
    return str(live["metadata"]["resourceVersion"])


def _wait_for_crds(crds: Sequence[PlacedDocument], server: Server) -> None:
    """Return when the server serves the kinds of these definitions, and tells others that it does."""
    deadline = time.monotonic() + SERVED_S
    for each in crds:
        for kind in kinds_defined(each.document.body):
            while not _is_served(kind, server):
                if time.monotonic() > deadline:
                    raise KubernetesError(f"{each.document}: {kind.kind} is not served after {SERVED_S} s")
                time.sleep(POLL_S)


def _is_served(kind: ResourceKind, server: Server) -> bool:
    """Whether requests for a kind are answered and it is in the list of kinds, which comes a little later."""
    if not server.ask("GET", kind.path(), params={"limit": "1"}).fine:
        return False
    if server.kind(kind.api_version, kind.kind) is None:
        server.forget()
    return server.kind(kind.api_version, kind.kind) is not None
