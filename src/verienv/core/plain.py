"""Columns of rows without what tables, arrays and file formats make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isclose
from typing import Any

from pydantic import BaseModel


def plain_value(value: Any) -> Any:
    """Return a value as plain data, at any depth.

    Whole floats are integers; NaN and what pandas writes for it (NA, NaT) are None; arrays, series and tensors are
    lists, and their scalars numbers. A table that holds rows of several tasks gives each mapping the keys of all, with
    None for those it lacks: these are left out, and a column that is a mapping of nothing else is None.
    """
    plain = _plain(value)
    return None if plain == {} and value else plain


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float | Decimal):
        return whole_number(value)
    if isinstance(value, Mapping):
        parts = {name: plain_value(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part is not None}
    if type(value) in (list, tuple):
        return [_plain(part) for part in value]
    if type(value).__name__ in _MISSING and type(value).__module__.startswith("pandas."):
        return None
    for method in ("tolist", "as_py", "to_pylist", "to_list"):  # of numpy, torch and pandas, Arrow, polars
        convert = getattr(value, method, None)
        if callable(convert) and not isinstance(value, type):
            return _plain(convert())
    return value


_MISSING = ("NAType", "NaTType")


def whole_number(value: float | Decimal) -> float | int | None:
    """Return a number as an integer if it is whole, as None if it is not a number at all."""
    number = float(value)
    if number != number:
        return None
    return int(number) if number.is_integer() else number


def with_whole_numbers(value: Any) -> Any:
    """Return what JSON spells with integers for whole floats, at any depth; all else, nulls too, as it is."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [with_whole_numbers(part) for part in value]
    if isinstance(value, dict):
        return {name: with_whole_numbers(part) for name, part in value.items()}
    return value


def are_alike(one: Any, other: Any) -> bool:
    """Whether plain values are equal but for the last digits of floats.

    pandas writes 10 of them to JSON, and NumPy's and PyTorch's formats of ``datasets`` keep 32 bits.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(are_alike(part, other[name]) for name, part in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(are_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-7, abs_tol=1e-9)
    return bool(one == other)


class PlainRow(Mapping[str, Any]):
    """A row whose columns are plain data. Each is read when it is asked for: those of others, such as pictures, never.

    A float that is whole reads as an integer, NaN and a missing value as None; see ``plain_value``.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row: Mapping[str, Any] = row._row if isinstance(row, PlainRow) else row
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = plain_value(self._row[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)

    def given(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the columns of a model that are not null. Where a table made numbers of bools, 0.0 is False.

        An integer of Python's is no bool, as in settings.
        """
        found = {name: self[name] for name in model.model_fields if self.get(name) is not None}
        for name, value in found.items():
            is_flag = model.model_fields[name].annotation is bool and type(value) is int
            if is_flag and not isinstance(self._row[name], int):
                found[name] = {0: False, 1: True}.get(value, value)
        return found

    def but(self, changes: Mapping[str, Any]) -> PlainRow:
        """Return a row with other values in some columns."""
        return PlainRow({**self._row, **changes}) if changes else self
