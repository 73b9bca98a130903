"""Trains PPO on verienv/VIRL-Discrete-v0 and writes docs/results/numeric/virl-discrete.json and .png.

    python tools/study_virl_discrete.py

It runs examples/cleanrl_ppo.py on each arm and seed, its evaluation replaced by one that counts steps and routes.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import gymnasium as gym
import matplotlib as mpl
import numpy as np
import torch
import tyro

import verienv  # noqa: F401 - registers the environments

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))
import cleanrl_ppo  # noqa: E402
from study_plan import as_pairs  # noqa: E402

ENV = "verienv/VIRL-Discrete-v0"
ARMS: dict[str, dict[str, Any]] = {
    "absolute": {"both": True},
    "relative": {"both": True, "actions": "relative"},
    "no pointer": {"both": True, "pointer": False},
}
"""What is trained on, beside the streets of the train side."""
CELLS: dict[str, dict[str, Any]] = {
    "train": {"split": "train"},
    "test": {"split": "test"},
    "rule_ood": {"split": "rule_ood"},
    "relative, train streets": {"split": "rule_ood", "side": "train"},
    "visual_ood": {"split": "visual_ood"},
    "rule_visual_ood": {"split": "rule_visual_ood"},
}
Choose = Callable[[Any, torch.Tensor], int]


@dataclass
class Arguments:
    steps: int = 100_000
    """Environment steps of each run."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One run for each, on each arm."""
    episodes: int = 100
    """Of each evaluation while training; the last one plays twice as many."""
    evaluations: int = 8
    """While training."""
    work: Path = Path("runs/virl-discrete")
    """Where the runs go."""
    out: Path = ROOT / "docs" / "results" / "numeric"
    """Where the JSON file and the figure go."""


def evaluate(env: gym.Env[Any, Any], choose: Choose, episodes: int, seed: int) -> dict[str, Any]:
    """The share of routes done ("success") and of attempts that were right ("step_accuracy")."""
    done = right = attempts = 0
    for episode in range(episodes):
        observation, info = env.reset(seed=seed if episode == 0 else None)
        over = False
        while not over:
            mask = torch.from_numpy(info["action_mask"].astype(bool))[None]
            observation, _, over, _, info = env.step(choose(observation, mask))
            right, attempts = right + info["is_correct"], attempts + 1
        done += info["is_success"]
    return {"success": done / episodes, "step_accuracy": right / attempts}


def unmasked(choose: Choose) -> Choose:
    """The same policy with every action allowed: those of the other rule too."""
    return lambda observation, mask: choose(observation, torch.ones_like(mask))


def trained(arm: str, seed: int, args: Arguments) -> dict[str, Any]:
    """A run: its curve, and at its end every cell, with the mask and without."""
    settings = ARMS[arm]
    splits = ("train", "test") if "actions" in settings else ("train", "test", "rule_ood")
    given = cleanrl_ppo.Arguments(
        env=ENV,
        settings=(as_pairs(settings),),
        out=args.work / f"{arm.replace(' ', '-')}-{seed}",
        seed=seed,
        steps=args.steps,
        splits=splits,
        evaluations=args.evaluations,
        episodes=args.episodes,
        gamma=0.9,
        greedy=True,
    )
    cleanrl_ppo.evaluate = evaluate
    result = cleanrl_ppo.train(given)
    whole = {name: value for name, value in settings.items() if name != "actions"}
    env = gym.make(ENV, **whole)
    reader = cleanrl_ppo.Reader(env.observation_space, "cpu")
    agent = cleanrl_ppo.Agent(reader, int(env.action_space.n), given.width)
    agent.load_state_dict(torch.load(given.out / "agent.pt", weights_only=True))
    choose = cleanrl_ppo.policy(agent, reader, True, torch.Generator())
    last = {}
    for cell, where in CELLS.items():
        arena = gym.make(ENV, **whole, **where)
        played = {"masked": choose, "unmasked": unmasked(choose)}
        last[cell] = {name: evaluate(arena, how, 2 * args.episodes, 2_000_000) for name, how in played.items()}
    return {"curve": result["curve"], "seconds_of_training": result["seconds_of_training"], "last": last}


def baselines(episodes: int) -> dict[str, Any]:
    """Always ``forward()``, and a draw among the actions of the rule."""
    luck = torch.Generator().manual_seed(0)
    policies: dict[str, Choose] = {"forward": lambda observation, mask: 0, "random": cleanrl_ppo.at_random(luck)}
    return {
        name: {cell: evaluate(gym.make(ENV, **where), choose, episodes, 2_000_000) for cell, where in CELLS.items()}
        for name, choose in policies.items()
    }


def draw(found: dict[str, Any], out: Path) -> None:
    """Success by route and accuracy by step over training: a line for each seed's mean, a band from least to most."""
    mpl.use("Agg")
    from matplotlib import pyplot

    panels = (
        ("absolute", "trained on compass words"),
        ("relative", "trained on left and right"),
        ("no pointer", "compass words, no pointer"),
    )
    colours = {"train": "tab:blue", "test": "tab:orange", "rule_ood": "tab:red"}
    figure, axes = pyplot.subplots(2, 3, figsize=(11, 6), sharex=True, sharey=True, layout="constrained")
    for column, (arm, title) in enumerate(panels):
        rule = "relative, train streets" if arm == "relative" else "train"
        for row, (measure, name) in enumerate((("success", "routes done"), ("step_accuracy", "steps right"))):
            axis = axes[row][column]
            runs = [run["curve"] for run in found["runs"][arm].values()]
            steps = [point["step"] / 1000 for point in runs[0]]
            for cell, colour in colours.items():
                if cell not in runs[0][0]:
                    continue
                values = np.array([[point[cell][measure] for point in run] for run in runs])
                label = {"train": "train streets", "test": "test streets", "rule_ood": "test streets, other rule"}[cell]
                axis.plot(steps, values.mean(0), color=colour, label=label)
                axis.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
            for policy, style in (("forward", "--"), ("random", ":")):
                value = found["baselines"][policy][rule][measure]
                axis.axhline(value, color="0.3", linestyle=style, linewidth=1, label=f"{policy}, train streets")
            axis.set_ylim(-0.02, 1.02)
            axis.grid(alpha=0.3)
            if not column:
                axis.set_ylabel(name)
            if row:
                axis.set_xlabel("thousand environment steps")
            else:
                axis.set_title(title)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    figure.savefig(out, dpi=110)


def main(args: Arguments) -> None:
    began = monotonic()
    found: dict[str, Any] = {
        "versions": {name: version(name) for name in ("verienv", "torch", "gymnasium", "numpy")},
        "python": platform.python_version(),
        "steps": args.steps,
        "arms": ARMS,
        "baselines": baselines(2 * args.episodes),
        "runs": {arm: {str(seed): trained(arm, seed, args) for seed in args.seeds} for arm in ARMS},
    }
    found["seconds"] = round(monotonic() - began)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "virl-discrete.json").write_text(json.dumps(found, indent=1) + "\n")
    draw(found, args.out / "virl-discrete.png")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
