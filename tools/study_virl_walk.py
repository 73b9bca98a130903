"""Trains policies of free walks and writes docs/results/walking/walking.json and .png.

    python tools/study_virl_walk.py

PPO (examples/cleanrl_ppo.py) on verienv/VIRL-Discrete-v0 with mode="walk", beside two that imitate the expert with the
same network: behaviour cloning of its walks without a mistake, and DAgger, whose policy drives, pushed off the way now
and then, while the expert labels.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import Any

import gymnasium as gym
import matplotlib as mpl
import numpy as np
import torch
import tyro
from torch import Tensor, nn

import verienv  # noqa: F401 - registers the environments

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))
import cleanrl_ppo  # noqa: E402
from study_plan import as_pairs  # noqa: E402

ENV = "verienv/VIRL-Discrete-v0"
GAMMA = 0.9
SETTINGS: dict[str, Any] = {
    "mode": "walk",
    "turns": [1, 2],
    "window": 2,
    "rewards": {"base": "progress_kept", "correct": 10.0},
}
SPLITS = ("train", "test")
PUSHED = 0.1
"""The share of actions that are replaced by another legal one, ``stop()`` aside, in walks that are pushed."""
Choose = Callable[[Any, Tensor], int]


@dataclass
class Arguments:
    steps: int = 80_000
    """Environment steps of PPO."""
    seeds: tuple[int, ...] = (0,)
    """One run of each kind for each."""
    labels: tuple[int, ...] = (1000, 2000, 4000)
    """Labels of the expert after which those who imitate it are evaluated."""
    episodes: int = 20
    """Of each evaluation while training; the last one plays four times as many."""
    evaluations: int = 4
    """While training."""
    width: int = 128
    """Of the hidden layers."""
    work: Path = Path("runs/virl-walk")
    """Where the runs go."""
    out: Path = ROOT / "docs" / "results" / "walking"
    """Where the JSON file and the figure go."""


def walked(env: Any, choose: Choose, episodes: int, seed: int, pushed: float) -> dict[str, float]:
    """Walk, with a share of the actions replaced, and return means over routes.

    "astray" is the share of walks that left the expert's way, "back" the success of those.
    """
    luck, found, astray = np.random.default_rng(seed), [], []
    for episode in range(episodes):
        observation, info = env.reset(seed=seed if episode == 0 else None)
        over = wrong = False
        while not over:
            mask = torch.from_numpy(info["action_mask"].astype(bool))[None]
            action = choose(observation, mask)
            if luck.random() < pushed:
                action = int(luck.integers(int(env.action_space.n) - 1))
            observation, _, over, _, info = env.step(action)
            wrong |= not info["is_correct"] and not over
        found.append([info["is_success"], info["spl"], info["ndtw"], wrong])
        astray += [info["is_success"]] if wrong else []
    success, spl, ndtw, left = np.mean(np.array(found, float), axis=0)
    back = float(np.mean(astray)) if astray else None
    return {"success": float(success), "spl": float(spl), "ndtw": float(ndtw), "astray": float(left), "back": back}


def evaluate(env: Any, choose: Choose, episodes: int, seed: int) -> dict[str, Any]:
    """Return the measures of walks that are left alone, and as "pushed" of those that are not."""
    own = env.unwrapped
    return {**walked(own, choose, episodes, seed, 0.0), "pushed": walked(own, choose, episodes, seed, PUSHED)}


def everywhere(choose: Choose, episodes: int, seed: int) -> dict[str, Any]:
    return {split: evaluate(gym.make(ENV, **SETTINGS, split=split), choose, episodes, seed) for split in SPLITS}


def by_ppo(seed: int, args: Arguments) -> tuple[dict[str, Any], Choose]:
    given = cleanrl_ppo.Arguments(
        env=ENV,
        settings=(as_pairs(SETTINGS),),
        out=args.work / f"ppo-{seed}",
        seed=seed,
        steps=args.steps,
        envs=16,
        rollout=128,
        splits=SPLITS,
        evaluations=args.evaluations,
        episodes=args.episodes,
        gamma=GAMMA,
        width=args.width,
        greedy=True,
    )
    cleanrl_ppo.evaluate = evaluate
    began = process_time()
    result = cleanrl_ppo.train(given)
    agent, reader = fresh(seed, args)
    agent.load_state_dict(torch.load(given.out / "agent.pt", weights_only=True))
    curve = [{"at": point["step"], **{split: point[split] for split in SPLITS}} for point in result["curve"]]
    told = {"curve": curve, "random": result["random"], "cpu_seconds": round(process_time() - began, 1)}
    return told, cleanrl_ppo.policy(agent, reader, True, torch.Generator())


def fresh(seed: int, args: Arguments) -> tuple[cleanrl_ppo.Agent, cleanrl_ppo.Reader]:
    env = gym.make(ENV, **SETTINGS)
    torch.manual_seed(seed)
    reader = cleanrl_ppo.Reader(env.observation_space, "cpu")
    return cleanrl_ppo.Agent(reader, int(env.action_space.n), args.width), reader


def by_imitation(seed: int, args: Arguments, drives: bool) -> tuple[dict[str, Any], Choose]:
    """Imitate the expert, who labels: its own walks, or those on which the policy ``drives`` half of the time.

    Who drives is pushed as in evaluations, so that there is something to come back from.
    """
    agent, reader = fresh(seed, args)
    choose = cleanrl_ppo.policy(agent, reader, True, torch.Generator())
    env, luck = gym.make(ENV, **SETTINGS).unwrapped, np.random.default_rng(seed)
    met, due, curve, over, began = [], [], [], True, process_time()
    for labels in args.labels:
        while len(due) < labels:
            if over:
                observation, info = env.reset(seed=seed if not due else None)
            met.append(observation)
            due.append(env.expert_action())
            mask = torch.from_numpy(info["action_mask"].astype(bool))[None]
            action = choose(observation, mask) if drives and curve and luck.random() < 0.5 else due[-1]
            if drives and luck.random() < PUSHED:
                action = int(luck.integers(int(env.action_space.n) - 1))
            observation, _, over, _, info = env.step(action)
        imitate(agent, torch.from_numpy(np.stack(met)), torch.tensor(due))
        curve.append({"at": labels, **everywhere(choose, args.episodes, 1_000_000)})
        print("dagger" if drives else "cloning", labels, json.dumps(curve[-1]), flush=True)
    return {"curve": curve, "cpu_seconds": round(process_time() - began, 1)}, choose


def imitate(agent: cleanrl_ppo.Agent, met: Tensor, due: Tensor, passes: int = 30) -> None:
    optimiser = torch.optim.Adam(agent.actor.parameters(), lr=1e-3)
    for _ in range(passes):
        for part in torch.randperm(len(due)).split(128):
            loss = nn.functional.cross_entropy(agent.actor(met[part]), due[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def draw(found: dict[str, Any], out: Path) -> None:
    """Success of free and of pushed walks over training: a row for each kind of walk, a column for each training."""
    mpl.use("Agg")
    from matplotlib import pyplot

    titles = {"ppo": "PPO", "dagger": "DAgger", "cloning": "behaviour cloning"}
    figure, axes = pyplot.subplots(2, 3, figsize=(10, 5.6), sharey=True, sharex="col", layout="constrained")
    for column, (kind, title) in enumerate(titles.items()):
        for row in range(2):
            axis = axes[row][column]
            for split, colour in zip(SPLITS, ("tab:blue", "tab:orange"), strict=True):
                curves = [run["curve"] for run in found["runs"][kind].values()]
                at = [point["at"] / 1000 for point in curves[0]]
                told = [[point[split]["pushed"] if row else point[split] for point in curve] for curve in curves]
                values = np.array([[cell["success"] for cell in cells] for cells in told])
                axis.plot(at, values.mean(0), color=colour, marker="o", markersize=3, label=f"{split} streets")
                axis.fill_between(at, values.min(0), values.max(0), color=colour, alpha=0.2)
            axis.grid(alpha=0.25)
            axis.set_ylim(-0.02, 1.02)
        axes[0][column].set_title(title)
        axes[1][column].set_xlabel("thousand steps" if kind == "ppo" else "thousand labels of the expert")
    axes[0][0].set_ylabel("success, left alone")
    axes[1][0].set_ylabel(f"success, {PUSHED:.0%} of actions replaced")
    axes[0][0].legend(loc="upper left")
    figure.savefig(out / "walking.png", dpi=110)


def main(args: Arguments) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    found: dict[str, Any] = {
        "versions": {name: version(name) for name in ("verienv", "torch", "gymnasium", "numpy")},
        "python": platform.python_version(),
        "settings": SETTINGS,
        "steps": args.steps,
        "labels": args.labels[-1],
        "runs": {"ppo": {}, "dagger": {}, "cloning": {}},
    }
    began = process_time()
    for seed in args.seeds:
        for kind in found["runs"]:
            told, choose = by_ppo(seed, args) if kind == "ppo" else by_imitation(seed, args, kind == "dagger")
            told["last"] = everywhere(choose, 4 * args.episodes, 2_000_000)
            found["runs"][kind][str(seed)] = told
            found["cpu_seconds"] = round(process_time() - began)
            (args.work / "walking.json").write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    (args.out / "walking.json").write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    draw(found, args.out)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
