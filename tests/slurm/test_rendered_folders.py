"""A real slurmctld on every folder that a build renders: the golden cases and the sites."""

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from topology.artifacts.slurm.clusters import controllers
from topology.artifacts.slurm.files import artifacts
from topology.cli.progress import Progress
from topology.cli.reports import Severities
from topology.cli.session import open_plan
from topology.plan import names
from topology.source import YamlSource
from topology.verify.placement import trials
from topology.verify.slurm import SlurmController
from topology.verify.slurm_log import allowed_lines
from topology.verify.slurm_topology import differences, read_topologies

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slurm


@cache
def plan_of(spec):
    """The plan of a spec, once per process."""
    return open_plan(YamlSource.read(spec), str(spec), Progress(), Severities()).plan


def daemons():
    """(spec, stage, slurmctld) of every stage; of the 1M site the last stage, which holds all others."""
    found = []
    golden = sorted((ROOT / "tests" / "golden").glob("*/cluster.yaml"))
    sites = [ROOT / "stacks" / site / "cluster.yaml" for site in ("superpod-h100", "colossus", "colossus-1m")]
    for spec in (*golden, *sites):
        plan = plan_of(spec)
        last = len(plan.spec.stages) - 1
        for stage in (last,) if plan.gpus.height > 500_000 else range(last + 1):
            for at, controller in enumerate(controllers(plan, stage)):
                label = f"{spec.parent.name}-{plan.spec.stages[stage].name}-{controller.name}"
                found.append(pytest.param((spec, stage, at), id=label))
    return found


def rendered(plan, stage, controller, folder):
    """The files of one slurmctld, as a build writes them."""
    for artifact in artifacts(plan, [stage]):
        if artifact.path.parts[3] == controller.name:
            (folder / artifact.path.name).write_bytes(artifact.data)
    return folder


def expected_nodes(plan, controller):
    """What the plan says of each node, in the words of `scontrol show node`."""
    racks = [plan.catalog.racks[group.rack] for group in plan.spec.compute]
    boxes = [plan.catalog.nodes[rack.node] for rack in racks]
    at = pl.col("group")
    partitions = [
        sorted(p.name for p in controller.partitions if group.name in p.compute) for group in plan.spec.compute
    ]
    return controller.nodes.select(
        name=names.spell(names.node_template(plan.spec.names)),
        sockets=pl.lit(pl.Series([box.sockets for box in boxes])).gather(at),
        cores_per_socket=pl.lit(pl.Series([box.cores_per_socket for box in boxes])).gather(at),
        threads_per_core=pl.lit(pl.Series([box.threads_per_core for box in boxes])).gather(at),
        memory_mb=pl.lit(pl.Series([box.memory_mb for box in boxes])).gather(at),
        gres=pl.lit(pl.Series([f"gpu:{box.gres_type}:{box.gpus}" for box in boxes])).gather(at),
        partitions=pl.lit(pl.Series([",".join(each) for each in partitions])).gather(at),
    ).sort("name")


@pytest.mark.parametrize("daemon", daemons())
def test_slurmctld_says_what_the_plan_says_and_places_by_it(daemon, tmp_path, request, seed):
    spec, stage, at = daemon
    plan = plan_of(spec)
    controller = list(controllers(plan, stage))[at]
    release = plan.spec.slurm.release
    root = request.getfixturevalue("slurm_root" if release == "26.05" else "slurm_root_24_11")
    folder = rendered(plan, stage, controller, tmp_path)
    with SlurmController(folder, root, probe=release == "26.05") as slurm:
        wants = expected_nodes(plan, controller)
        has = slurm.nodes().with_columns(
            partitions=pl.col("partitions")
            .list.eval(pl.element().filter(~pl.element().str.starts_with("probe-")))
            .list.sort()
            .list.join(",")
        )
        assert has.select(wants.columns).sort("name").equals(wants.cast(has.select(wants.columns).schema))
        if release == "26.05":
            assert list(differences(read_topologies(folder), slurm.topoconf(), slurm.expand)) == []
        short = controller.nodes.group_by("domain").len()["len"].n_unique() > 1
        if not short:  # K102: the base block follows the shortest domain, so a job of a whole rack needs two blocks
            failed = [trial for trial in trials(slurm, folder, seed=seed) if not trial.passed]
            assert failed == []
        assert slurm.log_complaints(allowed_lines(folder)) == []


def test_a_short_domain_sets_the_base_block_of_its_cluster(tmp_path, slurm_root):
    plan = plan_of(ROOT / "tests" / "golden" / "short-domain" / "cluster.yaml")
    controller = next(iter(controllers(plan, 0)))
    with SlurmController(rendered(plan, 0, controller, tmp_path), slurm_root) as slurm:
        assert slurm.topoconf()[0]["block"]["block_sizes"] == [15, 30, 60, 120, 240]
        assert len({name[:7] for name in slurm.place("gb200", 15)}) == 1


@pytest.mark.parametrize("site", ["superpod-h100", "colossus", "colossus-1m"])
def test_scontrol_expands_every_folded_list_to_the_names_of_the_plan(site, tmp_path, slurm_root):
    plan = plan_of(ROOT / "stacks" / site / "cluster.yaml")
    folder = rendered(plan, 0, next(iter(controllers(plan, 0))), tmp_path)
    template = names.node_template(plan.spec.names)
    places = names.node_places(plan)
    folded = names.fold(places, template, ["unit"])
    with SlurmController(folder, slurm_root) as slurm:
        expanded = slurm.expand_each(folded["hosts"].to_list())
    spelled = places.group_by("unit", maintain_order=True).agg(names.spell(template).alias("name")).sort("unit")
    assert [sorted(each) for each in expanded] == [sorted(each) for each in spelled["name"].to_list()]
    assert sum(map(len, expanded)) == plan.nodes.height


def test_the_command_accepts_what_was_built_and_names_what_was_edited(cli, tmp_path, slurm_root):
    assert slurm_root
    out = tmp_path / "out"
    cli("build", str(ROOT / "tests" / "golden" / "islands-and-core" / "cluster.yaml"), "-o", str(out))
    run = cli("verify", str(out))
    assert (run.code, run.out.count("accepted")) == (0, 2)
    topology = out / "stages" / "s2" / "slurm" / "islands-and-core" / "topology.yaml"
    topology.write_text(topology.read_text().replace("block_sizes: [18, 36,", "block_sizes: [18, 27,"))
    run = cli("verify", str(out), "--stage", "s2")
    assert run.code == 4
    assert "Invalid BlockSizes value" in run.out


def test_the_command_refuses_a_folder_that_no_build_wrote(cli, tmp_path):
    assert cli("verify", str(tmp_path)).code == 2
