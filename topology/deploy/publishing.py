"""The provider that publishes rendered files to whoever reads them."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.dynamic import UpdateResult

from topology.artifacts.output.manifest import digest_of, files_below
from topology.deploy.edits import Edit
from topology.deploy.provider import SiteProvider
from topology.deploy.publication import Publication
from topology.deploy.releases import Release
from topology.deploy.stage import Build


class PublishingProvider(SiteProvider):
    """Makes a place hold exactly the files of one bundle of a stage."""

    written = "published"
    compared = ("owner", "digest", "folder", "order", "facts", "publish")

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Publish the files anew; where the place changed, withdraw them from the old one afterwards."""
        old = (
            _place(olds) if _has_moved(olds, news) else None
        )  # one that cannot be left is told before anything is done
        state = self._write(news)
        if old:
            old.withdraw(_release(olds))
        return UpdateResult(state)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Withdraw this stage's files; the stage before is in use then."""
        _place(props).withdraw(_release(props))

    def _write(self, props: Mapping[str, Any]) -> dict[str, Any]:
        return self._state(props, _place(props).publish(_release(props), self._files(props)))

    def _read_back(self, props: Mapping[str, Any]) -> str | None:
        return _place(props).live_digest(_release(props))

    def _edits(self, props: Mapping[str, Any]) -> Iterator[Edit]:
        """Lines of files that differ, as far as the build still has the files that were published."""
        build = Build.at(self._build)
        same = digest_of(files_below(build.files, props["folder"]).items()) == props["digest"]
        return _place(props).edits(_release(props), self._files(props) if same else {})

    def _gone(self, props: Mapping[str, Any]) -> str:
        place, release = _place(props), _release(props)
        return f"the folder {place.root}" if place.newest(release.stage) is None else ""

    def _files(self, props: Mapping[str, Any]) -> dict[str, bytes]:
        """The bundle's files, each as the build lists it."""
        build, folder = Build.at(self._build), props["folder"]
        return {path: build.read(f"{folder}/{path}") for path in files_below(build.files, folder)}


def _release(props: Mapping[str, Any]) -> Release:
    cluster, stage, _ = props["owner"].split("/")
    return Release(cluster, stage, int(props["order"]), props["digest"])


def _place(props: Mapping[str, Any]) -> Publication:
    cluster, _, bundle = props["owner"].split("/")
    kind, _, name = bundle.partition("-")
    return Publication.at(props["publish"], cluster, kind, name)


def _has_moved(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the files go to another folder: not to the same under another name, by a link or from elsewhere."""
    old, new = (os.path.realpath(props["publish"]["path"]) for props in (olds, news))
    return bool(old != new or olds["owner"].split("/")[2] != news["owner"].split("/")[2])
