"""Records of real plans by owner, as a deployment writes them."""

from functools import cache
from pathlib import Path

from topology.artifacts.pulumi.resources import resources
from topology.catalog.load import load as load_catalog
from topology.expand import expand
from topology.expand.fabrics import kinds
from topology.plan import store
from topology.source import YamlSource
from topology.spec.load import load
from topology.views.records import Register, by_owner

SITE = Path(__file__).with_name("site.yaml")
STACKS = Path(__file__).parents[2] / "stacks"


@cache
def register_of(path):
    """The register of a spec, and its cluster's name."""
    spec, _ = load(YamlSource.read(path), kinds())
    tables = {name: frame.lazy() for name, frame in store.stored(expand(spec, load_catalog()))}
    return Register.of(tables), spec.name


def owned(path, stage=0):
    """Records of each owner of a stage, in the order in which a deployment makes them."""
    register, cluster = register_of(path)
    records = dict(by_owner(register.stage(stage)))
    return {f"{cluster}/{stage}/{each.name}": records[each.name] for each in resources(register, stage, {})}
