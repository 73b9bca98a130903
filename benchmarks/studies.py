"""Speed of a study's runs, as ratios to what its floating-point operations cost in torch alone, in one process.

python benchmarks/studies.py [--check] [--rounds 5]

Updates and evaluations of the main study in words, from the start that is shipped, at its own sizes. The other side is
the same model on the same tokens without anything around it: no dealing, no text, no verdicts, no log. It reads and
samples as many tokens in batches of the same shape, with transformers' cache, and takes the same optimiser steps. Times
are microseconds a demonstration, an answer, an episode. With ``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import DynamicCache

from race import Row, race, report

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import ppo
import sft
from distributed import ALONE
from model import Learner
from sampling import roll_out, seeds_of
from study_files import read_study
from study_plan import Job, Study, arguments_of
from verienv import demonstrations
from verienv.evaluation import evaluate
from verienv.policies import Sampling
from verienv.policies.hugging_face.batch import Batch, Rollout

START, EPISODES, MOST = "gp-arithmetic", 512, 2.0


def arguments_for(study: Study, arm: str) -> Any:
    """Return the arguments of an arm's run, at a rate that leaves the model as it is."""
    return replace(arguments_of(study, Job(START, arm, 3e-4, 0), START, Path("runs"), "cpu"), learning_rate=1e-9)


def learner_of(arguments: Any) -> Learner:
    with redirect_stdout(None):
        return Learner(arguments, ALONE, arguments.model)


class Bare:
    """The model alone: optimiser steps on given tokens, and sampling of as many."""

    def __init__(self, learner: Learner) -> None:
        self.model = learner.policy.model
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-9)

    def step(self, ids: Tensor, answers: int) -> None:
        """An optimiser step on rows of tokens, the last ``answers`` of each being learned."""
        logits = self.model(input_ids=ids, logits_to_keep=answers + 1, use_cache=False).logits[:, :-1]
        cross_entropy(logits.flatten(0, 1), ids[:, -answers:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()

    @torch.inference_mode()
    def sample(self, ids: Tensor, answers: int) -> None:
        """Sample so many tokens after each row."""
        cache, new = DynamicCache(config=self.model.config), ids
        for _ in range(answers):
            logits = self.model(input_ids=new, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
            new = logits.softmax(-1).multinomial(1)


def shape_of(learner: Learner, study: Study, n: int) -> tuple[Tensor, int]:
    """Return rows of tokens of the study's questions and answers, cut to one length, and the tokens of an answer."""
    rows = demonstrations(study.env, n=n, seed=1, **study.settings)
    rollouts = [Rollout.demonstrated(learner.policy, row) for row in rows]
    answers = sorted(sum(one.acted) for one in rollouts)[n // 2]
    length = sorted(len(one.ids) for one in rollouts)[n // 2]
    ids = [(one.ids + [0] * length)[:length] for one in rollouts]
    return torch.tensor(ids), answers


def an_sft_update(rounds: int) -> Sequence[Row]:
    study = read_study("words", starts=(START,))
    arguments = arguments_for(study, "sft")
    learner = learner_of(arguments)
    bare, (ids, answers) = Bare(learner), shape_of(learner, study, arguments.batch)
    _, deal = sft.dealt(arguments, {"attempts": 1})

    def ours(update: int) -> None:
        batch = Batch.of([Rollout.demonstrated(learner.policy, row) for row in deal(update)], learner.policy)
        sft.sft_update(learner, batch, 1e-9)

    pair = race(rounds, ours, lambda _: bare.step(ids, answers), lambda number: ([number] * 4, [number] * 4))
    return [Row("SFT, a demonstration", *(one / arguments.batch for one in pair), most=MOST)]


def an_rl_update(rounds: int) -> Sequence[Row]:
    study = read_study("words", starts=(START,))
    arguments = arguments_for(study, "grpo")
    learner = learner_of(arguments)
    bare, (ids, answers) = Bare(learner), shape_of(learner, study, arguments.episodes)
    envs = [
        gym.make(arguments.env, disable_env_checker=True, attempts=1, rewards=arguments.rewards)
        for _ in range(arguments.episodes)
    ]
    asked = ids[:: arguments.group, : ids.shape[1] - answers].repeat_interleave(arguments.group, 0)

    def ours(update: int) -> None:
        batch = Batch.of(roll_out(learner, envs, seeds_of(update, arguments), arguments), learner.policy)
        ppo.ppo_update(learner, None, batch, arguments, 1e-9)

    def theirs(_: int) -> None:
        bare.sample(asked, answers)
        bare.step(ids, answers)

    pair = race(rounds, ours, theirs, lambda number: ([number], [number]))
    return [Row("RL, an answer", *(one / arguments.episodes for one in pair), most=MOST)]


def an_evaluation(rounds: int) -> Sequence[Row]:
    study = read_study("words", starts=(START,))
    learner = learner_of(arguments_for(study, "sft"))
    policy = learner.policy
    policy.sampling, policy.batch_size, policy.max_new_tokens = Sampling(1.0), study.batch, study.max_new_tokens
    bare, (ids, answers) = Bare(learner), shape_of(learner, study, EPISODES)
    cells = {"id": {**study.settings, "split": "train", "episodes": EPISODES}}

    def ours(seed: int) -> None:
        evaluate(policy, study.env, cells, seed=seed, batch_size=study.batch, progress=False)

    def theirs(_: int) -> None:
        bare.sample(ids[:, : ids.shape[1] - answers], answers)

    pair = race(rounds, ours, theirs, lambda number: ([number], [number]))
    return [Row("evaluation, an episode", *(one / EPISODES for one in pair), most=MOST)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(report(__doc__, [an_sft_update, an_rl_update, an_evaluation], rounds=5))
