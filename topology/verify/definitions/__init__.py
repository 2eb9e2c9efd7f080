"""CustomResourceDefinitions of the software that reads our manifests, so that a real API server judges them.

They are read from the Go modules of their makers at the versions that the module proxy serves, in Go's own cache.
Where no registry carries them, the files beside this module say what the makers' own types say of the fields that
are used here, and refuse every other field. Such a file takes the place of one of the same name that is too old.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from topology.verify.engines.go import module

OWN = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DefinitionFolder:
    """A folder of definitions in a Go module; its files are named GROUP_PLURAL.yaml."""

    group: str
    module: str
    version: str
    folder: str = "config/crd/bases"

    def files(self) -> list[Path]:
        """Every definition of the group. Raises UnavailableError when the module is not to be had."""
        return sorted((module(self.module, self.version) / self.folder).glob(f"{self.group}_*.yaml"))


SOURCES = (
    DefinitionFolder("batch.volcano.sh", "volcano.sh/volcano", "v1.15.1", "config/crd/volcano/bases"),
    DefinitionFolder("cluster.x-k8s.io", "sigs.k8s.io/cluster-api", "v1.12.0"),
    DefinitionFolder("jobset.x-k8s.io", "sigs.k8s.io/jobset", "v0.10.1", "config/components/crd/bases"),
    DefinitionFolder("kueue.x-k8s.io", "sigs.k8s.io/kueue", "v0.19.2", "config/components/crd/bases"),
    DefinitionFolder("kwok.x-k8s.io", "sigs.k8s.io/kwok", "v0.8.0", "kustomize/crd/bases"),
    DefinitionFolder("leaderworkerset.x-k8s.io", "sigs.k8s.io/lws", "v0.7.0"),
    DefinitionFolder("mellanox.com", "github.com/Mellanox/network-operator", "v1.4.0"),  # the newest that is served
    DefinitionFolder("nvidia.com", "github.com/NVIDIA/gpu-operator", "v1.11.1"),  # the newest that is served
    DefinitionFolder("scheduling.volcano.sh", "volcano.sh/volcano", "v1.15.1", "config/crd/volcano/bases"),
    DefinitionFolder("slinky.slurm.net", "github.com/SlinkyProject/slurm-operator", "v1.1.0"),
    DefinitionFolder("sriovnetwork.openshift.io", "github.com/k8snetworkplumbingwg/sriov-network-operator", "v1.6.0"),
    DefinitionFolder("topology.volcano.sh", "volcano.sh/volcano", "v1.15.1", "config/crd/volcano/bases"),
)


def fetch() -> None:
    """Bring the Go modules of all definitions into Go's cache. Raises UnavailableError when one is not to be had."""
    for source in SOURCES:
        source.files()


def files(kinds: Iterable[tuple[str, str]]) -> list[Path]:
    """Definitions of `kinds`, as (API group, kind), sorted; kinds that Kubernetes has itself need none.

    Raises:
        UnavailableError: a module that carries some of them is not to be had.
    """
    return sorted({path for kind in sorted(set(kinds)) for path in _files(*kind)})


def _files(group: str, kind: str) -> Iterator[Path]:
    places = [*OWN.glob(f"{group}_*.yaml")] if group else []
    own = {path.name for path in places}
    made = [path for source in SOURCES if source.group == group for path in source.files()]
    places += [path for path in made if path.name not in own]
    return (path for path in places if f"\n    kind: {kind}\n" in path.read_text())
