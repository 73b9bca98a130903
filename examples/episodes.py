"""Episodes to train on, and who pays for them: the program, or a reward model that takes its place.

With a reward model an episode is one answer, paid at its end by its score. The program judges none: what was said goes
to <out>/responses.jsonl, whose lines are rows, for another process to judge: verienv verify FILE --by update.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asking import Questions, answered
from model import Learner
from run import Run
from sampling import Reward, divergence, roll_out, seeds_of, summary
from scoring import Scorer, checkpoint_of
from verienv.core.dialogue import Message
from verienv.core.make import make_env
from verienv.policies import Sampling
from verienv.policies.hugging_face.batch import Batch, Rollout
from verienv.policies.hugging_face.finite import demand_finite
from verienv.policies.hugging_face.policy import evaluating
from verienv.policies.hugging_face.sharding import whole
from verienv.policies.hugging_face.tokens import Tokens


class Judged:
    """Episodes that the program judges: answers are paid by ``reward``, and wrong ones get feedback."""

    cost = 0.0  # FLOPs of paying for the newest episodes

    def __init__(self, learner: Learner, run: Run, make: dict[str, Any], reward: Reward) -> None:
        self.learner, self.arguments, self.reward = learner, run.arguments, reward
        self.envs = [make_env(run.arguments.env, **make) for _ in learner.team.share(range(run.arguments.episodes))]

    def play(self, update: int) -> list[Rollout]:
        """Play this process's share of the episodes of an update."""
        seeds = self.learner.team.share(seeds_of(update, self.arguments))
        return roll_out(self.learner, self.envs, seeds, self.arguments, self.reward)

    def told(self, rollouts: Sequence[Rollout]) -> dict[str, Any]:
        """Count what the policy did in all processes."""
        return summary(self.learner.team, rollouts, self.envs[0].measures.failures)

    def measured(self) -> dict[str, float]:
        """Measure a policy that is about to be saved, beside what its run measures."""
        return {}


class Scored:
    """Episodes of one answer that a reward model pays for; nothing here knows which answers are right."""

    def __init__(self, learner: Learner, run: Run, make: dict[str, Any]) -> None:
        self.learner, self.arguments, self.make, self.cost = learner, run.arguments, make, 0.0
        given, team = self.arguments, learner.team
        self.scorer = Scorer.load(given.reward, team.device, given.batch, learner.half)
        self.questions = Questions(given.env, **make)
        self.path, self.newest = run.out / "responses.jsonl", list[dict[str, Any]]()
        if team.main:
            run.cut_file(self.path.name, run.update * given.episodes)

    def play(self, update: int) -> list[Rollout]:
        """Play this process's share of an update, pay, and write what was said. Raises NotFinite as ``roll_out``."""
        policy, team, scorer = self.learner.policy, self.learner.team, self.scorer
        seeds = team.share(seeds_of(update, self.arguments))
        asked = {seed: self.questions.ask(seed) for seed in dict.fromkeys(seeds)}  # one for all that have its seed
        openings = {seed: policy.opening(dialogue) for seed, (_, dialogue) in asked.items()}
        rollouts = [Rollout(Tokens(openings[seed], openings[seed].vision)) for seed in seeds]
        plain = lambda: Batch.of(rollouts, policy).plain()  # noqa: E731
        demand_finite(team.gathered, plain, {"log-probability of a sampled token": self._answer(rollouts)})
        lines, dialogues, before = list[dict[str, Any]](), list[list[Message]](), scorer.read_tokens
        for seed, rollout in zip(seeds, rollouts, strict=True):
            text, dialogue = answered(asked[seed], policy.text(rollout.ids[len(openings[seed]) :]))
            ended = rollout.ids[-1] in policy.stops
            dialogues.append(dialogue)
            lines.append({"update": update + 1, **asked[seed][0], "response": text, "ended": ended})
        scores = scorer(dialogues, [line["ended"] for line in lines]).tolist()
        self.cost = 2.0 * scorer.size * team.total(scorer.read_tokens - before)
        demand_finite(team.gathered, plain, {"reward": scores})
        for rollout, line, score in zip(rollouts, lines, scores, strict=True):
            rollout.rewards[-1] = line["score"] = score
        self.newest = [line for some in team.gathered(lines) for line in some]
        if team.main:
            with self.path.open("a") as file:
                file.writelines(json.dumps(line) + "\n" for line in self.newest)
        return rollouts

    def told(self, _: Sequence[Rollout]) -> dict[str, Any]:
        """Tell the mean score of the newest episodes and the share cut off: all that is known without the program."""
        scores, ended = ([line[name] for line in self.newest] for name in ("score", "ended"))
        return {"proxy_reward": float(np.mean(scores)), "cut_off": 1 - float(np.mean(ended)), "attempts": 1.0}

    def measured(self) -> dict[str, float]:
        """Return the divergence from the start on questions of the test side, as ``probe`` does, and leave chance."""
        if not self.arguments.probes:
            return {}
        policy, given = self.learner.policy, self.arguments
        side = "test" if "test" in self.questions.env.splits else given.split
        held_out = Questions(given.env, **{**self.make, "split": side})
        prompts = [policy.opening(held_out.ask(seed)[1]) for seed in range(2026, 2026 + given.probes)]
        with torch.no_grad(), evaluating(policy.model), torch.random.fork_rng(policy.chances):
            torch.manual_seed(0)
            with whole(policy.model):
                said, _ = policy.sample(prompts, 1.0)
            return {"held_out_kl": divergence(policy, self.learner.start, prompts, said, given.micro_batch)}

    def _answer(self, rollouts: Sequence[Rollout]) -> float:
        """Let the policy answer, in batches; return NaN where its log-probabilities are broken, else 0."""
        policy, given = self.learner.policy, self.arguments
        with evaluating(policy.model), whole(policy.model):
            for start in range(0, len(rollouts), given.batch):
                part = rollouts[start : start + given.batch]
                try:
                    said = policy.sample([one.ids for one in part], Sampling(given.temperature, given.top_p))
                except FloatingPointError:
                    return float("nan")
                for rollout, response, logprobs in zip(part, *said, strict=True):
                    rollout.respond(response, logprobs, 0.0, "")
        return 0.0


def payer(arguments: Any) -> Path | None:
    """Return the folder of the reward model that pays, None for the program. Raises ValueError where it cannot pay."""
    if arguments.reward is None:
        return None
    if arguments.attempts != 1:
        told = (
            "a reward model pays for one answer, and feedback on a wrong one would be the program's; give --attempts 1"
        )
        raise ValueError(f"--attempts {arguments.attempts} with --reward: {told}")
    if arguments.held_out:
        raise ValueError(
            "--held-out with --reward: demonstrations are the program's; leave it out, --probes asks alone"
        )
    return checkpoint_of(arguments.reward)
