"""A model over several processes: copied into each, or sharded by torch's ``fully_shard`` (FSDP2); and its saving.

What DeepSpeed's ZeRO-3 has sharded is left to ``zero3``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.nn.parallel import DistributedDataParallel

from verienv.policies.hugging_face import zero3

MAY_REST = ("vision", "visual", "expert")
"""Parts of models, in the names of their weights, that may get no gradient: a vision tower's end, experts not asked."""


def copied(model: nn.Module) -> nn.Module:
    """Return a module that averages the gradients of the model's copies in all processes, where they lie."""
    unused = any(part in name for name, _ in model.named_parameters() for part in MAY_REST)
    return DistributedDataParallel(model, find_unused_parameters=unused, gradient_as_bucket_view=True)


def layers_of(model: nn.Module) -> list[nn.Module]:
    """Return the layers of all stacks of a model, in words and in vision; none that lies in another."""
    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    within = {inner for stack in stacks for inner in stack.modules() if inner is not stack}  # such as experts in layers
    return [layer for stack in stacks if stack not in within for layer in stack]


def shard(model: nn.Module, mesh: DeviceMesh, half: bool = False) -> None:
    """Shard the weights over a mesh, stack by stack of the model's layers, so that one layer at a time is whole.

    With ``half`` the model computes in bfloat16; weights and the sums of gradients stay as they are.
    """
    policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if half else MixedPrecisionPolicy()
    for layer in layers_of(model):
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)


def prepared(accelerator: Any, model: nn.Module, optimised: Callable[[], Any], half: bool) -> tuple[nn.Module, Any]:
    """Shard a model as accelerate is configured to: by ZeRO-3, or by FSDP2, by its own layers where that names none.

    Raises:
        ValueError: where the launcher's precision is not the script's.
    """
    if asked := accelerator.state.deepspeed_plugin:
        return zero3.partition(model, asked.deepspeed_config, half, optimised)
    if (accelerator.mixed_precision == "bf16") != half:
        raise ValueError("--precision and the mixed_precision of the launcher differ; make them one")
    plugin = accelerator.state.fsdp_plugin
    plugin.transformer_cls_names_to_wrap = plugin.transformer_cls_names_to_wrap or [
        *{type(layer).__name__: layer for layer in layers_of(model)}
    ]
    model, optimiser = accelerator.prepare(model, optimised())
    return model, optimiser.optimizer


def clip_gradients(model: nn.Module, weights: Sequence[nn.Parameter], longest: float) -> float:
    """Cut the gradient of a model to a length; return how long it was, over all shards."""
    if zero3.engine_of(model):
        return zero3.clip_gradients(weights, longest)
    norm = nn.utils.clip_grad_norm_(weights, longest)
    return float(getattr(norm, "full_tensor", lambda: norm)())


@contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Hold all weights in every process for a while; nothing is done to a model that is not sharded.

    Sampling is then as fast as unsharded, and processes need not sample as long as each other, or as often.
    """
    if zero3.engine_of(model):
        with zero3.whole(model):
            yield
        return
    sharded = [module for module in model.modules() if isinstance(module, FSDPModule)]
    for module in sharded:
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()
    try:
        yield
    finally:
        for module in sharded:
            module.reshard()
            module.set_reshard_after_forward(module is not model, recurse=False)


def whole_weights(model: nn.Module) -> dict[str, Any]:
    """Gather the weights, each once, on the CPU of the main process; the others get nothing. Called by all."""
    if zero3.engine_of(model):
        return zero3.whole_weights(model)
    weights = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    tied = {*dict(model.named_parameters(remove_duplicate=False))} - {*dict(model.named_parameters())}
    return {name: weight for name, weight in weights.items() if name not in tied}


def whole_state(model: nn.Module, optimiser: Any) -> dict[str, Any]:
    """Gather an optimiser's state by the names of weights, on the CPU of the main process. Called by all."""
    if zero3.engine_of(model):
        return zero3.whole_state(model, optimiser)
    return get_optimizer_state_dict(model, optimiser, options=StateDictOptions(full_state_dict=True, cpu_offload=True))


def restore_state(model: nn.Module, optimiser: Any, state: dict[str, Any]) -> None:
    """Put an optimiser where ``whole_state`` left it, in as many processes or another number, sharded or not.

    Raises:
        ValueError: if the state is of other weights.
    """
    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if {name for group in state["param_groups"] for name in group["params"]} != {*weights}:
        raise ValueError("its optimiser is of other weights")
    shapes = {name: getattr(weight, "ds_shape", weight.shape) for name, weight in weights.items()}
    for name, kept in state["state"].items():
        if any(getattr(one, "ndim", 0) and one.shape != shapes[name] for one in kept.values()):
            raise ValueError(f"the shapes of {name} differ")
    if zero3.engine_of(model):
        zero3.restore_state(model, optimiser, state)
        return
    how = StateDictOptions(full_state_dict=True, strict=False)  # what gets no gradient has no state
    set_optimizer_state_dict(model, optimiser, state, options=how)
