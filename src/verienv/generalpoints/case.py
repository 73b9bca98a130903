"""A case of GeneralPoints: a response to a puzzle and what a verifier owes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from verienv.core.cases import AnyCase, Level, plain_fields
from verienv.generalpoints.puzzle import Puzzle


@dataclass(frozen=True)
class Case(AnyCase):
    """A response to a puzzle and what is owed.

    Attributes:
        name: unique among the vectors.
        failure: "" for a right answer, else why it is none: a member of ``generalpoints.Failure``.
        reward: the paper's reward; None where the case does not fix one.
        vision, strict: the setting of the verifier under which the verdict holds; None for both.
        why: the reason, for people.
        level: who owes this verdict.
    """

    name: str
    response: str
    puzzle: Puzzle
    failure: str
    why: str
    reward: float | None = None
    vision: bool | None = None
    strict: bool | None = None
    level: Level = "task"

    @property
    def facts(self) -> Puzzle:
        return self.puzzle

    @property
    def setting(self) -> str:
        """The puzzle in a few words."""
        stated = "" if self.puzzle.stated_rule == self.puzzle.rule else f" (stated: {self.puzzle.stated_rule.name})"
        return f"{' '.join(self.puzzle.cards)}, rule {self.puzzle.rule.name}{stated}, target {self.puzzle.target}"

    def holds(self, vision: bool, strict: bool) -> bool:
        """Whether the verdict holds under these settings."""
        return self.vision in (None, vision) and self.strict in (None, strict)


def read_vector(fields: dict[str, Any]) -> Case:
    """Return the case of a line of the shipped vectors."""
    name, response, failure = fields["name"], fields["response"], fields["expect"]["failure"]
    puzzle = Puzzle(fields["cards"], fields["rule"], fields["target"])
    return Case(
        name=name,
        response=response,
        puzzle=puzzle,
        failure=failure,
        why=fields["why"],
        reward=fields["expect"]["reward"],
        vision=fields.get("vision"),
        strict=fields.get("strict"),
        level=fields.get("level", _level(name.rpartition(" ")[0], response, failure, puzzle)),
    )


_PLAIN = re.compile(r"(?!.*[-+*/(] *[-+])(?! *[-+])(?!\({9})[0-9+\-*/() ]{1,200}")
"""A formula that anyone reads: digits, the four operations, a few parentheses, spaces; no signs."""

_WRONG_TO_ALL = frozenset({"near", "value", "zero", "numbers", "claim", "rule", "power", "code", "face", "flood"})
"""Groups of vectors whose wrong answers are wrong under any reading."""


def _level(group: str, response: str, failure: str, puzzle: Puzzle) -> Level:
    """Return who owes the verdict: whether it hangs on a reading that verienv chose, such as of full-width digits."""
    if not failure:
        fields = plain_fields(response, "cards", "number", "formula")
        is_plain = fields.get("cards") == list(puzzle.ranks) and fields["number"] == list(puzzle.values)
        return "task" if is_plain and _PLAIN.fullmatch(fields["formula"]) else "full"
    if group == "heavy" or group.startswith(("reading: ", "lenient: wrong")):  # some hold a right formula, dressed up
        return "full" if "4*3+2+10" in response else "task"
    return "task" if group in _WRONG_TO_ALL else "full"
