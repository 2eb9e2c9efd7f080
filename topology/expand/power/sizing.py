"""Units of an entry's battery banks, and the needs that ask for them. Banks share the load they are attached to."""

from dataclasses import replace

from topology.catalog.battery_units import Need, Sizing, units_for, whole_units
from topology.catalog.model import Battery
from topology.spec.model import BatteryBanks
from topology.spec.swing import Swing

_HOUR_S = 3600.0


def sizing(banks: BatteryBanks, battery: Battery, load_w: float, swing: Swing | None) -> Sizing:
    """Units per bank for what the spec gives: a count, else a power, else the needs.

    A given count is kept as it is; to any other, N+1 adds a unit per bank. Every sized bank has a
    unit. The banks need not carry the whole load if smoothing is all that is asked of them.

    Raises:
        ValueError: the spec let through a state of charge at or under a reserve that energy is to come from.
    """
    needs = tuple(replace(need, units=units_for(need, battery)) for need in _needs(banks, load_w, swing))
    if banks.units is not None:
        return Sizing(_spread(banks.units, banks.banks), "units", 0, needs)
    if banks.power_mw is not None:
        binding, units = "power", whole_units(banks.power_mw * 1e6, battery.power_w)
    else:
        counts = {need.name: need.units for need in needs if need.units is not None}
        if len(counts) < len(needs):
            raise ValueError(f"banks {banks.name}: no energy between soc {banks.soc} and reserve {banks.reserve_soc}")
        binding, units = max(counts.items(), key=lambda item: item[1])  # the first of equals
    spare = banks.banks if banks.redundancy == "N+1" else 0
    return Sizing(_spread(max(units, banks.banks) + spare, banks.banks), binding, spare, needs)


def _needs(banks: BatteryBanks, load_w: float, swing: Swing | None) -> list[Need]:
    """What the spec asks for, in the order in which equals are named; their units are not counted yet."""
    window = banks.soc - banks.reserve_soc
    timed = [
        Need(name, load_w, load_w * seconds / _HOUR_S, share)
        for name, seconds, share in (
            ("ride-through", banks.ride_through_s, window),
            ("hold", banks.hold_s, banks.soc),
        )
        if seconds  # zero seconds ask for nothing
    ]
    needs = [Need("power", load_w, 0.0, window), *timed] if timed or swing is None else []
    if swing is not None:
        needs.append(Need("swing", swing.power_w, swing.energy_wh, window))
        if swing.ramp_limit_w_per_s is not None:
            needs.append(Need("step", swing.step_w, swing.step_wh, window))
    return needs


def _spread(units: int, banks: int) -> tuple[int, ...]:
    """As equal as whole units can be, the larger banks first."""
    least, larger = divmod(units, banks)
    return (least + 1,) * larger + (least,) * (banks - larger)
