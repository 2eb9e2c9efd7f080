"""Rules of Kubernetes cells: what one control plane holds, and what its labels, queues and addresses must add up to."""

from collections.abc import Iterator

import polars as pl

from topology.checks import check, nothing
from topology.findings import Severity
from topology.plan import Plan, names
from topology.spec.kubernetes import Kubernetes
from topology.views.node_labels import LONGEST, node_labels
from topology.views.quotas import MOST_CLUSTERS, cell_divisions, local_queue, quotas
from topology.views.rails import prefix, room, slots

TESTED_NODES = 5000  # kubernetes.io, Considerations for large clusters; the same from 1.23 to 1.36


@check(
    "K104",
    "a cell holds its units",
    "cells are cut between scalable units, never inside one",
    keys={"compute": "unit_racks"},
)
def cells_within_their_limit(plan: Plan) -> pl.DataFrame:
    """Cells with more nodes than one may have."""
    kubernetes = plan.spec.kubernetes
    if kubernetes is None:
        return nothing()
    limit = kubernetes.max_nodes_per_cell
    over = plan.cells.filter(pl.col("nodes") > limit)
    return over.select(
        "origin",
        example="name",
        message=pl.format("cell {} has {} nodes in {} units; a cell takes {}", "name", "nodes", "units", pl.lit(limit)),
        help=pl.format("write a smaller unit_racks, or max_nodes_per_cell: {} under kubernetes", "nodes"),
    )


@check("K105", "no cell cuts an NVLink domain", "GPUs of one domain are scheduled by one control plane")
def domains_are_whole(plan: Plan) -> pl.DataFrame:
    """Domains with nodes in two cells."""
    cells = plan.units.select("unit", "cell")
    homes = plan.nodes.select("unit", "domain").unique().join(cells, on="unit")
    cut = homes.group_by("domain").agg(pl.col("cell").n_unique()).filter(pl.col("cell") > 1).sort("domain")
    domains = cut.join(plan.nvlink_domains.select("domain", "rack", "origin"), on="domain", maintain_order="left")
    rack = names.labels(plan, "racks").gather(domains["rack"])
    return domains.with_columns(example=rack).select(
        "origin",
        "example",
        message=pl.format("the NVLink domain {} lies in {} cells", "example", "cell"),
        help=pl.lit("this is a fault of expansion: please report it"),
    )


@check(
    "K106",
    "names and labels are no longer than Kubernetes takes",
    "a label's value has 63 characters at most: kubernetes.io, Labels and Selectors",
    keys={"compute": "name", "kubernetes": "name"},
)
def labels_are_short(plan: Plan) -> pl.DataFrame:
    """Values of labels, and names of cells and LocalQueues, that are too long."""
    kubernetes = plan.spec.kubernetes
    if kubernetes is None:
        return nothing()
    found = [_too_long(plan.cells.select("origin", pl.lit("cell").alias("what"), text="name"))]
    locals_ = [
        (cell["origin"], "queue", local_queue(queue.name, cell["pool"], cell["index"]))
        for cell in plan.cells.iter_rows(named=True)
        for queue in kubernetes.queues
    ]
    found.append(_too_long(pl.DataFrame(locals_, schema=("origin", "what", "text"), orient="row")))
    found += [_too_long(labels) for labels in _labels(plan, kubernetes)]
    return pl.concat([frame.cast({"origin": pl.UInt16}) for frame in found])


def _labels(plan: Plan, kubernetes: Kubernetes) -> Iterator[pl.DataFrame]:
    """Every label and name of every node, a column at a time."""
    places = names.node_places(plan)
    for index in range(len(plan.spec.compute)):
        labelled = node_labels(plan, kubernetes, places, index)
        origin = places.filter(pl.col("group") == index)["origin"].first()
        for key in labelled.columns[1:]:
            yield labelled.select(origin=pl.lit(origin, pl.UInt16), what=pl.lit(key), text=key).unique("text")


def _too_long(texts: pl.DataFrame) -> pl.DataFrame:
    over = texts.filter(pl.col("text").str.len_chars() > LONGEST).sort("text")
    return over.select(
        "origin",
        example="text",
        message=pl.format("{} '{}' has {} characters", "what", "text", pl.col("text").str.len_chars()),
        help=pl.lit("shorten the names of halls, groups, fabrics, pools or queues that it is made of"),
    )


@check(
    "K107", "no two nodes have one name", "a node registers under its name; the second would take the first one's place"
)
def names_are_unique(plan: Plan) -> pl.DataFrame:
    """Nodes whose name another node has."""
    if plan.spec.kubernetes is None:
        return nothing()
    named = plan.nodes.select("origin", example=names.labels(plan, "nodes"))
    twice = named.filter(pl.col("example").is_duplicated()).unique("example").sort("example")
    return twice.select(
        "origin",
        "example",
        message=pl.format("two nodes are called {}", "example"),
        help=pl.lit("let names.rack and names.node tell every rack and slot apart"),
    )


@check(
    "K108",
    "the quotas of a cell are its GPUs",
    "what no quota holds is never handed out; what is not there is promised in vain",
)
def quotas_are_the_gpus(plan: Plan) -> pl.DataFrame:
    """Groups whose queues hand out more or less than the GPUs they have in a cell."""
    kubernetes = plan.spec.kubernetes
    if kubernetes is None:
        return nothing()
    per_node = plan.gpus.group_by("node").len()
    there = plan.nodes.join(per_node, on="node", how="left").join(plan.units.select("unit", "cell"), on="unit")
    counted = there.group_by("cell", "group").agg(pl.col("origin").first(), there=pl.col("len").fill_null(0).sum())
    everything = quotas(plan, kubernetes, len(plan.spec.stages))
    given = everything.group_by("cell", "group").agg(given=pl.col("gpus").sum())
    both = counted.join(given, on=["cell", "group"], how="left").with_columns(pl.col("given").fill_null(0))
    wrong = both.filter(pl.col("there") != pl.col("given")).sort("cell", "group")
    groups = pl.lit(pl.Series([group.name for group in plan.spec.compute], dtype=pl.String))
    return wrong.join(plan.cells.select("cell", "name"), on="cell", maintain_order="left").select(
        "origin",
        example="name",
        message=pl.format(
            "queues hand out {} of the {} GPUs of {} in cell {}", "given", "there", groups.gather("group"), "name"
        ),
        help=pl.format("add {} to the compute of a queue under kubernetes", groups.gather("group")),
    )


@check(
    "K109",
    "every rail of a cell has addresses for all its nodes",
    "nv-ipam gives each node its block when it joins; nodes behind the last block get no address",
)
def pools_are_large_enough(plan: Plan) -> pl.DataFrame:
    """Cells with more nodes than a pool has blocks, and cells behind the end of the range."""
    kubernetes = plan.spec.kubernetes
    if kubernetes is None or not kubernetes.network_operator:
        return nothing()
    nodes, pools = room(kubernetes)
    each, length = slots(plan, kubernetes), prefix(kubernetes)
    block, cidr = kubernetes.rails.addresses_per_node, kubernetes.rails.cidr
    origin = pl.lit(plan.origins.index(kubernetes.rails.path), pl.UInt16)
    small = plan.cells.filter(pl.col("nodes") > nodes).select(
        origin=origin,
        example="name",
        message=pl.format(
            "cell {} has {} nodes; a pool of prefix /{} holds {} blocks of {} addresses",
            "name", "nodes", pl.lit(length), pl.lit(nodes), pl.lit(block),
        ),
        help=pl.lit("write a shorter pool_prefix or fewer addresses_per_node, or leave pool_prefix out"),
    )  # fmt: skip
    beyond = plan.cells.filter(pl.col("number") * each > pools).select(
        origin=origin,
        example="name",
        message=pl.format(
            "cell {} needs pools up to number {}; {} holds {} of prefix /{}",
            "name", pl.col("number") * each, pl.lit(cidr), pl.lit(pools), pl.lit(length),
        ),
        help=pl.lit("write a wider cidr, a longer pool_prefix, or fewer addresses_per_node"),
    )  # fmt: skip
    return pl.concat([small, beyond])


@check(
    "K110",
    "a MultiKueueConfig has 20 clusters at most",
    "Kueue 0.19.2: multikueueconfigs.kueue.x-k8s.io takes 20 items under clusters",
)
def federations_are_small(plan: Plan) -> pl.DataFrame:
    """Divisions of more cells than a MultiKueueConfig takes."""
    counted = (
        cell_divisions(plan).group_by("division", maintain_order=True).agg(pl.col("origin").first(), cells=pl.len())
    )
    return counted.filter(pl.col("cells") > MOST_CLUSTERS).select(
        "origin",
        example="division",
        message=pl.format("{} cells are in the federation {}", "cells", "division"),
        help=pl.lit("this is a fault of the program: please report it"),
    )


@check(
    "K111",
    "an NVLink domain fits an IMEX domain",
    "the ComputeDomain controller's --max-nodes-per-imex-domain is 18 unless it is started with another",
    keys={"compute": "rack"},
)
def domains_fit_imex(plan: Plan) -> pl.DataFrame:
    """Domains of rack size with more nodes than an IMEX domain may have."""
    kubernetes = plan.spec.kubernetes
    if kubernetes is None or not kubernetes.dra:
        return nothing()
    rack_scale = [at for at, group in enumerate(plan.spec.compute) if plan.catalog.racks[group.rack].nvlink]
    group = plan.racks["group"].gather(plan.nvlink_domains["rack"])
    limit = kubernetes.max_nodes_per_imex_domain
    domains = plan.nvlink_domains.filter(group.is_in(rack_scale) & (pl.col("nodes") > limit))
    rack = names.labels(plan, "racks").gather(domains["rack"])
    return domains.with_columns(example=rack).select(
        "origin",
        "example",
        message=pl.format(
            "the NVLink domain {} has {} nodes; an IMEX domain takes {}", "example", "nodes", pl.lit(limit)
        ),
        help=pl.format("write max_nodes_per_imex_domain: {} and start the controller with it", "nodes"),
    )


@check(
    "K112",
    "a cell has no more nodes than Kubernetes is tested with",
    "kubernetes.io, Considerations for large clusters: no more than 5,000 nodes",
    severity=Severity.NOTE,
)
def cells_are_of_tested_size(plan: Plan) -> pl.DataFrame:
    """Cells that a spec makes larger than 5,000 nodes."""
    if plan.spec.kubernetes is None:
        return nothing()
    origin = pl.lit(plan.origins.index(plan.spec.kubernetes.path), pl.UInt16)
    over = plan.cells.filter(pl.col("nodes") > TESTED_NODES)
    return over.select(
        origin=origin,
        example="name",
        message=pl.format("cell {} has {} nodes; Kubernetes is tested with {}", "name", "nodes", pl.lit(TESTED_NODES)),
        help=pl.lit("leave max_nodes_per_cell out, unless the control plane is made for it"),
    )
