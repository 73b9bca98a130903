"""Arguments of the paper's environments, checked."""

from __future__ import annotations

from typing import Any

from verienv.core.shown import shown

SMALLEST, LARGEST = 64, 2048
"""The least and the greatest ``resolution``, in px."""


def check_integer(name: str, value: Any, least: int, most: int) -> int:
    """Return an integer between two others. Raises ValueError that names it."""
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name}={shown(value)}: expected an integer from {least} to {most}")
    return value


def check_flag(name: str, value: Any) -> bool:
    """Return a truth. Raises ValueError for anything else, such as the text "False" of a command line."""
    if type(value) is not bool:
        raise ValueError(f"{name}={shown(value)}: expected True or False")
    return value


def reason(feedback: str) -> str:
    """Return a line of feedback as it follows "because": without the word that says that the answer is wrong."""
    return feedback.removeprefix("Wrong: ")
