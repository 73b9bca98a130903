"""Trains tiny-lm and tiny-vlm by DeepSpeed's ZeRO-3 in two processes on a CPU, and by one process without DeepSpeed.

    python deepspeed_zero3.py FOLDER

What tests/examples/two_processes.py trains lies in FOLDER/zero3 then, and in FOLDER/alone what one process trains of
it; ``half`` runs compute in bfloat16. Prints as JSON what each of the two processes tells, ``half`` and ``uneven``
besides.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

import torch
from accelerate import Accelerator, DeepSpeedPlugin
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType, broadcast_object_list
from tests.examples import two_processes
from tests.examples.two_processes import (
    FIRST,
    LORA,
    SFT,
    SFTS,
    UPDATES,
    distance,
    entire,
    interrupt,
    stopped,
    updated_alone,
)
from torch import Tensor, nn

import distributed
import sft
from distributed import Team
from model import Learner
from sampling import held_out
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.hugging_face.finite import are_finite
from verienv.policies.hugging_face.sharding import clip_gradients, restore_state, whole_state, whole_weights
from verienv.policies.hugging_face.zero3 import partition

HALF = replace(SFT, precision="bf16", probes=0)


def force_zero3() -> None:
    """Let accelerate shard on CPUs by ZeRO-3, which it does on GPUs alone: by its private state, so in tests alone."""

    def forced(**_: object) -> Accelerator:
        accelerator, plugin = Accelerator(cpu=True), DeepSpeedPlugin(zero_stage=3, zero3_init_flag=False)
        plugin.deepspeed_config["zero_optimization"]["stage3_param_persistence_threshold"] = 1000  # small models
        for state in (PartialState, AcceleratorState):
            state._shared_state["distributed_type"] = DistributedType.DEEPSPEED
        AcceleratorState._shared_state["deepspeed_plugins"] = plugin
        return accelerator

    distributed.launched_as = lambda *_: (2, "DeepSpeed")
    distributed.Accelerator = forced


def held(team: Team) -> dict[str, object]:
    """Return which share of weights, gradients and moments is here, and the large weights that are here whole."""
    from deepspeed.utils import safe_get_local_grad

    learner = Learner(SFT, team, SFT.model)
    batch = Batch.of([Rollout.demonstrated(learner.policy, row) for row in held_out(SFT, {})], learner.policy)
    team.backward(sft.completion_loss(read(learner.policy, learner.trained, batch), batch))
    weights = dict(learner.policy.model.named_parameters())
    gradients = [safe_get_local_grad(one) for one in weights.values()]
    learner.step(1e-4, 1.0, batch.plain)
    moments = [one for state in learner.optimiser.optimizer.state.values() for one in state.values() if one.ndim]
    parts = [each for one in weights.values() for each in (one, one.ds_tensor)]  # of which the first may be let go
    size = 4 * sum(one.ds_numel for one in weights.values())
    kinds = {"weights": (parts, size), "gradients": (gradients, size), "moments": (moments, 2 * size)}
    shares = {kind: sum(one.nbytes for one in tensors) / whole for kind, (tensors, whole) in kinds.items()}
    return {**shares, "whole": [n for n, one in weights.items() if one.ds_numel > 1000 and one.numel() > 1]}


def steps(model: nn.Module, trained: nn.Module, optimiser: Any, seeds: tuple[int, ...], share: slice) -> list[float]:
    """Take a step on the share of four rows of each seed; the lengths of the gradients, uncut."""
    lengths = []
    for seed in seeds:
        rows = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed))[share]
        (trained(rows).square().sum() * (4 // len(rows))).backward()
        lengths.append(clip_gradients(model, list(model.parameters()), 0.1))
        optimiser.step()
        optimiser.zero_grad()
    return lengths


def uneven(team: Team) -> dict[str, float]:
    """Return how far weights that two processes cannot halve are from those of one, after a break; if all is finite."""

    def begun(weights: dict[str, Tensor]) -> tuple[nn.Module, nn.Module, Any]:
        model = nn.Linear(3, 3)
        model.load_state_dict(weights)
        asked = {"zero_optimization": {"stage": 3}}
        return model, *partition(model, asked, False, lambda: torch.optim.AdamW(model.parameters(), lr=0.1))

    one, half = nn.Linear(3, 3), slice(2 * team.index, 2 * team.index + 2)
    for weight in one.parameters():
        nn.init.constant_(weight, 0.5)
    model, trained, optimiser = begun(one.state_dict())
    lengths = steps(model, trained, optimiser, (1, 2), half)
    weights, state = broadcast_object_list([whole_weights(model), whole_state(model, optimiser)])
    model, trained, optimiser = begun(weights)
    restore_state(model, optimiser, state)
    lengths += steps(model, trained, optimiser, (3,), half)
    expected = steps(one, one, torch.optim.AdamW(one.parameters(), lr=0.1), (1, 2, 3), slice(4))
    apart = [(entire(w) - v).detach().abs().max() for w, v in zip(model.parameters(), one.parameters(), strict=True)]
    return {
        "weights": max(apart).item(),
        "gradients": max(abs(1 - a / b) for a, b in zip(lengths, expected, strict=True)),
        "finite": are_finite(model.parameters()).item(),
    }


def in_half(team: Team, **how: Any) -> dict[str, Any]:
    """Return what is told of an update in bfloat16, and how far one process alone moves by other micro-batches.

    Some processors multiply one row in bfloat16 by another kernel than two: the last row of an odd share is read alone.
    """
    one, two = (updated_alone(precision="bf16", **{**how, "micro_batch": rows}) for rows in (1, 2))
    return {**two_processes.compared(team, precision="bf16", **how), "rounding": distance(one[1], two[1])}


def by_two(out: Path) -> None:
    """Train as one of two processes, and write what is told."""
    force_zero3()
    two_processes.held = held
    team = Team.launched("cpu")
    half = {name: in_half(team, **UPDATES[name]) for name in FIRST}
    sft.train(replace(HALF, out=out / "half"))
    stopped(sft, replace(HALF, out=out / "half-cut"), interrupt)
    sft.train(replace(HALF, out=out / "half-cut"))
    (out / f"more-{team.index}.json").write_text(json.dumps({"half": half, "uneven": uneven(team)}))
    two_processes.main(out, False, more=True).leave()


def alone(out: Path) -> None:
    """Train as one process, without DeepSpeed."""
    for name, arguments in (SFTS | {"lora": LORA, "half": HALF}).items():
        sft.train(replace(arguments, out=out / "alone" / name))
    stopped(sft, replace(SFT, out=out / "alone" / "by-one"), interrupt)


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    if "RANK" in os.environ:
        by_two(folder)
        sys.exit()
    alone(folder)
    shutil.copytree(folder / "alone" / "by-one", folder / "zero3" / "by-one")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    subprocess.run([*launch, __file__, str(folder / "zero3")], check=True, stdout=sys.stderr)
    told = (
        json.loads((folder / "zero3" / f"{name}-{i}.json").read_text()) for i in range(2) for name in ("told", "more")
    )
    first, more, second, other = told
    print(json.dumps([first | more, second | other]))
