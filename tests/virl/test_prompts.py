"""The question of a waypoint in words, in all its phrasings."""

import pytest

from verienv.core.spaces import PRINTABLE
from verienv.virl import COMPASS, TURNS, Waypoint, write_question
from verienv.virl.prompts import PHRASINGS, number_lines, step_line, view

CORNER = Waypoint(
    heading=300.0, landmark="Cafe Rosa", landmark_bearing=20.0, at_intersection=True, streets=(120.0, 30.0)
)


@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("phrasing", range(len(PHRASINGS)))
def test_every_phrasing_tells_everything(phrasing: int, actions: str) -> None:
    text = write_question(
        "1. Turn {x}.\n2. Stop.", ["A -> forward()", "B {} -> stop()"], "C {0} sees.", actions, phrasing
    )
    words, others = (COMPASS, TURNS) if actions == "absolute" else (TURNS, COMPASS)
    for told in ("1. Turn {x}.\n2. Stop.", "A -> forward()\nB {} -> stop()", "C {0} sees.", ", ".join(words)):
        assert told in text
    for told in ("forward()", "stop()", "turn_direction(x)", "current observation", "current instruction", "action"):
        assert told in text
    assert ", ".join(others) not in text
    assert set(text) <= set(PRINTABLE)


def test_phrasings_differ() -> None:
    assert len({write_question("1. Stop.", [], "X", "absolute", number) for number in range(len(PHRASINGS))}) == len(
        PHRASINGS
    )


def test_the_first_question_says_that_nothing_was_done_yet() -> None:
    assert "\nSteps so far:\nnone\nNow: X\n" in write_question("1. Stop.", [], "X")


def test_a_view_with_streets_tells_them_clockwise_from_ahead_in_both_words() -> None:
    streets = Waypoint(heading=300.0, streets=(120.0, 30.0, 290.0, 215.0))
    assert view(streets) == "No landmark is near."
    assert view(streets, streets=True) == (
        "No landmark is near. Streets lead front (west), right (northeast), behind (southeast), left (southwest)."
    )


def test_a_step_is_told_as_what_was_seen_and_done() -> None:
    assert step_line(CORNER) == "Cafe Rosa is on your right. You are at an intersection. -> forward()"


def test_sentences_are_numbered_from_one() -> None:
    assert number_lines(("Turn left.", "Stop.")) == "1. Turn left.\n2. Stop."
