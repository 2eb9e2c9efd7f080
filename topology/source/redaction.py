"""What a secret looks like, and source lines without it: nothing secret is printed, ever."""

import re
from collections.abc import Iterator, Sequence

MASK = "********"

# Words of a key that promise a secret; the key itself may be written any way people do.
_KEY_WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|tokens?|credentials?|psk|"
    r"(?:api|access|private|secret|signing|ssh|bmc)[_-]?key|auth(?:orization)?[_-]?key"
)
_KEY = re.compile(rf"(?:^|[_.-]|(?<=[a-z0-9]))(?i:{_KEY_WORDS})s?(?:$|[_.-]|(?=[A-Z0-9]))")
_KEY_PARTS = ("pass", "pwd", "secret", "token", "credential", "psk", "key")  # one is in every secret key
_REFERENCE = re.compile(r"(?i)[_-]refs?$")  # names the place where a secret is kept, not the secret
# Every repetition is bounded: lines may be long, and hostile.
_VALUE = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
    r"|\bA(?:KI|SI)A[0-9A-Z]{16}\b"  # cloud access key
    r"|\bgh[pousr]_[A-Za-z0-9]{30}|\bgithub_pat_\w{30}|\bglpat-[\w-]{20}"  # forge tokens
    r"|\bxox[abprs]-[\w-]{10}|\bhvs\.[\w-]{20}|\bpul-[0-9a-f]{40}\b|\bnvapi-[\w-]{20}"
    r"|\beyJ[\w-]{8,200}\.eyJ[\w-]{8}"  # signed web token
    r"|\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,100}:[^\s/@]{1,100}@"  # password inside an address
)
_VALUE_PARTS = (  # one is in every secret value
    *("-----BEGIN", "AKIA", "ASIA", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "glpat-"),
    *("xox", "hvs.", "pul-", "nvapi-", "eyJ", "://"),
)
_LINE_KEY = re.compile(r"(?<![\w.-])([\w.-]{1,128})[\"']?\s*:")


def secret_key(key: str) -> bool:
    """Whether a value under this key would be a secret; keys ending in `_ref` only name one."""
    return bool(_KEY.search(key)) and not _REFERENCE.search(key)


def secret_value(text: str) -> bool:
    """Whether the text has the form of a known kind of key, token or address with a password."""
    return bool(_VALUE.search(text))


def mask_values(text: str) -> str:
    """The text, with every known kind of key, token or address with a password replaced, and all else as it was."""
    return _VALUE.sub(MASK, text)


def mask_secrets(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines, with everything that looks like a secret replaced up to the end of its line.

    Works on text that may not be YAML at all, so it masks too much rather than too little:
    lines that are indented deeper below a secret, and all of a private key, go as a whole.
    """
    # Most files hold nothing like a secret, and a million lines are looked through in one go.
    return tuple(_mask_each(lines) if _may_hold_secrets("\n".join(lines)) else lines)


def _mask_each(lines: Sequence[str]) -> Iterator[str]:
    deeper_than: int | None = None  # indentation of the secret that the lines below may belong to
    until: str | None = None  # what ends a secret of several lines; "" is the next line with text
    for line in lines:
        blank = not line.strip()
        indent = len(line) - len(line.lstrip())
        cut = _secret_from(line)
        if until is not None or (deeper_than is not None and indent > deeper_than and not blank):
            if until is not None and until in line and not blank:
                until = None
            yield MASK
        elif cut is not None:
            deeper_than = indent
            until = _end_of(line[cut:])
            yield line[:cut] + MASK
        else:
            deeper_than = deeper_than if blank else None
            yield line


def _end_of(secret: str) -> str | None:
    """What a later line must hold to end the secret that starts with this text; None: it ends here."""
    if "-----BEGIN" in secret:
        return None if "-----END" in secret else "-----END"
    if not secret.strip():
        return ""
    quote = secret[0]
    return quote if quote in "\"'" and secret.count(quote) % 2 else None


def _may_hold_secrets(text: str) -> bool:
    """Whether a search for parts of keys and values, which is quick, finds any."""
    lowered = text.lower()
    return any(part in lowered for part in _KEY_PARTS) or any(part in text for part in _VALUE_PARTS)


def _secret_from(line: str) -> int | None:
    """Where a secret begins in a line: behind the key that promises it, or at its own start."""
    if not _may_hold_secrets(line):
        return None
    starts = [hit.end() for hit in _LINE_KEY.finditer(line) if secret_key(hit.group(1))]
    starts += [hit.start() for hit in _VALUE.finditer(line)]
    if not starts:
        return None
    start = min(starts)
    return start + len(line[start:]) - len(line[start:].lstrip(" "))
