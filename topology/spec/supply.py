"""The power of a spec and the needs of its stages, from checked data to the model."""

from collections.abc import Mapping
from typing import Any

from topology.findings import Path
from topology.spec.model import BatteryBanks, Level, Needs, Power, PowerSource, RackFeed, Workload

Data = Mapping[str, Any]

_APPARENT_VA = {"rating_mva": 1e6, "rating_kva": 1e3}  # the power factor makes watts of these
_REAL_W = {"rating_mw": 1e6, "rating_kw": 1e3}


def power(data: Data) -> Power | None:
    """Power of data whose defaults are filled in; None when the spec has none."""
    if "power" not in data:
        return None
    given: Data = data["power"]
    path = ("power",)
    return Power(
        sources=tuple(_source(one, (*path, "sources", i)) for i, one in enumerate(given.get("sources", ()))),
        levels=tuple(
            _level(one, given["redundancy"], (*path, "levels", i)) for i, one in enumerate(given.get("levels", ()))
        ),
        feed=_feed(given["feed"], (*path, "feed")) if "feed" in given else None,
        workload=_workload(given["workload"], (*path, "workload")) if "workload" in given else None,
        batteries=tuple(_banks(one, (*path, "batteries", i)) for i, one in enumerate(given.get("batteries", ()))),
        cooling_mw=_float(given, "cooling_mw"),
        shelves=given.get("shelves", "N"),
        path=path,
    )


def needs(stage: Data, path: Path) -> Needs | None:
    """Needs of the stage at `path`; None when it has none."""
    if "needs" not in stage:
        return None
    given: Data = stage["needs"]
    return Needs(
        permits=tuple(given.get("permits", ())),
        energised=tuple(given.get("energised", ())),
        banks=given.get("banks", 0),
        path=(*path, "needs"),
    )


def _source(source: Data, path: Path) -> PowerSource:
    units = source.get("units", 1)
    capacity_mw = source["capacity_mw"] if "capacity_mw" in source else units * source["unit_mw"]
    return PowerSource(
        name=source["name"],
        kind=source["kind"],
        capacity_mw=float(capacity_mw),
        units=units,
        permit=source["permit"],
        in_service=source.get("in_service"),
        path=path,
    )


def _level(level: Data, redundancy: str, path: Path) -> Level:
    return Level(
        kind=level["kind"],
        rating_w=_rating_w(level),
        redundancy=level.get("redundancy", redundancy),
        efficiency=float(level["efficiency"]),
        apparent_factor=float(level["power_factor"]) if _APPARENT_VA.keys() & level.keys() else None,
        derating=float(level["derating"]),
        path=path,
    )


def _rating_w(level: Data) -> float:
    """Watts that a device carries all day: its rating, derated, of an apparent one the real part."""
    for key, va in _APPARENT_VA.items():
        if key in level:
            return float(level[key] * va * level["power_factor"] * level["derating"])
    return next(float(level[key] * w * level["derating"]) for key, w in _REAL_W.items() if key in level)


def _feed(feed: Data, path: Path) -> RackFeed:
    return RackFeed(
        volts=float(feed["volts"]),
        phases=feed["phases"],
        derating=float(feed["derating"]),
        amps=_float(feed, "amps"),
        circuits=feed.get("circuits"),
        path=path,
    )


def _workload(workload: Data, path: Path) -> Workload:
    return Workload(
        swing=float(workload["swing"]),
        period_s=float(workload["period_s"]),
        duty=float(workload["duty"]),
        ramp_limit_mw_per_s=_float(workload, "ramp_limit_mw_per_s"),
        path=path,
    )


def _banks(banks: Data, path: Path) -> BatteryBanks:
    return BatteryBanks(
        name=banks["name"],
        product=banks["product"],
        attach=banks["attach"],
        power_mw=_float(banks, "power_mw"),
        units=banks.get("units"),
        banks=banks["banks"],
        redundancy=banks["redundancy"],
        soc=float(banks["soc"]),
        reserve_soc=float(banks["reserve_soc"]),
        ride_through_s=_float(banks, "ride_through_s"),
        hold_s=_float(banks, "hold_s"),
        compare=tuple(banks.get("compare", ())),
        path=path,
    )


def _float(data: Data, key: str) -> float | None:
    return float(data[key]) if key in data else None
