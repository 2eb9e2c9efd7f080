"""The rules of the catalogue: code, the sentence people read, and the reason.

C0 is where entries stand, C1 what they may say, C2 their sources, C3 how they fit together.
A file that is not readable YAML has its finding from `topology.source`.
"""

from functools import partial

from topology.rules import Rule, by_code, finding

_KEPT_APART = "a file in the wrong place would be left out in silence"
_TRACE = "every figure of a plan can be traced to a line of the spec or a source"

_TABLE = (
    Rule("C001", "the catalogue of the spec is a readable folder", "the spec names it under `catalog`"),
    Rule("C002", "the catalogue has the folders of its kinds", _KEPT_APART),
    Rule("C003", "an entry is a .yaml file named by its slug", _KEPT_APART),
    Rule("C101", "every key is a word of the language", "a misspelt key would be ignored in silence"),
    Rule("C102", "no required key is missing", "a default for it would be a guess about the product"),
    Rule("C103", "a value is one that its key allows", "the limit stands in schemas/catalog.schema.json"),
    Rule("C201", "every figure has a source", _TRACE),
    Rule("C202", "no figure has two sources", "two would contradict each other sooner or later"),
    Rule("C203", "a source covers what its file states", "a stale source hides the next missing one"),
    Rule("C301", "the entry that is extended exists", "there is nothing to start from"),
    Rule("C302", "no entry extends itself", "the chain of entries would have no end"),
    Rule("C303", "the node of a rack exists", "a rack without nodes holds nothing"),
    Rule("C304", "a rack holds its nodes and parts", "two devices cannot share a rack unit"),
    Rule("C305", "a rack draws at least what its nodes draw", "feeds and batteries are sized by this figure"),
    Rule("C306", "a GPU is in one NVLink domain", "the domain is the node's or the rack's"),
    Rule("C307", "the product of a rack's part is one of its kind", "a power shelf carries what its product is rated"),
)

RULES = by_code(_TABLE)
found = partial(finding, RULES)
