"""The rewards: what the preset of the paper's code pays, and what "partial" pays to whom."""

import json
from dataclasses import replace

import pytest

import verienv
from verienv.virl import Waypoint, verify
from verienv.virl.actions import action_space
from verienv.virl.answers import write_answer
from verienv.virl.verifier import REWARDS, VIRLRewards

TURN = Waypoint(
    (40.7, -74.0), 350.0, "turn", 80.0, "Turn right to face east.", "Joe's Pizza", "Joe's Pizza", 260.0, True
)
PLAIN = Waypoint()


def says(observation: object, action: str = "stop()") -> str:
    return json.dumps({"current observation": observation, "action": action})


@pytest.mark.parametrize(
    ("response", "waypoint", "reward"),
    [
        (says("You are at an intersection."), TURN, -1),
        (says("The sea. You are not at an intersection."), TURN, -1),  # the code looks for the word
        (says("Joe's Pizza is on your left."), TURN, -1.5),
        (says("You are at an intersection."), PLAIN, -1.5),
        (says("The sea is near."), PLAIN, -1),
        (says(None), PLAIN, -1),
        (says(["intersection"]), TURN, -1.5),
        (says("You are at an intersection.", "jump()"), TURN, -1),
        ("", TURN, -1.5),
        ("", PLAIN, -1),
        (says("The sea.", "forward()"), PLAIN, 1),
    ],
)
def test_the_papers_code_looks_only_for_an_intersection(response, waypoint, reward):
    assert verify(response, waypoint, rewards="paper_code").reward == reward


@pytest.mark.parametrize("waypoint", [TURN, PLAIN], ids=["intersection", "street"])
def test_an_answer_without_a_place_for_the_observation_is_priced_by_its_action_alone(waypoint):
    for rewards in ("paper", "paper_code"):
        assert verify("<answer>stop()</answer>", waypoint, rewards=rewards, answer_format="tags").reward == -1


def test_partial_pays_a_turn_in_a_wrong_direction_where_all_else_is_right():
    paid = {
        action: verify(write_answer(TURN, action=action), TURN, rewards="partial").reward
        for action in (*action_space("absolute"), "turn_direction(left)", "turn around")
    }
    turns = {action: 0.5 for action in action_space("absolute") if action.startswith("turn")}
    zero = dict.fromkeys(("forward()", "stop()", "turn_direction(left)", "turn around"), 0.0)
    assert paid == {**turns, **zero, "turn_direction(east)": 1.0}


@pytest.mark.parametrize("field", ["current observation", "current instruction"])
def test_a_turn_is_not_paid_where_the_observation_or_the_instruction_is_wrong(field):
    fields = json.loads(write_answer(TURN, action="turn_direction(west)"))
    assert verify(json.dumps(fields), TURN, rewards="partial").reward == 0.5
    for said in ("", None, "Turn left to face west.", "The sea. You are at an intersection."):
        assert verify(json.dumps(fields | {field: said}), TURN, rewards="partial").reward == 0
    del fields[field]
    assert verify(json.dumps(fields), TURN, rewards="partial").reward == 0


def test_a_turn_where_none_is_due_is_not_paid():
    for place in (replace(TURN, move="forward"), replace(TURN, move="stop")):
        assert verify(write_answer(place, action="turn_direction(west)"), place, rewards="partial").reward == 0


def questions(**settings: object) -> list[dict]:
    return verienv.rows("verienv/VIRL-L-v0", n=60, seed=4, unit="question", rewards="partial", **settings)


@pytest.mark.parametrize("actions", ["absolute", "relative"])
def test_no_constant_answer_earns_from_partial_but_where_it_is_right(actions):
    legal = action_space(actions)
    constant = [*(json.dumps({"action": action}) for action in legal), "", "north", "forward()",
                *(write_answer(TURN, action=action) for action in legal),
                *(write_answer(PLAIN, action=action) for action in legal)]  # fmt: skip
    for row in questions(actions=actions):
        for response in constant:
            verdict = verienv.judge(row, response)
            assert verdict.reward == verdict.is_correct


def test_always_forward_and_an_echo_of_the_prompt_earn_nothing_but_where_they_are_right():
    for row in questions():
        question = verienv.Episode.of(row).question
        echo = row["prompt"][-1]["content"]
        for response in (question.constant(), echo, f"{echo}\n{question.constant()}"):
            verdict = question.judge(response)
            assert verdict.reward == verdict.is_correct


def test_a_table_that_says_nothing_of_the_optional_prices_is_written_as_before():
    plain = ["correct", "wrong_action", "wrong_action_and_observation", "unreadable"]
    assert list(VIRLRewards().model_dump()) == plain
    assert list(REWARDS["partial"].model_dump()) == [*plain, "turned"]
    for table in REWARDS.values():
        assert VIRLRewards.of(json.loads(json.dumps(table.model_dump(mode="json")))) == table


def test_no_table_pays_a_wrong_turn_more_than_a_right_one():
    prices = {"base": "partial", "wrong_action": 0.9}
    assert verify(write_answer(TURN, action="turn_direction(west)"), TURN, rewards=prices).reward == 1.0
    with pytest.raises(ValueError, match=r"turned=1\.5: a wrong answer would be paid more"):
        VIRLRewards.of({"base": "partial", "turned": 1.5})
