"""Reading the answer in a response: from any text to the fields of one JSON object, in linear time.

Policies draft before they answer, wrap the answer in prose, code fences, tool calls or another object, and write JSON
as a person would. The rule is one sentence: of the balanced ``{...}`` objects behind the reasoning that hold the task's
key field, the one whose closing brace comes last is the answer. If it cannot be read there is none, whatever an earlier
draft says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from typing import Any

from verienv.core import loose_json
from verienv.core.objects import MAX_NESTING, find_objects
from verienv.core.reasoning import REASONING_TAGS, after_reasoning, is_open

MAX_CHARACTERS = 64 * 1024
"""The longest part of a response that is read: its last 64 Ki characters."""
MAX_CALLS = 2
"""The most strings of arguments within each other that are entered."""

_SURROGATES = re.compile("[\ud800-\udfff]")

# JSON would read \times as a tab and "imes". A single backslash before one of TeX's words is doubled first.
_TEX = re.compile(r"(?<!\\)\\(?=(?:times|cdot|div|[dt]?frac|left|right|boxed)(?![A-Za-z])|[()])")

_IN_A_STRING = re.compile(r'\\?\{(?>(?:\s++|\\n)*)\\"')
_ESCAPED_ONCE = re.compile(r'\\(["\\/n])')


def read_answer(
    response: str,
    key: str,
    *,
    strict: bool = False,
    templates: Collection[str] = frozenset(),
    reasoning_tags: tuple[str, ...] = REASONING_TAGS,
) -> dict[str, Any] | None:
    """Return the fields of the answer in ``response``, or None if there is none.

    Args:
        response: any string.
        key: the field that an answer must hold, "formula" or "action".
        strict: admit plain JSON alone; by default also the JSON that models write (see ``core.loose_json``), and TeX
            with single backslashes.
        templates: the objects that stand in the question for the answer's form; exact echoes of them are passed over.
        reasoning_tags: the tags around reasoning, which is no answer (see ``core.reasoning``); () for none.

    Returns:
        A dict that can always be serialised: no lone surrogate, no NaN or infinity, no endless integer (such
        numbers come back as strings). Objects nested deeper than 8 and candidates before the last 32 are not read.
    """
    text = after_reasoning(clean_response(response, reasoning_tags), reasoning_tags).strip()
    if "{" not in text:
        return None
    if text[:1] == "{" and text[-1:] == "}" and "\\" not in text:
        fields = _read_plain(text, strict)
        if fields is not None and key in fields and text not in templates:
            return fields
    return _read_last(text, key, strict, templates, MAX_CALLS)[1]


def read_fields(text: str) -> dict[str, Any] | None:
    """Return the fields of a text that is one JSON object as a whole, as ``read_answer``'s are; None for any other."""
    fields = _read_plain(text, strict=False) if len(text) <= MAX_CHARACTERS else None
    return None if fields is None else {_clean_text(name): _clean_value(value) for name, value in fields.items()}


def clean_response(response: str, reasoning_tags: tuple[str, ...] = ()) -> str:
    """Return the last 64 Ki characters, lone surrogates replaced: text that can always be encoded.

    Where the cut falls into reasoning they begin with the opening tag, so that reading them gives the same answer.
    """
    if len(response) > MAX_CHARACTERS:
        tail = response[-MAX_CHARACTERS:]
        opening = reasoning_tags[0] if reasoning_tags else ""
        cut = len(response) - MAX_CHARACTERS + len(opening)
        if is_open(response, cut, reasoning_tags):
            tail = opening + response[cut:]
        response = tail
    return response if response.isascii() else _clean_text(response)


def _read_last(
    text: str, key: str, strict: bool, templates: Collection[str], calls: int
) -> tuple[bool, dict[str, Any] | None]:
    """Return whether there is an object that decides, and its fields, None if it cannot be read."""
    for found in find_objects(text, key):
        candidate = text[found.start : found.end]
        if candidate in templates:
            continue
        fields = _read(candidate, strict)
        if found.is_call:
            decides, fields = _read_call(fields, key, strict, templates, calls)
            if decides:
                return True, fields
        elif fields is None or key in fields:
            return True, fields
    return False, None


def _read_call(
    call: dict[str, Any] | None, key: str, strict: bool, templates: Collection[str], calls: int
) -> tuple[bool, dict[str, Any] | None]:
    """Read the arguments of a tool call, a string that is an object; otherwise as ``_read_last``."""
    if call is None:
        return True, None
    arguments = call.get(loose_json.CALLS[0])
    if "name" in call and not isinstance(arguments, str):
        arguments = next((call[name] for name in loose_json.CALLS if isinstance(call.get(name), str)), None)
    text = arguments.strip() if isinstance(arguments, str) else ""
    if calls and text.startswith(("{", "\\{")) and text.endswith("}"):
        return _read_last(text, key, strict, templates, calls - 1)
    return False, None


def _read(candidate: str, strict: bool) -> dict[str, Any] | None:
    if not strict and "\\" in candidate:
        if _IN_A_STRING.match(candidate):
            candidate = _ESCAPED_ONCE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], candidate)
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
