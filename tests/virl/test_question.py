"""The question of V-IRL, and the row it travels as."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from verienv.core.assets import asset_path
from verienv.core.episode import Episode
from verienv.virl import Route, VIRLEnv, VIRLQuestion, VIRLVisionEnv, Waypoint, verify, write_answer
from verienv.virl.row import VIRLRow

TURN = Waypoint(
    location=(-34.9, -56.2), heading=90.0, move="turn", turn_to=0.0, sentence="Turn left to face north.",
    landmark="Cafe Brasilero", landmark_name="Café Brasilero", landmark_bearing=45.5, at_intersection=True,
    streets=(0.0, 90.0, 270.0), actions="relative",
)  # fmt: skip
STOP = Waypoint(move="stop", sentence="Stop.", actions="relative")
ROUTE = Route("virl:here:3", "here", "A", "B", ("Turn left to face north.", "Stop."), (TURN, STOP))
FIRST = VIRLQuestion.of(TURN, rewards="binary", strict=True, attempts=3).but(
    route_id=ROUTE.id, route=ROUTE, instructions=ROUTE.instructions, phrasing=1
)
SECOND = FIRST.following(FIRST.judge(FIRST.expert())) or FIRST
ABSOLUTE = replace(TURN, actions="absolute")


def through_json(question: VIRLQuestion) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(json.dumps(question.row()))
    return row


def test_columns_hold_the_fields_of_the_waypoint_and_nothing_it_has_worked_out_from_them():
    assert TURN.observation
    row = through_json(FIRST)
    assert [*row["waypoint"], "actions"] == list(Waypoint.__dataclass_fields__)
    assert row["actions"] == "relative"


def test_a_row_is_judged_under_its_own_rule_rewards_and_strictness():
    question = VIRLQuestion.from_row(through_json(FIRST))
    assert question.judge(write_answer(TURN)).reward == 1.0
    assert question.judge(write_answer(ABSOLUTE)).failure == "outside_action_space"
    assert question.judge(write_answer(TURN).replace('"', "'")).failure == "unreadable"


def test_the_column_actions_beats_the_waypoints_own():
    given = {"waypoint": {"move": "turn", "heading": 90.0, "turn_to": 0.0, "actions": "absolute"}}
    assert VIRLQuestion.from_row(given).waypoint.action == "turn_direction(north)"
    assert VIRLQuestion.from_row({**given, "actions": "relative"}).waypoint.action == "turn_direction(left)"


def test_a_move_alone_makes_a_waypoint_and_nulls_are_defaults():
    waypoint = {"move": "forward", "landmark": None, "streets": None}
    row = {"waypoint": waypoint, "rewards": None, "attempts": None, "cards": ["of another task"]}
    question = VIRLQuestion.from_row(row)
    assert question.waypoint == Waypoint()
    assert (question.waypoint.actions, question.attempts, question.instance, question.step) == ("absolute", 2, "", 0)
    assert question.judge('{"action": "forward()"}').reward == 1.0


def test_the_shipped_vectors_are_rows_and_are_judged_as_they_say():
    vectors = [json.loads(line) for line in asset_path("vectors/virl.jsonl").read_text().splitlines()]
    assert len(vectors) > 100
    for vector in vectors:
        verdict = VIRLQuestion.from_row(vector).judge(vector["response"])
        assert (vector["name"], verdict.reward) == (vector["name"], vector["expect"]["reward"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"waypoint": None}, "waypoint.*field required"),
        ({"waypoint": "forward"}, "waypoint='forward'"),
        ({"waypoint": {}}, "it has no move; expected the fields of a Waypoint"),
        ({"waypoint": {"move": "turn", "heading": 0.0}}, "it has no turn_to"),
        ({"waypoint": {"move": "walk"}}, "waypoint.move='walk': input should be 'forward', 'turn' or 'stop'"),
        ({"waypoint": {"move": "stop", "heading": float("nan")}}, "waypoint.heading=nan"),
        ({"waypoint": {"move": "stop", "heading": "north"}}, "waypoint.heading='north'"),
        ({"waypoint": {"move": "stop", "location": [1.0]}}, "waypoint.location"),
        ({"waypoint": {"move": "stop", "streets": [None]}}, r"waypoint.streets.0=None"),
        ({"waypoint": {"move": "stop", "headin": 1.0}}, "waypoint.headin=1.0: unexpected"),
        ({"waypoint": {"move": "stop", "actions": "compass"}}, "waypoint.actions='compass'"),
        ({"waypoint": {"move": "turn", "heading": 0.0, "turn_to": 9.0}, "actions": "relative"}, "straight on"),
        ({"actions": "compass"}, "actions='compass': input should be 'absolute' or 'relative'"),
        ({"rewards": "papers"}, "not a preset"),
        ({"rewards": {"wrong_value": -1.0}}, "unknown setting 'wrong_value'"),
        ({"strict": "no"}, "strict='no'"),
        ({"reasoning_tags": [["<think>"], {}]}, "reasoning_tags=.*expected an opening and a closing tag"),
        ({"attempts": 0}, "attempts=0"),
        ({"step": -1}, "step=-1"),
        ({"phrasing": 99}, "phrasing=99"),
        ({"history": "all"}, "history='all'"),
        ({"instructions": "Stop."}, "instructions='Stop.'"),
        ({"instance": 3}, "instance=3"),
    ],
)
def test_a_wrong_column_is_named_in_one_line(wrong, message):
    row = {"waypoint": {"move": "forward"}, **wrong}
    for read in (VIRLRow.read, VIRLQuestion.from_row):
        with pytest.raises(ValueError, match=message) as caught:
            read(row)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rewards", ["paper", "binary", {"base": "paper", "correct": 2.5}])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("waypoint", [TURN, STOP, ABSOLUTE], ids=["left", "stop", "north"])
def test_a_question_judges_as_verify_does(waypoint, strict, rewards):
    question, rng = VIRLQuestion.of(waypoint, rewards=rewards, strict=strict), np.random.default_rng(0)
    failures = ("unreadable", "illegal_action", "outside_action_space", "wrong_action")
    texts = [question.expert(), question.expert().replace('"', "'"), "", *(question.wrong(f, rng) for f in failures)]
    for text in texts:
        assert question.judge(text) == verify(text, waypoint, rewards=rewards, strict=strict)


def test_the_way_leads_from_waypoint_to_waypoint_and_ends_at_the_last():
    assert (SECOND.waypoint, SECOND.step, SECOND.attempt) == (STOP, 1, 1)
    assert SECOND.steps == (f"{TURN.observation} -> turn_direction(left)",)
    assert SECOND.following(SECOND.judge(SECOND.expert())) is None


def test_an_episode_of_a_waypoint_alone_ends_there_and_asks_the_same():
    alone = Episode(FIRST, alone=True)
    assert alone.messages == Episode(FIRST).messages
    alone.answer(FIRST.expert())
    assert (alone.is_over, alone.is_success, alone.question) == (True, True, FIRST)


def test_progress_counts_the_waypoints_that_lie_behind():
    assert [FIRST.info(False), SECOND.info(False), SECOND.info(True)] == [
        {"progress": 0.0}, {"progress": 0.5}, {"progress": 1.0},
    ]  # fmt: skip
    read = VIRLQuestion.from_row(SECOND.row())  # which knows no route
    assert [read.info(False), read.info(True)] == [{"progress": 0.0}, {"progress": 1.0}]


def test_a_dealt_question_draws_its_picture_and_knows_its_city_and_one_read_from_a_row_does_not():
    question = VIRLVisionEnv(view_size=64).deal(np.random.default_rng(0))
    (picture,) = question.pictures
    assert (picture.shape, picture.dtype, picture.flags.writeable) == ((132, 132, 3), np.uint8, False)
    assert question.city is not None
    read = VIRLQuestion.from_row(question.row())
    assert (read.pictures, read.city, read.route) == ([], None, None)


def test_the_constant_response_is_forward_with_the_true_observation():
    verdict = FIRST.judge(FIRST.constant())
    assert json.loads(FIRST.constant())["action"] == "forward()"
    assert (verdict.failure, verdict.metrics["observation_correct"]) == ("wrong_action", True)


@pytest.mark.parametrize("split", ["train", "rule_ood"])
def test_the_rule_stands_in_the_waypoint_and_is_told_in_the_prompt(split):
    question = VIRLEnv(split=split).deal(np.random.default_rng(0))
    assert question.waypoint.actions == ("absolute" if split == "train" else "relative")
    assert ("x is one of north" in question.prompt) == (split == "train")
