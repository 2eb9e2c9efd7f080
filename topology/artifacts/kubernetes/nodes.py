"""Documents of nodes, one line each, made as columns of text: a site has a quarter of a million of them.

A file holds the nodes of one row of a hall, so that a reviewer reads a row as it stands. It is written in
the stage that brings its units and never again: labels do not change with later stages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from topology.artifacts.kubernetes.groups import group_view
from topology.artifacts.kubernetes.slinky import ANNOTATION, node_topology
from topology.plan import Plan, names
from topology.spec.kubernetes import Kubernetes
from topology.views.node_labels import HOSTNAME, node_labels

PODS = 110  # of a node: kubernetes.io, Considerations for large clusters
ROW = (names.Part(column="hall_name"), names.Part("-row"), names.Part(column="row_number", width=2))


@dataclass(frozen=True, slots=True)
class Row:
    """Nodes that arrive in one row of a hall with one stage, as text."""

    cell: int
    name: str  # hall and row
    labels: bytes  # what the real nodes get
    fakes: bytes  # the same nodes for KWOK; empty when not asked for
    hosts: bytes  # Metal3 hosts; likewise


def rows(plan: Plan, kubernetes: Kubernetes, arriving: pl.DataFrame) -> Iterator[Row]:
    """Rows of some nodes by cell, hall and row; `arriving` is `names.node_places` with the column cell."""
    if not arriving.height:
        return
    texts = pl.concat([_texts(plan, kubernetes, arriving, index) for index in arriving["group"].unique().sort()])
    placed = arriving.select("node", "cell", "hall", "row_number", row_name=names.spell(ROW))
    lines = placed.join(texts, on="node", maintain_order="left")
    by = ["cell", "hall", "row_number", "row_name"]
    joined = lines.group_by(by).agg(pl.col("labels", "fakes", "hosts").str.join("")).sort(by)
    for cell, _, _, name, *made in joined.iter_rows():
        yield Row(cell, name, *(text.encode() for text in made))


def _texts(plan: Plan, kubernetes: Kubernetes, nodes: pl.DataFrame, group: int) -> pl.DataFrame:
    """Columns node, labels, fakes, hosts: the documents of a group's nodes; empty text for what is not asked for."""
    labelled = node_labels(plan, kubernetes, nodes, group)
    keys = [name for name in labelled.columns if name not in ("node", "host")]
    spoken = _mapping({key: pl.col(key) for key in keys})
    annotations: dict[str, pl.Expr] = {}
    if kubernetes.slinky:
        labelled = labelled.join(node_topology(plan, kubernetes, nodes, group), on="node", maintain_order="left")
        annotations = {ANNOTATION: pl.col("topology")}
    fake = _mapping(
        {key: pl.col(key) for key in keys}
        | {HOSTNAME: pl.col("host"), "kubernetes.io/os": pl.lit("linux"), "type": pl.lit("kwok")}
    )
    faked = _mapping(annotations | {"kwok.x-k8s.io/node": pl.lit("fake")})
    notes = [pl.lit(", annotations: "), _mapping(annotations)] if annotations else []
    begin = '---\n{apiVersion: v1, kind: Node, metadata: {name: "'
    view = group_view(plan, kubernetes, group, 1)
    return labelled.select(
        "node",
        labels=pl.concat_str([pl.lit(begin), "host", pl.lit('", labels: '), spoken, *notes, pl.lit("}}\n")]),
        fakes=pl.concat_str(
            [
                pl.lit(begin),
                "host",
                pl.lit('", labels: '),
                fake,
                pl.lit(", annotations: "),
                faked,
                pl.lit(_status(view.resources(1))),
            ]
        )
        if kubernetes.kwok
        else pl.lit(""),
        hosts=_host(plan, kubernetes, group),
    )


def _mapping(pairs: Mapping[str, pl.Expr]) -> pl.Expr:
    """A YAML mapping on one line; values are quoted, because `no` and `1` are strings to a label only in quotes."""
    parts: list[pl.Expr] = []
    for key, value in pairs.items():
        parts += [pl.lit(f'{", " if parts else "{"}{key}: "'), value, pl.lit('"')]
    return pl.concat_str([*parts, pl.lit("}")])


def _status(resources: tuple[tuple[str, str], ...]) -> str:
    """The end of a fake node's document: what it has, and that all of it may be used."""
    listed = ", ".join(f'{name}: "{amount}"' for name, amount in (*resources, ("pods", str(PODS))))
    return f"}}, status: {{allocatable: {{{listed}}}, capacity: {{{listed}}}}}}}\n"


def _host(plan: Plan, kubernetes: Kubernetes, group: int) -> pl.Expr:
    """Metal3's object of a node: where its BMC answers, and which Secret opens it."""
    metal3 = kubernetes.metal3
    if metal3 is None:
        return pl.lit("")
    name = plan.spec.compute[group].name
    head = f'", namespace: "{metal3.namespace}", labels: {{{kubernetes.label_prefix}/group: "{name}"}}}}, spec: {{'
    return pl.concat_str(
        [
            pl.lit('---\n{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {name: "'),
            pl.col("host"),
            pl.lit(f'{head}online: true, bootMode: UEFI, bmc: {{address: "'),
            *_filled(metal3.bmc_address),
            pl.lit('", credentialsName: "'),
            *_filled(metal3.credentials_ref),
            pl.lit('"}}}\n'),
        ]
    )


def _filled(form: str) -> list[pl.Expr]:
    """Parts of a format with the field node."""
    first, *others = form.split("{node}")
    parts: list[pl.Expr] = [pl.lit(first)]
    for other in others:
        parts += [pl.col("host"), pl.lit(other)]
    return parts
