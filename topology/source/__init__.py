"""A YAML text twice over: what it says, and where it says it.

Every file of ours is read here once, by one strict rule set (`text`, `scalars`, `tree`): no
tags, directives, duplicate keys, tabs or invisible characters, nothing deeper than 64 levels,
aliases counted. What comes out is plain data: dict, list, str, int, float, bool and None.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any, Self

from topology.findings import Finding, FindingsError, Path, shown
from topology.rules import found
from topology.source import ignores
from topology.source.file_bytes import display, file_bytes, within_size
from topology.source.nodes import Spot, YamlNode
from topology.source.redaction import mask_secrets
from topology.source.text import decode
from topology.source.tree import YamlTree


@dataclass(frozen=True, slots=True)
class YamlSource:
    """One YAML file: `data` is what it says, `place` is where it says it."""

    name: str  # as findings name the file
    data: dict[str, Any]
    sha256: str  # hex digest of the bytes that were read
    _text: str = field(repr=False)
    _root: YamlNode = field(repr=False)
    _ignores: tuple[ignores.Ignore, ...] = field(repr=False)
    _wrong_ignores: tuple[Finding, ...] = field(repr=False)

    @classmethod
    def read(cls, path: FilePath, root: FilePath | None = None) -> Self:
        """YamlSource of the file at `path`; with `root`, only of a file under it, links followed.

        Raises:
            FindingsError: The file cannot be read (S101 to S104) or is not our YAML (S11x to S13x).
        """
        return cls.parse(display(path), file_bytes(path, root))

    @classmethod
    def parse(cls, name: str, data: bytes) -> Self:
        """YamlSource of bytes already read, such as standard input; findings call it `name`.

        Raises:
            FindingsError: The bytes are too many or not our YAML; every finding is located.
        """
        text, findings = decode(within_size(data, name))
        tree = YamlTree(text) if not findings else None
        if tree is not None:
            findings = tree.findings or _not_a_mapping(tree.root, text)
        if findings or tree is None or tree.root is None:
            placed = sorted((replace(f, file=name) for f in findings), key=_reading_order)
            raise FindingsError(placed, {name: mask_secrets(text.split("\n"))})
        accepted, wrong = ignores.ignores(text.split("\n"), tree.texts) if "topology:" in text else ([], [])
        digest = sha256(data).hexdigest()
        return cls(name, tree.root.value, digest, text, tree.root, tuple(accepted), tuple(wrong))

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines for showing: what looks like a secret is masked."""
        return mask_secrets(self._text.split("\n"))

    def place(self, path: Path) -> Spot:
        """1-based (line, column) of the value at `path`, else of its nearest parent.

        What an alias or `<<` brings in stands where it was written; the alias itself stands
        where it is used.
        """
        node = self._root
        for step in path:
            if step not in node.items:
                break
            node = node.items[step]
        return node.spot

    def holds(self, path: Path) -> bool:
        """Whether the text has a value at `path`."""
        node = self._root
        for step in path:
            if step not in node.items:
                return False
            node = node.items[step]
        return True

    def key_place(self, path: Path) -> Spot:
        """1-based (line, column) of the key at the end of `path`; of the value where no key stands."""
        node = self._root
        for step in path[:-1]:
            if step not in node.items:
                return node.spot
            node = node.items[step]
        return node.keys.get(str(path[-1]), self.place(path)) if path else node.spot

    def paths_on(self, first: int, last: int) -> list[Path]:
        """Paths of the values that start, or whose keys stand, on lines `first` to `last`, in reading order."""
        found: list[tuple[Spot, Path]] = []
        nodes: list[tuple[Path, YamlNode]] = [((), self._root)]
        while nodes:
            path, node = nodes.pop()
            for step, inner in node.items.items():
                spot = node.keys.get(str(step), inner.spot)
                if first <= spot[0] <= last or first <= inner.spot[0] <= last:
                    found.append((spot, (*path, step)))
                nodes.append(((*path, step), inner))
        return [path for _, path in sorted(found, key=lambda pair: (pair[0], len(pair[1]), str(pair[1])))]

    def at_key(self, finding: Finding) -> Finding:
        """The finding, standing at the key of its path instead of the value."""
        line, column = self.key_place(finding.path)
        return replace(finding, file=self.name, line=line, column=column)

    def locate(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings with file, line and column filled in, in reading order.

        One that has a line already keeps it, as does one that points into another file.
        Findings that say the same of the same place (a mapping used by several aliases) become
        one with their counts added.
        """
        placed: dict[tuple[object, ...], Finding] = {}
        for finding in findings:
            one = finding
            if not finding.line and finding.file in ("", self.name):
                line, column = self.place(finding.path)
                one = replace(finding, file=self.name, line=line, column=column)
            elif not finding.file:
                one = replace(finding, file=self.name)
            key = (one.code, one.file, one.line, one.column, one.message)
            placed[key] = replace(placed[key], count=placed[key].count + one.count) if key in placed else one
        return sorted(placed.values(), key=_reading_order)

    def apply_ignores(self, findings: Sequence[Finding], *, complete: bool = True) -> list[Finding]:
        """The findings, located; those that a comment accepts are notes carrying its reason.

        What is wrong with the comments themselves is added. `complete=False` is for a run that
        stopped early: a comment without a finding may then belong to a later step.
        """
        applied = ignores.apply(self._ignores, self.locate(findings), complete=complete)
        return self.locate([*applied, *self._wrong_ignores])


def _not_a_mapping(root: YamlNode | None, text: str) -> list[Finding]:
    """Finding when the text holds no top mapping; says what it holds."""
    if root is not None and isinstance(root.value, dict):
        return []
    if root is None or root.value is None:
        what = "the file holds only comments" if text.strip() else "the file is empty"
    elif isinstance(root.value, list):
        what = f"the file holds a list of {len(root.value)}"
    else:
        what = f"the file holds the single value {shown(root.value)}"
    line, column = root.spot if root is not None else (1, 1)
    help_ = "start with lines of the form key: value"
    return [replace(found("S125", what, help=help_), line=line, column=column)]


def _reading_order(finding: Finding) -> tuple[str, int, int, str]:
    return finding.file, finding.line, finding.column, finding.code
