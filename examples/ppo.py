"""PPO on a program's reward, with sequential revision: after a wrong answer the policy is asked again.

    python examples/ppo.py --model tiny-lm --out runs/ppo
    python examples/ppo.py --model runs/sft/checkpoint-00040 --learning-rate 1e-6 --temperature 0.7 --out runs/ppo

An episode is one dialogue: question, response, feedback, response, ... until a correct one or the last attempt. It is
trained on as one sequence, in which the tokens of the responses are the actions. Within a response discount and
trace are 1, and from one attempt to the next they are the paper's 0.9 and 0.95 (arXiv 2501.17161). After
examples/sft.py on the same environment this is the ReFT recipe (arXiv 2401.08967). The same command continues an
interrupted run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import gymnasium as gym
import numpy as np
import torch
import tyro
from torch import Tensor, nn
from torch.nn.functional import log_softmax
from tqdm import tqdm

import verienv  # noqa: F401  registers the environments
from policy import Policy, evaluating, padded, parameters_of
from runs import Run, kind_endings, restore_random_state


@dataclass
class Arguments:
    model: str = "tiny-lm"
    """The built-in tiny-lm, or any causal language model with a chat template, by name or path."""
    out: Path = Path("runs/ppo")
    """Where configuration, log and checkpoints go."""
    env: str = "verienv/GeneralPoints-L-v0"
    split: str = "train"
    attempts: int = 5
    """Responses allowed to one question (the paper's verification iterations)."""
    rewards: str = "paper"
    flops: float = 3e12
    """Stop when sampling (2 a parameter and token) and training (6) have cost this many operations."""
    checkpoints: int = 3
    """Checkpoints, evenly spaced in FLOPs; the last one ends the run."""
    learning_rate: float = 1e-4
    episodes: int = 128
    """Episodes an update."""
    batch: int = 128
    """Dialogues that are sampled together."""
    minibatch: int = 32
    """Episodes an optimiser step."""
    epochs: int = 2
    """Passes over the episodes of an update."""
    clip: float = 0.2
    value_coefficient: float = 0.5
    kl_coefficient: float = 0.0
    """Price of the divergence from the start, a token; 0 only reports it."""
    discount: float = 0.9
    trace: float = 0.95
    gradient_norm: float = 1.0
    temperature: float = 1.0
    max_new_tokens: int = 64
    seed: int = 0
    device: str = "auto"


@dataclass
class Episode:
    """One dialogue as tokens. The lists run along its tokens; those not sampled by the policy are 0 in all but ids."""

    ids: list[int]
    acted: list[int] = field(default_factory=list)
    """1 where the policy sampled the token."""
    ends: list[int] = field(default_factory=list)
    """1 at the last token of each response."""
    logprobs: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """The verdict on each attempt, "" for a correct one."""

    def respond(self, response: Sequence[int], logprobs: Sequence[float], reward: float, failure: str) -> None:
        self._skip()
        length = len(response)
        self.ids += response
        self.acted += [1] * length
        self.ends += [0] * (length - 1) + [1]
        self.logprobs += logprobs
        self.rewards += [0.0] * (length - 1) + [reward]
        self.failures.append(failure)

    def _skip(self) -> None:
        """Bring the lists up to the tokens that were given, not sampled."""
        given = len(self.ids) - len(self.acted)
        self.acted += [0] * given
        self.ends += [0] * given
        self.logprobs += [0.0] * given
        self.rewards += [0.0] * given


def rollout(policy: Policy, envs: Sequence[gym.Env], seeds: Sequence[int], arguments: Arguments) -> list[Episode]:
    """One episode of each environment; the unfinished ones are sampled together, in batches."""
    episodes = []
    for env, seed in zip(envs, seeds, strict=True):
        _, info = env.reset(seed=int(seed))
        episodes.append(Episode(policy.opening(info["messages"])))
    unfinished = list(range(len(envs)))
    while unfinished:
        going_on = []
        for start in range(0, len(unfinished), arguments.batch):
            chosen = unfinished[start : start + arguments.batch]
            with evaluating(policy.model):
                responses, logprobs = policy.sample([episodes[i].ids for i in chosen], arguments.temperature)
            for i, response, scores in zip(chosen, responses, logprobs, strict=True):
                _, reward, terminated, _, info = envs[i].step(policy.text(response))
                episodes[i].respond(response, scores, float(reward), info["failure"])
                if not terminated:
                    episodes[i].ids += policy.continuation(info["messages"], response)
                    going_on.append(i)
        unfinished = going_on
    return episodes


@dataclass
class Batch:
    """Episodes as tensors of shape (episodes, longest - 1): column t is about token t + 1, predicted from t."""

    ids: Tensor  # (episodes, longest)
    mask: Tensor  # (episodes, longest)
    acted: Tensor
    ends: Tensor
    rewards: Tensor
    logprobs: Tensor
    """Of the sampled tokens under the policy that sampled them."""

    @classmethod
    def of(cls, episodes: Sequence[Episode], policy: Policy) -> Batch:
        ids, mask = padded([episode.ids for episode in episodes], policy.tokenizer.pad_token_id, device=policy.device)

        def column(name: str) -> Tensor:
            values = torch.zeros(ids.shape)
            for row, episode in enumerate(episodes):
                along = torch.tensor(getattr(episode, name), dtype=torch.float32)
                values[row, : len(along)] = along
            return values[:, 1:].to(policy.device)

        return cls(ids, mask, column("acted"), column("ends"), column("rewards"), column("logprobs"))

    def rows(self, index: Tensor) -> Batch:
        """Some of the episodes, cut to the longest of them."""
        longest = int(self.mask[index].sum(1).max())
        ids, mask = self.ids[index, :longest], self.mask[index, :longest]
        along = [getattr(self, name)[index, : longest - 1] for name in ("acted", "ends", "rewards", "logprobs")]
        return Batch(ids, mask, *along)


class Critic(nn.Module):
    """A value for every position, read from the policy's last hidden states, which it does not train."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(width, 128), nn.Tanh(), nn.Linear(128, 1))
        nn.init.zeros_(self.head[2].weight)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.head(hidden.detach().float()).squeeze(-1)


def evaluate_tokens(model: nn.Module, critic: Critic | None, batch: Batch, temperature: float) -> tuple[Tensor, Tensor]:
    """Log-probability of each token given those before it, and the value before it; both (episodes, longest - 1)."""
    output = model(input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=critic is not None)
    scores = log_softmax(output.logits[:, :-1].float() / temperature, dim=-1)
    chosen = scores.gather(2, batch.ids[:, 1:, None]).squeeze(2)
    values = critic(output.hidden_states[-1][:, :-1]) if critic else torch.zeros_like(chosen)
    return chosen, values


def advantages_of(
    batch: Batch, rewards: Tensor, values: Tensor, discount: float, trace: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantages and returns of the sampled tokens, 0 elsewhere; an episode is one row, so none leaks."""
    advantages = torch.zeros_like(values)
    following, running = torch.zeros_like(values[:, 0]), torch.zeros_like(values[:, 0])
    for t in reversed(range(values.shape[1])):
        gamma = torch.where(batch.ends[:, t] > 0, discount, 1.0)
        decay = torch.where(batch.ends[:, t] > 0, trace, 1.0)
        advantage = rewards[:, t] + gamma * following - values[:, t] + gamma * decay * running
        acted = batch.acted[:, t] > 0
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
    policy: Policy,
    critic: Critic,
    start: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    arguments: Arguments,
) -> dict[str, float]:
    """All epochs over one batch of episodes; what to log of it."""
    with torch.inference_mode():
        parts = torch.arange(len(batch.ids), device=policy.device).split(arguments.minibatch)
        start_logprobs, values = torch.zeros_like(batch.acted), torch.zeros_like(batch.acted)
        for part in parts:
            few = batch.rows(part)
            width = few.acted.shape[1]
            start_logprobs[part, :width] = evaluate_tokens(start, None, few, arguments.temperature)[0]
            values[part, :width] = evaluate_tokens(policy.model, critic, few, arguments.temperature)[1]
    divergence = (batch.logprobs - start_logprobs) * batch.acted
    rewards = batch.rewards - arguments.kl_coefficient * divergence
    advantages, returns = advantages_of(batch, rewards, values, arguments.discount, arguments.trace)
    acted = batch.acted > 0
    spread = advantages[acted].std().clamp(min=1e-6)
    normal = (advantages - advantages[acted].mean()) / spread * batch.acted
    sums: Counter[str] = Counter()
    for _ in range(arguments.epochs):
        for part in torch.randperm(len(batch.ids)).to(policy.device).split(arguments.minibatch):
            few = batch.rows(part)
            width = few.acted.shape[1]
            logprobs, predicted = evaluate_tokens(policy.model, critic, few, arguments.temperature)
            loss, held = clipped_loss(logprobs, few.logprobs, normal[part, :width], few.acted, arguments.clip)
            error = ((predicted - returns[part, :width]).square() * few.acted).sum() / few.acted.sum()
            optimiser.zero_grad()
            (loss + arguments.value_coefficient * error).backward()
            norm = nn.utils.clip_grad_norm_(policy.model.parameters(), arguments.gradient_norm)
            optimiser.step()
            sums.update(
                loss=loss.item(), value_error=error.item(), clip_fraction=held.item(), gradient_norm=norm.item()
            )
            sums["steps"] += 1
    means = {name: value / sums["steps"] for name, value in sums.items() if name != "steps"}
    return {**means, "kl": (divergence.sum() / batch.ends.sum()).item()}


def summary(episodes: Sequence[Episode]) -> dict[str, Any]:
    """What the policy did, before the update."""
    attempts = [failure for episode in episodes for failure in episode.failures]
    return {
        "reward": float(np.mean([sum(episode.rewards) for episode in episodes])),
        "success": float(np.mean([episode.failures[-1] == "" for episode in episodes])),
        "first_attempt": float(np.mean([episode.failures[0] == "" for episode in episodes])),
        "attempts": len(attempts) / len(episodes),
        "failures": dict(Counter(failure for failure in attempts if failure)),
    }


def seeds_of(update: int, arguments: Arguments) -> Iterator[int]:
    """The seeds of an update's episodes: the same whenever the run is resumed."""
    yield from np.random.SeedSequence([arguments.seed, update]).generate_state(arguments.episodes).tolist()


def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    run = Run(arguments.out, arguments)
    if run.finished:
        return run
    torch.manual_seed(arguments.seed)
    first = Policy.load(arguments.model, device=arguments.device, max_new_tokens=arguments.max_new_tokens)
    start = first.model.requires_grad_(False)
    fresh = Policy.load(arguments.model, device=arguments.device, max_new_tokens=arguments.max_new_tokens)
    policy, state = run.resume(fresh)
    policy.model.eval()  # no dropout: the ratio compares the policy with itself
    critic = Critic(policy.model.config.get_text_config().hidden_size).to(policy.device)
    optimiser = torch.optim.AdamW(
        [{"params": policy.model.parameters()}, {"params": critic.parameters(), "lr": 3e-3}],
        lr=arguments.learning_rate, weight_decay=0.0,
    )  # fmt: skip
    update, spent = 0, 0.0
    if state:
        optimiser.load_state_dict(state["optimiser"])
        critic.load_state_dict(state["critic"])
        update, spent = state["update"], state["flops"]
        restore_random_state(state["random"])
    make = {"split": arguments.split, "attempts": arguments.attempts, "rewards": arguments.rewards}
    envs = [gym.make(arguments.env, disable_env_checker=True, **make) for _ in range(arguments.episodes)]
    size = parameters_of(policy.model)
    saved = int(spent / arguments.flops * arguments.checkpoints + 1e-6)
    with tqdm(total=arguments.flops, initial=spent, unit="FLOP", unit_scale=True, desc=f"ppo {run.out.name}") as bar:
        while spent < arguments.flops:
            began, generated = monotonic(), policy.generated_tokens
            episodes = rollout(policy, envs, list(seeds_of(update, arguments)), arguments)
            sampled = monotonic()
            batch = Batch.of(episodes, policy)
            trained = ppo_update(policy, critic, start, optimiser, batch, arguments)
            read = int(batch.mask.sum())
            cost = 2.0 * size * (policy.generated_tokens - generated + 2 * read) + 6.0 * size * read * arguments.epochs
            update, spent = update + 1, spent + cost
            did = summary(episodes)
            steps = sum(len(episode.failures) for episode in episodes)
            rates = {
                "steps_a_second": steps / (monotonic() - began),
                "sampling_share": (sampled - began) / (monotonic() - began),
            }
            run.log({"update": update, "flops": spent, **did, **trained, **rates})
            bar.update(cost)
            bar.set_postfix(success=f"{did['success']:.2f}", reward=f"{did['reward']:.2f}", kl=f"{trained['kl']:.3f}")
            if spent >= arguments.flops * (saved + 1) / arguments.checkpoints:
                saved += 1
                optimised = {"optimiser": optimiser.state_dict(), "critic": critic.state_dict()}
                run.save(update, policy, {**optimised, "flops": spent})
    run.finish()
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out):
        print(f"checkpoints: {', '.join(map(str, train(given).checkpoints()))}")
