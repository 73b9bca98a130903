"""Baselines: players without a model, the bounds between which a policy's results are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from verienv.core.answer_format import AnswerFormat
from verienv.core.episode import Episode
from verienv.core.question import Question
from verienv.core.shown import shown
from verienv.core.wording import Wording

BASELINES = ("expert", "constant")

Player = Callable[[list[Episode]], Sequence[str]]
"""Answers the question at which each episode stands. Unlike a policy it may look at the facts of an instance."""


def baseline(name: str, first: Question) -> Player:
    """Return a baseline by its name, one of ``BASELINES``, for episodes of the task of the ``first`` question."""
    return Expert() if name == "expert" else Constant(first)


@dataclass(frozen=True)
class Expert:
    """The player that answers as the task's expert does: what is attainable."""

    def __call__(self, episodes: list[Episode]) -> list[str]:
        return [episode.expert() for episode in episodes]


class Constant:
    """The player that answers every question as the ``first`` one is answered, in each one's own format."""

    def __init__(self, first: Question) -> None:
        self._first = first
        self._written: list[tuple[AnswerFormat, str]] = [(first.wording.answer_format, first.constant())]

    def __call__(self, episodes: list[Episode]) -> list[str]:
        return [self._answer(episode.question.wording) for episode in episodes]

    def __repr__(self) -> str:
        return f"Constant({shown(self._written[0][1])})"

    def _answer(self, wording: Wording) -> str:
        for form, response in self._written:
            if form == wording.answer_format:
                return response
        self._written.append((wording.answer_format, self._first.but(wording=wording).constant()))
        return self._written[-1][1]
