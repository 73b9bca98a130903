"""Part 4: a start of 36 million parameters, trained from scratch by sight as tools/train_tiny_vlm.py makes a small one.

First the tower learns to read ranks with a head that is thrown away, then all of it learns from demonstrations with
pictures. Hands of the train side, in black suits, never under 11-12-13. Processes beside the GPU draw pictures and
write rows; how long the GPU waits for them is told. Learning rates follow the clock, so that the budget is used up.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gpu.results import Measurement, Results, Setup
from gpu.rows import TINY, Sizes, built, loader, looked_at
from verienv.core.files import atomic_write
from verienv.evaluation import evaluate
from verienv.generalpoints import RULE_BY_SIDE_BY_VISUAL
from verienv.generalpoints.cards import RANKS
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.sampling import never_say_pictures

ENV = "verienv/GeneralPoints-VL-v0"


class Trainee:
    """The model in training, and where it stands; ``state`` goes to disk and back."""

    def __init__(self, setup: Setup, sizes: Sizes) -> None:
        torch.manual_seed(0)
        self.setup, self.sizes = setup, sizes
        self.model, self.processor = built(sizes)
        width = sizes.hidden
        self.head = nn.Linear(width, len(RANKS))
        self.model.to(setup.device)
        self.head.to(setup.device)
        self.path = setup.work / "scratch.pt"
        self.seconds = {"read": 0.0, "play": 0.0}
        self.waited = {"read": 0.0, "play": 0.0}
        self.log: list[dict[str, Any]] = []
        self.optimisers = {
            "read": self._optimiser([self.model.model.vision_tower, self.model.model.multi_modal_projector, self.head]),
            "play": self._optimiser([self.model]),
        }
        if self.path.exists():
            kept = torch.load(self.path, weights_only=True, map_location=setup.device)
            self.model.load_state_dict(kept["model"])
            self.head.load_state_dict(kept["head"])
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(kept["optimisers"][name])
            self.seconds, self.waited, self.log = kept["seconds"], kept["waited"], kept["log"]

    def _optimiser(self, modules: list[nn.Module]) -> torch.optim.Optimizer:
        weights = [weight for module in modules for weight in module.parameters()]
        fused = self.setup.device.startswith("cuda")
        return torch.optim.AdamW(weights, betas=(0.9, 0.98), weight_decay=0.01, fused=fused)

    def save(self) -> None:
        optimisers = {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()}
        state = {
            "model": self.model.state_dict(), "head": self.head.state_dict(), "optimisers": optimisers,
            "seconds": self.seconds, "waited": self.waited, "log": self.log,
        }  # fmt: skip
        with atomic_write(self.path) as part:
            torch.save(state, part)

    def steps(self, stage: str) -> int:
        return sum(line["stage"] == stage for line in self.log)

    def learn(self, stage: str, rows: Iterator[Any], budget: float, spare: float) -> bool:
        """Train a stage until it has had its seconds; whether it has, or the sitting ends in ``spare`` seconds."""
        saved = time.monotonic()
        batch = next(rows)  # the processes begin, which is no time of training
        mark = time.monotonic()
        while self.seconds[stage] < budget and self.setup.left() > spare:
            line = getattr(self, stage)(batch, rate(self.seconds[stage] / budget) * self.sizes.rates[stage == "play"])
            computed = time.monotonic()
            batch = next(rows)
            now = time.monotonic()
            self.waited[stage] += now - computed
            self.seconds[stage] += now - mark
            mark = now
            self.log.append({"stage": stage, "seconds": round(self.seconds[stage], 3), **line})
            if now - saved > self.sizes.save_every:
                self.save()
                saved = mark = time.monotonic()
        self.save()
        return self.seconds[stage] >= budget

    def read(self, batch: dict[str, np.ndarray], at: float) -> dict[str, float]:
        """Name the rank in each quarter of the picture, from what the projector passes on."""
        model, device = self.model.model, self.setup.device
        with self.computing():
            seen = model.vision_tower(pixel_values=looked_at(self.processor, batch["pixels"], device))
            passed = model.multi_modal_projector(seen.last_hidden_state)
            side = self.sizes.image // self.sizes.patch
            quarters = passed.view(len(passed), side, 4, side // 4, -1).mean((1, 3))
            scores = self.head(quarters).float()
        truth = torch.from_numpy(batch["ranks"]).to(device)
        loss = cross_entropy(scores.flatten(0, 1), truth.flatten())
        return {"loss": self.step("read", loss, at), "right": float((scores.argmax(-1) == truth).float().mean())}

    def play(self, batch: dict[str, np.ndarray], at: float) -> dict[str, float]:
        """Say the final, correct answers of demonstrations."""
        device, pad = self.setup.device, self.processor.tokenizer.pad_token_id
        ids, labels = (torch.from_numpy(batch[name]).to(device) for name in ("ids", "labels"))
        with self.computing():
            logits = self.model(
                input_ids=ids, attention_mask=(ids != pad).long(),
                pixel_values=looked_at(self.processor, batch["pixels"], device),
            ).logits[:, :-1]  # fmt: skip
        loss = cross_entropy(logits.float().flatten(0, 1), labels[:, 1:].flatten())
        answered = labels[:, 1:] >= 0
        right = ((logits.argmax(-1) == labels[:, 1:]) | ~answered).all(1)
        return {"loss": self.step("play", loss, at), "right": float(right.float().mean()), "tokens": float(ids.numel())}

    def computing(self) -> Any:
        device = torch.device(self.setup.device).type
        return torch.autocast(device, torch.bfloat16, enabled=device == "cuda")

    def step(self, stage: str, loss: Tensor, at: float) -> float:
        optimiser = self.optimisers[stage]
        for group in optimiser.param_groups:
            group["lr"] = at
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([one for group in optimiser.param_groups for one in group["params"]], 1.0)
        optimiser.step()
        if not math.isfinite(value := loss.item()):
            raise FloatingPointError(f"the loss of stage {stage} is {value}")
        return value


def rate(done: float) -> float:
    """Return the learning rate as a share of its peak: a linear rise over 5 % of the time, a cosine to 0."""
    return min(1.0, (done + 1e-3) / 0.05) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def training(setup: Setup, sizes: Sizes) -> dict[str, Any]:
    """Train both stages: a fifth of the time to read, half to play, the rest to begin and to evaluate."""
    learner, whole = Trainee(setup, sizes), 60 * setup.minutes if setup.real else 2.0
    budgets = {"read": 0.2 * whole, "play": 0.5 * whole}
    spare = 0.05 * whole
    loaders = {
        stage: loader(stage, sizes, learner.processor, 1 + learner.steps(stage)) for stage in budgets
    }  # both begin at once: their processes take a while
    finished = all(learner.learn(stage, loaders[stage], budget, spare) for stage, budget in budgets.items())
    size = sum(weight.numel() for weight in learner.model.parameters())
    every = max(1, len(learner.log) // 400)
    stages = {
        stage: {
            "steps": learner.steps(stage), "seconds": learner.seconds[stage],
            "waiting_for_rows": learner.waited[stage] / max(learner.seconds[stage], 1e-9),
            "rows_a_second": learner.steps(stage) * sizes.batch / max(learner.seconds[stage], 1e-9),
        }
        for stage in budgets
    }  # fmt: skip
    tokens = sum(line.get("tokens", 0.0) for line in learner.log)
    return {
        "parameters": size, "batch": sizes.batch, "stages": stages, "log": learner.log[::every],
        "played_tokens": tokens,
        "flops_a_second": 6.0 * size * tokens / max(learner.seconds["play"], 1e-9),
        **({} if finished else {"left": [f"training: {learner.seconds} of {budgets} seconds"]}),
    }  # fmt: skip


def playing(setup: Setup, sizes: Sizes) -> dict[str, Any]:
    """Let what was trained play by sight, on hands of both sides under both rules: recognition and success."""
    learner = Trainee(setup, sizes)
    if not learner.log:
        raise ValueError(f"{learner.path} is gone; delete the results of this part, and it is trained again")
    never_say_pictures(learner.model)
    policy = HuggingFacePolicy(
        learner.model.eval(), learner.processor.tokenizer, 48 if setup.real else 6, processor=learner.processor,
        autocast=setup.device.startswith("cuda"), batch_size=1024,
    )  # fmt: skip
    played = evaluate(
        policy, ENV, dict(RULE_BY_SIDE_BY_VISUAL), sizes.episodes, seed=2026, batch_size=1024, name="scratch",
        attempts=1, progress=False,
    )  # fmt: skip
    cells = {
        name: {"episodes": cell.episodes, "success": list(cell.metrics["success"]), "failures": cell.failures,
               "recognition": list(cell.recognition.read)}
        for name, cell in played.cells.items()
    }  # fmt: skip
    return {"cells": cells}


def measurements(setup: Setup, _: Results) -> Iterator[Measurement]:
    """Yield training, then play."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sizes = Sizes() if setup.real else TINY
    yield "training", partial(training, setup, sizes)
    yield "play by sight", partial(playing, setup, sizes)
