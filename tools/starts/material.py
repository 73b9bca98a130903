"""The material of a start: its tokenizer, what it is trained on, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

Judged = Mapping[str, Mapping[str, float]]
"""Percentages by cell ("ID", "proxy") and measure."""


class Pool(Protocol):
    """Demonstrations that are drawn from in every step."""

    def loss(self, model: LlamaForCausalLM, n: int, rng: np.random.Generator) -> Tensor:
        """Return the loss on ``n`` demonstrations, the mean over the tokens of their answers."""

    def described(self) -> dict[str, Any]:
        """Return what it holds, in numbers, for log and card."""


@dataclass(frozen=True)
class Material:
    """What a start is made with.

    Attributes:
        tokenizer: its tokenizer.
        pool: its demonstrations.
        judge: asks a model, and returns percentages.
        judged_on: for the log, what the judge asks about, by cell.
        card: writes the card from the log and the number of parameters.
        about: further facts for the first line of the log.
    """

    tokenizer: PreTrainedTokenizerFast
    pool: Pool
    judge: Callable[[LlamaForCausalLM], Judged]
    judged_on: Mapping[str, list[str]]
    card: Callable[[Path, int], str]
    about: Mapping[str, Any] = field(default_factory=dict)
