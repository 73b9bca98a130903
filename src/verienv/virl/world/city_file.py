"""Cities on disk: the format ``verienv-city``, version 1, and the cities that are shipped in it.

A file is trusted in nothing. It is a JSON object, with a line for each thing, of ``format``, ``version``, ``name``,
``title``, ``attribution``, ``source`` and three lists:

- ``nodes`` of [latitude, longitude];
- ``streets`` of [first node, second node, name, label, kind, latitude, longitude, ...], the numbers being the points
  between the two nodes;
- ``places`` of [name, label, kind, latitude, longitude, street, metres along it].

``City``, ``Street`` and ``Place`` say what the fields mean. Coordinates have six decimals, metres two.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from verienv.core.assets import asset_path
from verienv.core.files import atomic_write
from verienv.core.reading import is_file, is_there
from verienv.core.shown import cut, shown, shown_path
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.geometry import Point, distance
from verienv.virl.world.network import largest_component

SHIPPED_CITIES = ("astana", "helsinki", "montevideo-centre", "montevideo-north")
"""The cities in ``assets/cities``."""

FORMAT, VERSION = "verienv-city", 1
HEAD = ("format", "version", "name", "title", "attribution", "source")
LISTS = ("nodes", "streets", "places")
MOST_BYTES = 64 * 2**20
MOST_LATITUDE = 85.0
MOST_METRES = 20_000.0
"""The longest street."""

MOST_AWAY = 100.0
"""Metres from a place to its street."""

CITY_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
UNFIT = re.compile(r'["{}\\;]| is on your ')
"""Text that no label may hold, since it would be mistaken for the JSON or the sentence around it."""


def fits(label: str, most: int) -> bool:
    """Return whether ``label`` is printable ASCII, at most ``most`` characters, with single spaces and no ``UNFIT``."""
    spaced = label == " ".join(label.split())
    return label.isascii() and label.isprintable() and len(label) <= most and spaced and not UNFIT.search(label)


def save_city(city: City, path: str | Path) -> None:
    """Write the file of a city, whole or not at all; coordinates are rounded to 1e-6 degrees."""
    head = dict(zip(HEAD, (FORMAT, VERSION, city.name, city.title, city.attribution, city.source), strict=True))
    lists: tuple[list[list[Any]], ...] = (
        [_rounded(node) for node in city.nodes],
        [
            [*street.ends, street.name, street.label, street.kind, *_rounded(*street.points[1:-1])]
            for street in city.streets
        ],
        [
            [place.name, place.label, place.kind, *_rounded(place.location), place.street, round(place.along, 2)]
            for place in city.places
        ],
    )
    parts = [f'"{key}": {_json(value)}' for key, value in head.items()]
    for key, rows in zip(LISTS, lists, strict=True):
        parts.append(f'"{key}": [\n' + ",\n".join(map(_json, rows)) + "\n]")
    with atomic_write(path) as part:
        part.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8", newline="\n")


def load_city(path: str | Path) -> City:
    """Read the file of a city.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: one line that names the file, the item, what is wrong and what to do.
    """
    if not is_there(Path(path)):
        raise FileNotFoundError(f"no city's file {shown_path(path)!r}: give the path of a .json that save_city wrote")
    return _Reader(Path(path)).city()


@lru_cache(maxsize=8)
def shipped_city(name: str) -> City:
    """Load one of ``SHIPPED_CITIES``; it is read once in a process.

    Raises:
        ValueError: if there is no such city.
    """
    if name not in SHIPPED_CITIES:
        raise ValueError(
            f"city={shown(name)}: expected one of {', '.join(SHIPPED_CITIES)}; load_city reads one of your own"
        )
    return load_city(asset_path(f"cities/{name}.json"))


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path

    def city(self) -> City:
        data = self._parsed()
        form, version, name, title, attribution, source = (data[key] for key in HEAD)
        if form != FORMAT or type(version) is not int or version != VERSION:
            found = f"{_shown(form)}, version {_shown(version)}"
            self._fail("it", f"is of the format {found}; {FORMAT!r}, version {VERSION}, is accepted")
        if not (isinstance(name, str) and len(name) <= 60 and CITY_NAME.fullmatch(name)):
            self._fail("name", f"is {_shown(name)}; small letters, digits and hyphens are accepted, at most 60")
        self._label("title", title, 80)
        self._label("attribution", attribution, 200, least=0, fit=False)
        self._label("source", source, 1000, least=0, fit=False)
        for key in LISTS:
            if not isinstance(data[key], list) or not all(isinstance(row, list) for row in data[key]):
                self._fail(key, "must be a list of lists")
        nodes = tuple(self._node(f"node {index}", row) for index, row in enumerate(data["nodes"]))
        streets = tuple(self._street(f"street {index}", row, nodes) for index, row in enumerate(data["streets"]))
        if not streets:
            self._fail("streets", "is empty; a city has at least one")
        if len(largest_component(len(nodes), (street.ends for street in streets))) < len(nodes):
            self._fail("streets", "do not join all nodes; keep the largest connected part")
        places = tuple(self._place(f"place {index}", row, streets) for index, row in enumerate(data["places"]))
        return City(name, title, attribution, nodes, streets, places, source)

    def _parsed(self) -> dict[str, Any]:
        if not is_file(self.path):
            self._fail("it", "is no plain file; give a .json that save_city wrote")
        try:
            with self.path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except OSError as error:
            self._fail("it", f"cannot be read ({error.strerror})")
        if len(raw) > MOST_BYTES:
            self._fail("it", f"is larger than {MOST_BYTES // 2**20} MB; cut the city smaller")
        try:
            data = json.loads(raw.decode("utf-8-sig"), parse_constant=float)
        except (ValueError, RecursionError) as error:
            self._fail("it", f"is no JSON in UTF-8 ({cut(error, 80)}); write it with save_city")
        if not isinstance(data, dict) or set(data) != {*HEAD, *LISTS}:
            found = f"the keys {_shown(' '.join(sorted(data)))}" if isinstance(data, dict) else _shown(data)
            self._fail("it", f"holds {found}; an object of {', '.join((*HEAD, *LISTS))} is accepted")
        return data

    def _node(self, item: str, row: list[Any]) -> Point:
        if len(row) != 2:
            self._fail(item, f"is {_shown(row)}; [latitude, longitude] is accepted")
        return self._point(item, *row)

    def _street(self, item: str, row: list[Any], nodes: tuple[Point, ...]) -> Street:
        if len(row) < 5 or len(row) % 2 == 0:
            self._fail(item, f"has {len(row)} entries; two nodes, name, label, kind and pairs of numbers are accepted")
        first, second = self._index(item, row[0], len(nodes)), self._index(item, row[1], len(nodes))
        name, label = self._name(item, row[2], least=0), self._label(item, row[3], 100, least=0)
        kind = self._label(item, row[4], 40)
        between = (self._point(item, *row[index : index + 2]) for index in range(5, len(row), 2))
        street = Street((first, second), name, label, kind, (nodes[first], *between, nodes[second]))
        if not 0.1 <= street.length <= MOST_METRES:
            self._fail(item, f"is {street.length:.1f} m long; 0.1 to {MOST_METRES:.0f} m are accepted")
        return street

    def _place(self, item: str, row: list[Any], streets: tuple[Street, ...]) -> Place:
        if len(row) != 7:
            self._fail(item, f"has {len(row)} entries; name, label, kind, two coordinates, street, metres are accepted")
        name, label, kind = self._name(item, row[0]), self._label(item, row[1], 40), self._label(item, row[2], 40)
        location = self._point(item, *row[3:5])
        street = self._index(item, row[5], len(streets))
        along, length = row[6], streets[street].length
        if type(along) not in (int, float) or not 0 <= along <= length + 1:
            self._fail(item, f"stands {_shown(along)} m along street {street}; 0 to {length:.1f} m are accepted")
        away = distance(location, streets[street].at(along))
        if away > MOST_AWAY:
            self._fail(item, f"stands {away:.0f} m off street {street}; at most {MOST_AWAY:.0f} m are accepted")
        return Place(name, label, kind, location, street, min(float(along), length))

    def _point(self, item: str, latitude: Any, longitude: Any) -> Point:
        for value, most in ((latitude, MOST_LATITUDE), (longitude, 180.0)):
            if type(value) not in (int, float) or not -most <= value <= most:
                word = "latitude" if most == MOST_LATITUDE else "longitude"
                self._fail(item, f"has the {word} {_shown(value)}; degrees from {-most:g} to {most:g} are accepted")
        return float(latitude), float(longitude)

    def _index(self, item: str, value: Any, count: int) -> int:
        if type(value) is not int or not 0 <= value < count:
            self._fail(item, f"names number {_shown(value)}; an integer from 0 to {count - 1} is accepted")
        return int(value)

    def _name(self, item: str, value: Any, least: int = 1) -> str:
        if not (isinstance(value, str) and least <= len(value) <= 200 and value.isprintable()):
            self._fail(item, f"is named {_shown(value)}; {least} to 200 printable characters are accepted")
        return str(value)

    def _label(self, item: str, value: Any, most: int, least: int = 1, fit: bool = True) -> str:
        if (
            not isinstance(value, str)
            or not least <= len(value) <= most
            or not (value.isascii() and value.isprintable())
        ):
            self._fail(item, f"holds {_shown(value)}; {least} to {most} characters of printable ASCII are accepted")
        if fit and not fits(value, most):
            self._fail(
                item, f'holds {_shown(value)}; single spaces, none of "{{}}\\; and no " is on your " are accepted'
            )
        return str(value)

    def _fail(self, item: str, wrong: str) -> NoReturn:
        raise ValueError(f"the city's file {shown_path(self.path)!r}: {item} {wrong}")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _rounded(*points: Point) -> list[float]:
    return [round(degrees, 6) for point in points for degrees in point]


def _shown(value: Any) -> str:
    """Describe a value in at most 60 characters; nothing inside a list or an object, which may be deep, is read."""
    if isinstance(value, (list, dict)):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = ascii(value[:60]) if isinstance(value, str) else shown(value)
    return text if len(text) <= 60 else text[:57] + "..."
