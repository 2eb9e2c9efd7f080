"""What a comment may hold: all that a review writes, and nothing that becomes more than text on GitHub."""

from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topology.ci.bodies import FORK, MOST_CHARACTERS, ForgedError, check_body, unchanged_text

ROOT = Path(__file__).parents[2]
MARKER = "<!-- topology:stacks/one/cluster.yaml -->"
REVIEWS = sorted(path for path in ROOT.glob("tests/**/*.md") if path.read_text().startswith("<!-- topology:"))

LIVE = {
    "HTML": ["<script>alert(1)</script>", "<img src=x>", "a <a href=b>c</a>", "<!-- topology:other -->", "&lt;b"],
    "link or an image": ["[a](b)", "![a](b)", "[a]: b", "[a][b]", "`a` [b](c)"],
    "address": ["see https://example.org", "www.example.org", "ftp://a"],
    "mention": ["ask @team", "&#64;team", "a@b", "`a` @team", "``@team`` @x"],
    "reference": ["#12", "fixes #1", "GH-12", "owner/repo#12", "&#12"],
    "without an end": ["`a", "\\`@team`", "a ` b\n\n` @team `", "| ` | @team ` |", "``a`"],
    "in a block of HTML": ["<details>\n<summary>`@team`</summary>"],
    "begin its line": ["- <details>`@team`", "text <summary>a</summary>"],
    "all of its line": ["- <sub>", "<code>"],
    "of another form": ["    @team", "~~~\n@team\n~~~", "<details>\n```\n@team\n```", "a ```b```"],
    "block of code without": ["```\n@team"],
    "with another end": ["```\na\n````\n@team\n```", "```\na\n ```\n@team\n```"],
    "in a diagram": [
        "```mermaid\nflowchart TB\nclick a href b\n```",
        "```mermaid\n%%{init: {}}%%\n```",
        "```mermaid\na[<img src=x>]\n```",
        "```mermaid\na[https://example.org]\n```",
    ],
}
CASES = [(kind, text) for kind, texts in LIVE.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), CASES, ids=[text for _, text in CASES])
def test_what_becomes_more_than_text_is_refused(kind, text):
    with pytest.raises(ForgedError, match=kind):
        check_body(f"{MARKER}\n{text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "✅ **256 racks** more: `@team`, `#12`, `https://example.org` and <code>&lt;b&gt; @x</code>",
        "| a | b |\n|---|--:|\n| `x\\|y` | 1,000 |",
        "<details>\n<summary>Changed lines of <code>a@b</code></summary>\n\n```diff\n-  <b> @team #1 https://x\n```\n\n</details>",
        '```mermaid\nflowchart TB\n  a["1,568 leaf<br/>400G"] --> b\n```',
        "<sub>`abc:a.yaml` → `def:a.yaml`. Every changed row: `topology diff --format json`.</sub>",
        "- ❌ **`S353`** 49 more — `stacks/colossus/cluster.yaml:65`",
        FORK,
    ],
)
def test_what_a_review_writes_is_taken(text):
    body = check_body(f"{MARKER}\n{text}\n")
    assert (body.spec, body.marker) == ("stacks/one/cluster.yaml", MARKER)
    assert live(text) == []


def test_every_review_on_record_is_taken_and_shows_nothing_live():
    for path in REVIEWS:
        text = path.read_text()
        assert check_body(text).text == text, path
        assert live(text.partition("\n")[2]) == [], path


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"text\n{MARKER}", "no marker"),
        ("<!-- topology:a--b -->\n", "no marker"),
        ("<!-- topology:a>b -->\n", "no marker"),
        ("<!-- topology:\x1b -->\n", "no marker"),
        (f"{MARKER}\n\x1b[31m", "control character"),
        (f"{MARKER}\n\u202e", "control character"),
        (f"{MARKER}\n" + "a" * MOST_CHARACTERS, "65,5.. characters|a comment takes"),
    ],
)
def test_a_text_without_its_marker_or_too_long_is_refused(text, kind):
    with pytest.raises(ForgedError, match=kind):
        check_body(text)


def test_the_longest_body_is_taken():
    start = f"{MARKER}\n"
    assert check_body(start + "a" * (MOST_CHARACTERS - len(start))).text.endswith("a")


def test_the_word_for_a_spec_that_is_as_before_is_taken():
    assert check_body(unchanged_text("a/cluster.yaml"), only_update=True).only_update


TAGS = ("<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>")
CALLS = ("@team", "#12", "&#64;x", "https://x", "www.a.b", "[a](b)")
BLOCKS = (
    "\n```\n",
    "\n````\n",
    "\n<details>\n",
    "\n</details>\n",
    "<summary>a</summary>\n",
    "\n- ",
    "\n> ",
    "\n|---|\n",
)
MARKS = ("``", "```", "\n\n", "    ", "| ", "a", "mermaid", *"`|<>@#1 \n-*\\&;[]()!:")
PIECES = st.sampled_from((*TAGS, *CALLS, *BLOCKS, *MARKS))


@settings(max_examples=3000)
@given(st.lists(PIECES, max_size=16).map("".join))
@example("<code>https://x</code>")
def test_no_text_that_is_taken_shows_anything_live(text):
    """GitHub's own parser is the judge: outside code there is no mention, address, reference or foreign tag."""
    try:
        check_body(f"{MARKER}\n{text}")
    except ForgedError:
        return
    assert live(text) == []


def live(text):
    """What GitHub would make something of, in the page that its parser makes of a text."""
    page = Page()
    options = Options.CMARK_OPT_UNSAFE  # GitHub shows HTML, less what it finds dangerous
    page.feed(cmarkgfm.github_flavored_markdown_to_html(text, options))
    page.close()
    return page.found


PARTS = ("p", "br", "code", "pre", "details", "summary", "sub", "b", "strong", "em", "del", "blockquote", "hr", "div")
LISTS = ("ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "input")
TABLE = ("table", "thead", "tbody", "tr", "th", "td")


class Page(HTMLParser):
    """Foreign tags, and text outside code that GitHub links."""

    def __init__(self):
        super().__init__()
        self.found, self.inside = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in {*PARTS, *LISTS, *TABLE}:
            self.found.append(tag)
        if tag in {"code", "pre"}:
            self.inside.append(tag)
        if any(name in {"href", "src"} or name.startswith("on") for name, _ in attrs):
            self.found.append(attrs)

    def handle_endtag(self, tag):
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_comment(self, data):
        self.found.append(data)

    def handle_data(self, data):
        if not self.inside and ("@" in data or "://" in data or "www." in data or "#1" in data):
            self.found.append(data)
