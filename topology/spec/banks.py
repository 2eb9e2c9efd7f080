"""Rules of battery banks: their size, their charge, and how many there are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from topology.findings import Finding
from topology.rules import found

Data = Mapping[str, Any]


def bank_rules(data: Data) -> Iterator[Finding]:
    """Findings of banks with two sizes or none, and of stages that need more banks than there are.

    `data` is a spec whose defaults are filled in.
    """
    power: Data = data.get("power", {})
    batteries: Sequence[Data] = power.get("batteries", ())
    limited = "ramp_limit_mw_per_s" in power.get("workload", {})
    for i, banks in enumerate(batteries):
        yield from _size(banks, i, limited=limited)
        yield from _charge(banks, i)
    yield from _needed(data, sum(banks["banks"] for banks in batteries))


def _size(banks: Data, i: int, *, limited: bool) -> Iterator[Finding]:
    path = ("power", "batteries", i)
    sizes = [key for key in ("power_mw", "units") if key in banks]
    if len(sizes) > 1:
        message = f"{' and '.join(sizes)} are given in batteries[{i}]"
        yield found("S207", message, (*path, sizes[1]), "keep one of power_mw and units")
    # zero seconds ask for nothing
    elif not (sizes or limited or banks.get("ride_through_s") or banks.get("hold_s")):
        message = f"batteries '{banks['name']}' have no size, and nothing says what they must do"
        help_ = "add power_mw, units, ride_through_s or hold_s, or power.workload.ramp_limit_mw_per_s"
        yield found("S316", message, path, help_)


def _charge(banks: Data, i: int) -> Iterator[Finding]:
    soc, reserve = banks["soc"], banks["reserve_soc"]
    if banks.get("ride_through_s") and soc <= reserve:  # a hold may use the reserve
        key = "soc" if soc < 1 else "reserve_soc"
        message = f"batteries '{banks['name']}' are charged to {soc:g} and keep {reserve:g} in reserve"
        yield found(
            "S317", message, ("power", "batteries", i, key), "write a soc above reserve_soc, or a smaller reserve_soc"
        )


def _needed(data: Data, banks: int) -> Iterator[Finding]:
    for j, stage in enumerate(data.get("stages", ())):
        wanted = stage.get("needs", {}).get("banks", 0)
        if wanted > banks:
            there = f"{banks:,} banks" if banks != 1 else "1 bank"
            message = f"stage '{stage['name']}' needs {wanted:,} banks, and the spec has {there}"
            help_ = f"write at most {banks:,}, or add banks under power.batteries"
            yield found("S315", message, ("stages", j, "needs", "banks"), help_)
