"""Rewards for walks as a whole, and the words of walks."""

import json

import gymnasium as gym
import numpy as np
import pytest

import verienv
from verienv.virl import VIRLRewards, Waypoint, verify
from verienv.virl.actions import action_space

LEGAL = action_space("absolute")
WRONG = "turn_direction(northeast)"


def made(rewards, **settings):
    env = gym.make("verienv/VIRL-L-v0", mode="walk", rewards=rewards, disable_env_checker=True, **settings).unwrapped
    env.reset(seed=0)
    return env


def said(action):
    return json.dumps({"action": action})


def walked(env, rng, steps=15, stops=False):
    """Rewards and the last info of a walk that strays for some steps, and goes home or stops there."""
    rewards, over = [], False
    while not over:
        strays = len(rewards) < steps
        drawn = "forward()" if rng.random() < 0.6 else str(rng.choice(LEGAL[1:-1]))
        response = said(drawn) if strays else said("stop()") if stops else env.expert_response()
        _, reward, over, _, info = env.step(response)
        rewards.append(reward)
    return rewards, info


@pytest.mark.parametrize("rewards", ["success", "spl"])
def test_success_and_spl_are_paid_at_the_end_alone(rewards):
    env, rng = made(rewards), np.random.default_rng(0)
    paid, info = walked(env, rng, steps=40)
    assert paid[:-1] == [0.0] * (len(paid) - 1)
    assert paid[-1] == (1.0 if rewards == "success" else info["spl"])
    assert 0 < info["spl"] < 1
    env.reset(seed=1)
    assert walked(env, rng, stops=True)[0][-1] == 0


@pytest.mark.parametrize("stops", [True, False])
def test_rewards_of_progress_add_up_to_success_whatever_the_way(stops):
    env, rng = made({"base": "progress", "correct": 3.0}), np.random.default_rng(0)
    every = []
    for seed in range(3):
        env.reset(seed=seed)
        paid, info = walked(env, rng, steps=20, stops=stops)
        every += paid
        assert sum(paid) == pytest.approx(3.0 * info["is_success"], abs=1e-9)
    assert min(every) < 0 < max(every)


def test_progress_that_is_kept_adds_up_to_success_and_the_progress_at_the_end():
    env, rng = made("progress_kept"), np.random.default_rng(2)
    for stops in (True, False):
        env.reset(seed=0)
        paid, info = walked(env, rng, steps=20, stops=stops)
        walk = env.question.walk
        assert sum(paid) == pytest.approx(info["is_success"] + walk.potential(), abs=1e-9)


def test_with_a_discount_the_discounted_rewards_of_progress_add_up_to_discounted_success():
    env, gamma = made({"base": "progress", "gamma": 0.9}), 0.9
    paid, info = walked(env, np.random.default_rng(1))
    assert info["is_success"]
    assert sum(gamma**at * each for at, each in enumerate(paid)) == pytest.approx(gamma ** (len(paid) - 1))


def test_progress_stays_whole_where_no_action_is_left_and_where_answers_cannot_be_read():
    env = made("progress", attempts=2)
    paid = [env.step(env.expert_response())[1] for _ in range(3)]
    paid += [env.step("no answer")[1] for _ in range(2)]
    assert env.episode.is_over
    assert sum(paid) == pytest.approx(0.0, abs=1e-9)
    env.reset(seed=0)
    paid, over = [], False
    while not over:
        _, reward, over, _, _ = env.step(said("forward()"))
        paid.append(reward)
    assert sum(paid) == pytest.approx(0.0, abs=1e-9)


def test_under_the_paper_s_prices_a_detour_can_pay_and_under_progress_it_cannot():
    def total(rewards, detour):
        env, found = made(rewards), 0.0
        while env.waypoint.move != "turn" or env.question.walk.stays("forward()") or not env.question.walk.furthest:
            found += env.step(env.expert_response())[1]
        if detour:  # past the crossing: one wrong action, two right ones back, and the turn as before
            found += env.step(said("forward()"))[1]
        while not env.episode.is_over:
            found += env.step(env.expert_response())[1]
        assert env.episode.is_success
        return found

    assert total("paper", True) > total("paper", False)
    assert total("progress", True) == pytest.approx(1.0) == total("progress", False)


@pytest.mark.parametrize("actions", ["absolute", "relative"])
def test_a_row_is_paid_as_the_walk_is(actions):
    env = made("progress", actions=actions, attempts=2)
    for _ in range(4):
        env.step(env.expert_response())
    env.step("no answer")
    row = {**env.question.row(), "env_id": "verienv/VIRL-L-v0", "attempt": 1}
    for response in (*map(said, action_space(actions)), "no answer", said("turn_direction(up)")):
        first = env.question.but(attempt=1).judge(response)
        assert verienv.judge(json.loads(json.dumps(row)), response) == first


def test_the_expert_earns_the_best_reward_of_a_question():
    env = made("progress")
    while not env.episode.is_over:
        best, paid = env.best_reward, env.step(env.expert_response())[1]
        assert paid == best


def test_rewards_for_walks_are_refused_where_nobody_walks():
    with pytest.raises(ValueError, match="rewards='spl': it is paid for a free walk as a whole; set mode='walk'"):
        gym.make("verienv/VIRL-L-v0", rewards="spl")
    with pytest.raises(ValueError, match="'spl' is paid for a walk; a waypoint alone has no way behind it"):
        verify("", Waypoint(), rewards="spl")
    row = made("progress").question.row() | {"env_id": "verienv/VIRL-L-v0"}
    with pytest.raises(ValueError, match="worth: rewards for a walk as a whole need 12 numbers"):
        verienv.judge({**row, "worth": [1.0]}, "")


def test_a_table_is_written_as_before_but_for_what_it_says_of_walks():
    assert "walk" not in VIRLRewards.of("paper").model_dump()
    assert VIRLRewards.of("progress").model_dump()["walk"] == "progress"
    assert VIRLRewards.of(VIRLRewards.of({"base": "spl", "correct": 2.0}).model_dump()).walk == "spl"


def test_that_an_action_is_carried_out_is_told_and_not_whether_it_was_right():
    env = made("paper")
    told = [env.step(response)[-1]["feedback"] for response in (env.expert_response(), said(WRONG), "?")]
    assert told[:2] == ["Carried out."] * 2
    assert told[2].startswith("Wrong: there is no JSON object")


def test_the_end_of_a_walk_is_told():
    env = made("paper")
    assert env.step(said("stop()"))[-1]["feedback"] == "Wrong: the walk ends here, and this is not the destination."
    env.reset(seed=0)
    while not env.episode.is_over:
        info = env.step(said(WRONG))[-1]
    assert info["feedback"] == "Wrong: the walk ends here, as no action is left; stop() was due before."
    env.reset(seed=0)
    while not env.episode.is_over:
        info = env.step(env.expert_response())[-1]
    assert info["feedback"] == "Correct."


def test_lines_of_one_s_own_take_the_place_of_those_of_walks():
    env = made("paper", feedback={"wrong_action": "Not {action}."})
    assert env.step(said(WRONG))[-1]["feedback"] == f"Not {WRONG}."
    assert env.step(env.expert_response())[-1]["feedback"] == "Carried out."
