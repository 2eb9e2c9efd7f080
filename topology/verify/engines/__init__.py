"""Programs that are published as Go modules, built from them once and kept in the user's cache.

No package registry carries these programs, only their source, so they are built. Each has a `go.mod` and a `go.sum`
of ours under `modules/`, which pin every module that goes into it: the `replace` lines of their own `go.mod` point
into their own trees, which `go install PATH@VERSION` refuses.
"""

import re
import shutil
from pathlib import Path

from topology.verify.engines.build import Engine, Program, Script, build_engine
from topology.verify.programs import run

__all__ = ["ENGINES", "etcd", "kube_apiserver", "kubectl", "kueue", "pulumi"]

_SDK = "github.com/pulumi/pulumi/sdk/v3"
_VERSION = "k8s.io/component-base/version"

PULUMI = Engine(
    name="pulumi",
    version="3.259.0",
    minutes=5,
    programs=(
        Program(
            name="pulumi",
            module="pulumi",
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            values={f"{_SDK}/go/common/version.Version": "v3.259.0"},
            tags=("osusergo", "grpcnotrace"),
        ),
        # 3.78.1: later releases keep the language host in a module that no registry serves
        Program(
            name="pulumi-language-python",
            module="pulumi-language-python",
            package=f"{_SDK}/python/cmd/pulumi-language-python",
        ),
    ),
    scripts=(
        Script(module="pulumi", package=_SDK, path="python/cmd/pulumi-language-python-exec"),
        Script(module="pulumi", package=_SDK, path="python/dist/pulumi-resource-pulumi-python"),
    ),
)
ETCD = Engine(
    name="etcd",
    version="3.6.13",
    minutes=1,
    programs=(Program(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3"),),
)
KUBERNETES = Engine(
    name="kubernetes",
    version="1.36.1",
    minutes=6,
    programs=tuple(
        Program(
            name=name,
            module="kubernetes",
            package=f"k8s.io/kubernetes/cmd/{name}",
            values={
                f"{_VERSION}.gitVersion": "v1.36.1",
                f"{_VERSION}.gitMajor": "1",
                f"{_VERSION}.gitMinor": "36",
            },
        )
        for name in ("kube-apiserver", "kubectl")
    ),
)
KUEUE = Engine(
    name="kueue",
    version="0.19.2",
    minutes=7,
    programs=(Program(name="kueue", module="kueue", package="sigs.k8s.io/kueue/cmd/kueue"),),
)
ENGINES = (PULUMI, ETCD, KUBERNETES, KUEUE)


def pulumi() -> Path:
    """Folder to put first on PATH: `pulumi` with its Python language host and the scripts they start.

    The `pulumi` of PATH is taken when it is at least as new and has its Python host with it.

    Raises:
        UnavailableError: there is none, and none can be built here; the text says why.
    """
    return _installed_pulumi() or build_engine(PULUMI)


def etcd() -> Path:
    """The program `etcd`. Raises UnavailableError when it cannot be built here."""
    return build_engine(ETCD) / "etcd"


def kube_apiserver() -> Path:
    """The program `kube-apiserver`. Raises UnavailableError when it cannot be built here."""
    return build_engine(KUBERNETES) / "kube-apiserver"


def kubectl() -> Path:
    """The program `kubectl` of the API server's own release. Raises UnavailableError when it cannot be built here."""
    return build_engine(KUBERNETES) / "kubectl"


def kueue() -> Path:
    """The program `kueue`, its controller. Raises UnavailableError when it cannot be built here."""
    return build_engine(KUEUE) / "kueue"


def _installed_pulumi() -> Path | None:
    """Folder of the `pulumi` on PATH, when it can do what the built one does."""
    program, host = shutil.which("pulumi"), shutil.which("pulumi-language-python")
    if program is None or host is None:
        return None
    said = re.match(r"v(\d+)\.(\d+)\.(\d+)", run([program, "version"], limit_s=20).out)
    least = tuple(map(int, PULUMI.version.split(".")))
    return Path(program).parent if said and tuple(map(int, said.groups())) >= least else None
