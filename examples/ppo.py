"""PPO on a program's reward, with sequential revision: after a wrong answer the policy is asked again.

    python examples/ppo.py --model tiny-lm --out runs/ppo
    python examples/ppo.py --model runs/sft/checkpoint-00040 --learning-rate 1e-6 --temperature 0.7 --out runs/ppo
    python examples/ppo.py --model tiny-vlm --env verienv/GeneralPoints-VL-v0 --out runs/ppo-vision
    accelerate launch --multi_gpu --num_processes 2 examples/ppo.py --out runs/ppo    # on two devices

An episode is one dialogue: question, response, feedback, response, ... until a correct one or the last attempt. It is
trained on as one sequence, in which the tokens of the responses are the actions. Within a response discount and
trace are 1, and from one attempt to the next they are the paper's 0.9 and 0.95 (arXiv 2501.17161). With
vision the picture stands in the first turn, and the log tells how often it was read right. After examples/sft.py on the
same environment this is the ReFT recipe (arXiv 2401.08967). The same command continues an interrupted run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import gymnasium as gym
import torch
import tyro
from torch import Tensor, nn

import bounds
import verienv  # noqa: F401  registers the environments
from arguments import Settings, rewards_of, settings_of
from endings import enough_memory, kind_endings
from finite import STEPPED, demand_finite, numbers_in
from model import checkpoint_gradients, parameters_of, trainable
from processes import ALONE, Team
from rollouts import Batch, Read, rollout, seeds_of, summary
from runs import Run, scheduled
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.checkpoint import are_finite
from verienv.policies.hugging_face.loading import Dtype
from verienv.policies.hugging_face.tokens import Tokens


@dataclass
class Arguments:
    model: str = "tiny-lm"
    """The built-in tiny-lm or, for pictures, tiny-vlm; or any chat model of words or of pictures, by name or path."""
    out: Path = Path("runs/ppo")
    """Where configuration, log and checkpoints go."""
    env: str = "verienv/GeneralPoints-L-v0"
    """With vision: verienv/GeneralPoints-VL-v0."""
    split: str = "train"
    """Which hands are dealt, under which rule."""
    settings: Settings = ()
    """Settings of the environment, as for gym.make: -s cards=5 -s rule=rank."""
    attempts: bounds.Attempts = 5
    """Responses allowed to one question (the paper's verification iterations)."""
    rewards: str = "paper"
    """The price of each verdict: paper, binary, binary_format, partial, paper_code or, in GeneralPoints, first_fault; a
    table as JSON; or module:name, a function of one's own."""
    flops: bounds.Budget = 6e12
    """Stop when reading and sampling (2 a parameter and token) and training (6) have cost this many floating-point
    operations: the default is for the built-in models, and a larger one wants more in proportion."""
    checkpoints: bounds.Count = 3
    """Checkpoints, evenly spaced in FLOPs; the last one ends the run."""
    learning_rate: bounds.Rate = 6e-5
    """Its height: it rises over --warm-up updates, while the critic finds its feet, and falls to 0 by a cosine."""
    warm_up: bounds.Count = 10
    """Updates until the learning rate is at its height."""
    episodes: bounds.Size = 128
    """Episodes an update."""
    batch: bounds.Size = 128
    """Dialogues that are sampled together, on a device."""
    minibatch: bounds.Size = 64
    """Episodes an optimiser step."""
    micro_batch: bounds.Size = 32
    """Episodes in memory at once, on a device."""
    epochs: bounds.Count = 1
    """Passes over the episodes of an update."""
    clip: bounds.Clip = 0.2
    """How far the probability of a token may move in an update, as a ratio to 1."""
    kl_coefficient: bounds.Weight = 0.0
    """Price of the divergence from the start, a token; 0 only reports it."""
    discount: bounds.Share = 0.9
    """What a reward is worth one attempt earlier (gamma)."""
    trace: bounds.Share = 0.95
    """How far an advantage looks past the critic, from one attempt to the next (lambda)."""
    token_trace: bounds.Share = 0.95
    """The same from token to token within a response."""
    critic_learning_rate: bounds.Rate = 3e-3
    """Of the critic, which is a small network of its own."""
    critic_passes: bounds.Count = 8
    """Passes of the critic over the hidden states of an update, which are at hand."""
    gradient_norm: bounds.Norm = 1.0
    """Longer gradients are cut to this length."""
    temperature: bounds.Temperature = 1.0
    """At which the policy samples."""
    max_new_tokens: bounds.Length = 48
    """The longest response."""
    seed: bounds.Seed = 0
    """Fixes the hands, and what is sampled."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes a GPU if there is one, or what the launcher gives."""
    dtype: Dtype = "float32"
    """bfloat16 takes half the memory; small learning rates are lost in its rounding unless --lora is given."""
    lora: bounds.Rank = 0
    """Rank of the adapter to train (with peft) in place of the model, whose weights stay; 0 trains them all."""
    gradient_checkpointing: bool = False
    """Compute activations twice in place of keeping them: less memory, a third more time."""


class Critic(nn.Module):
    """A value for every position, read from what the policy knows there (``Read.known``), which it does not train."""

    def __init__(self, width: int, learning_rate: float) -> None:
        super().__init__()
        self.width = width
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 128), nn.Tanh(), nn.Linear(128, 1))
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
        return team.total(before)


def advantages_of(
    batch: Batch, rewards: Tensor, values: Tensor, discount: float, trace: float, token_trace: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantages and returns of the sampled tokens, 0 elsewhere; an episode is one row, so none leaks."""
    advantages = torch.zeros_like(values)
    following, running = torch.zeros_like(values[:, 0]), torch.zeros_like(values[:, 0])
    for t in reversed(range(values.shape[1])):
        end, acted = batch.ends[:, t] > 0, batch.acted[:, t] > 0
        gamma = torch.ones_like(running).masked_fill(end, discount)
        decay = torch.full_like(running, token_trace).masked_fill(end, trace)
        advantage = rewards[:, t] + gamma * following - values[:, t] + gamma * decay * running
        running = torch.where(acted, advantage, running)
        following = torch.where(acted, values[:, t], following)
        advantages[:, t] = torch.where(acted, advantage, 0.0)
    return advantages, (advantages + values) * batch.acted


def clipped_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, acted: Tensor, clip: float
) -> tuple[Tensor, Tensor]:
    """PPO's policy loss, the mean over sampled tokens, and the share of ratios that the clip held."""
    ratio = (logprobs - old_logprobs).exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
    held = ((ratio - 1).abs() > clip).float()
    return -(gain * acted).sum() / acted.sum(), (held * acted).sum() / acted.sum()


def ppo_update(
    policy: HuggingFacePolicy,
    critic: Critic,
    start: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    arguments: Arguments,
    team: Team = ALONE,
) -> dict[str, float]:
    """All epochs over one batch of episodes, this process's share; what to log of it.

    Raises NotFinite, in all processes, before a number that is not finite in one of them could reach the weights.
    """
    values, divergence = torch.zeros_like(batch.acted), torch.zeros_like(batch.acted)
    known = values.new_zeros((*values.shape, critic.width))
    with torch.no_grad():
        for part, few in batch.parts(arguments.micro_batch):
            seen = Read.of(policy.model, few, arguments.temperature).known(few.acted)
            known[part, : seen.shape[1]] = seen
            values[part, : seen.shape[1]] = critic(seen)
        compared = torch.arange(len(batch.ids), device=policy.device)
        if not arguments.kl_coefficient:  # then it is only reported, and a part of the episodes will do
            compared = compared[: arguments.micro_batch]
        for part, few in batch.parts(arguments.micro_batch, compared):
            at_start = Read.of(start, few, arguments.temperature).logprobs
            divergence[part, : few.acted.shape[1]] = (few.logprobs - at_start) * few.acted
    acted = batch.acted > 0
    at_actions = known[acted]
    read = {"hidden state or log-probability of a token": at_actions, "divergence from the start": divergence}
    demand_finite(team, batch.plain, read)
    rewards = batch.rewards - arguments.kl_coefficient * divergence
    advantages, returns = advantages_of(
        batch, rewards, values, arguments.discount, arguments.trace, arguments.token_trace
    )
    error = critic.fit(at_actions, returns[acted], arguments.critic_passes, team=team)
    demand_finite(team, batch.plain, {"error of the critic": error, "critic": are_finite(critic.parameters())})
    everywhere = team.joined(advantages[acted])
    spread = everywhere.std(correction=min(1, len(everywhere) - 1))  # one token alone has none
    normal = (advantages - everywhere.mean()) / spread.clamp(min=1e-6) * batch.acted
    sums: Counter[str] = Counter()
    norms = []
    for _ in range(arguments.epochs):
        for chosen, _ in team.shuffled(len(batch.ids), arguments.minibatch):
            chosen = chosen.to(policy.device)
            tokens = team.summed(batch.acted[chosen].sum())  # of the minibatch, in all processes
            optimiser.zero_grad()
            for part, few in batch.parts(arguments.micro_batch, chosen):
                logprobs = Read.of(policy.model, few, arguments.temperature).logprobs
                advantage = normal[part, : few.acted.shape[1]]
                loss, held = clipped_loss(logprobs, few.logprobs, advantage, few.acted, arguments.clip)
                share = few.acted.sum() / tokens
                (loss * share).backward()
                sums.update(loss=(loss * share).item(), clip_fraction=(held * share).item())
            team.sum_gradients(trainable(policy.model))
            norm = nn.utils.clip_grad_norm_(trainable(policy.model), arguments.gradient_norm).item()
            demand_finite(team, partial(batch.plain, chosen), {"loss": sums["loss"], "gradient": norm})
            optimiser.step()
            demand_finite(team, partial(batch.plain, chosen), {STEPPED: are_finite(trainable(policy.model))})
            norms.append(norm)
    means = {name: team.total(value) / len(norms) for name, value in sorted(sums.items())}
    returned, valued = team.joined(returns[acted]), team.joined(values[acted])
    explained = 1 - (returned - valued).var(correction=0) / returned.var(correction=0).clamp(min=1e-6)
    said = team.summed(batch.acted.sum())
    responses = team.summed(batch.ends[compared].sum())
    return {
        **means, "gradient_norm": sum(norms) / len(norms), "value_error": error, "value_explained": explained.item(),
        "kl": (team.summed(divergence.sum()) / responses).item(),
        "entropy": (team.summed(at_actions[:, -1].sum()) / said).item(),
    }  # fmt: skip


@enough_memory(
    "lower --micro-batch (episodes in memory when training) or --batch (dialogues when sampling), or give "
    "--gradient-checkpointing, --lora 16 or --dtype bfloat16"
)
def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    bounds.check(arguments)
    make = {"split": arguments.split, "attempts": arguments.attempts, "rewards": rewards_of(arguments)}
    make |= settings_of(arguments, make)
    team = Team.launched(arguments.device)
    run = Run(arguments.out, arguments, team=team)
    if run.finished:
        return run
    torch.manual_seed(arguments.seed)
    loading: dict[str, Any] = {
        "device": team.device, "max_new_tokens": arguments.max_new_tokens, "dtype": arguments.dtype,
    }  # fmt: skip
    start = HuggingFacePolicy.load(arguments.model, **loading).model.requires_grad_(False)
    policy, state = run.resume(HuggingFacePolicy.load(arguments.model, **loading, lora=arguments.lora))
    policy.model.eval()  # no dropout: the ratio compares the policy with itself
    if arguments.gradient_checkpointing:
        checkpoint_gradients(policy.model)
    width = policy.model.config.get_text_config().hidden_size + 3
    critic = Critic(width, arguments.critic_learning_rate).to(policy.device)
    optimiser = torch.optim.AdamW(trainable(policy.model), lr=arguments.learning_rate, weight_decay=0.0)
    update, spent = 0, 0.0
    if state:
        run.restore(state, optimiser=optimiser, critic=critic, critic_optimiser=critic.optimiser)
        update, spent = state["update"], state["flops"]
    else:
        team.seed_apart(arguments.seed)
    mine = team.share(range(arguments.episodes))
    envs = [gym.make(arguments.env, disable_env_checker=True, **make) for _ in mine]
    size = parameters_of(policy.model)
    saved = int(spent / arguments.flops * arguments.checkpoints + 1e-6)
    with run.guarded(), run.bar(arguments.flops, spent) as bar:
        while spent < arguments.flops:
            began, generated = monotonic(), policy.generated_tokens
            seeds = team.share(list(seeds_of(update, arguments)))
            episodes = rollout(policy, envs, seeds, arguments, team)
            sampled = monotonic()
            batch = Batch.of(episodes, policy)
            rate = arguments.learning_rate * scheduled(update, spent / arguments.flops, arguments.warm_up)
            for group in optimiser.param_groups:
                group["lr"] = rate
            trained = ppo_update(policy, critic, start, optimiser, batch, arguments, team)
            read = team.total(int(batch.mask.sum()))  # by the critic's values, by the start if its divergence is priced
            only_read = team.total(policy.generated_tokens - generated) + read * (2 if arguments.kl_coefficient else 1)
            cost = size * (2.0 * only_read + 6.0 * read * arguments.epochs)
            update, spent = update + 1, spent + cost
            played = team.gathered([replace(episode, ids=Tokens()) for episode in episodes])  # without their pictures
            did = summary([episode for some in played for episode in some], envs[0].unwrapped.measures.failures)
            steps, seconds = did["attempts"] * arguments.episodes, monotonic() - began
            rates = {
                "steps_a_second": steps / seconds,
                "tokens_a_second": read / seconds,  # of the dialogues, with those of the pictures
                "sampling_share": (sampled - began) / seconds,
            }
            line = {"update": update, "flops": spent, "learning_rate": rate, **did, **trained, **rates}
            demand_finite(team, batch.plain, dict(numbers_in(line)))
            due = spent >= arguments.flops * (saved + 1) / arguments.checkpoints
            if due:  # what is saved can be played
                few = batch.rows(torch.arange(min(arguments.micro_batch, len(batch.ids)), device=policy.device))
                with torch.no_grad():
                    after = Read.of(policy.model, few, arguments.temperature).logprobs * few.acted
                demand_finite(team, batch.plain, {f"log-probabilities with the {STEPPED}": after})
            run.log(line)
            run.tell_if_short(cost, arguments.flops, arguments.warm_up)
            bar.update(cost)
            bar.set_postfix(success=f"{did['success']:.2f}", reward=f"{did['reward']:.2f}", kl=f"{trained['kl']:.3f}")
            if due:
                saved += 1
                learned = {"optimiser": optimiser, "critic": critic, "critic_optimiser": critic.optimiser}
                states = {name: part.state_dict() for name, part in learned.items()}
                run.save(update, policy, {**states, "flops": spent})
    run.finish()
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out):
        train(given).tell()
