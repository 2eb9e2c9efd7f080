import json

import pytest

from topology.deploy.kubernetes.documents import read
from topology.deploy.kubernetes.errors import KubernetesError

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"a": "1"}}}


@pytest.fixture
def manifests(tmp_path):
    def write(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return read([tmp_path])

    return write


def test_files_come_by_their_names_and_documents_by_their_places(manifests):
    second = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n"
    first = "# a comment\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: z}\n---\n" + json.dumps(NODE)
    found = manifests(**{"20-b": second, "10-a": first})
    assert [(each.file.name, each.number, each.key.name) for each in found] == [
        ("10-a.yaml", 1, "z"),
        ("10-a.yaml", 2, "n1"),
        ("20-b.yaml", 1, "b"),
    ]


def test_a_line_of_json_says_the_same_as_its_yaml(manifests):
    (as_json,) = manifests(nodes="---\n" + json.dumps(NODE) + "\n---\n")
    (as_yaml,) = manifests(nodes="apiVersion: v1\nkind: Node\nmetadata:\n  name: n1\n  labels: {a: '1'}\n")
    assert as_json.body == as_yaml.body
    assert as_json.digest == as_yaml.digest


def test_flow_yaml_that_is_no_json_is_read_as_yaml(manifests):
    (found,) = manifests(nodes="{apiVersion: v1, kind: Node, metadata: {name: n1}}")
    assert str(found.key) == "Node n1"


def test_what_lies_in_folders_below_is_left_alone(manifests, tmp_path):
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/job.yaml").write_text("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}")
    (tmp_path / "notes.md").write_text("not a manifest")
    assert [each.key.kind for each in manifests(nodes=json.dumps(NODE))] == ["Node"]


def test_of_a_cells_earlier_stages_the_nodes_alone_count(tmp_path):
    for stage, name in (("s1", "n1"), ("s2", "n2")):
        (tmp_path / stage / "kwok").mkdir(parents=True)
        text = json.dumps(NODE | {"metadata": {"name": name}})
        (tmp_path / stage / "10-nodes-h1-row01.yaml").write_text(text)
        (tmp_path / stage / "kwok/10-nodes-h1-row01.yaml").write_text(text.replace(name, f"{name}-simulated"))
        (tmp_path / stage / "00-a.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}")
        (tmp_path / stage / "20-b.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: b}")
    stages = [tmp_path / "s1", tmp_path / "s2"]
    assert [each.key.name for each in read(stages)] == ["a", "n1", "n2", "b"]
    assert [each.key.name for each in read(stages, simulated=True)] == ["a", "n1-simulated", "n2-simulated", "b"]
    assert [each.file.parent.name for each in read(stages)] == ["s2", "s1", "s2", "s2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n---\nb: ]\n", "m.yaml, line 3: did not find expected node content"),
        ("- a list", "m.yaml, document 1: no object with apiVersion, kind and metadata.name"),
        ("apiVersion: v1\nkind: Node\nmetadata: {}", "m.yaml, document 1: no object with apiVersion"),
        ("apiVersion: v1\nkind: Node\nmetadata: {name: 1}", "m.yaml, document 1: no object with apiVersion"),
        ("\n---\n# nothing\n", "no manifests in "),
        (f"{json.dumps(NODE)}\n---\n{json.dumps(NODE)}", "m.yaml, document 2 .Node n1.: the same object is in "),
        ("\x00", "m.yaml: "),
    ],
)
def test_a_file_that_holds_no_manifests_is_named(manifests, text, said):
    with pytest.raises(KubernetesError, match=said) as refused:
        manifests(m=text)
    assert "\n" not in str(refused.value)


def test_text_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "m.yaml").write_bytes(b"\xff")
    with pytest.raises(KubernetesError, match=r"m\.yaml: cannot be read"):
        read([tmp_path])
