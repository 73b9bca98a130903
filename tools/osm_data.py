"""Read OpenStreetMap data: OSM-QA vector tiles (zoom 12, all tags) and extracts in PBF.

Vector tiles are read here, as the Vector Tile Specification 2.1 says; a PBF needs the package ``osmium``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import atan, degrees, pi, sinh
from pathlib import Path
from typing import Any, Literal

from verienv.virl.world.geometry import Point

WORD = {5: 4, 1: 8}  # the bytes of protobuf's fixed-width types, by their number


@dataclass(frozen=True)
class Feature:
    """A thing on the map; of one that a tile's border cuts, each part is a feature with the same ``id``."""

    id: str
    shape: Literal["point", "line", "area"]
    points: tuple[Point, ...]
    tags: dict[str, str]
    timestamp: int


def read_pbf(path: Path) -> Iterator[Feature]:
    """Nodes and ways with tags of an extract; a closed way is an "area", be it a ring road."""
    import osmium

    for item in osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.EmptyTagFilter()):
        tags = {tag.k: tag.v for tag in item.tags}
        seconds = int(item.timestamp.timestamp()) if item.timestamp else 0
        if item.is_node():
            yield Feature(f"node {item.id}", "point", ((item.lat, item.lon),), tags, seconds)
        elif item.is_way():
            points = tuple((node.lat, node.lon) for node in item.nodes if node.location.valid())
            if len(points) >= 2:
                yield Feature(f"way {item.id}", "area" if item.is_closed() else "line", points, tags, seconds)


def read_tiles(tiles: Iterable[tuple[str, bytes]]) -> Iterator[Feature]:
    """Features of OSM-QA tiles, each a name ``<zoom>-<x>-<y>.mvt`` and its bytes.

    A line that a tile's border cuts goes on in the next tile; the two points there, which rounding may part, become
    one.
    """
    border: set[tuple[int, int]] = set()
    for name, data in sorted(tiles):
        zoom, column, row = map(int, Path(name).stem.split("-"))
        layer = next(value for number, value in _fields(data) if number == 3)
        yield from _layer(layer, zoom, column, row, border)


def _layer(layer: bytes, zoom: int, column: int, row: int, border: set[tuple[int, int]]) -> Iterator[Feature]:
    keys, values, features, extent = [], [], [], 4096
    for number, value in _fields(layer):
        if number == 3:
            keys.append(value.decode())
        elif number == 4:
            values.append(_value(value))
        elif number == 2:
            features.append(value)
        elif number == 5:
            extent = value
    for packed in features:
        parts = dict(_fields(packed))
        numbers = list(_varints(parts[2]))
        tags = {keys[key]: values[value] for key, value in zip(numbers[::2], numbers[1::2], strict=True)}
        shape = (None, "point", "line", "area")[parts[3]]
        if shape is None or (shape == "point" and "name" not in tags):
            continue
        for line in _geometry(parts[4], closed=shape == "area"):
            if shape == "area" and _doubled_area(line) <= 0:
                continue  # a hole
            points = []
            for x, y in line:
                place = (column * extent + x, row * extent + y)
                if place[0] % extent == 0 or place[1] % extent == 0:
                    place = _snapped(place, border)
                points.append(_position(*place, extent << zoom))
            identity = f"{tags.get('@type')} {tags.get('@id')}"
            yield Feature(identity, shape, tuple(points), tags, int(tags.get("@timestamp", 0)))


def _position(x: int, y: int, size: int) -> Point:
    """Latitude and longitude of a position in a Web Mercator world of ``size`` by ``size``."""
    return round(degrees(atan(sinh(pi * (1 - 2 * y / size)))), 7), round(x / size * 360.0 - 180.0, 7)


def _snapped(place: tuple[int, int], border: set[tuple[int, int]]) -> tuple[int, int]:
    """A position of ``border`` at most two units (2 cm) away, else ``place``, which joins them."""
    for x in range(place[0] - 2, place[0] + 3):
        for y in range(place[1] - 2, place[1] + 3):
            if (x, y) in border:
                return x, y
    border.add(place)
    return place


def _geometry(packed: bytes, closed: bool) -> list[list[tuple[int, int]]]:
    """The lines of a feature: MoveTo is command 1, LineTo 2, ClosePath 7."""
    numbers = list(_varints(packed))
    lines: list[list[tuple[int, int]]] = []
    x = y = index = 0
    while index < len(numbers):
        command, count = numbers[index] & 7, numbers[index] >> 3
        index += 1
        if command == 7:
            if closed:
                lines[-1].append(lines[-1][0])
            continue
        for _ in range(count):
            x += numbers[index] >> 1 ^ -(numbers[index] & 1)
            y += numbers[index + 1] >> 1 ^ -(numbers[index + 1] & 1)
            index += 2
            if command == 1:
                lines.append([])
            lines[-1].append((x, y))
    return lines


def _doubled_area(ring: list[tuple[int, int]]) -> int:
    return sum(x * other_y - other_x * y for (x, y), (other_x, other_y) in pairwise(ring))


def _value(packed: bytes) -> str:
    """A tag's value as text; only names, kinds and whole numbers are read by us."""
    number, value = next(_fields(packed))
    if number == 1:
        return str(value.decode())
    return str(value >> 1 ^ -(value & 1)) if number == 6 else str(value)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The numbered fields of a protobuf message: numbers as int, the rest as bytes."""
    index = 0
    while index < len(data):
        key, index = _varint(data, index)
        wire = key & 7
        if wire == 0:
            value, index = _varint(data, index)
            yield key >> 3, value
            continue
        size = WORD.get(wire)
        if size is None:
            size, index = _varint(data, index)
        yield key >> 3, data[index : index + size]
        index += size


def _varints(data: bytes) -> Iterator[int]:
    index = 0
    while index < len(data):
        value, index = _varint(data, index)
        yield value


def _varint(data: bytes, index: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[index]
        index += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, index
        shift += 7
