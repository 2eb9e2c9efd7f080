"""A user's own catalogue folder: its files, and everything that is wrong with each of them."""

import re
from collections.abc import Iterator
from pathlib import Path

from topology.catalog.entry import covers, figures, keys, sources
from topology.catalog.library import KINDS, Key
from topology.catalog.rules import found
from topology.catalog.violations import violations
from topology.findings import Finding, FindingsError, did_you_mean, shown
from topology.source import YamlSource
from topology.source.file_bytes import display

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MAX_SLUG = 64  # characters
_YAML = re.compile(r"(?i).*\.ya?ml")


def own(root: Path) -> dict[Key, YamlSource]:
    """Every entry under `root` by key, each right by itself: its keys, values and sources.

    Names with a leading dot, and files that are in no way YAML such as a README, are left alone.

    Raises:
        FindingsError: What is wrong with the files, all of it, in reading order. A finding about
            `root` itself has the spec's path `catalog` and no file.
    """
    files: dict[Key, YamlSource] = {}
    findings: list[Finding] = []
    lines: dict[str, tuple[str, ...]] = {}
    for key, path in _entries(root, findings):
        try:
            source = YamlSource.read(path, root)
        except FindingsError as error:
            findings += error.findings
            lines.update(error.lines)
            continue
        files[key] = source
        if wrong := violations(source, key.folder, source.data) or list(_wrong_sources(source)):
            findings += source.locate(wrong)
            lines[source.name] = source.lines
    if findings:
        raise FindingsError(sorted(findings, key=reading_order), lines)
    return files


def reading_order(finding: Finding) -> tuple[str, int, int, str]:
    """Sort key: file, line, column, code."""
    return finding.file, finding.line, finding.column, finding.code


def _entries(root: Path, findings: list[Finding]) -> Iterator[tuple[Key, Path]]:
    """Files that are entries by their place and name, sorted; the others go to `findings`."""
    for folder in _listed(root, findings):
        if folder.name not in KINDS or not folder.is_dir():
            findings.append(_not_a_folder(folder))
            continue
        for path in _listed(folder, findings):
            slug = path.name.removesuffix(".yaml")
            if slug == path.name or len(slug) > _MAX_SLUG or not _SLUG.fullmatch(slug):
                findings.append(_not_a_slug(path))
            else:
                yield Key(folder.name, slug), path


def _listed(folder: Path, findings: list[Finding]) -> list[Path]:
    """What counts in a folder, sorted: folders, YAML files, and what has the name of a folder of ours."""
    try:
        return [path for path in sorted(folder.iterdir()) if _counts(path)]
    except OSError as error:
        findings.append(_unreadable(folder, error))
        return []


def _counts(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    return path.name in KINDS or _YAML.fullmatch(path.name) is not None or path.is_dir()


def _wrong_sources(source: YamlSource) -> Iterator[Finding]:
    """A figure without a source or with two, and a source of nothing."""
    stated = sources(source.data)
    for key in figures(source.data):
        by = [n for n, one in enumerate(stated) if any(covers(cover, key) for cover in one.covers)]
        path = tuple(key.split("."))
        if not by:
            help_ = f"name {key}, or a map around it, under `covers` of a source"
            yield found("C201", f"no source covers {key}", path, help_)
        elif len(by) > 1:
            documents = " and ".join(shown(stated[n].document) for n in by)
            yield found("C202", f"{len(by)} sources cover {key}: {documents}", path, "keep one of them")
    known = keys(source.data)
    for n, one in enumerate(stated):
        for m, cover in enumerate(one.covers):
            if cover not in known:
                message = f"a source covers {shown(cover)}, which this file does not state"
                yield found("C203", message, ("sources", n, "covers", m), did_you_mean(cover, known))


def _unreadable(root: Path, error: OSError) -> Finding:
    what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
    if isinstance(error, NotADirectoryError):
        what = "is not a folder"
    help_ = f"make the folder, with entries in {', '.join(KINDS)}"
    return found("C001", f"the catalogue {shown(display(root))} {what}", ("catalog",), help_)


def _not_a_folder(path: Path) -> Finding:
    if path.is_dir():
        help_ = did_you_mean(path.name, KINDS)
        return found("C002", f"{shown(path.name)} is not a folder of a catalogue", help=help_, file=display(path))
    if path.name in KINDS:
        help_ = "make it a folder of entries"
        return found("C002", f"{shown(path.name)} is not a folder", help=help_, file=display(path))
    help_ = f"move it into one of {', '.join(KINDS)}"
    return found("C002", f"{shown(path.name)} stands outside its folders", help=help_, file=display(path))


def _not_a_slug(path: Path) -> Finding:
    help_ = f"name it like nvidia-dgx-h100.yaml: a-z, 0-9 and single hyphens, at most {_MAX_SLUG} characters"
    return found("C003", f"{shown(path.name)} is not the name of an entry", help=help_, file=display(path))
