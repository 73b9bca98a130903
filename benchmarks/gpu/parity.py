"""Part 1: whether a token's log-probability is one number, in sampling and training, on this device and on a CPU.

Each measurement plays a few episodes with pictures and prompts of several lengths, and compares, over all sampled
tokens, the log-probability that sampling told with those of three readings: of all dialogues together as training reads
them, of each alone, and, of the tokens that float32 with eager attention had said, with what was told then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import product
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from distributed import ALONE
from gpu.models import models_of, policy_of
from gpu.results import Measurement, Results, Setup
from sampling import roll_out
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.batch import Batch, Rollout, read

ENV = "verienv/GeneralPoints-VL-v0"
FULL, AUTOCAST, HALF = "float32", "bfloat16 autocast", "bfloat16 weights"
MODES = [*product((FULL, AUTOCAST), ("sdpa", "eager"))]
HALVES = [*product((HALF,), ("sdpa", "eager"))]  # last, since rounded weights do not come back
ON_CPU = 2
"""Dialogues that a CPU reads again."""


class Subject:
    """A model under test, built when it is first asked for, and what it said in float32 with eager attention."""

    def __init__(self, setup: Setup, name: str, episodes: int, longest: int) -> None:
        self.setup, self.name, self.episodes, self.longest = setup, name, episodes, longest

    @cached_property
    def policy(self) -> HuggingFacePolicy:
        return policy_of(self.name, self.setup.device, max_new_tokens=self.longest)

    @cached_property
    def reference(self) -> tuple[list[Rollout], Tensor]:
        """What was said, and its log-probabilities as (rollouts, longest - 1), on the CPU."""
        with self.computing(FULL, "eager"):
            rollouts = self.played()
            return rollouts, self.together(rollouts).cpu()

    @contextmanager
    def computing(self, precision: str, attention: str) -> Iterator[None]:
        """Compute in a way; rounded weights stay rounded."""
        model = self.policy.model
        if precision == HALF:
            _ = self.reference  # while the weights are whole
            model.to(torch.bfloat16)
        elif model.dtype != torch.float32:
            raise ValueError("the weights were rounded already; delete the results of this model, and run it again")
        model.set_attn_implementation(attention)
        self.policy.autocast = precision == AUTOCAST
        try:
            yield
        finally:
            self.policy.autocast = False

    def played(self) -> list[Rollout]:
        """Episodes of prompts of several lengths, two responses each unless the first is right."""
        made = [
            gym.make(ENV, disable_env_checker=True, attempts=2, prompt="diverse") for _ in range(self.episodes)
        ]  # fmt: skip
        how = SimpleNamespace(temperature=1.0, top_p=1.0, batch=self.episodes)
        torch.manual_seed(1)
        return roll_out(SimpleNamespace(policy=self.policy, team=ALONE), made, range(self.episodes), how)  # type: ignore[arg-type]

    @torch.no_grad()
    def together(self, rollouts: Sequence[Rollout]) -> Tensor:
        return read(self.policy, self.policy.model, self.batch(rollouts)).logprobs

    @torch.no_grad()
    def alone(self, rollouts: Sequence[Rollout]) -> Tensor:
        batch = self.batch(rollouts)
        logprobs = torch.zeros_like(batch.logprobs)
        for row, few in batch.parts(1):
            logprobs[row, : few.acted.shape[1]] = read(self.policy, self.policy.model, few).logprobs
        return logprobs

    def batch(self, rollouts: Sequence[Rollout]) -> Batch:
        """Rollouts as a batch for the weights as they are now."""
        batch, dtype = Batch.of(rollouts, self.policy), self.policy.model.dtype
        batch.vision = [
            {name: one.to(dtype) if one.is_floating_point() else one for name, one in seen.items()}
            for seen in batch.vision
        ]
        return batch

    def measure(self, precision: str, attention: str) -> dict[str, Any]:
        """Sampling against training, and both against float32 with eager attention."""
        said, told = self.reference
        with self.computing(precision, attention):
            rollouts = self.played()
            batch, together, alone = self.batch(rollouts), self.together(rollouts), self.alone(rollouts)
            again = self.together(said).cpu()
        return {
            "dialogues": len(rollouts),
            "lengths": sorted(len(rollout.ids) for rollout in rollouts),
            "tokens": int(batch.acted.sum()),
            "mean_logprob": float(batch.logprobs[batch.acted > 0].mean()),
            "sampled_together_read_together": difference(batch.logprobs, together, batch.acted),
            "sampled_together_read_alone": difference(batch.logprobs, alone, batch.acted),
            "read_together_read_alone": difference(together, alone, batch.acted),
            "read_here_read_in_float32_eager": difference(again, told, self.batch(said).acted.cpu()),
        }

    def on_cpu(self) -> dict[str, Any]:
        """What the device reads in float32 with eager attention, against a CPU."""
        said, _ = self.reference
        few, model = said[:ON_CPU], self.policy.model
        with self.computing(FULL, "eager"):
            here, acted = self.together(few).cpu(), self.batch(few).acted.cpu()
            model.to("cpu")
            try:
                there = self.together(few)
            finally:
                model.to(self.setup.device)
        return {
            "dialogues": len(few),
            "tokens": int(acted.sum()),
            "read_here_read_on_cpu": difference(here, there, acted),
        }


def difference(ours: Tensor, theirs: Tensor, acted: Tensor) -> dict[str, float]:
    """Compare log-probabilities at sampled tokens: nats, and shares of tokens whose ratio leaves 1 by 1 % and by 0.2.

    The last is the clip range of PPO: such a token is lost to it though nothing was learned.
    """
    apart = (ours.double() - theirs.double())[acted > 0]
    ratio = (apart.exp() - 1).abs()
    return {
        "max": float(apart.abs().max()), "mean": float(apart.abs().mean()),
        "beyond_1_percent": float((ratio > 0.01).double().mean()),
        "beyond_clip": float((ratio > 0.2).double().mean()),
    }  # fmt: skip


def measurements(setup: Setup, _: Results) -> Iterator[Measurement]:
    """Yield them: tiny-vlm, whose weights are trained, then the random model whose pictures are tokens."""
    sizes = {"tiny-vlm": (32, 48), models_of(real=True)[0]: (16, 64)}
    for name in ("tiny-vlm", models_of(setup.real)[0]):
        subject = Subject(setup, name, *(sizes[name] if setup.real else (4, 8)))
        for precision, attention in MODES:
            yield f"{name}, {precision}, {attention}", partial(subject.measure, precision, attention)
        yield f"{name}, against a CPU", subject.on_cpu
        for precision, attention in HALVES:
            yield f"{name}, {precision}, {attention}", partial(subject.measure, precision, attention)
        del subject
