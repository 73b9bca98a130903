"""An update of sft.py and one of ppo.py, timed and weighed: what part 2 is made of."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym

import ppo
import sft
from distributed import Team
from gpu.models import BuiltLearner
from gpu.results import Setup, synchronise
from memory import Meter
from sampling import roll_out, seeds_of
from verienv import demonstrations
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.memory import MemoryPlan
from verienv.policies.shape import Shape

ENV = "verienv/GeneralPoints-VL-v0"


@dataclass(frozen=True)
class Case:
    """An update to measure: the options of the scripts, and sizes."""

    model: str
    micro_batch: int
    rows: int
    """Demonstrations or episodes an update."""
    longest: int
    updates: int
    checkpointing: bool = False
    lora: int = 0
    dtype: str = "float32"

    def options(self, device: str) -> dict[str, Any]:
        return {
            "model": self.model, "env": ENV, "device": device, "learning_rate": 1e-9, "micro_batch": self.micro_batch,
            "gradient_checkpointing": self.checkpointing, "lora": self.lora, "dtype": self.dtype,
        }  # fmt: skip


@contextmanager
def timed(device: str) -> Iterator[list[float]]:
    """Time what is done inside, to the end of what a GPU was told; the seconds stand in the list when it is over."""
    took: list[float] = []
    synchronise(device)
    began = time.perf_counter()
    yield took
    synchronise(device)
    took.append(time.perf_counter() - began)


@contextmanager
def learning(case: Case, arguments: Any, setup: Setup) -> Iterator[tuple[BuiltLearner, Meter, int]]:
    """A learner for a while, the meter of its memory, and the bytes there were before it."""
    gc.collect()
    meter = Meter(setup.device)
    empty = meter.begin()
    team = Team(device=setup.device)
    team.main = False  # which would tell a plan of memory, from files that a built model has not
    learner = BuiltLearner(arguments, team, case.model)
    yield learner, meter, empty


def supervised(case: Case, card: dict[str, Any], setup: Setup) -> dict[str, Any]:
    """Updates of sft.py on demonstrations with pictures."""
    arguments = sft.Arguments(**case.options(setup.device), batch=case.rows)
    rows = list(demonstrations(ENV, n=case.rows, seed=0, steps=True))
    with learning(case, arguments, setup) as (learner, meter, empty):
        learner.policy.model.train()
        policy, spent, tokens = learner.policy, {"encoding": 0.0, "gradients": 0.0, "step": 0.0}, 0
        for update in range(case.updates + 1):
            took = {}
            with timed(setup.device) as took["encoding"]:
                batch = Batch.of([Rollout.demonstrated(policy, row) for row in rows], policy)
            with timed(setup.device) as took["gradients"]:
                learner.optimiser.zero_grad()
                loss, said = 0.0, batch.acted.sum()
                for _, few in batch.parts(case.micro_batch):
                    part = sft.completion_loss(read(policy, learner.trained, few), few) / said
                    learner.team.backward(part)
                    loss += part.item()
            with timed(setup.device) as took["step"]:
                learner.step(1e-9, loss, batch.plain)
            if update:
                tokens += int(batch.mask.sum())
                spent = {name: spent[name] + took[name][0] for name in spent}
        peak = meter.most() - empty
        plan = planned("sft", case, batch, learner)
        size, shape = learner.size, about(learner)
    work = (4.0 if case.lora else 6.0) * size * tokens
    return {
        **shape, "loss": loss, **speed(work, tokens, case.rows * case.updates, spent, card), **against(plan, peak),
    }  # fmt: skip


def reinforced(case: Case, card: dict[str, Any], setup: Setup, attempts: int = 2, group: int = 0) -> dict[str, Any]:
    """Updates of ppo.py: episodes are sampled, read by critic and start, and trained on in two steps.

    With ``group`` there is neither critic nor start, and one step: that is GRPO.
    """
    arguments = ppo.Arguments(
        **case.options(setup.device), attempts=attempts, episodes=case.rows, batch=case.rows,
        minibatch=case.rows if group else max(1, case.rows // 2), max_new_tokens=case.longest,
        **({"advantage": "group", "group": group} if group else {}),
    )  # fmt: skip
    envs = [gym.make(ENV, disable_env_checker=True, attempts=attempts) for _ in range(case.rows)]
    with learning(case, arguments, setup) as (learner, meter, empty):
        policy, trained = learner.policy, 0
        width = policy.model.config.get_text_config().hidden_size
        critic = None if group else ppo.Critic(width, 1e-3).to(policy.device)
        spent, steps, sampled, read = dict.fromkeys(("sampling", "environment", "update"), 0.0), 0, 0, 0
        peaks = {"sampling": 0, "update": 0}
        for update in range(case.updates + 1):
            few = envs if update else envs[: group or 2]  # the first warms up
            with counted(policy, setup.device) as calls, timed(setup.device) as whole:
                before = policy.generated_tokens
                rollouts = roll_out(learner, few, seeds_of(update, arguments)[: len(few)], arguments)
            peaks["sampling"] = max(peaks["sampling"], meter.most() - empty)
            meter.begin()
            with timed(setup.device) as updating:
                batch = Batch.of(rollouts, policy)
                told = ppo.ppo_update(learner, critic, batch, arguments, 1e-9)
            peaks["update"] = max(peaks["update"], meter.most() - empty)
            if update:
                length = int(batch.mask.sum())
                trained, sampled = trained + length, sampled + policy.generated_tokens - before
                compared = 0 if group else min(case.micro_batch, len(few))  # with the start, of so many episodes
                read += (length if critic else 0) + length * compared // len(few)
                steps += sum(longest for _, longest in calls)
                in_policy = sum(seconds for seconds, _ in calls)
                spent["sampling"] += in_policy
                spent["environment"] += whole[0] - in_policy
                spent["update"] += updating[0]
            meter.begin()
        plan = planned("ppo", case, batch, learner, start=not group and not case.lora)
        size, shape = learner.size, about(learner)
    work = size * ((4.0 if case.lora else 6.0) * trained + 2.0 * (read + sampled))
    return {
        **shape, "loss": told["loss"], **speed(work, trained, case.rows * case.updates, spent, card),
        "sampled_step_seconds": spent["sampling"] / steps, "peaks": peaks,
        "share_at_longest": sum(sum(one.acted) == attempts * case.longest for one in rollouts) / len(rollouts),
        **against(plan, max(peaks.values())),
    }  # fmt: skip


@contextmanager
def counted(policy: Any, device: str) -> Iterator[list[tuple[float, int]]]:
    """Seconds and longest response of every call of a policy's sampling."""
    calls: list[tuple[float, int]] = []
    plain = policy.sample

    def sample(*given: Any) -> Any:
        with timed(device) as took:
            responses, logprobs = plain(*given)
        calls.append((took[0], max(map(len, responses))))
        return responses, logprobs

    policy.sample = sample
    try:
        yield calls
    finally:
        del policy.sample


def about(learner: Any) -> dict[str, Any]:
    return {"parameters": learner.size, "precision": "bf16 autocast" if learner.half else "fp32"}


def speed(work: float, tokens: int, rows: int, spent: dict[str, float], card: dict[str, Any]) -> dict[str, Any]:
    """Tokens (of dialogues, those of pictures among them) and rows a second, and shares of the card's rate."""
    seconds = sum(spent.values())
    rates = {name: card.get(name) for name in ("measured", "datasheet")}
    return {
        "tokens": tokens, "tokens_a_second": tokens / seconds, "rows_a_second": rows / seconds,
        "spent": spent, "flops": work,
        "mfu": {name: work / seconds / rate if rate else None for name, rate in rates.items()},
    }  # fmt: skip


def planned(method: Any, case: Case, batch: Batch, learner: Any, start: bool = False) -> MemoryPlan:
    """Plan the memory of an update of this batch."""
    model = learner.policy.model
    parts = [few for _, few in batch.parts(case.micro_batch)]
    largest = max(parts, key=lambda few: few.ids.numel())
    first = int(largest.acted.any(0).float().argmax())
    grids = [seen["image_grid_thw"] for seen in batch.vision if "image_grid_thw" in seen]
    plan = MemoryPlan(
        Shape.of(getattr(model, "get_base_model", lambda: model)().config), method=method,
        tokens=largest.ids.numel(), scored_tokens=len(largest.ids) * (largest.ids.shape[1] - first),
        micro_batch=len(largest.ids), weights=case.dtype, autocast=learner.half,  # type: ignore[arg-type]
        lora=case.lora, checkpointing=case.checkpointing, accumulates=len(parts) > 1,
        patches=max(int(grid.prod(-1).sum()) for grid in grids) if grids else None,
    )  # fmt: skip
    if method == "ppo":
        plan = replace(plan, cached_tokens=batch.ids.numel(), batch=len(batch.ids), start=start)
    return plan


def against(plan: MemoryPlan, peak: int) -> dict[str, Any]:
    return {"peak": peak, "planned": plan.peak, "planned_phases": plan.phases, "peak_over_planned": peak / plan.peak}
