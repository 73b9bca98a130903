"""Files of pairs, labels, verdicts and judgements: JSON lines, read as hostile, and added to line by line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel

from verienv.core.config import validate
from verienv.core.lock import open_alone
from verienv.core.reading import file_within, read_lines
from verienv.core.shown import cut, shown, shown_path
from verienv.preferences.records import Judgement, Label, Pair, PairVerdicts

MOST_BYTES = 2**22
"""The bytes of the longest line that is read."""
MOST_RECORDS = 1_000_000
"""The records of the longest file that is read."""

Record = TypeVar("Record", Pair, Label, PairVerdicts, Judgement)
_MAKERS: Mapping[type, str] = {
    Pair: "examples/pairs.py makes a folder with pairs.jsonl",
    Label: "examples/label.py and examples/judge.py write labels",
    PairVerdicts: "examples/pairs.py writes verdicts beside the folder of its pairs",
    Judgement: "examples/judge.py writes judgements",
}
"""Makers of a file of each kind, told to whoever names one that is not there."""
_LINES: Mapping[type[BaseModel], str] = {
    Pair: "a pair",
    Label: "a label",
    PairVerdicts: "a line of verdicts",
    Judgement: "a judgement",
}


def read_pairs(path: str | Path) -> dict[str, Pair]:
    """Read a file of pairs: pairs by their ids, in the order of the file.

    Raises:
        ValueError: names the file, and the line that is none; also for an id that is there twice, and a picture that
            is not there, or lies outside the file's folder or behind a link.
    """
    found = _read(path, Pair)
    for number, pair in found:
        for name in pair.images:
            try:
                file_within(Path(path).parent, name)
            except ValueError as error:
                raise ValueError(f"{shown_path(path)}, line {number}: the picture {error}") from None
    return _by_pair(path, found)


def read_verdicts(path: str | Path) -> dict[str, PairVerdicts]:
    """Read a file of verdicts, by the ids of their pairs. Errors as ``read_pairs``'."""
    return _by_pair(path, _read(path, PairVerdicts))


def read_labels(paths: str | Path | Iterable[str | Path], pairs: Iterable[str] | None = None) -> list[Label]:
    """Read files of labels: those that count, in the order in which they were given.

    Of several labels that an annotator gave one pair the last one counts, in the order of the files; one that was
    taken back does not.

    Args:
        paths: a file, or several.
        pairs: ids of the pairs that may be labelled; None for any.

    Raises:
        ValueError: names the file, and the line that is no label, or one of an unknown pair.
    """
    accepted = None if pairs is None else set(pairs)
    kept = dict[tuple[str, str, int], Label]()
    for path in [paths] if isinstance(paths, str | Path) else paths:
        for number, label in _read(path, Label):
            if accepted is not None and label.pair not in accepted:
                raise ValueError(
                    f"{shown_path(path)}, line {number}: pair={shown(label.pair)} is none of the pairs; give the "
                    "labels' own files of pairs and verdicts"
                )
            kept.pop(label.key, None)
            if label.choice != "undo":
                kept[label.key] = label
    return list(kept.values())


def labels_by(path: str | Path, annotator: str) -> bytes:
    """Return the lines of an annotator in a file of labels, taken back ones included: they change when its labels do.

    Errors as ``read_labels``'.
    """
    own = (label for _, label in _read(path, Label) if label.annotator == annotator)
    return "".join(f"{label.model_dump_json(exclude_defaults=True)}\n" for label in own).encode()


def read_judgements(path: str | Path) -> dict[str, Judgement]:
    """Read a file of judgements, by their keys; the first of one key counts. Errors as ``read_pairs``'."""
    found = dict[str, Judgement]()
    for _, record in _read(path, Judgement):
        found.setdefault(record.key, record)
    return found


Paired = TypeVar("Paired", Pair, PairVerdicts)


def _by_pair(path: str | Path, found: list[tuple[int, Paired]]) -> dict[str, Paired]:
    records = dict[str, Paired]()
    for number, record in found:
        if record.pair in records:
            raise ValueError(f"{shown_path(path)}, line {number}: pair={shown(record.pair)} is there twice")
        records[record.pair] = record
    return records


def _read(path: str | Path, kind: type[Record]) -> list[tuple[int, Record]]:
    """Return the records of a file with the numbers of their lines; a last line that was cut off is left out."""
    path, found = Path(path), list[tuple[int, Record]]()
    try:
        with path.open("rb") as file:
            for number, line in enumerate(read_lines(file, path), 1):
                if not line.strip():
                    continue
                if number > MOST_RECORDS:
                    raise ValueError(f"{shown_path(path)}: has more than {MOST_RECORDS:,} lines")
                try:
                    found.append((number, parse(line, kind)))
                except ValueError as error:
                    if not line.endswith(b"\n") and not is_json(line):
                        break  # what a kill left of it
                    raise ValueError(f"{shown_path(path)}, line {number}: {error}") from None
    except OSError as error:
        raise ValueError(f"{shown_path(path)}: cannot be read ({error.strerror}); {_MAKERS[kind]}") from None
    return found


def parse(line: bytes, kind: type[Record]) -> Record:
    """Read a record from a line. Raises ValueError, in one line."""
    if len(line) > MOST_BYTES:
        raise ValueError(f"longer than {MOST_BYTES // 2**20} MB")
    try:
        fields = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({cut(error, 80)})") from None
    if not isinstance(fields, Mapping):
        raise ValueError(f"expected a JSON object with {', '.join(kind.model_fields)}")
    try:
        return validate(kind, fields)
    except ValueError as error:
        raise ValueError(_other(fields, kind) or cut(error, 300)) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _other(fields: Mapping[str, object], kind: type[Record]) -> str:
    """Tell of a record of another kind; "" for one of none."""
    for other, name in _LINES.items():
        due = {field for field, about in other.model_fields.items() if about.is_required()}
        if other is not kind and due <= fields.keys() <= other.model_fields.keys():
            return f"is {name}, where {_LINES[kind]} is due; give the file of those"
    return ""


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def is_json(line: bytes) -> bool:
    """Return whether a line is whole JSON."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


class RecordWriter:
    """A file of records that is added to, by one process at a time; a record is on disk when ``add`` returns.

    What a kill left of a last line is taken away.

    Raises:
        ValueError: if it is no plain file, or another process writes to it.
        OSError: if it cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = open_alone(self.path)
        except ValueError as error:
            raise ValueError(
                str(error).replace("evaluation; let it end, or log", "process; let it end, or write")
            ) from None
        try:
            self._mend()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, *records: Pair | Label | PairVerdicts | Judgement) -> None:
        """Write records, each a line, and wait until they are on disk."""
        self._write("".join(f"{record.model_dump_json(exclude_defaults=True)}\n" for record in records).encode())

    def cut(self, records: int) -> None:
        """Keep the first so many records.

        Raises:
            ValueError: if there are fewer.
        """
        with self.path.open("rb") as file:
            for number in range(records):
                if not file.readline().endswith(b"\n"):
                    raise ValueError(f"{shown_path(self.path)}: holds {number} records, where {records} are due")
            self._file.truncate(file.tell())

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]
        os.fsync(self._file.fileno())

    def _mend(self) -> None:
        """End the last line, or take away what was cut off of it."""
        size = os.fstat(self._file.fileno()).st_size
        start = max(0, size - MOST_BYTES - 1)
        self._file.seek(start)
        tail = self._file.read(MOST_BYTES + 1) or b""
        if not tail or tail.endswith(b"\n"):
            return
        last = tail.rpartition(b"\n")[2]
        if is_json(last):
            self._write(b"\n")
        else:
            self._file.truncate(size - len(last))
