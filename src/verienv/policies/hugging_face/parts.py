"""The parts of a vision-language model: its tower, its connector, and its language model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, get_args

from torch import nn

Part = Literal["tower", "connector"]
"""A part that can be kept as it is: what reads pictures, and what hands on what it read."""
CONNECTORS = ("projector", "connector", "merger", "embeddings_table")
"""Words in the names of connectors, in the families that are known; a connector may lie in its tower."""


def freeze(model: nn.Module, parts: Iterable[Part]) -> None:
    """Keep the weights of some parts as they are: no gradient is made for them.

    Raises:
        ValueError: for a part that the model has not, or is not known to have.
    """
    for part in parts:
        if part not in get_args(Part):
            raise ValueError(f"--freeze {part}: expected {' or '.join(get_args(Part))}")
        weights = list(weights_of(model, part))
        if not weights:
            raise ValueError(f"--freeze {part}: {type(model).__name__} has no {part} that is known; leave it out")
        for weight in weights:
            weight.requires_grad_(False)


def weights_of(model: nn.Module, part: Part) -> Iterator[nn.Parameter]:
    """Yield the weights of a part, by their names."""
    for name, weight in model.named_parameters():
        names = name.split(".")
        connects = any(word in each for each in names for word in CONNECTORS)
        sees = any(each.startswith("vis") for each in names)
        if connects if part == "connector" else sees and not connects:
            yield weight
