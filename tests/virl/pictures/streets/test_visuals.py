"""Visuals of streets: what is accepted, and that each setting can be used."""

import re
from typing import Any

import pytest

from verienv.virl.pictures.streets.visuals import DISPLAY_FONTS, VISUALS, StreetVisual, architecture_of
from verienv.virl.world.city_file import SHIPPED_CITIES


def test_a_name_and_the_dict_it_stands_for_are_one_visual() -> None:
    assert StreetVisual.of("night") == StreetVisual.of({"time": "night"}) == StreetVisual(time="night")


def test_overrides_beat_the_name() -> None:
    assert StreetVisual.of("snowfall", weather="clear") == StreetVisual(season="winter")
    assert StreetVisual.of(StreetVisual(time="dusk"), season="winter") == StreetVisual(time="dusk", season="winter")


@pytest.mark.parametrize("field", StreetVisual.model_fields)
def test_each_setting_can_be_used_alone(field: str) -> None:
    assert any(set(settings) == {field} for settings in VISUALS.values())


@pytest.mark.parametrize(
    ("visual", "said"),
    [
        ("nigth", "visual='nigth': expected one of default, dusk, night"),
        ({"time": "noon"}, "time='noon'"),
        ({"weathr": "rain"}, "did you mean 'weather'?"),
        ({"sign_font": "comic"}, "sign_font='comic'"),
        (7, "visual=7: expected a name of VISUALS"),
    ],
)
def test_a_wrong_visual_is_told_in_one_line(visual: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        StreetVisual.of(visual)
    assert "\n" not in str(caught.value)


def test_a_city_has_the_architecture_that_it_is_named_after() -> None:
    assert [architecture_of(name) for name in SHIPPED_CITIES] == ["astana", "helsinki", "montevideo", "montevideo"]
    assert architecture_of("montevideo-centre-east") == "montevideo"
    assert architecture_of("grid-0") == "plain"


def test_a_city_decides_only_what_is_left_to_it() -> None:
    assert StreetVisual().in_city("helsinki").architecture == "helsinki"
    assert StreetVisual(architecture="astana").in_city("helsinki").architecture == "astana"


def test_there_are_four_display_fonts() -> None:
    assert len(DISPLAY_FONTS) == 4
    assert not {"plain", "mixed"} & set(DISPLAY_FONTS)
