"""Loads over devices: neighbouring loads share a device, and every device of a place carries about as much."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Int = NDArray[np.int64]
ROOM = 1 + 1e-9  # sums of floats may miss a rating by their last digit


def spread(group: Int, load_w: F64, usable_w: float) -> tuple[Int, Int]:
    """Device of each load, counted through all groups, and the group of each device.

    Loads of a group keep their order and are cut into as few runs as the rating allows, runs
    of about equal power, so that a device's place follows from its loads'. `group` is dense
    and ascending; no load is above `usable_w`.
    """
    total = np.bincount(group, load_w)
    devices = np.maximum(np.ceil(total / usable_w - 1e-9), 1).astype(np.int64)
    starts = np.searchsorted(group, np.arange(len(total)))
    run = np.cumsum(load_w)
    before = np.concatenate([[0.0], run])[starts]
    middle = run - load_w / 2 - before[group]
    while True:
        share = middle * devices[group] / np.maximum(total[group], 1e-9)
        within = np.minimum(share.astype(np.int64), devices[group] - 1)
        first = np.cumsum(devices) - devices
        device = first[group] + within
        over = np.bincount(device, load_w, minlength=int(devices.sum())) > usable_w * ROOM
        owner = np.repeat(np.arange(len(devices)), devices)
        if not over.any():
            return device, owner
        devices[np.unique(owner[over])] += 1


def earlier(keys: Int, amounts: Int) -> Int:
    """Sum of the amounts of the entries before each one that have its key."""
    order = np.argsort(keys, kind="stable")
    before = np.cumsum(amounts[order]) - amounts[order]
    found = np.empty_like(keys)
    found[order] = before - before[np.searchsorted(keys[order], keys[order])]
    return found
