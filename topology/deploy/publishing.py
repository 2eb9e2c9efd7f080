"""The provider that publishes rendered files to whoever reads them."""

from collections.abc import Mapping
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

from topology.deploy.publication import Publication
from topology.deploy.releases import Release
from topology.deploy.stage import Build

COMPARED = ("owner", "digest", "folder", "order", "facts", "publish")


class PublishingProvider(ResourceProvider):
    """Makes a place hold exactly the files of one bundle of a stage.

    The state keeps what stood after publishing (`published`) and what was last read (`standing`).
    """

    serialize_as_secret_always = False  # it has no secrets, and its state should be read in a review
    _plan: str = ".."

    def configure(self, req: ConfigureRequest) -> None:
        """Take the folder of the build from the stack's configuration."""
        self._plan = req.config.get("plan") or ".."

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Publish the files; done twice it is done once."""
        stands = _place(props).publish(_release(props), self._files(props))
        return CreateResult(props["owner"], {**props, "published": stands, "standing": stands})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether the build or the published files changed."""
        edited = olds.get("published") != olds.get("standing")
        return DiffResult(changes=edited or any(olds.get(key) != news.get(key) for key in COMPARED))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Publish the files anew; where the place changed, withdraw them from the old one afterwards."""
        stands = _place(news).publish(_release(news), self._files(news))
        if any(olds.get(key) != news.get(key) for key in ("owner", "kind", "publish")) and _moved(olds, news):
            _place(olds).withdraw(_release(olds))
        return UpdateResult({**news, "published": stands, "standing": stands})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What stands at the place now; no id when nothing does."""
        stands = _place(props).standing(_release(props))
        return ReadResult(id_, {**props, "standing": stands}) if stands else ReadResult("", {})

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Withdraw this stage's files; the stage before is in use then."""
        _place(props).withdraw(_release(props))

    def _files(self, props: Mapping[str, Any]) -> dict[str, bytes]:
        """The bundle's files, each as the build lists it."""
        build = Build.at(Path(self._plan))
        inside = props["folder"] + "/"
        paths = [path for path in build.files if path.startswith(inside)]
        return {path[len(inside) :]: build.read(path) for path in paths}


def _release(props: Mapping[str, Any]) -> Release:
    cluster, stage, _ = props["owner"].split("/")
    return Release(cluster, stage, int(props["order"]), props["digest"])


def _place(props: Mapping[str, Any]) -> Publication:
    kind, _, name = props["owner"].split("/")[2].partition("-")
    return Publication.at(props["publish"], kind, name)


def _moved(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    return _place(olds).root != _place(news).root
