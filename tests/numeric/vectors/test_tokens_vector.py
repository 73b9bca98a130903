"""GeneralPoints in arrays is GeneralPoints in single environments, number for number."""

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from tests.numeric.vectors.differential import Envs, assert_same, at_random, made, step_both

import verienv  # noqa: F401 - registers the ids
from verienv.numeric import GeneralPointsTokensVector
from verienv.numeric.vectors import formula_graph
from verienv.numeric.vectors import tokens as vectors_tokens

ENV_ID = "verienv/GeneralPoints-Tokens-v0"
MODES = list(AutoresetMode)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"strict_mask": True, "mask": "observation", "info": "text"},
    {"cards": 3, "observation": "dict", "max_tokens": 255, "attempts": 2, "mask": "rllib", "rewards": "partial"},
    {"split": "rule_ood", "stated_rule": "ten", "solvable": "scored", "answer_format": "boxed+cards", "attempts": 1},
    {"rule": "any", "prompt": "diverse", "operators": "+-*", "info": "text", "feedback": {"wrong_value": "{value}"}},
    {"cards": 2, "target": 12, "sampling": "iid", "strict_mask": True, "mask": "tianshou", "rewards": "paper_code"},
]
OPTIONS = ({"difficulty": 0}, {"rule": "rank"}, {"solutions": (1, 9)})


def in_play(envs: Envs) -> list[Any]:
    return [env.unwrapped for env in envs.envs]  # type: ignore[attr-defined]


def mostly_right(envs: Envs, masks: NDArray[Any], luck: np.random.Generator) -> NDArray[Any]:
    """Go on as the expert would, where the formula so far is the beginning of the expert's; else draw."""
    actions = at_random(envs, masks, luck)
    for k, env in enumerate(in_play(envs)):
        so_far, right = env.builder.tokens, env.expert_actions()
        if luck.random() < 0.95 and right[: len(so_far)] == so_far:
            actions[k] = right[len(so_far)]
    return actions


def both(count: int, mode: AutoresetMode, settings: dict[str, Any]) -> tuple[GeneralPointsTokensVector, Envs]:
    ours, theirs = made(ENV_ID, count, mode, settings)
    assert isinstance(ours, GeneralPointsTokensVector)
    return ours, theirs


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_nothing_differs_from_single_environments(settings: dict[str, Any]) -> None:
    number = SETTINGS.index(settings)
    ours, theirs = both(3, MODES[number % 3], settings)
    options = OPTIONS if settings.get("cards", 4) == 4 and "rule" not in settings and "split" not in settings else ()
    assert step_both(ours, theirs, mostly_right, 60, number, options) > 1
    step_both(ours, theirs, at_random, 60, number)


def test_states_hands_and_verdicts_that_are_forgotten_are_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formula_graph, "MOST", 8)
    monkeypatch.setattr(vectors_tokens, "MOST_HANDS", 2)
    monkeypatch.setattr(vectors_tokens, "MOST_VERDICTS", 2)
    ours, theirs = both(3, AutoresetMode.NEXT_STEP, {"attempts": 1})
    assert step_both(ours, theirs, mostly_right, 60, 0) > 3
    assert len(ours._graph) < 12
    assert len(ours._hands) <= 2
    assert len(ours._verdicts) <= 2


def test_another_target_is_refused_as_by_a_single_environment() -> None:
    ours, theirs = both(2, AutoresetMode.NEXT_STEP, {})
    told = []
    for envs in (ours, theirs):
        envs.reset(seed=0)
        with pytest.raises(ValueError, match="observed without the target") as caught:
            envs.reset(options={"target": 12})
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_masks_are_those_of_info() -> None:
    envs = GeneralPointsTokensVector(2, strict_mask=True)
    envs.reset(seed=0)
    info = envs.step([0, 8])[4]
    assert_same(envs.action_masks(), info["action_mask"].astype(bool))


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_nothing_differs_in_many_steps(settings: dict[str, Any], mode: AutoresetMode) -> None:
    ours, theirs = both(16, mode, settings)
    assert step_both(ours, theirs, mostly_right, 900, 0) > 300
    assert step_both(ours, theirs, at_random, 900, 1) > 50
