"""Pages that the real browser opens: Mermaid diagrams drawn by the real package, and pictures as they look."""

import base64
import html
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from topology.verify import browser

BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_PAGE = """<!DOCTYPE html><meta charset="utf-8"><body><pre id="results">not finished</pre>
<script type="application/json" id="given">{given}</script>
{scripts}
<script>
const given = JSON.parse(document.getElementById("given").textContent);
({function})(given).then((results) => {{
  document.body.textContent = "";
  const said = document.createElement("pre");
  said.id = "results";
  said.textContent = JSON.stringify(results);
  document.body.append(said);
}});
</script>
"""

_DRAW = """async (sources) => {
  const results = [];
  mermaid.initialize({startOnLoad: false});  // every limit as the package has it
  for (const [at, source] of sources.entries()) {
    try {
      await mermaid.parse(source);
      results.push({svg: (await mermaid.render("diagram" + at, source)).svg, error: ""});
    } catch (error) {
      results.push({svg: "", error: String(error.message || error)});
    }
  }
  return results;
}"""

# As an image, which is how GitHub shows a file: no script runs in it and nothing outside it is loaded.
_COLOURS = """async ({picture, points}) => {
  const image = new Image();
  image.src = "data:image/svg+xml;base64," + picture;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const paper = canvas.getContext("2d");
  paper.drawImage(image, 0, 0);
  const hex = (value) => value.toString(16).padStart(2, "0");
  return points.map(([x, y]) => "#" + [...paper.getImageData(x, y, 1, 1).data].slice(0, 3).map(hex).join(""));
}"""

_OUTSIDE = """async (pictures) => pictures.map((picture) => {
  document.body.innerHTML = picture;
  const paper = document.querySelector("svg").getBoundingClientRect();
  const outside = (box) => box.left < paper.left || box.right > paper.right || box.top < paper.top
    || box.bottom > paper.bottom;
  const words = [...document.querySelectorAll("svg > text, svg > g text")];
  return words.filter((word) => outside(word.getBoundingClientRect())).map((word) => word.textContent);
})"""


@dataclass(frozen=True)
class Drawn:
    """What mermaid made of a source: a drawing, or an error."""

    svg: str
    error: str


def mermaid_blocks(markdown):
    """Sources of the Mermaid diagrams in a Markdown text."""
    return BLOCK.findall(markdown)


def draw(sources):
    """The drawing or the error of each source, by the real package in the real browser."""
    results = [Drawn(**each) for each in _asked(_DRAW, list(sources), script=browser.mermaid())]
    return [drawn if "Maximum text size" not in drawn.svg else Drawn("", "Maximum text size") for drawn in results]


def colours(picture, points):
    """What colours an SVG shows at some places, pixels from its corner, as `#rrggbb`."""
    return _asked(_COLOURS, {"picture": base64.b64encode(picture.encode()).decode(), "points": points})


def words_outside(pictures):
    """Of each SVG, the texts that do not lie within it."""
    return _asked(_OUTSIDE, pictures)


def _asked(function, given, script=None):
    """What a function of a page returns for what it is given."""
    scripts = f'<script src="{script.as_uri()}"></script>' if script else ""
    data = json.dumps(given).replace("<", "\\u003c")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(_PAGE.format(scripts=scripts, given=data, function=function))
        answer = browser.show(page.as_uri(), "--virtual-time-budget=600000", "--dump-dom")
    found = re.search(r'<pre id="results">(.*?)</pre>', answer.out, re.DOTALL)
    assert found, answer
    assert found[1] != "not finished", answer.err
    return json.loads(html.unescape(found[1]))
