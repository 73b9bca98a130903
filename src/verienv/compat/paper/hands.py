"""The paper's id of GeneralPoints over our verifier and pictures."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations_with_replacement
from math import factorial, prod
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from verienv.arithmetic.solver import solutions
from verienv.compat.paper.arguments import LARGEST, SMALLEST, check_flag, check_integer, reason
from verienv.core.shown import shown
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.pictures.drawing import table_for
from verienv.generalpoints.puzzle import Puzzle, check_target
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.generalpoints.rewards import REWARDS
from verienv.generalpoints.table import reaches
from verienv.generalpoints.vision_config import GeneralPointsVisionConfig

SUITS = {"mixed": "HSDC", "red": "HD", "black": "SC"}
"""The suits of each ``face_cards_color``, in the order in which they are drawn from."""


class PaperHands(gym.Env[NDArray[np.uint8], str]):
    """GeneralPoints with the arguments, info, prices, seed habit and truncation of the paper's code.

    Hands are drawn from Python's ``random`` alone, in the order in which that code draws: after ``random.seed(42)``
    they are its very hands, one of them dealt when the environment is made. A seed of ``reset`` changes none.

    An answer is paid by the preset "paper_code", misread cards only without ``language_only``. The step after the
    last of ``verify_iter`` answers is not judged: it pays -1 and truncates the episode.

    Args:
        treat_face_cards_as_10: whether J, Q and K count 10; else 11, 12 and 13.
        target_points: what to make.
        resolution: height and width of the picture in px, which every observation is.
        show_eqn: not used, there as here.
        verify_iter: answers that are judged in an episode.
        ood: whether one of the cards is drawn from J, Q and K alone.
        language_only: whether the cards are told in words.
        face_cards_color: "mixed", "red" or "black".

    Raises:
        ValueError: for an argument that cannot be.
    """

    def __init__(
        self,
        treat_face_cards_as_10: bool = True,
        target_points: int = 24,
        resolution: int = 1200,
        show_eqn: bool = True,
        verify_iter: int = 5,
        ood: bool = False,
        language_only: bool = True,
        face_cards_color: str = "mixed",
    ) -> None:
        self._rule = "ten" if check_flag("treat_face_cards_as_10", treat_face_cards_as_10) else "rank"
        self._target = check_target(target_points)
        self._attempts = check_integer("verify_iter", verify_iter, 1, 64)
        self._forced, self._vision = check_flag("ood", ood), not check_flag("language_only", language_only)
        if face_cards_color not in SUITS:
            raise ValueError(f"face_cards_color={shown(face_cards_color)}: expected {', '.join(SUITS)}")
        self._suits = SUITS[face_cards_color]
        size = (check_integer("resolution", resolution, SMALLEST, LARGEST),) * 2
        self._table = table_for(GeneralPointsVisionConfig().appearance, size, 4)
        self.observation_space = gym.spaces.Box(0, 255, (*size, 3), np.uint8)
        self.action_space = gym.spaces.Discrete(18 if treat_face_cards_as_10 else 21)  # type: ignore[assignment]
        if not self._can_be_made():
            raise ValueError(f"target_points={target_points}: no hand that is dealt here makes it")
        self._question = self._deal()
        self._is_over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Deal the next hand, whatever the seed."""
        super().reset(seed=seed)
        self._question, self._is_over = self._deal(), False
        puzzle = self._question.puzzle
        found = solutions(puzzle.values, puzzle.target, puzzle.operators)
        self._solutions = [expression.minimal() for expression in found]
        self._remaining = self._attempts
        self._picture = self._table.draw(puzzle.cards, self._question.jitter)
        return self._picture.copy(), self._info(None)

    def step(self, action: str) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Judge a response: any string. Raises ResetNeeded after the end."""
        if self._is_over:
            raise ResetNeeded("the episode is over: reset the environment before the next step")
        self._remaining -= 1
        if self._remaining < 0:
            self._is_over = True
            return self._picture.copy(), -1.0, False, True, self._info("step_limit_reached")
        verdict = self._question.judge(action if isinstance(action, str) else "")
        self._is_over = verdict.is_correct
        info = self._info(reason(verdict.feedback))
        return self._picture.copy(), verdict.reward, verdict.is_correct, False, info

    def _deal(self) -> GeneralPointsQuestion:
        """Draw hands until one can make the target; the order of the draws is that of the paper's code."""
        while True:
            drawn = [random.randint(1, 13) for _ in range(3 if self._forced else 4)]
            if self._forced:
                drawn.append(random.randint(11, 13))
                random.shuffle(drawn)
            cards = tuple([RANKS[number - 1] + random.choice(self._suits) for number in drawn])
            puzzle = Puzzle(cards, self._rule, self._target)
            repeats = Counter(puzzle.values).values()
            random.shuffle([0] * (factorial(4) // prod(map(factorial, repeats))))  # its solver shuffles the orders
            if reaches(list(puzzle.values), self._target):
                prices = REWARDS["paper_code"]
                return GeneralPointsQuestion(
                    puzzle=puzzle, vision=self._vision, rewards=prices, attempts=self._attempts
                )

    def _can_be_made(self) -> bool:
        """Whether any hand makes the target: else one would be drawn for ever."""
        most, faces = (10, (10,)) if self._rule == "ten" else (13, (11, 12, 13))
        hands = combinations_with_replacement(range(1, most + 1), 4)
        return any(
            reaches(list(hand), self._target) for hand in hands if not self._forced or any(map(hand.count, faces))
        )

    def _info(self, told: str | None) -> dict[str, Any]:
        puzzle = self._question.puzzle
        return {
            "Cards": [card[-1] + card[:-1].replace("10", "T") for card in puzzle.cards],
            "Plain Cards": list(puzzle.ranks),
            "Numbers": list(puzzle.values),
            "Formula": [],
            "Solution": list(self._solutions),
            "Remaining Numbers": list(puzzle.values),
            "Remaining Step": self._remaining,
            "Verify Info": told,
        }
