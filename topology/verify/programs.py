"""Other people's programs, run to their end with a time limit."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from topology.verify.cache import UnavailableError


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program left behind: its exit code and both of its outputs."""

    code: int  # 124: ended by the time limit, 126: the system refused to start it, 127: not there
    out: str
    err: str

    def require(self, otherwise: str) -> str:
        """What the program said, when it succeeded.

        Raises:
            UnavailableError: it did not; the text is `otherwise` and its last words.
        """
        if self.code != 0:
            raise UnavailableError(f"{otherwise}: {self.last_words}")
        return self.out

    @property
    def last_words(self) -> str:
        """The last lines it said, for an error text that fits on a screen."""
        lines = [line for line in (self.err or self.out).splitlines() if line.strip()]
        return "\n".join(lines[-5:])


def run(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, limit_s: float = 120, stdin: str = ""
) -> ProgramResult:
    """Result of the program `argv`, which reads `stdin`. Never raises for what the program does.

    The exit codes of a program that does not start or ends late are those of the shell and of `timeout`.
    """
    try:
        done = subprocess.run(  # noqa: S603 -- a list of words, no shell; callers choose the program
            [str(word) for word in argv],
            env=dict(env) if env is not None else None,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except FileNotFoundError as missing:
        return ProgramResult(127, "", f"{argv[0]}: {missing.strerror}")
    except OSError as refused:
        return ProgramResult(126, "", f"{argv[0]}: {refused.strerror}")
    except subprocess.TimeoutExpired:
        return ProgramResult(124, "", f"{argv[0]}: no answer within {limit_s:g} s")
    return ProgramResult(done.returncode, done.stdout, done.stderr)
