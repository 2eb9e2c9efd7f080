"""The load of a training job as a square wave, and what storage in the racks takes off it."""

import math
from dataclasses import dataclass

from topology.spec.model import Workload

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Swing:
    """A training job's square wave, and what is left of it after the storage in the racks."""

    height_w: float  # as the load makes it
    left_w: float  # as a bank has to flatten it
    period_s: float
    duty: float  # share of the period at full load
    ramp_limit_w_per_s: float | None = None
    in_rack_j: float = 0.0

    @property
    def power_w(self) -> float:
        """What a bank gives at full load, (1 - d)·ΔP, or takes at low load, d·ΔP, whichever is more."""
        return self.left_w * max(self.duty, 1 - self.duty)

    @property
    def energy_wh(self) -> float:
        """What a bank gives in one period and takes back in it: d·(1 - d)·T·ΔP."""
        return self.duty * (1 - self.duty) * self.period_s * self.left_w / _HOUR_S

    @property
    def step_w(self) -> float:
        """Power a bank must give when the job starts: sqrt(ΔP² - 2·R·C); 0 without a ramp limit.

        The grid follows at R, so the gap falls from ΔP to nothing in ΔP/R. The racks' storage C
        fills the first of it, where it is widest; the bank begins at what is left.
        """
        if self.ramp_limit_w_per_s is None:
            return 0.0
        return math.sqrt(max(0.0, self.height_w**2 - 2 * self.ramp_limit_w_per_s * self.in_rack_j))

    @property
    def step_wh(self) -> float:
        """Energy a bank gives then: ΔP²/(2·R) - C; 0 without a ramp limit."""
        if self.ramp_limit_w_per_s is None:
            return 0.0
        return self.step_w**2 / (2 * self.ramp_limit_w_per_s) / _HOUR_S


def training_swing(workload: Workload, it_load_w: float, in_rack_j: float = 0.0) -> Swing:
    """The job's square wave over an IT load, less what storage in the racks takes off.

    Storage of C joules lowers the wave by ΔP_c = C / (d·(1 - d)·T), as d·(1 - d)·T·ΔP_c is the energy
    it then gives and takes back in a period: what the bank sees falls by C in energy, and in power in
    proportion. C is 65 J per GPU in GB300 NVL72 racks. Source: NVIDIA's developer blog, "How New GB300
    NVL72 Features Provide Steady Power for AI"; it gives no limit of the storage's power, so none is set.
    """
    height_w = workload.swing * it_load_w
    spread_s = workload.duty * (1 - workload.duty) * workload.period_s
    limit = workload.ramp_limit_mw_per_s
    return Swing(
        height_w=height_w,
        left_w=max(0.0, height_w - in_rack_j / spread_s) if spread_s > 0 else 0.0,
        period_s=workload.period_s,
        duty=workload.duty,
        ramp_limit_w_per_s=None if limit is None else limit * 1e6,
        in_rack_j=in_rack_j,
    )
