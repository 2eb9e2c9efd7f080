"""One word of YAML to one value, by one rule.

**true, false, null and JSON's numbers are what they look like; every other word stays the
text the user wrote.** So `no`, `017`, `1:30`, `1_000`, `0x1F`, `~` and `2026-01-15` are text
in every version of YAML, and a key that wants a number says so instead of reading 017 as 15.
A number without a fraction is a whole number however it is written: `8.0` is 8.
"""

import math
import re
from typing import Any

MAX_DIGITS = 30  # 10^20 racks still get the range error that names the limit

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "": None}
_EXACT = 2.0**53  # above it a float no longer tells whole numbers apart


def plain(word: str) -> tuple[Any, str]:
    """Value of an unquoted word, and what is wrong with it ("" when nothing is)."""
    if word in _WORDS:
        return _WORDS[word], ""
    if _NOT_FINITE.fullmatch(word):
        return 0, f"{word} is not a finite number"
    if _NUMBER.fullmatch(word) is None:
        return word, ""
    if len(word) > MAX_DIGITS:
        return 0, f"a number of {len(word):,} characters; {MAX_DIGITS} are enough"
    return _number(word)


def is_text(word: str) -> bool:
    """Whether an unquoted word is text rather than a number, true, false or nothing."""
    return word not in _WORDS and not _NUMBER.fullmatch(word) and not _NOT_FINITE.fullmatch(word)


def _number(word: str) -> tuple[int | float, str]:
    """The number a JSON reader would see, whole ones as int."""
    if _WHOLE.fullmatch(word) and word != "-0":
        return int(word), ""
    value = float(word)
    if not math.isfinite(value):
        return 0, f"{word} is beyond the largest number a computer holds"
    if value == 0 and word.startswith("-"):
        return 0, f"{word} is a negative zero"
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value, ""
