"""The value of postfix notation, worked out by a stack machine that shares no code with the library."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any


def value(postfix: Sequence[int | str], number: Callable[[int], Any] = Fraction) -> Any:
    """Return the value in numbers of this kind, such as Fraction or float; None where it divides by zero."""
    stack: list[Any] = []
    for item in postfix:
        if isinstance(item, int):
            stack.append(number(item))
        elif item == "neg":
            stack.append(-stack.pop())
        else:
            right, left = stack.pop(), stack.pop()
            if item == "/" and right == 0:
                return None
            stack.append({"+": left + right, "-": left - right, "*": left * right, "/": left / (right or 1)}[item])
    return stack[0]
