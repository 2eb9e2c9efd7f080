"""The rules of the spec and its text: code, the sentence people read, and the reason.

One table, so that a code is given out once, ever. S001 guards secrets, S1 is text that is not
readable YAML (exit code 2), S2 the schema, S3 what names and counts must agree on, S8 ignore
comments, S9 keys that have no effect yet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from topology.findings import Finding, Path, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for."""

    code: str
    sentence: str  # what holds when nothing is wrong
    because: str  # the document, or the fault that the rule keeps away
    severity: Severity = Severity.ERROR  # unless the run says otherwise


_LATER = "the key is part of the language, but no part of this version reads it"

_TABLE = (
    Rule("S001", "no secret stands in a spec", "a spec is committed, reviewed and printed; secrets are not"),
    Rule("S101", "a file named on the command line can be opened and read", "the system refused to open it"),
    Rule("S102", "only regular files are read", "a pipe or a device may never end; '-' reads standard input"),
    Rule(
        "S103",
        "a file is no larger than 16 MiB, and its YAML than 2 MiB",
        "the spec of 1,000,000 GPUs has a few hundred lines",
    ),
    Rule("S104", "a file stays inside the folder of the spec", "a copied spec must not read other files"),
    Rule("S111", "the text is UTF-8", "YAML 1.2.2 §5.2; other encodings show other names on other machines"),
    Rule("S112", "the text holds no invisible or control characters", "they hide what a reviewer approves"),
    Rule("S113", "the text holds no tabs outside comments", "YAML 1.2.2 §6.1: tabs cannot indent"),
    Rule("S121", "the text is YAML", "YAML 1.2.2"),
    Rule("S122", "the text has no '%' directives", "a directive changes how every later value is read"),
    Rule("S123", "no value carries a tag", "a tag asks the reader to build an object"),
    Rule("S124", "a file holds one document", "a second one would be dropped in silence by most tools"),
    Rule("S125", "the document is a mapping", "every key has a name, so that it can be checked"),
    Rule("S126", "no anchor holds itself", "a value inside itself has no end"),
    Rule("S127", "an alias names an anchor above it", "YAML 1.2.2 §7.1"),
    Rule("S128", "a document is of bounded size, aliases counted", "a few lines can stand for millions"),
    Rule("S129", "values nest at most 64 deep", "no spec needs more than ten levels"),
    Rule("S131", "a key stands once in a mapping, whatever its case", "YAML 1.2.2 §3.2.1.3"),
    Rule("S132", "a key is a short word", "only text can be checked against the words of the language"),
    Rule("S133", "a number is finite and of readable length", "no quantity of a site is infinite"),
    Rule("S134", "'<<' merges mappings", "YAML merge key, working draft of 2005"),
    Rule("S201", "every key is a word of the language", "a misspelt key would be ignored in silence"),
    Rule("S202", "no required key is missing", "a default for it would be a guess about the site"),
    Rule(
        "S203",
        "a value has the type its key asks for",
        "an unquoted word is text, but for true, false, null and numbers",
    ),
    Rule("S204", "a number is within its limits", "the limit stands in schemas/cluster.schema.json"),
    Rule("S205", "a word is one the program knows", "a word it does not know has no meaning"),
    Rule("S206", "a text has the form its key asks for", "the form stands in schemas/cluster.schema.json"),
    Rule("S207", "exactly one of several keys is given", "two would contradict each other sooner or later"),
    Rule("S208", "the version of the language is known", "a newer language may give words new meanings"),
    Rule("S209", "a list or mapping has a permitted size", "the limit stands in schemas/cluster.schema.json"),
    Rule("S210", "a list names a thing once", "a second entry would have no effect"),
    Rule("S301", "a hall that is named exists", "the name refers to nothing in this spec"),
    Rule("S302", "a compute group that is named exists", "the name refers to nothing in this spec"),
    Rule("S303", "a fabric that is named exists", "the name refers to nothing in this spec"),
    Rule("S304", "a power source that is named exists", "the name refers to nothing in this spec"),
    Rule("S305", "a power level that is named exists", "the name refers to nothing in this spec"),
    Rule("S306", "names differ by more than case and zeros", "people and tools take n1 and n01 for one"),
    Rule("S307", "no name is reserved", "Windows keeps names for devices, Slurm keeps 'default'"),
    Rule("S311", "network rows are rows of their hall", "rows are counted from 1"),
    Rule("S312", "name formats give every rack and node its own host name", "RFC 1123 §2.1: a-z, 0-9 and '-'"),
    Rule("S313", "a path stays inside the folder of the spec", "a copied spec must not read other files"),
    Rule("S314", "the power tree has no loop", "every level feeds the next one down"),
    Rule("S315", "a stage needs no more banks than there are", "it could never be energised"),
    Rule("S316", "batteries have a size, or a need that gives it", "a size out of nothing would be a guess"),
    Rule("S317", "batteries that ride through hold more than their reserve", "only what is above it carries the load"),
    Rule("S321", "a stage adds no more than its group has left", "stages add up to the group"),
    Rule("S322", "every group belongs to a stage", "what no stage adds is never built", Severity.WARNING),
    Rule("S331", "a fabric's kind is known", "each kind is one module of the program"),
    Rule("S332", "a group is on one fabric of a role", "a NIC has one place to plug in"),
    Rule("S333", "a core joins islands, and islands have a core", "islands alone cannot reach each other"),
    Rule("S334", "a core joins fabrics of its own protocol", "InfiniBand and Ethernet ports do not link"),
    Rule("S335", "a fabric has only keys of its kind", "the key would have no effect"),
    Rule("S341", "a group is in one Slurm cluster", "a node registers with one slurmctld"),
    Rule("S342", "a partition lies within one Slurm cluster", "slurmctld knows only its own nodes"),
    Rule(
        "S343",
        "a Slurm cluster has one default partition",
        "slurm.conf(5), Default: one would win in silence",
    ),
    Rule("S344", "every group belongs to a Slurm cluster", "jobs cannot reach the others", Severity.WARNING),
    Rule("S345", "a group is in one pool of cells", "a node joins one Kubernetes cluster"),
    Rule("S346", "pools of cells have names of their own", "cells are named after their pool"),
    Rule("S347", "a range of addresses is an IPv4 network", "pools are cut out of it by their prefix"),
    Rule("S348", "a time is one that Slurm can count", "slurmctld refuses it, or takes a wholly different one for it"),
    Rule("S801", "an ignore comment has a code and a reason", "the reason is what a reviewer approves"),
    Rule("S802", "an ignore comment matches a finding on its line", "a stale one would hide the next fault"),
    Rule("S803", "some rules are not ignored", "they guard people, power, or there being a site at all"),
    # S901 to S904 were given out for power, kubernetes, pulumi and a stage's needs, which have an effect now
    Rule("S905", "a price book has an effect", _LATER, Severity.NOTE),
)


def by_code(rules: Iterable[Rule]) -> Mapping[str, Rule]:
    """The rules by their codes, in the order given; read-only.

    Raises:
        ValueError: A code is given out twice.
    """
    known: dict[str, Rule] = {}
    for rule in rules:
        if rule.code in known:
            raise ValueError(f"rule {rule.code} is already '{known[rule.code].sentence}'")
        known[rule.code] = rule
    return MappingProxyType(known)


def finding(  # noqa: PLR0913 - the words of a finding
    rules: Mapping[str, Rule],
    code: str,
    message: str,
    path: Path = (),
    help: str = "",  # noqa: A002 - Finding's word
    *,
    file: str = "",
) -> Finding:
    """Finding of one of `rules`, with the rule's reason and severity; rooms bind it to their own rules.

    Raises:
        KeyError: no rule has that code.
    """
    rule = rules[code]
    return Finding(code, message, path, help, rule.because, rule.severity, file=file)


RULES = by_code(_TABLE)
found = partial(finding, RULES)
