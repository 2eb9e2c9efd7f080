import json

import kueue_judge
import pytest
import rendered
from kueue_cell import ANYWHERE, REQUIRED, KueueCell

from topology.deploy.kubernetes import KubernetesError

pytestmark = pytest.mark.kubernetes

KUEUE = "kueue.x-k8s.io/v1beta2"
HOST = "kubernetes.io/hostname"
DOMAIN, LEAF = "accelerator.topograph.run/domain", "fabric.topograph.run/tier-1"
CELLS = {each.build: each for each in rendered.golden_cells()}.values()  # the last of each case


@pytest.fixture
def cell(request, golden_build):
    """A cell of a golden case, built."""
    return rendered.built(request.param, golden_build)


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
    with judge.admission(job(18, DOMAIN)) as verdict:
        assert verdict.admitted
        assert set(verdict.nodes.values()) == {1}
        assert len({name[:7] for name in verdict.nodes}) == 1
    with judge.verdict(job(19, DOMAIN)) as verdict:
        assert 'topology "gb200" allows to fit only 18 out of 19 pod(s)' in verdict.said


def test_the_quota_ends_what_the_topology_would_take(three_racks):
    judge = three_racks(72)
    with judge.admission(job(18, LEAF)) as verdict:
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


@pytest.fixture
def stands(judge, tmp_path):
    """Puts a cell under Kueue, and takes it away again."""

    def made(cell, **more):
        found = KueueCell(cell, tmp_path / "cells" / cell.name, **more)
        assert found.flavors
        judge.apply([found.folder])
        return found

    yield made
    judge.delete()


def every_level(judge, cell):
    """Hold every level of every flavor against Kueue: a job of its largest place fits one, a pod more does not."""
    for flavor in cell.flavors:
        for level in flavor.levels:
            size = flavor.place(level)
            with judge.admission(cell.job(flavor, size, {REQUIRED: level})) as verdict:
                assert verdict.admitted, f"{size} nodes of {level}: {verdict.said}"
                assert len(verdict.nodes) == size
                assert set(verdict.nodes.values()) == {1}
                assert len(flavor.places(level, verdict.nodes)) == 1
            with judge.verdict(cell.job(flavor, size + 1, {REQUIRED: level})) as verdict:
                assert not verdict.admitted, f"{size + 1} nodes of {level}"
                reasons = [f"allows to fit only {size} out of {size + 1} pod(s)"]
                if size == len(flavor.nodes):  # the pod more is one that no quota has
                    reasons.append("insufficient quota")
                if len(cell.flavors) > 1:  # of several flavors, Kueue gives the reason of the last
                    reasons.append("doesn't match node affinity")
                assert any(reason in verdict.said for reason in reasons), verdict.said


@pytest.mark.parametrize("cell", CELLS, ids=str, indirect=True)
def test_a_job_of_any_level_of_a_cell_on_record_gets_one_place_and_a_pod_more_waits(cell, stands, judge):
    every_level(judge, stands(cell))


@pytest.mark.parametrize("cell", CELLS, ids=str, indirect=True)
def test_the_jobs_that_come_with_a_cell_are_admitted_on_one_place_each(cell, stands, judge):
    stood = stands(cell)
    examples = [job for path in sorted(cell.folders[-1].glob("examples/job-*.yaml")) for job in rendered.objects(path)]
    assert examples
    for job in examples:
        level = job["spec"]["template"]["metadata"]["annotations"][REQUIRED]
        with judge.admission(job) as verdict:
            assert verdict.admitted, f"{job['metadata']['name']}: {verdict.said}"
            assert len(verdict.nodes) == job["spec"]["parallelism"]
            assert 1 in {len(flavor.places(level, verdict.nodes)) for flavor in stood.flavors}


@pytest.mark.parametrize("name", rendered.SITES)
def test_a_job_of_any_level_of_a_site_gets_one_place_and_a_pod_more_waits(name, stands, judge, shared):
    built = rendered.site(name, shared)
    pools = {cell.name.rpartition("-")[0]: cell for cell in built}
    for cell in pools.values():
        every_level(judge, stands(cell, units=2))
        judge.delete()


@pytest.mark.parametrize("cell", CELLS, ids=str, indirect=True)
def test_the_queues_of_a_cell_hand_out_every_gpu_and_not_one_more(cell, stands, judge):
    cell = stands(cell)
    for flavor in cell.flavors:
        with judge.admission(cell.job(flavor, len(flavor.nodes), ANYWHERE)) as verdict:
            assert verdict.admitted, verdict.said
            assert len(verdict.nodes) == len(flavor.nodes)
            with judge.verdict(cell.job(flavor, 1, ANYWHERE, name="last", gpus=1)) as last:
                assert "insufficient unused quota" in last.said
