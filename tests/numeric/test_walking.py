"""Free walks in numbers: on the route as on the rail, and off it what a policy needs to come back."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from verienv.numeric.sentences import ACTIONS, layout

SETTINGS = [{}, {"actions": "relative", "directions": "landmarks", "both": True}, {"pointer": False, "window": 20}]


def made(mode="walk", **settings):
    return gym.make("verienv/VIRL-Discrete-v0", mode=mode, disable_env_checker=True, **settings).unwrapped


def part(state, name, window=24):
    return state[layout(window, walk=True)[name]]


def number(env, action):
    return env.actions.index(action)


@pytest.mark.parametrize("settings", SETTINGS)
def test_without_a_mistake_the_numbers_are_those_of_the_rail(settings):
    rail, walk = made("rail", **settings), made(**settings)
    for seed in range(3):
        (before, _), (now, _), over = rail.reset(seed=seed), walk.reset(seed=seed), False
        while not over:
            assert np.array_equal(now[: len(before)], before)
            action = rail.expert_action()
            assert walk.expert_action() == action
            before, reward, over, _, info = rail.step(action)
            now, paid, ended, _, told = walk.step(action)
            assert (paid, ended, told["is_success"]) == (reward, over, info["is_success"])
        assert np.array_equal(now[: len(before)], before)


def test_an_environment_of_walks_passes_gymnasium_s_checker():
    check_env(made(), skip_render_check=True)


def test_one_s_own_last_action_and_last_turn_are_told_and_what_led_nowhere():
    env = made()
    state, _ = env.reset(seed=0)
    assert not part(state, "last_action").any()
    assert not part(state, "last_turn").any()
    assert part(state, "actions_left") == 1
    streets = env.game.question.walk.home.streets
    stand = env.game.question.walk.stand
    blind = next(
        action
        for action in env.actions[1:-1]
        for turned in [streets.after(stand, action)]
        if streets.after(turned, "forward()") == turned
    )
    for action, strides, stayed in ((blind, 0, 0), ("forward()", 0, 1)):
        state, *_ = env.step(number(env, action))
        assert np.flatnonzero(part(state, "last_action")) == ACTIONS.index(action)
        assert np.flatnonzero(part(state, "last_turn")) == ACTIONS.index(blind)
        assert (part(state, "strides"), part(state, "stayed")) == (strides, stayed)
    assert part(state, "actions_left") < 1
    while env.game.waypoint.move != "forward":
        state, *_ = env.step(env.expert_action())
    state, *_ = env.step(env.expert_action())
    assert (part(state, "strides"), part(state, "stayed")) == (0.5, 0)


def test_tried_holds_what_could_not_be_executed_and_is_cleared_by_a_move():
    env = made(both=True, attempts=3)
    env.reset(seed=0)
    state, *_ = env.step(number(env, "turn_direction(left)"))
    assert np.flatnonzero(part(state, "tried")) == ACTIONS.index("turn_direction(left)")
    assert part(state, "attempts_left") == np.float32(2 / 3)
    state, *_ = env.step(number(env, "turn_direction(south)"))
    assert not part(state, "tried").any()
    assert part(state, "attempts_left") == 1


def test_who_walks_past_a_turn_is_told_the_sentence_that_was_due_there():
    env = made()
    state, _ = env.reset(seed=0)
    state, *_ = env.step(env.expert_action())
    while env.game.waypoint.move != "turn":
        arrived, state = state, env.step(env.expert_action())[0]
    kinds = [np.flatnonzero(part(each, "0/kind"))[0] for each in (arrived, state)]
    assert kinds == [1, 1]
    past, *_ = env.step(number(env, "forward()"))
    assert np.flatnonzero(part(past, "0/kind"))[0] == 0
    back, *_ = env.step(env.expert_action())
    assert np.flatnonzero(part(back, "0/kind"))[0] == 0


@pytest.mark.parametrize("actions", ["absolute", "relative"])
def test_the_expert_s_number_is_right_from_anywhere(actions):
    env, rng = made(actions=actions), np.random.default_rng(0)
    for seed in range(3):
        env.reset(seed=seed)
        for _ in range(12):
            env.step(int(rng.integers(len(env.actions) - 1)))
        over = False
        while not over:
            _, _, over, _, info = env.step(env.expert_action())
        assert info["is_success"]
        assert info["navigation_error"] == 0


def test_walks_in_numbers_by_sight_hide_what_the_picture_shows():
    env = gym.make("verienv/VIRL-VL-Discrete-v0", mode="walk", view_size=64, resize=16, disable_env_checker=True)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    observation, *_ = env.step(1)
    assert not part(observation["state"], "landmark").any()
    assert part(observation["state"], "last_turn").any()
