"""ClusterSpec: what the YAML says, with every default filled in. Frozen; no place, no text.

Each class is one noun of the spec and keeps the spec's own spelling of its keys. `path`
fields hold where the noun stands in the spec, so that a later finding can point at it.
Keys that nothing reads yet (pulumi) are validated but not kept here; those of Kubernetes have a module of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from topology.findings import Path
from topology.spec.kubernetes import Kubernetes


@dataclass(frozen=True, slots=True)
class Site:
    """The place the cluster stands on."""

    name: str
    pue: float  # facility power over IT power, dimensionless


@dataclass(frozen=True, slots=True)
class Names:
    """Format strings for rack and node names; fields hall, row, position, rack, node."""

    rack: str = "{hall}r{rack:04}"
    node: str = "{rack}n{node:02}"


@dataclass(frozen=True, slots=True)
class RackLimit:
    """What one floor position carries."""

    power_kw: float | None = None
    weight_kg: float | None = None
    height_u: int = 48


@dataclass(frozen=True, slots=True)
class Hall:
    """A data hall: rows of equal positions, some rows kept for network racks."""

    name: str
    rows: int
    positions: int  # rack positions per row
    row_pitch_m: float
    position_pitch_m: float
    origin_m: tuple[float, float]
    network_rows: tuple[int, ...]  # 1-based row numbers
    rack_limit: RackLimit
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a group: exactly one of gpus, racks or units, as the spec wrote it."""

    kind: str  # "gpus", "racks" or "units"
    value: int
    path: Path = ()


@dataclass(frozen=True, slots=True)
class ComputeGroup:
    """Racks of one design, in scalable units of `unit_racks`."""

    name: str
    rack: str  # slug of a rack design in the catalogue
    count: Count
    unit_racks: int
    halls: tuple[str, ...]  # filled in this order
    nodes_per_rack: int | None = None  # fewer than the design holds; ports of the rest stay unused
    without: tuple[str, ...] = ()  # names of nodes left out of otherwise whole units
    units_per_hall: int | None = None  # at most; None: as many as fit
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Oversubscription:
    """Down bandwidth over up bandwidth of a tier; 1 is non-blocking."""

    leaf: float = 1.0
    spine: float = 1.0
    core: float = 1.0  # of a `core` fabric: bandwidth into an island over bandwidth to the core


@dataclass(frozen=True, slots=True)
class Place:
    """Where the switches of each tier stand: `row-end` or `network-row`."""

    leaf: str = "row-end"
    spine: str = "network-row"
    core: str = "network-row"

    def in_row_end(self, tier: str) -> bool:
        """Whether the switches of a tier stand at the ends of rows."""
        return getattr(self, tier, "network-row") == "row-end"


@dataclass(frozen=True, slots=True)
class Managers:
    """Subnet-manager appliances (UFM) on leaf ports that missing nodes leave free."""

    product: str  # slug of an appliance in the catalogue
    count: int
    ports: int  # fabric ports of each


@dataclass(frozen=True, slots=True)
class Fabric:
    """One network: the NICs of one role, the switches that join them, and how."""

    name: str
    kind: str  # module name in topology.expand.fabrics, with hyphens
    protocol: str  # "infiniband" or "roce"
    connects: str  # NIC role: compute, storage, frontend, oob; "" for a core fabric
    compute: tuple[str, ...]  # groups it connects; () means every group with such NICs
    switch: str  # slug in the catalogue
    port_gbps: int  # node links
    uplink_gbps: int  # links between switches; equals port_gbps unless the spec says otherwise
    planes: int = 1
    tiers: int | None = None  # None: chosen by size
    oversubscription: Oversubscription = field(default_factory=Oversubscription)
    island_units: int | None = None
    sized_for_units: int | None = None
    pod_units: int | None = None
    leaf_down: int | None = None  # node ports used per leaf; None: as many as fit evenly
    leaf_sharing: str = "none"  # "none", "rails" or "units"
    halls: tuple[str, ...] = ()  # core fabrics only: whose network rows hold the cores; (): the first joined hall
    place: Place = field(default_factory=Place)
    managers: Managers | None = None
    joins: tuple[str, ...] = ()  # core fabrics only: names of the fabrics they join
    path: Path = ()
    keys: Mapping[str, Any] = field(default_factory=dict, compare=False)  # the whole entry: a kind reads its own


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be there before a stage may be energised."""

    permits: tuple[str, ...] = ()  # names of sources whose permit it rests on
    energised: tuple[str, ...] = ()  # halls
    banks: int = 0  # battery banks in service
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """A valid cluster: everything of the stages before it plus `add`."""

    name: str
    add: tuple[tuple[str, Count], ...]  # (group name, count), in the spec's group order
    needs: Needs | None = None
    path: Path = ()


@dataclass(frozen=True, slots=True)
class PowerSource:
    """A utility connection or a power plant."""

    name: str
    kind: str  # utility, turbine, generator, fuel-cell or solar
    capacity_mw: float  # all units together
    units: int  # machines that fail one by one; 1 for a connection
    permit: str  # granted or pending
    in_service: str | None = None  # ISO date from which it gives power; None: now
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the power tree; counts are derived, the rating is given."""

    kind: str  # substation, transformer, switchgear, ups, pdu, rpp or busway
    rating_w: float  # one device, its power factor and derating applied
    redundancy: str  # N, N+1, 2N or 4N/3
    efficiency: float = 1.0  # power out over power in
    apparent_factor: float | None = None  # power factor of a rating in MVA or kVA; None: the rating is real power
    derating: float = 1.0  # share of the rating that may be carried all day
    path: Path = ()

    @property
    def plate_va(self) -> float:
        """Rating on the plate of one device: VA, or W where it is real power."""
        return self.rating_w / self.derating / (self.apparent_factor or 1.0)


MOST_CIRCUITS = 48  # of a rack on each side, as in the schema


@dataclass(frozen=True, slots=True)
class RackFeed:
    """Circuits that end in a rack, the same on both sides."""

    volts: float  # between phases, or of the one phase
    phases: int  # 1 or 3
    derating: float  # share of the breaker's rating that it carries all day
    amps: float | None = None  # breaker of one circuit; None: the next standard size
    circuits: int | None = None  # per side; None: as many as the rack needs
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """A training job as the grid sees it: a square wave."""

    swing: float  # height as a share of the IT load
    period_s: float
    duty: float  # share of the period at full load
    ramp_limit_mw_per_s: float | None = None
    path: Path = ()


@dataclass(frozen=True, slots=True)
class BatteryBanks:
    """Equal banks of one battery product at one level."""

    name: str
    product: str  # slug in the catalogue
    attach: str  # kind of the level
    power_mw: float | None = None  # all banks together; None: sized by the needs below
    units: int | None = None  # all banks together; None: from power_mw or the needs
    banks: int = 1
    redundancy: str = "N"  # N, or N+1: one unit more than needed in every bank
    soc: float = 1.0  # state of charge when the grid fails
    reserve_soc: float = 0.2
    ride_through_s: float | None = None
    hold_s: float | None = None  # islanded hold or black start, for which the reserve may be used
    compare: tuple[int, ...] = ()  # unit counts that the sizing sheet shows beside its own
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Power:
    """Where the power comes from and how it reaches the racks."""

    sources: tuple[PowerSource, ...] = ()
    levels: tuple[Level, ...] = ()  # from the source down
    feed: RackFeed | None = None
    workload: Workload | None = None
    batteries: tuple[BatteryBanks, ...] = ()
    cooling_mw: float | None = None  # None: by the site's PUE
    shelves: str = "N"  # spare power shelves in a rack: N, N+1 or N+2
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Partition:
    """A Slurm partition over whole compute groups."""

    name: str
    compute: tuple[str, ...]
    default: bool = False
    max_time: str = "INFINITE"
    topology: str | None = None  # "block", "tree" or "flat"; None: by the hardware
    path: Path = ()


@dataclass(frozen=True, slots=True)
class SlurmCluster:
    """A slurmctld of its own for some groups."""

    name: str
    compute: tuple[str, ...]
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Slurm:
    """What the scheduler files need beyond the hardware."""

    partitions: tuple[Partition, ...]
    clusters: tuple[SlurmCluster, ...]  # never empty after loading
    controllers: tuple[str, ...] = ("slurmctld",)
    release: str = "26.05"  # or "24.11": topology.conf instead of topology.yaml
    max_nodes: int = 65536
    imex_channels: int = 2048
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Pulumi:
    """The project that deploys the cluster."""

    project: str
    renamed: tuple[tuple[str, str], ...] = ()  # name of today, name in the last deployment


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """The whole spec."""

    name: str
    site: Site
    names: Names
    halls: tuple[Hall, ...]
    compute: tuple[ComputeGroup, ...]
    fabrics: tuple[Fabric, ...]
    stages: tuple[Stage, ...]  # never empty after loading: one stage "all" when the spec has none
    slurm: Slurm
    pulumi: Pulumi
    power: Power | None = None
    kubernetes: Kubernetes | None = None
    catalog: str | None = None  # folder of own products, relative to the spec
