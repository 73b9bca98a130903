"""Forty rows, and answers to them that must earn the same through every adapter.

They are of both tasks, in words and by vision. Row k of an id is answered as ``KINDS[k % 4]`` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import verienv
from verienv import Episode

HOSTILE = [
    "",
    "I do not know.",
    '{"formula": ',
    "<think>" * 500,
    '{"formula": "__import__(\'os\').abort()"}',
    "{" * 2000,
]
KINDS = ("right", "wrong, then right", "wrong", "unreadable")
ROUTES = {"turns": [1, 1], "spacing": 100.0, "attempts": 2}
SETTINGS: dict[str, dict[str, Any]] = {
    "verienv/GeneralPoints-L-v0": {"attempts": 3},
    "verienv/GeneralPoints-VL-v0": {"attempts": 3, "image_size": 96},
    "verienv/VIRL-L-v0": ROUTES,
    "verienv/VIRL-VL-v0": {**ROUTES, "view_size": 64},
}
"""The ids, and settings that make their episodes short and their pictures small."""
SPLIT, SEED, COUNT = "rule_ood", 3, 10
WRONG = {"generalpoints": "wrong_value", "virl": "wrong_action"}


@dataclass(frozen=True)
class Played:
    """One row and its episode.

    Attributes:
        row: of ``verienv.rows``, a whole episode.
        index: its place among the rows of its id.
        kind: one of ``KINDS``.
        said: the answers, in order, up to the end of the episode.
        paid: the reward of each.
        asked: for each the row of its question alone (``unit="question"``).
    """

    row: dict[str, Any]
    index: int
    kind: str
    said: tuple[str, ...]
    paid: tuple[float, ...]
    asked: tuple[dict[str, Any], ...]

    @property
    def env_id(self) -> str:
        return str(self.row["env_id"])

    @property
    def reward(self) -> float:
        """The sum over the episode's answers."""
        return sum(self.paid)


def rows_of(env_id: str) -> list[dict[str, Any]]:
    return verienv.rows(env_id, SPLIT, COUNT, SEED, **SETTINGS[env_id])


@cache
def forty() -> tuple[Played, ...]:
    """All of them, id by id."""
    return tuple(each for env_id in SETTINGS for each in _of_id(env_id))


def _of_id(env_id: str) -> Iterator[Played]:
    rows = rows_of(env_id)
    count = sum(_questions(row) for row in rows)
    alone = verienv.rows(env_id, SPLIT, count, SEED, unit="question", **SETTINGS[env_id])
    by_place = {(row["seed"], row["step"]): row for row in alone}
    for index, row in enumerate(rows):
        episode, kind, step = Episode.of(row), KINDS[index % len(KINDS)], -1
        said, asked = list[str](), list[dict[str, Any]]()
        while not episode.is_over:
            step += episode.question.attempt == 1
            said.append(_answer(episode, kind, index + len(said)))
            asked.append(by_place[row["seed"], step])
            episode.answer(said[-1])
        paid = tuple(verdict.reward for verdict in episode.verdicts)
        yield Played(row, index, kind, tuple(said), paid, tuple(asked))


def _questions(row: dict[str, Any]) -> int:
    """The number of questions that the expert answers in an episode."""
    episode = Episode.of(row)
    while not episode.is_over:
        episode.answer(episode.expert())
    return len(episode.verdicts)


def _answer(episode: Episode, kind: str, number: int) -> str:
    if kind == "unreadable":
        return HOSTILE[number % len(HOSTILE)]
    if kind == "right" or (kind != "wrong" and episode.question.attempt > 1):
        return episode.expert()
    return episode.question.wrong(WRONG[episode.task.name], np.random.default_rng(number)) or ""
