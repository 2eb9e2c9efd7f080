import json
import sys

import pytest

from topology.deploy import kubernetes
from topology.deploy.kubernetes import KubernetesError
from topology.deploy.kubernetes.ownership import ADOPTED, APPLIED, KINDS, MEMBER

pytestmark = pytest.mark.kubernetes

MAPS = "/api/v1/namespaces/default/configmaps"
NODES = "/api/v1/nodes"


def config_map(name, namespace="default", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def node(name, *, simulated=False, **labels):
    annotations = {"annotations": {"kwok.x-k8s.io/node": "fake"}} if simulated else {}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels, **annotations}}


def labels(cell, name):
    return cell.get(f"{NODES}/{name}")["metadata"].get("labels", {})


def definition(plural, kind):
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "kind": kind, "singular": kind.lower()}
    spec = {"group": "example.test", "scope": "Namespaced", "names": names, "versions": [version]}
    metadata = {"name": f"{plural}.example.test"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    }


def test_what_is_new_is_made_what_differs_is_changed_and_the_rest_is_left(cell):
    cell.write("10-a.yaml", config_map("a", size="1"), config_map("b", size="1"))
    assert str(cell.apply()) == "2 created"
    cell.write("10-a.yaml", config_map("a", size="1"), config_map("b", size="2"), config_map("c", size="3"))
    assert str(cell.apply()) == "1 created, 1 changed, 1 unchanged"
    assert cell.get(f"{MAPS}/b")["data"] == {"size": "2"}


def test_a_second_apply_writes_nothing(cell):
    cell.write("10-a.yaml", config_map("a"), node("h1r0001n01", simulated=True, unit="u1"))
    cell.apply()
    before = [cell.get(path)["metadata"] for path in (f"{MAPS}/a", f"{NODES}/h1r0001n01", f"{MAPS}/topology-site-c1")]
    assert str(cell.apply()) == "2 unchanged"
    assert before == [
        cell.get(path)["metadata"] for path in (f"{MAPS}/a", f"{NODES}/h1r0001n01", f"{MAPS}/topology-site-c1")
    ]


def test_a_value_that_the_server_writes_in_its_own_form_is_no_change(cell):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
    cell.write("10-a.yaml", {**quota, "spec": {"hard": {"cpu": "8000m"}}})
    cell.apply()
    assert cell.get("/api/v1/namespaces/default/resourcequotas/q")["spec"]["hard"] == {"cpu": "8"}
    assert str(cell.apply()) == "1 unchanged"
    assert cell.drift() == []


def test_a_field_that_left_the_manifest_leaves_the_object(cell):
    cell.write("10-a.yaml", config_map("a", kept="1", gone="1"))
    cell.apply()
    cell.write("10-a.yaml", config_map("a", kept="1"))
    assert str(cell.apply()) == "1 changed"
    assert cell.get(f"{MAPS}/a")["data"] == {"kept": "1"}


def test_what_others_wrote_on_our_objects_stays(cell, kubectl):
    cell.write("10-a.yaml", config_map("a", ours="1"))
    cell.apply()
    kubectl("patch", "configmap", "a", "--patch", '{"data": {"theirs": "2"}}')
    assert cell.drift() == []
    cell.write("10-a.yaml", config_map("a", ours="3"))
    cell.apply()
    assert cell.get(f"{MAPS}/a")["data"] == {"ours": "3", "theirs": "2"}


def test_a_label_edited_by_hand_is_drift_and_is_repaired(cell, kubectl):
    cell.write("10-a.yaml", node("h1r0001n01", simulated=True, unit="u1"))
    cell.apply()
    kubectl("label", "node", "h1r0001n01", "unit=u9", "--overwrite")
    assert cell.drift() == ["Node h1r0001n01: metadata.labels.unit is 'u9', the manifests say 'u1'"]
    assert str(cell.apply()) == "1 changed"
    assert cell.drift() == []


def test_missing_and_left_over_objects_are_drift(cell, kubectl):
    cell.write("10-a.yaml", config_map("a"), config_map("b"))
    cell.apply()
    kubectl("delete", "configmap", "a")
    cell.write("10-a.yaml", config_map("a"))
    assert cell.drift() == ["ConfigMap default/a: missing", "ConfigMap default/b: in no manifest"]


def test_what_left_the_plan_is_deleted_be_it_the_last_of_its_kind_and_namespace(cell):
    cell.write("00-ns.yaml", namespace("left"))
    cell.write("10-a.yaml", config_map("a"), config_map("b", "left"))
    cell.write("20-n.yaml", node("h1r0001n01", simulated=True))
    cell.apply()
    cell.remove("20-n.yaml")
    cell.write("10-a.yaml", config_map("a"))
    assert str(cell.apply()) == "2 unchanged, 2 deleted"
    assert cell.names(NODES) == []
    cell.remove("00-ns.yaml")
    assert str(cell.apply()) == "1 unchanged, 1 deleted"
    assert cell.get(f"{MAPS}/topology-site-c1")["metadata"]["annotations"][KINDS] == "ConfigMap"


def test_what_others_made_is_not_pruned(cell, somebody_else):
    somebody_else(config_map("theirs"))
    cell.write("10-a.yaml", config_map("a"))
    cell.apply()
    cell.delete()
    assert "theirs" in cell.names(MAPS)


def test_a_real_node_is_labelled_when_it_has_joined_and_never_made(cell, somebody_else):
    cell.write("10-a.yaml", node("h1r0001n01", unit="u1"))
    assert str(cell.apply()) == "1 waiting"
    assert cell.drift() == []
    somebody_else(node("h1r0001n01", theirs="x"))
    assert str(cell.apply()) == "1 changed"
    assert labels(cell, "h1r0001n01").items() >= {"unit": "u1", "theirs": "x"}.items()


def test_a_real_node_that_leaves_the_plan_stays_without_our_labels(cell, somebody_else):
    somebody_else(node("h1r0001n01", theirs="x"))
    cell.write("10-a.yaml", config_map("a"), node("h1r0001n01", unit="u1"))
    cell.apply()
    cell.write("10-a.yaml", config_map("a"))
    assert str(cell.apply()) == "1 unchanged, 1 released"
    assert labels(cell, "h1r0001n01") == {"theirs": "x"}
    assert not {APPLIED, ADOPTED} & cell.get(f"{NODES}/h1r0001n01")["metadata"].get("annotations", {}).keys()


def test_delete_takes_what_we_made_and_releases_what_was_there(cell, somebody_else):
    somebody_else(config_map("before", theirs="1"), node("h1r0001n01", theirs="x"))
    cell.write(
        "10-a.yaml",
        config_map("a"),
        config_map("before", ours="2"),
        node("h1r0001n01", unit="u1"),
        node("h1r0001n02", simulated=True),
    )
    assert str(cell.apply()) == "2 created, 2 changed"
    assert str(cell.apply()) == "4 unchanged"  # and still knows what was there before
    assert str(cell.delete()) == "2 deleted, 2 released"
    assert cell.get(f"{MAPS}/before")["data"] == {"theirs": "1"}
    assert MEMBER not in cell.get(f"{MAPS}/before")["metadata"].get("labels", {})
    assert cell.names(NODES) == ["h1r0001n01"]
    assert labels(cell, "h1r0001n01") == {"theirs": "x"}
    assert "topology-site-c1" not in cell.names(MAPS)


def test_what_cannot_be_without_our_fields_keeps_them_when_released(cell, somebody_else):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "default"}}
    somebody_else({**service, "spec": {"ports": [{"port": 80}]}})
    cell.write("10-a.yaml", {**service, "spec": {"ports": [{"port": 80, "protocol": "TCP"}]}})
    cell.apply()
    assert str(cell.delete()) == "1 released"
    found = cell.get("/api/v1/namespaces/default/services/s")
    assert [each["port"] for each in found["spec"]["ports"]] == [80]
    assert MEMBER not in found["metadata"].get("labels", {})


def test_what_its_finalizers_hold_is_said_to_be_leaving_and_found_again(cell, kubectl, monkeypatch):
    monkeypatch.setattr("topology.deploy.kubernetes.removal.LEAVING_S", 0.2)
    cell.write("10-a.yaml", config_map("a"), config_map("b"))
    cell.apply()
    kubectl("patch", "configmap", "b", "--patch", '{"metadata": {"finalizers": ["example.test/in-use"]}}')
    assert str(cell.delete()) == "1 deleted, 1 leaving"
    with pytest.raises(
        KubernetesError, match=r"\(ConfigMap default/b\): is being deleted, held by example\.test/in-use"
    ):
        cell.apply()
    cell.write("10-a.yaml", config_map("a"))
    assert str(cell.apply()) == "1 unchanged, 1 leaving"
    kubectl("patch", "configmap", "b", "--patch", '{"metadata": {"finalizers": null}}')
    assert str(cell.delete()) == "1 deleted"


def test_an_object_of_another_cell_is_not_taken_over(cell):
    cell.write("10-a.yaml", config_map("a"))
    cell.apply()
    with pytest.raises(KubernetesError, match="ConfigMap a belongs to another apply set, applyset-"):
        cell.apply(owner="site-c2")


def test_a_definition_and_its_objects_may_come_in_one_apply(cell):
    cell.write("00-crd.yaml", definition("racks", "Rack"))
    rack = {"apiVersion": "example.test/v1", "kind": "Rack", "metadata": {"name": "r1"}, "spec": {"size": 42}}
    cell.write("10-a.yaml", rack)
    assert str(cell.apply()) == "2 created"
    assert cell.names("/apis/example.test/v1/namespaces/default/racks") == ["r1"]
    assert str(cell.apply()) == "2 unchanged"


def test_a_kind_that_the_server_lacks_is_named_before_anything_is_applied(cell):
    cell.write("10-a.yaml", config_map("a"))
    topology = {"apiVersion": "absent.example/v1beta2", "kind": "Topology", "metadata": {"name": "t"}}
    cell.write("20-b.yaml", topology)
    with pytest.raises(KubernetesError, match=r"has no Topology \(absent\.example/v1beta2\); install what brings"):
        cell.apply()
    assert "a" not in cell.names(MAPS)


def test_every_refusal_of_a_file_is_said_in_the_servers_words_and_later_files_wait(cell):
    cell.write("10-a.yaml", node("h1r0001n01", simulated=True, unit="-"), config_map("No Name"), config_map("b"))
    cell.write("20-b.yaml", config_map("later"))
    with pytest.raises(KubernetesError) as refused:
        cell.apply()
    first, second = str(refused.value).splitlines()
    assert first.startswith(f'{cell.folder}/10-a.yaml, document 1 (Node h1r0001n01): Node "h1r0001n01" is invalid: ')
    assert "a valid label must" in first
    assert second.startswith(f"{cell.folder}/10-a.yaml, document 2 (ConfigMap default/No Name): ")
    assert "later" not in cell.names(MAPS)


def test_of_many_refusals_the_first_are_shown_and_the_rest_counted(cell):
    cell.write("10-a.yaml", *(node(f"n{number:02}", simulated=True, unit="-") for number in range(30)))
    with pytest.raises(KubernetesError) as refused:
        cell.apply()
    lines = str(refused.value).splitlines()
    assert len(lines) == 21
    assert "document 1 (Node n00)" in lines[0]
    assert lines[-1] == "and 10 more"


def test_what_an_apply_that_was_cut_short_had_made_is_found_again(cell):
    cell.write("10-a.yaml", node("h1r0001n01", simulated=True))
    cell.write("20-b.yaml", config_map("No Name"))
    with pytest.raises(KubernetesError, match="No Name"):
        cell.apply()
    cell.remove("10-a.yaml")
    cell.write("20-b.yaml", config_map("a"))
    assert str(cell.apply()) == "1 created, 1 deleted"


def test_some_hundred_nodes_are_applied_side_by_side_and_read_back_equal(cell):
    nodes = [
        node(f"h1r{rack:04}n{tray:02}", simulated=True, domain=f"h1r{rack:04}")
        for rack in range(20)
        for tray in range(18)
    ]
    (cell.folder / "10-nodes.yaml").write_text("".join(f"---\n{json.dumps(each)}\n" for each in nodes))
    assert str(cell.apply()) == "360 created"
    found = {each["metadata"]["name"]: each["metadata"]["labels"]["domain"] for each in cell.get(NODES)["items"]}
    assert found == {each["metadata"]["name"]: each["metadata"]["labels"]["domain"] for each in nodes}
    assert str(cell.apply()) == "360 unchanged"


@pytest.mark.parametrize("owner", ["", "Site", "-c1", "a_b"])
def test_an_owner_that_is_no_host_name_is_refused(cell, owner):
    cell.write("10-a.yaml", config_map("a"))
    with pytest.raises(KubernetesError, match=f"owner '{owner}' must be lower-case letters"):
        cell.apply(owner=owner)


def settings(cell, tmp_path, change):
    """A copy of the kubeconfig with a change."""
    said = json.loads(cell.api.kubeconfig.read_text())
    change(said)
    path = tmp_path / "other-kubeconfig"
    path.write_text(json.dumps(said))
    return path


def nobody(said):
    said["users"][0]["user"]["token"] = "wrong"  # noqa: S105 -- no secret


def guest(said):
    said["users"][0]["user"]["token"] = "guest"  # noqa: S105 -- no secret


def elsewhere(said):
    said["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"


def no_user(said):
    said["contexts"][0]["context"]["user"] = None


def no_cluster(said):
    said["clusters"] = []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (nobody, r"\(context under-test\): 401, the server does not know this user; log in again"),
        (
            elsewhere,
            r"https://127\.0\.0\.1:1 \(context under-test\): no answer: .*refused; is it running, and reachable",
        ),
        (no_user, "context in use of the kubeconfig has no user"),
        (no_cluster, "no usable context in the kubeconfig: 'under-test'"),
    ],
)
def test_a_connection_that_fails_is_one_line(cell, tmp_path, change, said):
    cell.write("10-a.yaml", config_map("a"))
    with pytest.raises(KubernetesError, match=said) as refused:
        cell.apply(kubeconfig=settings(cell, tmp_path, change))
    assert "\n" not in str(refused.value)


def test_a_user_who_may_not_is_told_what_in_the_servers_words(cell, tmp_path):
    cell.write("10-a.yaml", config_map("a"))
    with pytest.raises(
        KubernetesError, match=r': configmaps is forbidden: User "guest" cannot list resource'
    ) as refused:
        cell.apply(kubeconfig=settings(cell, tmp_path, guest))
    assert "\n" not in str(refused.value)


def test_a_context_that_is_not_there_is_named(cell):
    cell.write("10-a.yaml", config_map("a"))
    with pytest.raises(KubernetesError, match="no usable context in the kubeconfig: Context 'other' not found"):
        cell.apply(context="other")


def test_without_lightkube_one_line_says_what_to_install(cell, monkeypatch):
    cell.write("10-a.yaml", config_map("a"))
    monkeypatch.setitem(sys.modules, "lightkube", None)
    with pytest.raises(
        KubernetesError, match=r'^kubernetes needs lightkube: pip install "cluster-topology\[kubernetes\]"$'
    ):
        kubernetes.apply([cell.folder], owner="x")
