"""The model of a training run: what of it is trained, and what of its activations is kept."""

from __future__ import annotations

from typing import Any

import torch


def checkpoint_gradients(model: Any) -> None:
    """Compute activations again in the backward pass in place of keeping them.

    transformers does so in training mode only, which also means dropout; here it is a mode of the layers that keep
    activations, not of those in them.
    """
    named = "activation_checkpointing_enable"
    getattr(model, named if hasattr(model, named) else "gradient_checkpointing_enable")({"use_reentrant": False})
    for module in model.modules():
        module.training |= getattr(module, "gradient_checkpointing", False)


def trainable(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    """The parameters that an optimiser moves: all, or those of the adapter."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def parameters_of(model: torch.nn.Module) -> int:
    """Parameters, the N of the FLOPs formulas: training a token costs 6 N, generating or reading one 2 N."""
    return sum(parameter.numel() for parameter in model.parameters())
