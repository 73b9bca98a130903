"""The paper's id of GeneralPoints, held to calls that were recorded from its own code at commit 5a6ea55."""

import inspect
import json
import random

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import verienv.compat.paper  # noqa: F401 - it registers the id
from verienv.compat.paper.hands import PaperHands

ENV_ID = "gym_cards/GeneralPoint-oneline-v0"
ARGUMENTS = {
    "treat_face_cards_as_10": True,
    "target_points": 24,
    "resolution": 1200,
    "show_eqn": True,
    "verify_iter": 5,
    "ood": False,
    "language_only": True,
    "face_cards_color": "mixed",
}
KEYS = ["Cards", "Plain Cards", "Numbers", "Formula", "Solution", "Remaining Numbers", "Remaining Step", "Verify Info"]
HANDS = {
    "mixed": ({}, ["HK C5 D2 C4", "D7 S5 C2 C4", "SA HQ DQ S5", "SK H5 H4 CA", "S2 S6 HA HT", "CJ C7 H6 H7"]),
    "black": (
        {"face_cards_color": "black"},
        ["SK C5 C2 C4", "C7 S5 C2 C4", "SA SQ CQ S5", "SK S5 S4 CA", "S2 S6 SA ST", "CJ C7 S6 S7"],
    ),
    "rule ood": (
        {"ood": True, "treat_face_cards_as_10": False},
        ["HQ C2 H7 D6", "SJ CQ CJ DJ", "DJ HA SK DK", "S7 CQ HT HK", "H8 D3 SK SA", "S6 S2 CJ S9"],
    ),
}
"""The hands dealt after random.seed(42), making the environment and then resets, with the arguments of each."""

PRICES = [("1+1", -4), ("nothing", -3), ("10+5+2+4", -1), ("(1+", -4), ("4+10+2*5", 5)]
"""The rewards of formulas on the first of those hands, K 5 2 4 under J=Q=K=10, one after the other."""


def make(**arguments):
    random.seed(42)
    return gym.make(ENV_ID, **{"resolution": 64, **arguments})


@pytest.fixture
def env():
    env = make()
    env.reset(seed=42)
    return env


def answer(formula, cards=("K", "5", "2", "4")):
    return json.dumps({"cards": list(cards), "number": [10, 5, 2, 4], "formula": formula})


def test_arguments_have_the_names_and_defaults_of_the_papers_code():
    parameters = list(inspect.signature(PaperHands).parameters.values())
    assert {each.name: each.default for each in parameters} == ARGUMENTS


def test_the_id_has_the_papers_step_limit():
    assert gym.spec(ENV_ID).max_episode_steps == 300


@pytest.mark.parametrize(("arguments", "hands"), HANDS.values(), ids=list(HANDS))
def test_hands_are_those_that_the_papers_code_deals_after_the_same_seed_of_random(arguments, hands):
    env = make(**arguments)
    assert [" ".join(env.reset(seed=42)[1]["Cards"]) for _ in hands] == hands


def test_info_has_the_papers_keys_in_order(env):
    for info in (env.reset()[1], env.step("?")[4]):
        assert list(info) == KEYS


def test_info_is_what_a_log_of_json_can_hold(env):
    json.dumps(env.step(answer("1+1"))[4])


def test_the_first_info_says_nothing_of_an_answer(env):
    info = make().reset()[1]
    expected = {"Plain Cards": ["K", "5", "2", "4"], "Numbers": [10, 5, 2, 4], "Formula": [], "Remaining Step": 5}
    assert {name: info[name] for name in expected} == expected
    assert info["Verify Info"] is None


def test_prices_are_the_papers(env):
    assert [env.step(answer(formula))[1] for formula, _ in PRICES] == [price for _, price in PRICES]


def test_a_right_answer_terminates(env):
    assert env.step(answer("4+10+2*5"))[1:4] == (5.0, True, False)


def test_the_step_after_the_last_answer_is_not_judged_and_truncates(env):
    before = [env.step("?")[1:4] for _ in range(5)]
    assert before == [(-3.0, False, False)] * 5
    _, reward, terminated, truncated, info = env.step(answer("4+10+2*5"))
    assert (reward, terminated, truncated) == (-1.0, False, True)
    assert (info["Verify Info"], info["Remaining Step"]) == ("step_limit_reached", -1)


def test_a_step_after_the_end_is_refused(env):
    env.step(answer("4+10+2*5"))
    with pytest.raises(ResetNeeded):
        env.step("?")


@pytest.mark.parametrize(("language_only", "reward"), [(True, 5.0), (False, -1.5)])
def test_misread_cards_cost_where_they_are_in_the_picture_alone(language_only, reward):
    env = make(language_only=language_only)
    env.reset()
    assert env.step(answer("4+10+2*5", cards=("Q", "5", "2", "4")))[1] == reward


def test_every_observation_is_the_picture_of_the_hand(env):
    first, again = env.reset()[0], env.step("?")[0]
    assert env.observation_space.contains(first)
    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"face_cards_color": "blue"}, "face_cards_color='blue': expected mixed, red, black"),
        ({"resolution": 12}, "resolution=12: expected an integer from 64 to 2048"),
        ({"verify_iter": 0}, "verify_iter=0: expected an integer from 1 to 64"),
        ({"ood": "True"}, "ood='True': expected True or False"),
        ({"target_points": 999_999}, "target_points=999999: no hand that is dealt here makes it"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        PaperHands(**{"resolution": 64, **wrong})
