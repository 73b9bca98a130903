"""Rollouts: a policy's episodes as dialogues of tokens and as tensors, and what a model makes of them.

Three things stay ours, since no trainer keeps all of them: a token's log-probability is the same in sampling and in
training; the tokens that stand for pictures are never said (verienv.policies); and a dialogue goes on from its tokens,
so that what is trained on is, token for token, what was sampled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

import verienv
from distributed import Team
from model import Learner
from verienv.core.dialogue import with_pictures
from verienv.core.make import make_env
from verienv.demos import demonstrations, opened, read_demonstrations
from verienv.policies import HuggingFacePolicy, Sampling
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.hugging_face.finite import demand_finite
from verienv.policies.hugging_face.policy import evaluating
from verienv.policies.hugging_face.prefix import PrefixCache
from verienv.policies.hugging_face.sharding import whole
from verienv.policies.hugging_face.tokens import Tokens

Reward = Callable[[verienv.Episode, verienv.Verdict], float]


def verdict_reward(episode: verienv.Episode, verdict: verienv.Verdict) -> float:
    """Return the price of a verdict: the reward source of these environments. Another one takes its place."""
    return verdict.reward


def kl_of(batch: Batch, at_start: Tensor) -> Tensor:
    """Return an estimate of the divergence from the start at each sampled token: the log-ratio (k1)."""
    return (batch.logprobs - at_start) * batch.acted


def roll_out(
    learner: Learner, envs: Sequence[Any], seeds: Sequence[int], arguments: Any, reward: Reward = verdict_reward
) -> list[Rollout]:
    """Play one episode of each environment; the unfinished ones are sampled together, in batches.

    Raises NotFinite, in all processes, for a reward or a sampled token's log-probability that is not finite in any.
    """
    policy, how = learner.policy, Sampling(arguments.temperature, arguments.top_p)
    dialogues, openings = list[verienv.Episode](), dict[int, Tokens]()  # one opening for all that have its seed
    rollouts, broken = list[Rollout](), list[Rollout]()
    for env, seed in zip(envs, seeds, strict=True):
        env.reset(seed=int(seed))
        dialogues.append(verienv.Episode.of(env))
        if seed not in openings:
            openings[seed] = policy.opening(with_pictures(dialogues[-1].messages, dialogues[-1].pictures))
        rollouts.append(Rollout(Tokens(openings[seed], openings[seed].vision)))
    unfinished, kept = list(range(len(envs))), PrefixCache(policy)
    with evaluating(policy.model), whole(policy.model):
        while unfinished and not broken:
            chosen, unfinished = unfinished[: arguments.batch], unfinished[arguments.batch :]
            try:
                responses, logprobs = policy.sample([rollouts[i].ids for i in chosen], how, kept)
            except FloatingPointError:
                broken = [rollouts[i] for i in chosen]
                continue
            for i, response, scores in zip(chosen, responses, logprobs, strict=True):
                dialogue, rollout = dialogues[i], rollouts[i]
                verdict = dialogue.answer(policy.text(response))
                rollout.respond(response, scores, reward(dialogue, verdict), verdict.failure)
                if len(rollout.failures) == 1:
                    rollout.recognised = verdict.metrics.get(dialogue.measures.recognition)
                if not dialogue.is_over:
                    rollout.ids += policy.continuation(dialogue.messages, response)
                    unfinished.append(i)
    said, paid = float("nan") if broken else 0.0, [paid for rollout in rollouts for paid in rollout.rewards]
    numbers = {"log-probability of a sampled token": said, "reward": paid}
    demand_finite(learner.team.gathered, lambda: Batch.of(broken or rollouts, policy).plain(), numbers)
    return rollouts


def held_out(arguments: Any, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return demonstrations to measure checkpoints on: of a file, of the test side, or else of the split trained on."""
    if arguments.held_out:
        return [opened(row) for row in read_demonstrations(arguments.held_out)[: arguments.probes]]
    split = "test" if "test" in make_env(arguments.env).splits else arguments.split
    make = {**settings, "n": arguments.probes, "seed": 2026, "split": split}
    return list(demonstrations(arguments.env, **make)) if arguments.probes else []


def probe(learner: Learner, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Measure a checkpoint on demonstrations that it is not trained on, and leave chance where it was.

    ``held_out_loss`` is in nats a token, ``held_out_kl`` the ``divergence`` of responses sampled to their questions.
    """
    policy, size = learner.policy, learner.arguments.micro_batch
    shown = [Rollout.demonstrated(policy, row) for row in rows]
    with torch.no_grad(), evaluating(policy.model), torch.random.fork_rng(policy.chances):
        torch.manual_seed(0)
        batch, loss = Batch.of(shown, policy), 0.0
        for _, few in batch.parts(size):
            loss -= float((read(policy, policy.model, few).logprobs * few.acted).sum())
        with whole(policy.model):
            prompts = [Tokens(one.ids[: one.acted.index(1)], one.ids.vision) for one in shown]
            said, _ = policy.sample(prompts, 1.0)
        kl = divergence(policy, learner.start, prompts, said, size)
    return {"held_out_loss": loss / float(batch.acted.sum()), "held_out_kl": kl}


def divergence(
    policy: HuggingFacePolicy, start: Callable[[], Any], prompts: Sequence[Tokens], said: Sequence[list[int]], size: int
) -> float:
    """Return KL(policy || what ``start`` enters) in nats a response, exact at every token that the policy sampled."""
    rollouts = [Rollout(Tokens(prompt, prompt.vision)) for prompt in prompts]
    for rollout, response in zip(rollouts, said, strict=True):
        rollout.respond(response, [0.0] * len(response), 0.0, "")
    total = 0.0
    for _, few in Batch.of(rollouts, policy).parts(size):
        ours = read(policy, policy.model, few).scores.log_softmax(-1)
        with start() as model:  # which may be the policy's own, its adapter off
            theirs = read(policy, model, few).scores.log_softmax(-1)
        total += float(((ours.exp() * (ours - theirs)).sum(-1) * few.acted[:, -ours.shape[1] :]).sum())
    return total / len(rollouts)


def summary(team: Team, rollouts: Sequence[Rollout], kinds: Sequence[str] = ()) -> dict[str, Any]:
    """Count what the policy did in all processes, before the update: its failures of all kinds that there are."""
    played = team.gathered([replace(rollout, ids=Tokens()) for rollout in rollouts])  # without their pictures
    rollouts = [rollout for some in played for rollout in some]
    attempts = [failure for rollout in rollouts for failure in rollout.failures]
    recognised = [rollout.recognised for rollout in rollouts if rollout.recognised is not None]
    return {
        "reward": float(np.mean([sum(rollout.rewards) for rollout in rollouts])),
        "success": float(np.mean([rollout.failures[-1] == "" for rollout in rollouts])),
        "first_attempt": float(np.mean([rollout.failures[0] == "" for rollout in rollouts])),
        "attempts": len(attempts) / len(rollouts),
        "failures": dict.fromkeys(kinds, 0) | dict(Counter(failure for failure in attempts if failure)),
        **({"recognition": float(np.mean(recognised))} if recognised else {}),
    }


def seeds_of(update: int, arguments: Any) -> list[int]:
    """Return the seeds of an update's episodes, the same whenever the run is resumed; those of a group are one seed."""
    group = arguments.group if arguments.advantage == "group" else 1
    seeds = np.random.SeedSequence([arguments.seed, update]).generate_state(arguments.episodes // group)
    return [int(seed) for seed in seeds.repeat(group)]
