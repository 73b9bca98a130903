"""A page for each environment, made of the docstring of its class, its splits, its settings, and its first question."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import gymnasium as gym
import numpy as np

from verienv.core import tasks
from verienv.core.env import VerifiedEnv
from verienv.numeric import DiscreteConfig, GeneralPointsTokens, TokensConfig, VIRLDiscrete

SETTINGS: dict[type, Any] = {GeneralPointsTokens: TokensConfig, VIRLDiscrete: DiscreteConfig}

SHORT = 60
"""The characters of a default that a table of settings shows."""


@dataclass(frozen=True)
class Environment:
    """An id, the class behind it, and the path of its page."""

    env_id: str
    behind: type
    settings: Any

    @property
    def name(self) -> str:
        return self.env_id.removeprefix("verienv/")

    @property
    def target(self) -> str:
        return f"environments/{self.name}.md"


def environments() -> Iterator[Environment]:
    """Yield the shipped environments, in words, by vision and in numbers."""
    for task in map(tasks.named, ("generalpoints", "virl")):
        for env_id, entry in {**task.environments, **task.numeric}.items():
            module, _, name = entry.partition(":")
            found = getattr(import_module(module), name)
            behind = found if inspect.isclass(found) else type(gym.make(env_id, disable_env_checker=True).unwrapped)
            yield Environment(env_id, behind, SETTINGS.get(behind) or behind.settings)


def page(environment: Environment, picture: Callable[[np.ndarray], str]) -> str:
    """Return the page of an environment; ``picture`` keeps an image and returns its path from the page."""
    doc = inspect.cleandoc(environment.behind.__doc__ or "")
    head, _, rest = doc.partition("\n\n")
    parts = [
        f"# {environment.name}",
        head,
        f'```python\nimport gymnasium as gym\nimport verienv\n\nenv = gym.make("{environment.env_id}")\n```',
        first(environment, picture),
        rest,
        splits(environment),
        arguments(environment.settings),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def first(environment: Environment, picture: Callable[[np.ndarray], str]) -> str:
    """Return the first question of seed 0, and what the expert answers; of numbers the spaces alone."""
    env = gym.make(environment.env_id, disable_env_checker=True)
    observation, _ = env.reset(seed=0)
    if not isinstance(env.unwrapped, VerifiedEnv):
        spaces = f"action_space       {env.action_space}\nobservation_space  {env.observation_space}"
        return f"```text\n{spaces}\n```"
    parts = ["## The question of seed 0", f"```text\n{observation['text']}\n```"]
    if "image" in observation:
        parts.append(f"![The picture that belongs to this question]({picture(observation['image'])})")
    expert = env.unwrapped.expert_response()
    _, reward, *_, info = env.step(expert)
    parts += [f"A right answer, and its verdict: {info['feedback']} It pays {reward:g}.", f"```text\n{expert}\n```"]
    return "\n\n".join(parts)


def splits(environment: Environment) -> str:
    """Return the settings that each split stands for, as a table."""
    names = getattr(environment.settings, "splits", {})
    if not names:
        return ""
    lines = [
        f"| `{name}` | {', '.join(f'`{key}={value!r}`' for key, value in stands_for.items())} |"
        for name, stands_for in names.items()
    ]
    return "\n".join(["## Splits", "", "| split | stands for |", "|---|---|", *lines])


def arguments(settings: Any) -> str:
    """Return the fields of the class of settings, as a table: name, default, meaning."""
    told = attributes(settings)
    lines = []
    for name, field in settings.model_fields.items():
        default = "" if field.is_required() else repr(field.get_default(call_default_factory=True))
        shown = default if len(default) <= SHORT else f"{default[:SHORT]}..."
        lines.append(f"| `{name}` | `{shown.replace('|', chr(92) + '|')}` | {told.get(name, '')} |")
    return "\n".join(
        [f"## Settings: `{settings.__name__}`", "", "| name | default | meaning |", "|---|---|---|", *lines]
    )


def attributes(behind: type) -> dict[str, str]:
    """Return what the docstrings of a class and of those it derives from tell of each attribute."""
    told: dict[str, str] = {}
    for each in reversed(behind.__mro__):
        _, _, listed = inspect.cleandoc(each.__dict__.get("__doc__") or "").partition("Attributes:\n")
        block = listed.partition("\n\n")[0]
        for names, words in re.findall(r"^    (\w[\w, ]*): (.*(?:\n {5,}.*)*)", block, re.MULTILINE):
            words = re.sub(r"\s+", " ", words).replace("|", r"\|")
            told |= dict.fromkeys(re.split(r", *", names), words)
    return told
