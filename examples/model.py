"""The model of a training run: loaded, spread over the processes, optimised, and compared with its start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import cos, pi
from typing import Any

import torch
from torch import nn

from distributed import Team
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.checkpoint import kept_in, path_of
from verienv.policies.hugging_face.finite import STEPPED, are_finite, demand_finite
from verienv.policies.hugging_face.parts import freeze
from verienv.policies.hugging_face.planning import memory_text
from verienv.policies.hugging_face.sharding import clip_gradients, restore_state


class Learner:
    """A policy that is trained: its model over all processes, and its optimiser.

    Attributes:
        policy: samples; its model is the one that is trained.
        saved: what checkpoints are made of, the policy or what is made of it.
        trained: the module to call where gradients are wanted, which may wrap the policy's model.
        size: parameters, the N of the FLOPs formulas: training a token costs 6 N, generating or reading one 2 N.
    """

    def __init__(self, arguments: Any, team: Team, folder: str) -> None:
        """Load from ``folder``: the start by name or path, or the run's newest checkpoint."""
        self.arguments, self.team = arguments, team
        self.half = precision_of(arguments.precision, team.device) == "bf16"
        if team.main:
            how = {"device": team.device, "autocast": self.half, "processes": team.size}
            print(memory_text(arguments, folder, **how, shards=team.size if team.shards else 1))
        self.policy = self.saved = self._loaded(folder, lora=arguments.lora, lora_alpha=arguments.lora_alpha)
        freeze(self.policy.model, arguments.freeze)
        self.size = parameters_of(self.policy.model)
        if arguments.gradient_checkpointing:
            checkpoint_gradients(self.policy.model)
        optimised = lambda: optimiser_of(arguments, trainable(self.policy.model))  # noqa: E731  # of shards, once they are
        self.trained, self.optimiser = team.spread(self.policy.model, optimised, self.half)
        adapted = hasattr(self.policy.model, "disable_adapter")
        self._start_is_under = adapted and not kept_in(path_of(arguments.model), "adapter_config.json")
        self._start: Any = None

    def _loaded(self, name: str, **adapter: Any) -> HuggingFacePolicy:
        # Shards move to their device layer by layer. Those of FSDP2 compute in bfloat16 by themselves.
        shards, longest = self.team.shards, getattr(self.arguments, "max_new_tokens", 48)
        cast = self.half and (not shards or self.team.by_accelerate == "DeepSpeed")
        how = {"device": "cpu" if shards else self.team.device, "autocast": cast, **adapter}
        return HuggingFacePolicy.load(name, max_new_tokens=longest, dtype=self.arguments.dtype, **how)

    @contextmanager
    def start(self) -> Iterator[nn.Module]:
        """The model as it was before training: under the adapter, or a copy, loaded when it is first asked for."""
        if self._start_is_under:
            with self.policy.model.disable_adapter():
                yield self.policy.model
            return
        if self._start is None:
            self._start = self._loaded(self.arguments.model).model.requires_grad_(False)
            self.team.shard(self._start, self.half)
        yield self._start

    def restore(self, state: dict[str, Any]) -> None:
        """Put the optimiser where a checkpoint's state left it. Raises ValueError where that is of another model."""
        restore_state(self.policy.model, self.optimiser, state)

    def step(self, rate: float, loss: float, batch: Callable[[], dict[str, Any]]) -> float:
        """Take a step at a learning rate, if all is finite before and after; the length of the gradient, uncut."""
        weights = trainable(self.policy.model)
        norm = clip_gradients(self.policy.model, weights, self.arguments.max_grad_norm)
        demand_finite(self.team.gathered, batch, {"loss": loss, "gradient": norm})
        for group in self.optimiser.param_groups:
            group["lr"] = torch.full_like(group["lr"], rate) if isinstance(group["lr"], torch.Tensor) else rate
        self.optimiser.step()
        self.optimiser.zero_grad()  # so that no gradients lie in memory while the policy samples
        demand_finite(self.team.gathered, batch, {STEPPED: are_finite(weights)})
        return norm


def precision_of(name: str, device: str) -> str:
    """Return fp32 or bf16; ``auto`` computes in bfloat16 on a GPU, from weights that stay as they are."""
    if name != "auto":
        return name
    return "bf16" if torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def optimiser_of(arguments: Any, weights: list[nn.Parameter]) -> Any:
    """Return AdamW over these weights: torch's, or torchao's where weights or their moments are to be small.

    A bfloat16 weight loses most small updates in its rounding; torchao rounds by chance, so that they arrive at last. A
    moment in bfloat16 would not fall with the gradients (a thousandth less is rounded away), so none is.
    """
    how = {"lr": arguments.learning_rate, "weight_decay": getattr(arguments, "weight_decay", 0.0)}
    rounded = any(weight.dtype == torch.bfloat16 for weight in weights)
    if arguments.optimiser == "adamw" and not rounded:
        return torch.optim.AdamW(weights, **how, fused=weights[0].device.type == "cuda")
    try:
        from torchao.optim import AdamW8bit, _AdamW
    except ImportError:
        raise ValueError(
            "--optimiser adamw_8bit, and --dtype bfloat16 without --lora, need torchao: pip install torchao; or leave "
            "them out, or give --lora 16"
        ) from None
    kind = AdamW8bit if arguments.optimiser == "adamw_8bit" else _AdamW

    class WithFloat32Moments(kind):  # type: ignore[misc,valid-type]
        def _new_buffer(self, weight: torch.Tensor, signed: bool) -> Any:
            return super()._new_buffer(weight.float(), signed)

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            super().load_state_dict(state_dict)  # which rounds moments to the dtype of their weights
            names = [name for group in state_dict["param_groups"] for name in group["params"]]
            for name, weight in zip(names, weights, strict=True):
                for moment, kept in state_dict["state"].get(name, {}).items():
                    self.state[weight][moment] = kept.to(self.state[weight][moment].device)

    return WithFloat32Moments(weights, **how, bf16_stochastic_round=rounded)


def scheduled(update: int, done: float, warm_up: int) -> float:
    """Return the learning rate as a share of its height: a linear rise over ``warm_up`` updates, a cosine to 0."""
    return min(1.0, (update + 1) / warm_up) * (1 + cos(pi * min(1.0, done))) / 2


def checkpoint_gradients(model: Any) -> None:
    """Compute activations again in the backward pass in place of keeping them.

    transformers does so in training mode only, which also means dropout; here it is a mode of the layers that keep
    activations, not of those in them.
    """
    named = "activation_checkpointing_enable"
    getattr(model, named if hasattr(model, named) else "gradient_checkpointing_enable")({"use_reentrant": False})
    for module in model.modules():
        module.training |= getattr(module, "gradient_checkpointing", False)


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that an optimiser moves: all, or those of the adapter."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def parameters_of(model: nn.Module) -> int:
    """Return the number of parameters, those of all shards counted."""
    return sum(parameter.numel() for parameter in model.parameters())
