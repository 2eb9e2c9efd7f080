from collections import Counter

import controllers
import pytest
import rendered

from topology.deploy import kubernetes
from topology.deploy.kubernetes.documents import read
from topology.deploy.kubernetes.server import Server
from topology.verify import definitions

pytestmark = pytest.mark.kubernetes

CELLS = rendered.golden_cells()


@pytest.fixture(scope="session")
def ready(api, tmp_path_factory):
    """The API server with every definition that the cells on record need."""
    kinds = {(each.key.group, each.key.kind) for cell in CELLS for each in read(cell.folders)}
    folder = tmp_path_factory.mktemp("definitions")
    for path in definitions.files(kinds):
        (folder / path.name).write_text(path.read_text())
    kubernetes.apply([folder], owner="definitions", kubeconfig=api.kubeconfig)
    with Server(kubeconfig=api.kubeconfig) as server:
        yield server


@pytest.fixture
def place(ready, api):
    """Applies folders; afterwards what they made is gone, and so are the nodes that had joined."""

    def applied(folders, **more):
        return kubernetes.apply(folders, owner="rendered", kubeconfig=api.kubeconfig, **more)

    yield applied
    kubernetes.delete(owner="rendered", kubeconfig=api.kubeconfig)
    ready.must("DELETE", "/api/v1/nodes")
    controllers.remove_namespaces(ready)


def found(server, documents):
    """What the server has of some documents."""
    kinds = {(each["apiVersion"], each["kind"]) for each in documents}
    live = {}
    for api_version, name in kinds:
        for each in server.objects(server.kind(api_version, name)):
            live[name, each["metadata"].get("namespace", ""), each["metadata"]["name"]] = each
    return [live[each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]] for each in documents]


def test_there_are_cells_on_record_with_every_option():
    kinds = Counter(each.key.kind for cell in CELLS for each in read(cell.folders))
    assert kinds.keys() >= {"Node", "Namespace", "Topology", "ResourceFlavor", "ClusterQueue", "LocalQueue"}
    assert any(len(cell.stages) > 1 for cell in CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_every_manifest_is_accepted_and_read_back_equal(cell, ready, place):
    nodes = [each.key.name for each in read(cell.folders) if each.awaits_kubelet]
    controllers.join(ready, nodes)
    joined = len(nodes)
    counts = place(cell.folders)
    assert counts.changed == joined  # the labels of each node
    assert counts.waiting == counts.deleted == counts.released == 0
    written = [each.body for each in read(cell.folders)]
    assert counts.created == len(written) - joined
    assert all(map(rendered.covers, found(ready, written), written))
    assert place(cell.folders).unchanged == len(written)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_nodes_that_kwok_plays_are_made_with_all_they_have_to_hand_out(cell, ready, place):
    counts = place(cell.folders, simulated=True)
    written = [each.body for each in read(cell.folders, simulated=True)]
    assert counts.created == len(written)
    nodes = [each for each in written if each["kind"] == "Node"]
    assert nodes
    assert all(map(rendered.covers, found(ready, nodes), nodes))
