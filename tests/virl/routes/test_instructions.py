"""Sentences, the question around them, and the rail."""

import pytest

from verienv.core.spaces import PRINTABLE
from verienv.virl import COMPASS, POSITIONS, TURNS, Waypoint, question
from verienv.virl.prompts import PHRASINGS, numbered, step_line, view
from verienv.virl.routes.expert_path import Leg, rail
from verienv.virl.routes.instructions import turn_sentence, walk_sentence

CORNER = Waypoint(
    heading=300.0, landmark="Cafe Rosa", landmark_bearing=20.0, at_intersection=True, streets=(120.0, 30.0)
)
PLAIN = Waypoint(heading=300.0, at_intersection=True)


@pytest.mark.parametrize(
    ("directions", "sentence"),
    [
        ("both", "Turn right to face northeast."),
        ("absolute", "Turn to face northeast."),
        ("relative", "Turn right."),
        ("landmarks", "Turn until Cafe Rosa is in front of you."),
    ],
)
def test_a_turn_is_told_in_the_words_that_are_to_be_given_away(directions: str, sentence: str) -> None:
    assert turn_sentence(CORNER, 30.0, directions) == sentence


def test_landmarks_alone_cannot_tell_a_turn_where_none_is_seen() -> None:
    with pytest.raises(ValueError, match="no landmark is seen where the route turns"):
        turn_sentence(PLAIN, 30.0, "landmarks")


@pytest.mark.parametrize(
    ("end", "is_last", "sentence"),
    [
        (CORNER, False, "Walk forward to the intersection where Cafe Rosa is on your right."),
        (PLAIN, False, "Walk forward to the next intersection."),
        (CORNER, True, "Walk forward until your destination Cafe Rosa is on your right."),
    ],
)
def test_a_walk_is_told_by_what_is_seen_at_its_end(end: Waypoint, is_last: bool, sentence: str) -> None:
    assert walk_sentence(end, is_last) == sentence


def test_a_rail_turns_walks_and_stops() -> None:
    start = Waypoint((0.0, 0.0), heading=0.0, landmark="Start", landmark_bearing=180.0)
    middle, corner = Waypoint((0.0, 1.0), heading=90.0), Waypoint((0.0, 2.0), heading=95.0, at_intersection=True)
    goal = Waypoint((0.0, 3.0), heading=80.0, landmark="Goal", landmark_bearing=0.0)
    route = rail("x", "Town", "Start", "Goal", start, [Leg(90.0, (middle, corner)), Leg(85.0, (goal,))])
    assert [waypoint.action("relative") for waypoint in route.waypoints] == [
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
@pytest.mark.parametrize("phrasing", range(len(PHRASINGS)))
def test_every_phrasing_tells_everything(phrasing: int, actions: str) -> None:
    text = question("1. Turn {x}.\n2. Stop.", ["A -> forward()", "B {} -> stop()"], "C {0} sees.", actions, phrasing)
    words, others = (COMPASS, TURNS) if actions == "absolute" else (TURNS, COMPASS)
    for told in ("1. Turn {x}.\n2. Stop.", "A -> forward()\nB {} -> stop()", "C {0} sees.", ", ".join(words)):
        assert told in text
    for told in ("forward()", "stop()", "turn_direction(x)", "current observation", "current instruction", "action"):
        assert told in text
    assert ", ".join(others) not in text
    assert set(text) <= set(PRINTABLE)


def test_phrasings_differ() -> None:
    assert len({question("1. Stop.", [], "X", "absolute", number) for number in range(len(PHRASINGS))}) == len(
        PHRASINGS
    )


def test_the_first_question_says_that_nothing_was_done_yet() -> None:
    assert "\nSteps so far:\nnone\nNow: X\n" in question("1. Stop.", [], "X")


def test_a_view_with_streets_tells_them_clockwise_from_ahead_in_both_words() -> None:
    streets = Waypoint(heading=300.0, streets=(120.0, 30.0, 290.0, 215.0))
    assert view(streets) == "No landmark is near."
    assert view(streets, streets=True) == (
        "No landmark is near. Streets lead front (west), right (northeast), behind (southeast), left (southwest)."
    )


def test_a_step_is_told_as_what_was_seen_and_done() -> None:
    assert step_line(CORNER, "absolute") == "Cafe Rosa is on your right. You are at an intersection. -> forward()"


def test_sentences_are_numbered_from_one() -> None:
    assert numbered(["Turn left.", "Stop."]) == "1. Turn left.\n2. Stop."


def test_every_position_can_be_told() -> None:
    told = {Waypoint(heading=0.0, landmark="X", landmark_bearing=45.0 * k).landmark_position for k in range(8)}
    assert told == set(POSITIONS)


def test_what_is_ahead_or_behind_is_told_as_people_say_it() -> None:
    seen = [Waypoint(heading=0.0, landmark="X", landmark_bearing=bearing).observation for bearing in (0.0, 90.0, 180.0)]
    assert seen == ["X is in front of you.", "X is on your right.", "X is behind you."]
