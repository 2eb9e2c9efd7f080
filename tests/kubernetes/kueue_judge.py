"""A cell under Kueue's own controller: what it admits where, and what it says of what it does not admit."""

import contextlib
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import controllers
import yaml
from real_programs import needed

from topology.deploy import kubernetes
from topology.deploy.kubernetes.server import MERGE, Server
from topology.verify.api_server import ApiServer
from topology.verify.engines.go import module
from topology.verify.kueue import KueueController

VERSION = "v0.19.2"
DECIDED_S = 30
RETRIES = 5  # of a job that fits: Kueue's view of the nodes is a moment behind the API server's
READY = {"type": "Ready", "status": "True", "reason": "KubeletReady"}


@dataclass(frozen=True)
class Verdict:
    """What Kueue did with a job."""

    admitted: bool
    said: str  # why not
    nodes: dict  # name of each node that got pods: how many


class Judge:
    """A cluster of simulated nodes that Kueue hands out."""

    def __init__(self, server, controller):
        self.api, self.controller = server, controller
        self.server = Server(kubeconfig=server.kubeconfig)

    def apply(self, folders, *, owner="site-c1"):
        """The cell, its nodes as KWOK plays them: ready, with all that they have to hand out."""
        counts = kubernetes.apply(folders, owner=owner, kubeconfig=self.api.kubeconfig, simulated=True)
        self.server.each(self._made_ready, self.api.ask("/api/v1/nodes")["items"])
        return counts

    def delete(self, *, owner="site-c1"):
        while kubernetes.delete(owner=owner, kubeconfig=self.api.kubeconfig).leaving:
            time.sleep(0.1)
        controllers.remove_namespaces(self.server)

    def _made_ready(self, node):
        status = {"conditions": [READY]}
        path = f"/api/v1/nodes/{node['metadata']['name']}/status"
        self.server.must("PATCH", path, body={"status": status}, content=MERGE)

    @contextlib.contextmanager
    def verdict(self, job):
        """The verdict on a job, which stands as long as the block runs and frees what it held at its end."""
        space = job["metadata"].get("namespace", "default")
        jobs = f"/apis/batch/v1/namespaces/{space}/jobs"
        uid = self.server.must("POST", jobs, body=job).body["metadata"]["uid"]
        workload = self._workload(space, uid)
        try:
            yield self._decided(workload)
        finally:
            name = job["metadata"]["name"]
            self.server.must("DELETE", f"{jobs}/{name}", params={"propagationPolicy": "Background"})
            # No garbage collector runs here: what belongs to the job is removed as it would be
            self.server.must("PATCH", workload, body={"metadata": {"finalizers": None}}, content=MERGE)
            self.server.ask("DELETE", workload)
            self._until(lambda: self.server.ask("GET", workload).status == 404)

    @contextlib.contextmanager
    def admission(self, job):
        """The verdict on a job that should fit, asked anew while Kueue has yet to hear of the last nodes."""
        for _ in range(RETRIES):
            with self.verdict(job) as verdict:
                if verdict.admitted:
                    yield verdict
                    return
            time.sleep(0.2)
        with self.verdict(job) as verdict:
            yield verdict

    def _workload(self, space, uid):
        listed = f"/apis/kueue.x-k8s.io/v1beta2/namespaces/{space}/workloads"

        def of_job():
            for each in self.api.ask(listed)["items"]:
                if any(owner["uid"] == uid for owner in each["metadata"].get("ownerReferences", [])):
                    return f"{listed}/{each['metadata']['name']}"
            return None

        return self._until(of_job)

    def _decided(self, path):
        def verdict():
            status = self.api.ask(path).get("status", {})
            for condition in status.get("conditions", []):
                if condition["type"] == "QuotaReserved":
                    if condition["status"] == "False":
                        return Verdict(admitted=False, said=condition["message"], nodes={})
                    return Verdict(admitted=True, said="", nodes=_nodes(status["admission"]))
            return None

        return self._until(verdict)

    def _until(self, found):
        deadline = time.monotonic() + DECIDED_S
        while not (answer := found()):
            assert time.monotonic() < deadline, self.controller.log[-2000:]
            time.sleep(0.05)
        return answer


def _nodes(admission):
    """Pods of each node that an admission names; the lowest level of the topology is the host name."""
    nodes = {}
    for podset in admission["podSetAssignments"]:
        for part in podset["topologyAssignment"]["slices"]:
            counts = part["podCounts"]
            names = part["valuesPerLevel"][-1]
            listed = _values(names)
            each = [counts["universal"]] * len(listed) if "universal" in counts else counts["individual"]
            nodes.update(zip(listed, each, strict=True))
    return nodes


def _values(level):
    if "universal" in level:
        return [level["universal"]]
    said = level["individual"]
    return [f"{said.get('prefix', '')}{root}{said.get('suffix', '')}" for root in said["roots"]]


@contextlib.contextmanager
def judging(real):
    """A judge on an API server of its own, with Kueue's definitions and its own webhooks."""
    with ApiServer(real("etcd"), real("kube_apiserver")) as server, contextlib.ExitStack() as stack:
        with needed("Kueue's Go module"):
            source = module("sigs.k8s.io/kueue", VERSION)
        options = {"kubeconfig": server.kubeconfig}
        kubernetes.apply([source / "config/components/crd/bases"], owner="kueue", **options)
        with needed("a place for Kueue's certificates"):
            controller = stack.enter_context(KueueController(real("kueue"), server))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        hooks = yaml.safe_load_all((source / "config/components/webhook/manifests.yaml").read_text())
        text = "".join(f"---\n{json.dumps(each)}\n" for each in controller.webhooks(list(hooks)))
        Path(folder, "webhooks.yaml").write_text(text)
        kubernetes.apply([Path(folder)], owner="kueue-webhooks", **options)
        yield Judge(server, controller)
