"""The expert's path: its poses, moves and sentences."""

from typing import Any

import pytest

from verienv.virl import Waypoint
from verienv.virl.routes.expert_path import Leg, expert_path
from verienv.virl.routes.instructions import turn_sentence
from verienv.virl.routes.options import RouteOptions


def test_the_experts_path_turns_walks_and_stops() -> None:
    start = Waypoint((0.0, 0.0), heading=0.0, landmark="Start", landmark_bearing=180.0)
    middle, corner = Waypoint((0.0, 1.0), heading=90.0), Waypoint((0.0, 2.0), heading=95.0, at_intersection=True)
    goal = Waypoint((0.0, 3.0), heading=80.0, landmark="Goal", landmark_bearing=0.0)
    options = RouteOptions(40.0, actions="relative")
    route = expert_path("x", "Town", "Start", "Goal", start, [Leg(90.0, (middle, corner)), Leg(85.0, (goal,))], options)
    assert [waypoint.action for waypoint in route.waypoints] == [
        "turn_direction(right)", "forward()", "forward()", "forward()", "stop()",
    ]  # fmt: skip
    assert [waypoint.location for waypoint in route.waypoints] == [(0, 0), (0, 0), (0, 1), (0, 2), (0, 3)]
    assert [waypoint.heading for waypoint in route.waypoints] == [0.0, 90.0, 90.0, 95.0, 80.0]
    assert route.instructions == (
        "Turn right to face east.",
        "Walk forward to the next intersection.",
        "Walk forward until your destination Goal is on your left.",
        "Stop.",
    )
    assert [route.instructions.index(waypoint.sentence) for waypoint in route.waypoints] == [0, 1, 1, 2, 3]


@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("directions", ["both", "absolute", "relative"])
def test_the_options_name_the_rule_of_every_waypoint_and_the_words_of_every_turn(actions: Any, directions: Any) -> None:
    start, goal = Waypoint(heading=0.0), Waypoint(heading=90.0, landmark="Goal")
    options = RouteOptions(40.0, directions, actions)
    route = expert_path("x", "Town", "Start", "Goal", start, [Leg(90.0, (goal,))], options)
    assert {waypoint.actions for waypoint in route.waypoints} == {actions}
    assert route.instructions[0] == turn_sentence(start, 90.0, directions)
