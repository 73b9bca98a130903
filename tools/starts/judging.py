"""The judgement of a start before it is stopped: questions under J = Q = K = 10 and under the proxies, sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from starts.hands import Deck, is_for_stopping
from starts.kinds import PROXIES, TEN, Kind
from starts.pool import question_tokens
from verienv import Verdict
from verienv.generalpoints import FaceRule, Puzzle, verify
from verienv.policies import HuggingFacePolicy

METRICS = {"is_correct": "success", "numbers_correct": "rule reading", "formula_valid": "validity"}
_SEED = 2024
"""Every start is asked the same questions, and sampled with the same chances."""


@dataclass
class Items:
    """Questions to judge by.

    Attributes:
        puzzles: their puzzles; every problem is one that is kept for stopping.
        asked: their tokens.
    """

    puzzles: list[Puzzle]
    asked: Sequence[Sequence[int]]

    @property
    def problems(self) -> list[str]:
        """The problems among them, sorted."""
        return sorted({puzzle.problem for puzzle in self.puzzles})


def deal_kept(kind: Kind, rules: Sequence[FaceRule], deck: Deck, *, beyond_ten: bool) -> list[Puzzle]:
    """Deal hands under some rules, as many each, of problems kept for stopping: on the train side, with a face card.

    With ``beyond_ten`` only hands with a number from 11 on, which J = Q = K = 10 never deals.
    """
    rng = np.random.default_rng([_SEED, kind.cards, beyond_ten])
    puzzles: list[Puzzle] = []
    for rule in rules:
        numbers = deck.numbers(rule)
        kept = np.array([is_for_stopping(tuple(row)) for row in numbers.tolist()])
        kept &= (numbers[:, -1] > 10) | (not beyond_ten)
        puzzles += deck.deal(rule, deck.weights(rule, with_face=True) * kept, kind.items // len(rules), rng)
    return puzzles


class Judge:
    """Asks a start, once under J = Q = K = 10 ("ID") and once under the proxies ("proxy"), at temperature 1."""

    metrics: ClassVar[Mapping[str, str]] = METRICS

    def __init__(self, kind: Kind, deck: Deck, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        dealt = {"ID": ((TEN,), False), "proxy": (PROXIES, True)}
        self.items = {
            name: self.asking(deal_kept(kind, rules, deck, beyond_ten=beyond))
            for name, (rules, beyond) in dealt.items()
        }

    def asking(self, puzzles: list[Puzzle]) -> Items:
        """Return questions about puzzles."""
        return Items(puzzles, question_tokens(puzzles, self.tokenizer).tolist())

    def policy(self, model: PreTrainedModel) -> HuggingFacePolicy:
        """Return a model as a policy."""
        return HuggingFacePolicy(model.eval(), self.tokenizer, max_new_tokens=44)

    def found(self, response: str, puzzle: Puzzle) -> Verdict:
        """Judge a response."""
        return verify(response, puzzle)

    def __call__(self, model: PreTrainedModel) -> dict[str, dict[str, float]]:
        """Return the percentages of success, rule reading and validity in both."""
        return {name: self.percentages(model, items) for name, items in self.items.items()}

    def percentages(self, model: PreTrainedModel, items: Items) -> dict[str, float]:
        """Return the percentages by the names of the metrics."""
        policy = self.policy(model)
        responses: list[list[int]] = []
        with torch.random.fork_rng(()):
            torch.manual_seed(_SEED)
            for begin in range(0, len(items.asked), 256):
                responses += policy.sample(items.asked[begin : begin + 256], 1.0)[0]
        texts = [policy.text(response) for response in responses]
        verdicts = [self.found(text, puzzle) for text, puzzle in zip(texts, items.puzzles, strict=True)]
        found = [{"is_correct": verdict.is_correct, **verdict.metrics} for verdict in verdicts]
        return {
            name: round(100 * sum(bool(one[metric]) for one in found) / len(found), 1)
            for metric, name in self.metrics.items()
        }
