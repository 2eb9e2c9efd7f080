"""What the tables say stands at a site, and what its inventory holds: each asked without the program."""

import sqlite3

import duckdb

# What stands in the inventory after stage `?`, asked of the tables by another engine than the program's own.
STANDING = {
    "racks": "select racks.name from racks where stage <= ?",
    "nodes": "select nodes.name || ' ' || racks.name || ' ' || slot from nodes join racks using (rack) "
    "where nodes.stage <= ?",
    "switches": "select switches.name || ' ' || racks.name || ' ' || u from switches join racks using (rack) "
    "where switches.stage <= ?",
    "cables": "select coalesce(nodes.name, lower_switch.name) || ' ' || upper_switch.name || ' ' || "
    "b_cage || '/' || b_port from cables "
    "left join nics on a_table = 'nics' and a = nic left join nodes using (node) "
    "left join switches lower_switch on a_table = 'switches' and a = lower_switch.switch "
    "join switches upper_switch on b = upper_switch.switch where cables.stage <= ?",
    "feeds": "select racks.name || ' ' || feeds.side || ' ' || power_nodes.name || ' ' || breaker from feeds "
    "join racks using (rack) join power_nodes on panel = power_node where feeds.stage <= ?",
    "power_nodes": "select name || ' ' || rating_w from power_nodes where stage <= ?",
    "sources": "select name || ' ' || capacity_w from sources where stage <= ?",
    "batteries": "select name || ' ' || bank || ' ' || energy_wh from batteries where stage <= ?",
}
REGISTERED = {
    "racks": "select name from racks",
    "nodes": "select name || ' ' || rack || ' ' || slot from nodes",
    "switches": "select name || ' ' || rack || ' ' || u from switches",
    "cables": "select a_device || ' ' || b_device || ' ' || b_port from cables",
    "feeds": "select rack || ' ' || side || ' ' || panel || ' ' || breaker from feeds",
    "power_nodes": "select name || ' ' || rating_w from power_nodes",
    "sources": "select name || ' ' || capacity_w from sources",
    "batteries": "select name || ' ' || bank || ' ' || energy_wh from batteries",
}


def standing(deployment, stage):
    """What the tables say stands in a stage and those before it."""
    base = duckdb.connect()
    for path in (deployment.project.parent / "tables").glob("*.parquet"):
        base.execute(f"create view {path.stem} as select * from '{path}'")  # noqa: S608 - a path of the test
    return {name: sorted(row[0] for row in base.execute(query, [stage]).fetchall()) for name, query in STANDING.items()}


def registered(deployment):
    """What the inventory holds."""
    with sqlite3.connect(deployment.inventory) as base:
        return {name: sorted(row[0] for row in base.execute(query)) for name, query in REGISTERED.items()}
