"""The two environment ids of *SFT Memorizes, RL Generalizes* (arXiv 2501.17161) over ours, for the paper's own code.

Importing this registers ``gym_cards/GeneralPoint-oneline-v0`` and ``gym_virl/Navigation-v0`` with that code's argument
names, info keys, prices, seed habit and truncation; stand-ins for its modules ``gym_cards`` and ``gym_virl`` are put in
place, so that its evaluator imports them as ever. In a clone of it::

    python -m verienv.compat.paper.run evaluation.launcher -f evaluation/configs/llama_gp_language.yaml

Not a line of it is here: its interface is written down as facts (read at commit 5a6ea55, April 2025), and tests hold us
to calls that were recorded. ``docs/paper.md`` lists what differs, loud or silent.
"""

from __future__ import annotations

import sys
from types import ModuleType

import gymnasium as gym

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__, _ = lazy_attributes(__name__)

IDS = {
    "gym_cards/GeneralPoint-oneline-v0": "verienv.compat.paper.hands:PaperHands",
    "gym_virl/Navigation-v0": "verienv.compat.paper.navigation:PaperNavigation",
}
"""The ids, each with the "module:class" behind it."""

MOST_STEPS = 300
"""The steps after which Gymnasium truncates an episode, as that code registers its ids."""

MODULES = ("gym_cards", "gym_virl")


def register() -> None:
    """Register the ids, and put stand-ins for the modules in place. Done by importing this; again is harmless.

    Raises:
        RuntimeError: if the paper's own modules were imported before: the ids are theirs then.
    """
    for name in MODULES:
        module = sys.modules.setdefault(name, ModuleType(name, "A stand-in by verienv.compat.paper."))
        if getattr(module, "__file__", None):
            raise RuntimeError(f"{name} is imported already ({module.__file__}); import verienv.compat.paper before it")
    for env_id, entry_point in IDS.items():
        if env_id not in gym.registry:
            gym.register(env_id, entry_point, max_episode_steps=MOST_STEPS, disable_env_checker=True)


register()
