"""A dialogue as a picture."""

import time

import numpy as np
import pytest

from verienv.core.text_picture import HEIGHT, WIDTH, draw_turns

TURNS = [("environment", "Make 24.\nAttempt 1 of 5."), ("policy", "4 * 3 + 2 + 10"), ("environment", "Correct.")]
PAPER = draw_turns([])[0, 0]


def inked(picture: np.ndarray) -> np.ndarray:
    """Whether each pixel is anything but paper."""
    return np.asarray((picture != PAPER).any(2))


@pytest.mark.parametrize(
    "turns", [[], TURNS, TURNS * 50, [("policy", "x" * 60_000)]], ids=["none", "few", "many", "long"]
)
def test_every_picture_has_the_same_size(turns: list[tuple[str, str]]) -> None:
    picture = draw_turns(turns)
    assert (picture.shape, picture.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)


def test_each_turn_changes_the_picture_and_begins_below_the_ones_before() -> None:
    heights = []
    for count in range(len(TURNS) + 1):
        rows = np.flatnonzero(inked(draw_turns(TURNS[:count])).any(1))
        heights.append(int(rows.max()) if len(rows) else 0)
    assert heights == sorted(set(heights))
    assert heights[-1] < HEIGHT / 2


def test_a_dialogue_that_does_not_fit_shows_its_end() -> None:
    long = [("environment", f"line {n}") for n in range(100)]
    assert np.array_equal(draw_turns(long), draw_turns(long[50:]))
    assert not np.array_equal(draw_turns(long), draw_turns(long[:99]))


@pytest.mark.parametrize("text", ["W" * 500, "i " * 800, "a" * 59 + " " + "W" * 90, "\u0301" * 2000], ids=ascii)
def test_no_line_leaves_the_page(text: str) -> None:
    drawn = inked(draw_turns([("policy", text)]))
    assert drawn.any()
    assert not drawn[:, -8:].any()
    assert not drawn[:, :8].any()


def test_control_characters_are_not_drawn() -> None:
    told = [draw_turns([("policy", text)]) for text in ("a\x00b\x07c\x1b[0m\u202ed\u200b", "abc[0md")]
    assert np.array_equal(*told)


@pytest.mark.parametrize("text", ["W" * 65_536, "W " * 32_768, "\n" * 65_536, "\U0001f600" * 65_536], ids=ascii)
def test_a_long_response_takes_no_long_time(text: str) -> None:
    begin = time.thread_time()
    draw_turns([("policy", text)])
    assert time.thread_time() - begin < 2


def test_the_system_prompt_has_a_colour_of_its_own() -> None:
    pictures = [draw_turns([(speaker, "x")]) for speaker in ("system", "policy", "other")]
    inks = [{tuple(pixel) for pixel in picture.reshape(-1, 3)} for picture in pictures]
    assert (122, 62, 140) in inks[0] - inks[1] - inks[2]
