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
_WORD = re.compile("[A-Za-z]+")
_OPERATORS = {"times": "*", "cdot": "*", "div": "/"}
_FRACTIONS = {"frac", "dfrac", "tfrac"}
_MAX_CHARACTERS = 4096
_MAX_OPEN = 64


class TexError(ValueError):
    """The TeX in a formula is not of the few words that are understood."""


def strip_tex(formula: str) -> str:
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
    core, mark = (text[:-1].rstrip(_SPACE), text[-1]) if text.endswith((".", ",")) else (text, "")  # as in "$4*6$."
    for opening, closing in _WRAPPERS:
        if core.startswith(opening) and core.endswith(closing) and len(core) >= len(opening) + len(closing):
            return core[len(opening) : -len(closing)] + mark
    boxed = _BOXED.match(core)
    if boxed and core.endswith("}"):
        return core[boxed.end() : -1] + mark
    return text


def _fractions(text: str) -> str:
    """Words to operators, and ``\\frac{a}{b}`` to ``((a)/(b))``, in one pass with a stack of open brackets.

    Parentheses pair within their braces: ``\\frac{1)+(2}{3}`` is no fraction.
    """
    parts: list[str] = []
    open_: list[str] = []  # "(", or what the closing brace means: "over" ends a numerator, "whole" a denominator
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "}":
            if not open_ or open_[-1] == "(":
                raise TexError("a brace closes that was never opened")
            if open_.pop() == "over":
                at = _open_brace(text, at)
                open_.append("whole")
                parts.append(")/(")
            else:
                parts.append("))")
        elif character == "{":
            raise TexError("a brace that belongs to no fraction")
        elif character == "\\":
            match = _WORD.match(text, at)
            word = match.group() if match else ""
            at += len(word)
            if word in _OPERATORS:
                parts.append(f" {_OPERATORS[word]} ")
            elif word in _FRACTIONS:
                at = _open_brace(text, at)
                if len(open_) >= _MAX_OPEN:
                    raise TexError(f"fractions nested deeper than {_MAX_OPEN}")
                open_.append("over")
                parts.append("((")
            elif word in ("left", "right"):
                while text[at : at + 1] in tuple(_SPACE):
                    at += 1
                if text[at : at + 1] != ("(" if word == "left" else ")"):
                    raise TexError(f"\\{word} without its bracket")
            else:
                raise TexError("a TeX command that is no part of a formula")
        else:
            if character == "(":
                open_.append("(")
            elif character == ")" and open_ and open_.pop() != "(":
                raise TexError("a parenthesis closes outside its braces")
            parts.append(character)
    if open_:
        raise TexError("a bracket is never closed")
    return "".join(parts)


def _open_brace(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    if text[at : at + 1] != "{":
        raise TexError("a fraction without its braces")
    return at + 1
