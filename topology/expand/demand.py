"""What each fabric has to connect: which groups, which of their NICs, room for how many units."""

from collections.abc import Iterable, Sequence

from topology.catalog.model import Appliance, Catalog, Node, Switch
from topology.expand.fabrics import CoreLink, FabricDemand, FabricDesign, load
from topology.expand.groups import SizedGroup
from topology.expand.rules import found, refused
from topology.findings import Finding, FindingsError, did_you_mean
from topology.spec.model import ClusterSpec, Fabric


def design_fabrics(spec: ClusterSpec, catalog: Catalog, groups: Sequence[SizedGroup]) -> list[FabricDesign]:
    """Designs of the fabrics, in the order of the spec; what joins others is designed after them.

    Raises:
        FindingsError: everything that keeps any fabric from being built.
    """
    links = {
        name: CoreLink(fabric.port_gbps, fabric.oversubscription.core)
        for fabric in spec.fabrics
        for name in fabric.joins
    }
    made: dict[str, FabricDesign] = {}
    wrong: list[Finding] = []
    for fabric in spec.fabrics:
        switch = catalog.switches.get(fabric.switch)
        if switch is None:
            wrong.append(_unknown(fabric, "switch", fabric.switch, catalog.switches))
        elif not fabric.joins:
            try:
                made[fabric.name] = load(fabric.kind).design(_demand(fabric, switch, groups, links.get(fabric.name)))
                managers(fabric, catalog)
            except FindingsError as error:
                wrong += error.findings
    for fabric in spec.fabrics if not wrong else ():
        if fabric.joins:
            demand = FabricDemand(
                fabric, catalog.switches[fabric.switch], joined=tuple(made[name] for name in fabric.joins)
            )
            try:
                made[fabric.name] = load(fabric.kind).design(demand)
            except FindingsError as error:
                wrong += error.findings
    if wrong:
        raise FindingsError(wrong)
    return [made[fabric.name] for fabric in spec.fabrics]


def _members(fabric: Fabric, groups: Sequence[SizedGroup]) -> tuple[SizedGroup, ...]:
    """Groups the fabric connects: those it names, else all that have NICs of its role."""
    if fabric.compute:
        return tuple(group for group in groups if group.group.name in fabric.compute)
    return tuple(group for group in groups if _nics(group.node, fabric.connects))


def managers(fabric: Fabric, catalog: Catalog) -> Appliance | None:
    """The fabric's subnet-manager appliance, if it has one.

    Raises:
        FindingsError: the catalogue does not have it, or it lacks the ports.
    """
    if fabric.managers is None:
        return None
    product = catalog.appliances.get(fabric.managers.product)
    if product is None:
        raise FindingsError([_unknown(fabric, "managers", fabric.managers.product, catalog.appliances)])
    have = product.ports.get(fabric.port_gbps, 0)
    if have < fabric.managers.ports:
        raise refused(
            "N107",
            f"fabric {fabric.name}: {product.slug} has {have} ports at {fabric.port_gbps} Gb/s, not "
            f"{fabric.managers.ports}",
            (*fabric.path, "managers", "ports"),
            f"write ports: {have}" if have else "take another port_gbps or appliance",
        )
    return product


def _demand(fabric: Fabric, switch: Switch, groups: Sequence[SizedGroup], link: CoreLink | None) -> FabricDemand:
    mine = _members(fabric, groups)
    if not mine:
        raise refused(
            "N108",
            f"fabric {fabric.name} connects no node: no group has NICs for '{fabric.connects}'",
            (*fabric.path, "connects"),
            did_you_mean(fabric.connects, sorted({nic.role for g in groups for nic in g.node.nics})),
        )
    wrong = [problem for group in mine for problem in _nic_problems(fabric, group)]
    first = mine[0]
    shapes = {(group.unit_slots, _nics(group.node, fabric.connects)) for group in mine}
    if len(shapes) > 1 and not wrong:
        words = "; ".join(
            f"{group.group.name} {group.unit_slots} nodes x {_nics(group.node, fabric.connects)} NICs per unit"
            for group in mine
        )
        wrong.append(
            found(
                "N109",
                f"fabric {fabric.name} joins groups whose units differ: {words}",
                (*fabric.path, "compute") if fabric.compute else fabric.path,
                "give each kind a fabric of its own and join them with a core fabric",
            )
        )
    units = sum(group.units for group in mine)
    if fabric.sized_for_units is not None and fabric.sized_for_units < units:
        wrong.append(
            found(
                "N110",
                f"fabric {fabric.name} is sized for {fabric.sized_for_units} units; the spec holds {units}",
                (*fabric.path, "sized_for", "units"),
                f"write {units} or more",
            )
        )
    if wrong:
        raise FindingsError(wrong)
    sized = fabric.sized_for_units or units
    nics = _nics(first.node, fabric.connects)
    return FabricDemand(fabric, switch, mine, sized, first.unit_slots, first.domain_slots, nics, link)


def _nics(node: Node, role: str) -> int:
    return sum(nic.count for nic in node.nics if nic.role == role)


def _nic_problems(fabric: Fabric, group: SizedGroup) -> list[Finding]:
    """NICs of the role that are missing, too slow, or short of ports for the planes."""
    nics = [nic for nic in group.node.nics if nic.role == fabric.connects]
    if not nics:
        roles = sorted({nic.role for nic in group.node.nics})
        message = f"fabric {fabric.name}: {group.node.slug} of {group.group.name} has no NIC for '{fabric.connects}'"
        return [found("N111", message, (*fabric.path, "connects"), did_you_mean(fabric.connects, roles))]
    wrong = []
    for nic in nics:
        ports = nic.ports.get(fabric.port_gbps, 0)
        rates = ", ".join(f"{count} x {rate} Gb/s" for rate, count in sorted(nic.ports.items()))
        if not ports:
            message = f"fabric {fabric.name}: {nic.product} of {group.node.slug} has no {fabric.port_gbps} Gb/s port"
            wrong.append(found("N112", message, (*fabric.path, "port_gbps"), f"it can be {rates}"))
        elif fabric.planes > ports:
            message = (
                f"fabric {fabric.name}: {fabric.planes} planes need as many ports on each {nic.product} of "
                f"{group.node.slug}; at {fabric.port_gbps} Gb/s it has {ports}"
            )
            wrong.append(found("N113", message, (*fabric.path, "planes"), f"write planes: {ports}; it can be {rates}"))
    return wrong


def _unknown(fabric: Fabric, key: str, slug: str, known: Iterable[str]) -> Finding:
    noun = "appliance" if key == "managers" else key
    path = (*fabric.path, key, "product") if key == "managers" else (*fabric.path, key)
    return found("C401", f"no {noun} '{slug}' in the catalogue", path, did_you_mean(slug, known))
