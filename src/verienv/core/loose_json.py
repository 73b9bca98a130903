"""The JSON that models write: what a person would read without doubt. Runs no code, in linear time.

Read besides JSON: comments (``//``, ``/* */``, ``#``); single and curly quotes, guillemets and backticks; bare keys,
also in bold; card symbols, formulas and calls without quotes; Python's literals and tuples; trailing commas, and a
comma missing before a key; a full-width colon or comma; escaped brackets (``\\{``); Markdown's escapes
(``turn\\_direction``).

Not read, since two readers could differ: a missing quote (who can say where the text ends?), colon or bracket; items
with no comma between them (Python joins strings); sentences without quotes; ``=`` for a colon, semicolons, prefixed or
tripled quotes; what only running it would tell. Without braces (YAML, ``key=value``) there is no object.
"""

from __future__ import annotations

import math
import re
from typing import Any

STRING = (
    r""""[^"\\]*+(?>(?:\\.[^"\\]*+)*)" | '[^'\\]*+(?>(?:\\.[^'\\]*+)*)'"""
    r"""| [“”„][^“”„]*+[“”] | [‘’‚][^‘’‚]*+[‘’] | «[^«»]*+»"""
)
"""The pattern of a string, for ``re.VERBOSE | re.DOTALL``."""

NEXT_KEY = r"""(?: "[^"\\\n]{1,40}" | '[^'\\\n]{1,40}' | [“”„][^“”„\n]{1,40}[“”] | [A-Za-z_]\w{0,39}+ ) \s*+ [:：]"""
"""The pattern of a key and its colon, by which a missing comma is told."""

CALLS = ("arguments", "parameters", "input")
"""The fields of a tool call that hold what the tool is called with."""

_TOKENS = re.compile(
    rf"""
    (?>(?: \s++
      | //[^\n]*+ | \#[^\n]*+ | /\*(?>(?:[^*]++|\*(?!/))*)(?:\*/|\Z)
      | \\{{1,2}}(?:left|right)\s*+(?=\\[{{}}])
    )*)
    (?: (?P<string> {STRING} | `[^`]*+` )
      | (?P<mark> \\?[{{}}\[\]] | [(),:，：] )
      | (?P<atom> (?>(?: [^\s{{}}\[\](),:，："'`“”„‘’‚«»\\]++ | \\_ )+) )
      | (?P<end> \Z )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_NEXT_KEY = re.compile(NEXT_KEY, re.VERBOSE)
_MARKS = {"，": ",", "：": ":", "\\{": "{", "\\}": "}", "\\[": "[", "\\]": "]"}

_ESCAPES = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_MEANT = "\"'\\/_*+-[]{}"
"""The characters that an escape leaves as they are, JSON's and Markdown's; before any other the backslash stays."""

_CONSTANTS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
}
_BARE = re.compile(r"[0-9A-Za-z_\u2660-\u2667\ufe0f]{1,32}|\.\.\.|…")
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?", re.ASCII)
_CLOSES = {"{": "}", "[": "]", "(": ")"}

# A formula, a call with words for its argument, or a card's name, without quotes.
_OPERATORS = "+*/xX×·⋅∗÷∕−–—-"
_FORMULA = re.compile(r"(?>(?:[0-9 \t()=+*xX×·⋅∗÷∕−–—-]|/(?![/*])|\\[*+-])+)")
_PHRASE = re.compile(
    r"""[A-Za-z_](?>(?:\w|\\_)*) [ \t]*+
        \( [ \t]*+ (?P<quote>["']?+) [ \t]*+ (?>(?:[A-Za-z]++[ \t]*+){0,4}) (?P=quote) [ \t]*+ \)
      | [0-9A-Za-z]{1,5} [ ] [oO][fF] [ ] [A-Za-z\u2660-\u2667]\w{0,7}+""",
    re.VERBOSE | re.ASCII,
)
_GOES_ON = re.compile(r"//[ \t]*+[0-9(+-]")
"""A comment that a formula before it could be divided by, as Python writes it."""


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
_NESTING = re.compile(r'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"|\\.|[{}\[\]]', re.DOTALL)


class _Reader:
    """Reads token by token, so that text which is no object is given up early."""

    _kind: str
    """The kind of the token ahead: "string", "mark", "atom", or "end"."""
    _token: str
    _start: int
    _at: int
    """The place behind it."""

    def __init__(self, text: str, max_nesting: int) -> None:
        self._text = text
        self._max_nesting = max_nesting
        self._go_to(0)

    def at_end(self) -> bool:
        return self._kind == "end"

    def value(self, depth: int) -> Any:
        kind, text = self._kind, self._token
        is_word = text.isalnum() and self._text[self._at : self._at + 1] in ",]}"
        if (kind == "atom" and not is_word) or text == "(":
            bare = self._bare()
            if bare:
                return bare
        self._next()
        if kind == "string":
            return unescape(text[1:-1])
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
            kind, text = self._kind, self._token
            self._next()
            if kind not in ("string", "atom") or self._token != ":":
                raise _Unreadable
            self._next()
            name = unescape(text[1:-1]) if kind == "string" else unescape(text).strip("*")
            fields.pop(name, None)
            fields[name] = self.value(depth)
        return fields

    def _items(self, close: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not self._closed(close, first=not items):
            items.append(self.value(depth))
        return items

    def _bare(self) -> str:
        """Step over a formula, a call or a card's name without quotes; "" for anything else."""
        formula = _FORMULA.match(self._text, self._start)
        said = formula.group().rstrip() if formula else ""
        if formula and any(sign in said for sign in _OPERATORS) and said.count("(") == said.count(")"):
            if not (said[-1].isdigit() or said[-1] == ")") or _INTEGER.fullmatch(said):
                return ""
            end = self._start + len(said)
            if self._text.startswith(("//", "/*", "#"), end) or _GOES_ON.match(self._text, formula.end()):
                raise _Unreadable  # Python's division, or a comment
        else:
            phrase = _PHRASE.match(self._text, self._start)
            if phrase is None:
                return ""
            said, end = phrase.group(), phrase.end()
        at, kind, token, start = self._at, self._kind, self._token, self._start
        self._go_to(end)
        if self._token in _ENDS or _NEXT_KEY.match(self._text, self._start):
            return unescape(said)
        self._at, self._kind, self._token, self._start = at, kind, token, start
        return ""

    def _closed(self, close: str, first: bool) -> bool:
        """Step over a separating comma, which may be missing before a key, and over ``close``; whether it was there."""
        if not first:
            if self._token == ",":
                self._next()
            elif self._token != close and not (close == "}" and _NEXT_KEY.match(self._text, self._start)):
                raise _Unreadable
        if self._token == close:
            self._next()
            return True
        return False

    def _next(self) -> None:
        if self._kind == "end":
            raise _Unreadable
        self._go_to(self._at)

    def _go_to(self, at: int) -> None:
        """Look at the first token at or behind ``at``."""
        match = _TOKENS.match(self._text, at)
        if match is None:
            raise _Unreadable
        self._kind = kind = match.lastgroup or ""
        self._start, self._at = match.span(kind)
        token = match[kind]
        self._token = _MARKS.get(token, token) if kind == "mark" else token


_ENDS = (",", "}", "]", ")")


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


def unescape(text: str) -> str:
    """Read the escapes of a string, JSON's, Python's and Markdown's."""
    return _ESCAPES.sub(_unescape_one, text) if "\\" in text else text


def _unescape_one(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) > 1:
        return chr(int(code[1:], 16))
    if code in _ESCAPED:
        return _ESCAPED[code]
    return code if code in _MEANT else "\\" + code
