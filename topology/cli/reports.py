"""Printing findings: formats, severities of the run, and the exit code that follows."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, TextIO

import typer

from topology import __version__
from topology.cli.exits import FINDINGS, REFUSED
from topology.findings import Finding, FindingsError, Lines, Severity

if TYPE_CHECKING:
    from topology.cli.session import OpenPlan

UNREADABLE = "S1"  # codes of text that is no spec at all


class FindingsForm(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


class FailOn(StrEnum):
    """Least severity that fails a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_ORDER = (Severity.NOTE, Severity.WARNING, Severity.ERROR)


@dataclass(frozen=True, slots=True)
class Severities:
    """Severity is the run's: codes, or beginnings of codes, that this run takes otherwise."""

    warn: tuple[str, ...] = ()
    error: tuple[str, ...] = ()

    def of(self, finding: Finding) -> Finding:
        """The finding with this run's severity; what a comment accepted stays a note."""
        if finding.accepted:
            return finding
        if self.error and finding.code.startswith(self.error):
            return replace(finding, severity=Severity.ERROR)
        if self.warn and finding.code.startswith(self.warn):
            return replace(finding, severity=Severity.WARNING)
        return finding


@dataclass(slots=True)
class Gate:
    """Prints what was found and remembers whether the run may go on."""

    form: FindingsForm
    fail_on: FailOn
    to_stdout: bool

    def show(self, opened: "OpenPlan") -> None:
        """Print findings that stopped nothing.

        Raises:
            typer.Exit: one of them is at or above --fail-on.
        """
        self.print(opened.findings, {opened.source.name: opened.source.lines})
        if self._fails(opened.findings):
            raise typer.Exit(FINDINGS)

    def print(self, findings: Sequence[Finding], lines: Lines) -> None:
        """Findings in the run's format; machines get an empty report too."""
        stream = sys.stdout if self.to_stdout else sys.stderr
        _write(stream, _in_form(self.form, findings, lines))

    def _fails(self, findings: Sequence[Finding]) -> bool:
        least = _ORDER.index(Severity(self.fail_on.value))
        return any(_ORDER.index(finding.severity) >= least for finding in findings)


@contextmanager
def gate(form: FindingsForm, fail_on: FailOn, severities: Severities, *, to_stdout: bool) -> Iterator[Gate]:
    """Turns a FindingsError into a report and an exit code."""
    made = Gate(form, fail_on, to_stdout)
    try:
        yield made
    except FindingsError as error:
        findings = [severities.of(finding) for finding in error.findings]
        made.print(findings, error.lines)
        unreadable = any(finding.code.startswith(UNREADABLE) for finding in findings)
        raise typer.Exit(REFUSED if unreadable else FINDINGS) from None


def _in_form(form: FindingsForm, findings: Sequence[Finding], lines: Lines) -> str:
    from topology import findings_format  # noqa: PLC0415 - not needed by --help

    if form is FindingsForm.SARIF:
        from topology.cli.codes import every_rule  # noqa: PLC0415 - only SARIF declares the rules

        return findings_format.as_sarif(findings, every_rule().values(), __version__)
    if form is FindingsForm.JSON:
        return findings_format.as_json(findings)
    if form is FindingsForm.GITHUB:
        return findings_format.as_github(findings)
    return findings_format.as_text(findings, lines)


def verdict(findings: Sequence[Finding]) -> str:
    """One phrase: how many errors, warnings and notes."""
    from topology.findings_format import totals  # noqa: PLC0415 - not needed by --help

    return totals(findings) or "no findings"


def refuse(message: str, help_: str) -> NoReturn:
    """End the command with an error and what to do about it.

    Raises:
        typer.Exit: with 2.
    """
    sys.stderr.write(f"error: {message}\n  help: {help_}\n")
    raise typer.Exit(REFUSED)


def say(text: str) -> None:
    """A line of the result on stdout."""
    _write(sys.stdout, f"{text}\n")


def say_bytes(pieces: Iterator[bytes]) -> None:
    """A result on stdout, piece by piece."""
    for piece in pieces:
        _write(sys.stdout, piece.decode())


def _write(stream: TextIO, text: str) -> None:
    """Write at once, so that a reader that has left is noticed here and not at the end; see `topology.cli.streams`."""
    stream.write(text)
    stream.flush()
