"""Looks: names for settings, each validated with a kind error."""

from pathlib import Path
from typing import Any

import pytest

from verienv.generalpoints.pictures.drawn_deck import DrawnDeck
from verienv.generalpoints.pictures.visuals import VISUALS, Visual


@pytest.mark.parametrize("name", VISUALS)
def test_every_named_look_is_a_look_of_its_own(name: str) -> None:
    others = [Visual.of(other) for other in VISUALS if other != name]
    assert Visual.of(name) not in others


def test_the_default_look_is_the_papers() -> None:
    look = Visual.of("default")
    assert look == Visual()
    assert (look.deck, look.arrangement, look.background) == ("classic", "row", "felt")


def test_a_dict_is_a_look_and_a_look_is_itself() -> None:
    look = Visual.of({"background": "navy", "rotation": 5})
    assert (look.background, look.rotation) == ("#000080", 5.0)
    assert Visual.of(look) is look


def test_equal_looks_hash_alike() -> None:
    assert hash(Visual(background="navy")) == hash(Visual(background="#000080"))
    assert hash(Visual(deck={"hearts": "gold"})) == hash(Visual(deck=DrawnDeck(hearts="gold")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"deck": "clasic"}, r"deck='clasic': expected one of classic, .*a folder with 52 PNG files"),
        ({"deck": 3}, r"deck=3: expected one of classic"),
        ({"deck": {"heart": "red"}}, r"unknown setting 'heart' \(did you mean 'hearts'"),
        ({"arrangement": "circle"}, r"arrangement='circle'.*'row', 'grid' or 'scattered'"),
        ({"rotation": 46.0}, r"rotation=46.0.*45"),
        ({"rotation": "15"}, r"rotation='15'"),
        ({"light": 1.0}, r"light=1.0.*0.8"),
        ({"blur": -1.0}, r"blur=-1.0.*0"),
        ({"noise": float("nan")}, r"noise=nan"),
        ({"background": "feltt"}, r"background='feltt': expected felt, wood, stone, or a colour"),
        ({"background": 5}, r"background=5: expected felt"),
        ({"colour": "red"}, r"unknown setting 'colour'"),
    ],
)
def test_a_wrong_field_is_an_error_of_one_line_that_names_what_is_accepted(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Visual.of(fields)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_answered_with_the_names() -> None:
    with pytest.raises(ValueError, match=r"visual='foggy': expected one of default, four_color"):
        Visual.of("foggy")


def test_a_deck_may_be_given_as_a_path_object() -> None:
    from verienv.core.assets import asset_path

    look = Visual(deck=asset_path("cards/flat"))  # type: ignore[arg-type]
    assert isinstance(look.deck, str)
    assert Path(look.deck).name == "flat"
