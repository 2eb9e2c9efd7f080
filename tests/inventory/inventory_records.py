"""Small records written by hand."""

import polars as pl

RACK = {"hall": "h1", "row": 1, "role": "compute", "design": "nvidia-dgx-h100-x4", "height_u": 48, "power_w": 40800}
NODE = {"product": "nvidia-dgx-h100", "gpus": 8, "stage": "s1"}
CABLE = {"fabric": "compute", "plane": 1, "hop": "node-leaf", "rate_gbps": 400, "stage": "s1"}


def rack(number, **other):
    """A rack at position `number` of row 1."""
    return {"name": f"h1r{number:04}", "position": number, "stage": "s1", **RACK, **other}


def node(number, slot, **other):
    """The node in a slot of a rack."""
    name = f"h1r{number:04}n{slot:02}"
    return {"name": name, "rack": f"h1r{number:04}", "slot": slot, "domain": f"{name}-1", **NODE, **other}


def cable(a, b):
    """A cable between two ends such as `h1r0001n01 compute0`."""
    (a_device, a_port), (b_device, b_port) = a.split(), b.split()
    return {"a_device": a_device, "a_port": a_port, "b_device": b_device, "b_port": b_port, **CABLE}


def records(**tables):
    """Frames of rows given as mappings."""
    return {name: pl.DataFrame(rows) for name, rows in tables.items()}
