"""Compute groups in whole racks, NVLink domains and scalable units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from topology.catalog.model import Catalog, Node, Rack
from topology.expand.origins import Origins
from topology.expand.rules import found
from topology.findings import Finding, FindingsError, did_you_mean
from topology.plan import tables
from topology.rules import found as found_in_spec
from topology.spec.model import ClusterSpec, ComputeGroup, Count


@dataclass(frozen=True, slots=True)
class SizedGroup:
    """A compute group with its products looked up and its count in whole units."""

    index: int  # position in the spec
    group: ComputeGroup
    rack: Rack
    node: Node
    fitted: int  # nodes in each rack, at most `rack.nodes`
    units: int
    stages: NDArray[np.uint16]  # stage of each unit; `len(spec.stages)` where no stage adds it

    @property
    def unit_slots(self) -> int:
        """Node places per unit, empty ones counted: a missing node moves no cable."""
        return self.group.unit_racks * self.rack.nodes

    @property
    def domain_slots(self) -> int:
        """Node places per NVLink domain."""
        return self.rack.nodes if self.rack.nvlink else 1

    def gpus_per(self, kind: str) -> int:
        """GPUs in one of `gpus`, `racks` or `units`."""
        rack_gpus = self.fitted * self.node.gpus
        return {"gpus": 1, "racks": rack_gpus, "units": rack_gpus * self.group.unit_racks}[kind]


def size_groups(spec: ClusterSpec, catalog: Catalog) -> list[SizedGroup]:
    """Groups in spec order.

    Raises:
        FindingsError: a rack design is unknown, a count does not fill whole units, or the
            stages add more than the group has.
    """
    sized: list[SizedGroup] = []
    wrong: list[Finding] = []
    for index, group in enumerate(spec.compute):
        if group.rack not in catalog.racks:
            wrong.append(
                found(
                    "C401",
                    f"no rack design '{group.rack}' in the catalogue",
                    (*group.path, "rack"),
                    did_you_mean(group.rack, catalog.racks),
                )
            )
            continue
        rack = catalog.racks[group.rack]
        fitted = group.nodes_per_rack or rack.nodes
        if fitted > rack.nodes:
            wrong.append(
                found(
                    "S351",
                    f"{fitted} nodes per rack, but {rack.slug} holds {rack.nodes}",
                    (*group.path, "nodes_per_rack"),
                    f"write {rack.nodes} or less, or leave the key out",
                )
            )
            continue
        node = catalog.nodes[rack.node]
        draft = SizedGroup(index, group, rack, node, fitted, 0, np.zeros(0, np.uint16))
        units, problems = _whole_units(draft, group.count, group.name)
        stages, more = _stages(spec, draft, units)
        wrong += problems or more  # one finding per cause: a wrong total makes every stage look wrong
        sized.append(SizedGroup(index, group, rack, node, fitted, units, stages))
    if wrong:
        raise FindingsError(wrong)
    return sized


def group_frame(groups: Sequence[SizedGroup], origins: Origins) -> pl.DataFrame:
    """One row per group."""
    return tables.GROUPS.frame(
        {
            "group": [each.index for each in groups],
            "name": [each.group.name for each in groups],
            "design": [each.rack.slug for each in groups],
            "product": [each.node.slug for each in groups],
            "unit_racks": [each.group.unit_racks for each in groups],
            "units": [each.units for each in groups],
            "origin": [origins.of(each.group.path) for each in groups],
        }
    )


def _whole_units(group: SizedGroup, count: Count, name: str) -> tuple[int, list[Finding]]:
    """Units that `count` fills, and what is wrong when it does not."""
    each, step = group.gpus_per(count.kind), group.gpus_per("units")
    units, rest = divmod(count.value * each, step)
    if not rest:
        return units, []
    below, above = units * step // each, (units + 1) * step // each
    near = f"{count.kind}: {below:,} or {count.kind}: {above:,}" if below else f"{count.kind}: {above:,}"
    unit = (
        f"{group.group.unit_racks} x {group.rack.slug} of {group.fitted} nodes x {group.node.gpus} GPUs = {step:,} GPUs"
    )
    help_ = f"write {near.replace(',', '')}"
    if count.kind == "gpus" and (units + 1) * step - count.value < step // 2:
        help_ += "; nodes that are left out of a whole unit are named under `without`"
    finding = found(
        "S352", f"{count.value} {count.kind} of {name} do not fill whole units; a unit is {unit}", count.path, help_
    )
    return max(units, 1), [finding]


def _beyond(spec: ClusterSpec, group: ComputeGroup) -> list[Finding]:
    """Finding of the first stage that adds more than the group has left, where counts are of one kind."""
    left = group.count.value
    for stage in spec.stages:
        for name, count in stage.add:
            if name != group.name:
                continue
            if count.kind != group.count.kind:
                return []
            if count.value > left:
                message = f"stage '{stage.name}' adds {count.value:,} {count.kind} of '{name}', and {left:,} are left"
                help_ = f"add at most {left:,}" if left else "delete it: the group is complete"
                return [found_in_spec("S321", message, count.path, help_)]
            left -= count.value
    return []


def _stages(spec: ClusterSpec, group: SizedGroup, units: int) -> tuple[NDArray[np.uint16], list[Finding]]:
    """Stage of each unit in order, and stages that do not add up."""
    steps = np.zeros(len(spec.stages), dtype=np.int64)
    wrong = _beyond(spec, group.group)
    for at, stage in enumerate(spec.stages):
        for name, count in stage.add:
            if name == group.group.name:
                steps[at], problems = _whole_units(group, count, name)
                wrong += problems
    total = int(steps.sum())
    if total > units and not wrong:
        last = int(np.flatnonzero(np.cumsum(steps) > units)[0])
        path = next(count.path for name, count in spec.stages[last].add if name == group.group.name)
        over = total - units
        wrong.append(
            found(
                "S353",
                f"the stages add {total} units of {group.group.name}, {over} more than its {units}",
                path,
                f"add {over * group.gpus_per('units')} GPUs less, or give the group as many",
            )
        )
    stages = np.repeat(np.arange(len(steps), dtype=np.uint16), np.maximum(steps, 0))[:units]
    beyond = np.full(max(units - len(stages), 0), len(steps), np.uint16)
    return np.concatenate([stages, beyond]), wrong
