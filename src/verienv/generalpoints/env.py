"""GeneralPoints as a Gymnasium environment."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from verienv.core.env import VerifiedEnv
from verienv.generalpoints.config import GeneralPointsConfig
from verienv.generalpoints.mixture import Mixture
from verienv.generalpoints.prompts import LONGEST_QUESTION, phrasings_of
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.generalpoints.task import GENERALPOINTS


class GeneralPointsEnv(VerifiedEnv):
    """Make 24 from four cards, in words.

    ## Description
    The game of GeneralPoints from *SFT Memorizes, RL Generalizes* (arXiv 2501.17161). The question names a hand of
    cards and what J, Q and K count; the policy answers with an arithmetic expression over the cards' numbers that
    equals the target. After a wrong answer it is told why and asked again. Every hand dealt has a solution. Settings
    deal 2 to 6 cards, other targets and rules or several of them, fewer operators, or plain integers.

    ## Action Space
    ``Text``: any string is accepted. The answer is what ``answer_format`` reads: by default the last JSON object with a
    ``formula``, e.g. ``{"cards": ["A", "4", "J", "Q"], "number": [1, 4, 10, 10], "formula": "..."}``; or the formula in
    ``<answer>`` tags, in ``\\boxed{}``, on the last line, or in a format of your own. Reasoning may stand before it;
    what stands in ``reasoning_tags`` is no answer. Of plain integers the question asks for ``number`` and ``formula``
    alone; ``cards`` may hold them too.

    ## Observation Space
    ``Dict(text=Text)``: the system prompt if there is one, the question, the feedback lines so far, and "Attempt 2 of
    5."; printable ASCII. The question is worded by ``prompt`` and ``think_first``, the lines by ``feedback``. The same
    as chat messages, the policy's own words included, is in ``info["messages"]``.

    ## Rewards
    One category per attempt, never a sum (preset "paper"): correct +5; right numbers but a wrong value, a false
    equation or a division by zero -1; numbers that are not exactly the cards' -2; an illegal formula or none -3.
    The last attempt pays its own category. Other presets: "binary", "binary_format", "partial" (also up to half by
    closeness to the target), "paper_code" and "first_fault" (prices of published code); or a table of your own, or a
    function from the verdict to a finite number.

    ## Starting State
    A hand drawn exactly from the distribution that the settings describe; it depends on the seed alone.

    ## Episode End
    Terminated by a correct answer or by the last attempt. Never truncated.

    ## Information
    The same keys and types at every reset and step: ``instance``, ``attempt``, ``attempts_left``, ``is_correct``,
    ``is_success``, ``failure`` (a ``Failure`` or ""), ``feedback``, ``messages``, ``cards_correct`` and
    ``numbers_correct`` (each if the answer format has a place for ``cards``, or ``number``), ``formula_valid``;
    ``solutions`` (how many distinct ones the hand has) and ``difficulty`` (its level, 0 to 3; see
    ``GeneralPointsConfig``), -1 but for four numbers up to 13 that make 24, unless one of the settings of these names
    is given.

    ## Arguments
    The fields of ``GeneralPointsConfig``; ``reset(options={"instance": id})`` deals a given hand, and
    ``reset(options={"difficulty": (2, 3)})`` changes the difficulty from this episode on; so do ``solutions``, ``rule``
    and ``target``.

    ## Version History
    * v0: first version.
    """

    task = GENERALPOINTS

    settings: ClassVar[type[GeneralPointsConfig]] = GeneralPointsConfig

    longest_question = LONGEST_QUESTION

    config: GeneralPointsConfig

    _shows_cards: ClassVar[bool] = False
    """Whether the cards are in a picture."""

    def prepare(self) -> None:
        config = self.config
        self._mixture = Mixture(config.dealings)
        self._only = self._mixture.only
        self._asked = [
            (dealing.rule, dealing.target, dealing.stated_rule, dealing.operators, bool(dealing.numbers))
            for dealing in self._mixture.dealings
        ]
        """The arguments of a puzzle of each dealing, cards aside."""
        self._undealt = GeneralPointsQuestion(
            puzzle=Puzzle(("2",) * self._mixture.dealings[0].count, *self._asked[0]),
            attempts=config.attempts,
            rewards=config.rewards,
            strict=config.strict,
            reasoning_tags=config.reasoning_tags,
            vision=self._shows_cards,
            counted=bool(self._mixture.dealings[0].wanted),
            wording=self.wording,
        )
        """The question with any hand: every other is this one but for what is dealt."""

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> GeneralPointsQuestion:
        if instance is not None:
            number, ranks = self._mixture.given(instance, rng)
        elif self._only:
            number, ranks = 0, self._only.deal(rng)
        else:
            number, ranks = self._mixture.deal(rng)
        cards, jitter = self._show(ranks, rng)
        puzzle = Puzzle(cards, *self._asked[number])
        phrasing = int(rng.integers(1, len(phrasings_of(puzzle)))) if self.config.prompt == "diverse" else 0
        return self._undealt.but(puzzle=puzzle, phrasing=phrasing, jitter=jitter)

    def _show(self, ranks: tuple[str, ...], rng: np.random.Generator) -> tuple[tuple[str, ...], int]:
        """Return the cards as the policy is shown them (in words, ranks alone) and the jitter of the picture."""
        return ranks, 0

    @property
    def question(self) -> GeneralPointsQuestion:
        question = super().question
        assert isinstance(question, GeneralPointsQuestion)  # noqa: S101 - deal makes no other
        return question

    @property
    def puzzle(self) -> Puzzle:
        """The puzzle in play."""
        return self.question.puzzle
