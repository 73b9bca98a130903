"""Spellings of a formula: characters mapped one by one, and the TeX that models write, lexed to plain text."""

from __future__ import annotations

import re

_SIGNS = {"×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "−": "-", "–": "-", "—": "-"}
_CHARACTERS = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    ord(sign): plain for sign, plain in _SIGNS.items()
}
_SPACE = " \t\n\r\f\v"
_WRAPPERS = (("$", "$"), (r"\(", r"\)"))
_BOXED = re.compile(r"\\boxed\s*\{", re.ASCII)
_WORD = re.compile(r"\\([A-Za-z]+)")
_OPERATORS = {"times": "*", "cdot": "*", "div": "/"}
_FRACTIONS = {"frac", "dfrac", "tfrac"}
_MAX_CHARACTERS = 4096
_MAX_BRACES = 64


class TexError(ValueError):
    """The TeX in a formula is not of the few words that are understood."""


def plain_text(formula: str) -> str:
    """``formula`` in the plain grammar's characters. Raises TexError; other characters are left for the lexer."""
    if len(formula) > _MAX_CHARACTERS:
        raise TexError(f"longer than {_MAX_CHARACTERS} characters")
    text = formula if formula.isascii() else formula.translate(_CHARACTERS)
    if "\\" in text or "$" in text:
        return _fractions(_unwrapped(text))
    if "{" in text or "}" in text:
        raise TexError("a brace outside TeX")
    return text


def _unwrapped(text: str) -> str:
    """Without one pair of ``$..$``, ``\\(..\\)`` or ``\\boxed{..}`` around the whole."""
    text = text.strip(_SPACE)
    core = text[:-1].rstrip(_SPACE) if text[-1:] in (".", ",") else text  # as in "$4*6$."
    for opening, closing in _WRAPPERS:
        if core.startswith(opening) and core.endswith(closing) and len(core) >= len(opening) + len(closing):
            return core[len(opening) : -len(closing)]
    boxed = _BOXED.match(core)
    if boxed and core.endswith("}"):
        return core[boxed.end() : -1]
    return text


def _fractions(text: str) -> str:
    """Words to operators, and ``\\frac{a}{b}`` to ``((a)/(b))``, in one pass with a stack of open braces."""
    parts: list[str] = []
    braces: list[str] = []  # what each closing brace means: "over" ends a numerator, "whole" a denominator
    at = 0
    while at < len(text):
        character = text[at]
        if character == "}":
            if not braces:
                raise TexError("a brace closes that was never opened")
            at += 1
            if braces.pop() == "over":
                at = _open_brace(text, at)
                braces.append("whole")
                parts.append(")/(")
            else:
                parts.append("))")
        elif character == "{":
            raise TexError("a brace that belongs to no fraction")
        elif character == "\\":
            match = _WORD.match(text, at)
            word = match.group(1) if match else ""
            at += 1 + len(word)
            if word in _OPERATORS:
                parts.append(f" {_OPERATORS[word]} ")
            elif word in _FRACTIONS:
                at = _open_brace(text, at)
                if len(braces) >= _MAX_BRACES:
                    raise TexError(f"fractions nested deeper than {_MAX_BRACES}")
                braces.append("over")
                parts.append("((")
            elif word in ("left", "right"):
                while at < len(text) and text[at] in _SPACE:
                    at += 1
                if text[at : at + 1] != ("(" if word == "left" else ")"):
                    raise TexError(f"\\{word} without its bracket")
            else:
                raise TexError("a TeX command that is no part of a formula")
        else:
            parts.append(character)
            at += 1
    if braces:
        raise TexError("a brace is never closed")
    return "".join(parts)


def _open_brace(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    if text[at : at + 1] != "{":
        raise TexError("a fraction without its braces")
    return at + 1
