"""Written answers: the expert's are right, flawed ones fail as they say."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv.testing import waypoints
from verienv.virl.answers import flawed_answer, write_answer
from verienv.virl.routes.route import Waypoint
from verienv.virl.verifier import Failure, verify

RULES = ("absolute", "relative")
TURN = Waypoint(heading=350.0, move="turn", turn_to=80.0, sentence="Turn right to face east.", at_intersection=True)
quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@given(waypoints(), st.sampled_from(RULES))
@quick
def test_the_experts_answer_is_right_in_every_way(waypoint, actions):
    verdict = verify(write_answer(waypoint, actions), waypoint, actions=actions, strict=True)
    assert (verdict.reward, verdict.is_correct) == (1.0, True)
    assert verdict.metrics["observation_correct"]
    assert verdict.metrics["instruction_correct"] is bool(waypoint.sentence)


def test_an_answer_holds_the_three_fields_in_order():
    assert json.loads(write_answer(TURN, "relative")) == {
        "current observation": "No landmark is near. You are at an intersection.",
        "current instruction": "Turn right to face east.",
        "action": "turn_direction(right)",
    }
    assert list(json.loads(write_answer(TURN, "absolute"))) == ["current observation", "current instruction", "action"]


def test_action_and_observation_can_be_given():
    fields = json.loads(write_answer(TURN, "absolute", action="stop()", observation=""))
    assert (fields["action"], fields["current observation"]) == ("stop()", "")


@given(waypoints(), st.sampled_from(RULES), st.sampled_from(list(Failure)), st.integers(0, 99))
@quick
def test_a_flawed_answer_fails_as_it_says(waypoint, actions, failure, seed):
    answer = flawed_answer(waypoint, actions, failure, np.random.default_rng(seed))
    verdict = verify(answer, waypoint, actions=actions)
    assert verdict.failure == failure
    assert verdict.metrics["observation_correct"] or failure == Failure.UNREADABLE


@pytest.mark.parametrize("actions", RULES)
def test_flaws_are_those_of_policies(actions):
    rng = np.random.default_rng(0)
    drawn = {failure: Counter(flawed_answer(TURN, actions, failure, rng) for _ in range(200)) for failure in Failure}
    assert len(drawn[Failure.UNREADABLE]) >= 4
    assert len(drawn[Failure.ILLEGAL]) >= 6
    written = {json.loads(answer)["action"] for answer in drawn[Failure.WRONG_ACTION]}
    assert {"forward()", "stop()"} < written
    assert any(action.startswith("turn_direction") for action in written)


def test_outside_the_space_is_the_same_turn_in_the_other_rules_word():
    rng = np.random.default_rng(0)
    assert '"turn_direction(right)"' in flawed_answer(TURN, "absolute", Failure.OUTSIDE, rng)
    assert '"turn_direction(east)"' in flawed_answer(TURN, "relative", Failure.OUTSIDE, rng)


def test_the_same_generator_draws_the_same_flaw():
    for failure in Failure:
        assert len({flawed_answer(TURN, "absolute", failure, np.random.default_rng(3)) for _ in range(3)}) == 1


def test_an_unknown_failure_has_no_answer():
    assert flawed_answer(TURN, "absolute", "misread", np.random.default_rng(0)) is None
