"""Texts that would be more than text if one place of a form let them, and what GitHub's parser makes of a page."""

import re
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

HOSTILE = (
    "@team", "#123", "GH-7", "owner/repo#1", "(www.evil.example/phish", "![x](https://evil.example/x.png)",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "https://evil.example", "www.evil.example",
    "me@evil.example", "mailto:me@evil.example", "a|b", "a\\|b", "`", "``x`", "```", "~~~", "```mermaid", "```geojson",
    "</details>", "</code></summary><b>", "-->", "::error::x", "##[error]x", "%0A::error::", "\n::error::x",
    "\x1b[31mred", "\u202eabc", "**bold**", "[x](y)", "[x]: https://evil.example", "&lt;", "&#64;team", "deadbeef",
    "(deadbee1)", "\\", "$x$", "$$x$$", "'@team'", '"#1"', "# APPROVED", "> [!CAUTION]", "- [x] done", "1. one", "===",
    "---", ":shipit:", "/merge", '%"milestone"', "~label", "!12", 'click n0 href "//evil.example"',
    'graph TD;A-->B;click A href "//x"', "fa:fa-car", "&lt;img src=x&gt;", "{{ 7 * 7 }}", '=HYPERLINK("//x")',
    "\n\n# APPROVED\n", "a\u2028::error::b",
)  # fmt: skip
LIVE = re.compile(r"[@#]\w|://|www\.|GH-\d|\b[0-9a-f]{7,40}\b|:[\w+-]+:|(?:^|\s)/\w|\[!", re.IGNORECASE)
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


class Page(HTMLParser):
    """Text of a page outside code, and the tags in it."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.outside, self.inside, self.tags, self.languages = 0, "", [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.languages += [value for name, value in attrs if name == "lang"]
        if tag in {"code", "pre"}:
            self.depth += 1
            self.inside.append("")

    def handle_endtag(self, tag):
        self.depth -= tag in {"code", "pre"}

    def handle_data(self, data):
        if self.depth:
            self.inside[-1] += data
        else:
            self.outside += f"{data}\0"  # a filter of GitHub sees one text between two tags


def page(source: str) -> Page:
    read = Page()
    read.feed(cmarkgfm.github_flavored_markdown_to_html(source, Options.CMARK_OPT_UNSAFE))
    return read
