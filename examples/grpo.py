"""GRPO by TRL's GRPOTrainer on a program's reward, in the game of examples/ppo.py: several attempts, with feedback.

    python examples/grpo.py --model tiny-lm --out runs/grpo-trl
    python examples/grpo.py --model gp-arithmetic --attempts 1 --group 16 --out runs/grpo-trl
    python examples/grpo.py --env verienv/VIRL-L-v0 -s episode=waypoint --model runs/sft/checkpoint-00040
    python examples/grpo.py --env verienv/GeneralPoints-VL-v0 --model tiny-vlm --attempts 1 --out runs/grpo-vision

An update plays --episodes, a --group of each question, and takes one step on them. TRL is given whole episodes
(rollout_func), in which the tokens of the responses are trained on and those of the feedback are not (env_mask); the
advantage, its loss (dapo, a mean over tokens) and the step are TRL's. `ppo.py --advantage group` is our own, and takes
several processes. The same command continues an interrupted run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

import gymnasium as gym
import torch
import tyro

import command_line as cli
from run import Run
from sampling import held_out, roll_out, seeds_of, summary
from trl_runs import Bridge, alone, settings_of_trl
from verienv import Episode
from verienv.core.dialogue import images_of
from verienv.core.make import full_id
from verienv.policies.hugging_face.batch import Rollout
from verienv.policies.hugging_face.checkpoint import path_of


@dataclass
class Arguments(cli.Training):
    """Arguments of GRPO, beside those of all training."""

    out: Path = Path("runs/grpo")
    attempts: cli.Attempts = 5  # Responses allowed to one question.
    rewards: str = "paper"
    """The price of each verdict: a preset's name, a table as JSON, or module:name, as for examples/ppo.py."""
    group: Annotated[int, cli.Bounds(2, 100_000)] = 8  # Episodes of one question.
    group_scale: Literal["std", "none"] = "std"  # Divisor of a group's advantages; none is Dr. GRPO (arXiv 2503.20783).
    episodes: cli.Size = 128  # Episodes an update, which is one optimiser step.
    batch: cli.Size = 128  # Dialogues that are sampled together.
    clip_range: cli.Clip = 0.2  # A token's ratio of probabilities is clipped to 1 - this and 1 + this.
    beta: cli.Weight = 0.0
    """Weight of the KL to the start in the loss (the estimate k3, a token); 0 reads no start in training."""
    gamma: cli.Share = 0.9  # Discount of a reward from one attempt to the one before it.
    temperature: cli.Temperature = 1.0  # Temperature at which the policy samples.
    top_p: cli.Positive = 1.0
    """Sample from the likeliest tokens that hold this probability; ratios are those of the whole distribution."""
    max_new_tokens: cli.Length = 48  # The longest response.
    weight_decay: cli.Weight = 0.0  # Weight decay of AdamW.
    advantage = "group"

    minibatch = property(lambda self: self.episodes)  # by its name in examples/ppo.py, as is kl_coef: whether the start
    kl_coef = property(lambda self: self.beta)  # is read in training


def questions(
    arguments: Arguments, update: int, env: gym.Env[Any, Any], times: int, _: Any
) -> Iterator[list[dict[str, Any]]]:
    """Yield what is asked in each update from one on, so many times: a row an episode, those of a group alike."""
    for number in count(update):
        rows, seeds = dict[int, dict[str, Any]](), seeds_of(number, arguments)
        for seed in dict.fromkeys(seeds):
            env.reset(seed=seed)
            episode = Episode.of(env)
            shown = {"images": images_of(episode.pictures)} if episode.pictures else {}
            rows[seed] = {"prompt": episode.messages, **shown}
        for _ in range(times):
            yield [dict(rows[seed]) for seed in seeds]


def as_trl_reads(rollouts: list[Rollout], gamma: float) -> dict[str, list[Any]]:
    """Return episodes as TRL reads them: from the first response on all is completion, and ``env_mask`` says whose."""
    first = [one.acted.index(1) for one in rollouts]
    paid = [[reward for reward, end in zip(one.rewards, one.ends, strict=True) if end] for one in rollouts]
    return {
        "prompt_ids": [list(one.ids[:at]) for one, at in zip(rollouts, first, strict=True)],
        "completion_ids": [list(one.ids[at:]) for one, at in zip(rollouts, first, strict=True)],
        "logprobs": [one.logprobs[at:] for one, at in zip(rollouts, first, strict=True)],
        "env_mask": [one.acted[at:] for one, at in zip(rollouts, first, strict=True)],
        "paid": [sum(reward * gamma**attempt for attempt, reward in enumerate(each)) for each in paid],
    }


def price(paid: list[float], **_: Any) -> list[float]:
    """Pay what the program paid for an episode: TRL's reward function."""
    return paid


def fed(part: dict[str, Any]) -> tuple[dict[str, Any], torch.Tensor]:
    """Return with what TRL calls the model for a part of an update, and 1 at the tokens that are trained on."""
    ids, mask = (torch.cat([part[f"prompt_{name}"], part[f"completion_{name}"]], 1) for name in ("ids", "mask"))
    seen = {name: part[name] for name in part if name.startswith(("pixel", "image", "spatial", "mm_", "token_type"))}
    asked = torch.cat([torch.zeros_like(part["prompt_mask"]), part["completion_mask"] * part["tool_mask"]], 1)
    return {"input_ids": ids, "attention_mask": mask, **seen}, asked


def game(arguments: Arguments) -> dict[str, Any]:
    """Return the settings of TRL's that are GRPO's own."""
    return {
        "num_generations": arguments.group, "scale_rewards": "group" if arguments.group_scale == "std" else "none",
        "epsilon": arguments.clip_range, "beta": arguments.beta, "temperature": arguments.temperature,
        "loss_type": "dapo", "num_iterations": 1, "max_completion_length": arguments.max_new_tokens,
    }  # fmt: skip


@cli.enough_memory(
    "lower --micro-batch (episodes in memory when training) or --batch (dialogues when sampling), or give "
    "--gradient-checkpointing, --lora 16 or --dtype bfloat16"
)
def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    cli.check(arguments)
    arguments = replace(arguments, env=full_id(arguments.env))
    make = {"split": arguments.split, "attempts": arguments.attempts, "rewards": cli.rewards_of(arguments)}
    make |= cli.settings_of(arguments, make)
    team = alone(arguments)
    try:
        from datasets import Dataset
        from trl import GRPOConfig, GRPOTrainer
    except ImportError:
        raise ValueError('GRPOTrainer is TRL\'s, which is missing: pip install "verienv[preferences]"') from None
    if arguments.beta and arguments.lora:
        raise ValueError("--beta with --lora: TRL would lose the start of a run that goes on; take ppo.py --kl-coef")
    if arguments.episodes % arguments.group:
        raise ValueError(f"--episodes {arguments.episodes}: expected a multiple of --group {arguments.group}")
    run = Run(arguments.out, arguments, team=team, probes=held_out(arguments, make))
    if run.finished:
        return run
    learner = run.learner()
    policy = learner.policy
    envs = [gym.make(arguments.env, disable_env_checker=True, **make) for _ in range(arguments.episodes)]
    played = list[Rollout]()

    def play(prompts: Any, trainer: Any) -> dict[str, list[Any]]:
        before = policy.generated_tokens
        played[:] = roll_out(learner, envs, seeds_of(run.update, arguments), arguments)
        bridge.sampled += policy.generated_tokens - before
        return as_trl_reads(played, arguments.gamma)

    def told(logs: dict[str, float]) -> dict[str, Any]:
        names = {"entropy": "entropy", "alike_groups": "frac_reward_zero_std", "kl": "kl"}
        return summary(run.team, played, envs[0].unwrapped.measures.failures) | {
            name: logs[theirs] for name, theirs in names.items() if theirs in logs
        }

    settings = settings_of_trl(arguments, learner, arguments.episodes, arguments.micro_batch) | game(arguments)
    batches = partial(questions, arguments, run.update, envs[0], settings["gradient_accumulation_steps"])
    shape = Dataset.from_list(
        [{"prompt": [{"role": "user", "content": "-"}]}]
    )  # TRL looks at it, and trains on batches
    given = {"reward_funcs": price, "rollout_func": play, "train_dataset": shape}
    bridge = Bridge(run, learner, 6.0 + 2.0 * (arguments.beta > 0), told, fed)
    policy.model.config._name_or_path = path_of(arguments.model)  # from where TRL takes the start
    bridge.train(GRPOTrainer, GRPOConfig, settings, batches, **given)
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        train(given).tell()
