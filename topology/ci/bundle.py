"""The texts that the comparing job left: an artifact of a workflow run, read in memory and believed in nothing.

No path of the archive is ever opened on the disk. Names, sizes and the number of files are held against
what the comparing job writes; the sizes are those that come out, not those that the archive states.
"""

import io
import re
import zipfile
import zlib

from topology.ci.bodies import MOST_CHARACTERS, Body, ForgedError, check_body

ARTIFACT = "topology-comments"
MOST_BYTES = 4 * 1024 * 1024  # of the archive
MOST_FILES = 50
_NAME = re.compile(r"(changed|same)-[0-9]{3}\.md")
_MOST_TEXT_BYTES = 4 * MOST_CHARACTERS  # UTF-8 takes four bytes a character at most


def bodies(archive: bytes) -> list[Body]:
    """Bodies of the comments, in the order of their names.

    Raises:
        ForgedError: the archive, or a text in it, is not what the comparing job writes.
    """
    if len(archive) > MOST_BYTES:
        raise ForgedError(f"an archive of {len(archive):,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _bodies(opened)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ForgedError(f"no archive that can be read ({type(error).__name__})") from None


def _bodies(opened: zipfile.ZipFile) -> list[Body]:
    entries = opened.infolist()
    if len(entries) > MOST_FILES:
        raise ForgedError(f"{len(entries):,} files")
    made: dict[str, Body] = {}
    for entry in sorted(entries, key=lambda each: each.filename):
        name = _NAME.fullmatch(entry.filename)
        if name is None:
            raise ForgedError(f"a file named {ascii(entry.filename)[:60]}")
        with opened.open(entry) as file:
            data = file.read(_MOST_TEXT_BYTES + 1)
        if len(data) > _MOST_TEXT_BYTES:
            raise ForgedError(f"{entry.filename} with more than {_MOST_TEXT_BYTES:,} bytes")
        body = check_body(data.decode(), only_update=name[1] == "same")
        if body.spec in made:
            raise ForgedError("two texts for one spec")
        made[body.spec] = body
    return list(made.values())
