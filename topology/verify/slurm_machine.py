"""Which keys of a rendered slurm.conf belong to the machine it runs on, and what stands for them in a check.

Everything else reaches slurmctld as it was written, node and partition files byte for byte: a state of
CLOUD (which lets Slurm schedule on nodes that no slurmd answers for) comes from a NodeName=DEFAULT line
before them. The lists below are closed; a test compares them with what is written.
"""

import base64
import hashlib
import hmac
import json
import os
import pwd
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from topology.verify.server_process import free_port
from topology.verify.slurm_packages import UnavailableError

REPLACED = {  # key: why the rendered value cannot be used here
    "SlurmctldHost": "the controller is this machine, whatever its name; written only where one was rendered",
    "SlurmctldPort": "a free port, so that several can run at once",
    "SlurmUser": "the caller, who may be anyone",
    "StateSaveLocation": "a private folder",
    "SlurmdSpoolDir": "a private folder",
    "SlurmctldPidFile": "a private folder",
    "SlurmdPidFile": "a private folder",
    "SlurmctldLogFile": "a private folder",
    "SlurmdLogFile": "a private folder",
    "PluginDir": "the unpacked packages",
    "MailProg": "no mail from a check",
    "CommunicationParameters": "the rendered ones and NoCtldInAddrAny: listen on 127.0.0.1 only",
    "AuthInfo": "no sack socket: its path in /run is fixed, so two controllers would take it from each other",
    "AuthAltTypes": "commands bring a token instead; AuthType and CredType stay as rendered",
    "AuthAltParameters": "the key that signs those tokens",
    "ResumeProgram": "Slurm schedules on CLOUD nodes only when it can power them up",
    "SuspendProgram": "as ResumeProgram",
    "SuspendTime": "as ResumeProgram",
}
MACHINE_CONF = "machine.conf"
TOPOLOGY_FILES = ("topology.yaml", "topology.conf")
TOKEN_LIFE_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """A rendered folder made ready to run on this machine."""

    home: Path  # holds everything the daemon reads and writes
    conf: Path  # slurm.conf for slurmctld
    daemon_env: Mapping[str, str]
    client_env: Mapping[str, str]


def prepare_folder(rendered: Path, home: Path, root: Path, more: str = "") -> PreparedFolder:
    """Copy of the folder `rendered` inside `home`, with this machine's keys; `root` holds Slurm.

    The lines of `more` are read after everything else.

    Line numbers of slurm.conf stay: the first replaced line becomes `Include machine.conf`, the others
    comments. Commands get a slurm.conf of their own without node lines, because reading 65,000 nodes
    would take each command a second.

    Raises:
        UnavailableError: the caller's uid has no user name, which Slurm insists on.
    """
    conf, client = home / "conf", home / "client"
    shutil.copytree(rendered, conf)
    for folder in (client, home / "state", home / "spool"):
        folder.mkdir()
    slurm_key, token_key = secrets.token_bytes(1024), secrets.token_bytes(32)
    _write_secret(conf / "slurm.key", slurm_key)
    _write_secret(conf / "token.key", token_key)
    text = (conf / "slurm.conf").read_text()
    machine = "".join(f"{key}={value}\n" for key, value in _machine_keys(text, home, root).items())
    (conf / "slurm.conf").write_text(without_machine_keys(text) + more)
    (conf / MACHINE_CONF).write_text(f"NodeName=DEFAULT State=CLOUD\n{machine}")
    (client / "slurm.conf").write_text(_without_nodes(without_machine_keys(text), conf))
    (client / MACHINE_CONF).write_text(machine)
    for name in TOPOLOGY_FILES:
        if (conf / name).exists():
            (client / name).symlink_to(conf / name)
    programs = f"{root}/usr/bin:{root}/usr/sbin:{os.environ.get('PATH', os.defpath)}"
    plain = {"PATH": programs, "LC_ALL": "C", "HOME": str(home)}
    client_env = plain | {"SLURM_CONF": str(client / "slurm.conf"), "SLURM_JWT": _token(token_key)}
    return PreparedFolder(home, conf / "slurm.conf", plain, client_env)


def without_machine_keys(text: str) -> str:
    """`text` of a slurm.conf with each line of a replaced key turned into a comment, or into the Include."""
    lines, included = text.splitlines(), False
    for number, line in enumerate(lines):
        if _key(line) in _LOWER:
            lines[number] = f"# {line}" if included else f"Include {MACHINE_CONF}"
            included = True
    return "\n".join(lines if included else [f"Include {MACHINE_CONF}", *lines]) + "\n"


_LOWER = frozenset(key.lower() for key in REPLACED)  # Slurm reads keys in any case


def _key(line: str) -> str:
    """The key a line of slurm.conf starts with, in lower case."""
    return line.partition("=")[0].strip().lower()


def _machine_keys(text: str, home: Path, root: Path) -> dict[str, str]:
    """Values of the replaced keys."""
    rendered = {_key(line): line.partition("=")[2].strip() for line in text.splitlines()}
    communication = [rendered.get("communicationparameters", ""), "NoCtldInAddrAny"]
    keys = {
        "SlurmctldHost": "localhost(127.0.0.1)",
        "SlurmctldPort": str(free_port()),
        "SlurmUser": str(os.getuid()),
        "StateSaveLocation": f"{home}/state",
        "SlurmdSpoolDir": f"{home}/spool",
        "SlurmctldPidFile": f"{home}/slurmctld.pid",
        "SlurmdPidFile": f"{home}/slurmd.pid",
        "SlurmctldLogFile": f"{home}/slurmctld.log",
        "SlurmdLogFile": f"{home}/slurmd.log",
        "PluginDir": str(next(root.glob("usr/lib/*/slurm-wlm"))),
        "MailProg": "/bin/true",
        "CommunicationParameters": ",".join(filter(None, communication)),
        "AuthInfo": "disable_sack",
        "AuthAltTypes": "auth/jwt",
        "AuthAltParameters": f"jwt_key={home}/conf/token.key",
        "ResumeProgram": "/bin/true",
        "SuspendProgram": "/bin/true",
        "SuspendTime": "3600",
    }
    if "slurmctldhost" not in rendered:
        del keys["SlurmctldHost"]  # its absence is for Slurm to complain of
    return keys


def _without_nodes(text: str, conf: Path) -> str:
    """`text` without node and partition lines and without the Includes that bring them."""
    kept = [line for line in text.splitlines() if not _brings_nodes(line, conf)]
    return "\n".join(kept) + "\n"


def _brings_nodes(line: str, conf: Path) -> bool:
    included = re.match(r"\s*include\s+(\S+)", line, re.IGNORECASE)
    if included is None:
        return _key(line) in {"nodename", "partitionname", "nodeset"}
    path = conf / included[1]
    if path.name == MACHINE_CONF or not path.is_file():
        return False
    return re.search(r"(?im)^\s*(nodename|partitionname|nodeset)=", path.read_text()) is not None


def _write_secret(path: Path, content: bytes) -> None:
    """A new file that only its owner may read: Slurm refuses any other key."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)


def _token(key: bytes) -> str:
    """JSON web token (RFC 7519, HS256) that says the caller is who they are, for auth/jwt."""
    now = int(time.time())
    claims = {"iat": now, "exp": now + TOKEN_LIFE_S, "sun": _user()}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(_base64url(part) for part in parts)
    return (signed + b"." + _base64url(hmac.digest(key, signed, hashlib.sha256))).decode()


def _user() -> str:
    """Name of the caller, not of $USER."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise UnavailableError(f"Slurm takes no user without a name: uid {os.getuid()} has none") from None


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
