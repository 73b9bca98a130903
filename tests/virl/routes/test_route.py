"""Waypoints: what is seen at one, in words, and the expert's action."""

import pytest

from verienv.virl import POSITIONS, VIRLEnv, Waypoint
from verienv.virl.routes.route import current_instruction


def test_every_position_can_be_told() -> None:
    told = {Waypoint(heading=0.0, landmark="X", landmark_bearing=45.0 * k).landmark_position for k in range(8)}
    assert told == set(POSITIONS)


def test_what_is_ahead_or_behind_is_told_as_people_say_it() -> None:
    seen = [Waypoint(heading=0.0, landmark="X", landmark_bearing=bearing).observation for bearing in (0.0, 90.0, 180.0)]
    assert seen == ["X is in front of you.", "X is on your right.", "X is behind you."]


def test_the_action_of_a_waypoint_follows_its_rule() -> None:
    turn = {"heading": 300.0, "move": "turn", "turn_to": 30.0}
    assert Waypoint(**turn).action == "turn_direction(northeast)"  # type: ignore[arg-type]
    assert Waypoint(**turn, actions="relative").action == "turn_direction(right)"  # type: ignore[arg-type]
    assert [Waypoint(move=move).action for move in ("forward", "stop")] == ["forward()", "stop()"]


@pytest.mark.parametrize("city", ["montevideo", "helsinki"])
def test_the_instruction_that_is_due_is_followed_from_the_first_to_the_last(city: str) -> None:
    env = VIRLEnv(city=city, side="all")
    for seed in range(40):
        env.reset(seed=seed)
        route = env.route
        due = [current_instruction(route, passed) for passed in range(len(route.waypoints))]
        assert due == sorted(due)
        assert set(due) == set(range(len(route.instructions)))
        assert [route.instructions[at] for at in due] == [waypoint.sentence for waypoint in route.waypoints]
