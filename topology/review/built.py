"""A folder that `topology build` wrote, as one side of a comparison."""

import json
from dataclasses import fields
from pathlib import Path, PurePosixPath

from topology.artifacts.output import manifest
from topology.artifacts.report import CATALOG, FINDINGS, SPEC
from topology.artifacts.targets import TARGETS
from topology.catalog.load import load as load_catalog
from topology.expand.fabrics import kinds
from topology.findings import Finding, FindingsError, Severity, shown
from topology.plan import store
from topology.review.side import COMPARED, Side
from topology.source import YamlSource
from topology.source.file_bytes import SPEC_NAME
from topology.source.refusal import TextError
from topology.spec.load import load

_AGAIN = "build it again with this version"


def built(folder: Path) -> Side:
    """The side of a built folder: tables as they are stored, spec and catalogue read again.

    Raises:
        TextError: it is no build of ours, lacks what is compared, or was edited.
    """
    name = shown(str(folder), 200)
    try:
        entries = manifest.read((folder / manifest.NAME).read_bytes())
    except OSError:
        spec = folder / SPEC_NAME
        instead = shown(str(spec), 200) if spec.is_file() else "a spec, REV:path or a build"
        raise TextError(f"{name} is no folder that topology build wrote", f"name {instead}") from None
    except manifest.ManifestError as error:
        raise TextError(f"{manifest.NAME} of {name} {error}", _AGAIN) from None
    needed = (str(SPEC), str(FINDINGS), str(store.path_of("cables")))
    if any(path not in entries for path in needed):
        raise TextError(f"{name} has no {next(p for p in needed if p not in entries)}", f"{_AGAIN}, tables included")
    _unedited(folder, entries, name)
    try:
        source = YamlSource.read(folder / SPEC, folder)
        model, _ = load(source, kinds())
        catalog = load_catalog(folder / CATALOG if model.catalog else None)
        plan = store.read(folder, model, catalog)
        findings = tuple(_finding(one) for one in json.loads((folder / FINDINGS).read_bytes())["findings"])
    except (FindingsError, store.StoredTableError, OSError, ValueError, KeyError, TypeError):
        raise TextError(f"{name} was built by another version of the program", _AGAIN) from None
    digests = {path: entry.sha256 for path, entry in entries.items() if _rendered(path)}
    return Side(str(folder), str(folder), source, plan, findings, {source.name: source.lines}, folder, digests)


def _unedited(folder: Path, entries: manifest.ListedFiles, name: str) -> None:
    """Check that every file that is read here is the one that was built.

    Raises:
        TextError: one is missing or differs.
    """
    for path, entry in sorted(entries.items()):
        if PurePosixPath(path).parts[0] not in {"tables", "source"} and path != str(FINDINGS):
            continue
        try:
            same = manifest.sha256((folder / path).read_bytes()) == entry.sha256
        except OSError:
            same = False
        if not same:
            raise TextError(f"{path} of {name} is missing or was edited", "build it again")


def _rendered(path: str) -> bool:
    """Whether a path is one of a target that is compared file by file."""
    return PurePosixPath(path).parts[0] in {"stages", *(TARGETS[word][0] for word in COMPARED)}


def _finding(given: dict[str, object]) -> Finding:
    """A finding as findings.json holds it."""
    known = {each.name for each in fields(Finding)}
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items() if key in known}
    values["severity"] = Severity(str(given["severity"]))
    return Finding(**values)  # type: ignore[arg-type]
