"""Kubernetes cells deployed by plain Pulumi commands, on a real API server."""

import json
from pathlib import Path

import pytest
from conftest import copied
from real_programs import real_definitions, real_program

from topology.deploy import kubernetes
from topology.deploy.kubernetes.documents import read
from topology.deploy.kubernetes.server import MERGE, Server
from topology.verify.api_server import CONTEXT, ApiServer

pytestmark = [pytest.mark.pulumi, pytest.mark.kubernetes]

SPEC = Path(__file__).parent / "cells.yaml"
CELL = "kubernetes-dgx-01"
QUEUES = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues"
NODES = "/api/v1/nodes"
LABEL = "cluster-topology/unit"


@pytest.fixture(scope="module")
def built(deployed):
    """The site of one cell, with a stack per stage, made once; tests work on copies."""
    return deployed(SPEC, {"s1": [], "s2": []}, "cells")


@pytest.fixture(scope="module")
def api(built, tmp_path_factory):
    """A real API server that has every definition that the cell needs."""
    folder = tmp_path_factory.mktemp("definitions")
    with ApiServer(real_program("etcd"), real_program("kube_apiserver")) as server:
        documents = read([built.project.parent / "stages/s2/kubernetes/dgx-01"])
        real_definitions(((each.key.group, each.key.kind) for each in documents), folder)
        kubernetes.apply([folder], owner="definitions", kubeconfig=server.kubeconfig)
        yield server


@pytest.fixture
def cells(built, engine, api, tmp_path):
    """The site of one cell, nothing deployed; a clean API server afterwards."""
    yield copied(built, tmp_path / "site", engine)
    with Server(kubeconfig=api.kubeconfig) as server:
        kubernetes.delete(owner="cells-dgx-01", kubeconfig=api.kubeconfig)
        server.must("DELETE", NODES)
        for each in server.objects(server.kind("v1", "Namespace")):
            if "deletionTimestamp" in each["metadata"]:
                path = f"/api/v1/namespaces/{each['metadata']['name']}/finalize"
                server.must("PUT", path, body={**each, "spec": {"finalizers": []}})


def lead(deployment, api, stage, *words, context=CONTEXT):
    """Say in a stack's configuration where the API server of the cell is."""
    said = [f"kubernetes.contexts.dgx-01={context}", f"kubernetes.kubeconfig={api.kubeconfig}", *words]
    pairs = [word for each in said for word in ("--plaintext", each)]
    deployment.must("config", "set-all", "-s", stage, "--path", *pairs)


def nodes(api):
    return {each["metadata"]["name"]: each["metadata"].get("labels", {}) for each in api.ask(NODES)["items"]}


def gpus(api):
    """Quota of GPUs of each queue."""
    found = {}
    for queue in api.ask(QUEUES)["items"]:
        (group,) = queue["spec"]["resourceGroups"]
        (flavor,) = group["flavors"]
        amounts = {each["name"]: each["nominalQuota"] for each in flavor["resources"]}
        found[queue["metadata"]["name"]] = int(amounts["nvidia.com/gpu"])
    return found


def relabel(api, name, value):
    """Another user's hand on a label of a node."""
    with Server(kubeconfig=api.kubeconfig) as server:
        body = {"metadata": {"labels": {LABEL: value}}}
        server.must("PATCH", f"{NODES}/{name}", params={"fieldManager": "hand"}, body=body, content=MERGE)


def test_stages_share_a_cell_and_the_latest_has_it(cells, api):
    for stage in ("s1", "s2"):
        lead(cells, api, stage, "kubernetes.simulated=true")
    assert cells.up("s1").code == 0
    assert len(nodes(api)) == 4
    assert gpus(api) == {"train": 24, "research": 8}
    assert cells.up("s2").code == 0
    assert len(nodes(api)) == 8
    assert gpus(api) == {"train": 48, "research": 16}
    cells.must("refresh", "-s", "s1", "--yes", "--skip-preview")
    assert cells.changes("s1") == {}
    cells.must("destroy", "-s", "s2", "--yes", "--skip-preview")
    assert len(nodes(api)) == 4
    assert gpus(api) == {"train": 24, "research": 8}
    cells.must("destroy", "-s", "s1", "--yes", "--skip-preview")
    assert nodes(api) == gpus(api) == {}


def test_a_label_edited_by_hand_is_drift_and_what_left_the_plan_is_pruned(cells, api):
    lead(cells, api, "s1", "kubernetes.simulated=true")
    assert cells.up("s1").code == 0
    name, labels = next(iter(sorted(nodes(api).items())))
    relabel(api, name, "other")
    cells.must("refresh", "-s", "s1", "--yes", "--skip-preview")
    assert cells.changes("s1")[CELL] == "update"
    assert cells.up("s1").code == 0
    assert nodes(api)[name] == labels
    assert cells.changes("s1") == {}
    spec = cells.state.parent / "cluster.yaml"
    spec.write_text(
        spec.read_text().replace("[{name: train, share: 3}, {name: research, share: 1}]", "[{name: train}]")
    )
    cells.build(spec)
    assert cells.up("s1").code == 0
    assert gpus(api) == {"train": 32}


def test_real_nodes_are_labelled_as_they_join_and_outlive_the_stack(cells, api):
    lead(cells, api, "s1")
    names = [f"h1r000{rack}n0{node}" for rack in (1, 2) for node in (1, 2)]
    bodies = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in names]
    with Server(kubeconfig=api.kubeconfig) as server:
        for body in bodies[:2]:
            server.must("POST", NODES, body=body)
        assert cells.up("s1").code == 0
        assert json.loads(cells.must("stack", "output", "-s", "s1", "--json"))["waiting_nodes"] == {CELL: 2}
        assert cells.changes("s1") == {}  # nothing is to be done about those that have yet to join
        assert sorted(nodes(api)) == names[:2]
        for body in bodies[2:]:
            server.must("POST", NODES, body=body)
    assert cells.changes("s1") == {CELL: "update"}
    assert cells.up("s1").code == 0
    assert {labels[LABEL] for labels in nodes(api).values()} == {"dgx-0001", "dgx-0002"}
    assert cells.pieces("s1")[CELL]["waiting"] == 0
    assert cells.changes("s1") == {}
    cells.must("destroy", "-s", "s1", "--yes", "--skip-preview")
    assert nodes(api) == {name: {} for name in names}


def test_a_cell_without_a_context_is_left_out_and_wrong_ones_are_said_in_a_line(cells, api, tmp_path):
    alone = cells.up("s1")
    assert alone.code == 0
    command = "pulumi config set -s s1 --path kubernetes.contexts.dgx-01 CONTEXT"
    assert f"no API server is named for {CELL}, left out; name one: {command}" in alone.out
    assert CELL not in cells.pieces("s1")
    assert cells.topology("deploy", "status", cells.project).out.startswith("s1       deployed, ")
    lead(cells, api, "s1", context="other")
    refused = cells.up("s1")
    assert "no usable context in the kubeconfig: Context 'other' not found" in refused.out
    lead(cells, api, "s1", "kubernetes.contexts.dgx-09=x")
    assert cells.up("s1").errors[0] == "the configuration key kubernetes names dgx-09; the cells are dgx-01"
    said = json.loads(api.kubeconfig.read_text())
    said["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(json.dumps(said))
    cells.must("config", "rm", "-s", "s1", "--path", "kubernetes.contexts.dgx-09")
    lead(cells, api, "s1", f"kubernetes.kubeconfig={tmp_path / 'kubeconfig'}")
    assert "no answer: " in cells.up("s1").out
