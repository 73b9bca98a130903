"""Demonstrations: rows of chat messages that the verifier has scored, written by an expert or drawn from a policy."""

from verienv.demos.from_driver import driven
from verienv.demos.from_file import opened, read_demonstrations
from verienv.demos.from_policy import CORRECT, InVainError, Keep
from verienv.demos.making import Demonstrations, Kind, demonstrations, demonstrations_in, demonstrations_with_questions
from verienv.demos.published import published_rows, read_published

__all__ = [
    "CORRECT",
    "Demonstrations",
    "InVainError",
    "Keep",
    "Kind",
    "demonstrations",
    "demonstrations_in",
    "demonstrations_with_questions",
    "driven",
    "opened",
    "published_rows",
    "read_demonstrations",
    "read_published",
]
