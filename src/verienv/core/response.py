"""Reading the answer in a response: from any text to the fields of one JSON object, in linear time.

Policies draft before they answer, wrap the answer in prose, code fences or another object, and write JSON as a
person would. The rule is one sentence: of the balanced ``{...}`` objects that hold the task's key field, the
answer is the one whose closing brace comes last.
"""

from __future__ import annotations

import json
import math
import re
from collections import deque
from typing import Any

from verienv.core import loose_json

MAX_CHARACTERS = 64 * 1024
"""The longest part of a response that is read: its last 64 Ki characters."""
MAX_CANDIDATES = 32
MAX_NESTING = 8

_SURROGATES = re.compile("[\ud800-\udfff]")

# One pass over the text. Inside an object, strings hide the braces in them; a quote opens a string only where JSON
# could have one: after an opening bracket, a separator or white space, the closing quote before a separator or a
# closing bracket. Any other quote (an apostrophe, quotation marks in prose, an unfinished draft) hides nothing.
# Possessive repeats and the stepping over of every escaped character keep the pass linear.
_OUTSIDE = re.compile(r"\\.|\{", re.DOTALL)
_INSIDE = re.compile(
    r"""
      (?<=[{\[(,:\s])(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+')(?=\s*+[,:}\])])
    | \\.
    | [{}]
    """,
    re.VERBOSE | re.DOTALL,
)

# JSON would read \times as a tab and "imes". A single backslash before one of TeX's words is doubled first.
_TEX = re.compile(r"(?<!\\)\\(?=(?:times|cdot|div|[dt]?frac|left|right|boxed)(?![A-Za-z])|[()])")


def read_answer(response: str, key: str, *, strict: bool = False) -> dict[str, Any] | None:
    """Return the fields of the answer in ``response``, or None if there is none.

    Args:
        response: any string.
        key: the field that an answer must hold, "formula" or "action".
        strict: admit plain JSON alone; by default also the JSON that models write (single quotes, trailing
            commas, bare card symbols, Python literals, TeX with single backslashes).

    Returns:
        A dict that can always be serialised: no lone surrogate, no NaN or infinity, no endless integer (such
        numbers come back as strings). Objects nested deeper than 8 and candidates before the last 32 are not read.
    """
    text = clean_response(response).strip()
    if "{" not in text:
        return None
    if text[:1] == "{" and text[-1:] == "}" and "\\" not in text:
        fields = _read_plain(text, strict)
        if fields is not None and key in fields:
            return fields
    for start, end in reversed(_balanced_objects(text, key)):
        candidate = text[start:end]
        fields = _read(candidate, strict)
        if fields is not None and key in fields:
            return fields
    return None


def clean_response(response: str) -> str:
    """Return the last 64 Ki characters, lone surrogates replaced: text that can always be encoded."""
    return _clean_text(response[-MAX_CHARACTERS:])


def _balanced_objects(text: str, key: str) -> deque[tuple[int, int]]:
    """Start and end of the last balanced objects that may hold ``key``, in the order of their closing braces.

    No character lies in more than MAX_NESTING of them, so reading them all stays linear.
    """
    found: deque[tuple[int, int]] = deque(maxlen=MAX_CANDIDATES)
    opened: deque[int] = deque(maxlen=MAX_NESTING)
    end = 0
    while mark := (_INSIDE if opened else _OUTSIDE).search(text, end):
        end = mark.end()
        character = mark.group()
        if character == "{":
            opened.append(mark.start())
        elif character == "}":
            start = opened.pop()
            if text.find(key, start, end) >= 0 or text.find("\\u", start, end) >= 0:  # a key may be escaped
                found.append((start, end))
    return found


def _read(candidate: str, strict: bool) -> dict[str, Any] | None:
    if not strict and "\\" in candidate:
        candidate = _TEX.sub(r"\\\\", candidate)
    fields = _read_plain(candidate, strict)
    if fields is None and not strict:
        fields = loose_json.read_object(candidate, MAX_NESTING)
    if fields is not None and "\\" in candidate:
        fields = _clean_value(fields)
    return fields


def _read_plain(text: str, strict: bool) -> dict[str, Any] | None:
    # The bound on brackets keeps json's recursion, and so the verdict, apart from the depth of the caller's stack.
    if text.count("{") + text.count("[") > MAX_NESTING and loose_json.nesting(text) > MAX_NESTING:
        return None
    try:
        fields = (_PLAIN if strict else _LENIENT).decode(text)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _refuse_constant(name: str) -> str:
    raise ValueError(f"{name} is not JSON")


def bounded_int(digits: str) -> int | str:
    """An integer of at most 18 digits; a longer one stays a string."""
    return int(digits) if len(digits) <= 18 else digits


def bounded_float(digits: str) -> float | str:
    """A finite float; one that overflows stays a string."""
    value = float(digits)
    return value if math.isfinite(value) else digits


_PLAIN = json.JSONDecoder(parse_int=bounded_int, parse_float=bounded_float, parse_constant=_refuse_constant)
_LENIENT = json.JSONDecoder(
    parse_int=bounded_int, parse_float=bounded_float, parse_constant=lambda name: name, strict=False
)


def _clean_text(text: str) -> str:
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, list):
        return [_clean_value(item) for item in value]
    if isinstance(value, dict):
        return {_clean_text(name): _clean_value(item) for name, item in value.items()}
    return value
