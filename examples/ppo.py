"""PPO on a program's reward, with sequential revision: after a wrong answer the policy is asked again.

    python examples/ppo.py --model tiny-lm --out runs/ppo
    python examples/ppo.py --model runs/sft/checkpoint-00040 --learning-rate 1e-6 --temperature 0.7 --out runs/ppo
    python examples/ppo.py --model tiny-vlm --env verienv/GeneralPoints-VL-v0 --out runs/ppo-vision
    python examples/ppo.py --advantage group --group 8 --out runs/grpo
    python examples/ppo.py --reward runs/reward --attempts 1 --out runs/rlhf    # the program judges nothing
    accelerate launch --multi_gpu --num_processes 2 examples/ppo.py --out runs/ppo    # on two devices

An episode is one dialogue: question, response, feedback, response, ... until a correct one or the last attempt. It is
trained on as one sequence, whose actions are the tokens of the responses. Within a response gamma is 1 and lambda
--token-gae-lambda; from one attempt to the next they are --gamma and --gae-lambda (arXiv 2501.17161). With vision the
picture stands in the first turn. After examples/sft.py on the same environment this is the ReFT recipe (arXiv
2401.08967). The same command continues an interrupted run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Literal

import torch
import tyro
from torch import Tensor, nn

import command_line as cli
from distributed import ALONE, Team
from episodes import Judged, Scored, payer
from model import Learner
from run import Run
from sampling import Reward, held_out, kl_of, verdict_reward
from verienv.core.make import full_id
from verienv.policies.hugging_face.batch import Batch, read
from verienv.policies.hugging_face.finite import are_finite, demand_finite
from verienv.policies.hugging_face.sharding import whole


@dataclass
class Arguments(cli.Training):
    """Arguments of PPO, beside those of all training."""

    out: Path = Path("runs/ppo")
    attempts: cli.Attempts = 5  # Responses allowed to one question (the paper's verification iterations).
    rewards: str = "paper"
    """The price of each verdict: paper, binary, binary_format, partial, paper_code or, in GeneralPoints, first_fault; a
    table as JSON; or module:name, a function of one's own."""
    reward: cli.File = None  # Folder of a reward model (reward.py), which pays for one answer in the program's place.
    advantage: Literal["critic", "group"] = "critic"
    """Advantage over a critic (PPO), or over the other episodes of the same question (GRPO, arXiv 2402.03300)."""
    group: cli.Size = 8  # Episodes of one question, with --advantage group.
    group_scale: Literal["std", "none"] = "std"  # Divisor of a group's advantages; none is Dr. GRPO (arXiv 2503.20783).
    episodes: cli.Size = 128  # Episodes an update.
    batch: cli.Size = 128  # Dialogues that are sampled together, on a device.
    minibatch: cli.Size = 64  # Episodes an optimiser step.
    epochs: cli.Count = 1  # Passes over the episodes of an update.
    clip_range: cli.Clip = 0.2  # A token's ratio of probabilities is clipped to 1 - this and 1 + this.
    kl_coef: cli.Weight = 0.0  # Price of the KL to the start, a token; 0 only logs it, with a critic.
    gamma: cli.Share = 0.9  # Discount of a reward from one attempt to the one before it.
    gae_lambda: cli.Share = 0.95  # Lambda of generalised advantages from one attempt to the next.
    token_gae_lambda: cli.Share = 0.95  # Their lambda from token to token within a response.
    critic_learning_rate: cli.Rate = 3e-3  # Learning rate of the critic, a small network of its own.
    critic_passes: cli.Count = 8  # Passes of the critic over the hidden states of an update, which are at hand.
    temperature: cli.Temperature = 1.0  # Temperature at which the policy samples.
    top_p: cli.Positive = 1.0  # Sample from the likeliest tokens of this probability; ratios are of all tokens.
    max_new_tokens: cli.Length = 48  # The longest response.


class Critic(nn.Module):
    """A value for every sampled token, read from what the policy knows before it, which it does not train."""

    def __init__(self, width: int, learning_rate: float) -> None:
        super().__init__()
        self.width = width + 3
        self.head = nn.Sequential(nn.LayerNorm(self.width), nn.Linear(self.width, 128), nn.Tanh(), nn.Linear(128, 1))
        nn.init.zeros_(self.head[-1].weight)
        self.optimiser = torch.optim.AdamW(self.parameters(), lr=learning_rate)

    def forward(self, known: Tensor) -> Tensor:
        return self.head(known).squeeze(-1)

    def fit(self, known: Tensor, returns: Tensor, passes: int, rows: int = 1024, team: Team = ALONE) -> float:
        """Least squares on positions (n, width) and their returns (n,); the mean squared error of the first pass.

        The positions of all processes are fitted as one set, so that the critic is the same in each.
        """
        before, places = 0.0, team.total(len(known))
        for turn in range(passes):
            for part, size in team.shuffled(len(known), rows):
                part = part.to(known.device)
                loss = (self(known[part]) - returns[part]).square().sum() / size
                self.optimiser.zero_grad()
                loss.backward()
                team.sum_gradients(list(self.parameters()))
                self.optimiser.step()
                before += loss.item() * size / places * (turn == 0)
        return float(team.total(before))


def critic_advantages(
    batch: Batch, rewards: Tensor, values: Tensor, gamma: float, gae_lambda: float, token_gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantages and returns of the sampled tokens, 0 elsewhere; an episode is one row, so none leaks."""
    advantages = torch.zeros_like(values)
    following, running = torch.zeros_like(values[:, 0]), torch.zeros_like(values[:, 0])
    for t in reversed(range(values.shape[1])):
        end, acted = batch.ends[:, t] > 0, batch.acted[:, t] > 0
        discount = torch.ones_like(running).masked_fill(end, gamma)
        decay = torch.full_like(running, token_gae_lambda).masked_fill(end, gae_lambda)
        advantage = rewards[:, t] + discount * following - values[:, t] + discount * decay * running
        running = torch.where(acted, advantage, running)
        following = torch.where(acted, values[:, t], following)
        advantages[:, t] = torch.where(acted, advantage, 0.0)
    return advantages, (advantages + values) * batch.acted


def group_advantages(batch: Batch, rewards: Tensor, group: int, gamma: float, scale: str = "std") -> Tensor:
    """The discounted return of an episode against those of its group, rows that follow one another, at each token."""
    attempt = batch.ends.cumsum(1) - batch.ends  # attempts before each token
    returns = (rewards * gamma**attempt).sum(1).view(-1, group)
    alike = (returns == returns[:, :1]).all(1, keepdim=True)  # 0 then, not what rounding leaves, which Adam would scale
    centred = (returns - returns.mean(1, keepdim=True)).masked_fill(alike, 0.0)
    spread = returns.std(1, keepdim=True, correction=0) + 1e-4 if scale == "std" else 1.0
    return (centred / spread).view(-1, 1) * batch.acted


def clipped_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, acted: Tensor, clip_range: float
) -> tuple[Tensor, Tensor]:
    """PPO's policy loss, summed over sampled tokens, and the number of ratios that the clip held."""
    ratio = (logprobs - old_logprobs).exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1 - clip_range, 1 + clip_range) * advantages)
    held = ((ratio - 1).abs() > clip_range).float()
    return -(gain * acted).sum(), (held * acted).sum()


def ppo_update(
    learner: Learner, critic: Critic | None, batch: Batch, arguments: Arguments, rate: float
) -> dict[str, float]:
    """All passes over one batch of episodes, this process's share; what to log of it.

    Raises NotFinite, in all processes, before a number that is not finite in one of them could reach the weights.
    """
    policy, team, size, temperature = learner.policy, learner.team, arguments.micro_batch, arguments.temperature
    acted, divergence, logged = batch.acted > 0, torch.zeros_like(batch.acted), dict[str, float]()
    compared = torch.arange(len(batch.ids), device=policy.device)
    if not arguments.kl_coef:  # then it is only reported, and a part of the episodes will do
        compared = compared[: size if critic else 0]
    if len(compared):
        with torch.no_grad(), learner.start() as start, whole(start):
            for index, few in batch.parts(size, compared):
                divergence[index, : few.acted.shape[1]] = kl_of(few, read(policy, start, few, temperature).logprobs)
        demand_finite(team.gathered, batch.plain, {"divergence from the start": divergence})
        logged["kl"] = float(team.summed(divergence.sum()) / team.summed(batch.ends[compared].sum()))
    rewards = batch.rewards - arguments.kl_coef * divergence  # the price of each token
    if critic:
        place = (acted.flatten().cumsum(0) - 1).view(acted.shape)
        known, values = torch.zeros(int(acted.sum()), critic.width, device=policy.device), torch.zeros_like(divergence)
        with torch.no_grad(), whole(policy.model):
            for index, few in batch.parts(size):
                at = place[index, : few.acted.shape[1]][few.acted > 0]
                known[at] = read(policy, policy.model, few, temperature).before(few.acted)
            values[acted] = critic(known)
        demand_finite(team.gathered, batch.plain, {"hidden state or log-probability of a token": known})
        advantages, returns = critic_advantages(
            batch, rewards, values, arguments.gamma, arguments.gae_lambda, arguments.token_gae_lambda
        )
        error = critic.fit(known, returns[acted], arguments.critic_passes, team=team)
        demand_finite(
            team.gathered, batch.plain, {"error of the critic": error, "critic": are_finite(critic.parameters())}
        )
        everywhere, returned, valued = (team.joined(one[acted]) for one in (advantages, returns, values))
        spread = everywhere.std(correction=min(1, len(everywhere) - 1))  # one token alone has none
        advantages = (advantages - everywhere.mean()) / spread.clamp(min=1e-6) * batch.acted
        explained = 1 - (returned - valued).var(correction=0) / returned.var(correction=0).clamp(min=1e-6)
        entropy = team.summed(known[:, -1].sum()) / team.summed(batch.acted.sum())  # the last of what is known
        logged |= {"value_loss": error, "explained_variance": explained.item(), "entropy": entropy.item()}
    else:
        advantages = group_advantages(batch, rewards, arguments.group, arguments.gamma, arguments.group_scale)
    sums: Counter[str] = Counter()
    norms = []
    for _ in range(arguments.epochs):
        for chosen, _ in team.shuffled(len(batch.ids), arguments.minibatch):
            chosen = chosen.to(policy.device)
            tokens = team.summed(batch.acted[chosen].sum())  # of the minibatch, in all processes
            for index, few in team.in_step(batch.parts(size, chosen), batch.nothing):
                logprobs = read(policy, learner.trained, few, temperature).logprobs
                advantage = advantages[index, : few.acted.shape[1]]
                loss, held = clipped_loss(logprobs, few.logprobs, advantage, few.acted, arguments.clip_range)
                team.backward(loss / tokens)
                sums.update(loss=(loss / tokens).item(), clip_fraction=(held / tokens).item())
            norms.append(learner.step(rate, sums["loss"], partial(batch.plain, chosen)))
    means = {name: team.total(value) / len(norms) for name, value in sorted(sums.items())}
    return {**means, "gradient_norm": sum(norms) / len(norms), **logged}


@cli.enough_memory(
    "lower --micro-batch (episodes in memory when training) or --batch (dialogues when sampling), or give "
    "--gradient-checkpointing, --lora 16, --shard or --dtype bfloat16"
)
def train(arguments: Arguments, reward: Reward = verdict_reward) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one, on what ``reward`` pays."""
    cli.check(arguments)
    arguments = replace(arguments, env=full_id(arguments.env), reward=payer(arguments))
    make = {"split": arguments.split, "attempts": arguments.attempts, "rewards": cli.rewards_of(arguments)}
    make |= cli.settings_of(arguments, make)
    team = Team.launched(arguments.device, arguments.shard)
    if arguments.advantage == "group" and arguments.episodes % (arguments.group * team.size):
        groups = f"a multiple of --group {arguments.group}" + f" times {team.size} processes" * (team.size > 1)
        raise ValueError(f"--episodes {arguments.episodes}: expected {groups}")
    run = Run(arguments.out, arguments, team=team, probes=() if arguments.reward else held_out(arguments, make))
    if run.finished:
        return run
    learner, critic = run.learner(), None  # without dropout: the ratio compares the policy with itself
    policy = learner.policy
    if arguments.advantage == "critic":
        critic = Critic(policy.model.config.get_text_config().hidden_size, arguments.critic_learning_rate)
        critic.to(policy.device)
    learned = {"critic": critic, "critic_optimiser": critic.optimiser} if critic else {}
    run.restore(learner, **learned)
    episodes = Scored(learner, run, make) if arguments.reward else Judged(learner, run, make, reward)
    with run.going():
        while run.done() < 1:
            began, generated, rate = monotonic(), policy.generated_tokens, run.rate()
            rollouts = episodes.play(run.update)
            sampled = monotonic()
            batch = Batch.of(rollouts, policy)
            trained = ppo_update(learner, critic, batch, arguments, rate)
            length = team.total(int(batch.mask.sum()))
            reads = (critic is not None) + (arguments.kl_coef > 0)  # by the critic, by the start if its KL is priced
            only_read = team.total(policy.generated_tokens - generated) + length * reads
            seconds = monotonic() - began
            line = {
                "learning_rate": rate, **episodes.told(rollouts), **trained,
                "steps_a_second": team.total(int(batch.ends.sum())) / seconds,
                "tokens_a_second": length / seconds,  # of the dialogues, with those of the pictures
                "sampling_share": (sampled - began) / seconds,
            }  # fmt: skip
            cost = learner.size * (2.0 * only_read + 6.0 * length * arguments.epochs) + episodes.cost
            run.record(learner, line | (episodes.measured() if run.due(cost) else {}), cost, batch, **learned)
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        train(given).tell()
