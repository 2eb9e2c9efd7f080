"""The rules of expansion: code, the sentence people read, and the reason.

S35 is what counts and the catalogue must agree on, C4 the catalogue asked for, N1 ports and
NICs, N2 sizes of fabrics, L1 places on the floor.
"""

from functools import partial

from topology.findings import FindingsError, Path
from topology.rules import Rule, by_code, finding

_WHOLE = "units are built whole: a missing node leaves its ports unused, it does not move a cable"
_CLOS = "a full Clos of k-port switches ends at k*k/2 endpoints with two tiers and k*k*k/4 with three"
_LIDS = "unicast LIDs are 0x0001 to 0xBFFF; every HCA port and every switch takes one"
_UFM = "NVIDIA DGX SuperPOD RA-11333, table 4: UFM takes the place of one node"

_NUMBERS = "a figure in another unit, such as kW for MW, would be built and paid for a thousand times"

_TABLE = (
    Rule("S351", "a rack is fitted with no more nodes than it holds", "the rack design has no more slots"),
    Rule("S352", "a count fills whole racks, NVLink domains and scalable units", _WHOLE),
    Rule("S353", "the stages add no more units than the group has", "stages add up to the group"),
    Rule("S354", "a node that is left out is one of the group's", "the name refers to nothing in this spec"),
    Rule("S355", "a group keeps a node", "what has no node is no compute group"),
    Rule("S356", "no count is beyond what the tables of a plan hold", "a table would show another number"),
    Rule("C401", "a product that is named is in the catalogue", "its figures are known nowhere else"),
    Rule("N101", "a switch has ports of the rate", "the maker's data sheet, by the catalogue"),
    Rule("N102", "switches speak the fabric's protocol", "InfiniBand and Ethernet ports do not link"),
    Rule("N103", "a leaf takes the NICs of at least one node", "a node's NICs on one leaf need as many ports"),
    Rule("N104", "node ports and uplinks of a leaf fit its ports", "ports are cages times their split"),
    Rule("N105", "node ports per leaf divide a unit", "every leaf of a unit is filled alike"),
    Rule("N106", "a pod holds whole runs of units that share leaves", "a leaf is in one pod"),
    Rule("N107", "an appliance has the ports that the fabric asks for", "the maker's data sheet, by the catalogue"),
    Rule("N108", "a fabric connects nodes", "switches without nodes have no purpose"),
    Rule("N109", "units of one fabric are alike", "a leaf's ports are counted by the unit"),
    Rule("N110", "a fabric is sized for at least what the spec holds", "room is kept on top of what is there"),
    Rule("N111", "nodes have NICs of the fabric's role", "the maker's data sheet, by the catalogue"),
    Rule("N112", "NICs have ports of the rate", "the maker's data sheet, by the catalogue"),
    Rule("N113", "NICs have a port for every plane", "each plane is a tree of its own with a link to every NIC"),
    Rule("N114", "appliances have free node ports", _UFM),
    Rule("N201", "a fabric's endpoints fit its tiers", _CLOS),
    Rule("N202", "uplinks spread evenly", "each leaf has as many links to every spine of its pod, and so on up"),
    Rule("N203", "an InfiniBand subnet has LIDs for all", _LIDS),
    Rule("N204", "every core switch reaches every island", "islands that miss a core lose bandwidth in silence"),
    Rule("P102", "one device of a level carries each load on it", "a load is not cut in two"),
    Rule("P103", "a second side goes all the way up", "where both sides meet, one failure takes both"),
    Rule("P104", "a level has devices in numbers that a site can hold", _NUMBERS),
    Rule("P105", "a rack has circuits in numbers that it can hold", _NUMBERS),
    Rule("B301", "a bank has energy that it may give", "what stays in reserve carries nothing"),
    Rule("B307", "banks have units in numbers that a site can hold", _NUMBERS),
    Rule("L101", "halls have places for every unit", "a rack is its place"),
    Rule("L102", "a unit stands in one row", "its cables are cut to that length"),
    Rule("L103", "network rows have places for the switches", "a switch stands in a rack"),
    Rule("L104", "a network rack holds a switch", "the hall's own limits"),
)  # fmt: skip

RULES = by_code(_TABLE)
found = partial(finding, RULES)


def approximately(count: float) -> str:
    """A count that may be beyond all reason, or infinite, as a message says it."""
    return f"{count:,.0f}" if count < 1e12 else "a million million or more"  # noqa: PLR2004 - what a reader still counts


def refused(code: str, message: str, path: Path = (), help: str = "") -> FindingsError:  # noqa: A002 - Finding's word
    """The error of a step that cannot go on, with the one finding that stops it."""
    return FindingsError([found(code, message, path, help)])
