"""Bytes to text: what no YAML of ours may hold is refused here, before any parser sees it."""

import re
import unicodedata
from dataclasses import replace

from topology.findings import Finding
from topology.rules import found

BOM = "\ufeff"

# Everywhere, comments included: characters that move, hide or end a line for some readers only.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
# In keys and values also what takes no room on paper, and halves of characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_NAMES = {
    0x00: "NUL",
    0x1B: "ESC",
    0x7F: "DEL",
    0x85: "NEL",
    0x200B: "zero width space",
    0x2028: "line separator",
    0x2029: "paragraph separator",
    0x202E: "right-to-left override",
    0xFEFF: "byte order mark",
}
_KINDS = {"Cc": "control character", "Cs": "half a surrogate pair"}
_COMMENT_BEFORE = re.compile(r"(?:^|\s)#")
_DIRECTIVE = re.compile(r"(?:[ ]*(?:#[^\n]*)?\n)*%")


def decode(data: bytes) -> tuple[str, list[Finding]]:
    """Text of `data` with LF line ends and no leading byte order mark, and what is wrong with it.

    Findings carry line and column, not the file. The text comes back even then, for showing:
    bytes that are not UTF-8 stand in it as backslash escapes.
    """
    try:
        raw = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _unix(data.decode("utf-8", "backslashreplace")), [_not_utf8(data, error.start)]
    text = _unix(raw.removeprefix(BOM))
    return text, _faults(text, raw)


def hidden(text: str) -> str:
    """Name of the first character of `text` that nobody can see, or "" when there is none."""
    hit = _HIDDEN.search(text)
    return _character(hit.group()) if hit else ""


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_utf8(data: bytes, start: int) -> Finding:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = f"the file is UTF-16, not UTF-8 (byte {start} is 0x{data[start]:02x})"
    elif re.match(rb"\xed[\xa0-\xbf][\x80-\xbf]", data[start : start + 3]):
        message = f"half a surrogate pair at byte {start} (0x{data[start : start + 3].hex()})"
    else:
        message = f"byte {start} is 0x{data[start]:02x}, which is not UTF-8; Latin-1 or Windows-1252 text?"
    before = _unix(data[:start].decode("utf-8").removeprefix(BOM))
    return _at(found("S111", message, help="save the file as UTF-8"), before)


def _faults(text: str, raw: str) -> list[Finding]:
    """Forbidden characters first, since they make what follows untrustworthy."""
    if hit := _FORBIDDEN.search(raw, 1 if raw.startswith(BOM) else 0):
        message = f"{_character(hit.group())} at byte {_bytes_before(raw, hit.start())}"
        before = _unix(raw[: hit.start()].removeprefix(BOM))
        return [_at(found("S112", message, help="delete the character"), before)]
    if hit := _DIRECTIVE.match(text):
        finding = found("S122", "a '%' directive", help="delete the line; every file is read as YAML 1.2")
        return [_at(finding, text[: hit.end() - 1])]
    return _tabs(text, raw)


def _tabs(text: str, raw: str) -> list[Finding]:
    """One finding for the first tab outside a comment, counting the others."""
    if "\t" not in text:
        return []
    starts = [hit.start() for hit in re.finditer(r"(?m)^[^\n\t]*\t", text)]
    outside = [s for s in starts if not _COMMENT_BEFORE.search(text[s : text.index("\t", s)])]
    if not outside:
        return []
    at = text.index("\t", outside[0])
    tab = [hit.start() for hit in re.finditer("\t", raw)][text.count("\t", 0, at)]
    more = f"; {len(outside) - 1} more lines have one" if len(outside) > 1 else ""
    message = f"a tab at byte {_bytes_before(raw, tab)}{more}"
    return [_at(found("S113", message, help="use spaces"), text[:at])]


def _character(character: str) -> str:
    point = ord(character)
    kind = _KINDS.get(unicodedata.category(character), "invisible character")
    return f"{_NAMES.get(point, kind)} (U+{point:04X})"


def _bytes_before(raw: str, index: int) -> int:
    return len(raw[:index].encode())


def _at(finding: Finding, before: str) -> Finding:
    return replace(finding, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
