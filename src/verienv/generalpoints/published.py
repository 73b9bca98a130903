"""The faults that published code finds in a formula, one by one, as it prices them.

The code is LeslieTrue/SFTvsRL (``utils_rl.py``, of the paper) and XiaofengLin7/debunking-sft-generalization
(``reward_score/gp_l.py``, of arXiv 2510.00237). Both look at the text before its first ``=`` alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from verienv.arithmetic.expression import IllegalFormula, parse_formula
from verienv.generalpoints.puzzle import Puzzle

Fault = Literal["illegal", "wrong_numbers", "wrong_value", "prefix"]

_TOKEN = re.compile(r"\d+|[-+*/()]")
_BEGINS = (None, "operator", "open")
_ENDS = ("number", "close")
_PAIR = re.compile(r"\([0-9]+[-+*/][0-9]+\)[-+*/]\([0-9]+[-+*/][0-9]+")
_ONE = re.compile(r"[0-9]+[-+*/][^()]*\([^()]*[-+*/][^()]*")


def published_faults(formula: Any, puzzle: Puzzle, *, spaces: bool) -> list[Fault]:
    """Return the faults of a formula that does not solve the puzzle, in the order in which the code finds them.

    A character of no token is one "illegal" and ends the search; each token that cannot follow the one before it is
    one, and so is each operator that the puzzle does not allow (that code allows all); then numbers that are not
    there, or too often, are one "wrong_numbers", and cards left out are another. Where none of these is found it is
    "prefix" for a solution that lacks its last parenthesis, else "wrong_value".

    Args:
        formula: the text; anything but a text is one "illegal".
        puzzle: cards, rule and target.
        spaces: whether spaces are left out (the second code does so), or are characters of no token.
    """
    if not isinstance(formula, str):
        return ["illegal"]
    text = formula.partition("=")[0]
    text = text.replace(" ", "") if spaces else text
    tokens = _TOKEN.findall(text)
    if sum(map(len, tokens)) != len(text):
        return ["illegal"]
    faults: list[Fault] = [*_misplaced(tokens, puzzle.operators), *_numbers(tokens, puzzle)]
    return faults or ["prefix" if _is_prefix(text, puzzle) else "wrong_value"]


def _misplaced(tokens: list[str], operators: str) -> Iterator[Fault]:
    before: str | None = None
    opened = 0
    for token in tokens:
        if token == "(":
            kind, fits = "open", before in _BEGINS
            opened += fits
        elif token == ")":
            kind, fits = "close", before in _ENDS and opened > 0
            opened -= fits
        elif token in "+-*/":
            kind, fits = "operator", before in _ENDS and token in operators
        else:
            kind, fits = "number", before in _BEGINS
        if not fits:
            yield "illegal"
        before = kind


def _numbers(tokens: list[str], puzzle: Puzzle) -> Iterator[Fault]:
    used = Counter(int(token) if len(token) <= 600 else -1 for token in tokens if token[0] not in "+-*/()")
    due = Counter(puzzle.values)
    if used - due:
        yield "wrong_numbers"
    if due - used:
        yield "wrong_numbers"


def _is_prefix(text: str, puzzle: Puzzle) -> bool:
    """Whether ``text`` and one ``)`` are a solution of a form that the code's own solver writes."""
    if not (_ONE.fullmatch(text) or _PAIR.fullmatch(text)):
        return False
    try:
        value = parse_formula(f"{text})").expression.fraction()
    except IllegalFormula:
        return False
    return value is not None and value[0] == puzzle.target * value[1]
