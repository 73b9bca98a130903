"""Trains tiny-lm with torchao's optimisers, as the flags of examples/sft.py choose them.

    python torchao_training.py FOLDER

Prints as JSON what came of it: ``losses`` of the same updates and whether a ``resumed`` run is the one without a break,
bit for bit, by optimiser and dtype; the ``moved`` share of a small movement that arrives in bfloat16 weights; and the
``second_moment`` over what it should be, after the gradients of such weights fell.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

os.environ["TORCHDYNAMO_DISABLE"] = "1"  # compiling each step takes minutes on a CPU

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))

import run as runs
import sft
from model import optimiser_of

ADAMW, IN_8_BITS = "adamw", "adamw_8bit"


def trained(out: Path, optimiser: str, dtype: str) -> sft.Run:
    """Six updates of SFT on rows that repeat, at a rate at which tiny-lm, which knows such rows, still learns."""
    arguments = sft.Arguments(
        out=out, optimiser=optimiser, dtype=dtype, updates=6, save_every=2, learning_rate=3e-5, warm_up=1, rows=32,
        batch=32, probes=0, log_with=(),
    )  # fmt: skip
    return sft.train(arguments)


def losses(run: sft.Run) -> list[float]:
    return [json.loads(line)["loss"] for line in (run.out / "log.jsonl").read_text().splitlines()]


def weights(run: sft.Run) -> dict[str, Tensor]:
    return load_file(run.checkpoints()[-1] / "model.safetensors")


def is_resumed(whole: sft.Run, out: Path, optimiser: str, dtype: str) -> bool:
    """Whether a run that is broken off in its fourth update, and started again, ends with the same weights."""
    log = runs.Run.log

    def broken(self: runs.Run, line: dict[str, object]) -> None:
        if line["update"] == 4:
            raise InterruptedError
        log(self, line)

    with patch.object(runs.Run, "log", broken), suppress(InterruptedError):
        trained(out, optimiser, dtype)
    one, other = weights(whole), weights(trained(out, optimiser, dtype))
    return all(torch.equal(other[name], one[name]) for name in one)


def stepped(
    optimiser: str, rate: float, gradients: list[float], dtype: torch.dtype = torch.bfloat16
) -> tuple[float, float]:
    """Steps on gradients whose values are all this; the share of the intended movement, and the second moment."""
    torch.manual_seed(0)
    weight = nn.Parameter((0.03 * torch.randn(64, 512)).to(dtype))
    before, settings = weight.detach().double(), SimpleNamespace(learning_rate=rate, optimiser=optimiser)
    steps = optimiser_of(settings, [weight])
    for value in gradients:
        weight.grad = torch.full_like(weight, value)
        steps.step()
    moment = steps.state[weight]["exp_avg_sq"]
    moment = moment.dequantize() if hasattr(moment, "codes") else moment
    return float((before - weight.detach().double()).mean()) / (rate * len(gradients)), float(moment.double().mean())


def plainly(rate: float) -> float:
    """The share of 20 steps' movement that arrives without rounding by chance."""
    torch.manual_seed(0)
    weight = (0.03 * torch.randn(64, 512)).bfloat16()
    before = weight.double()
    for _ in range(20):
        weight -= rate
    return float((before - weight.double()).mean()) / (20 * rate)


def fallen(optimiser: str) -> float:
    """The second moment over what it should be, after 500 gradients of 1 and 1,500 of 0.1."""
    meant = 0.0
    gradients = [1.0] * 500 + [0.1] * 1500
    for value in gradients:
        meant = 0.999 * meant + 0.001 * value**2
    return stepped(optimiser, 1e-6, gradients)[1] / meant


if __name__ == "__main__":
    folder, kinds = (
        Path(sys.argv[1]),
        [(optimiser, dtype) for optimiser in (ADAMW, IN_8_BITS) for dtype in ("float32", "bfloat16")],
    )
    whole = {
        f"{optimiser} {dtype}": trained(folder / f"{optimiser}-{dtype}", optimiser, dtype) for optimiser, dtype in kinds
    }
    said = {
        "losses": {name: losses(run) for name, run in whole.items()},
        "resumed": {name: is_resumed(run, folder / f"{name}-resumed", *name.split()) for name, run in whole.items()},
        "moved": {
            str(rate): {"plainly": plainly(rate)}
            | {one: stepped(one, rate, [1.0] * 20)[0] for one in (ADAMW, IN_8_BITS)}
            for rate in (1e-5, 1e-6)
        },
        "second_moment": {one: fallen(one) for one in (ADAMW, IN_8_BITS)},
    }
    print(json.dumps(said))
