"""The provider that puts the manifests of a cell on its API server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from topology.deploy import kubernetes
from topology.deploy.stage import Build
from topology.deploy.stop import DeployError

COMPARED = ("owner", "digest", "folders", "orders", "facts", "server")


class ManifestsProvider(ResourceProvider):
    """Makes an API server hold exactly the objects of one cell at a stage.

    The state keeps the token of what stood after applying (`applied`) and when it was last read (`standing`).
    Stages of a cell share its objects, and the latest that was applied has them: an earlier one leaves them alone
    then, and has them again when the later one is destroyed.
    """

    serialize_as_secret_always = False  # it has no secrets, and its state should be read in a review
    _plan: str = ".."

    def configure(self, req: ConfigureRequest) -> None:
        """Take the folder of the build from the stack's configuration."""
        self._plan = req.config.get("plan") or ".."

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Apply the manifests; done twice it is done once."""
        return CreateResult(props["owner"], self._applied(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether the build changed, somebody edited, or nodes had yet to join when it was applied last."""
        edited = olds.get("applied") != olds.get("standing") or bool(olds.get("waiting"))
        return DiffResult(changes=edited or any(olds.get(key) != news.get(key) for key in COMPARED))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Apply the manifests anew. An API server that the cell is led away from keeps what it has."""
        return UpdateResult(self._applied(news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What stands on the server now; no id when nothing does."""
        stands = kubernetes.standing(owner=_set(props), **_server(props))
        if stands is None:
            return ReadResult("", {})
        later = stands.rank > int(props["orders"][-1])
        return ReadResult(id_, {**props, "standing": props["applied"] if later else stands.token})

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Leave what the stage before had on the server, or nothing when there is none."""
        stands = kubernetes.standing(owner=_set(props), **_server(props))
        orders = [int(order) for order in props["orders"]]
        if stands is None or stands.rank > orders[-1]:
            return
        if orders[:-1]:
            self._apply(props, props["folders"][:-1], orders[-2])
        elif counts := kubernetes.delete(owner=_set(props), **_server(props)).leaving:
            raise DeployError(
                f"{props['owner']}: {counts} objects are still in use; destroy it again when they are not"
            )

    def _applied(self, props: dict[str, Any]) -> dict[str, Any]:
        """The state after applying: what stands, how many objects, how many nodes have yet to join."""
        order = int(props["orders"][-1])
        stands = kubernetes.standing(owner=_set(props), **_server(props))
        waiting = 0
        if stands is None or stands.rank <= order:
            waiting = self._apply(props, props["folders"], order)
            stands = kubernetes.standing(owner=_set(props), **_server(props))
        token, objects = (stands.token, stands.objects) if stands else ("", 0)
        return {**props, "applied": token, "standing": token, "objects": objects, "waiting": waiting}

    def _apply(self, props: Mapping[str, Any], folders: Sequence[str], order: int) -> int:
        """Apply files that are as they were built; how many nodes have yet to join."""
        build = Build.at(Path(self._plan))
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
