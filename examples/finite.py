"""Numbers that are not finite end a run at the update where they come up, before anything of it is logged or saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from processes import Team

STEPPED = "policy after the step"
"""The name of weights that the step itself made non-finite."""


class NotFinite(Exception):
    """A number that is not finite, with the batch that it came of."""

    def __init__(self, what: str, batch: dict[str, Any]) -> None:
        super().__init__(what)
        self.what, self.batch = what, batch
        self.step = "that step is not kept" if STEPPED in what else "no step was taken with it"
        paid = what.startswith("reward")
        self.mend = "mend what the environment pays, and train" if paid else "try a lower --learning-rate, or float32,"


def demand_finite(team: Team, batch: Callable[[], dict[str, Any]], numbers: dict[str, Any]) -> None:
    """Raise NotFinite in all processes if one of these tensors or numbers, by what they are, is not finite in any."""
    own = [name for name, value in numbers.items() if not torch.as_tensor(value).isfinite().all()]
    everywhere = team.gathered(own)
    found = [(name, index) for name in numbers for index, names in enumerate(everywhere) if name in names]
    if found:
        name, index = found[0]
        raise NotFinite(f"{name} of process {index}" if team.size > 1 else name, batch())


def numbers_in(line: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The numbers of a line by their names; those within another are named as in a path."""
    for name, value in line.items():
        if isinstance(value, dict):
            yield from numbers_in(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value
