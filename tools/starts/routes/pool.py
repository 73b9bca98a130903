"""The demonstrations of routes as rows of tokens: each a waypoint, made once and drawn from in every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from starts.routes.kind import Routes
from verienv.virl.env import VIRLEnv
from verienv.virl.question import VIRLQuestion

NO_LABEL = -100


class Demonstrations:
    """Questions and the expert's answers as tensors.

    Attributes:
        asked, answered: tokens of each question and of its answer, (rows,).
        turns: the share of the rows at which a turn is due.
        instances: their routes.
    """

    def __init__(self, questions: Sequence[VIRLQuestion], tokenizer: PreTrainedTokenizerFast) -> None:
        asked = question_tokens(questions, tokenizer)
        answered: list[list[int]] = tokenizer([f"{one.expert()}<|end|>" for one in questions])["input_ids"]
        self.asked, self.answered = (np.array([len(row) for row in rows]) for rows in (asked, answered))
        self.turns = float(np.mean([one.waypoint.move == "turn" for one in questions]))
        self.instances = {one.instance for one in questions}
        shape = len(asked), int((self.asked + self.answered).max())
        self._ids, self._labels = torch.full(shape, tokenizer.pad_token_id), torch.full(shape, NO_LABEL)
        for row, (question, answer) in enumerate(zip(asked, answered, strict=True)):
            end = len(question) + len(answer)
            self._ids[row, :end] = torch.tensor(question + answer)
            self._labels[row, len(question) : end] = torch.tensor(answer)

    def __len__(self) -> int:
        return len(self._ids)

    def draw(self, n: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield ids and labels of ``n`` rows in two parts of like length, each (rows, longest of them)."""
        rows = rng.integers(len(self), size=n)
        lengths = self.asked[rows] + self.answered[rows]
        for part in np.array_split(rows[lengths.argsort()], 2):
            if len(part):
                longest = int((self.asked[part] + self.answered[part]).max())
                yield self._ids[part, :longest], self._labels[part, :longest]


class RoutePool:
    """The demonstrations of a start: most under the absolute rule, a few under the relative one."""

    def __init__(self, kind: Routes, tokenizer: PreTrainedTokenizerFast, rng: np.random.Generator) -> None:
        self.share = kind.share_of_relative
        self.absolute, self.relative = (
            Demonstrations(list(walked(kind.env(kind.cities, actions=actions), routes, rng)), tokenizer)
            for actions, routes in (("absolute", kind.routes), ("relative", kind.relative_routes))
        )

    def loss(self, model: PreTrainedModel, n: int, rng: np.random.Generator) -> Tensor:
        """Return the loss on ``n`` demonstrations, the mean over the tokens of their answers."""
        few = int(rng.binomial(n, self.share))
        parts = [
            part for rows, size in ((self.absolute, n - few), (self.relative, few)) for part in rows.draw(size, rng)
        ]
        losses, tokens = [], 0
        for ids, labels in parts:
            hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
            answered = labels[:, 1:] != NO_LABEL
            losses.append(cross_entropy(model.lm_head(hidden[answered]), labels[:, 1:][answered], reduction="sum"))
            tokens += int(answered.sum())
        return torch.stack(losses).sum() / tokens

    def described(self) -> dict[str, Any]:
        """Return what it holds, in numbers; ``asked`` and ``answered`` are tokens, on average."""
        return {
            "rows": len(self.absolute), "relative_rows": len(self.relative),
            "asked": round(float(self.absolute.asked.mean()), 1), "longest_asked": int(self.absolute.asked.max()),
            "answered": round(float(self.absolute.answered.mean()), 1),
            "turns": round(self.absolute.turns, 3), "relative_turns": round(self.relative.turns, 3),
        }  # fmt: skip


def walked(env: VIRLEnv, routes: int, rng: np.random.Generator) -> Iterator[VIRLQuestion]:
    """Yield the questions at all waypoints of so many routes, as an expert on its way is asked them."""
    for _ in range(routes):
        first = env.deal(rng)
        assert first.route
        yield from (first.only(number) for number in range(len(first.route.waypoints)))


def question_tokens(questions: Sequence[VIRLQuestion], tokenizer: PreTrainedTokenizerFast) -> list[list[int]]:
    """Return the tokens of questions, as the chat template tells them."""
    texts = [f"<|user|>{question.opening(question.prompt)}<|end|><|assistant|>" for question in questions]
    return list(tokenizer(texts)["input_ids"])
