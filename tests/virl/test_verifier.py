"""The verifier: every vector in every mode it holds for, hostile text, and what a verdict says."""

import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv.core.cases import CANARY
from verienv.testing import odd_responses
from verienv.virl import observations as claims
from verienv.virl.actions import action_space
from verienv.virl.answers import write_answer
from verienv.virl.cases import VIRLCase, hostile_cases, load_vectors
from verienv.virl.routes.route import Waypoint
from verienv.virl.strategies import waypoints
from verienv.virl.verifier import REWARDS, Failure, VIRLRewards, action_failure, verify
from verienv.virl.world.geometry import COMPASS, TURNS

TURN = Waypoint(
    (40.7, -74.0), 350.0, "turn", 80.0, "Turn right to face east.", "Joe's Pizza", "Joe's Pizza", 260.0, True
)
RELATIVE = replace(TURN, actions="relative")
RULES = ("absolute", "relative")
quick = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def misjudged(case: VIRLCase) -> list[object]:
    """The verdicts on a vector that it is not owed, or that cannot be written."""
    modes = [strict for strict in (False, True) if case.holds(strict)]
    found: list[object] = [] if modes else ["holds in no mode"]
    for strict in modes:
        verdict = verify(case.response, case.waypoint, strict=strict)
        is_owed = (verdict.failure, verdict.is_correct, verdict.reward) == (case.failure, case.is_correct, case.reward)
        is_owed &= verdict.metrics["observation_correct"] is case.observed
        is_written = json.loads(verdict.model_dump_json())["failure"] == case.failure
        if not (is_owed and is_written and re.fullmatch(r"[ -~]{1,160}", verdict.feedback)):
            found.append((strict, verdict))
    return found


@pytest.mark.parametrize("group", sorted({case.group for case in load_vectors()}))
def test_each_vector_of_a_group_gets_its_verdict(group: str):
    cases = [case for case in load_vectors() if case.group == group]
    assert {case.name: found for case in cases if (found := misjudged(case))} == {}


def test_the_vectors_are_many_of_every_failure_and_under_both_rules():
    vectors = load_vectors()
    assert len(vectors) > 900
    assert len({case.name for case in vectors}) == len(vectors)
    assert {case.failure for case in vectors} == {"", *Failure}
    assert {case.waypoint.actions for case in vectors if case.is_correct} == {*RULES}
    assert {case.reward for case in vectors} == {1.0, -1.0, -1.5}


@pytest.mark.parametrize("rewards", REWARDS)
def test_only_correct_vectors_reach_the_price_of_a_correct_action(rewards):
    for case in load_vectors():
        verdict = verify(case.response, case.waypoint, rewards=rewards)
        assert (verdict.reward == REWARDS[rewards].correct) == verdict.is_correct


@pytest.mark.parametrize("strict", [False, True])
def test_hostile_text_is_not_paid_and_no_code_is_run(strict):
    for case in hostile_cases(seed=1):
        verdict = verify(case.response, case.waypoint, strict=strict)
        assert verdict.reward < 0
        verdict.model_dump_json()
    assert CANARY not in os.environ


@given(odd_responses("virl"), waypoints(), st.booleans(), st.sampled_from(list(REWARDS)))
@quick
def test_any_text_gets_one_finite_verdict_that_can_be_written(response, waypoint, strict, rewards):
    verdict = verify(response, waypoint, strict=strict, rewards=rewards)
    assert math.isfinite(verdict.reward)
    assert verdict.failure in {"", *Failure}
    assert verdict.is_correct == (verdict.failure == "")
    assert json.loads(verdict.model_dump_json())
    assert re.fullmatch(r"[ -~]{1,160}", verdict.feedback)
    assert verify(response, waypoint, strict=strict, rewards=rewards) == verdict


@given(waypoints())
@quick
def test_exactly_one_action_of_the_space_is_right(waypoint):
    right = [action for action in action_space(waypoint.actions) if not action_failure(action, waypoint)]
    assert right == [waypoint.action]


@given(waypoints(), st.sampled_from(["I see the sea.", "", None, 5]))
@quick
def test_a_correct_action_is_paid_whatever_the_observation_says(waypoint, observation):
    response = json.dumps({"current observation": observation, "action": waypoint.action})
    assert verify(response, waypoint).reward == 1.0


@pytest.mark.parametrize("word", COMPASS)
def test_words_of_the_compass_are_outside_the_relative_space_and_told_so(word):
    verdict = verify(write_answer(RELATIVE, action=f"turn_direction({word})"), RELATIVE)
    assert (verdict.failure, verdict.reward) == ("outside_action_space", -1.0)
    assert f"turn_direction({word}) is outside the action space" in verdict.feedback
    assert "left, right, slightly left, slightly right" in verdict.feedback


@pytest.mark.parametrize("word", TURNS)
def test_left_and_right_are_outside_the_absolute_space_and_told_so(word):
    verdict = verify(write_answer(TURN, action=f"turn_direction({word})"), TURN)
    assert (verdict.failure, verdict.reward) == ("outside_action_space", -1.0)
    assert f"turn_direction({word}) is outside the action space" in verdict.feedback
    assert ", ".join(COMPASS) in verdict.feedback


@pytest.mark.parametrize(("actions", "turn_to"), [("absolute", 15.0), ("relative", 20.0)])
def test_a_turn_across_north_is_judged_modulo_360(actions, turn_to):
    place = replace(TURN, heading=350.0, turn_to=turn_to, actions=actions)
    due = {"absolute": "turn_direction(north)", "relative": "turn_direction(slightly right)"}[actions]
    assert action_failure(due, place) == ""
    assert action_failure("turn_direction(left)", replace(place, actions="relative")) == "wrong_action"


def test_feedback_never_tells_the_action_that_is_due():
    for case in load_vectors():
        verdict = verify(case.response, case.waypoint)
        if case.waypoint.move == "turn":
            assert case.waypoint.action not in verdict.feedback
        if verdict.failure == "wrong_action":
            assert "()" not in verdict.feedback


def test_feedback_is_one_of_few_lines_and_never_the_policys_own_words():
    told = {verify(case.response, case.waypoint).feedback for case in load_vectors()}
    assert len(told) == 4 + len(COMPASS) + len(TURNS)


def test_the_feedback_of_each_failure():
    told = {action: verify(write_answer(TURN, action=action), TURN).feedback for action in
            ("turn_direction(east)", "forward()", "turn east")}  # fmt: skip
    assert told == {
        "turn_direction(east)": "Correct.",
        "forward()": "Wrong: this is not the action that the instruction asks for here.",
        "turn east": "Wrong: the action is not one call of forward(), turn_direction(x) or stop().",
    }
    assert verify("", TURN).feedback == 'Wrong: there is no JSON object with an "action".'


@pytest.mark.parametrize(
    ("instruction", "right"),
    [
        ("Turn right to face east.", True),
        ("turn right to  face EAST", True),
        ("3. Turn right to face east.", True),
        ("3) Turn right to face east", True),
        ("12.Turn right to face east.", True),
        ("3. 3. Turn right to face east.", False),
        ("Turn right.", False),
        ("Turn left to face east.", False),
        ("", False),
        ("3.", False),
        (None, False),
        (3, False),
        (["Turn right to face east."], False),
        ("Turn right to face east. Walk forward.", False),
        ("x" * 60_000, False),
    ],
)
def test_the_instruction_is_compared_up_to_case_space_number_and_full_stop(instruction, right):
    verdict = verify(json.dumps({"current instruction": instruction, "action": "stop()"}), TURN)
    assert verdict.metrics["instruction_correct"] is right


def test_where_no_sentence_is_followed_no_instruction_is_right():
    verdict = verify('{"current instruction": "", "action": "forward()"}', Waypoint())
    assert verdict.is_correct
    assert verdict.metrics["instruction_correct"] is False


def test_fields_count_with_an_underscore_too():
    fields = json.loads(write_answer(TURN))
    metrics = verify(json.dumps({name.replace(" ", "_"): text for name, text in fields.items()}), TURN).metrics
    assert metrics == {"observation_correct": True, "instruction_correct": True, "is_turn": True, "is_forward": False}


def test_the_metrics_have_one_type_each_and_turns_are_counted_by_the_waypoint():
    for case in load_vectors():
        metrics = verify(case.response, case.waypoint).metrics
        assert list(metrics) == ["observation_correct", "instruction_correct", "is_turn", "is_forward"]
        assert all(type(value) is bool for value in metrics.values())
        assert metrics["is_turn"] is (case.waypoint.move == "turn")
        assert metrics["is_forward"] is (case.waypoint.move == "forward")


def test_a_table_of_ones_own_prices_every_category():
    prices = {"correct": 2, "wrong_action": 0.5, "wrong_action_and_observation": 0.25, "unreadable": 0.125}
    texts = (
        write_answer(TURN),
        write_answer(TURN, action="stop()"),
        '{"action": "stop()"}',
        "",
    )
    assert [verify(text, TURN, rewards=prices).reward for text in texts] == [2, 0.5, 0.25, 0.125]
    assert verify("", TURN, rewards=VIRLRewards(unreadable=-9.0)).reward == -9.0


def test_the_presets():
    texts = (
        write_answer(TURN),
        write_answer(TURN, action="stop()"),
        '{"action": "stop()"}',
        "",
    )
    paid = {name: [verify(text, TURN, rewards=name).reward for text in texts] for name in REWARDS}
    assert paid == {
        "paper": [1, -1, -1.5, -1.5],
        "binary": [1, 0, 0, 0],
        "binary_format": [1, 0, 0, -0.1],
        "partial": [1, 0, 0, 0],
        "paper_code": [1, -1, -1.5, -1.5],
    }


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({"correct": 1}, 'nothing says what wrong_action, wrong_action_and_observation, unreadable pay; .*"base"'),
        (
            {"base": "paper", "wrong_action": 1.5},
            "wrong_action=1.5: a wrong answer would be paid more than a right one",
        ),
        ({"base": "binary", "unreadable": -1e300}, "unreadable=-1e.300: .* sums of rewards"),
    ],
)
def test_a_table_that_says_too_little_or_pays_for_faults_is_refused_with_the_way_out(prices, said):
    with pytest.raises(ValueError, match=said):
        verify("", TURN, rewards=prices)


def test_each_price_that_is_not_named_is_missed_by_name():
    whole = VIRLRewards.of("paper").model_dump()
    assert VIRLRewards.of(whole) == VIRLRewards()
    for name in whole:
        with pytest.raises(ValueError, match=rf"nothing says what {name} pays; name it too"):
            VIRLRewards.of({key: price for key, price in whole.items() if key != name})


def test_an_unknown_table_is_an_error_that_names_the_presets():
    with pytest.raises(ValueError, match="paper, binary, binary_format"):
        verify("", TURN, rewards="papre")


@pytest.mark.parametrize("response", ["", '{"action": "forward()"}'])
def test_an_unknown_rule_is_an_error_whatever_the_response(response):
    with pytest.raises(ValueError, match="expected absolute or relative"):
        verify(response, replace(TURN, actions="compass"))


def test_the_work_does_not_grow_with_the_response(monkeypatch):
    folded: list[int] = []
    fold = claims.fold
    monkeypatch.setattr(claims, "fold", lambda text: folded.append(len(text)) or fold(text))
    most = []
    for times in (10, 1000, 2000):
        folded.clear()
        verify(json.dumps({"current observation": "I see an intersection. " * times, "action": "stop()"}), TURN)
        most.append(sum(folded))
    assert most[1] == most[2] <= most[0]


def test_verdicts_do_not_depend_on_the_hash_seed():
    script = """
import hashlib
from verienv.virl.cases import hostile_cases, load_vectors
from verienv.virl.verifier import verify
told = hashlib.sha256()
for case in [*load_vectors(), *hostile_cases(2)]:
    told.update(verify(case.response, case.waypoint).model_dump_json().encode())
print(told.hexdigest())
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(told[0]) == 65
    assert told[0] == told[1]
