"""The question in words, in all its phrasings."""

import pytest

from verienv.core.spaces import PRINTABLE
from verienv.generalpoints.prompts import LONGEST_QUESTION, PHRASINGS, write_question
from verienv.generalpoints.puzzle import Puzzle

ALL = range(len(PHRASINGS))
PUZZLE = Puzzle(("4", "3", "2", "K"), {"J": 51, "Q": 62, "K": 73}, target=987)


def test_the_default_question_is_short() -> None:
    assert write_question(Puzzle(("4", "3", "2", "K"))) == (
        "Make 24 with each card's number exactly once, using + - * / ( ).\nA = 1, J = 10, Q = 10, K = 10.\n"
        'Cards: 4, 3, 2, K\nAnswer in JSON: {"cards": [...], "number": [...], "formula": "..."}'
    )


def test_there_are_at_least_twelve_phrasings_beside_the_default_and_no_two_alike() -> None:
    assert len(PHRASINGS) - 1 >= 12
    assert len({write_question(PUZZLE, phrasing) for phrasing in ALL}) == len(PHRASINGS)


@pytest.mark.parametrize("phrasing", ALL)
def test_every_phrasing_tells_all_that_is_needed(phrasing: int) -> None:
    text = write_question(PUZZLE, phrasing)
    for told in ("987", "J = 51, Q = 62, K = 73", "Cards: 4, 3, 2, K", "cards", "number", "formula"):
        assert told in text
    assert "ace" in text.lower() or "A " in text
    assert "+ - * /" in text or "+, -, *, /" in text or "addition, subtraction, multiplication, division" in text
    assert any(words in text for words in ("once", "exactly one time", "none is used twice"))


@pytest.mark.parametrize("phrasing", ALL)
def test_every_phrasing_leaves_no_slot_open_and_gives_the_cards_once(phrasing: int) -> None:
    text = write_question(PUZZLE, phrasing)
    assert not any(slot in text for slot in ("{target}", "{rule}", "{cards}", "{count}"))
    assert text.count("4, 3, 2, K") == 1


@pytest.mark.parametrize("phrasing", ALL)
def test_no_question_is_longer_than_the_space_admits_or_outside_printable_ascii(phrasing: int) -> None:
    longest = Puzzle(("10",) * 6, {"J": 99, "Q": 99, "K": 99}, target=999_999)
    text = write_question(longest, phrasing)
    assert len(text) <= LONGEST_QUESTION
    assert set(text) <= set(PRINTABLE)


@pytest.mark.parametrize("phrasing", ALL)
def test_in_vision_the_cards_are_left_to_the_picture(phrasing: int) -> None:
    text = write_question(PUZZLE, phrasing, vision=True)
    assert "4, 3, 2, K" not in text
    assert "picture" in text
    assert len(text) <= LONGEST_QUESTION


@pytest.mark.parametrize("phrasing", ALL)
def test_the_stated_rule_is_told_and_the_scored_one_is_not(phrasing: int) -> None:
    text = write_question(Puzzle(("4", "3", "2", "K"), "rank", stated_rule="ten"), phrasing)
    assert "J = 10, Q = 10, K = 10" in text
    assert "13" not in text


@pytest.mark.parametrize("phrasing", ALL)
@pytest.mark.parametrize(("ranks", "count"), [("AAA", "three"), ("AAAAA", "five"), ("AAAAAA", "six")])
def test_a_phrasing_that_counts_the_cards_counts_right(phrasing: int, ranks: str, count: str) -> None:
    assert "four" not in write_question(Puzzle(tuple(ranks)), phrasing)
    assert ("four" in write_question(PUZZLE, phrasing)) == (count in write_question(Puzzle(tuple(ranks)), phrasing))
