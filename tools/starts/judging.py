"""The judgement of a start before it is stopped: questions under J = Q = K = 10 and under the proxies, sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from starts.hands import Deck, is_for_stopping
from starts.kinds import PROXIES, TEN, Kind
from starts.pool import question_tokens
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
        asked: their tokens, (puzzles, tokens).
    """

    puzzles: list[Puzzle]
    asked: Tensor

    @property
    def problems(self) -> list[str]:
        """The problems among them, sorted."""
        return sorted({puzzle.problem for puzzle in self.puzzles})


def make_items(
    kind: Kind, rules: Sequence[FaceRule], deck: Deck, tokenizer: PreTrainedTokenizerFast, *, beyond_ten: bool
) -> Items:
    """Deal questions under some rules, as many each: hands of the train side with a face card.

    With ``beyond_ten`` only hands with a number from 11 on, which J = Q = K = 10 never deals.
    """
    rng = np.random.default_rng([_SEED, kind.cards, beyond_ten])
    puzzles: list[Puzzle] = []
    for rule in rules:
        numbers = deck.numbers(rule)
        kept = np.array([is_for_stopping(tuple(row)) for row in numbers.tolist()])
        kept &= (numbers[:, -1] > 10) | (not beyond_ten)
        puzzles += deck.deal(rule, deck.weights(rule, with_face=True) * kept, kind.items // len(rules), rng)
    return Items(puzzles, question_tokens(puzzles, tokenizer))


class Judge:
    """Asks a start, once under J = Q = K = 10 ("ID") and once under the proxies ("proxy"), at temperature 1."""

    def __init__(self, kind: Kind, deck: Deck, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.items = {
            "ID": make_items(kind, (TEN,), deck, tokenizer, beyond_ten=False),
            "proxy": make_items(kind, PROXIES, deck, tokenizer, beyond_ten=True),
        }

    def __call__(self, model: LlamaForCausalLM) -> dict[str, dict[str, float]]:
        """Return the percentages of success, rule reading and validity in both."""
        return {name: self.percentages(model, items) for name, items in self.items.items()}

    def percentages(self, model: LlamaForCausalLM, items: Items) -> dict[str, float]:
        """Return the percentages by the names of the metrics."""
        policy = HuggingFacePolicy(model.eval(), self.tokenizer, max_new_tokens=44)
        responses: list[list[int]] = []
        with torch.random.fork_rng(()):
            torch.manual_seed(_SEED)
            for part in items.asked.split(256):
                responses += policy.sample(part.tolist(), 1.0)[0]
        verdicts = [
            verify(policy.text(response), puzzle) for response, puzzle in zip(responses, items.puzzles, strict=True)
        ]
        found = [{"is_correct": verdict.is_correct, **verdict.metrics} for verdict in verdicts]
        return {
            name: round(100 * sum(bool(one[metric]) for one in found) / len(found), 1)
            for metric, name in METRICS.items()
        }
