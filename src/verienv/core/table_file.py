"""Tables in files that are trusted in nothing: a JSON array, JSON lines, or parquet, row by row."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8, utf_8_decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from verienv.core.reading import MOST_LINE, MOST_SKIPPED, is_file, is_there, read_lines, read_whole
from verienv.core.shown import cut, shown, shown_path

_BATCH = 64
"""Rows of a parquet file that are read at once."""
_MOST_VALUES = 2**24
"""Values of a column in a row group of a parquet file: a few bytes may stand for many of them."""
_SIZES = (2**14, 2**20, MOST_LINE)
"""Bytes of an array that are looked at for the end of a row, one after the other."""
_BLANKS = re.compile(rb"[ \t\n\r]*")
_DECODER = json.JSONDecoder()

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
    data, at = read_whole(path), 0
    try:
        at = _after(data, len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0, b"[", "is no JSON array of rows")
        if is_over := data[at : at + 1] == b"]":
            at += 1
        number = 0
        while not is_over:
            number += 1
            row, at = _element(data, at)
            yield number, _checked(row)
            is_over = data[at : at + 1] == b"]"
            at = _after(data, at, b"]" if is_over else b",", f"is no JSON after row {number}")
        if data[at:].strip():
            raise ValueError(f"is no JSON array of rows: it goes on after row {number}")
    except ValueError as error:
        raise ValueError(f"{shown_path(path)}: {error}; JSON lines end in .jsonl") from None


def _after(data: bytes, at: int, sign: bytes, fault: str) -> int:
    """Return where JSON goes on after a sign, which stands at ``at`` or after blanks. Raises ValueError if not."""
    at = _end_of_blanks(data, at)
    if data[at : at + 1] != sign:
        raise ValueError(fault)
    return _end_of_blanks(data, at + 1)


def _end_of_blanks(data: bytes, at: int) -> int:
    found = _BLANKS.match(data, at)
    return found.end() if found else at


def _element(data: bytes, at: int) -> tuple[Any, int]:
    """Return the value that begins at ``at``, and where JSON goes on: one at a time, since few bytes may be many lists.

    Raises:
        ValueError: if there is none, or a longer one than a line of JSON lines may be.
    """
    for size in _SIZES:
        is_cut = at + size < len(data)
        try:
            text, _ = utf_8_decode(data[at : at + size], "strict", False)
            found, end = _DECODER.raw_decode(text)
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        except ValueError as error:
            if is_cut and size < MOST_LINE:
                continue
            long = f"a row longer than {MOST_LINE // 2**20} MB, or "
            raise ValueError(f"is no JSON in UTF-8 ({long * is_cut}{cut(error, 80)})") from None
        if not is_cut or end < len(text):
            break
    return found, _end_of_blanks(data, at + len(text[:end].encode()))


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
            about, schema = file.metadata, file.schema
            groups = [about.row_group(index) for index in range(about.num_row_groups)]
            chunks = [group.column(index) for group in groups for index in range(about.num_columns)]
            texts = [each.path for each in map(schema.column, range(len(schema))) if each.physical_type == "BYTE_ARRAY"]
        if path.stat().st_size > MOST_SKIPPED or sum(group.total_byte_size for group in groups) > MOST_SKIPPED:
            raise ValueError(f"{shown_path(path)}: larger than {MOST_SKIPPED // 2**20} MB")
        if any(chunk.num_values > _MOST_VALUES for chunk in chunks):
            raise ValueError(f"{shown_path(path)}: more than {_MOST_VALUES:,} values in a column of a row group")
        # a text that is repeated stays in memory once
        with parquet.ParquetFile(path, metadata=about, read_dictionary=texts, memory_map=False) as file:
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for at in range(len(batch)):
                    number += 1
                    yield number, batch.slice(at, 1).to_pylist()[0]
    except (ArrowException, OSError) as error:
        raise ValueError(f"{shown_path(path)}: no whole parquet file ({cut(error, 80)})") from None
