"""The standing of torch's generators of random numbers: a run that goes on draws what it would have drawn."""

from __future__ import annotations

from typing import Any

import torch


def chance() -> dict[str, Any]:
    """Return where the generators of the CPU and of all GPUs stand."""
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def restore_chance(state: dict[str, Any]) -> None:
    """Put the generators where they stood; those of GPUs where there are as many."""
    torch.set_rng_state(state["cpu"].cpu())
    if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])
