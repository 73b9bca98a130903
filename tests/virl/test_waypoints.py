"""Episodes of one waypoint: dealt from routes, told as on a walk, and over after it."""

from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from verienv import Episode, demonstrations, judge, rows
from verienv.numeric.sentences import ACTIONS, IN_HEAD
from verienv.virl.env import VIRLEnv
from verienv.virl.vision_env import VIRLVisionEnv

ENV_ID = "verienv/VIRL-L-v0"
SETTINGS: dict[str, Any] = {"city": "grid-7", "turns": 1, "spacing": 150.0, "episode": "waypoint"}


@pytest.mark.parametrize("kind", [VIRLEnv, VIRLVisionEnv])
def test_a_waypoint_is_told_as_it_is_on_a_walk_of_the_expert(kind: type[VIRLEnv]) -> None:
    env, walk = kind(**SETTINGS), kind(**SETTINGS | {"episode": "route"})
    for seed in range(10):
        env.reset(seed=seed)
        walk.reset(options={"instance": env.instance})
        while walk.passed < env.passed:
            walk.step(walk.expert_response())
        assert env.messages == walk.messages


def test_a_waypoint_is_drawn_from_all_of_a_route_equally_often() -> None:
    env = VIRLEnv(**SETTINGS)
    instance, rng = env.deal(np.random.default_rng(0)).instance, np.random.default_rng(1)
    dealt = [env.deal(rng, instance) for _ in range(400)]
    drawn = Counter(len(question.steps) for question in dealt)
    assert dealt[0].route
    expected = 400 / len(dealt[0].route.waypoints)
    assert sorted(drawn) == list(range(len(dealt[0].route.waypoints)))
    assert all(0.7 * expected < count < 1.3 * expected for count in drawn.values())


def test_turns_alone_are_dealt_and_all_of_them() -> None:
    env = VIRLEnv(**SETTINGS | {"episode": "turn", "turns": 3})
    instance, rng = env.deal(np.random.default_rng(0)).instance, np.random.default_rng(1)
    dealt = [env.deal(rng, instance) for _ in range(40)]
    assert {question.waypoint.move for question in dealt} == {"turn"}
    assert len({question.steps for question in dealt}) == 3
    with pytest.raises(ValueError, match="episode='turn': some routes of turns=0 have none; set turns=1 or more"):
        VIRLEnv(**SETTINGS | {"episode": "turn", "turns": (0, 1)})


def test_a_seed_deals_one_waypoint_under_either_rule() -> None:
    absolute, relative = (VIRLEnv(**SETTINGS, actions=actions) for actions in ("absolute", "relative"))
    for seed in range(20):
        absolute.reset(seed=seed)
        relative.reset(seed=seed)
        assert absolute.waypoint.location == relative.waypoint.location
        assert absolute.passed == relative.passed


def test_a_right_action_ends_the_episode_and_a_wrong_one_may_be_mended() -> None:
    env = VIRLEnv(**SETTINGS)
    for seed in range(10):
        assert env.reset(seed=seed)[1]["progress"] == 0.0
        *_, over, _, info = env.step("?")
        assert (over, info["progress"]) == (False, 0.0)
        *_, over, _, info = env.step(env.expert_response())
        assert over
        assert (info["is_success"], info["progress"], info["turns"]) == (True, 1.0, 1)


@pytest.mark.parametrize("unit", [None, "question"])
def test_a_row_of_a_waypoint_is_dealt_again(unit: str | None) -> None:
    for row in rows(ENV_ID, n=8, unit=unit, **SETTINGS):
        episode = Episode.of(row)
        assert episode.messages == row["prompt"]
        assert judge(row, episode.expert()).is_correct
        episode.answer(episode.expert())
        assert episode.is_over


def test_demonstrations_are_of_waypoints_of_different_routes() -> None:
    dealt = list(demonstrations(ENV_ID, n=20, **SETTINGS))
    assert len({row["instance"] for row in dealt}) == 20
    assert {row["reward"] for row in dealt} == {1.0}


def test_in_numbers_the_action_that_led_to_a_waypoint_is_told() -> None:
    env = gym.make("verienv/VIRL-Discrete-v0", **SETTINGS)
    told = set()
    for seed in range(10):
        state = env.reset(seed=seed)[0]
        last = state[IN_HEAD["last_action"]]
        game: Any = env.unwrapped.game  # type: ignore[attr-defined]
        due = [game.route.waypoints[game.passed - 1].action] if game.passed else []
        assert [ACTIONS[index] for index in np.flatnonzero(last)] == due
        told |= {*due}
    assert len(told) > 1


def test_the_policys_own_words_cannot_be_the_history_of_a_waypoint() -> None:
    with pytest.raises(ValueError, match=r"history='own': with episode='waypoint' .* set history='oracle' or 'none'"):
        VIRLVisionEnv(**SETTINGS, history="own")
