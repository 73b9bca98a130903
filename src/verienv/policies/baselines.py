"""Baselines: players without a model, the bounds between which a policy's results are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from verienv.core.answer_format import AnswerFormat
from verienv.core.episode import Episode
from verienv.core.question import Question

BASELINES = ("expert", "constant")

Player = Callable[[list[Episode]], Sequence[str]]
"""Answers the question at which each episode stands. Unlike a policy it may look at the facts of an instance."""


def baseline(name: str, first: Question) -> Player:
    """Return a baseline by its name, one of ``BASELINES``, for episodes of the task of the ``first`` question."""
    return expert if name == "expert" else constant(first)


def expert(episodes: list[Episode]) -> list[str]:
    """Answer as the task's expert does: what is attainable."""
    return [episode.expert() for episode in episodes]


def constant(first: Question) -> Player:
    """Return the player that answers every question as the ``first`` one is answered, in each one's own format."""
    form = first.wording.answer_format
    written: list[tuple[AnswerFormat, str]] = [(form, first.constant())]

    def one(episode: Episode) -> str:
        wording = episode.question.wording
        for form, response in written:
            if form == wording.answer_format:
                return response
        written.append((wording.answer_format, first.but(wording=wording).constant()))
        return written[-1][1]

    return lambda episodes: [one(episode) for episode in episodes]
