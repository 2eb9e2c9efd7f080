import re

from topology.verify import slurm_answers
from topology.verify.slurm_log import ALLOWED, complaints, reasons
from topology.verify.slurm_topology import differences, from_conf, groups, probes


def expand(hostlist):
    """Names of a hostlist that is a plain list."""
    return hostlist.split(",")


def test_a_node_line_with_a_reason_full_of_other_words_is_read_by_its_own():
    line = (
        "NodeName=n1 CoresPerSocket=72  CPUAlloc=0 CPUTot=144 AvailableFeatures=(null) Gres=gpu:gb200:4 "
        "NodeAddr=n1 RealMemory=860000 Sockets=2 Boards=1 State=DOWN+CLOUD ThreadsPerCore=1 Partitions=a,b  "
        "Reason=swap Gres = gpu [root@2026-01-01T00:00:00]"
    )
    assert slurm_answers.nodes(f"{line}\n").to_dicts() == [
        {
            "name": "n1",
            "sockets": 2,
            "cores_per_socket": 72,
            "threads_per_core": 1,
            "cpus": 144,
            "memory_mb": 860000,
            "gres": "gpu:gb200:4",
            "features": None,
            "partitions": ["a", "b"],
            "state": "DOWN+CLOUD",
        }
    ]


def test_no_nodes_is_an_empty_frame():
    assert slurm_answers.nodes("").height == 0
    assert slurm_answers.topology("").height == 0


def test_both_releases_words_for_a_promise_are_read():
    said = (
        "sbatch: Job 1 to start at 2026-01-01T00:00:00 {}using 2592 processors on nodes r[1-2]n[01-18] in partition p"
    )
    assert slurm_answers.placement(said.format("a ")) == "r[1-2]n[01-18]"
    assert slurm_answers.placement(said.format("")) == "r[1-2]n[01-18]"


def test_a_refusal_is_no_promise_and_a_failure_is_neither():
    assert slurm_answers.placement("allocation failure: Requested node configuration is not available") == ""
    assert slurm_answers.placement("sbatch: error: Invalid --segment specification") is None


def test_complaints_are_the_lines_of_both_releases_without_time_or_program():
    log = (
        "[2026-01-01T00:00:00.000] error: one\n"
        "slurmctld: warning: two\n"
        "slurmctld: no error here\n"
        "[2026-01-01T00:00:00.000] Warning: three\n"
        "slurmctld: fatal: four\n"
    )
    assert complaints(log) == ["error: one", "warning: two", "Warning: three", "fatal: four"]
    assert complaints(log, [re.compile("error: one"), re.compile("warning: tw")]) == [
        "warning: two",
        "Warning: three",
        "fatal: four",
    ]


def test_every_allowed_line_has_a_reason_and_names_more_than_a_level():
    for line, because in ALLOWED.items():
        assert because
        assert not re.fullmatch(line, "error: Could not load anything")
        assert len(line) > 30


def test_a_start_that_says_nothing_gives_its_last_lines():
    assert reasons("started\nended\n") == "started\nended"


def test_a_topology_conf_reads_as_the_same_shape_as_topology_yaml():
    blocks = from_conf("# comment\nBlockName=b1 Nodes=a,b\nBlockName=b2 Nodes=c,d\nBlockSizes=2,4\n")
    assert blocks["block"]["block_sizes"] == [2, 4]
    assert groups(blocks) == [("b1", "a,b"), ("b2", "c,d")]
    tree = from_conf("SwitchName=leaf1 Nodes=a\nSwitchName=spine Switches=leaf1\n")
    assert tree["tree"]["switches"] == [{"switch": "leaf1", "nodes": "a"}, {"switch": "spine", "children": "leaf1"}]
    assert groups(tree) == [("leaf1", "a")]


def test_hostlists_that_name_the_same_nodes_are_equal_and_what_slurm_fills_in_is_nothing():
    wrote = [{"topology": "t", "tree": {"switches": [{"switch": "s", "nodes": "a,b"}]}}]
    has = [{"topology": "t", "flat": False, "block": {}, "tree": {"switches": [{"switch": "s", "nodes": "b,a"}]}}]
    has[0]["tree"]["switches"][0]["children"] = None
    assert list(differences(wrote, has, expand)) == []


def test_each_kind_of_difference_says_where_it_is():
    wrote = [
        {"topology": "t", "colour": "red", "block": {"block_sizes": [2, 4], "blocks": [{"block": "b", "nodes": "a,b"}]}}
    ]
    has = [{"topology": "u", "block": {"block_sizes": [2], "blocks": [{"block": "b", "nodes": "a,c"}]}}]
    assert list(differences(wrote, has, expand)) == [
        "topology.yaml[0].block.block_sizes: wrote 2 entries, Slurm has 1",
        "topology.yaml[0].block.blocks[0].nodes: wrote a,b, Slurm has a,c",
        "topology.yaml[0].colour: wrote 'red', Slurm has None",
        "topology.yaml[0].topology: wrote 't', Slurm has 'u'",
    ]


def test_a_probe_is_made_for_each_topology_with_groups_that_no_partition_asks_for(nvl72_folder):
    assert probes(nvl72_folder) == ""
    (nvl72_folder / "partitions.conf").write_text("PartitionName=all Nodes=ALL Topology=nvlink\n")
    assert probes(nvl72_folder) == (
        "PartitionName=probe-compute Nodes="
        + ",".join(f"h1r[{2 * leaf - 1:04}-{2 * leaf:04}]n[01-18]" for leaf in range(1, 9))
        + " Topology=compute\n"
    )
