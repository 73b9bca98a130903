"""The demonstrations of a start as rows of tokens, made once and drawn from in every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from starts.hands import Deck
from starts.kinds import TEN, TRAINING_RULES, Kind
from starts.tokens import PAD
from verienv.core.dialogue import attempt_line
from verienv.generalpoints import Puzzle, expert_answer, write_question


@dataclass
class Pool:
    """Demonstrations as tensors: those under J = Q = K = 10 first.

    Attributes:
        puzzles: their puzzles.
        ids: tokens of question and answer, filled at the end, (rows, longest).
        asked: tokens of a question, which are as many in every row.
        of_ten: rows under J = Q = K = 10.
        share_of_ten: the share in which they are drawn.
    """

    puzzles: list[Puzzle]
    ids: Tensor
    asked: int
    of_ten: int
    share_of_ten: float

    def described(self) -> dict[str, float]:
        """Return what it holds, in numbers; ``asked`` and ``answered`` are tokens, the second on average."""
        answers = self.ids[:, self.asked :] != PAD
        return {
            "asked": self.asked,
            "answered": round(answers.sum().item() / len(answers), 1),
            "rows": len(self.puzzles),
            "rows_of_ten": self.of_ten,
            "rules": len({puzzle.rule for puzzle in self.puzzles}),
            "hands": len({puzzle.ranks for puzzle in self.puzzles}),
            "problems": len({puzzle.problem for puzzle in self.puzzles}),
        }

    def loss(self, model: PreTrainedModel, n: int, rng: np.random.Generator) -> Tensor:
        """Return the loss on ``n`` demonstrations, the mean over the tokens of their answers."""
        ids = self.cut(self.rows(n, rng))
        labels = ids[:, self.asked :]
        logits = model(input_ids=ids[:, :-1], use_cache=False, logits_to_keep=labels.shape[1]).logits
        return cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=PAD)

    def rows(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw ``n`` demonstrations by their numbers."""
        is_ten = rng.random(n) < self.share_of_ten
        place = rng.random(n)
        rows = np.where(is_ten, place * self.of_ten, self.of_ten + place * (len(self.ids) - self.of_ten))
        return rows.astype(np.int64)

    def cut(self, rows: NDArray[np.int64]) -> Tensor:
        """Return the tokens of demonstrations, (rows, longest of them)."""
        ids = self.ids[torch.from_numpy(rows)]
        return ids[:, : int((ids != PAD).sum(1).max())]


def make_pool(kind: Kind, deck: Deck, tokenizer: PreTrainedTokenizerFast, rng: np.random.Generator) -> Pool:
    """Deal the hands of a kind, all on the train side and under training rules alone, with the expert's answers."""
    return Pool(*made_rows(kind, deck, tokenizer, rng, lambda puzzles: question_tokens(puzzles, tokenizer)))


def made_rows(
    kind: Kind, deck: Deck, tokenizer: PreTrainedTokenizerFast, rng: np.random.Generator,
    asking: Callable[[Sequence[Puzzle]], Tensor],
) -> tuple[list[Puzzle], Tensor, int, int, float]:  # fmt: skip
    """Return the fields of a pool; ``asking`` returns the tokens of questions, (puzzles, tokens)."""
    puzzles = deck.deal(TEN, deck.weights(TEN, with_face=False), kind.hands_of_ten, rng)
    for rule in TRAINING_RULES:
        puzzles += deck.deal(rule, deck.weights(rule, with_face=True), kind.hands_a_rule, rng)
    asked = asking(puzzles)
    answers = tokenizer([f"{expert_answer(puzzle)}<|end|>" for puzzle in puzzles])["input_ids"]
    longest = max(map(len, answers))
    filled = [answer + [PAD] * (longest - len(answer)) for answer in answers]
    ids = torch.cat([asked, torch.tensor(filled)], dim=1)
    return puzzles, ids, asked.shape[1], kind.hands_of_ten, kind.share_of_ten


def question_tokens(puzzles: Sequence[Puzzle], tokenizer: PreTrainedTokenizerFast) -> Tensor:
    """Return the tokens of questions that allow one attempt, as the chat template tells them, (puzzles, tokens)."""
    line = attempt_line(1, 1)
    texts = [f"<|user|>{write_question(puzzle)}\n{line}<|end|><|assistant|>" for puzzle in puzzles]
    return torch.tensor(tokenizer(texts)["input_ids"])
