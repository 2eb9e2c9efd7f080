"""`topology init`: a folder to begin with."""

import re
from pathlib import Path
from typing import Annotated

import typer

from topology.cli.reports import refuse, say

EXAMPLES = "Examples: `topology init mysite` · `topology init mysite && cd mysite && topology build cluster.yaml`"
NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The cluster's name, and the folder to make.")],
) -> None:
    """Write a commented starter spec that builds as it stands.

    Exit codes: 0 fine, 2 the name is not one or the folder is there already.
    """
    from topology.artifacts.render import render  # noqa: PLC0415 - not needed by --help

    if not NAME.fullmatch(name):
        refuse(
            f"'{ascii(name)[1:-1]}' is not a cluster name",
            "write a name of a-z, 0-9 and '-' that begins with a letter, at most 40 long",
        )
    folder = Path(name)
    if folder.is_symlink() or folder.exists():
        refuse(f"{name} is there already", "choose another name, or move it away")
    spec = render("init/cluster.yaml.j2", name=name)
    try:
        folder.mkdir()
        (folder / "cluster.yaml").write_bytes(spec)
        (folder / ".gitignore").write_bytes(b"/build/\n")
    except OSError as error:
        refuse(f"{name}: {error.strerror}", "choose a folder you may write to")
    say(f"{name}/cluster.yaml written; next: cd {name} && topology build cluster.yaml")
