"""YAML text to values with places, in one pass over the parser's events.

The parser is ruamel.yaml's; composing is ours because its composer calls itself once per
level (5,000 brackets overflow the stack), shares what aliases name without counting it, and
drops the places of plain values. Depth, size and recursion are checked as events arrive, so
a hostile file is refused before it costs anything.
"""

from dataclasses import replace
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from topology.findings import Finding, did_you_mean, shown
from topology.rules import found
from topology.source import scalars
from topology.source.nodes import OpenCollection, Spot, YamlNode, at
from topology.source.syntax import NotYamlError, events, spot
from topology.source.text import hidden

MAX_DEPTH = 64
MAX_EVENTS = 60_000  # keys, values and their brackets as written: parsing takes a second for some 10,000
MAX_VALUES = 1_000_000  # of the whole document, aliases expanded
MAX_ALIASED = 100_000  # of those, reached through aliases: validation walks every one


class YamlTree:
    """One document: `root` is its top value, `findings` what is wrong with it.

    `texts` holds (start, end) of every quoted or block text, so that a '#' inside one is not
    taken for a comment; offsets count characters.
    """

    def __init__(self, text: str) -> None:
        self.root: YamlNode | None = None
        self.findings: list[Finding] = []
        self.texts: list[tuple[int, int]] = []
        self._anchors: dict[str, YamlNode | OpenCollection] = {}
        self._stack: list[OpenCollection] = []
        self._documents = 0
        self._values = 0
        self._aliased = 0
        try:
            for count, event in enumerate(events(text)):
                if count > MAX_EVENTS:
                    raise _stop("S128", f"more than {MAX_EVENTS:,} keys and values", spot(event), "split the file")
                self._take(event)
        except NotYamlError as stop:
            self.findings.append(stop.finding)

    def _take(self, event: Event) -> None:
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, CollectionStartEvent):
            self._start(event, {} if isinstance(event, MappingStartEvent) else [])
        elif isinstance(event, CollectionEndEvent):
            self._end()
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _stop("S124", "a second document starts here", spot(event), "keep one in a file")

    def _scalar(self, event: ScalarEvent) -> None:
        word, here, quoted = event.value, spot(event), event.style is not None
        self._refuse_tag(event)
        if quoted:
            self.texts.append((event.start_mark.index, event.end_mark.index))
        if name := hidden(word):
            self._report("S112", f"{name} in a text", here, "delete the character")
        top = self._stack[-1] if self._stack else None
        if top is not None and top.wants_key:
            if event.anchor:
                raise _stop("S132", f"anchor &{event.anchor} on a key", here, "anchor the value")
            self.findings.extend(top.take_key(word, here, quoted=quoted))
            return
        value, fault = (word, "") if quoted else scalars.plain(word)
        if fault:
            self._report("S133", fault, here, "write a finite decimal number, or quote it to make it text")
        if top is not None and top.key is not None and not word and not quoted:
            here = top.key_spot  # nothing is written there, and the parser is some lines further
        node = YamlNode(value, here)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._count(1, here)
        self._finish(node)

    def _start(self, event: CollectionStartEvent, empty: dict[str, Any] | list[Any]) -> None:
        here = spot(event)
        self._refuse_tag(event)
        if self._stack and self._stack[-1].wants_key:
            what = "mapping" if isinstance(empty, dict) else "list"
            raise _stop("S132", f"a {what} stands where a key is wanted", here, "a key is a word")
        if len(self._stack) >= MAX_DEPTH:
            raise _stop("S129", f"more than {MAX_DEPTH} levels", here, "check the brackets")
        self._count(1, here)
        growing = OpenCollection(YamlNode(empty, here), event.anchor)
        if event.anchor:
            self._anchors[event.anchor] = growing
        self._stack.append(growing)

    def _end(self) -> None:
        done = self._stack.pop()
        self.findings.extend(done.close())
        if done.anchor and self._anchors[done.anchor] is done:
            self._anchors[done.anchor] = done.node
        self._finish(done.node)

    def _alias(self, event: AliasEvent) -> None:
        here, name = spot(event), event.anchor
        target = self._anchors.get(name)
        if target is None:
            help_ = did_you_mean(name, self._anchors) or f"put &{name} before the value it stands for"
            raise _stop("S127", f"no anchor &{name} stands above", here, help_)
        if isinstance(target, OpenCollection):
            lines = f"anchor on line {target.node.spot[0]}, alias on line {here[0]}"
            raise _stop("S126", f"recursive anchor &{name}: {lines}", here, "write the value out")
        if self._stack[-1].wants_key:
            raise _stop("S132", f"alias *{name} stands where a key is wanted", here, "a key is a word")
        if len(self._stack) + target.height > MAX_DEPTH:
            raise _stop("S129", f"alias *{name} makes more than {MAX_DEPTH} levels", here, "write it flatter")
        self._aliased += target.size
        if self._aliased > MAX_ALIASED:
            message = f"aliases stand for {self._aliased:,} values; {MAX_ALIASED:,} are the limit"
            raise _stop("S128", message, here, "use fewer aliases of aliases")
        self._count(target.size, here)
        self._finish(replace(target, spot=here))

    def _finish(self, node: YamlNode) -> None:
        if self._stack:
            self._stack[-1].take(node)
        else:
            self.root = node

    def _count(self, values: int, here: Spot) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise _stop("S128", f"more than {MAX_VALUES:,} values", here, "split the file")

    def _refuse_tag(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._report("S123", f"tag {shown(tag)}", spot(event), "delete it, or quote the text")

    def _report(self, code: str, message: str, here: Spot, help_: str) -> None:
        self.findings.append(at(found(code, message, help=help_), here))


def _stop(code: str, message: str, here: Spot, help_: str) -> NotYamlError:
    return NotYamlError(at(found(code, message, help=help_), here))
