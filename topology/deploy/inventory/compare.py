"""Records, or objects of a server, that stand otherwise than they were written: which, and which field."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from topology.deploy.edits import Edit

Frames = Mapping[str, pl.DataFrame]  # by table, or by kind of object


def edits_of_frames(found: Frames, wanted: Frames, keys: Mapping[str, Sequence[str]]) -> Iterator[Edit]:
    """Differences by table, in the order of `keys` (the columns by which a table's rows are told apart), then by key.

    Columns that only one side has are not compared.
    """
    for name, key in keys.items():
        there, before = found.get(name), wanted.get(name)
        if there is None and before is None:
            continue
        there = before.clear() if there is None and before is not None else there
        before = there.clear() if before is None and there is not None else before
        if there is not None and before is not None:
            yield from _edits_of_rows(name, there, before, list(key))


def _edits_of_rows(name: str, found: pl.DataFrame, wanted: pl.DataFrame, key: list[str]) -> Iterator[Edit]:
    fields = [column for column in wanted.columns if column in found.columns and column not in key]
    every = [*key, *fields]
    wanted = wanted.select(every)
    found = found.select(every).cast(wanted.schema, strict=False)
    now, before = (
        one.join(other, on=every, how="anti", nulls_equal=True).with_columns(pl.lit(value=True).alias(side))
        for one, other, side in ((found, wanted, "_now"), (wanted, found, "_before"))
    )
    both = now.join(before, on=key, how="full", coalesce=True, suffix="_before", nulls_equal=True)
    for row in both.sort(key, nulls_last=True).iter_rows(named=True):
        thing = f"{name} {' '.join(str(row[column]) for column in key)}"
        if row["_before"] is None:
            yield Edit(thing, "", _whole(row, fields, ""), None)
        elif row["_now"] is None:
            yield Edit(thing, "", None, _whole(row, fields, "_before"))
        else:
            for field in fields:
                now, before = row[field], row[f"{field}_before"]
                if now != before:
                    yield Edit(thing, field, _text(now), _text(before))


def _whole(row: Mapping[str, object], fields: Sequence[str], end: str) -> str:
    """A row in words: `slot=1 gpus=8`."""
    return " ".join(f"{field}={row[f'{field}{end}']}" for field in fields if row[f"{field}{end}"] not in {None, ""})


def _text(value: object) -> str:
    return "nothing" if value is None else str(value)
