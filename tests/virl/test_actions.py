"""Reading the one call that a policy writes."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv.testing.strategies import any_text
from verienv.virl import actions as room
from verienv.virl.actions import LONGEST, action_space, read_action
from verienv.virl.world.geometry import COMPASS, TURNS

quick = settings(max_examples=300, deadline=None, derandomize=True, database=None)
ALL = sorted({*action_space("absolute"), *action_space("relative")})


def test_the_spaces_are_10_and_6_actions_as_waypoints_write_them():
    assert action_space("absolute") == ("forward()", *(f"turn_direction({word})" for word in COMPASS), "stop()")
    assert action_space("relative") == ("forward()", *(f"turn_direction({word})" for word in TURNS), "stop()")
    assert len(ALL) == 14


def test_an_unknown_rule_is_an_error_that_names_the_two():
    with pytest.raises(ValueError, match="'compass': expected absolute or relative"):
        action_space("compass")


@pytest.mark.parametrize("action", ALL)
def test_an_action_reads_as_itself(action):
    assert read_action(action) == action


@st.composite
def spelled(draw, action: str) -> str:
    space = st.text(" \t\n\r\f\v", max_size=3)
    name, word = action[:-1].split("(")
    word = word.replace(" ", draw(space) + " " + draw(space))
    quote = draw(st.sampled_from(["", "'", '"'])) if word else ""
    text = f"{draw(space)}{name}{draw(space)}({draw(space)}{quote}{draw(space) if quote else ''}{word}"
    text += f"{draw(space) if quote else ''}{quote}{draw(space)}){draw(space)}"
    flips = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return "".join(letter.upper() if flip else letter for letter, flip in zip(text, flips, strict=True))


@given(st.data(), st.sampled_from(ALL))
@quick
def test_case_white_space_and_quotes_are_free(data, action):
    assert read_action(data.draw(spelled(action))) == action


@given(st.data(), st.sampled_from(ALL), any_text(min_size=1, max_size=3))
@quick
def test_anything_added_is_no_action(data, action, odd):
    at = data.draw(st.integers(0, len(action)))
    if set(odd) - set(" \t\n\r\f\v'\""):
        assert read_action(action[:at] + odd + action[at:]) is None


@given(st.one_of(any_text(), st.none(), st.integers(), st.floats(), st.lists(st.text()), st.binary()))
@quick
def test_any_value_is_read_without_error(value):
    assert read_action(value) is None or isinstance(value, str)


@pytest.mark.parametrize(
    "text",
    [
        "forward",
        "forward();",
        "forward()stop()",
        "turn_direction()",
        "turn_direction('north\")",
        "turn_direction(north, east)",
        "turn_direction(up)",
        "forward(north)",
        "turn(left)",
        "ｆorward()",
        "ſtop()",
        "forward()\u00a0",
        "forward()\0",
        "",
        "\x1cstop()",
    ],
)
def test_what_is_not_exactly_one_known_call_is_none(text):
    assert read_action(text) is None


def test_no_single_character_but_ascii_stands_for_another():
    strange = [chr(code) for code in range(0x80, 0x2FFFF)]
    assert not [sign for sign in strange if read_action(f"{sign}top()") or read_action(f"stop(){sign}")]


def test_every_ascii_character_but_white_space_spoils_an_action():
    spoilt = [sign for sign in map(chr, range(128)) if read_action(f"stop(){sign}") is None]
    assert set(spoilt) == set(map(chr, range(128))) - set(string.whitespace)


def test_a_long_text_is_not_read():
    assert read_action("stop()" + " " * (LONGEST - 6)) == "stop()"
    assert read_action("stop()" + " " * (LONGEST - 5)) is None


def test_no_repeat_in_the_pattern_can_backtrack():
    pattern = re.sub(r"\(\?(:|P<\w+>|P=\w+)", "(", room._CALL.pattern)
    assert set(re.findall(r"[*+?]+", pattern)) == {"*+", "++", "?+"}
