"""Numbers that are not finite: found at the update where they come up, in all processes, with the batch they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from verienv.core.files import atomic_write
from verienv.core.run_folder import write_json
from verienv.policies.hugging_face.zero3 import part_of

STEPPED = "policy after the step"
"""The name of weights that the step itself made non-finite."""
Gather = Callable[[Any], list[Any]]
"""From a plain object to those of all processes."""


class NotFinite(Exception):
    """A number that is not finite, with the batch that it came of."""

    def __init__(self, what: str, batch: Callable[[], dict[str, Any]]) -> None:
        super().__init__(what)
        self.what, self.batch = what, batch

    def keep(self, out: Path, update: int, batches: list[Any], newest: Path | None) -> str:
        """Write not_finite.pt and not_finite.json, and return what happened and what to do, in one line."""
        reason = f"the {self.what} is not finite in update {update}"
        with atomic_write(out / "not_finite.pt") as part:
            torch.save({"reason": reason, "update": update, "batches": batches}, part)
        write_json(out / "not_finite.json", {"reason": reason, "update": update})
        step = "that step is not kept" if STEPPED in self.what else "no step was taken with it"
        paid = self.what.startswith("reward")
        mend = "mend what the environment pays, and train" if paid else "try a lower --learning-rate, or float32,"
        start = f", from --model {newest}" if newest else ""
        return f"{reason}; {step}, and its batch is in {out / 'not_finite.pt'}; {mend} in another --out{start}"


def demand_finite(gathered: Gather, batch: Callable[[], dict[str, Any]], numbers: dict[str, Any]) -> None:
    """Raise NotFinite in all processes if one of these tensors or numbers, by what they are, is not finite in any."""
    own = [name for name, value in numbers.items() if not torch.as_tensor(value).isfinite().all()]
    everywhere = gathered(own)
    found = [(name, index) for name in numbers for index, names in enumerate(everywhere) if name in names]
    if found:
        name, index = found[0]
        raise NotFinite(f"{name} of process {index}" if len(everywhere) > 1 else name, batch)


def are_finite(weights: Iterable[Tensor]) -> Tensor:
    """Whether all weights are finite, as a number: 1, or NaN where one is not. Of sharded weights those held here."""
    each = [_held(weight).isfinite().all() for weight in weights if weight.is_floating_point()]
    return torch.tensor(1.0 if all(torch.stack(each).tolist()) else float("nan")) if each else torch.tensor(1.0)


def _held(weight: Tensor) -> Tensor:
    return part_of(weight) if hasattr(weight, "ds_tensor") else getattr(weight, "_local_tensor", weight).detach()
