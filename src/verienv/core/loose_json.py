"""The JSON that models write: single quotes, trailing commas, bare symbols, Python literals. Runs no code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

_TOKENS = re.compile(
    r"""
      (?P<string> "[^"\\]*+(?:\\.[^"\\]*+)*+" | '[^'\\]*+(?:\\.[^'\\]*+)*+' )
    | (?P<mark> [{}\[\](),:] )
    | (?P<atom> [^\s{}\[\](),:"']++ )
    | (?P<space> \s++ )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_CONSTANTS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
}
_BARE = re.compile(r"[0-9A-Za-z_\u2660-\u2667\ufe0f]{1,32}")
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?", re.ASCII)
_CLOSES = {"{": "}", "[": "]", "(": ")"}


class _Unreadable(Exception):
    pass


def read_object(text: str, max_nesting: int) -> dict[str, Any] | None:
    """The object that ``text`` spells, or None. Tuples are read as lists; keys may be bare words."""
    try:
        reader = _Reader(text, max_nesting)
        value = reader.value(0)
    except _Unreadable:
        return None
    return value if isinstance(value, dict) and reader.at_end() else None


def nesting(text: str) -> int:
    """The greatest depth of brackets in ``text`` outside its double-quoted strings."""
    depth = deepest = 0
    for match in _NESTING.finditer(text):
        character = match.group()
        if character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


# Escapes are stepped over, or every escaped quote after an unclosed string would start another scan to the end.
_NESTING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|\\.|[{}\[\]]', re.DOTALL)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise _Unreadable
        at = match.end()
        kind = match.lastgroup or ""
        if kind != "space":
            yield kind, match.group()


class _Reader:
    """Reads token by token, so that text which is no object is given up early."""

    def __init__(self, text: str, max_nesting: int) -> None:
        self._tokens = _tokens(text)
        self._ahead = next(self._tokens, None)
        self._max_nesting = max_nesting

    def at_end(self) -> bool:
        return self._ahead is None

    def value(self, depth: int) -> Any:
        kind, text = self._next()
        if kind == "string":
            return _unescape(text[1:-1])
        if kind == "atom":
            return _atom(text)
        if text not in _CLOSES or depth >= self._max_nesting:
            raise _Unreadable
        if text == "{":
            return self._fields(depth + 1)
        return self._items(_CLOSES[text], depth + 1)

    def _fields(self, depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        while not self._closed("}", first=not fields):
            kind, text = self._next()
            if kind == "mark" or self._next() != ("mark", ":"):
                raise _Unreadable
            name = _unescape(text[1:-1]) if kind == "string" else text
            fields.pop(name, None)
            fields[name] = self.value(depth)
        return fields

    def _items(self, close: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not self._closed(close, first=not items):
            items.append(self.value(depth))
        return items

    def _closed(self, close: str, first: bool) -> bool:
        """Step over a separating comma and over ``close``; whether it was there."""
        if not first:
            if self._peek() == ("mark", ","):
                self._next()
            elif self._peek() != ("mark", close):
                raise _Unreadable
        if self._peek() == ("mark", close):
            self._next()
            return True
        return False

    def _peek(self) -> tuple[str, str]:
        if self._ahead is None:
            raise _Unreadable
        return self._ahead

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._ahead = next(self._tokens, None)
        return token


def _atom(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= 18 else text
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else text
    if _BARE.fullmatch(text):
        return text
    raise _Unreadable


def _unescape(text: str) -> str:
    return _ESCAPES.sub(_unescape_one, text) if "\\" in text else text


def _unescape_one(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) > 1:
        return chr(int(code[1:], 16))
    if code in _ESCAPED:
        return _ESCAPED[code]
    return code if code in "\"'\\/" else "\\" + code
