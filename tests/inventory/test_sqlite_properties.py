"""Any sequence of writes and removes leaves exactly the records written last, and refuses what two owners claim."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from inventory_records import node, rack, records

from topology.deploy.inventory import InventoryError, open_inventory

OWNERS = st.sampled_from(["a/unit-1", "a/unit-2", "b/pod-1"])
NUMBERS = st.sets(st.integers(1, 6), max_size=4)


class Site(RuleBasedStateMachine):
    """A file written by three owners, beside a mapping that says what must stand."""

    @initialize()
    def empty(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "site.db")
        self.inventory = open_inventory({"kind": "sqlite", "path": str(self.path)})
        self.racks = {}
        self.nodes = {}
        self.tokens = {}

    def teardown(self):
        self.folder.cleanup()

    @rule(owner=OWNERS, racks=NUMBERS, nodes=NUMBERS, stage=st.sampled_from(["s1", "s2"]))
    def write(self, owner, racks, nodes, stage):
        others = {number for name, numbers in self.racks.items() if name != owner for number in numbers}
        other_nodes = {number for name, numbers in self.nodes.items() if name != owner for number in numbers}
        made = {}
        if racks:
            made |= records(racks=[rack(number, stage=stage) for number in sorted(racks)])
        if nodes:
            made |= records(nodes=[node(number, 1, stage=stage) for number in sorted(nodes)])
        if not made or racks & others or nodes & other_nodes:
            try:
                self.inventory.write(owner, made)
            except InventoryError as error:
                said = str(error)
            assert owner in said
            if made:
                assert any(f"claimed by {owner} and stands for {name};" in said for name in self.tokens)
            return
        self.tokens[owner] = self.inventory.write(owner, made)
        self.racks[owner] = dict.fromkeys(racks, stage)
        self.nodes[owner] = dict.fromkeys(nodes, stage)

    @rule(owner=OWNERS)
    def remove(self, owner):
        self.inventory.remove(owner)
        for held in (self.racks, self.nodes, self.tokens):
            held.pop(owner, None)

    @invariant()
    def what_was_written_last_stands_and_nothing_else(self):
        for owner in ("a/unit-1", "a/unit-2", "b/pod-1"):
            assert self.inventory.token(owner) == self.tokens.get(owner)
        if self.tokens:
            assert self.rows("racks") == self.expected(self.racks, "h1r{:04}")
            assert self.rows("nodes") == self.expected(self.nodes, "h1r{:04}n01")

    def rows(self, table):
        with closing(sqlite3.connect(self.path)) as db:
            return set(db.execute(f"SELECT owner, name, stage FROM {table}"))  # noqa: S608 -- names of the test

    @staticmethod
    def expected(held, spelled):
        return {(name, spelled.format(number), stage) for name, rows in held.items() for number, stage in rows.items()}


TestSite = Site.TestCase
