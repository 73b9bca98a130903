"""Tables in files that are trusted in nothing: a JSON array, JSON lines, or parquet, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from verienv.core.reading import MOST_LINE, MOST_SKIPPED, is_file, is_there, read_lines, read_whole
from verienv.core.shown import cut, shown, shown_path

_BATCH = 64
"""Rows of a parquet file that are in memory at once."""

Numbered = tuple[int, dict[str, Any] | ValueError]
"""The number of a line (of an array or a table: of a row), from 1, and the row, or what is wrong with it."""


def read_table(path: str | Path) -> Iterator[Numbered]:
    """Yield the rows of a file by its ending: .parquet, .json (an array), else JSON lines; JSON perhaps compressed.

    What is no object is yielded as its fault, so that one bad row does not hide the others.

    Raises:
        ValueError: if the file is missing, is none of these, or is larger than 1 GB; or parquet without pyarrow.
        OSError: if it cannot be read.
    """
    path = Path(path)
    if not is_file(path):
        raise ValueError(f"{shown_path(path)}: {'is no plain file' if is_there(path) else 'there is no such file'}")
    name = path.name.lower()
    if name.endswith(".parquet"):
        yield from _parquet(path)
    elif name.removesuffix(".gz").endswith(".json"):
        yield from _array(path)
    else:
        yield from _json_lines(path)


def _json_lines(path: Path) -> Iterator[Numbered]:
    with path.open("rb") as file:
        length = 0
        for number, line in enumerate(read_lines(file, path), 1):
            length += len(line)
            if length > MOST_SKIPPED:
                raise ValueError(f"{shown_path(path)}: larger than {MOST_SKIPPED // 2**20} MB")
            if len(line) > MOST_LINE:
                yield number, ValueError(f"longer than {MOST_LINE // 2**20} MB")
            elif line.strip():
                yield number, _checked(*_parsed(line))


def _array(path: Path) -> Iterator[Numbered]:
    found, fault = _parsed(read_whole(path))
    if fault or not isinstance(found, list):
        raise ValueError(f"{shown_path(path)}: {fault or 'is no JSON array of rows'}; JSON lines end in .jsonl")
    for number, row in enumerate(found, 1):
        yield number, _checked(row)


def _parsed(data: bytes) -> tuple[Any, str]:
    """Return what JSON holds, and "", or None and its fault."""
    try:
        return json.loads(data.decode("utf-8-sig")), ""
    except RecursionError:
        return None, "is nested too deeply"
    except ValueError as error:
        return None, f"is no JSON in UTF-8 ({cut(error, 80)})"


def _checked(row: Any, fault: str = "") -> dict[str, Any] | ValueError:
    if fault:
        return ValueError(fault)
    return row if isinstance(row, dict) else ValueError(f"is {shown(row)}, expected a JSON object")


def _parquet(path: Path) -> Iterator[Numbered]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ValueError(f'{shown_path(path)}: reading parquet needs pyarrow: pip install "verienv[parquet]"') from None
    try:
        with parquet.ParquetFile(path, memory_map=False) as file:
            groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
            if path.stat().st_size > MOST_SKIPPED or sum(group.total_byte_size for group in groups) > MOST_SKIPPED:
                raise ValueError(f"{shown_path(path)}: larger than {MOST_SKIPPED // 2**20} MB")
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (ArrowException, OSError) as error:
        raise ValueError(f"{shown_path(path)}: no whole parquet file ({cut(error, 80)})") from None
