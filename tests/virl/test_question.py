import json

import pytest

from verienv.core.assets import asset_path
from verienv.virl import Route, VIRLConfig, Waypoint, write_answer
from verienv.virl.question import WaypointRow

TURN = Waypoint(
    location=(-34.9, -56.2), heading=90.0, move="turn", turn_to=0.0, sentence="Turn left to face north.",
    landmark="Cafe Brasilero", landmark_name="Café Brasilero", landmark_bearing=45.5, at_intersection=True,
    streets=(0.0, 90.0, 270.0),
)  # fmt: skip
STOP = Waypoint(move="stop", sentence="Stop.")
ROUTE = Route("virl:here:3", "here", "A", "B", ("Turn left to face north.", "Stop."), (TURN, STOP))
CONFIG = VIRLConfig(actions="relative", rewards="binary", strict=True, attempts=3)


def through_json(row):
    return json.loads(json.dumps(row.columns()))


@pytest.mark.parametrize("step", [0, 1])
def test_a_row_comes_back_from_json_unchanged(step):
    row = WaypointRow.of(ROUTE, step, CONFIG)
    again = WaypointRow.read(through_json(row))
    assert again == row
    assert again.waypoint == ROUTE.waypoints[step]
    assert (again.instance, again.step) == ("virl:here:3", step)
    assert (again.actions, again.rewards, again.strict, again.attempts) == ("relative", CONFIG.rewards, True, 3)


def test_columns_hold_the_fields_of_the_waypoint_and_nothing_it_has_worked_out_from_them():
    assert TURN.observation
    told = through_json(WaypointRow.of(ROUTE, 0, CONFIG))["waypoint"]
    assert list(told) == list(Waypoint.__dataclass_fields__)


def test_a_row_is_judged_under_its_own_rule_rewards_and_strictness():
    row = WaypointRow.of(ROUTE, 0, CONFIG)
    assert row.judge(write_answer(TURN, "relative")).reward == 1.0
    assert row.judge(write_answer(TURN, "absolute")).failure == "outside_action_space"
    assert row.judge(write_answer(TURN, "relative").replace('"', "'")).failure == "unreadable"


def test_rewards_and_strictness_may_be_overruled():
    row = WaypointRow.of(ROUTE, 1, CONFIG)
    assert row.judge('{"action": "forward()"}', rewards="paper").reward == -1.5
    assert row.judge("{'action': 'stop()'}", strict=False).is_correct


def test_a_move_alone_makes_a_waypoint_and_nulls_are_defaults():
    waypoint = {"move": "forward", "landmark": None, "streets": None}
    row = WaypointRow.read({"waypoint": waypoint, "rewards": None, "attempts": None, "cards": ["of another task"]})
    assert row.waypoint == Waypoint()
    assert (row.actions, row.attempts, row.instance, row.step) == ("absolute", 2, None, None)
    assert row.judge('{"action": "forward()"}').reward == 1.0


def test_the_shipped_vectors_are_rows_and_are_judged_as_they_say():
    vectors = [json.loads(line) for line in asset_path("vectors/virl.jsonl").read_text().splitlines()]
    assert len(vectors) > 100
    for vector in vectors:
        verdict = WaypointRow.read(vector).judge(vector["response"])
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
        ({"waypoint": {"move": "turn", "heading": 0.0, "turn_to": 9.0}, "actions": "relative"}, "straight on"),
        ({"actions": "compass"}, "actions='compass': input should be 'absolute' or 'relative'"),
        ({"rewards": "papers"}, "not a preset"),
        ({"rewards": {"wrong_value": -1.0}}, "unknown setting 'wrong_value'"),
        ({"strict": "no"}, "strict='no'"),
        ({"attempts": 0}, "attempts=0"),
        ({"step": -1}, "step=-1"),
    ],
)
def test_a_wrong_column_is_named_in_one_line(wrong, message):
    with pytest.raises(ValueError, match=message) as caught:
        WaypointRow.read({"waypoint": {"move": "forward"}, **wrong})
    assert "\n" not in str(caught.value)
