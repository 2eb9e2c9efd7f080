"""Products as the catalogue describes them. Counts, not lists: port and slot names are derived."""

from collections.abc import Mapping
from dataclasses import dataclass, field

POWER_SHELF = "power-shelf"  # a device, and the key of a rack's part that is such a device


@dataclass(frozen=True, slots=True)
class Citation:
    """Where some figures of a product come from."""

    covers: tuple[str, ...]  # dotted keys of the entry, e.g. "power_w.maximum"
    document: str
    where: str  # page, section or table; "" when the document is one page
    mark: str  # maker, third-party, project, derived or unverified


@dataclass(frozen=True, slots=True)
class Nic:
    """NICs of one role in a node; NIC i of the compute role sits on rail i."""

    role: str  # compute, storage, frontend or oob
    product: str
    count: int
    ports: Mapping[int, int]  # ports per NIC by their rate in Gb/s: {800: 1, 400: 2}


@dataclass(frozen=True, slots=True)
class NvLink:
    """A scale-up domain: its switch chips and the links from each GPU."""

    switches: int  # NVSwitch chips of the whole domain
    links_per_gpu: int
    gb_per_s_per_gpu: int  # both directions together, gigabytes


@dataclass(frozen=True, slots=True)
class Node:
    """A server or compute tray."""

    slug: str
    manufacturer: str
    model: str
    height_u: int
    power_max_w: int
    power_typical_w: int | None
    weight_kg: float | None
    sockets: int
    cores_per_socket: int
    threads_per_core: int
    memory_mb: int  # what Slurm may hand out: below what the machine reports
    gpus: int
    gpu_model: str  # "H100", as people say it
    gres_type: str  # the same as Slurm writes it: "h100"
    nics: tuple[Nic, ...]
    nvlink: NvLink | None  # None: the domain belongs to the rack
    cooling: str  # air or liquid
    sources: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class RackPart:
    """Something in a rack that is not a node: switch trays, power shelves, a CDU."""

    model: str
    count: int
    height_u: int
    kind: str = ""  # the entry's own word for it: nvlink-switch, power-shelf, cdu
    product: str = ""  # slug of a power device; a power shelf always has one


@dataclass(frozen=True, slots=True)
class Rack:
    """A rack design: which nodes it holds and what it draws full."""

    slug: str
    manufacturer: str
    model: str
    height_u: int
    node: str  # slug
    nodes: int  # slots 1..nodes
    parts: tuple[RackPart, ...]
    power_max_w: int  # of everything in the rack
    power_typical_w: int | None
    weight_kg: float | None  # filled; None when no source gives it
    nvlink: NvLink | None  # set: the whole rack is one domain
    sources: tuple[Citation, ...]
    storage_j: int | None = None  # capacitors in its power shelves, joules


@dataclass(frozen=True, slots=True)
class Cage:
    """Identical cages of a switch and the ports each can be split into."""

    cage: str  # osfp, qsfp112, qsfp28, rj45
    count: int
    ports: Mapping[int, int]  # ports per cage by rate in Gb/s: {800: 1, 400: 2, 200: 4}


@dataclass(frozen=True, slots=True)
class Switch:
    """A fabric switch."""

    slug: str
    manufacturer: str
    model: str
    protocol: str  # infiniband or ethernet
    height_u: int
    power_max_w: int
    power_typical_w: int | None
    weight_kg: float | None
    cages: tuple[Cage, ...]
    sources: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Appliance:
    """A box on the fabric that is neither node nor switch: a subnet manager (UFM)."""

    slug: str
    manufacturer: str
    model: str
    height_u: int
    power_max_w: int
    power_typical_w: int | None
    weight_kg: float | None
    ports: Mapping[int, int]  # fabric ports by rate in Gb/s
    sources: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery unit that stands outside, such as a Megapack."""

    slug: str
    manufacturer: str
    model: str
    power_w: int
    energy_wh: int  # usable from full to empty, AC side
    round_trip: float  # energy out over energy in, 0 to 1
    cycles: int | None  # full cycles until end of life; None when no source gives it
    length_m: float
    width_m: float
    spacing_m: float  # clear distance to the next unit
    weight_kg: float | None
    sources: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class PowerDevice:
    """A transformer, UPS frame, busway, PDU, power shelf or generating unit."""

    slug: str
    manufacturer: str
    model: str
    device: str  # transformer, ups, switchgear, busway, pdu, rpp, power-shelf, turbine, generator
    rating_va: int | None  # exactly one of rating_va and rating_w
    rating_w: int | None
    efficiency: float  # power out over power in at rating, 0 to 1; 1 where nothing is lost worth counting
    sources: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every product by slug, and the digest of all entries together."""

    nodes: Mapping[str, Node]
    racks: Mapping[str, Rack]
    switches: Mapping[str, Switch]
    appliances: Mapping[str, Appliance]
    batteries: Mapping[str, Battery]
    power: Mapping[str, PowerDevice]
    sha256: str
    own: Mapping[str, str] = field(default_factory=dict)  # texts of the user's own entries by path, secrets masked
