"""Values and texts in errors: short, in one printable line, whatever they are."""

from typing import Any

import pytest

import verienv
from verienv.core.shown import cut, shown, shown_instance, shown_path
from verienv.generalpoints.pictures.visuals import Visual
from verienv.virl import action_space, procedural_city
from verienv.virl.pictures.panorama import grid_size

LONG = "x" * 3_000_000


class Unwritable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value",
    [
        LONG,
        [LONG] * 9,
        {LONG: LONG},
        pytest.param(10**5000, id="many digits"),
        Unwritable(),
        b"\0" * 10**6,
        float("nan"),
    ],
)
def test_a_value_is_shown_in_60_characters(value: Any) -> None:
    assert len(shown(value)) <= 60
    assert shown(value).isprintable()


@pytest.mark.parametrize("text", ["a\nb\tc", LONG, "\x1b[31m", " " * 1000 + "a", "\ud800", ValueError("a\nb")])
def test_a_text_is_cut_to_one_printable_line(text: Any) -> None:
    assert len(cut(text, 40)) <= 40
    assert cut(text, 40).isprintable()


def test_short_texts_and_paths_stay_as_they_are() -> None:
    assert cut("as it is") == shown_path("as it is") == "as it is"
    assert (shown("a"), shown_instance("a"), shown_instance(24)) == ("'a'", "'a'", "'24'")


@pytest.mark.parametrize("path", ["/a\n/b", LONG, "\0", "\ud800" * 2000])
def test_a_path_is_shown_in_one_line(path: str) -> None:
    assert len(shown_path(path)) <= 300
    assert shown_path(path).isprintable()


@pytest.mark.parametrize(
    "make",
    [
        lambda: verienv.rows(LONG, n=1),
        lambda: verienv.rows("verienv/VIRL-L-v0", n=1, city=LONG),
        lambda: verienv.rows("verienv/VIRL-L-v0", n=1, city=LONG + ".json"),
        lambda: verienv.rows("verienv/VIRL-L-v0", n=1, city=[LONG, "astana"]),
        lambda: verienv.rows("verienv/VIRL-L-v0", n=1, data=LONG),
        lambda: verienv.rows("verienv/VIRL-VL-v0", n=1, panoramas=LONG),
        lambda: verienv.rows("verienv/VIRL-L-v0", n=1, **{LONG: 1}),
        lambda: verienv.rows("verienv/GeneralPoints-VL-v0", n=1, deck=LONG),
        lambda: verienv.rows("verienv/GeneralPoints-VL-v0", n=1, background=LONG),
        lambda: verienv.rows("verienv/GeneralPoints-VL-v0", n=1, visual=LONG),
        lambda: verienv.rows("verienv/GeneralPoints-L-v0", n=1, rule=LONG),
        lambda: verienv.rows("verienv/GeneralPoints-L-v0", split=LONG, n=1),
        lambda: verienv.judge({"cards": [LONG] * 4}, ""),
        lambda: verienv.judge({"waypoint": LONG}, ""),
        lambda: verienv.judge({"instance": LONG, "cards": ["4", "3", "2", "K"]}, ""),
        lambda: Visual.of(LONG),
        lambda: Visual.of({"deck": {"clubs": LONG}}),
        lambda: action_space(LONG),  # type: ignore[arg-type]
        lambda: procedural_city(LONG, 1),  # type: ignore[arg-type]
        lambda: grid_size(LONG),  # type: ignore[arg-type]
    ],
)
def test_an_error_shows_little_of_what_is_given(make: Any) -> None:
    with pytest.raises((ValueError, OSError), match=r".") as error:
        make()
    assert len(str(error.value)) < 900
    assert str(error.value).isprintable()
