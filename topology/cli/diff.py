"""`topology diff`: what a change does to the site, for the people who have to approve it."""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topology import __version__
from topology.cli import reports, sides
from topology.cli.exits import CHANGED, FINDINGS
from topology.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topology.review.document import Document
    from topology.review.review import Review

EXAMPLES = (
    "Examples: `topology diff main:./cluster.yaml cluster.yaml` · `topology diff build/old build/new -f markdown` · "
    "`topology diff HEAD~1:./cluster.yaml HEAD:./cluster.yaml --format json=diff.jsonl --fail-on 'new-errors,replug>0'`"
)
LEAST_CHARACTERS = 5_000  # below it the parts of a comment that always stand might not fit


class ReviewForm(StrEnum):
    """How a review is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    DATA = "data"


def diff(  # noqa: PLR0913 - each is an option of its own
    base: Annotated[
        str,
        typer.Argument(metavar="BASE", help="A spec, REV:path in git (REV:./path from here), a built folder, or -."),
    ],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Likewise, as it will be.")],
    *,
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORM[=FILE]",
            help="text, markdown (or markdown:CHARS), json, data, github, sarif; repeatable, all but one into a FILE.",
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--max-chars", min=LEAST_CHARACTERS, help="Characters of the Markdown; a step summary takes 900000."
        ),
    ] = 60_000,
    artifacts: Annotated[
        bool, typer.Option("--artifacts", help="Show the changed lines of rendered files, too.")
    ] = False,
    all_rows: Annotated[
        bool, typer.Option("--all-rows", help="A line of JSON for each changed row, instead of one for alike rows.")
    ] = False,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="Write the pictures that change to DIR/before and DIR/after."),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="CONDITION",
            help="Such as replug>0, new-errors or overload; errors,verdict>1 by default.",
        ),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when anything changes.")] = False,
) -> None:
    """Compare two sides and say what changes in GPUs, racks, megawatts, cables and schedulers.

    Renamed and moved things are told as such. Nothing is written but the FILEs and pictures asked for.

    Exit codes: 0 fine, 1 a condition of --fail-on is met, 2 a side cannot be read, 3 --exit-code and there are changes.
    """
    from topology.review.assemble import assemble  # noqa: PLC0415 - not needed by --help
    from topology.review.conditions import DEFAULT, ConditionError, conditions  # noqa: PLC0415
    from topology.review.review import Review  # noqa: PLC0415
    from topology.source.refusal import TextError  # noqa: PLC0415

    wanted = _outputs(forms or [ReviewForm.TEXT], limit)
    try:
        fails = conditions(fail_on if fail_on is not None else [*DEFAULT])
    except ConditionError as error:
        raise typer.BadParameter(str(error), param_hint="--fail-on") from None
    with progress() as steps:
        try:
            review = Review(*sides.both(base, head, steps), artifacts=artifacts)
        except TextError as error:
            reports.refuse(error.message, error.help)
        steps.step("comparing")
        document, measures = assemble(review)
        for form, characters, path in wanted:
            steps.step(f"writing {form}")
            _write(_pieces(form, review, document, measures, characters, all_rows=all_rows), path)
        if pictures is not None:
            steps.step("drawing")
            _draw(review, pictures)
    met = [str(each) for each in fails if each.met(measures)]
    if met:
        sys.stderr.write(f"fails on {', '.join(met)}\n")
        raise typer.Exit(FINDINGS)
    if exit_code and measures["changes"]:
        raise typer.Exit(CHANGED)


def _draw(review: "Review", to: Path) -> None:
    from topology.review import drawn  # noqa: PLC0415 - not needed by --help
    from topology.source.refusal import TextError  # noqa: PLC0415

    try:
        drawn.write(review, to)
    except TextError as error:
        reports.refuse(error.message, error.help)


def _outputs(words: list[str], limit: int) -> list[tuple[ReviewForm, int, Path | None]]:
    """Formats, characters of their Markdown, and files; what goes to stdout is None.

    Raises:
        typer.BadParameter: a format is unknown, or two go to stdout.
    """
    from topology.findings import did_you_mean  # noqa: PLC0415 - not needed by --help

    made: list[tuple[ReviewForm, int, Path | None]] = []
    for word in words:
        given, _, file = word.partition("=")
        name, colon, characters = given.partition(":")
        if name not in list(ReviewForm):
            raise typer.BadParameter(
                f"no format '{name}'; {did_you_mean(name, list(ReviewForm))}", param_hint="--format"
            )
        if colon and not (
            name == ReviewForm.MARKDOWN and characters.isdecimal() and int(characters) >= LEAST_CHARACTERS
        ):
            said = f"'{given}' is no format; write markdown:{LEAST_CHARACTERS} or more"
            raise typer.BadParameter(said, param_hint="--format")
        made.append((ReviewForm(name), int(characters or limit), Path(file) if file else None))
    if sum(path is None for *_, path in made) > 1:
        raise typer.BadParameter("two formats on one stdout; write FORM=FILE for all but one", param_hint="--format")
    return made


def _pieces(  # noqa: PLR0913 - what is printed, and how
    form: ReviewForm,
    review: "Review",
    document: "Document",
    measures: "Mapping[str, float]",
    limit: int,
    *,
    all_rows: bool,
) -> Iterator[bytes]:
    from topology import findings_format  # noqa: PLC0415 - not needed by --help
    from topology.cli.codes import every_rule  # noqa: PLC0415
    from topology.review.findings import finding_changes  # noqa: PLC0415
    from topology.review.forms import data, lines, markdown, text  # noqa: PLC0415

    if form is ReviewForm.JSON:
        yield from lines.json_lines(review, document, measures, all_rows=all_rows)
    elif form is ReviewForm.DATA:
        yield data.data_line(document, measures)
    elif form is ReviewForm.MARKDOWN:
        yield markdown.markdown(document, limit).encode()
    elif form is ReviewForm.GITHUB:
        yield findings_format.as_github(finding_changes(review.base, review.head).new).encode()
    elif form is ReviewForm.SARIF:
        yield findings_format.as_sarif(review.head.findings, every_rule().values(), __version__).encode()
    else:
        yield text.text(document).encode()


def _write(pieces: Iterator[bytes], path: Path | None) -> None:
    """Write to a file, or to stdout, where a reader that leaves early ends the run."""
    if path is None:
        reports.say_bytes(pieces)
        return
    try:
        with path.open("wb") as file:
            file.writelines(pieces)
    except OSError as error:
        reports.refuse(f"cannot write {ascii(str(path))[1:-1]}: {error.strerror}", "check the path")
