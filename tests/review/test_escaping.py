"""Nothing a spec holds leaves its place: no mention, link, image, tag, table cell or workflow command comes of it."""

import re
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topology.review.document import (
    Bullets,
    Chapter,
    Decision,
    Document,
    FileLines,
    Fold,
    Mark,
    Message,
    Name,
    Note,
    TextTable,
    Verdict,
    strong,
)
from topology.review.forms.escape import shown
from topology.review.forms.markdown import LEAST, LIMIT, inline, markdown
from topology.review.forms.text import text
from topology.review.pictures import DrawnBox, label, mermaid

HOSTILE = (
    "@team", "#123", "GH-7", "owner/repo#1", "![x](https://evil.example/x.png)", "<script>alert(1)</script>",
    "<img src=x>", "https://evil.example", "www.evil.example", "me@evil.example", "a|b", "`", "``x`", "```", "~~~",
    "</details>", "</code></summary><b>", "-->", "::error::x", "##[error]x", "%0A::error::", "\n::error::x",
    "\x1b[31mred", "\u202eabc", "**bold**", "[x](y)", "&lt;", "&#64;team", "deadbeef", "\\", "$x$", "'@team'", '"#1"',
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=12), min_size=1, max_size=4).map(
    " ".join
) | st.sampled_from(HOSTILE)


class Page(HTMLParser):
    """Text of a page outside code, and the tags in it."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.outside, self.inside, self.tags = 0, "", [], []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - the parser names them
        self.tags.append(tag)
        if tag in {"code", "pre"}:
            self.depth += 1
            self.inside.append("")

    def handle_endtag(self, tag):
        self.depth -= tag in {"code", "pre"}

    def handle_data(self, data):
        if self.depth:
            self.inside[-1] += data
        else:
            self.outside += data


def page(source: str) -> Page:
    read = Page()
    read.feed(cmarkgfm.github_flavored_markdown_to_html(source, Options.CMARK_OPT_UNSAFE))
    return read


def document(name: str) -> Document:
    """One text in every place that a text of a spec may have."""
    words = (Name(name), " and ", Message(name), " and ", strong(Name(name)))
    table = TextTable(("a", "b"), [(words, words)], (False, True))
    fold = Fold(
        (Name(name), " ", Message(name)), (Note(words), Bullets([words]), table, FileLines("diff", [(f"+{name}",)]))
    )
    chapter = Chapter("Power", blocks=(table, Bullets([words])), verdict=Verdict(Mark.LOOK, words))
    return Document(name, Mark.FAULT, words, words, table, table, (Decision(Mark.LOOK, words),), (chapter,), (fold,))


FINISHED = (
    "code",
    "b",
    "strong",
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "ul",
    "li",
    "p",
    "h3",
    "pre",
    "sub",
)


@given(TEXTS)
@example("@team #1 https://evil.example/ <b>")
@example("a ` b `` c")
def test_nothing_comes_of_a_text_in_the_page(name):
    made = markdown(document(name))
    read = page(made)
    assert set(read.tags) <= set(FINISHED)
    assert not re.search(r"[@#]\w|://|www\.|GH-\d|\b[0-9a-f]{7,40}\b", read.outside)
    assert read.tags.count("table") == 4
    assert read.tags.count("td") == 8
    assert read.tags.count("details") == 1
    assert made.count("\n</details>\n") == 1


@given(TEXTS)
def test_a_name_is_shown_to_the_letter(name):
    read = page(inline((Name(name),)))
    assert [" ".join(each.split()) for each in read.inside] == [" ".join(shown(name).split())]


@given(TEXTS)
@example("::error::x")
@example("x\r\n::add-mask::y")
def test_no_line_is_a_command_of_a_workflow(name):
    for made in (markdown(document(name)), text(document(name))):
        for line in re.split(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", made):
            assert not line.lstrip().startswith("::")
        assert "##[" not in made
        assert all(character.isprintable() or character == "\n" for character in made)


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_a_label_of_a_diagram_holds_nothing_but_text(lines):
    made = mermaid(
        [DrawnBox("n0", None, tuple(lines)), DrawnBox("n1", ("x",), ("x",))], {("n0", "n1"): (None, lines[0])}
    )
    plain = re.sub(r"#\d+;", "", label(lines[0]))
    assert re.fullmatch(r"[A-Za-z0-9 ,.:()+/%−→–-]*", plain)
    assert len(made.splitlines()) == 7
    assert made.count('"') == 6


@settings(max_examples=25)
@given(TEXTS, st.integers(LEAST, LIMIT), st.integers(0, 800))
def test_a_comment_keeps_its_limit_and_cuts_no_string(name, limit, rows):
    one = document(name)
    words = (Name(name), " and ", Message(name))
    table = TextTable(("a", "b"), [(words, (f"row {at}",)) for at in range(rows)], (False, True))
    many = Bullets([(*words, f" line {at}") for at in range(rows)])
    decisions = tuple(Decision(Mark.LOOK, (*words, f" decision {at}")) for at in range(rows))
    lines = FileLines("diff", [(f"+{at} {name}",) for at in range(rows)])
    large = Document(
        one.marker, one.mark, one.sentence, one.footer, one.figures, table, decisions,
        (Chapter("Power", blocks=(table, many), verdict=Verdict(Mark.FINE, ("— holds",))),),
        (Fold(("all",), (many, table)), Fold(("lines",), (lines,))),
    )  # fmt: skip
    made = markdown(large, limit)
    assert len(made) <= limit
    assert made.splitlines()[-1].endswith("</sub>")
    assert "✅ **Power** — holds" in made
    whole = inline(words, cell=True)
    for line in made.splitlines():
        if line.startswith("| ") and "row " in line:
            assert line.startswith(f"| {whole} | row ")
    kept = made.count(" decision ")
    assert kept == rows or re.search(rf"…and {rows - kept:,} more lines", made) or kept == 0
    assert made.count("\n<details>\n") == made.count("\n</details>\n") == page(made).tags.count("details")
