"""A rendered cell as Kueue sees it: its queues, its nodes, and jobs of exactly one place of a level."""

import itertools
import re
from collections import Counter
from dataclasses import dataclass

import rendered
import yaml

GPU = "nvidia.com/gpu"
HOST = "kubernetes.io/hostname"
REQUIRED = "kueue.x-k8s.io/podset-required-topology"
ANYWHERE = {"kueue.x-k8s.io/podset-unconstrained-topology": "true"}


@dataclass(frozen=True)
class Flavor:
    """Nodes of one kind and the levels around them."""

    selector: dict
    levels: list  # labels, widest first
    gpus: int  # of a node
    nodes: list  # of labels

    @classmethod
    def of(cls, flavor, objects, nodes):
        topology = objects["Topology", flavor["spec"]["topologyName"]]
        selector = flavor["spec"]["nodeLabels"]
        mine = [each for each in nodes if selector.items() <= each["metadata"]["labels"].items()]
        (gpus,) = {int(each["status"]["allocatable"][GPU]) for each in mine}
        levels = [each["nodeLabel"] for each in topology["spec"]["levels"]]
        return cls(selector, levels, gpus, [each["metadata"]["labels"] for each in mine])

    def place(self, level):
        """Nodes of the largest place of a level."""
        return max(Counter(labels[level] for labels in self.nodes).values())

    def places(self, level, names):
        """The places of a level that some nodes are in."""
        return {labels[level] for labels in self.nodes if labels[HOST] in names}


class KueueCell:
    """What of a cell Kueue reads, in a folder of its own; with `units`, nodes of the first few alone."""

    def __init__(self, cell, folder, *, units=None):
        self.folder = folder
        (folder / "kwok").mkdir(parents=True)
        last = cell.folders[-1]
        kept = [path for path in sorted(last.glob("*.yaml")) if re.match(r"00-|2\d-kueue", path.name)]
        objects = [each for path in kept for each in rendered.objects(path)]
        for path in kept:
            (folder / path.name).write_text(path.read_text())
        files = [path for each in cell.folders for path in sorted((each / "kwok").glob("*.yaml"))]
        nodes = itertools.chain.from_iterable(map(self._nodes, files))
        nodes = list(nodes if units is None else _of_units(nodes, units))
        (folder / "kwok/10-nodes-of-all-stages.yaml").write_text(yaml.dump_all(nodes, Dumper=yaml.CSafeDumper))
        named = {(each["kind"], each["metadata"]["name"]): each for each in objects}
        flavors = [each for each in objects if each["kind"] == "ResourceFlavor"]
        self.flavors = [Flavor.of(each, named, nodes) for each in flavors if _used(each, nodes)]
        self.queues = [each for each in objects if each["kind"] == "LocalQueue"]

    @staticmethod
    def _nodes(path):
        return yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader)

    def job(self, flavor, pods, annotations, *, name="train", gpus=None):
        """A job of pods that each take a whole node, or `gpus` of it."""
        queue = self.queues[0]["metadata"]
        resources = {"limits": {GPU: str(gpus or flavor.gpus)}}
        tolerations = [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}]
        containers = [{"name": "work", "image": "registry.example/train:1", "resources": resources}]
        spec = {
            "restartPolicy": "Never",
            "nodeSelector": flavor.selector,
            "tolerations": tolerations,
            "containers": containers,
        }
        labels = {"kueue.x-k8s.io/queue-name": queue["name"]}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": queue["namespace"], "labels": labels},
            "spec": {
                "parallelism": pods,
                "completions": pods,
                "completionMode": "Indexed",
                "template": {"metadata": {"annotations": annotations}, "spec": spec},
            },
        }


def _of_units(nodes, units):
    """Nodes of the first units of each group; the label ends with /unit, whatever the site's prefix is."""
    seen = {}
    for node in nodes:
        labels = node["metadata"]["labels"]
        group, unit = (next(value for key, value in labels.items() if key.endswith(end)) for end in ("/group", "/unit"))
        chosen = seen.setdefault(group, [])
        if unit not in chosen and len(chosen) < units:
            chosen.append(unit)
        if unit in chosen:
            yield node


def _used(flavor, nodes):
    return any(flavor["spec"]["nodeLabels"].items() <= each["metadata"]["labels"].items() for each in nodes)
