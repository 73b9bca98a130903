"""The material of a start: its model and tokenizer, what it is trained on, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast, ProcessorMixin

Judged = Mapping[str, Mapping[str, float]]
"""Percentages by cell ("ID", "proxy") and measure."""


class Pool(Protocol):
    """Demonstrations that are drawn from in every step."""

    def loss(self, model: PreTrainedModel, n: int, rng: np.random.Generator) -> Tensor:
        """Return the loss on ``n`` demonstrations, the mean over the tokens of their answers."""

    def described(self) -> dict[str, Any]:
        """Return what it holds, in numbers, for log and card."""


Log = Callable[..., None]
"""Writes a line of a start's log from its fields."""


@dataclass(frozen=True)
class Material:
    """What a start is made with.

    Attributes:
        reader: its tokenizer or processor, which is saved with it.
        model: returns the model that is trained, what is random of it drawn from torch's generator.
        pool: its demonstrations.
        judge: asks a model, and returns percentages.
        judged_on: for the log, what the judge asks about, by cell.
        card: writes the card from the log and the number of parameters.
        about: further facts for the first line of the log.
    """

    reader: PreTrainedTokenizerFast | ProcessorMixin
    model: Callable[[Log], PreTrainedModel]
    pool: Pool
    judge: Callable[[PreTrainedModel], Judged]
    judged_on: Mapping[str, list[str]]
    card: Callable[[Path, int], str]
    about: Mapping[str, Any] = field(default_factory=dict)
