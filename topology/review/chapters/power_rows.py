"""Sources and feed levels as the tables of the power chapter show them."""

from collections.abc import Mapping

from topology.artifacts.power.schedules import level_loads
from topology.plan import Plan
from topology.review.amounts import count, megawatts


def source_facts(row: Mapping[str, object] | None) -> tuple[str, str, str]:
    """Kind, megawatts and permit of a source; dashes where there is none."""
    if row is None:
        return ("–", "–", "–")
    permit = "granted" if row["permitted"] else "pending"
    since = f", from {row['in_service']}" if row["in_service"] else ""
    return (str(row["kind"]), megawatts(float(str(row["capacity_w"]))), f"{permit}{since}")


def level_facts(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Figures of each level and side, every stage built, as they are shown."""
    if not plan.power_nodes.height or plan.spec.power is None:
        return {}
    made: dict[str, tuple[str, ...]] = {}
    for row in level_loads(plan).iter_rows(named=True):
        factor = plan.spec.power.levels[row["level"]].apparent_factor
        apparent = "–" if factor is None else f"{row['load_mw'] / factor:,.1f}"
        side = f" {row['side']}" if row["side"] else ""
        devices = f"{count(row['devices'])}, {row['redundancy']}"
        load = f"{row['load_mw']:,.1f}"
        made[f"{row['kind']}{side}"] = (devices, count(row["rating_kw"]), load, apparent, f"{row['use_most']:.0%}")
    return made
