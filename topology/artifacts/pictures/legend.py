"""The legend of a picture: what its colours and hatchings mean."""

from dataclasses import dataclass, replace

from topology.artifacts.pictures.drawing import GLYPH_EM, NO_STAGE, length, stage_colour
from topology.plan import Plan

SWATCH_EM = 1.6
GAP_EM = 1.6
LINE_EM = 1.7


@dataclass(frozen=True, slots=True)
class Swatch:
    """A colour of the style sheet; `key` is the stage's number, x where there is none."""

    key: str
    colour: str
    tile: str  # width of the hatching's tile
    line: str  # width of its line


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A sample and its words, at a place that starts at 0, 0 until the entry is moved."""

    kind: str
    words: str
    x_m: float
    y_m: float
    font_m: float
    x: str = ""
    y: str = ""
    width: str = ""
    height: str = ""
    text_x: str = ""
    text_y: str = ""

    def at(self, x_m: float, y_m: float, per_m: float) -> "LegendEntry":
        """The entry in units of the picture."""
        left, top, font = (x_m + self.x_m) * per_m, (y_m + self.y_m) * per_m, self.font_m * per_m
        return replace(
            self,
            x=length(left),
            y=length(top),
            width=length(SWATCH_EM * font),
            height=length(font),
            text_x=length(left + (SWATCH_EM + 0.4) * font),
            text_y=length(top + 0.85 * font),
        )


def lay_out(words: list[tuple[str, str]], width: float, font: float) -> tuple[list[LegendEntry], float]:
    """Entries in lines no wider than `width`, and the height of all lines."""
    entries: list[LegendEntry] = []
    x = y = 0.0
    for kind, text in words:
        wide = (SWATCH_EM + 0.4 + len(text) * GLYPH_EM) * font
        if x > 0 and x + wide > width:
            x, y = 0.0, y + LINE_EM * font
        entries.append(LegendEntry(kind, text, x, y, font))
        x += wide + GAP_EM * font
    return entries, y + LINE_EM * font


def swatches(plan: Plan, font: float) -> tuple[Swatch, ...]:
    """Colours of the stages, and of what is in none; a line of the hatching every third of a letter."""
    tile, line = length(font / 3), length(font / 9)
    colours = {str(at): stage_colour(at) for at in range(len(plan.spec.stages))} | {"x": NO_STAGE}
    return tuple(Swatch(key, colour, tile, line) for key, colour in colours.items())
