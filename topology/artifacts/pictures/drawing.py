"""What pictures are drawn with: lengths as text, colours of stages, words that fit."""

import colorsys

# Okabe and Ito, "Color Universal Design" (2008), without black: told apart with any colour vision.
_FIRST = ("#56b4e9", "#e69f00", "#2bb98f", "#f0e442", "#d598bd", "#6f9bd8", "#e08a4f")
NO_STAGE = "#c8c8c8"
_GOLDEN = 0.618034  # turns of the colour circle between stages after those: no two neighbours are alike
PER_M = 10  # units of the floor plan per metre
GLYPH_EM = 0.6  # width of a character of the sans-serif faces that browsers have, in its font size


def stage_colour(stage: int) -> str:
    """Colour of a stage by its place in the spec; a stage added at the end changes none of the others."""
    if stage < len(_FIRST):
        return _FIRST[stage]
    red, green, blue = colorsys.hls_to_rgb((stage * _GOLDEN) % 1.0, 0.72, 0.55)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def length(value: float) -> str:
    """A coordinate with at most two decimals and no zeros that say nothing.

    >>> length(12.50), length(-0.001), length(3.0)
    ('12.5', '0', '3')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def units(metres: float) -> str:
    """A distance of the floor plan as its coordinate."""
    return length(metres * PER_M)


def plural(word: str, count: int) -> str:
    """The word, with an s unless there is one of them."""
    return word if count == 1 else f"{word}s"


def shorten(text: str, width: float, font_size: float) -> str:
    """The text, cut with an ellipsis where it would be wider than `width`."""
    most = max(int(width / (font_size * GLYPH_EM)), 1)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def spans(numbers: list[int]) -> str:
    """Sorted numbers with runs folded, for people.

    >>> spans([1, 2, 3, 7])
    '1-3, 7'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)
