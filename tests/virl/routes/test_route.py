"""Waypoints: what is seen at one, in words, and the expert's action."""

from verienv.virl import POSITIONS, Waypoint


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
