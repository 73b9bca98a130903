"""The demonstrations of a start that sees: questions about a picture, and the expert's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from starts.hands import Deck
from starts.pool import Pool, made_rows
from starts.sight.kind import Sight
from starts.sight.pictures import Pictures
from starts.sight.tokens import IMAGE
from starts.tokens import PAD
from verienv.core.dialogue import attempt_line
from verienv.generalpoints import Puzzle, write_question


@dataclass
class SightPool(Pool):
    """Demonstrations by sight.

    Attributes:
        pictures: draws their hands, in suits by chance, whenever they are trained on.
    """

    pictures: Pictures

    def loss(self, model: PreTrainedModel, n: int, rng: np.random.Generator) -> Tensor:
        """Return the loss on ``n`` demonstrations, the mean over the tokens of their answers."""
        logits, labels = self.told(model, n, rng, self.ids.shape[1])
        return cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=PAD)

    def ranks(self, model: PreTrainedModel, n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return logits of the ranks in ``n`` answers, (n, cards, vocabulary), and the tokens that are right."""
        cards = len(self.puzzles[0].ranks)
        logits, labels = self.told(model, n, rng, self.asked + 2 * cards)
        return logits[:, 1::2], labels[:, 1::2]  # an answer begins with the ranks, each behind a phrase

    def told(self, model: PreTrainedModel, n: int, rng: np.random.Generator, longest: int) -> tuple[Tensor, Tensor]:
        """Return the logits along ``n`` answers, question and answer cut at ``longest`` tokens, and the tokens."""
        rows = self.rows(n, rng)
        ids = self.cut(rows)[:, :longest]
        labels = ids[:, self.asked :]
        seen = self.pictures.of([self.puzzles[row] for row in rows.tolist()], rng)
        inputs = {"input_ids": ids[:, :-1], "pixel_values": seen, "logits_to_keep": labels.shape[1]}
        return model(**inputs, use_cache=False).logits, labels


def make_sight_pool(kind: Sight, deck: Deck, tokenizer: PreTrainedTokenizerFast, rng: np.random.Generator) -> SightPool:
    """Deal the hands of a kind as those in words are dealt, and ask about them by sight."""
    rows = made_rows(kind, deck, tokenizer, rng, lambda puzzles: seeing_tokens(kind, puzzles, tokenizer))
    return SightPool(*rows, Pictures(kind, kind.share_of_red))


def seeing_tokens(kind: Sight, puzzles: Sequence[Puzzle], tokenizer: PreTrainedTokenizerFast) -> Tensor:
    """Return the tokens of questions by sight that allow one attempt, (puzzles, tokens)."""
    before, line = f"<|user|>{IMAGE * kind.image_tokens}", attempt_line(1, 1)
    texts = [f"{before}{write_question(puzzle, vision=True)}\n{line}<|end|><|assistant|>" for puzzle in puzzles]
    return torch.tensor(tokenizer(texts)["input_ids"])
