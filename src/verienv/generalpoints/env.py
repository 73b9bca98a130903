"""GeneralPoints as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from verienv.core.config import validated
from verienv.core.env import VerifiedEnv
from verienv.core.verdict import Metric, Verdict
from verienv.generalpoints.answers import expert_answer
from verienv.generalpoints.config import SPLITS, GeneralPointsConfig
from verienv.generalpoints.flaws import flawed_answer
from verienv.generalpoints.prompts import LONGEST_QUESTION, PHRASINGS, question
from verienv.generalpoints.puzzle import Puzzle, read_instance
from verienv.generalpoints.sampler import dealer_for
from verienv.generalpoints.verifier import Failure, verify


class GeneralPointsEnv(VerifiedEnv):
    """Make 24 from four cards, told in words.

    ## Description
    The game of GeneralPoints from *SFT Memorizes, RL Generalizes* (arXiv 2501.17161). The policy is told a hand of
    cards and what J, Q and K count, and answers with an arithmetic expression over the cards' numbers that equals
    the target. After a wrong answer it is told why and asked again. Every hand dealt has a solution.

    ## Action Space
    ``Text``: any string is accepted. The answer is its last JSON object with a ``formula``, e.g.
    ``{"cards": ["A", "4", "J", "Q"], "number": [1, 4, 10, 10], "formula": "..."}``. Reasoning may stand before it.

    ## Observation Space
    ``Dict(text=Text)``: the question, the feedback lines so far, and "Attempt 2 of 5."; printable ASCII. The same
    as chat messages, the policy's own words included, is in ``info["messages"]``.

    ## Rewards
    One category per attempt, never a sum (preset "paper"): correct +5; right numbers but a wrong value, a false
    equation or a division by zero -1; numbers that are not exactly the cards' -2; an illegal formula or none -3.
    The last attempt pays its own category. Other presets: "binary", "binary_format"; or a table of your own.

    ## Starting State
    A hand drawn exactly from the distribution that the settings describe; it depends on the seed alone.

    ## Episode End
    Terminated by a correct answer or by the last attempt. Never truncated.

    ## Information
    The same keys and types at every reset and step: ``instance``, ``attempt``, ``attempts_left``, ``is_correct``,
    ``is_success``, ``failure`` (a ``Failure`` or ""), ``feedback``, ``messages``, ``cards_correct``,
    ``numbers_correct``, ``formula_valid``.

    ## Arguments
    The fields of ``GeneralPointsConfig``; ``reset(options={"instance": id})`` deals a given hand.

    ## Version History
    * v0: first version.
    """

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = SPLITS

    idle_metrics: ClassVar[dict[str, Metric]] = {
        "cards_correct": False,
        "numbers_correct": False,
        "formula_valid": False,
    }

    metric_headings: ClassVar[dict[str, str]] = {
        "cards_correct": "cards read",
        "numbers_correct": "rule reading",
        "formula_valid": "validity",
    }

    failures: ClassVar[tuple[str, ...]] = tuple(
        str(failure) for failure in Failure if failure not in (Failure.UNCONFIRMED, Failure.MISREAD)
    )

    settings: ClassVar[type[GeneralPointsConfig]] = GeneralPointsConfig

    config: GeneralPointsConfig

    puzzle: Puzzle
    """The puzzle in play."""

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        self.config = validated(self.settings, settings)
        self._dealing = self.config.dealing
        self._dealer = dealer_for(self._dealing)
        super().__init__(self.config.attempts, LONGEST_QUESTION, render_mode)

    def _deal(self, instance: str | None, rng: np.random.Generator) -> str:
        dealing = self._dealing
        ranks = self._dealer.deal(rng) if instance is None else self._given(instance)
        cards = self._shown(ranks, rng)
        self._phrasing = int(rng.integers(1, len(PHRASINGS))) if self.config.prompt == "diverse" else 0
        self.puzzle = Puzzle(cards, dealing.rule, dealing.target, dealing.stated_rule)
        return self.puzzle.id

    def _shown(self, ranks: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
        """The hand's cards as the policy is shown them: in words, ranks alone."""
        return ranks

    def _given(self, instance: str) -> tuple[str, ...]:
        ranks, target = read_instance(instance)
        dealing = self._dealing
        if target != dealing.target or len(ranks) != dealing.count or not dealing.holds(ranks):
            raise ValueError(
                f"instance={instance!r} cannot be dealt here ({dealing}); choose a setting "
                "with its target and number of cards, in which the suits suffice and the target can be made"
            )
        return ranks

    def _question(self) -> str:
        return question(self.puzzle, self._phrasing)

    def judge(self, response: str) -> Verdict:
        return verify(response, self.puzzle, rewards=self.config.rewards, strict=self.config.strict)

    def expert_response(self, *, steps: bool = False) -> str:
        """The answer with the shortest solution under the scored rule, its ``number`` under the stated one."""
        return expert_answer(self.puzzle, steps=steps)

    def flawed_response(self, failure: str, rng: np.random.Generator) -> str | None:
        """A response that fails as ``failure`` says, or None if this hand allows none."""
        return flawed_answer(self.puzzle, Failure(failure), rng)

    @property
    def cluster(self) -> str:
        """The value multiset and the target: hands that share them are one problem, with one formula."""
        return self.puzzle.problem

    @property
    def best_reward(self) -> float:
        """What a correct response earns."""
        return self.config.rewards.correct
