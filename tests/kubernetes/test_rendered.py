from collections import Counter

import controllers
import golden_cases
import pytest
import rendered
from real_programs import real_definitions

from topology.deploy import kubernetes
from topology.deploy.kubernetes.documents import read
from topology.deploy.kubernetes.server import Server

pytestmark = pytest.mark.kubernetes

CELLS = rendered.golden_cells()
FEDERATIONS = sorted(golden_cases.GOLDEN.glob("*/expected/stages/*/kubernetes/federation"))


@pytest.fixture(scope="session")
def cells(golden_build):
    """The cells of the golden cases, built."""
    return [rendered.built(cell, golden_build) for cell in CELLS]


@pytest.fixture
def cell(request, golden_build):
    """One of these cells."""
    return rendered.built(request.param, golden_build)


@pytest.fixture(scope="session")
def examples(cells):
    """Folders of the jobs that come with a cell."""
    return sorted({cell.folders[-1] / "examples" for cell in cells if (cell.folders[-1] / "examples").is_dir()})


@pytest.fixture(scope="session")
def ready(api, cells, examples, tmp_path_factory):
    """The API server with every definition that the cells on record need."""
    folders = [*FEDERATIONS, *examples]
    documents = [each for cell in cells for each in read(cell.folders)]
    documents += [each for path in folders for each in read([path])]
    kinds = {(each.key.group, each.key.kind) for each in documents}
    folder = tmp_path_factory.mktemp("definitions")
    real_definitions(kinds, folder)
    kubernetes.apply([folder], owner="definitions", kubeconfig=api.kubeconfig)
    with Server(kubeconfig=api.kubeconfig) as server:
        yield server


@pytest.fixture
def place(ready, api):
    """Applies folders; afterwards what they made is gone, and so are the nodes that had joined."""

    def applied(folders, **more):
        return kubernetes.apply(folders, owner="rendered", kubeconfig=api.kubeconfig, **more)

    yield applied
    ready.must("DELETE", "/api/v1/nodes")  # all at once, the thousands of a whole cell
    kubernetes.delete(owner="rendered", kubeconfig=api.kubeconfig)
    controllers.remove_namespaces(ready)


def found(server, documents):
    """What the server has of some documents."""
    kinds = {(each["apiVersion"], each["kind"]) for each in documents}
    live = {}
    for api_version, name in kinds:
        for each in server.objects(server.kind(api_version, name)):
            live[name, each["metadata"].get("namespace", ""), each["metadata"]["name"]] = each
    return [live[each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]] for each in documents]


def test_there_are_cells_on_record_with_every_option(cells):
    kinds = Counter(each.key.kind for cell in cells for each in read(cell.folders))
    assert kinds.keys() >= {"Node", "Namespace", "Topology", "ResourceFlavor", "ClusterQueue", "LocalQueue"}
    assert any(len(cell.stages) > 1 for cell in cells)


@pytest.mark.parametrize("cell", CELLS, ids=str, indirect=True)
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


@pytest.mark.parametrize("cell", CELLS, ids=str, indirect=True)
def test_nodes_that_kwok_plays_are_made_with_all_they_have_to_hand_out(cell, ready, place):
    counts = place(cell.folders, simulated=True)
    written = [each.body for each in read(cell.folders, simulated=True)]
    assert counts.created == len(written)
    nodes = [each for each in written if each["kind"] == "Node"]
    assert nodes
    assert all(map(rendered.covers, found(ready, nodes), nodes))


@pytest.mark.parametrize("folder", FEDERATIONS, ids=lambda folder: folder.parts[-3])
def test_the_manager_cluster_above_the_cells_is_accepted_and_read_back_equal(folder, ready, place):
    written = [each.body for each in read([folder])]
    assert place([folder]).created == len(written)
    assert all(map(rendered.covers, found(ready, written), written))


def test_every_example_is_accepted_where_its_cell_stands(api, ready, place, kubectl, cells, examples):
    assert examples
    for cell in cells:
        place(cell.folders, simulated=True)
        for path in sorted(cell.folders[-1].glob("examples/*.yaml")):
            said = kubectl("create", "--dry-run=server", "-f", path)
            assert said.count(" created (server dry run)\n") == len(rendered.objects(path))
        kubernetes.delete(owner="rendered", kubeconfig=api.kubeconfig)
        controllers.remove_namespaces(ready)


@pytest.mark.parametrize("cell", {each.build: each for each in CELLS}.values(), ids=str, indirect=True)
def test_kubectl_takes_the_files_in_the_order_of_their_names(cell, place, kubectl):
    del place  # which cleans up
    files = [path for folder in cell.folders for path in sorted(folder.glob("*.yaml"))]
    for path in sorted(files, key=lambda path: path.name):
        said = kubectl("apply", "--server-side", "--force-conflicts", "-f", path)
        assert said.count(" serverside-applied\n") == len(rendered.objects(path))
    for path in sorted(files, key=lambda path: path.name, reverse=True):
        kubectl("delete", "--ignore-not-found", "--wait=false", "-f", path)


FAULTS = {  # file: what is written there instead of what, and what the server says of it
    "10-nodes-*": [
        ('/hall: "h1"', "/hall: no", "expected string, got &value.valueUnstructured{Value:false}"),
        ('/hall: "h1"', f'/hall: "{"x" * 64}"', "must be no more than 63 "),
        ("metadata: {", "metadata: {lables: {}, ", ".metadata.lables: field not declared in schema"),
    ],
    "20-kueue-flavors*": [
        (
            '"accelerator.topograph.run/domain" # domain\n    - nodeLabel: "kubernetes.io/hostname"',
            '"kubernetes.io/hostname"\n    - nodeLabel: "accelerator.topograph.run/domain"',
            "the kubernetes.io/hostname label can only be used at the lowest level of topology",
        ),
        (
            'nodeLabels:\n    cluster-topology/group: "gb200"',
            "nodeTaints: []",
            "at least one nodeLabel is required when topology is set",
        ),
        ("  topologyName:", "  topology:", ".spec.topology: field not declared in schema"),
    ],
    "21-kueue-queues*": [
        ('            - { name: "cpu", nominalQuota: "7776" }\n', "", "flavors must have the same number of resources"),
        ('nominalQuota: "216"', "nominalQuota: many", "nominalQuota in body should match"),
        ("reclaimWithinCohort: Any", "reclaimWithinCohort: All", 'Unsupported value: "All"'),
    ],
    "30-volcano*": [
        ("tier: 1", "tier: first", ".spec.tier: expected numeric"),
        ("type: Node", "type: Rack", 'Unsupported value: "Rack"'),
    ],
    "40-gpu-operator*": [
        ("  gfd: {}\n", "", "spec.gfd: Required value"),
        ("defaultRuntime: containerd", "defaultRuntime: rkt", 'Unsupported value: "rkt"'),
    ],
    "41-dra*": [
        (
            '          exactly:\n            deviceClassName: "gb200-gpu"\n            count: 4\n',
            '          deviceClassName: "gb200-gpu"\n',
            "deviceClassName: field not declared in schema",
        ),
        ("device.driver ==", "device.diver ==", "undefined field 'diver'"),
    ],
    "50-network-operator*": [("nvIpam:", "nvIPAM:", ".spec.nvIPAM: field not declared in schema")],
    "51-rails*": [("resourceName:", "resource:", ".spec.resource: field not declared in schema")],
    "52-address-pools*": [
        ("perNodeBlockSize: 2", "perNodeBlockSize: 0", "should be greater than or equal to 1"),
        ('subnet: "10.0.8.0/24"', 'subnet: "10.0.8.0-24"', "spec.subnet in body must be of type cidr"),
    ],
    "61-slinky*": [
        ('  controllerRef:\n    name: "gb200-02"\n    namespace: slurm\n', "", "spec.controllerRef: Required value"),
        ("  slurmKeyRef:", "  slurmKey:", ".spec.slurmKey: field not declared in schema"),
    ],
    "70-hosts-*": [
        ("bootMode: UEFI", "bootMode: EFI", 'Unsupported value: "EFI"'),
        ("redfish://", "", "spec.bmc.address in body should match"),
        (', credentialsName: "h1r0007n01-bmc"', "", "spec.bmc.credentialsName: Required value"),
    ],
}


@pytest.mark.parametrize(
    ("file", "written", "instead", "said"),
    [(file, *fault) for file, faults in FAULTS.items() for fault in faults],
    ids=lambda word: word[:24] if isinstance(word, str) else None,
)
def test_a_fault_planted_in_a_cell_is_refused_in_the_servers_words(
    file, written, instead, said, place, ready, cells, tmp_path
):
    (cell,) = (each for each in cells if str(each) == "kubernetes-nvl72-gb200-02")
    planted = rendered.copied(cell, tmp_path)
    path = min(planted.folders[-1].glob(file))
    text = path.read_text()
    assert written in text
    path.write_text(text.replace(written, instead, 1))
    controllers.join(ready, [each.key.name for each in read(planted.folders) if each.awaits_kubelet])
    with pytest.raises(kubernetes.KubernetesError) as refused:
        place(planted.folders)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{path}, document ")
    assert said in line


@pytest.mark.parametrize("name", rendered.SITES)
def test_a_whole_cell_of_a_site_is_accepted_and_read_back_equal(name, ready, place, shared):
    cell = rendered.site(name, shared)[0]
    written = [each.body for each in read(cell.folders, simulated=True)]
    assert place(cell.folders, simulated=True).created == len(written)
    assert all(map(rendered.covers, found(ready, written), written))
    assert place(cell.folders, simulated=True).unchanged == len(written)
