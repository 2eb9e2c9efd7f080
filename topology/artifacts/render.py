"""Text from templates. A template lays out; it gets finished values and nothing else."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from topology.resources import data

PLAIN = re.compile(r"[A-Za-z0-9_.,:/()\[\]{}=+ -]*")


class RenderError(Exception):
    """A template asked for something that is not there, or a value may not be printed."""


def _plain(value: object) -> object:
    """A value that no scheduler file takes for more than one word of text.

    The schema admits no other names; this is the second lock on the same door.
    """
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        raise RenderError(f"{ascii(value)[:80]} may not be written to a configuration file")
    return value


MARKS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>|`@[]#*_~"})


def _escaped(value: object) -> object:
    """A value that Markdown shows as it is: no tag, link, mention, table cell or emphasis comes of it."""
    if isinstance(value, str):
        if not value.isprintable():
            raise RenderError(f"{ascii(value)[:80]} may not be written to a report")
        return value.translate(MARKS)
    return value


XML_MARKS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>\"'"})


def _quoted(value: object) -> object:
    """A value that is text in XML and in the quotes of an attribute, whatever it holds."""
    text = str(value)
    if not text.isprintable():
        raise RenderError(f"{ascii(text)[:80]} may not be written to a picture")
    return text.translate(XML_MARKS)


GUARDS: Mapping[str, Callable[[object], object]] = {".md.j2": _escaped, ".svg.j2": _quoted}  # by what they render


@cache
def _environment(folder: str, guard: Callable[[object], object]) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,  # not web pages; the guard sees every value that is printed
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=guard,
    )


def render(template: str, **values: Any) -> bytes:  # noqa: ANN401 - templates take any view
    """UTF-8 text of a template under `templates/`.

    Raises:
        RenderError: with the template's name and line.
    """
    try:
        guard = next((guard for ending, guard in GUARDS.items() if template.endswith(ending)), _plain)
        environment = _environment(str(data("templates")), guard)
        return environment.get_template(template).render(**values).encode()
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{template}:{line}" if line else template
        raise RenderError(f"{where}: {error.message or type(error).__name__}") from error
