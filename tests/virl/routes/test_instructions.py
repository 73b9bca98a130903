"""The sentences that lead along a route."""

import pytest

from verienv.virl import Waypoint
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
    with pytest.raises(ValueError, match="no landmark is near where the route turns"):
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
