"""Name formats: every rack and node of the site gets a host name of its own.

A format is literal text and fields, `{rack}` or `{rack:04}`. Python's format language is not
used to read it: attribute access, indexing and conversions have no meaning here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from topology.findings import Finding, Path, did_you_mean, shown
from topology.rules import found
from topology.source import YamlSource

Data = Mapping[str, Any]

_PIECE = re.compile(r"\{(?P<field>[a-z]+)(?::0(?P<width>[1-9]))?\}|(?P<text>[^{}]+)|(?P<rest>\{[^{}]*\}?|\})")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST = 63  # characters of a host name and of a Kubernetes label
_MOST_NODES = 128  # slots of a rack, as the schema has it


@dataclass(frozen=True, slots=True)
class Piece:
    """A field of a format, or the text between two."""

    field: str = ""
    width: int = 0  # digits a number is padded to; 0: as many as it has
    text: str = ""


def formats(data: Data, source: YamlSource) -> Iterator[Finding]:
    """Findings of the two formats, over a spec whose defaults are filled in."""
    halls = data["halls"]
    longest = max((hall["name"] for hall in halls), key=len)
    most = {
        "rack": max(hall["rows"] * hall["positions"] for hall in halls),
        "row": max(hall["rows"] for hall in halls),
        "position": max(hall["positions"] for hall in halls),
    }
    nodes = max((group["nodes_per_rack"] for group in data["compute"] if "nodes_per_rack" in group), default=1)
    rack = _Format("rack", data["names"]["rack"], "hall", longest, most)
    wrong = list(rack.findings())
    # a wrong rack name is no reason to find every node name wrong as well
    node = _Format("node", data["names"]["node"], "rack", "r1" if wrong else rack.longest(), {"node": nodes})
    for finding in (*wrong, *node.findings()):
        yield finding if source.holds(finding.path) else replace(finding, path=("halls",))


@dataclass(frozen=True, slots=True)
class _Format:
    """One format and what fills it."""

    key: str  # of the spec's `names`
    form: str
    name: str  # the field that is a name, not a number
    longest_name: str
    most: Mapping[str, int]  # number fields and the largest number of each

    @property
    def path(self) -> Path:
        return ("names", self.key)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with it; the later rules only when the earlier hold."""
        pieces = _pieces(self.form)
        wrong = [finding for piece in pieces for finding in self._piece(piece)]
        wrong = wrong or list(self._together(pieces))
        yield from wrong or self._result()

    def longest(self) -> str:
        """The longest name it can give: the longest hall or rack, and the largest numbers."""
        return "".join(self._fill(piece) for piece in _pieces(self.form))

    def _fill(self, piece: Piece) -> str:
        if not piece.field:
            return piece.text
        if piece.field == self.name:
            return self.longest_name
        most = max(self.most.get(piece.field, 1), _MOST_NODES if piece.field == "node" else 1)
        return f"{most:0{piece.width}}"

    def _piece(self, piece: Piece) -> Iterator[Finding]:
        known = (self.name, *self.most)
        fields = ", ".join(f"{{{field}}}" for field in known)
        if piece.field and piece.field not in known:
            guess = did_you_mean(piece.field, known)
            yield found("S312", f"names.{self.key} has an unknown field {{{piece.field}}}", self.path, guess)
        elif piece.field == self.name and piece.width:
            message = f"names.{self.key} pads {{{self.name}}}, which is a name"
            yield found("S312", message, self.path, f"write {{{self.name}}}")
        elif piece.field in self.most and 0 < piece.width < len(str(self.most[piece.field])):
            most = self.most[piece.field]
            message = f"names.{self.key} pads {{{piece.field}}} to {piece.width}, and the largest is {most:,}"
            yield found("S312", message, self.path, f"write {{{piece.field}:0{len(str(most))}}}")
        elif not re.fullmatch(r"[a-z0-9-]*", piece.text):
            message = f"names.{self.key} has {shown(piece.text)}, which is neither a field nor part of a name"
            help_ = f"write a-z, 0-9, '-' and the fields {fields}, numbers padded as in {{{known[-1]}:04}}"
            yield found("S312", message, self.path, help_)

    def _together(self, pieces: Sequence[Piece]) -> Iterator[Finding]:
        fields = [piece.field for piece in pieces if piece.field]
        twice = sorted({field for field in fields if fields.count(field) > 1})
        whole = [{"rack"}, {"row", "position"}] if self.key == "rack" else [{"node"}]
        if self.name not in fields or not any(part <= set(fields) for part in whole):
            words = " or ".join(" and ".join(f"{{{field}}}" for field in sorted(part)) for part in whole)
            help_ = f"use {{{self.name}}} and {words}"
            yield found("S312", f"names.{self.key} does not tell all {self.key}s apart", self.path, help_)
        elif twice:
            yield found("S312", f"names.{self.key} has {{{twice[0]}}} twice", self.path, "keep one")
        for place, piece in enumerate(pieces):
            before = [one for one in pieces[:place] if not one.text.isdigit()]
            if piece.field in self.most and not piece.width and before and before[-1].field:
                message = f"names.{self.key} sets {{{piece.field}}} right behind {{{before[-1].field}}}"
                help_ = f"put '-' or a letter between them, or pad the number, as in {{{piece.field}:04}}"
                yield found("S312", f"{message}: 1 and 11 look like 11 and 1", self.path, help_)

    def _result(self) -> Iterator[Finding]:
        name = self.longest()
        if not _HOST.fullmatch(name):
            help_ = "begin and end with a letter or a digit"
            yield found("S312", f"names.{self.key} gives {shown(name)}, no host name", self.path, help_)
        elif len(name) > _LONGEST:
            message = f"names.{self.key} gives {shown(name, 70)}, {len(name)} characters"
            yield found("S312", message, self.path, f"shorten it, or the hall's name: {_LONGEST} are the most")


def _pieces(form: str) -> list[Piece]:
    """Fields and texts of a format in order; what is neither comes back as text with its braces."""
    return [
        Piece(hit["field"] or "", int(hit["width"] or 0), hit["text"] or hit["rest"] or "")
        for hit in _PIECE.finditer(form)
    ]
