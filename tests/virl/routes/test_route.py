"""Waypoints: what is seen at one, in words, and the expert's action."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verienv.virl import POSITIONS, VIRLEnv, Waypoint
from verienv.virl.question import VIRLQuestion
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import Route, current_instruction


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


WRONG = [
    ({"heading": float("nan")}, "heading=nan: expected degrees, a finite number"),
    ({"turn_to": float("-inf")}, "turn_to=-inf: expected degrees"),
    ({"landmark_bearing": 1e308}, r"landmark_bearing=1e\+308: expected degrees"),
    ({"heading": True}, "heading=True: expected degrees"),
    ({"heading": "90"}, "heading='90': expected degrees"),
    ({"heading": 10**400}, r"heading=1000.*\.\.\.0+: expected degrees"),
    ({"heading": None}, "heading=None: expected degrees"),
    ({"move": "left"}, "move='left': expected forward or turn or stop"),
    ({"move": ["turn"]}, r"move=\['turn'\]: expected forward or turn or stop"),
    ({"actions": "both"}, "actions='both': expected absolute or relative"),
    ({"location": 3}, "location=3: expected latitude and longitude"),
    ({"location": (0.0, float("nan"))}, "location=nan: expected degrees"),
    ({"location": (91.0, 0.0)}, r"location=\(91.0, 0.0\): expected latitude and longitude"),
    ({"streets": 7.0}, "streets=7.0: expected a tuple"),
    ({"streets": (7.0, "8")}, "streets='8': expected degrees"),
    ({"landmark": None}, "landmark=None: expected a text"),
    ({"sentence": "x" * 10**6}, r"sentence='x+\.\.\.x+': expected a text of up to 1900 characters"),
    ({"landmark_name": b"x"}, "landmark_name=b'x': expected a text"),
    ({"at_intersection": "no"}, "at_intersection='no': expected True or False"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_a_waypoint_says_which_of_its_fields_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Waypoint(**fields)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(("heading", "turn_to"), [(350, 10), (350.0, 12.5), (0.0, 0.0), (90.0, 67.5), (400.0, 30.0)])
def test_a_turn_that_is_none_under_the_relative_rule_is_refused(heading: float, turn_to: float) -> None:
    with pytest.raises(ValueError, match=r"actions='relative' its turn from .* is none, since it leads straight on"):
        Waypoint(heading=heading, move="turn", turn_to=turn_to, actions="relative")
    absolute = Waypoint(heading=heading, move="turn", turn_to=turn_to)
    with pytest.raises(ValueError, match="is none"):
        replace(absolute, actions="relative")


def test_angles_count_modulo_360_and_numbers_of_numpy_are_plain_ones() -> None:
    for heading in (-90, 270.0, 630, np.float32(270), np.int64(-450)):
        waypoint = Waypoint(heading=heading, move="turn", turn_to=0.0, actions="relative")  # type: ignore[arg-type]
        assert waypoint.action == "turn_direction(right)"
        assert type(waypoint.heading) in (int, float)


def test_lists_become_tuples() -> None:
    waypoint = Waypoint(location=[1.0, 2.0], streets=[3.0])  # type: ignore[arg-type]
    assert (waypoint.location, waypoint.streets, hash(waypoint)) == ((1.0, 2.0), (3.0,), hash(waypoint))


_NUMBERS = st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=3)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "location": st.tuples(_NUMBERS, _NUMBERS),
    "heading": _NUMBERS,
    "move": st.sampled_from(("forward", "turn", "stop", "", None)),
    "turn_to": _NUMBERS,
    "sentence": st.text(max_size=40),
    "landmark": st.text(max_size=40),
    "landmark_name": st.text(max_size=40),
    "landmark_bearing": _NUMBERS,
    "at_intersection": st.booleans() | st.just(1),
    "streets": st.lists(_NUMBERS, max_size=3),
    "actions": st.sampled_from(("absolute", "relative", "x")),
}


@given(fields=st.fixed_dictionaries({}, optional=_FIELDS), strict=st.booleans())
def test_whatever_waypoint_can_be_made_its_expert_is_right(fields: dict[str, Any], strict: bool) -> None:
    try:
        waypoint = Waypoint(**fields)
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    question = VIRLQuestion.of(waypoint, strict=strict)
    for steps in (False, True) if not strict else (False,):
        verdict = question.judge(question.expert(steps=steps))
        assert (verdict.is_correct, verdict.reward) == (True, question.best_reward)
    assert question.prompt


@pytest.mark.parametrize(
    ("instructions", "waypoints", "message"),
    [
        ((), (), r"waypoints=\(\): expected at least one"),
        ("Stop.", (Waypoint(move="stop"),), "instructions='Stop.': expected a tuple"),
        ((1,), (Waypoint(move="stop"),), "instructions hold 1; expected a tuple of str alone"),
        ((), ("stop",), "waypoints hold 'stop'; expected a tuple of Waypoint alone"),
        ((), None, "waypoints=None: expected a tuple"),
    ],
)
def test_a_route_says_what_is_wrong_with_it(instructions: Any, waypoints: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Route("virl:here:1", "here", "A", "B", instructions, waypoints)


@pytest.mark.parametrize("fields", [{"spacing": 0}, {"spacing": float("nan")}, {"spacing": True}, {"spacing": "40"}])
def test_a_spacing_is_a_number_of_metres(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"spacing=.*: expected metres above 0"):
        RouteOptions(**fields)


@pytest.mark.parametrize("fields", [{"directions": "none"}, {"actions": "both"}, {"actions": []}])
def test_the_options_of_routes_name_the_words_they_accept(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"=.*: expected (both|absolute), "):
        RouteOptions(40.0, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"attempts": 0}, "attempts=0: expected an integer of at least 1"),
        ({"attempt": 1.0}, "attempt=1.0: expected an integer"),
        ({"attempts": True}, "attempts=True: expected an integer"),
        ({"phrasing": 9}, "phrasing=9: expected an integer from 0 to 8"),
        ({"history": "mine"}, "history='mine': expected oracle, own, none"),
        ({"rewards": "paper"}, "rewards='paper': expected a VIRLRewards; VIRLQuestion.of reads others"),
        ({"waypoint": {}}, "waypoint={}: expected a Waypoint"),
    ],
)
def test_a_question_says_which_of_its_fields_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VIRLQuestion(**{"waypoint": Waypoint(), **fields})
