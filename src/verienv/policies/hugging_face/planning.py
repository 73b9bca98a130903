"""The memory that a training run will take, told before its model is loaded: what the plan needs besides the shape.

The length of dialogues is that of a few which the run's own environment deals, in the model's own tokens; a response is
taken to be as long as it may become. No weights are read.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from math import prod
from typing import Any

import gymnasium as gym
import torch

from verienv.core.dialogue import with_pictures
from verienv.core.episode import Episode
from verienv.core.settings import read_settings
from verienv.demos import demonstrations, read_demonstrations
from verienv.policies.devices import available_memory, readable
from verienv.policies.hugging_face.batch import Rollout
from verienv.policies.hugging_face.checkpoint import NoModelError, first_line, kept_in, path_of
from verienv.policies.hugging_face.loading import adapter_and_base, readers
from verienv.policies.hugging_face.policy import HuggingFacePolicy
from verienv.policies.memory import MemoryPlan
from verienv.policies.shape import Shape, without_weights

DEALT = 16
"""Dialogues that are looked at."""
SMALL = 0.05
"""The share of free memory below which one line tells a plan."""


@dataclass(frozen=True)
class Lengths:
    """Tokens of dialogues, and patches of what they show."""

    longest: int
    """Tokens of a dialogue at its end."""
    first: int
    """Before the last token of the shortest opening: from there on logits are made."""
    patches: int | None
    """Patches of the pictures of a dialogue; None where there are none, or they are of no known kind."""


def memory_text(arguments: Any, name: str, *, device: str, autocast: bool, processes: int = 1, shards: int = 1) -> str:
    """Tell the memory that a run takes at most, beside what is free: a line, or the plan, or what makes it fit.

    It is an estimate that stops nothing: where it fails, the line says why. Chance is where it was. Raises NoModelError
    where there is no model to plan for.

    Args:
        arguments: those of a training script.
        name: the model that is loaded, the start or a checkpoint.
        device: where it is trained.
        autocast: whether it computes in bfloat16.
        processes: those of the run.
        shards: processes that share the weights.
    """
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=()):
            warnings.simplefilter("ignore")
            plan = plan_for(arguments, name, autocast=autocast, processes=processes, shards=shards)
            return shown(plan, _free(device, processes))
    except NoModelError:
        raise
    except Exception as error:  # of a configuration, a processor, a template, a driver: each has a kind of its own
        return f"memory: no plan ({first_line(error)})"


def shown(plan: MemoryPlan, available: int) -> str:
    """Tell a plan: in one line if it takes little of what is free, else part by part, with advice if it is too much."""
    line = f"memory: at most {readable(plan.peak)} of {readable(available)} free, in {plan.fullest}"
    if plan.peak <= SMALL * available:
        return line
    if plan.fits(available):
        return f"{line}\n{plan}"
    return "\n".join([str(plan), f"warning: this may not fit; {line}; enough, each alone:", *plan.advice(available)])


def plan_for(arguments: Any, name: str, *, autocast: bool, processes: int = 1, shards: int = 1) -> MemoryPlan:
    """Return the plan of a run of examples/sft.py or examples/ppo.py, of which the latter's arguments have attempts.

    Arguments of other scripts are read as those of the one that they are like. With ``longest`` they give the dialogues
    to look at themselves, as demonstrations.

    Raises what reading the model's files and dealing raise.
    """
    adapter, base = adapter_and_base(name)
    config, tokenizer, reader = readers(base)
    model = without_weights(config)
    if model.generation_config.eos_token_id is None:
        model.generation_config.eos_token_id = tokenizer.eos_token_id
    plays = hasattr(arguments, "attempts")
    policy = HuggingFacePolicy(model, tokenizer, processor=None if reader is tokenizer else reader)
    lengths = measured(policy, list((_played if plays else _demonstrated)(policy, arguments)))
    own = -(-(arguments.minibatch if plays else arguments.batch) // processes)  # sequences of an optimiser step
    rows = min(arguments.micro_batch, own)
    compares = arguments.kl_coef > 0 or (arguments.advantage == "critic" if plays else arguments.teacher == "start")
    rank = adapter.get("r", arguments.lora)
    start_is_under = rank and not kept_in(path_of(arguments.model), "adapter_config.json")
    sampled = min(arguments.batch, -(-arguments.episodes // processes)) if plays else 1
    cached = lengths.longest * plays
    if not plays and arguments.teacher != "expert":
        sampled, cached = min(own, 512), lengths.longest + arguments.max_new_tokens
    return MemoryPlan(
        Shape.of_model(model),
        "ppo" if plays else "sft",
        tokens=rows * lengths.longest,
        scored_tokens=rows * (lengths.longest - lengths.first) if policy.cuts_logits else None,
        micro_batch=rows,
        cached_tokens=sampled * cached,
        batch=sampled,
        weights=arguments.dtype,
        autocast=autocast,
        optimiser=arguments.optimiser,
        lora=rank,
        checkpointing=arguments.gradient_checkpointing,
        shards=shards,
        start=(bool(arguments.probes) or compares) and not start_is_under,
        priced=arguments.kl_coef > 0 and not plays,
        copied=processes > 1 and shards == 1,
        accumulates=own > rows,
        patches=lengths.patches,
    )


def measured(policy: HuggingFacePolicy, dialogues: list[Rollout]) -> Lengths:
    """Return how long dialogues are in which ``acted`` says what is sampled."""
    patches = [patches_in(one.ids.vision, policy.model.config) for one in dialogues]
    return Lengths(
        longest=max(len(one.ids) for one in dialogues),
        first=min(one.acted.index(1) for one in dialogues) - 1,
        patches=max((count for count in patches if count is not None), default=None),
    )


def patches_in(vision: dict[str, Any], config: Any) -> int | None:
    """Return the patches of what a processor made of a dialogue's pictures, tiles and filling included."""
    pixels = next((one for name, one in vision.items() if name.startswith("pixel_values") and one.ndim > 1), None)
    side = getattr(getattr(config, "vision_config", None), "patch_size", None)
    side = side[-1] if isinstance(side, list | tuple) else side
    if pixels is None or (pixels.ndim > 3 and not side):
        return None
    if pixels.ndim > 3:  # (..., channels, height, width)
        return int(prod(pixels.shape[:-3]) * (pixels.shape[-2] // side) * (pixels.shape[-1] // side))
    return int(prod(pixels.shape[:-1]))  # (..., patches, values of a patch)


def _demonstrated(policy: HuggingFacePolicy, arguments: Any) -> Iterator[Rollout]:
    """Yield demonstrations as sft.py deals them, or the longest of its file."""
    if hasattr(arguments, "longest"):
        rows = arguments.longest(DEALT)
    elif arguments.data:
        rows = nlargest(DEALT, read_demonstrations(arguments.data), key=lambda row: len(str(row)))
    else:
        make = {"split": arguments.split, "steps": arguments.steps, **read_settings(arguments.settings)}
        rows = list(demonstrations(arguments.env, arguments.kind, DEALT, seed=arguments.seed, **make))
    for row in rows:
        yield Rollout.demonstrated(policy, row)


def _played(policy: HuggingFacePolicy, arguments: Any) -> Iterator[Rollout]:
    """Yield episodes as ppo.py plays them, in which every response is the longest there may be, and says nothing."""
    settings = {"split": arguments.split, "attempts": arguments.attempts, **read_settings(arguments.settings)}
    env = gym.make(arguments.env, disable_env_checker=True, **settings)
    for seed in range(arguments.seed, arguments.seed + DEALT):
        env.reset(seed=seed)
        episode = Episode.of(env)
        rollout = Rollout(policy.opening(with_pictures(episode.messages, episode.pictures)))
        while not episode.is_over:
            rollout.respond([0] * arguments.max_new_tokens, [0.0] * arguments.max_new_tokens, 0.0, "")
            if arguments.attempts == 1:
                break  # which it is of single answers; nothing is judged where a reward model takes the program's place
            episode.answer("")
            if not episode.is_over:
                rollout.ids += policy.continuation(episode.messages, [])
        yield rollout
    env.close()


def _free(device: str, processes: int) -> int:
    """Bytes that are free for a process; those of a machine share its own memory."""
    beside = 1 if device.startswith("cuda") else int(os.environ.get("LOCAL_WORLD_SIZE", processes))
    return available_memory(device) // max(1, beside)
