"""Scheduling: nodes, blocks and partitions of Slurm, and what its daemons have to be told.

What is compared is the configuration of the last stage: what a site that is built runs on. Since Slurm
23.11 `scontrol reconfigure` starts new daemons with the new files and hands over when they are up, so nodes,
partitions and topologies come and go without a restart. It changes neither ports nor authentication
(scontrol(1)), and a slurmctld refuses to start with the state of a cluster of another name.
"""

from collections.abc import Iterator
from functools import cached_property

import polars as pl

from topology.plan import names
from topology.review.amounts import arrow, count, plural
from topology.review.chapters.daemons import Slurmctld, daemons, rendered
from topology.review.chapters.faults import faulty
from topology.review.document import (
    Block,
    Chapter,
    Decision,
    Figure,
    Mark,
    Name,
    TextTable,
    Verdict,
    Words,
    listed,
    strong,
)
from topology.review.document import names as some
from topology.review.review import Review

RESTARTS = frozenset(  # keys of slurm.conf that a reconfigure does not change
    {
        "AuthType",
        "CredType",
        "SlurmctldHost",
        "SlurmctldPort",
        "SlurmdPort",
        "SelectType",
        "StateSaveLocation",
        "SlurmUser",
    }
)


def chapter(review: Review) -> Chapter:
    """What the scheduler's administrator approves."""
    scheduling = _Scheduling(review)
    return Chapter(
        title="Scheduling",
        figures=tuple(scheduling.figures()),
        decisions=tuple(scheduling.decisions()),
        phrases=tuple(scheduling.phrases()),
        blocks=tuple(scheduling.blocks()),
        verdict=scheduling.verdict(),
        measures={"nodes-gone": len(scheduling.gone), "restarts": len(scheduling.restarts)},
    )


class _Scheduling:
    """The chapter's facts, each worked out once."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.base, self.head = review.plans

    @cached_property
    def daemons(self) -> tuple[dict[str, Slurmctld], dict[str, Slurmctld]]:
        """Daemons of both sides."""
        return daemons(self.review.base, self.base), daemons(self.review.head, self.head)

    @property
    def comparable(self) -> bool:
        """Whether both sides have files to compare, or none at all."""
        return all(rendered(side) or side.absent for side in (self.review.base, self.review.head))

    @cached_property
    def gone(self) -> pl.Series:
        """Node names that only base has."""
        return self._names[0]

    @cached_property
    def come(self) -> pl.Series:
        """Node names that only head has."""
        return self._names[1]

    @cached_property
    def _names(self) -> tuple[pl.Series, pl.Series]:
        nodes, renames = self.review.changes.table("nodes"), self.review.changes.renames
        placed = any(self.review.changes.table(name) for name in ("halls", "rows", "racks"))
        formats = self.base.spec.names == self.head.spec.names
        if not (nodes or placed or renames.halls.renamed) and formats:
            return pl.Series(dtype=pl.String), pl.Series(dtype=pl.String)
        was, now = (
            (names.labels(plan, "nodes") if plan.nodes.height else pl.Series(dtype=pl.String)).to_frame("name")
            for plan in (self.base, self.head)
        )
        return was.join(now, on="name", how="anti")["name"], now.join(was, on="name", how="anti")["name"]

    @cached_property
    def changed(self) -> list[str]:
        """Daemons on both sides whose files differ in more than comments."""
        before, after = self.daemons
        return [name for name in after if name in before and before[name].body != after[name].body]

    @cached_property
    def restarts(self) -> dict[str, list[str]]:
        """Daemons that a reconfigure does not bring up to date, with the settings that are why."""
        before, after = self.daemons
        made = {}
        for name in self.changed:
            keys = sorted({*before[name].settings, *after[name].settings} & RESTARTS)
            other = [key for key in keys if before[name].settings.get(key) != after[name].settings.get(key)]
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
        return "nothing to do" if set(before) == set(after) else "other daemons"

    def figures(self) -> Iterator[Figure]:
        """The row of Slurm."""
        if not self.comparable or not (self.daemons[0] or self.daemons[1]):
            return
        every = [sum(each.nodes for each in side.values()) for side in self.daemons]
        blocks = [sum(each.blocks for each in side.values()) for side in self.daemons]
        shown = [
            f"{plural(n, 'node')}" + (f", {plural(b, 'block')}" if b else "")
            for n, b in zip(every, blocks, strict=True)
        ]
        yield Figure(("Slurm",), (shown[0],), (shown[1],), (self.action,))

    def phrases(self) -> Iterator[Words]:
        """Parts of the first sentence."""
        partitions = self.review.changes.renames.partitions
        if self.restarts:
            yield ("slurmctld restarts",)
        if partitions.removed and self.head.spec.compute:
            yield (
                "partition " if len(partitions.removed) == 1 else "partitions ",
                *some(partitions.removed),
                " is removed" if len(partitions.removed) == 1 else " are removed",
            )

    def decisions(self) -> Iterator[Decision]:
        """Names that users and other programs know, and that change."""
        renames = self.review.changes.renames
        for old, new in renames.partitions.renamed.items():
            words = (
                strong("partition renamed"),
                ": ",
                Name(old),
                " → ",
                Name(new),
                "; jobs that ask for the old name are refused",
            )
            yield Decision(Mark.LOOK, words)
        if renames.partitions.removed:
            yield Decision(Mark.LOOK, (strong("destroyed"), ": partitions ", *some(renames.partitions.removed, 8)))
        for old, new in renames.controllers.renamed.items():
            why = "; slurmctld does not start with the state of another cluster name"
            yield Decision(Mark.LOOK, (strong("Slurm cluster renamed"), ": ", Name(old), " → ", Name(new), why))
        if renames.controllers.removed:
            yield Decision(Mark.LOOK, (strong("destroyed"), ": Slurm clusters ", *some(renames.controllers.removed, 8)))
        if len(self.gone):
            come = f", {plural(len(self.come), 'name is', 'names are')} new" if len(self.come) else ""
            example = (", such as ", *some(self.gone.sort().head(2).to_list(), 2))
            yield Decision(
                Mark.LOOK,
                (
                    strong("nodes leave Slurm"),
                    f": {plural(len(self.gone), 'node name')}{come}; drain them first",
                    *example,
                ),
            )
        for name, keys in self.restarts.items():
            every = listed([(Name(key),) for key in keys])
            yield Decision(Mark.LOOK, (strong("restart"), ": slurmctld of ", Name(name), ", for ", *every))

    def blocks(self) -> Iterator[Block]:
        """Daemons that differ."""
        before, after = self.daemons if self.comparable else ({}, {})
        rows = []
        for name in dict.fromkeys([*after, *before]):
            was, now = before.get(name), after.get(name)
            if was is not None and now is not None and was.body == now.body:
                continue
            facts = [_facts(each) for each in (was, now)]
            todo = (
                "starts"
                if was is None
                else "ends"
                if now is None
                else "restart"
                if name in self.restarts
                else "reconfigure"
            )
            rows.append(((Name(name),), *(arrow(*pair) for pair in zip(*facts, strict=True)), (todo,)))
        if rows:
            yield TextTable(
                ("slurmctld", "nodes", "blocks", "partitions", "to do"), rows, (False, True, True, True, False)
            )

    def verdict(self) -> Verdict:
        """Whether it holds, in one sentence."""
        errors = faulty(self.review.head, ("K",))
        if errors:
            return Verdict(Mark.FAULT, (f"— does not hold: {plural(errors, 'error')}",))
        if not self.comparable:
            return Verdict(Mark.LOOK, ("— no files to compare while a side has errors",))
        mark = Mark.LOOK if len(self.gone) or self.restarts else Mark.FINE
        return Verdict(mark, (f"— holds; {self.action}",))


def _facts(daemon: Slurmctld | None) -> tuple[str, str, str]:
    if daemon is None:
        return ("–", "–", "–")
    return count(daemon.nodes), count(daemon.blocks), count(len(daemon.partitions))
