"""A picture as the text of a Mermaid diagram, in which a label holds nothing but text."""

import re

from topology.review.document import DrawnBox, DrawnEdge, Picture
from topology.review.forms.escape import shown

MOST_EDGES = 200  # GitHub draws at most 500 edges and 50,000 characters
MOST_CHARACTERS = 20_000
_SAFE = re.compile(r"[^A-Za-z0-9 ,.()+/%−→–-]")
_ICON = re.compile(r"(?<=:)(?=fa-)")  # fa:fa-car would be drawn as a car, numbers or not: a space of no width parts it
_CLASSES = (
    "classDef new fill:#d2f4d3,stroke:#1a7f37,color:#1f2328",
    "classDef changed fill:#fff3c4,stroke:#9a6700,color:#1f2328",
    "classDef gone fill:#ffdcd7,stroke:#cf222e,color:#1f2328,stroke-dasharray:4 3",
)


def mermaid(picture: Picture) -> list[str]:
    """Lines of the diagram; none when it would pass the limits."""
    lines = ["flowchart TB", *(f"  {line}" for line in _CLASSES)]
    lines += [_box(f"n{at}", box) for at, box in enumerate(picture.boxes)]
    lines += [_edge(edge) for edge in picture.edges]
    fits = len(picture.edges) <= MOST_EDGES and sum(len(line) + 1 for line in lines) <= MOST_CHARACTERS
    return lines if fits else []


def label(text: str) -> str:
    """Text of a label: whatever Mermaid could read as more than text as its character number."""
    return _SAFE.sub(lambda found: f"#{ord(found[0])};", _ICON.sub("\u200b", shown(text)))


def _edge(edge: DrawnEdge) -> str:
    """A line with its label, of one that is gone the label it had."""
    was, now = edge.base, edge.head
    words = f"{was} → {now}" if was and now and was != now else now or was
    arrow = "-.->" if now is None else "==>" if was != now else "-->"
    return f"  n{edge.start} {arrow}" + (f'|"{label(words)}"|' if words else "") + f" n{edge.end}"


def _box(key: str, box: DrawnBox) -> str:
    """A box with its lines, a changed one as `base → head`."""
    lines = box.head if box.head is not None else box.base or ()
    mark = ":::new" if box.base is None else ":::gone" if box.head is None else ":::changed" * (box.base != box.head)
    if box.base is not None and box.head is not None and len(box.base) == len(box.head):
        pairs = zip(box.base, box.head, strict=True)
        lines = tuple(now if was == now else f"{was} → {now}" for was, now in pairs)
    return f'  {key}["{"<br/>".join(map(label, lines))}"]{mark}'
