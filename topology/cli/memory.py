"""Little memory: told in one line, also where a library ends the process instead of raising an error."""

import os
import resource
import signal
import sys

from topology.cli.exits import INTERNAL, REFUSED

_LEAST = 2**30  # bytes of addresses in which the libraries can be loaded at all
_DEATHS = {  # of an allocation that failed, or the kernel's
    signal.SIGABRT,
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGKILL,
}
_STARVED = 75  # how a child leaves that had too little memory; nobody else sees it
_in_child: list[bool] = []  # not empty in a process that `guard` began
_NOISE = "<jemalloc>:"  # what the allocator of the tables says of itself


def refuse() -> int:
    """Exit code of a run that had too little memory, after one line that says so; in a child its parent says it."""
    if _in_child:
        return _STARVED
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    allowed = "" if limit == resource.RLIM_INFINITY else f"; {limit / 2**20:,.0f} MiB are allowed here (ulimit -v)"
    sys.stderr.write(
        f"error: there is not enough memory{allowed}\n"
        "  help: allow more; 100,000 GPUs take about 500 MiB, and 2 GiB of addresses\n"
    )
    return REFUSED


def guard() -> None:
    """Under a limit of memory, go on in a child process, so that its end for lack of it can still be told.

    The libraries of numbers and tables end the process where memory ends, each in words of its own; these are
    dropped then. The parent never returns; the child does.

    Raises:
        SystemExit: in the parent, with the exit code of the child.
    """
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or "polars" in sys.modules:
        return
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        _in_child.append(True)
        os.dup2(theirs, sys.stderr.fileno())
        return
    os.close(theirs)
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent, lambda number, _frame: os.kill(child, number))
    with open(ours, encoding="utf-8", errors="backslashreplace") as pipe:  # noqa: PTH123 - a descriptor
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])  # below zero: a signal
    starved = limit < _LEAST and (code == INTERNAL or "OpenBLAS" in said)
    if starved or code == _STARVED or -code in _DEATHS:
        raise SystemExit(refuse())
    sys.stderr.write("".join(line for line in said.splitlines(keepends=True) if not line.startswith(_NOISE)))
    raise SystemExit(code if code >= 0 else 128 - code)
