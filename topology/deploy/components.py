"""What a stack is made of: components that people know, and below them one resource per piece."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import pulumi
from pulumi.dynamic import Resource

from topology.artifacts.output.manifest import digest_of
from topology.deploy.manifests import ManifestsProvider
from topology.deploy.publishing import PublishingProvider
from topology.deploy.registration import RegistrationProvider
from topology.deploy.stage import Bundle, StackStage
from topology.deploy.standing import some_of


@dataclass(frozen=True, slots=True)
class RegistrationArgs:
    """Arguments of a resource whose records stand in the site inventory."""

    owner: str  # colossus/s1/unit-h100-0001
    digest: str  # of its records in the plan
    counts: Mapping[str, int]
    facts: Mapping[str, Any]
    inventory: pulumi.Input[Mapping[str, Any]]

    @classmethod
    def of(cls, stage: StackStage, piece: Mapping[str, Any]) -> Self:
        """Arguments of one resource of the stage's inventory."""
        owner = f"{stage.inventory['cluster']}/{stage.name}/{piece['name']}"
        return cls(owner, piece["digest"], piece["counts"], piece["facts"], stage.config.guarded("inventory"))


@dataclass(frozen=True, slots=True)
class PublicationArgs:
    """Arguments of a resource whose files stand where a receiver reads them."""

    owner: str  # colossus/s1/slurm-colossus
    digest: str  # of the files
    folder: str  # below the build
    order: int  # place of the stage among the stages
    facts: Mapping[str, Any]
    publish: pulumi.Input[Mapping[str, Any]]

    @classmethod
    def of(cls, stage: StackStage, bundle: Bundle) -> Self:
        """Arguments of one bundle of the stage."""
        owner = f"{stage.inventory['cluster']}/{stage.name}/{bundle.name}"
        facts = {**bundle.facts, "files": len(bundle.files)}
        return cls(owner, bundle.digest, bundle.folder, stage.order, facts, stage.config.guarded("publish"))


@dataclass(frozen=True, slots=True)
class ManifestsArgs:
    """Arguments of a resource whose manifests stand on an API server."""

    owner: str  # colossus/s2/kubernetes-h100-01
    digest: str  # of the files
    folders: Sequence[str]  # below the build: of the stages that add to the cell, up to this one
    orders: Sequence[int]  # the places of these stages among all
    facts: Mapping[str, Any]
    server: pulumi.Input[Mapping[str, Any]]  # context, kubeconfig and simulated

    @classmethod
    def of(cls, stage: StackStage, bundle: Bundle, context: str) -> Self:
        """Arguments of one cell of the stage."""
        owner = f"{stage.inventory['cluster']}/{stage.name}/{bundle.name}"
        stages, cell = stage.inventory["stages"], bundle.folder.rpartition("/")[2]
        files = stage.build.cell_files(stage.inventory, bundle)
        orders = sorted({stages.index(path.split("/")[1]) for path in files})
        folders = [f"stages/{stages[order]}/kubernetes/{cell}" for order in orders]
        asked = stage.config["kubernetes"]
        asked = {key: asked[key] for key in ("kubeconfig", "simulated") if key in asked}
        server = stage.config.guarded("kubernetes", {"context": context, **asked})
        facts = {**bundle.facts, "files": len(files)}
        return cls(owner, digest_of(files.items()), folders, orders, facts, server)


def _inputs(args: RegistrationArgs | PublicationArgs | ManifestsArgs) -> dict[str, Any]:
    """Arguments as inputs of a resource; a secret stays the output that it is, which `asdict` would copy."""
    return {each.name: getattr(args, each.name) for each in fields(args)}


class _Registered(Resource):
    """A piece of the site in its inventory."""

    registered: pulumi.Output[str]

    def __init__(self, name: str, args: RegistrationArgs, opts: pulumi.ResourceOptions) -> None:
        props = {**_inputs(args), "registered": None, "standing": None}
        super().__init__(RegistrationProvider(), name, props, opts)


class FeedGroup(_Registered, module="inventory", name="FeedGroup"):
    """Devices and feeds of one side of one hall, or the sources and substations of the site."""


class BatteryBank(_Registered, module="inventory", name="BatteryBank"):
    """A bank of batteries."""


class FabricCore(_Registered, module="inventory", name="FabricCore"):
    """The core switches of one plane or island."""


class FabricPod(_Registered, module="inventory", name="FabricPod"):
    """Leaves and spines that are cabled to each other."""


class ScalableUnit(_Registered, module="inventory", name="ScalableUnit"):
    """Racks that are bought, placed and cabled together."""


class SlurmConfiguration(Resource, module="bundle", name="SlurmCluster"):
    """The published configuration of one slurmctld."""

    published: pulumi.Output[str]

    def __init__(self, name: str, args: PublicationArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(PublishingProvider(), name, {**_inputs(args), "published": None, "standing": None}, opts)


class Manifests(Resource, module="bundle", name="Manifests"):
    """The objects of a Kubernetes cell on its API server."""

    applied: pulumi.Output[str]
    waiting: pulumi.Output[int]  # nodes that have yet to join

    def __init__(self, name: str, args: ManifestsArgs, opts: pulumi.ResourceOptions) -> None:
        made = {"applied": None, "standing": None, "objects": None, "waiting": None}
        super().__init__(ManifestsProvider(), name, {**_inputs(args), **made}, opts)


TYPES: Mapping[str, type[_Registered]] = {
    "feed-group": FeedGroup,
    "battery-bank": BatteryBank,
    "fabric-core": FabricCore,
    "fabric-pod": FabricPod,
    "scalable-unit": ScalableUnit,
}


class _Component(pulumi.ComponentResource):
    """Pieces of some kinds; `made` has them by name."""

    token: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]] = ()
    guarded: ClassVar[bool] = False

    def __init__(self, stage: StackStage, *before: "_Component", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.token, self.token.rpartition(":")[2], dict(facts or {}))
        self.made: dict[str, pulumi.Resource] = {}
        there = {name: piece for component in before for name, piece in component.made.items()}
        for piece in stage.of_kind(*self.kinds):
            after = [there[other] for other in piece["after"] if other in there]
            options = self.child(stage, after, piece["aliases"])
            made = TYPES[piece["kind"]](piece["name"], RegistrationArgs.of(stage, piece), options)
            there[piece["name"]] = self.made[piece["name"]] = made
        told = self.publish(stage, list(there.values()))
        self.register_outputs({"pieces": len(self.made), **told})

    def child(
        self, stage: StackStage, after: Sequence[pulumi.Resource], aliases: Iterable[str] = ()
    ) -> pulumi.ResourceOptions:
        """Options of a resource of this component."""
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=list(after),
            protect=self.guarded and bool(stage.config["protect"]),
            aliases=[pulumi.Alias(name=name) for name in aliases],
        )

    def publish(self, stage: StackStage, after: Sequence[pulumi.Resource]) -> Mapping[str, Any]:
        """Publish what the component has to publish, if anything; what its outputs are to say of that."""
        del stage, after
        return {}


class PowerPath(_Component):
    """The power path: sources, substations, and each hall's devices and feeds. Protected."""

    token = "cluster:power:Power"  # noqa: S105 - Pulumi's word for the name of a type
    kinds = ("feed-group",)
    guarded = True

    def __init__(self, stage: StackStage) -> None:
        super().__init__(stage, facts=stage.inventory["supply"])


Power = PowerPath  # as the programs of stacks import it


class Batteries(_Component):
    """Battery banks. Protected."""

    token = "cluster:power:Batteries"  # noqa: S105
    kinds = ("battery-bank",)
    guarded = True


class Fabrics(_Component):
    """Cores and pods of every fabric."""

    token = "cluster:network:Fabrics"  # noqa: S105
    kinds = ("fabric-core", "fabric-pod")


class ScalableUnits(_Component):
    """The scalable units that the stage adds."""

    token = "cluster:compute:ScalableUnits"  # noqa: S105
    kinds = ("scalable-unit",)


class SlurmClusters(_Component):
    """The configuration of every slurmctld, published when all that it names is registered."""

    token = "cluster:scheduling:SlurmClusters"  # noqa: S105

    def publish(self, stage: StackStage, after: Sequence[pulumi.Resource]) -> Mapping[str, Any]:
        """Publish the bundle of every slurmctld."""
        for bundle in stage.bundles_of("slurm-cluster"):
            options = self.child(stage, after, bundle.aliases)
            self.made[bundle.name] = SlurmConfiguration(bundle.name, PublicationArgs.of(stage, bundle), options)
        return {}


class KubernetesCells(_Component):
    """The objects of every Kubernetes cell whose API server the configuration names; the others are left out."""

    token = "cluster:scheduling:KubernetesCells"  # noqa: S105

    def publish(self, stage: StackStage, after: Sequence[pulumi.Resource]) -> Mapping[str, Any]:
        """Apply the manifests of every cell that the stage adds to; which were left out, by name."""
        contexts = stage.config["kubernetes"].get("contexts", {})
        left_out = []
        for bundle in stage.bundles_of("kubernetes-cell"):
            cell = bundle.folder.rpartition("/")[2]
            if cell in contexts:
                options = self.child(stage, after, bundle.aliases)
                args = ManifestsArgs.of(stage, bundle, contexts[cell])
                self.made[bundle.name] = Manifests(bundle.name, args, options)
            else:
                left_out.append(bundle.name)
        if left_out:
            cell = left_out[0].removeprefix("kubernetes-")
            command = f"pulumi config set -s {stage.name} --path kubernetes.contexts.{cell} CONTEXT"
            pulumi.log.info(f"no API server is named for {some_of(left_out)}, left out; name one: {command}", self)
        return {"left_out": left_out}


def export(stage: StackStage, *components: _Component) -> None:
    """Outputs of the stack: what stood when the last update that ended had ended; `standing` says what stands."""
    ids = [piece.id for component in components for piece in component.made.values()]  # type: ignore[attr-defined]
    done = pulumi.Output.all(*ids)
    pulumi.export("ready", done.apply(lambda _: True))
    pulumi.export("digest", done.apply(lambda _: stage.digest))
    pulumi.export("stage", stage.name)
    pulumi.export("resources", len(ids))
    pieces = [each for component in components for each in component.made.items()]
    waiting = {name: piece.waiting for name, piece in pieces if isinstance(piece, Manifests)}
    if waiting:
        pulumi.export("waiting_nodes", waiting)
