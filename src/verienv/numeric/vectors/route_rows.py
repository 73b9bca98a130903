"""The rows of numbers of many routes, and the verdicts on every action at each: computed once, when they are met."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verienv.core.answer_format import JSON
from verienv.core.episode import as_judged
from verienv.core.verdict import Verdict
from verienv.numeric.navigation import VIRLDiscrete
from verienv.numeric.route_numbers import RouteNumbers
from verienv.numeric.vectors.growing import double
from verienv.numeric.vectors.verdicts import is_read_as_written
from verienv.virl.answers import expert_fields, write_answer
from verienv.virl.question import VIRLQuestion
from verienv.virl.verifier import VIRLRewards, metrics_of

BYTES = 2**26
"""The most memory for rows, that of the routes in play aside."""
UNKNOWN = -1

_PLAIN = re.compile(r"[A-Za-z0-9 .,'()&/-]*")
"""Texts that an answer in JSON holds as they are; others might be read otherwise than they are written."""


@dataclass(slots=True)
class Told:
    """A route among the rows.

    Attributes:
        question: one on this route.
        numbers: its numbers.
        first: the row of its first waypoint; those of the others follow, then, where episodes are of one waypoint, a
            row for each once it is passed.
        measures: how difficult it is, as ``info`` tells.
    """

    question: VIRLQuestion
    numbers: RouteNumbers
    first: int
    measures: tuple[int, ...]

    @property
    def length(self) -> int:
        """The number of waypoints."""
        return len(self.numbers.route.waypoints)


class RouteRows:
    """Rows, one for each waypoint of a route, of the observation and of the verdicts on each action.

    Args:
        env: the environment whose numbers and verdicts these are.
        number_of: returns the number of a verdict; equal ones have one number.
    """

    def __init__(self, env: VIRLDiscrete, number_of: Callable[[Verdict], int]) -> None:
        self._env, self._number_of = env, number_of
        self._alone = env.game.config.episode != "route"
        self._routes: dict[str, Told] = {}
        rewards = env.game.config.rewards
        self._is_plain = is_read_as_written(env.game) and isinstance(rewards, VIRLRewards) and rewards.by_category
        self._numbers: dict[Any, int] = {}
        self.used = 0
        width = env.numbers_width
        self.numbers: NDArray[np.uint8] = np.zeros((1024, width), np.uint8)
        self.verdicts: NDArray[np.int32] = np.full((1024, len(env.actions)), UNKNOWN, np.int32)
        self.ends: NDArray[np.bool_] = np.zeros(1024, np.bool_)
        """Whether a right answer at a row ends the episode."""
        self._is_filled: NDArray[np.bool_] = np.zeros(1024, np.bool_)
        self.most = BYTES // (width + 4 * len(env.actions) + 2)
        """The number of rows to keep."""

    def route_of(self, question: VIRLQuestion) -> Told:
        """Return the rows of the route that a question is of."""
        told, route = self._routes.get(question.route_id), question.route
        assert route is not None  # noqa: S101 - dealt ones have it
        if told is None or (told.numbers.route is not route and told.numbers.route != route):
            told = Told(question, self._env.numbers_of(route), self.used, tuple(question.difficulty_measures.values()))
            self._add(told)
            self._routes[question.route_id] = told
        return told

    def _add(self, told: Told) -> None:
        begin, self.used = self.used, self.used + told.length * (2 if self._alone else 1)
        while self.used > len(self.ends):
            double(self, {"numbers": 0, "verdicts": UNKNOWN, "ends": False, "_is_filled": False})
        self.ends[begin : self.used] = self._alone
        self.ends[begin + told.length - 1] = True

    def fill(self, rows: NDArray[np.intp], route_at: Callable[[int], Told]) -> None:
        """See to it that the numbers of ``rows`` are there; ``route_at(k)`` is the route of the k-th."""
        for k in np.flatnonzero(~self._is_filled[rows]).tolist():
            row, route = int(rows[k]), route_at(k)
            passed, at = divmod(row - route.first, route.length)
            self.numbers[row] = route.numbers.row(route.numbers.route.waypoints[at], at + passed)
            self._is_filled[row] = True

    def judge(
        self, rows: NDArray[np.intp], actions: NDArray[Any], route_at: Callable[[int], Told]
    ) -> NDArray[np.int32]:
        """Return the numbers of the verdicts on ``actions`` at ``rows``, as of the routes of ``fill``."""
        found: NDArray[np.int32] = self.verdicts[rows, actions]
        for k in np.flatnonzero(found == UNKNOWN).tolist():
            row, action, route = int(rows[k]), int(actions[k]), route_at(k)
            number = int(self.verdicts[row, action])
            if number == UNKNOWN:
                number = self._number(route, row - route.first, self._env.actions[action])
                self.verdicts[row, action] = number
            found[k] = number
        return found

    def _number(self, told: Told, at: int, action: str) -> int:
        """Return the number of the verdict on an action at a waypoint; of those that cannot differ one is judged."""
        place, key = told.numbers.route.waypoints[at], None
        if self._is_plain and _PLAIN.fullmatch(place.observation + place.sentence):
            key = (action, place.action, *metrics_of(expert_fields(place), place, JSON).values())
            if key in self._numbers:
                return self._numbers[key]
        number = self._number_of(self._verdict(told, at, action))
        if key is not None:
            self._numbers[key] = number
        return number

    def _verdict(self, told: Told, at: int, action: str) -> Verdict:
        """Return the verdict on an action at a waypoint, as a single environment has it judged."""
        question = told.question.but(waypoint=told.numbers.route.waypoints[at])
        form = question.wording.answer_format
        return question.judge(as_judged(question, write_answer(question.waypoint, action=action, answer_format=form)))
