"""Written answers: the expert's are right, wrong ones fail as they say."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv.virl.answers import expert_answer, write_answer, wrong_answer
from verienv.virl.routes.route import Waypoint
from verienv.virl.strategies import waypoints
from verienv.virl.verifier import Failure, verify

RULES = ("absolute", "relative")
TURN = Waypoint(heading=350.0, move="turn", turn_to=80.0, sentence="Turn right to face east.", at_intersection=True)
quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@given(waypoints())
@quick
def test_the_experts_answer_is_right_in_every_way(waypoint):
    assert write_answer(waypoint) == expert_answer(waypoint)
    verdict = verify(write_answer(waypoint), waypoint, strict=True)
    assert (verdict.reward, verdict.is_correct) == (1.0, True)
    assert verdict.metrics["observation_correct"]
    assert verdict.metrics["instruction_correct"] is bool(waypoint.sentence)


def test_an_answer_holds_the_three_fields_in_order():
    assert json.loads(write_answer(replace(TURN, actions="relative"))) == {
        "current observation": "No landmark is near. You are at an intersection.",
        "current instruction": "Turn right to face east.",
        "action": "turn_direction(right)",
    }
    assert list(json.loads(write_answer(TURN))) == ["current observation", "current instruction", "action"]


def test_action_and_observation_can_be_given():
    fields = json.loads(write_answer(TURN, action="stop()", observation=""))
    assert (fields["action"], fields["current observation"]) == ("stop()", "")


@given(waypoints(), st.sampled_from(list(Failure)), st.integers(0, 99))
@quick
def test_a_wrong_answer_fails_as_it_says(waypoint, failure, seed):
    answer = wrong_answer(waypoint, failure, np.random.default_rng(seed))
    verdict = verify(answer, waypoint)
    assert verdict.failure == failure
    assert verdict.metrics["observation_correct"] or failure == Failure.UNREADABLE


@pytest.mark.parametrize("actions", RULES)
def test_wrong_answers_are_those_of_policies(actions):
    rng, waypoint = np.random.default_rng(0), replace(TURN, actions=actions)
    drawn = {failure: Counter(wrong_answer(waypoint, failure, rng) for _ in range(200)) for failure in Failure}
    assert len(drawn[Failure.UNREADABLE]) >= 4
    assert len(drawn[Failure.ILLEGAL]) >= 6
    written = {json.loads(answer)["action"] for answer in drawn[Failure.WRONG_ACTION]}
    assert {"forward()", "stop()"} < written
    assert any(action.startswith("turn_direction") for action in written)


def test_outside_the_space_is_the_same_turn_in_the_other_rules_word():
    rng = np.random.default_rng(0)
    assert '"turn_direction(right)"' in wrong_answer(TURN, Failure.OUTSIDE, rng)
    assert '"turn_direction(east)"' in wrong_answer(replace(TURN, actions="relative"), Failure.OUTSIDE, rng)


def test_the_same_generator_draws_the_same_wrong_answer():
    for failure in Failure:
        assert len({wrong_answer(TURN, failure, np.random.default_rng(3)) for _ in range(3)}) == 1


def test_an_unknown_failure_has_no_answer():
    assert wrong_answer(TURN, "misread", np.random.default_rng(0)) is None


@given(waypoints())
@quick
def test_with_steps_the_expert_says_what_is_true_before_the_same_answer(waypoint):
    *steps, answer = expert_answer(waypoint, steps=True).splitlines()
    assert answer == expert_answer(waypoint)
    assert waypoint.observation in steps[0]
    assert waypoint.sentence in steps[0]
