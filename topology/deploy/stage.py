"""What the selected stack deploys: a stage of a build, with the digest of all that is in it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pulumi
from jsonschema import Draft202012Validator

from topology.artifacts.output.manifest import NAME, ManifestError, digest_of, files_below, sha256
from topology.artifacts.output.manifest import read as read_manifest
from topology.artifacts.pulumi.bundles import CELL, cell_files
from topology.deploy.configuration import Configuration
from topology.deploy.stop import DeployError, stop
from topology.resources import data

INVENTORY = "inventory.schema.json"
REBUILD = "run topology build on its spec again"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rendered files that one receiver gets together, such as a slurmctld."""

    name: str
    kind: str
    folder: str  # below the build
    files: Mapping[str, str]  # path below `folder`: SHA-256
    facts: Mapping[str, Any]
    aliases: Sequence[str]  # names it had before

    @property
    def is_cell(self) -> bool:
        """Whether an API server gets it, if the configuration leads it to one."""
        return self.kind == CELL

    @property
    def digest(self) -> str:
        """SHA-256 over the names and contents of the files."""
        return digest_of(self.files.items())


@dataclass(frozen=True)
class Build:
    """A folder that `topology build` wrote."""

    folder: Path
    plan: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)  # SHA-256 of every file, by its path below the folder

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The build in `folder`.

        Raises:
            DeployError: there is none.
        """
        try:
            text = (folder / NAME).read_bytes()
            files = {path: listed.sha256 for path, listed in read_manifest(text).items()}
            plan = json.loads(text)
            plan["spec_sha256"], plan["stages"]
        except ManifestError as error:
            raise DeployError(f"{folder / NAME} {error}; {REBUILD}, or set the key plan") from None
        except (OSError, ValueError, KeyError):
            raise DeployError(f"{folder / NAME} is not the plan of a build; {REBUILD}, or set the key plan") from None
        return cls(folder, plan, files)

    @property
    def cells(self) -> list[str]:
        """Kubernetes clusters of the site: every cell, and the one that manages several."""
        names = [cell["name"] for cell in self.plan.get("cells", [])]
        return [*names, "federation"] if len(names) > 1 else names

    def inventory(self, stage: str) -> Mapping[str, Any]:
        """What a stage deploys, by schemas/inventory.schema.json.

        Raises:
            DeployError: the build has no such stage, or the file is not the one it wrote.
        """
        path = f"pulumi/inventory/{stage}.json"
        if path not in self.files:
            raise DeployError(f"{self.folder} has no stage {stage}; {REBUILD}, or select another stack")
        text = self.read(path)
        document: Mapping[str, Any] = json.loads(text)
        schema = json.loads((data("schemas") / INVENTORY).read_bytes())
        for error in Draft202012Validator(schema).iter_errors(document):
            raise DeployError(f"{self.folder / path}: {error.json_path} {error.message:.100}; {REBUILD}")
        return document

    def read(self, path: str) -> bytes:
        """Bytes of a file of the build, exactly as it was built.

        Raises:
            DeployError: it is gone or was changed.
        """
        try:
            text = (self.folder / path).read_bytes()
        except OSError as error:
            raise DeployError(f"{self.folder / path}: {error.strerror}; {REBUILD}") from None
        if sha256(text) != self.files.get(path):
            raise DeployError(f"{self.folder / path} is not as it was built; {REBUILD}, with --force")
        return text

    def bundles(self, inventory: Mapping[str, Any]) -> tuple[Bundle, ...]:
        """Bundles that a stage publishes, with every file the build wrote for them."""
        found = []
        for each in inventory["bundles"]:
            files = files_below(self.files, each["folder"])
            if not files:
                raise DeployError(f"{self.folder} was built without {each['folder']}; {REBUILD}, without --only")
            found.append(Bundle(each["name"], each["kind"], each["folder"], files, each["facts"], each["aliases"]))
        return tuple(found)

    def cell_files(self, inventory: Mapping[str, Any], bundle: Bundle) -> Mapping[str, str]:
        """SHA-256 of every file of a cell's folder and of the same folder in the stages before, by its path."""
        return cell_files(inventory, bundle.folder, self.files)

    def digest(self, stage: str) -> str:
        """Identity of all that a stage deploys."""
        inventory = self.inventory(stage)
        parts = [(each["name"], each["digest"]) for each in inventory["resources"]]
        parts += [(each.name, each.digest) for each in self.bundles(inventory)]
        return digest_of(parts)


@dataclass(frozen=True)
class StackStage:
    """A stage of a build and the configuration of its stack."""

    build: Build
    name: str
    inventory: Mapping[str, Any] = field(repr=False)
    config: Configuration = field(repr=False)

    @classmethod
    def selected(cls) -> Self:
        """The stage that the selected stack is named after; the program ends where there is none."""
        name = pulumi.get_stack()
        try:
            config = Configuration.of_stack()
            build = Build.at(Path(config["plan"]))
            config.check_cells(build.cells)
            return cls(build, name, build.inventory(name), config)
        except DeployError as error:
            stop(error.lines)

    @property
    def order(self) -> int:
        """Place among the stages, from 0."""
        return list(self.inventory["stages"]).index(self.name)

    @property
    def before(self) -> Sequence[str]:
        """The stages that must stand before this one, in their order."""
        return list(self.inventory["stages"])[: self.order]

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """What the stage publishes."""
        return self.build.bundles(self.inventory)

    def bundles_of(self, kind: str) -> list[Bundle]:
        """What the stage publishes of one kind."""
        return [bundle for bundle in self.bundles if bundle.kind == kind]

    @property
    def digest(self) -> str:
        """Identity of all that the stage deploys."""
        return self.build.digest(self.name)

    def of_kind(self, *kinds: str) -> Sequence[Mapping[str, Any]]:
        """Resources of some kinds, in the order in which they can be made."""
        return [each for each in self.inventory["resources"] if each["kind"] in kinds]


Stage = StackStage  # as the programs of stacks import it
