"""Demonstrations as Parquet for a hub of data sets, pictures inside; it needs pyarrow (``verienv[parquet]``).

    from verienv import demonstrations
    from verienv.adapters.hub import write_parquet

    write_parquet("train.parquet", demonstrations("verienv/GeneralPoints-VL-v0", n=1000))

The schema says which columns are pictures in the way of Hugging Face's ``datasets``: ``load_dataset`` decodes them, and
a hub's page shows them. Rows are written in groups, so that a file may be larger than memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from verienv.core.dialogue import png
from verienv.core.files import atomic_write
from verienv.core.shown import shown

ROWS_IN_A_GROUP = 256
PICTURES = "images"


def write_parquet(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows to a Parquet file, whole or not at all, and return how many. Errors as ``parquet_file``'s."""
    written = 0
    with parquet_file(path) as write:
        for row in rows:
            write(row)
            written += 1
    return written


@contextmanager
def parquet_file(path: str | Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield a function that writes a row; the file appears when all are written.

    Raises:
        ImportError: if pyarrow is not installed.
        ValueError: if there are no rows, or one has other columns than those before it.
    """
    try:
        from pyarrow import Table, parquet
    except ImportError:
        raise ImportError('writing parquet needs pyarrow: pip install "verienv[parquet]"') from None
    group, writer, names = list[dict[str, Any]](), list[Any](), dict[str, None]()
    numbers = count(1)

    with atomic_write(path) as part:

        def end_group() -> None:
            if not writer:
                writer.append(parquet.ParquetWriter(part, _schema(Table.from_pylist(group).schema)))
            writer[0].write_table(Table.from_pylist(group, schema=writer[0].schema))
            group.clear()

        def write(row: Mapping[str, Any]) -> None:
            number = next(numbers)
            names.update(dict.fromkeys(row) if number == 1 else {})
            if row.keys() != names.keys():
                raise ValueError(f"row {number} has the columns {shown(list(row))}, the first one {shown(list(names))}")
            group.append(_plain(row))
            if len(group) == ROWS_IN_A_GROUP:
                end_group()

        try:
            yield write
            if not names:
                raise ValueError("there are no rows to write")
            if group:
                end_group()
        finally:
            for each in writer:
                each.close()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    if PICTURES not in row:
        return dict(row)
    pictures = [{"bytes": png(image), "path": None} for image in row[PICTURES]]
    return {**row, PICTURES: pictures}


def _schema(schema: Any) -> Any:
    """Return a schema that says which column holds pictures, as ``datasets`` reads and writes it."""
    import pyarrow

    features = {field.name: _feature(field.type) for field in schema}
    if PICTURES in features:
        features[PICTURES] = {"feature": {"_type": "Image"}, "_type": "List"}
        picture = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
        place = schema.get_field_index(PICTURES)
        schema = schema.set(place, pyarrow.field(PICTURES, pyarrow.list_(picture)))
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _feature(kind: Any) -> Any:
    from pyarrow import types

    if types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}
