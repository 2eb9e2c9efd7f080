import json

import kueue_judge
import pytest

from topology.deploy.kubernetes import KubernetesError

pytestmark = pytest.mark.kubernetes

KUEUE = "kueue.x-k8s.io/v1beta2"
HOST = "kubernetes.io/hostname"
DOMAIN, LEAF = "accelerator.topograph.run/domain", "fabric.topograph.run/tier-1"


@pytest.fixture(scope="module")
def judge(real):
    with kueue_judge.judging(real) as made:
        yield made


def node(rack, tray):
    name = f"h1r{rack:04}n{tray:02}"
    labels = {HOST: name, DOMAIN: f"h1r{rack:04}", LEAF: "pod1", "site/group": "gb200"}
    metadata = {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}}
    amounts = {"nvidia.com/gpu": "4", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "status": {"allocatable": amounts, "capacity": amounts},
    }


def cluster_queue(gpus):
    quota = {"name": "nvidia.com/gpu", "nominalQuota": gpus}
    flavors = [{"name": "gb200", "resources": [quota]}]
    groups = [{"coveredResources": ["nvidia.com/gpu"], "flavors": flavors}]
    spec = {"namespaceSelector": {}, "resourceGroups": groups}
    return {"apiVersion": KUEUE, "kind": "ClusterQueue", "metadata": {"name": "train"}, "spec": spec}


def objects(gpus):
    levels = [{"nodeLabel": label} for label in (LEAF, DOMAIN, HOST)]
    flavor = {"nodeLabels": {"site/group": "gb200"}, "topologyName": "gb200"}
    return [
        {"apiVersion": KUEUE, "kind": "Topology", "metadata": {"name": "gb200"}, "spec": {"levels": levels}},
        {"apiVersion": KUEUE, "kind": "ResourceFlavor", "metadata": {"name": "gb200"}, "spec": flavor},
        cluster_queue(gpus),
        {
            "apiVersion": KUEUE,
            "kind": "LocalQueue",
            "metadata": {"name": "train", "namespace": "default"},
            "spec": {"clusterQueue": "train"},
        },
    ]


def job(pods, level):
    container = {"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": "4"}}}
    template = {
        "metadata": {"annotations": {"kueue.x-k8s.io/podset-required-topology": level}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train", "namespace": "default", "labels": {"kueue.x-k8s.io/queue-name": "train"}},
        "spec": {"parallelism": pods, "completions": pods, "completionMode": "Indexed", "template": template},
    }


@pytest.fixture
def three_racks(judge, tmp_path):
    """Three NVL72 racks of 18 nodes of 4 GPUs, and a queue that may hand out a number of them."""

    def made(gpus):
        nodes = [node(rack, tray) for rack in (1, 2, 3) for tray in range(1, 19)]
        text = "".join(f"---\n{json.dumps(each)}\n" for each in [*nodes, *objects(gpus)])
        (tmp_path / "10-cell.yaml").write_text(text)
        judge.apply([tmp_path])
        return judge

    yield made
    judge.delete()


def test_a_job_of_one_domain_gets_one_and_a_pod_more_waits(three_racks):
    judge = three_racks(216)
    with judge.verdict(job(18, DOMAIN)) as verdict:
        assert verdict.admitted
        assert set(verdict.nodes.values()) == {1}
        assert len({name[:7] for name in verdict.nodes}) == 1
    with judge.verdict(job(19, DOMAIN)) as verdict:
        assert 'topology "gb200" allows to fit only 18 out of 19 pod(s)' in verdict.said


def test_the_quota_ends_what_the_topology_would_take(three_racks):
    judge = three_racks(72)
    with judge.verdict(job(18, LEAF)) as verdict:
        assert verdict.admitted
    with judge.verdict(job(19, LEAF)) as verdict:
        assert not verdict.admitted
        assert "insufficient quota" in verdict.said


def test_kueues_own_webhook_refuses_what_its_definitions_let_through(judge, tmp_path):
    wrong = cluster_queue(72)
    (group,) = wrong["spec"]["resourceGroups"]
    wrong["spec"]["resourceGroups"].append({**group, "flavors": [{**group["flavors"][0], "name": "other"}]})
    (tmp_path / "10-cell.yaml").write_text(json.dumps(wrong))
    with pytest.raises(KubernetesError, match=r"10-cell\.yaml, document 1 .*vclusterqueue\.kb\.io.*Duplicate value"):
        judge.apply([tmp_path])
    judge.delete()
