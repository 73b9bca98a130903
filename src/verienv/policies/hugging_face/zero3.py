"""A model over several processes by DeepSpeed's ZeRO-3: of every weight, gradient and moment each holds an equal part.

The last part is filled up to the length of the others. A model that lies in parts carries its engine, DeepSpeed's
module around it, which is what to call where gradients are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

_ENGINE = "zero3_engine"


def engine_of(model: nn.Module) -> Any:
    """Return the engine of a model that lies in parts, None of any other."""
    return vars(model).get(_ENGINE)


def partition(
    model: nn.Module, given: dict[str, Any], half: bool, optimised: Callable[[], Any] | None = None
) -> tuple[nn.Module, Any]:
    """Leave of each weight its part in each process; return the engine, and the optimiser, if there is to be one.

    ``given`` is DeepSpeed's configuration, of which ``zero_optimization`` counts. With ``half`` linear layers compute
    in bfloat16 and their weights and gradients travel so; weights, moments and sums of gradients stay float32.

    Raises:
        ValueError: for weights or an optimiser that ZeRO-3 does not take here.
    """
    import deepspeed

    deepspeed.utils.logger.setLevel("WARNING")
    if any(weight.dtype != torch.float32 for weight in model.parameters()):
        raise ValueError("ZeRO-3 holds weights in float32 here: give --dtype float32, or --shard in place of ZeRO-3")
    config = {
        "train_micro_batch_size_per_gpu": 1,  # of which nothing follows: the loss is summed over all processes
        "gradient_accumulation_steps": 1,
        "zero_allow_untested_optimizer": True,
        "zero_optimization": given["zero_optimization"],
        "torch_autocast": {"enabled": half, "dtype": "bfloat16"},
        "steps_per_print": float("inf"),
    }
    deepspeed.init_distributed(verbose=False)
    deepspeed.zero.Init(module=model, config_dict_or_path=config, dtype=torch.float32)  # weight by weight
    for buffer in model.buffers():
        buffer.data = buffer.data.to(next(model.parameters()).device)
    optimiser = optimised() if optimised else None
    if optimiser and type(optimiser).__module__.partition(".")[0] != "torch":
        raise ValueError("ZeRO-3 takes torch's AdamW here: give --optimiser adamw, or --shard in place of ZeRO-3")
    engine, own, *_ = deepspeed.initialize(model=model, optimizer=optimiser, config=config)
    vars(model)[_ENGINE] = engine  # not as an attribute, which would make it a module of the model
    return engine, own


@contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Hold all weights in every process for a while, in the type that they travel in. Called by all."""
    import deepspeed

    held = engine_of(model).optimizer
    offload = getattr(held, "parameter_offload", held)
    with deepspeed.zero.GatheredParameters(model.parameters()):
        offload.destroy()  # of its hooks, which keep processes in step and let go of weights that have been used
        offload.forward_hooks, offload.backward_hooks = [], []
        try:
            yield
        finally:
            offload.setup_zero_stage3_hooks()


def part_of(weight: Any) -> Tensor:
    """Return the part of a weight, in a row, that lies in this process, without what fills it up."""
    return _unfilled(weight, weight.ds_tensor)


def whole_of(weight: Any, part: Tensor) -> Tensor:
    """Return the whole of what is as large as a weight, of the parts of all processes. Called by all."""
    parts = [torch.empty_like(part) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, part.contiguous())
    return torch.cat(parts)[: weight.ds_numel].view(weight.ds_shape)


def clip_gradients(weights: Iterable[nn.Parameter], longest: float) -> float:
    """Cut the gradient, the sum over all processes, to a length, as torch does; return how long it was."""
    from deepspeed.utils import safe_get_local_grad, safe_set_local_grad

    gradients = {weight: safe_get_local_grad(weight) for weight in weights}
    norms = [_unfilled(weight, gradient).norm() for weight, gradient in gradients.items()]
    square = torch.stack(norms).square().sum()
    dist.all_reduce(square)
    norm = square.sqrt()
    for weight, gradient in gradients.items():
        safe_set_local_grad(weight, gradient * (longest / (norm + 1e-6)).clamp(max=1.0))
    return norm.item()


def whole_weights(model: nn.Module) -> dict[str, Tensor]:
    """Gather the weights, each once, on the CPU of the main process; the others get nothing. Called by all."""
    there, main = {*dict(model.named_parameters(remove_duplicate=False))}, dist.get_rank() == 0
    weights = {name: buffer.cpu() for name, buffer in model.state_dict().items() if main and name not in there}
    for name, weight in dict[str, Any](model.named_parameters()).items():
        one = whole_of(weight, weight.ds_tensor)
        weights |= {name: one.cpu()} if main else {}  # so that one at a time is whole on its device
    return weights


def whole_state(model: nn.Module, optimiser: Any) -> dict[str, Any]:
    """Gather an optimiser's state as torch's is saved, by names of weights. Called by all."""
    from deepspeed.utils import safe_get_local_optimizer_state

    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    base, main = optimiser.optimizer, dist.get_rank() == 0
    (first, *_) = base.state.values()
    state: dict[str, Any] = {}
    for name, weight in weights.items():
        state[name] = {"step": first["step"].cpu().clone()}  # each its own, for torch counts in place
        for moment in (key for key, value in first.items() if value.ndim):
            gathered = whole_of(weight, safe_get_local_optimizer_state(weight, moment))
            state[name] |= {moment: gathered.cpu()} if main else {}
    group = {key: value for key, value in base.param_groups[0].items() if key != "params"}
    return {"state": state, "param_groups": [{**group, "params": [*weights]}]} if main else {}


def restore_state(model: nn.Module, optimiser: Any, state: dict[str, Any]) -> None:
    """Put an optimiser where ``whole_state`` left it, or torch in a run whose model did not lie in parts."""
    from deepspeed.utils import safe_set_local_optimizer_state

    kept, weights = state["state"], dict[str, Any](model.named_parameters())
    one = next(iter(kept.values()))
    for row in optimiser.fp32_partitioned_groups_flat:  # in which the parts of all weights lie one after the other
        moments = {name: torch.zeros_like(row) for name, value in one.items() if value.ndim}
        at = row.device if optimiser.optimizer.defaults.get("fused") else "cpu"  # where torch counts steps
        optimiser.optimizer.state[row] = {"step": one["step"].to(at, copy=True), **moments}
    for name, weight in weights.items():
        for moment in (key for key, value in kept.get(name, {}).items() if value.ndim):
            size = weight.ds_tensor.numel()
            part = kept[name][moment].flatten()[dist.get_rank() * size :][:size].to(weight.device)
            filled = nn.functional.pad(part, (0, size - part.numel()))
            safe_set_local_optimizer_state(weight, filled, moment)


def _unfilled(weight: Any, part: Tensor) -> Tensor:
    return part[: max(0, weight.ds_numel - dist.get_rank() * part.numel())]
