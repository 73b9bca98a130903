"""What an observation claims, and whether that is true."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv.testing.strategies import any_text
from verienv.virl import observations as room
from verienv.virl.observations import LONGEST, ParsedObservation, fold, observation_is_true, parse_observation
from verienv.virl.routes.route import Waypoint
from verienv.virl.strategies import waypoints

quick = settings(max_examples=300, deadline=None, derandomize=True, database=None)
names = any_text(min_size=1, max_size=60).filter(fold)
PIZZA = Waypoint(landmark="Joe's Pizza", landmark_name="Joe's Pizza", landmark_bearing=270.0, at_intersection=True)


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Joe's Pizza is on your left. You are at an intersection.", ParsedObservation(True, "joe's pizza")),
        ("Joe's Pizza is on your left behind; You observe an intersection", ParsedObservation(True, "joe's pizza")),
        ("No landmarks nearby; You observe an intersection", ParsedObservation(True, "")),
        ("No landmark is near.", ParsedObservation(None, "")),
        ("There is Joe's Pizza on my right", ParsedObservation(None, "joe's pizza")),
        ("I see Joe's Pizza on the left and an intersection", ParsedObservation(True, "joe's pizza")),
        ("not at an intersection", ParsedObservation(False, None)),
        ("no intersection", ParsedObservation(False, None)),
        ("Joe's Pizza", ParsedObservation(None, "joe's pizza")),
        ("Joe's Pizza, no intersection.", ParsedObservation(False, "joe's pizza")),
        ("Joe's Pizza is not here.", None),
    ],
)
def test_an_observation_is_read_as_its_claims(text, reading):
    found = parse_observation(text)
    assert reading in found if reading else ParsedObservation(None, "joe's pizza") not in found


@given(waypoints())
@quick
def test_the_environments_own_words_are_true_where_they_are_said(waypoint):
    assert observation_is_true(waypoint.observation, waypoint)


@given(names, st.booleans())
@quick
def test_the_environments_own_words_are_true_whatever_a_landmark_is_called(name, at_intersection):
    waypoint = Waypoint(landmark=name, landmark_name=name, landmark_bearing=90.0, at_intersection=at_intersection)
    assert observation_is_true(waypoint.observation, waypoint)


@given(names, st.sampled_from(["left", "right", "front", "behind", "left behind", "right front"]))
@quick
def test_any_name_is_found_in_each_of_the_styles(name, side):
    waypoint = Waypoint(landmark=name, landmark_name=name, at_intersection=True)
    for text in (
        f"{name} is on your {side}; You observe an intersection",
        f"There is {name} on my {side}. An intersection.",
        f"I see {name} on the {side} and an intersection",
        f"You are at an intersection. {name} is on your {side}.",
    ):
        assert observation_is_true(text, waypoint)


@given(waypoints(), waypoints())
@quick
def test_the_words_of_another_place_are_true_only_where_the_claims_are_the_same(here, there):
    same = (here.landmark, here.at_intersection) == (there.landmark, there.at_intersection)
    assert observation_is_true(there.observation, here) == same


@given(waypoints())
@quick
def test_where_the_landmark_stands_is_not_compared(waypoint):
    for side in ("left", "right front", "behind"):
        text = re.sub(r" is on your [a-z ]+", f" is on your {side}", waypoint.observation)
        assert observation_is_true(text, waypoint)


@given(names)
@quick
def test_a_landmark_that_is_not_there_is_not_true(name):
    assert not observation_is_true(f"{name} two is on your left.", Waypoint())
    assert not observation_is_true(f"{name} two is on your left.", Waypoint(landmark=name, landmark_name=name))


@pytest.mark.parametrize(
    "text",
    [
        "Joe's Pizza is not on your left. You are at an intersection.",
        "Joe's Pizza is on your left. You are not at an intersection.",
        "Joe's Pizza and Cafe Muller are on your left. You are at an intersection.",
        "Joe's Pizza",
        "You are at an intersection.",
        "You are at an intersection. Joe's Pizza is on your left. No intersection.",
        "Is Joe's Pizza on your left? You are at an intersection.",
        "Joe's Pizza, Joe's Pizza. You are at an intersection.",
        "",
        "You are, at an intersection, not at Joe's Pizza",
    ],
)
def test_two_landmarks_negation_and_missing_claims_are_not_true(text):
    assert not observation_is_true(text, PIZZA)


def test_no_joining_of_three_statements_is_true():
    said = ("X is on your left", "X", "no landmark is near", "none", "you are at an intersection", "an intersection",
            "you are not at an intersection", "no intersection")  # fmt: skip
    places = [
        Waypoint(landmark=name, landmark_name=name, at_intersection=at) for name in ("X", "") for at in (True, False)
    ]
    for words in product(said, (". ", ", ", " and ", " with "), said, ("; ", " but ", " and "), said):
        assert not any(observation_is_true("".join(words), place) for place in places)


def test_a_flag_or_a_landmark_that_is_not_mentioned_counts_as_none():
    assert observation_is_true("No landmark is near.", Waypoint())
    assert observation_is_true("Not at an intersection.", Waypoint())
    assert observation_is_true("You are at an intersection.", Waypoint(at_intersection=True))
    assert observation_is_true("Joe's Pizza is ahead.", Waypoint(landmark="Joe's Pizza"))


def test_saying_nothing_is_not_true_anywhere():
    for waypoint in (Waypoint(), Waypoint(at_intersection=True), PIZZA):
        assert not observation_is_true("", waypoint)
        assert not observation_is_true(" .;! ", waypoint)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Café\tMÜLLER. ", "cafe muller"),
        ("Joe’s “X”", "joe's 'x'"),
        ("Joe`s", "joe's"),
        ("STRAẞE", "strasse"),
        ("A–B", "a-b"),
        ("Cafe\u0301", "cafe"),
        ("ｘ", "x"),
        ("...", ""),
        ("東京  駅", "東京 駅"),
        ("O´Neill", "o'neill"),
        ("ℌ", "h"),
    ],
)
def test_spellings_are_folded(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize("plane", range(17))
def test_no_character_needs_folding_twice(plane):
    for code in range(plane * 0x10000, (plane + 1) * 0x10000):
        once = fold(f"a{chr(code)}b")
        assert fold(once) == once


@given(any_text())
@quick
def test_any_text_is_read_the_same_every_time(text):
    assert parse_observation(text) == parse_observation(text)
    assert len(fold(text)) <= 40 * len(text)


@given(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
    )
)
@quick
def test_anything_but_a_string_is_not_true(value):
    assert parse_observation(value) == ()
    assert observation_is_true(value, Waypoint()) is False


def test_a_long_observation_is_not_read(monkeypatch):
    handed = []
    monkeypatch.setattr(room, "fold", lambda text: handed.append(len(text)) or text)
    for length in (LONGEST, LONGEST + 1, 60_000):
        parse_observation("x" * length)
        observation_is_true("x" * length, Waypoint())
    assert max(handed) <= LONGEST


def test_every_pattern_has_a_longest_match_so_that_searching_is_linear():
    patterns = [value for value in vars(room).values() if isinstance(value, re.Pattern)]
    assert len(patterns) >= 6
    for pattern in patterns:
        assert not re.search(r"[*+{]", pattern.pattern)


def test_the_number_of_readings_is_bounded():
    parts = ("there is the ", "'", "no landmark", " on my left", " and an intersection", "at an intersection, ")
    for first in parts:
        for second in parts:
            assert len(parse_observation(f"{first}{second}" * 20)) <= 48
