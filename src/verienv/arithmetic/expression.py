"""Arithmetic expressions: read, evaluate exactly, print.

An Expression holds its postfix form. Nothing here recurses, and nothing runs text as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import gcd

from verienv.arithmetic.operators import OPERATORS
from verienv.arithmetic.tex import TexError, strip_tex

Item = int | str
"""An integer, or one of + - * / and the unary "neg"."""

MAX_DEPTH = 64
MAX_INTEGERS = 16

_TOKEN = re.compile(r"([0-9]+)|([-+*/()=xX])|(\S)", re.ASCII)
_SPACE = " \t\n\r\f\v"
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "pos": 3}


class IllegalFormula(ValueError):
    """The text is not a formula of the grammar; the message says where it stops being one."""


@dataclass(frozen=True)
class Expression:
    """An arithmetic expression over integers in postfix form, e.g. (4, 3, "*", 2, "+")."""

    postfix: tuple[Item, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The integers used, sorted."""
        return tuple(sorted([item for item in self.postfix if isinstance(item, int)]))

    def fraction(self) -> tuple[int, int] | None:
        """The exact value as (numerator, denominator > 0), not reduced; None for a division by zero."""
        return evaluate(self.postfix)

    def steps(self) -> Iterator[tuple[str, str, str, str]]:
        """Each binary operation in order of evaluation: left value, operator, right value, result, as text."""
        stack: list[tuple[int, int]] = []
        for item in self.postfix:
            if isinstance(item, int):
                stack.append((item, 1))
            elif item == "neg":
                top, bottom = stack.pop()
                stack.append((-top, bottom))
            else:
                right, left = stack.pop(), stack.pop()
                result = _apply(item, left, right)
                if result is None:
                    raise ZeroDivisionError(self.minimal())
                stack.append(_reduced(*result))
                yield fraction_text(*left), item, fraction_text(*right), fraction_text(*stack[-1])

    def minimal(self) -> str:
        """Printed without the parentheses that precedence, or a sum or product in a row, makes needless."""
        return self._print(full=False)

    def full(self) -> str:
        """Printed with parentheses around every operation but the outermost."""
        return self._print(full=True)

    def _print(self, full: bool) -> str:
        stack: list[tuple[str, int]] = []
        for item in self.postfix:
            if isinstance(item, int):
                stack.append((str(item), 9))
            elif item == "neg":
                text, rank = stack.pop()
                stack.append((f"-({text})" if rank < 9 else f"-{text}", 3))
            else:
                (right, right_rank), (left, left_rank) = stack.pop(), stack.pop()
                rank = _PRECEDENCE[item]
                regroups = right_rank < rank or (right_rank == rank and item in "-/")
                if left_rank < (9 if full else rank):
                    left = f"({left})"
                if (right_rank < 9 if full else regroups) or right.startswith("-"):
                    right = f"({right})"
                stack.append((f"{left}{item}{right}", rank))
        return stack[0][0]


@dataclass(frozen=True)
class Equation:
    """A parsed formula: an expression and, if the formula says so, the integer it claims to equal."""

    expression: Expression
    claimed: int | None = None


def evaluate(postfix: Iterable[Item]) -> tuple[int, int] | None:
    """Exact value of a postfix form as (numerator, denominator > 0), not reduced; None for a division by zero."""
    stack: list[tuple[int, int]] = []
    for item in postfix:
        if isinstance(item, int):
            stack.append((item, 1))
        elif item == "neg":
            top, bottom = stack.pop()
            stack.append((-top, bottom))
        else:
            right = stack.pop()
            result = _apply(item, stack.pop(), right)
            if result is None:
                return None
            stack.append(result)
    return stack[0]


def _apply(operator: str, left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int] | None:
    (a, b), (c, d) = left, right
    if operator == "+":
        return a * d + c * b, b * d
    if operator == "-":
        return a * d - c * b, b * d
    if operator == "*":
        return a * c, b * d
    if c == 0:
        return None
    return (a * d, b * c) if c > 0 else (-a * d, -b * c)


def _reduced(top: int, bottom: int) -> tuple[int, int]:
    shared = gcd(top, bottom)
    return top // shared, bottom // shared


def fraction_text(top: int, bottom: int) -> str:
    """ "3/4", or "3" where the denominator divides."""
    top, bottom = _reduced(top, bottom)
    return str(top) if bottom == 1 else f"{top}/{bottom}"


def parse_formula(formula: str, operators: str = OPERATORS) -> Equation:
    """Read a formula: ``expression``, ``expression = integer`` or ``integer = expression``.

    Characters are mapped one by one (full-width forms, the Unicode signs of the four operations) and TeX's
    \\times, \\cdot, \\div, \\frac, \\left, \\right and one outer wrapper are understood. At most 4,096
    characters and 16 integers of at most 6 digits, nesting at most 64. The integers may be any; whether they are the
    cards' is not judged here.

    Raises:
        IllegalFormula: for every other text, and for an operator or sign other than ``operators``.
    """
    try:
        text = strip_tex(formula)
    except TexError as error:
        raise IllegalFormula(str(error)) from None
    parser = _Parser(text)
    if operators != OPERATORS:
        _check_operators(parser.tokens, operators)
    return parser.equation()


def _check_operators(tokens: list[Item], operators: str) -> None:
    forbidden = set(OPERATORS) - set(operators)
    used = next((token for token in tokens if token in forbidden), None)
    if used:
        raise IllegalFormula(f"it uses {used}, which is not among the operators allowed, {' '.join(operators)}")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._lex(text))

    def _lex(self, text: str) -> Iterator[Item]:
        end = len(text.rstrip(_SPACE))
        if end and text[end - 1] in ".,":  # one trailing full stop or comma is forgiven
            end = len(text[: end - 1].rstrip(_SPACE))
        previous, count, depth = "", 0, 0
        for digits, mark, other in _TOKEN.findall(text, 0, end):
            if digits:
                count += 1
                if len(digits) > 6:
                    raise IllegalFormula("an integer of more than 6 digits")
                if digits[0] == "0" and len(digits) > 1:
                    raise IllegalFormula("an integer with a leading zero")
                if count > MAX_INTEGERS + 1:
                    raise IllegalFormula(f"more than {MAX_INTEGERS} integers")
                yield int(digits)
            elif other:
                raise IllegalFormula("it holds a character that belongs to no formula")
            elif mark in "xX":
                if previous == "0":
                    raise IllegalFormula("0x is hexadecimal")
                yield "*"
            else:
                if mark == "(":
                    depth += 1
                    if depth > MAX_DEPTH:
                        raise IllegalFormula(f"parentheses nested deeper than {MAX_DEPTH}")
                elif mark == ")":
                    depth -= 1
                yield mark
            previous = digits

    def equation(self) -> Equation:
        tokens, claimed = self.tokens, None
        if "=" in tokens:
            if tokens.count("=") > 1:
                raise IllegalFormula("more than one =")
            at = tokens.index("=")
            if len(tokens) == at + 2 and isinstance(tokens[-1], int):
                claimed, tokens = tokens[-1], tokens[:at]
            elif at == 1 and isinstance(tokens[0], int):
                claimed, tokens = tokens[0], tokens[2:]
            else:
                raise IllegalFormula("neither side of = is one bare integer")
        return Equation(Expression(self._postfix(tokens)), claimed)

    def _postfix(self, tokens: list[Item]) -> tuple[Item, ...]:
        """Dijkstra's shunting yard. A sign applies to one factor: -2*3 is (-2)*3, and -(2) is a factor too."""
        output: list[Item] = []
        waiting: list[str] = []
        operand_next = True
        signed = False
        integers = 0
        for token in tokens:
            if isinstance(token, int):
                if not operand_next:
                    raise IllegalFormula("two numbers with no operator between them")
                output.append(token)
                integers += 1
                operand_next = signed = False
            elif token == "(":
                if not operand_next:
                    raise IllegalFormula("a parenthesis with no operator before it")
                waiting.append(token)
                signed = False
            elif token == ")":
                if operand_next:
                    raise IllegalFormula("a parenthesis closes where a number is missing")
                while waiting and waiting[-1] != "(":
                    _settle(output, waiting.pop())
                if not waiting:
                    raise IllegalFormula("a parenthesis closes that was never opened")
                waiting.pop()
            elif operand_next:
                if token not in "+-" or signed:
                    raise IllegalFormula(f"an operator {token} where a number is missing")
                waiting.append("neg" if token == "-" else "pos")
                signed = True
            else:
                while waiting and waiting[-1] != "(" and _PRECEDENCE[waiting[-1]] >= _PRECEDENCE[token]:
                    _settle(output, waiting.pop())
                waiting.append(token)
                operand_next = True
                signed = False
        if operand_next:
            raise IllegalFormula("it ends where a number is missing" if tokens else "it is empty")
        while waiting:
            operator = waiting.pop()
            if operator == "(":
                raise IllegalFormula("a parenthesis is never closed")
            _settle(output, operator)
        if integers > MAX_INTEGERS:
            raise IllegalFormula(f"more than {MAX_INTEGERS} integers")
        return tuple(output)


def _settle(output: list[Item], operator: str) -> None:
    if operator != "pos":
        output.append(operator)
