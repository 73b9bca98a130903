"""The map of a route: the street network, the way, the landmarks that the instructions name, and the agent's track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians, sin

from PIL import Image, ImageDraw, ImageFont

from verienv.core.assets import asset_path
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.world.city import City
from verienv.virl.world.geometry import EARTH_RADIUS, Point

_FINE = 2
"""Drawn at twice the size and reduced: smooth lines."""

_PAPER, _BLOCK, _STREET, _NAME = "#f4f1ea", "#d9d4c7", "#ffffff", "#8a8577"
_WAY, _TRACK, _AGENT = "#8fbce6", "#0a5ea8", "#c2410c"
_PLACE, _LANDMARK, _INK = "#b9a98c", "#7c2d12", "#262626"

_WIDTHS = {"primary": 13, "secondary": 11, "tertiary": 9, "trunk": 13}
_MARGIN = 110.0
Pixel = tuple[float, float]
Boxed = tuple[float, float, float, float]


class _View:
    """Converts positions to pixels: an area in metres around the route, north up."""

    def __init__(self, points: list[Point], size: int) -> None:
        norths, easts = [point[0] for point in points], [point[1] for point in points]
        self._centre = ((min(norths) + max(norths)) / 2, (min(easts) + max(easts)) / 2)
        self._metre = radians(1.0) * EARTH_RADIUS
        self._shrink = cos(radians(self._centre[0]))
        tall = (max(norths) - min(norths)) * self._metre
        wide = (max(easts) - min(easts)) * self._metre * self._shrink
        self.scale = size / (max(tall, wide, 180.0) + 2 * _MARGIN)
        """Pixels to a metre."""
        self.size = size

    def at(self, point: Point) -> Pixel:
        east = (point[1] - self._centre[1]) * self._metre * self._shrink
        north = (point[0] - self._centre[0]) * self._metre
        return self.size / 2 + east * self.scale, self.size / 2 - north * self.scale

    def shows(self, pixels: list[Pixel]) -> bool:
        """Return whether some of a line may be in the picture."""
        return not any(
            max(pixel[axis] for pixel in pixels) < 0 or min(pixel[axis] for pixel in pixels) > self.size
            for axis in (0, 1)
        )


def draw_map(
    route: Route,
    city: City | None = None,
    *,
    passed: int = 0,
    track: Sequence[Point] = (),
    agent: Waypoint | None = None,
    size: int = 1000,
) -> Image.Image:
    """Draw the map of a route.

    Args:
        route: the route, whose way is drawn whole.
        city: its streets and places are drawn around the way, with the attribution that its data asks for; None where
            only the route is known.
        passed: the number of waypoints behind the agent: its track is drawn, and its position and heading.
        track: the track of a free walk, drawn in the place of that along the route.
        agent: the pose of the agent on a free walk, wherever that is.
        size: width and height in pixels, 200 to 4000.

    Returns:
        An RGB image, north up.
    """
    if not 200 <= size <= 4000:
        raise ValueError(f"size={size}: expected 200 to 4000 pixels")
    view = _View([*(waypoint.location for waypoint in route.waypoints), *track], size * _FINE)
    image = Image.new("RGB", (size * _FINE, size * _FINE), _PAPER)
    draw = ImageDraw.Draw(image)
    taken: list[Boxed] = []
    if city:
        _draw_streets(draw, view, city)
    way = [view.at(waypoint.location) for waypoint in route.waypoints]
    _line(draw, way, _WAY, 7 * _FINE)
    passed = min(passed, len(way) - 1)
    walked = [view.at(point) for point in track] or way[: passed + 1]
    _line(draw, walked, _TRACK, 3.5 * _FINE)
    for pixel in way:
        _dot(draw, pixel, 2.2 * _FINE, "#ffffff")
    taken += [
        (x - 9 * _FINE, y - 9 * _FINE, x + 9 * _FINE, y + 9 * _FINE)
        for x, y in (*_along(way), *(_along(walked) if track else ()))
    ]
    if city:
        for place in city.places:
            _dot(draw, view.at(place.location), 2.5 * _FINE, _PLACE)
    _draw_landmarks(draw, view, route, city, taken)
    stands = agent or route.waypoints[passed]
    _draw_agent(draw, view.at(stands.location), stands)
    if city:
        _draw_street_names(image, view, city, taken)
    _draw_frame(image, view, route, city)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _along(pixels: list[Pixel]) -> Iterator[Pixel]:
    """Yield points along a line, close to each other."""
    yield from pixels
    for one, other in pairwise(pixels):
        steps = int(hypot(other[0] - one[0], other[1] - one[1]) / (15 * _FINE))
        for step in range(1, steps):
            yield one[0] + (other[0] - one[0]) * step / steps, one[1] + (other[1] - one[1]) * step / steps


def _draw_streets(draw: ImageDraw.ImageDraw, view: _View, city: City) -> None:
    lines = []
    for street in city.streets:
        pixels = [view.at(point) for point in street.points]
        if view.shows(pixels):
            lines.append((pixels, max(3.0, _WIDTHS.get(street.kind, 7) * view.scale)))
    for pixels, width in lines:
        _line(draw, pixels, _BLOCK, width + 2.5 * _FINE)
    for pixels, width in lines:
        _line(draw, pixels, _STREET, width)


def _named_places(route: Route, city: City | None) -> Iterator[tuple[Point, str]]:
    """Yield the landmarks in the instructions, with their positions; without a city, with positions near the route."""
    instructions = " ".join(route.instructions)
    done = set[str]()
    for waypoint in route.waypoints:
        if waypoint.landmark and waypoint.landmark in instructions and waypoint.landmark not in done:
            done.add(waypoint.landmark)
            place = city.landmark_at(waypoint.location) if city else None
            yield (place.location if place else _beside(waypoint)), waypoint.landmark


def _beside(waypoint: Waypoint) -> Point:
    """Return a position 12 m from the waypoint, towards its landmark."""
    north, east = waypoint.location
    step = degrees(12.0 / EARTH_RADIUS)
    angle = radians(waypoint.landmark_bearing)
    return north + step * cos(angle), east + step * sin(angle) / cos(radians(north))


def _draw_landmarks(
    draw: ImageDraw.ImageDraw, view: _View, route: Route, city: City | None, taken: list[Boxed]
) -> None:
    font = _font(12 * _FINE)
    start, end = view.at(route.waypoints[0].location), view.at(route.waypoints[-1].location)
    named = [(view.at(point), label) for point, label in _named_places(route, city)]
    if route.start and all(label != route.start for _, label in named):
        named.insert(0, (start, route.start))
    taken += [(x - 7 * _FINE, y - 7 * _FINE, x + 7 * _FINE, y + 7 * _FINE) for (x, y), _ in named]
    labels: list[Boxed] = []
    for pixel, label in sorted(named, key=lambda each: each[1] not in (route.start, route.destination)):
        is_end = label in (route.start, route.destination)
        _dot(draw, pixel, 5.5 * _FINE, "#ffffff")
        _dot(draw, pixel, 4 * _FINE, _TRACK if is_end else _LANDMARK)
        text = f"{label} (start)" if label == route.start else label
        text = f"{text} (destination)" if label == route.destination else text
        box = font.getbbox(text, stroke_width=3 * _FINE)
        if place := _free_place(pixel, box, view.size, taken + labels) or _free_place(pixel, box, view.size, labels):
            left, top = place
            labels.append((left, top, left + box[2] - box[0], top + box[3] - box[1]))
            draw.text(
                (left - box[0], top - box[1]), text, _INK, font, stroke_width=int(2.5 * _FINE), stroke_fill="#ffffff"
            )
    taken += labels
    for pixel, colour in ((start, _TRACK), (end, _AGENT)):
        x, y = pixel
        radius = 6 * _FINE
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=2 * _FINE)


def _free_place(pixel: Pixel, box: tuple[float, float, float, float], size: int, taken: list[Boxed]) -> Pixel | None:
    """Find the upper left corner of a text beside a pixel that covers nothing; None where there is no room."""
    wide, tall = box[2] - box[0], box[3] - box[1]
    gap = 9 * _FINE
    x, y = pixel
    choices = [
        (x + gap, y - tall / 2),
        (x - gap - wide, y - tall / 2),
        (x - wide / 2, y - gap - tall),
        (x - wide / 2, y + gap),
        (x + gap, y + gap / 2),
        (x - gap - wide, y + gap / 2),
        (x + gap, y - gap / 2 - tall),
        (x - gap - wide, y - gap / 2 - tall),
        (x - wide / 2, y - 2.5 * gap - tall),
        (x - wide / 2, y + 2.5 * gap),
    ]
    foot = size - 40 * _FINE
    for left, top in choices:
        here = (left, top, left + wide, top + tall)
        inside = left >= 4 and top >= 44 * _FINE and here[2] <= size - 4 and here[3] <= foot
        if inside and not any(_meet(here, other) for other in taken):
            return left, top
    return None


def _meet(one: Boxed, other: Boxed) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _draw_agent(draw: ImageDraw.ImageDraw, pixel: Pixel, waypoint: Waypoint) -> None:
    """Draw an arrowhead in the agent's heading."""
    x, y = pixel
    tip = []
    for angle, reach in ((0.0, 15.0), (145.0, 11.0), (180.0, 4.0), (-145.0, 11.0)):
        way = radians(waypoint.heading + angle)
        tip.append((x + reach * _FINE * sin(way), y - reach * _FINE * cos(way)))
    draw.polygon(tip, fill=_AGENT, outline="#ffffff", width=int(1.5 * _FINE))


def _draw_street_names(image: Image.Image, view: _View, city: City, taken: list[Boxed]) -> None:
    """Draw the name of each street once, along its longest straight piece that is free."""
    font = _font(9 * _FINE)
    pieces: list[tuple[float, str, Pixel, Pixel]] = []
    for street in city.streets:
        for one, other in pairwise([view.at(point) for point in street.points]):
            middle = ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
            if street.label and all(20 < part < view.size - 20 for part in middle):
                pieces.append((hypot(other[0] - one[0], other[1] - one[1]), street.label, one, other))
    done = set[str]()
    for length, name, one, other in sorted(pieces, key=lambda piece: -piece[0]):
        wide = font.getlength(name)
        if name in done or wide > length * 0.95:
            continue
        angle = (degrees(atan2(one[1] - other[1], other[0] - one[0])) + 90) % 180 - 90
        text = Image.new("L", (int(wide) + 8, 14 * _FINE), 0)
        ImageDraw.Draw(text).text((4, 7 * _FINE), name, 255, font, anchor="lm")
        rotated = text.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
        x = int((one[0] + other[0]) / 2 - rotated.width / 2)
        y = int((one[1] + other[1]) / 2 - rotated.height / 2)
        box = (float(x), float(y), float(x + rotated.width), float(y + rotated.height))
        if any(_meet(box, each) for each in taken):
            continue
        taken.append(box)
        done.add(name)
        image.paste(_NAME, (x, y), rotated)


def _draw_frame(image: Image.Image, view: _View, route: Route, city: City | None) -> None:
    """Draw the title above, and scale, north and attribution below."""
    draw = ImageDraw.Draw(image)
    size, bar = view.size, 34 * _FINE
    draw.rectangle((0, 0, size, bar), fill="#ffffff")
    title = f"{route.city}: {route.start} to {route.destination}" if route.start else route.city
    draw.text((12 * _FINE, bar / 2), _printable(title), _INK, _font(14 * _FINE), anchor="lm")
    draw.text((size - 12 * _FINE, bar / 2), "N", _INK, _font(14 * _FINE), anchor="rm")
    x = size - 32 * _FINE
    draw.polygon([(x, bar * 0.2), (x - 5 * _FINE, bar * 0.8), (x + 5 * _FINE, bar * 0.8)], fill=_INK)
    draw.rectangle((0, size - 26 * _FINE, size, size), fill="#ffffff")
    metres = next(step for step in (500, 200, 100, 50, 20, 10) if step * view.scale < size * 0.25)
    y = size - 13 * _FINE
    draw.line((12 * _FINE, y, 12 * _FINE + metres * view.scale, y), fill=_INK, width=3 * _FINE)
    draw.text((20 * _FINE + metres * view.scale, y), f"{metres} m", _INK, _font(11 * _FINE), anchor="lm")
    owed = city.attribution if city else ""
    draw.text((size - 12 * _FINE, y), owed, _INK, _font(11 * _FINE), anchor="rm")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _line(draw: ImageDraw.ImageDraw, pixels: list[Pixel], colour: str, width: float) -> None:
    """Draw a line with round joints and ends."""
    if len(pixels) > 1:
        draw.line(pixels, fill=colour, width=round(width), joint="curve")
    for pixel in pixels:
        _dot(draw, pixel, width / 2, colour)


def _dot(draw: ImageDraw.ImageDraw, pixel: Pixel, radius: float, colour: str) -> None:
    x, y = pixel
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(asset_path("fonts/DejaVuSans-Bold.ttf")), size)
