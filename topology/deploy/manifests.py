"""The provider that puts the manifests of a cell on its API server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi.dynamic import DiffResult, UpdateResult

from topology.deploy import kubernetes
from topology.deploy.provider import SiteProvider
from topology.deploy.stage import Build
from topology.deploy.stop import DeployError


class ManifestsProvider(SiteProvider):
    """Makes an API server hold exactly the objects of one cell at a stage.

    Stages of a cell share its objects, and the latest that was applied has them: an earlier one leaves them alone
    then, and has them again when the later one is destroyed.
    """

    written = "applied"
    compared = ("owner", "digest", "folders", "orders", "facts", "server")

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether the build changed, somebody edited, or nodes joined that the last apply waited for.

        Nodes that have yet to join are no change: there is nothing to do about them.
        """
        found = super().diff(id_, olds, news)
        if found.changes or not olds.get("waiting"):
            return found
        places = [self._build / folder for folder in news["folders"]]
        try:
            return DiffResult(changes=kubernetes.joined(places, owner=_set(news), **_server(news)) > 0)
        except kubernetes.KubernetesError:  # a preview needs no server; refresh says what is wrong with it
            return found

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Apply the manifests anew. An API server that the cell is led away from keeps what it has."""
        return UpdateResult(self._write(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Leave what the stage before had on the server, or nothing when there is none."""
        stands = kubernetes.read_owned(owner=_set(props), **_server(props))
        orders = [int(order) for order in props["orders"]]
        if stands is None or stands.rank > orders[-1]:
            return
        if orders[:-1]:
            self._apply(props, props["folders"][:-1], orders[-2])
        elif counts := kubernetes.delete(owner=_set(props), **_server(props)).leaving:
            raise DeployError(
                f"{props['owner']}: {counts} objects are still in use; destroy it again when they are not"
            )

    def _read_back(self, props: Mapping[str, Any]) -> str | None:
        """The token; where a later stage has the objects, that of this stage, since they are not its own any more."""
        stands = kubernetes.read_owned(owner=_set(props), **_server(props))
        if stands is None:
            return None
        applied: str = props[self.written]
        return applied if stands.rank > int(props["orders"][-1]) else stands.token

    def _write(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """The state after applying: what stands, how many objects, how many nodes have yet to join."""
        order = int(props["orders"][-1])
        stands = kubernetes.read_owned(owner=_set(props), **_server(props))
        waiting = 0
        if stands is None or stands.rank <= order:
            waiting = self._apply(props, props["folders"], order)
            stands = kubernetes.read_owned(owner=_set(props), **_server(props))
        token, objects = (stands.token, stands.objects) if stands else ("", 0)
        return self._state(props, token, objects=objects, waiting=waiting)

    def _apply(self, props: Mapping[str, Any], folders: Sequence[str], order: int) -> int:
        """Apply files that are as they were built; how many nodes have yet to join."""
        build = Build.at(self._build)
        for path in build.files:
            if path.startswith(tuple(f"{folder}/" for folder in folders)):
                build.read(path)  # refuses one that was changed
        places = [build.folder / folder for folder in folders]
        simulated = bool(props["server"].get("simulated"))
        done = kubernetes.apply(places, owner=_set(props), simulated=simulated, rank=order, **_server(props))
        return done.waiting


def _set(props: Mapping[str, Any]) -> str:
    """Name of the cell's set of objects, the same for all of its stages."""
    cluster, _, name = props["owner"].split("/")
    return f"{cluster}-{name.partition('-')[2]}".replace("_", "-")


def _server(props: Mapping[str, Any]) -> dict[str, Any]:
    kubeconfig = props["server"].get("kubeconfig")
    return {
        "context": props["server"]["context"],
        "kubeconfig": Path(kubeconfig).expanduser() if kubeconfig else None,
    }
