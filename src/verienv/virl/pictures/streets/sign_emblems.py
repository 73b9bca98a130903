"""Sign emblems of kinds of places: a cup for a cafe, a cross for a pharmacy."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

_SIZE = 96  # units and pixels of a drawing; it is scaled from there


def _cross(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((36, 8, 60, 88), 255)
    draw.rectangle((8, 36, 88, 60), 255)


def _cup(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((60, 38, 88, 66), outline=255, width=8)
    draw.rounded_rectangle((14, 32, 68, 78), 16, 255)
    draw.rectangle((14, 32, 68, 48), 255)
    draw.rectangle((8, 82, 76, 89), 255)
    for x in (26, 40, 54):
        draw.arc((x - 6, 6, x + 6, 26), 100, 300, 255, 5)


def _fork(draw: ImageDraw.ImageDraw) -> None:
    for x in (16, 27, 38):
        draw.rectangle((x, 8, x + 5, 36), 255)
    draw.rounded_rectangle((16, 30, 43, 46), 7, 255)
    draw.rectangle((25, 40, 34, 90), 255)
    draw.pieslice((54, 6, 90, 78), 90, 270, 255)
    draw.rectangle((66, 40, 74, 90), 255)


def _glass(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon([(14, 10), (82, 10), (52, 52), (52, 80), (70, 88), (26, 88), (44, 80), (44, 52)], 255)


def _bed(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((8, 22, 16, 82), 255)
    draw.rectangle((8, 58, 88, 70), 255)
    draw.rectangle((80, 58, 88, 82), 255)
    draw.ellipse((20, 36, 40, 56), 255)
    draw.rounded_rectangle((43, 40, 88, 62), 8, 255)


def _coin(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon([(48, 6), (90, 30), (6, 30)], 255)
    for x in (16, 36, 56, 74):
        draw.rectangle((x, 36, x + 8, 74), 255)
    draw.rectangle((6, 78, 90, 88), 255)


def _bag(draw: ImageDraw.ImageDraw) -> None:
    draw.arc((30, 6, 66, 54), 180, 360, 255, 7)
    draw.polygon([(16, 32), (80, 32), (88, 90), (8, 90)], 255)


def _book(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon([(46, 26), (8, 14), (8, 74), (46, 86)], 255)
    draw.polygon([(50, 26), (88, 14), (88, 74), (50, 86)], 255)


def _scissors(draw: ImageDraw.ImageDraw) -> None:
    draw.line([(30, 64), (70, 8)], 255, 9)
    draw.line([(66, 64), (26, 8)], 255, 9)
    draw.ellipse((10, 58, 40, 88), outline=255, width=8)
    draw.ellipse((56, 58, 86, 88), outline=255, width=8)


def _wrench(draw: ImageDraw.ImageDraw) -> None:
    draw.line([(26, 70), (66, 30)], 255, 16)
    draw.ellipse((50, 10, 86, 46), 255)
    draw.polygon([(66, 30), (74, 0), (96, 22)], 0)
    draw.ellipse((12, 58, 38, 84), 255)


_DRAWINGS: dict[str, Callable[[ImageDraw.ImageDraw], None]] = {
    "cross": _cross,
    "cup": _cup,
    "fork": _fork,
    "glass": _glass,
    "bed": _bed,
    "coin": _coin,
    "bag": _bag,
    "book": _book,
    "scissors": _scissors,
    "wrench": _wrench,
}

_KINDS = {
    "cross": "pharmacy hospital clinic doctors dentist veterinary",
    "cup": "cafe bakery confectionery pastry ice_cream",
    "fork": "restaurant fast_food deli food_court",
    "glass": "bar pub nightclub biergarten alcohol wine",
    "bed": "hotel hostel guest_house apartment",
    "coin": "bank bureau_de_change money_lender payment_centre",
    "bag": "shop convenience supermarket clothes shoes gift department_store mall kiosk fashion",
    "book": "books library school college university educational_institution stationery kindergarten",
    "scissors": "hairdresser beauty tailor barber cosmetics",
    "wrench": "car_repair hardware car_parts doityourself tools car_wash",
}
_BY_KIND = {kind: name for name, kinds in _KINDS.items() for kind in kinds.split()}


def emblem_of(kind: str) -> str:
    """Return the emblem of a kind of place, "" if it has none."""
    return _BY_KIND.get(kind, "")


def emblem_mask(name: str, size: int) -> Image.Image:
    """Draw an emblem as a mask, ``size`` pixels wide and high."""
    image = Image.new("L", (_SIZE, _SIZE), 0)
    _DRAWINGS[name](ImageDraw.Draw(image))
    return image.resize((size, size), Image.Resampling.LANCZOS)
