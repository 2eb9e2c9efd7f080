"""Scheduling: nodes, blocks and partitions of Slurm, and what its daemons have to be told.

What is compared is the configuration of the last stage: what a site that is built runs on. Since Slurm
23.11 `scontrol reconfigure` starts new daemons with the new files and hands over when they are up, so nodes,
partitions and topologies come and go without a restart. It changes neither ports nor authentication
(scontrol(1)), and a slurmctld refuses to start with the state of a cluster of another name.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import polars as pl

from topology.plan import names
from topology.review.amounts import both, count, plural, renamed, row
from topology.review.chapters.daemons import Slurmctld, daemons, readable
from topology.review.document import Block, Decision, Figure, Mark, Name, TextTable, Verdict, Words, listed, look, some
from topology.review.review import ReviewPart
from topology.spec.model import Partition

Limits = tuple[str, str, str]
LIMITS = ("max_time", "default", "groups")
NOTHING = "nothing to do"


class SchedulingPart(ReviewPart):
    """What the scheduler's administrator approves."""

    title = "Scheduling"
    paths = re.compile(r"stages/[^/]+/slurm/")

    def measures(self) -> Mapping[str, float]:
        """What --fail-on compares."""
        return {"nodes-gone": len(self.gone), "nodes-renamed": self.renamed_nodes, "restarts": len(self.restarts)}

    @cached_property
    def daemons(self) -> tuple[dict[str, Slurmctld], dict[str, Slurmctld]]:
        """Daemons of both sides."""
        return daemons(self.review.base, self.base), daemons(self.review.head, self.head)

    @property
    def comparable(self) -> bool:
        """Whether both sides have files to compare, or none at all."""
        return all(readable(side) or side.absent for side in (self.review.base, self.review.head))

    @property
    def gone(self) -> pl.Series:
        """Node names that only base has."""
        return self._names[0]

    @cached_property
    def _names(self) -> tuple[pl.Series, pl.Series]:
        """Node names that only base has, and those that only head has."""
        nodes, renames = self.delta.table("nodes"), self.delta.renames
        placed = any(self.delta.table(name) for name in ("halls", "rows", "racks"))
        formats = self.base.spec.names == self.head.spec.names
        if not (nodes or placed or renames.halls.renamed) and formats:
            return pl.Series(dtype=pl.String), pl.Series(dtype=pl.String)
        was, now = (
            (names.labels(plan, "nodes") if plan.nodes.height else pl.Series(dtype=pl.String)).to_frame("name")
            for plan in (self.base, self.head)
        )
        return was.join(now, on="name", how="anti")["name"], now.join(was, on="name", how="anti")["name"]

    @property
    def renamed_nodes(self) -> int:
        """Nodes that stay, or move, and have another name."""
        return len(self.delta.relabelled("nodes")[0]) if len(self.gone) else 0

    @cached_property
    def changed(self) -> list[str]:
        """Daemons on both sides that are told something else."""
        before, after = self.daemons
        return [name for name in after if name in before and not before[name].told_as(after[name])]

    @cached_property
    def limits(self) -> list[tuple[str, Limits, Limits]]:
        """Partitions of both sides whose limits differ: name now, before, after."""
        groups = self.delta.renames.groups.renamed
        before = {each.name: _limits(each, groups) for each in self.base.spec.slurm.partitions}
        after = {each.name: _limits(each, {}) for each in self.head.spec.slurm.partitions}
        pairs = both(after, self.delta.renames.under("partitions", before)).items()
        return [(name, was, now) for name, (now, was) in pairs if was and now and was != now]

    @cached_property
    def restarts(self) -> dict[str, list[str]]:
        """Daemons that a reconfigure does not bring up to date, with the settings that are why."""
        before, after = self.daemons
        made = {}
        for name in self.changed:
            had, have = before[name].restarts, after[name].restarts
            other = [key for key in have if had[key] != have[key]]
            if other:
                made[name] = other
        return made

    @property
    def action(self) -> str:
        """What has to be done with the daemons."""
        before, after = self.daemons
        if self.restarts:
            return "restart"
        if self.changed:
            return "reconfigure, no restart"
        return NOTHING if set(before) == set(after) else "other daemons"

    def figures(self) -> Iterator[Figure]:
        """The row of Slurm."""
        if not self.comparable or not (self.daemons[0] or self.daemons[1]):
            return
        shown = []
        for side in self.daemons:
            blocks = sum(each.blocks for each in side.values())
            nodes = plural(sum(each.view.node_count for each in side.values()), "node")
            shown.append(nodes + (f", {plural(blocks, 'block')}" if blocks else ""))
        if self.action != NOTHING:
            yield Figure(("Slurm",), (shown[0],), (shown[1],), (self.action,))

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        removed = self.delta.renames.partitions.removed
        if self.renamed_nodes:
            yield (f"{plural(self.renamed_nodes, 'node gets another name', 'nodes get other names')}",)
        if self.restarts:
            yield ("slurmctld restarts",)
        for name, was, now in self.limits:
            if was[0] != now[0]:
                yield ("max_time of partition ", Name(name), " goes from ", Name(was[0]), " to ", Name(now[0]))
        if removed and self.head.spec.compute:
            noun, verb = ("partition ", " is removed") if len(removed) == 1 else ("partitions ", " are removed")
            yield (noun, *some(removed), verb)

    def decisions(self) -> Iterator[Decision]:
        """Names that users and other programs know, and that change."""
        renames = self.delta.renames
        for old, new in renames.partitions.renamed.items():
            why = "; jobs that ask for the old name are refused"
            yield look("partition renamed", ": ", Name(old), " → ", Name(new), why)
        if renames.partitions.removed:
            yield look("destroyed", ": partitions ", *some(renames.partitions.removed, 8))
        for name, was, now in self.limits:
            differ = [pair for pair in zip(LIMITS, was, now, strict=True) if pair[1] != pair[2]]
            changed = [(f"{word} ", *renamed(old, new)) for word, old, new in differ]
            yield look("partition changed", ": ", Name(name), ", ", *listed(changed))
        for old, new in renames.controllers.renamed.items():
            why = "; slurmctld does not start with the state of another cluster name"
            yield look("Slurm cluster renamed", ": ", Name(old), " → ", Name(new), why)
        if renames.controllers.removed:
            yield look("destroyed", ": Slurm clusters ", *some(renames.controllers.removed, 8))
        if len(self.gone):
            added = len(self._names[1])
            come = f", {plural(added, 'name is', 'names are')} new" if added else ""
            said = f": {plural(len(self.gone), 'node name')}{come}; drain them first, such as "
            yield look("nodes leave Slurm", said, *some(self.gone.sort().head(2).to_list()))
        for name, keys in self.restarts.items():
            every = listed([(Name(key),) for key in keys])
            yield look("restart", ": slurmctld of ", Name(name), ", for ", *every)

    def blocks(self) -> Iterator[Block]:
        """Daemons that differ."""
        before, after = self.daemons if self.comparable else ({}, {})
        rows = []
        for name, (now, was) in both(after, before).items():
            if was is None:
                todo = "starts"
            elif now is None:
                todo = "ends"
            elif name not in self.changed:
                continue
            else:
                todo = "restart" if name in self.restarts else "reconfigure"
            rows.append((*row(name, _facts(was), _facts(now)), (todo,)))
        if rows:
            yield TextTable(
                ("slurmctld", "nodes", "blocks", "partitions", "to do"), rows, (False, True, True, True, False)
            )

    def verdict(self) -> Verdict:
        """Whether it holds, in one sentence."""
        errors = self.review.head.faulty("K")
        if errors:
            return Verdict(Mark.FAULT, (f"— does not hold: {plural(errors, 'error')}",))
        if not self.comparable:
            return Verdict(Mark.LOOK, ("— no files to compare while a side has errors",))
        if self.action == NOTHING:
            return Verdict(Mark.FINE, ("— holds", *self.unchanged(NOTHING)))
        mark = Mark.LOOK if len(self.gone) or self.restarts or self.limits else Mark.FINE
        return Verdict(mark, (f"— holds; {self.action}",))


def _facts(daemon: Slurmctld | None) -> tuple[str, str, str]:
    if daemon is None:
        return ("–", "–", "–")
    return count(daemon.view.node_count), count(daemon.blocks), count(len(daemon.view.partitions))


def _limits(partition: Partition, groups_now: Mapping[str, str]) -> Limits:
    groups = ", ".join(groups_now.get(name, name) for name in partition.compute)
    return str(partition.max_time), "yes" if partition.default else "no", groups
