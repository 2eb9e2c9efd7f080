"""No text leaves its place, whoever wrote it: no mention, link, image, tag, heading or command comes of it."""

import re

from hostile import FINISHED, HOSTILE, LIVE, page
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topology.ci.bundle import review_of
from topology.cli.diff import LEAST_CHARACTERS
from topology.review.document import (
    Bullets,
    Chapter,
    Decision,
    Document,
    DrawnBox,
    DrawnEdge,
    FileLines,
    Fold,
    Mark,
    Name,
    Note,
    Picture,
    TextTable,
    Verdict,
    strong,
)
from topology.review.forms.data import data_line
from topology.review.forms.escape import shown
from topology.review.forms.markdown import LEAST, LIMIT, inline, markdown
from topology.review.forms.mermaid import label, mermaid
from topology.review.forms.text import text

TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=12), min_size=1, max_size=4).map(
    " ".join
) | st.sampled_from(HOSTILE)


def document(name: str) -> Document:
    """One text in every place that a text may have, ours included, and halves of it side by side."""
    half = len(name) // 2
    words = (Name(name), " and ", name, strong(Name(name), name), Name(name), name[:half], name[half:])
    table = TextTable((name, "b"), [(words, words)], (False, True))
    picture = Picture((DrawnBox(None, (name, name)), DrawnBox((name,), ("x",))), (DrawnEdge(0, 1, name, None),))
    lines = FileLines("diff", [(f"+{name}", name)])
    fold = Fold((name, Name(name), " ", name), (Note((name,)), Bullets([(name,), words]), table, lines, picture))
    chapter = Chapter(name, blocks=(table, Bullets([words]), Note(words)), verdict=Verdict(Mark.LOOK, (name, *words)))
    return Document(name, Mark.FAULT, words, words, table, table, (Decision(Mark.LOOK, words),), (chapter,), (fold,))


@given(TEXTS)
@example("@team #1 https://evil.example/ <b>")
@example("a ` b `` c")
@example("(www.evil.example/phish")
def test_nothing_comes_of_a_text_in_the_page(name):
    made = markdown(document(name))
    read = page(made)
    assert set(read.tags) <= set(FINISHED)
    assert not LIVE.search(read.outside), LIVE.search(read.outside)
    counts = {tag: read.tags.count(tag) for tag in ("table", "td", "details", "h3", "ul", "li")}
    assert counts == {"table": 4, "td": 8, "details": 1, "h3": 2, "ul": 3, "li": 4}
    assert read.languages == ["diff", "mermaid"]


@given(TEXTS)
def test_what_crosses_to_the_commenting_job_says_the_same_there(name):
    one = document(name)
    read, measures, only_update = review_of(data_line(one, {"changes": 1}))
    assert markdown(read) == markdown(one)
    assert (measures, only_update) == ({"changes": 1}, False)


def test_two_spans_of_code_side_by_side_stay_two():
    read = page(inline((Name("@team `"), Name("b"), "@x", strong("`"), Name("`"))))
    assert not LIVE.search(read.outside)
    assert read.inside == ["@team `", "b", "@x", "`", "`"]


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
    boxes = (DrawnBox(None, tuple(lines)), DrawnBox(("x",), ("x",)))
    made = mermaid(Picture(boxes, (DrawnEdge(0, 1, None, f"{lines[0]}x"),)))
    plain = re.sub(r"#\d+;", "", label(lines[0]))
    assert re.fullmatch(r"[A-Za-z0-9 ,.()+/%−→–-]*", plain)
    assert len(made) == 7
    assert "\n".join(made).count('"') == 6


def test_an_edge_shows_the_label_that_it_has_and_no_zero():
    edges = [
        DrawnEdge(0, 1, *pair) for pair in (("", None), (None, ""), (None, "8"), ("8", None), ("8", "9"), ("", ""))
    ]
    drawn = mermaid(Picture((DrawnBox(("a",), ("a",)),) * 2, tuple(edges)))[-6:]
    assert [line.strip() for line in drawn] == [
        "n0 -.-> n1", "n0 ==> n1", 'n0 ==>|"8"| n1', 'n0 -.->|"8"| n1', 'n0 ==>|"8 → 9"| n1', "n0 --> n1",
    ]  # fmt: skip


WORDS = st.lists(TEXTS | TEXTS.map(Name) | st.just("x" * 3_000) | st.just(Name("`" * 700)), min_size=1, max_size=3).map(
    tuple
)
MANY = st.integers(0, 300)


@st.composite
def blocks(draw):
    """A block of any size; its rows are told apart by their numbers."""
    words, many = draw(WORDS), draw(MANY)
    rows = [(*words, f" row {at} ") for at in range(many)]
    made = (
        TextTable(("a", "b"), [(row, words) for row in rows], (False, True)),
        Bullets(rows),
        FileLines("diff", [(f"+{at}", "x" * draw(st.sampled_from([5, 70_000]))) for at in range(many % 9)]),
        Note(words),
        Picture((DrawnBox(None, ("x" * (many * 90),)),), ()),
    )
    return draw(st.sampled_from(made))


@st.composite
def documents(draw):
    """A document whose parts may all be larger than a comment."""
    fold = st.builds(
        lambda at, held: Fold((f"fold {at}",), tuple(held)), MANY, st.lists(blocks(), min_size=1, max_size=3)
    )
    verdicts = st.builds(Verdict, st.sampled_from(Mark), WORDS)
    chapter = st.builds(
        lambda held, verdict: Chapter("Power", blocks=tuple(held), verdict=verdict),
        st.lists(blocks(), max_size=3),
        verdicts,
    )
    table, words = TextTable(("a",), [(draw(WORDS),)] * draw(MANY), (False,)), draw(WORDS)
    decisions = tuple(Decision(Mark.LOOK, (f"decision {at} ", *words)) for at in range(draw(MANY)))
    sections, folds = draw(st.lists(chapter, max_size=4)), draw(st.lists(fold, max_size=12))
    return Document(draw(TEXTS), Mark.LOOK, words, words, table, table, decisions, tuple(sections), tuple(folds))


def counted(made: str, word: str) -> int:
    """How many of something a text says it leaves out."""
    return sum(int(n.replace(",", "")) for n in re.findall(rf"^…and ([\d,]+) more {word}s?, all", made, re.MULTILINE))


def test_the_command_refuses_what_the_form_would_refuse() -> None:
    """The command does not load the forms to parse its options, so the least length stands there, too."""
    assert LEAST_CHARACTERS == LEAST


@settings(max_examples=60, deadline=None)
@given(documents(), st.integers(LEAST, LIMIT))
def test_whatever_the_document_all_that_is_left_out_is_counted_and_folds_go_before_decisions(one, limit):
    made = markdown(one, limit)
    assert len(made) <= limit
    kept = len(re.findall(r"^- ⚠️ decision \d+", made, re.MULTILINE))
    assert kept + counted(made, "decision") == len(one.decisions)
    folds = made.count("<summary>fold ")
    assert folds == made.count("\n<details>\n") == made.count("\n</details>\n") == page(made).tags.count("details")
    parts = len([table for table in (one.figures, one.stages) if table.rows]) + len(one.sections) + len(one.folds)
    if kept < len(one.decisions):
        assert (folds, counted(made, "fold")) == (0, len(one.folds))
    elif not counted(made, "part"):
        assert folds == len(one.folds)
    assert counted(made, "part") <= parts


def test_one_line_of_70_000_characters_is_cut_and_hides_nothing():
    lines = FileLines("diff", [("@@ line 1 @@", "+" + "x" * 70_000), ("@@ line 9 @@", "+y")])
    fold = Fold(("2 changed lines",), (lines,))
    made = markdown(Document("a.yaml", Mark.FINE, ("fine",), (), folds=(fold,)))
    assert "<summary>2 changed lines</summary>" in made
    assert "xxx …and 69,001 characters more" in made
    assert "\n+y\n" in made
