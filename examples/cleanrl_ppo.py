"""PPO in one file, in the manner of CleanRL, on any numeric face of verienv: no language model, no tokens of text.

    python examples/cleanrl_ppo.py -s cards=3 -s strict_mask=true -s attempts=1
    python examples/cleanrl_ppo.py --env verienv/VIRL-Discrete-v0 -s window=2 --gamma 0.9 --steps 100000
    python examples/cleanrl_ppo.py --env verienv/GeneralPoints-VL-Tokens-v0 -s resize=84 -s strict_mask=true

It takes what the environment has: discrete actions, with the mask in info["action_mask"] if there is one; observations
of arrays, alone or in a dictionary, laid out flat; pictures (uint8, three axes) through a small convolutional network.
Before and after training it is compared with a policy that draws among the allowed actions alone. In <out>: log.jsonl
(a line an update), result.json (arguments, versions and evaluations), agent.pt (the weights).
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import torch
import tyro
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from torch import Tensor, nn
from torch.distributions import Categorical

import verienv  # noqa: F401  registers the environments
from command_line import Clip, Count, Norm, Rate, Seed, Share, Size, Stop, Threads, Weight, check, kind_endings
from verienv.core.settings import read_settings
from verienv.evaluation.statistics import estimates
from verienv.numeric import make_vec
from verienv.policies.hugging_face.loading import usable_device


@dataclass
class Arguments:
    env: str = "verienv/GeneralPoints-Tokens-v0"
    """A numeric environment, by id."""
    settings: Annotated[
        tuple[tuple[str, ...], ...],
        tyro.conf.arg(aliases=("-s", "--setting"), metavar="KEY=VALUE"),
        tyro.conf.UseAppendAction,
    ] = ()
    """Its settings, as for gym.make, one or several at a time; a value is JSON where it can be, else a string."""
    out: Path = Path("runs/cleanrl-ppo")
    """Where log, result and weights go."""
    seed: Seed = 0
    """Fixes the hands, the initial weights, and what is sampled."""
    steps: Count = 200_000
    """Environment steps in all."""
    envs: Size = 32
    """Environments stepped side by side."""
    rollout: Size = 64
    """Steps of each between two updates."""
    learning_rate: Rate = 1e-3
    """Of Adam; it falls to 0 in a straight line."""
    gamma: Share = 1.0
    """What a reward is worth a step earlier (gamma). Episodes are short and bounded."""
    gae_lambda: Share = 0.95
    """Lambda of generalised advantage estimation."""
    epochs: Count = 4
    """Passes over a rollout."""
    minibatches: Size = 4
    """Into which each pass is cut."""
    clip_range: Clip = 0.2
    """How far the probability of an action may move in an update, as a ratio to 1."""
    entropy: Weight = 0.01
    """Weight of the entropy bonus."""
    value: Weight = 0.5
    """Weight of the critic's loss."""
    max_grad_norm: Norm = 0.5
    """Longer gradients are cut to this length."""
    width: Size = 256
    """Of the two hidden layers of actor and critic."""
    splits: tuple[str, ...] = ("train", "test")
    """On which to evaluate."""
    evaluations: Size = 8
    """How often to evaluate, evenly spaced; the last time at the end."""
    episodes: Size = 500
    """Episodes of an evaluation, on each split."""
    greedy: bool = False
    """In evaluations take the likeliest action, where training samples."""
    device: str = "cpu"
    """cuda for pictures."""
    threads: Threads = 1
    """Threads of torch on the CPU; these networks are too small for more."""


def is_picture(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) == 3 and space.dtype == np.uint8


class Reader:
    """From batched observations to two tensors: pictures (n, 3, height, width) in uint8, and all else flat (n, d)."""

    def __init__(self, space: spaces.Space[Any], device: str) -> None:
        self.device = device
        self.parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {"": space}
        pictures = [name for name, part in self.parts.items() if is_picture(part)]
        if len(pictures) > 1:
            raise ValueError(f"{len(pictures)} pictures in one observation: this file reads one")
        self.picture = pictures[0] if pictures else None
        self.flat_parts = {name: part for name, part in self.parts.items() if name != self.picture}
        self.width = sum(spaces.flatdim(part) for part in self.flat_parts.values())
        self.channels_last = self.picture is not None and self.parts[self.picture].shape[-1] == 3

    def picture_shape(self) -> tuple[int, int, int] | None:
        """Channels, height, width; None without a picture."""
        if self.picture is None:
            return None
        shape = self.parts[self.picture].shape
        return (3, *shape[:2]) if self.channels_last else shape

    def __call__(self, observation: Any, count: int) -> tuple[Tensor, Tensor]:
        """Both tensors for a batch of ``count``; what the environment does not have has no columns."""
        by_name = observation if isinstance(observation, dict) else {"": observation}
        columns = [np.zeros((count, 0), np.float32)]
        for name, part in self.flat_parts.items():
            values = np.asarray(by_name[name])
            if isinstance(part, spaces.Discrete):
                columns.append(np.eye(part.n, dtype=np.float32)[values - part.start])
            elif isinstance(part, (spaces.Box, spaces.MultiBinary)):
                columns.append(values.reshape(count, -1).astype(np.float32))
            else:
                raise ValueError(f"observation {name!r} is a {type(part).__name__}; wrap it in FlattenObservation")
        flat = torch.from_numpy(np.concatenate(columns, axis=1)).to(self.device)
        if self.picture is None:
            return flat, torch.zeros((count, 0), dtype=torch.uint8, device=self.device)
        picture = torch.from_numpy(np.array(by_name[self.picture])).to(self.device)
        return flat, picture.permute(0, 3, 1, 2) if self.channels_last else picture


def layer(inputs: int, outputs: int, gain: float = 2**0.5) -> nn.Linear:
    linear = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(linear.weight, gain)
    nn.init.zeros_(linear.bias)
    return linear


class Agent(nn.Module):
    """Actor and critic, two networks over the same features."""

    def __init__(self, reader: Reader, actions: int, width: int) -> None:
        super().__init__()
        self.eye: nn.Module | None = None
        features = reader.width
        if shape := reader.picture_shape():
            self.eye = nn.Sequential(
                nn.Conv2d(3, 16, 8, stride=4), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2), nn.ReLU(), nn.Flatten()
            )  # fmt: skip
            seen = self.eye(torch.zeros(1, *shape)).shape[1]
            self.eye = nn.Sequential(self.eye, layer(seen, width), nn.ReLU())
            features += width
        self.actor = nn.Sequential(
            layer(features, width), nn.Tanh(), layer(width, width), nn.Tanh(), layer(width, actions, 0.01)
        )
        self.critic = nn.Sequential(
            layer(features, width), nn.Tanh(), layer(width, width), nn.Tanh(), layer(width, 1, 1.0)
        )

    def features(self, flat: Tensor, picture: Tensor) -> Tensor:
        return flat if self.eye is None else torch.cat([flat, self.eye(picture.float() / 255)], dim=1)

    def forward(self, flat: Tensor, picture: Tensor, mask: Tensor) -> tuple[Categorical, Tensor]:
        """The distribution over allowed actions, and the value (n,). A forbidden action has probability zero."""
        features = self.features(flat, picture)
        logits = self.actor(features).masked_fill(~mask, torch.finfo(torch.float32).min)
        return Categorical(logits=logits, validate_args=False), self.critic(features).squeeze(1)


def mask_of(info: dict[str, Any], count: int, actions: int) -> Tensor:
    """The mask (count, actions) of an environment, or of a vector of them; all true where there is none."""
    given = info.get("action_mask")
    allowed = np.ones((count, actions), bool) if given is None else np.reshape(given, (count, actions)).astype(bool)
    return torch.from_numpy(allowed)


def evaluate(env: gym.Env[Any, Any], choose: Callable[[Any, Tensor], int], episodes: int, seed: int) -> dict[str, Any]:
    """Mean return and success of a policy, each with its 95% interval over hands (or routes), and what was played."""
    rows, clusters = [], []
    actions = int(env.action_space.n)
    for episode in range(episodes):
        observation, info = env.reset(seed=seed if episode == 0 else None)
        clusters.append(str(env.unwrapped.cluster))
        total, over = 0.0, False
        while not over:
            action = choose(observation, mask_of(info, 1, actions))
            observation, reward, terminated, truncated, info = env.step(action)
            total, over = total + float(reward), terminated or truncated
        rows.append([total, float(info["is_success"])])
    names = ("return", "success")
    found = dict(zip(names, estimates(np.array(rows), clusters), strict=True))
    told = {name: [None if np.isnan(x) else float(x) for x in found[name]] for name in names}  # NaN is no JSON
    return {**told, "problems": len(set(clusters))}


def policy(agent: Agent, reader: Reader, greedy: bool, rng: torch.Generator) -> Callable[[Any, Tensor], int]:
    """The agent as a function from one observation and its mask to an action."""

    @torch.no_grad()
    def choose(observation: Any, mask: Tensor) -> int:
        one = {k: v[None] for k, v in observation.items()} if isinstance(observation, dict) else observation[None]
        distribution, _ = agent(*reader(one, 1), mask.to(reader.device))
        if greedy:
            return int(distribution.probs.argmax())
        return int(torch.multinomial(distribution.probs[0].cpu(), 1, generator=rng))

    return choose


def at_random(rng: torch.Generator) -> Callable[[Any, Tensor], int]:
    """The policy that draws among the allowed actions alone."""
    return lambda _, mask: int(torch.multinomial(mask[0].float(), 1, generator=rng))


def train(args: Arguments) -> dict[str, Any]:
    """Train and evaluate; what result.json holds. Raises ValueError for arguments that cannot be trained with."""
    check(args)
    size, device = args.envs * args.rollout, usable_device(args.device)
    pairs = [pair for given in args.settings for pair in given]
    settings = read_settings(pairs)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    vector = make_vec(args.env, args.envs, vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}, **settings)
    if not isinstance(vector.single_action_space, spaces.Discrete):
        raise ValueError(f"--env {args.env}: expected discrete actions, as in {Arguments.env}")
    actions = int(vector.single_action_space.n)
    reader = Reader(vector.single_observation_space, device)
    agent = Agent(reader, actions, args.width).to(device)
    optimiser = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    arenas = {split: gym.make(args.env, **(settings | {"split": split})) for split in args.splits}

    def evaluated(choose: Callable[[torch.Generator], Callable[[Any, Tensor], int]]) -> dict[str, Any]:
        """On every split; the same hands and the same luck each time."""
        luck = torch.Generator().manual_seed(args.seed)
        return {split: evaluate(env, choose(luck), args.episodes, 1_000_000) for split, env in arenas.items()}

    updates = max(args.steps // size, 1)
    due = {round(updates * k / args.evaluations) for k in range(1, args.evaluations + 1)}
    shape = (args.rollout, args.envs)
    observation, info = vector.reset(seed=args.seed)
    flat, picture = reader(observation, args.envs)
    mask = mask_of(info, args.envs, actions).to(device)
    flats = torch.zeros((*shape, *flat.shape[1:]), device=device)
    pictures = torch.zeros((*shape, *picture.shape[1:]), dtype=torch.uint8, device=device)
    masks = torch.zeros((*shape, actions), dtype=torch.bool, device=device)
    chosen = torch.zeros(shape, dtype=torch.long, device=device)
    logprobs, rewards, values, ends = (torch.zeros(shape, device=device) for _ in range(4))

    result: dict[str, Any] = {
        "arguments": asdict(args) | {"out": str(args.out), "settings": pairs},
        "versions": {name: version(name) for name in ("verienv", "torch", "gymnasium", "numpy")},
        "python": platform.python_version(),
        "random": evaluated(at_random),
        "curve": [{"step": 0, **evaluated(lambda luck: policy(agent, reader, args.greedy, luck))}],
    }
    began, evaluating = monotonic(), 0.0
    running = np.zeros(args.envs)
    with (args.out / "log.jsonl").open("w") as log:
        for update in range(1, updates + 1):
            for group in optimiser.param_groups:
                group["lr"] = args.learning_rate * (1 - (update - 1) / updates)
            returns, successes = [], []

            for t in range(args.rollout):
                flats[t], pictures[t], masks[t] = flat, picture, mask
                with torch.no_grad():
                    distribution, values[t] = agent(flat, picture, mask)
                    chosen[t] = distribution.sample()
                    logprobs[t] = distribution.log_prob(chosen[t])
                observation, reward, terminated, truncated, info = vector.step(chosen[t].cpu().numpy())
                over = terminated | truncated
                running += reward
                if over.any():
                    returns += running[over].tolist()
                    successes += info["final_info"]["is_success"][over].tolist()
                    running[over] = 0
                reward = torch.as_tensor(reward, dtype=torch.float32)
                for i in np.flatnonzero(truncated & ~terminated):  # cut short, not ended: the critic says what was left
                    last = info["final_obs"][i]
                    last = {k: v[None] for k, v in last.items()} if isinstance(last, dict) else last[None]
                    with torch.no_grad():
                        left = agent(*reader(last, 1), torch.ones((1, actions), dtype=torch.bool, device=device))[1]
                    reward[i] += args.gamma * left.item()
                rewards[t], ends[t] = reward, torch.as_tensor(over, dtype=torch.float32)
                flat, picture = reader(observation, args.envs)
                mask = mask_of(info, args.envs, actions).to(device)

            # Generalised advantage estimation (arXiv 1506.02438). An end cuts both the value and the trace.
            advantages = torch.zeros_like(rewards)
            with torch.no_grad():
                following, trace = agent(flat, picture, mask)[1], torch.zeros(args.envs, device=device)
            for t in reversed(range(args.rollout)):
                goes_on = 1 - ends[t]
                error = rewards[t] + args.gamma * following * goes_on - values[t]
                advantages[t] = trace = error + args.gamma * args.gae_lambda * goes_on * trace
                following = values[t]
            targets = advantages + values

            batch = [x.flatten(0, 1) for x in (flats, pictures, masks, chosen, logprobs, advantages, targets)]
            for _ in range(args.epochs):
                for part in torch.randperm(size, device=device).chunk(args.minibatches):
                    f, p, m, action, before, advantage, target = (x[part] for x in batch)
                    distribution, value = agent(f, p, m)
                    ratio = (distribution.log_prob(action) - before).exp()
                    spread = advantage.std(correction=min(1, len(part) - 1))  # one step alone has none
                    advantage = (advantage - advantage.mean()) / (spread + 1e-8)
                    clipped = ratio.clamp(1 - args.clip_range, 1 + args.clip_range)
                    actor_loss = -torch.min(ratio * advantage, clipped * advantage).mean()
                    critic_loss = 0.5 * (value - target).square().mean()
                    entropy = distribution.entropy().mean()
                    loss = actor_loss + args.value * critic_loss - args.entropy * entropy
                    optimiser.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
                    optimiser.step()

            if not all(weight.isfinite().all() for weight in agent.parameters()):
                raise Stop(f"the weights are not finite after update {update}; lower --learning-rate, in another --out")
            line = {
                "step": update * size,
                "return": float(np.mean(returns)) if returns else None,
                "success": float(np.mean(successes)) if successes else None,
                "episodes": len(returns),
                "entropy": entropy.item(),
                "critic_loss": critic_loss.item(),
                "steps_a_second": round(update * size / (monotonic() - began - evaluating)),
            }
            log.write(json.dumps(line, allow_nan=False) + "\n")
            log.flush()
            if update in due:
                paused = monotonic()
                found = evaluated(lambda luck: policy(agent, reader, args.greedy, luck))
                result["curve"].append({"step": update * size, **found})
                print(json.dumps(line | {split: cell["success"] for split, cell in found.items()}), flush=True)
                evaluating += monotonic() - paused
    result["seconds_of_training"] = round(monotonic() - began - evaluating, 1)
    (args.out / "result.json").write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    torch.save(agent.state_dict(), args.out / "agent.pt")
    vector.close()
    return result


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out):
        train(given)
