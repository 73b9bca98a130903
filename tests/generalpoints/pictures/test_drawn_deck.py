"""The drawn deck: faces whose looks are parameters."""

import pickle
from itertools import combinations, product

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageFont

from verienv.core.assets import asset_path
from verienv.core.config import validate
from verienv.generalpoints.cards import RANKS, SUITS
from verienv.generalpoints.pictures.drawn_deck import DRAWN, Box, DrawnDeck, Layout, draw_face, layout

VISUALS = [
    DrawnDeck(pips=pips, index=index, font=font)
    for pips, index, font in product((True, False), ("normal", "jumbo"), ("sans", "serif"))
]
CARDS = list(product(RANKS, SUITS))


def corner(parts: Layout) -> Box:
    """Rank and suit at the top left, with all between them."""
    return min(parts.rank[0], parts.suit[0]), parts.rank[1], max(parts.rank[2], parts.suit[2]), parts.suit[3]


def boxes(parts: Layout, width: float, height: float) -> list[Box]:
    left, top, right, bottom = corner(parts)
    turned = (width - right, height - bottom, width - left, height - top)
    return [corner(parts), turned, *(box for box, _ in parts.pips), *([parts.court] if parts.court else [])]


def apart(a: Box, b: Box) -> bool:
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [part / 255 for part in ImageColor.getrgb(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def pixels(image: Image.Image, colour: str) -> int:
    """How many opaque pixels have exactly this colour."""
    return int((np.asarray(image) == (*ImageColor.getrgb(colour), 255)).all(axis=2).sum())


@pytest.mark.parametrize(("width", "height"), [(16, 22), (50, 70), (75, 105), (240, 336), (600, 840), (120, 100)])
def test_a_face_has_exactly_the_size_asked_for(width: int, height: int) -> None:
    for rank in ("A", "10", "Q"):
        face = draw_face(DRAWN["drawn"], rank, "S", width, height)
        assert (face.mode, face.size) == ("RGBA", (width, height))


@pytest.mark.parametrize("width", [16, 50, 75, 240])
def test_corners_are_transparent_and_all_between_them_is_opaque(width: int) -> None:
    height = round(width * 1.4)
    alpha = np.asarray(draw_face(DRAWN["drawn"], "9", "H", width, height))[..., 3]
    assert (alpha[[0, 0, -1, -1], [0, -1, 0, -1]] < (1 if width >= 50 else 128)).all()
    rounding = max(3, round(width * 0.08))
    assert (alpha[rounding:-rounding] == 255).all()
    assert (alpha[:, rounding:-rounding] == 255).all()


@pytest.mark.parametrize("name", DRAWN)
def test_the_52_faces_of_a_deck_differ(name: str) -> None:
    for width in (50, 75):
        faces = {draw_face(DRAWN[name], *card, width, round(width * 1.4)).tobytes() for card in CARDS}
        assert len(faces) == 52


def test_a_face_depends_on_nothing_drawn_before() -> None:
    first = {card: draw_face(DRAWN["drawn"], *card, 75, 105).tobytes() for card in CARDS}
    draw_face(DRAWN["drawn_dark"], "7", "D", 75, 105).putpixel((40, 40), (1, 2, 3, 4))
    assert all(draw_face(DRAWN["drawn"], *card, 75, 105).tobytes() == first[card] for card in reversed(CARDS))


def test_equal_looks_written_differently_give_the_same_face() -> None:
    named, written = DrawnDeck(hearts="Crimson", face="IVORY"), DrawnDeck(hearts="#DC143C", face="#fffff0")
    assert named == written
    assert hash(named) == hash(written)
    assert draw_face(named, "3", "H", 50, 70) == draw_face(written, "3", "H", 50, 70)
    assert pickle.loads(pickle.dumps(named)) == named  # noqa: S301


@pytest.mark.parametrize("name", DRAWN)
def test_a_face_shows_its_suits_colour_and_its_ground(name: str) -> None:
    style = DRAWN[name]
    for rank, suit in CARDS:
        face = draw_face(style, rank, suit, 75, 105)
        colour = getattr(style, SUITS[suit])
        assert pixels(face, colour) > 75
        assert pixels(face, style.face) > 75 * 105 / 4
        assert not any(pixels(face, other) for other in {getattr(style, suit) for suit in SUITS.values()} - {colour})


@pytest.mark.parametrize("name", DRAWN)
def test_a_deck_has_strong_contrast(name: str) -> None:
    style = DRAWN[name]
    for suit in SUITS.values():
        dark, light = sorted([luminance(getattr(style, suit)), luminance(style.face)])
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_every_look_changes_the_face() -> None:
    looks = [
        {}, {"spades": "navy"}, {"face": "ivory"}, {"border": "gold"}, {"pips": False}, {"font": "serif"},
        {"index": "jumbo"},
    ]  # fmt: skip
    for rank in RANKS[1:]:  # an ace is one large pip anyway
        assert len({draw_face(DrawnDeck(**look), rank, "S", 75, 105).tobytes() for look in looks}) == len(looks)


@pytest.mark.parametrize("given", ["gren", "#12345", "#12345g", "#fff", "rgb(1, 2, 3)", "", "12345678", 7, None])
@pytest.mark.parametrize("field", ["clubs", "diamonds", "hearts", "spades", "face", "border"])
def test_what_is_no_colour_is_named_with_what_is(field: str, given: object) -> None:
    with pytest.raises(ValueError, match="expected a colour") as raised:
        validate(DrawnDeck, {field: given}, "deck")
    assert str(raised.value) == (
        f'deck: {field}={given!r}: expected a colour, "#rrggbb" or a name such as "navy" or "darkgreen"'
    )


def test_a_suit_in_the_faces_colour_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^deck: spades='#000000' is the face's colour too: the cards would be blank$"
    ):
        validate(DrawnDeck, {"face": "black", "clubs": "white", "spades": "#000000"}, "deck")


@pytest.mark.parametrize("setting", [{"font": "gothic"}, {"index": "huge"}, {"back": "red"}, {"pips": "some"}])
def test_an_unknown_look_is_refused(setting: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        validate(DrawnDeck, setting)


@pytest.mark.parametrize(("rank", "suit"), [("1", "S"), ("T", "S"), ("k", "S"), ("", "S"), ("K", "s"), ("K", "")])
def test_an_unknown_card_is_named_with_those_that_there_are(rank: str, suit: str) -> None:
    with pytest.raises(ValueError, match=f"rank='{rank}', suit='{suit}'.*A, 2, .*, 10, J, Q, K.*C, D, H, S"):
        draw_face(DRAWN["drawn"], rank, suit, 75, 105)


def test_a_card_too_small_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^width=15, height=21: expected at least 16 pixels each$"):
        draw_face(DRAWN["drawn"], "K", "S", 15, 21)


@pytest.mark.parametrize("height", [1.0, 1.4, 1.6, 2.5])
def test_the_parts_of_a_face_lie_inside_it_and_apart(height: float) -> None:
    for style, rank in product(VISUALS, RANKS):
        parts = layout(style, rank, 1, height)
        assert parts.rank[3] < parts.suit[1]
        for left, top, right, bottom in boxes(parts, 1, height):
            assert 0.02 < left < right < 0.98
            assert 0.02 < top < bottom < height - 0.02
        for one, other in combinations(boxes(parts, 1, height), 2):
            assert apart(one, other), (style, rank)


@pytest.mark.parametrize("width", [75, 240])
def test_nothing_is_drawn_outside_the_layout(width: int) -> None:
    height = round(width * 1.4)
    for look, rank, suit in product(VISUALS, RANKS, "CH"):
        style = look.model_copy(update={"border": look.face})
        face = np.asarray(draw_face(style, rank, suit, width, height))[..., :3]
        outside = np.ones(face.shape[:2], bool)
        for left, top, right, bottom in boxes(layout(style, rank, width, height), width, height):
            outside[int(top) - 1 : int(bottom) + 2, int(left) - 1 : int(right) + 2] = False
        assert (face[outside] == ImageColor.getrgb(style.face)).all(), (style, rank, suit)


@pytest.mark.parametrize(("index", "rank_share", "index_share"), [("normal", 0.12, 0.23), ("jumbo", 0.17, 0.3)])
def test_the_index_is_large(index: str, rank_share: float, index_share: float) -> None:
    for rank in RANKS:
        parts = layout(DrawnDeck.model_validate({"index": index}), rank, 1, 1.4)
        assert (parts.rank[3] - parts.rank[1]) / 1.4 > rank_share
        assert (parts.suit[3] - parts.rank[1]) / 1.4 > index_share


@pytest.mark.parametrize("name", DRAWN)
def test_the_corners_are_each_others_half_turn(name: str) -> None:
    for rank, suit in CARDS:
        face = np.asarray(draw_face(DRAWN[name], rank, suit, 75, 105)).astype(int)
        right, bottom = (int(edge) for edge in corner(layout(DRAWN[name], rank, 75, 105))[2:])
        turned = face[::-1, ::-1]
        assert abs(face[:bottom, :right] - turned[:bottom, :right]).max() <= 3  # reducing rounds


def test_a_card_has_as_many_pips_as_its_number_and_those_below_the_middle_stand_upside_down() -> None:
    for number, rank in enumerate(RANKS[:10], start=1):
        pips = layout(DRAWN["drawn"], rank, 1, 1.4).pips
        assert len(pips) == number
        for (_, top, _, bottom), upside_down in pips:
            assert upside_down == ((top + bottom) / 2 > 0.7001)
    assert {len(layout(DRAWN["drawn_plain"], rank, 1, 1.4).pips) for rank in RANKS} == {1}


@pytest.mark.parametrize("name", ["DejaVuSans-Bold.ttf", "DejaVuSerif-Bold.ttf"])
def test_the_fonts_have_accented_letters_suits_and_arrows(name: str) -> None:
    font = ImageFont.truetype(str(asset_path(f"fonts/{name}")), 40, layout_engine=ImageFont.Layout.BASIC)
    missing = bytes(font.getmask("\u4e00"))
    for character in "AZaz09éÑßĀŐžŁ←↑→↓↰♠♡♢♣♤♥♦♧":
        assert bytes(font.getmask(character)) != missing, character
