"""The four operators, and the subsets of them that a task may allow."""

from __future__ import annotations

from typing import Any

from verienv.core.shown import shown

OPERATORS = "+-*/"
"""All of them, in the order in which a subset is written."""


def parse_operators(given: Any) -> str:
    """Return a non-empty subset of the operators in its one spelling: "*+" is "+*". Raises ValueError for another."""
    if not isinstance(given, str) or not given or len(set(given)) < len(given) or not set(given) <= set(OPERATORS):
        raise ValueError(f'operators={shown(given)}: expected some of + - * /, each once, such as "+*"')
    return "".join([operator for operator in OPERATORS if operator in given])
