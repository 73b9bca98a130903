"""V-IRL in arrays is V-IRL in single environments, number for number."""

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from tests.numeric.vectors.differential import Envs, at_random, made, step_both

import verienv  # noqa: F401 - registers the ids
from verienv.numeric import VIRLDiscreteVector
from verienv.numeric.vectors import route_rows

ENV_ID = "verienv/VIRL-Discrete-v0"
MODES = list(AutoresetMode)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"split": "rule_ood", "mask": "observation", "info": "text"},
    {
        "split": "rule_visual_ood",
        "both": True,
        "directions": "relative",
        "feedback": {"outside_action_space": "{action}?"},
        "info": "text",
    },
    {"side": "all", "directions": "landmarks", "pointer": False, "prompt": "diverse", "rewards": "paper_code"},
    {"city": "grid-7", "turns": (1, 2), "directions": "absolute", "window": 2, "attempts": 5, "mask": "rllib"},
    {"episode": "waypoint", "attempts": 3, "both": True, "info": "text", "mask": "tianshou", "rewards": "partial"},
    {"episode": "turn", "answer_format": "line", "prompt": "diverse", "attempts": 1},
]
OPTIONS = ({"turns": (1, 2)}, {"turns": (2, 3)}, {"landmarks": (1, 9)})


def mostly_right(envs: Envs, masks: NDArray[Any], luck: np.random.Generator) -> NDArray[Any]:
    """The expert's action four times in five."""
    experts = np.array([env.unwrapped.expert_action() for env in envs.envs])
    return np.where(luck.random(len(masks)) < 0.8, experts, at_random(envs, masks, luck))


def both(count: int, mode: AutoresetMode, settings: dict[str, Any]) -> tuple[VIRLDiscreteVector, Envs]:
    ours, theirs = made(ENV_ID, count, mode, settings)
    assert isinstance(ours, VIRLDiscreteVector)
    return ours, theirs


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_nothing_differs_from_single_environments(settings: dict[str, Any]) -> None:
    number = SETTINGS.index(settings)
    ours, theirs = both(3, MODES[number % 3], settings)
    assert step_both(ours, theirs, mostly_right, 40, number, OPTIONS) > 2
    assert step_both(ours, theirs, at_random, 20, number) > 2


def test_rows_that_are_forgotten_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_rows, "BYTES", 0)
    ours, theirs = both(3, AutoresetMode.SAME_STEP, {"turns": (4, 6), "both": True})
    assert step_both(ours, theirs, mostly_right, 50, 3) > 3
    assert ours._rows.used < 200  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_nothing_differs_in_many_steps(settings: dict[str, Any], mode: AutoresetMode) -> None:
    ours, theirs = both(16, mode, settings)
    for seed, choose in enumerate((mostly_right, at_random)):
        assert step_both(ours, theirs, choose, 850, seed, OPTIONS) > 300
