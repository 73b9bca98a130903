"""Scoring a file of responses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from verienv.core.config import validated
from verienv.core.verdict import Verdict
from verienv.generalpoints.puzzle import Puzzle, read_instance
from verienv.generalpoints.verifier import verify
from verienv.virl.question import WaypointRow


class ResponseLine(BaseModel):
    """One line: a response and the puzzle it answers. Other fields are let be.

    Attributes:
        response: the policy's words.
        instance: the puzzle's id, or instead
        cards: its cards, and
        target: what to make; 24 if not said.
        rule: what J, Q and K count; that of the command line if not said.
        stated_rule: what the prompt said they count, if not ``rule``.
        vision: whether the cards were shown as a picture.
    """

    model_config = ConfigDict(extra="ignore")

    response: str = Field(strict=True)
    instance: str | None = None
    cards: list[str] | None = None
    target: int | None = Field(default=None, strict=True)
    rule: str | dict[str, int] | None = None
    stated_rule: str | dict[str, int] | None = None
    vision: bool | None = None

    def puzzle(self, rule: str) -> Puzzle:
        """The puzzle that the line names. Raises ValueError."""
        if (self.instance is None) == (self.cards is None):
            raise ValueError("expected either 'instance' or 'cards'")
        ranks, target = (
            (tuple(self.cards or ()), self.target) if self.instance is None else read_instance(self.instance)
        )
        if self.target not in (None, target):
            raise ValueError(f"target={self.target}, but the instance is {self.instance!r}")
        return Puzzle(ranks, self.rule or rule, 24 if target is None else target, self.stated_rule)


@dataclass
class Score:
    """What came of the lines so far."""

    correct: int = 0
    reward: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)
    metrics: Counter[str] = field(default_factory=Counter)
    judged_by: Counter[str] = field(default_factory=Counter)
    bad_lines: int = 0

    @property
    def scored(self) -> int:
        return self.correct + self.failures.total()

    def add(self, verdict: Verdict) -> None:
        self.reward += verdict.reward
        if verdict.is_correct:
            self.correct += 1
        else:
            self.failures[verdict.failure] += 1
        self.metrics.update({name: int(value) for name, value in verdict.metrics.items()})
        self.judged_by.update(list(verdict.metrics))

    def summary(self) -> str:
        """A few lines for the terminal."""
        if not self.scored:
            return "No response was scored."
        rows = [("responses", self.scored, ""), ("correct", self.correct, self._share(self.correct))]
        rows += [(kind.replace("_", " "), count, self._share(count)) for kind, count in self.failures.most_common()]
        rows += [
            (f"with {_SHARES[name]}", count, self._share(count))
            for name, count in self.metrics.items()
            if name in _SHARES
        ]
        if self.bad_lines:
            rows.append(("lines not read", self.bad_lines, ""))
        means = [
            (f"mean {_MEANS[name]}", total / self.judged_by[name])
            for name, total in self.metrics.items()
            if name in _MEANS
        ]
        means.append(("mean reward", self.reward / self.scored))
        width = max(len(name) for name in (*(row[0] for row in rows), *(mean[0] for mean in means)))
        lines = [f"{name:{width}}  {count:>8}  {share:>6}".rstrip() for name, count, share in rows]
        return "\n".join([*lines, *(f"{name:{width}}  {mean:>8.2f}" for name, mean in means)])

    def _share(self, count: int) -> str:
        return f"{100 * count / self.scored:.1f}%"


_MEANS = {"cards_read": "cards read right"}
_SHARES = {
    "cards_correct": "the cards read right",
    "numbers_correct": "the rule read right",
    "formula_valid": "a valid formula",
    "observation_correct": "a true observation",
    "instruction_correct": "the right instruction",
}

Judged = tuple[int, dict[str, Any] | str]
"""A line's number and its row with the verdict, or what is wrong with the line."""


def judged_lines(
    lines: Iterable[bytes], rule: str, vision: bool, rewards: str, strict: bool, score: Score
) -> Iterator[Judged]:
    """Judge line by line, adding to ``score``. Blank lines are passed over.

    A line with "waypoint" is a row of V-IRL (``WaypointRow``) with a response, any other one of GeneralPoints.
    """
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            fields = json.loads(text)
            if not isinstance(fields, dict):
                raise ValueError("expected a JSON object with 'response' and 'instance', 'cards' or 'waypoint'")
            judged, row = (_at_waypoint if "waypoint" in fields else _of_puzzle)(fields, rule, vision, rewards, strict)
        except (ValueError, RecursionError) as error:
            score.bad_lines += 1
            wrong = f"no JSON ({error})" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else str(error)
            yield number, wrong
            continue
        score.add(judged)
        yield number, {"line": number, **row, **judged.model_dump(mode="json")}


def _of_puzzle(
    fields: dict[str, Any], rule: str, vision: bool, rewards: str, strict: bool
) -> tuple[Verdict, dict[str, Any]]:
    line = validated(ResponseLine, fields, "fields")
    puzzle = line.puzzle(rule)
    seen = vision if line.vision is None else line.vision
    verdict = verify(line.response, puzzle, vision=seen, rewards=rewards, strict=strict)
    return verdict, {"instance": puzzle.id, "rule": puzzle.rule.model_dump(), "vision": seen}


def _at_waypoint(
    fields: dict[str, Any], rule: str, vision: bool, rewards: str, strict: bool
) -> tuple[Verdict, dict[str, Any]]:
    row = WaypointRow.read(fields)
    response = fields.get("response")
    if not isinstance(response, str):
        raise ValueError("fields: 'response' is missing or no string")
    verdict = row.judge(response, rewards, strict)
    return verdict, {"instance": row.instance or "", "step": row.step, "actions": row.actions}
