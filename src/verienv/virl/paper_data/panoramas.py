"""The panoramas that come with the paper's routes: their ids, their positions, and the missing ones.

In the folder of ``route_infos.json``, ``gps_pano_mapping.pkl`` says where each one was taken; the pictures are
``street_views/<id>.jpg`` (equirectangular, 360 x 180 degrees), each with ``<id>.metadata.json``, whose ``rotation``
in degrees puts the compass heading h at the column ((h + rotation) mod 360) / 360 of the width.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path

from verienv.core.reading import is_file, read_bytes, read_json
from verienv.core.shown import cut, shown_path
from verienv.virl.paper_data.format import describe, read_number
from verienv.virl.paper_data.safe_pickle import read_mapping
from verienv.virl.routes.route import Route
from verienv.virl.world.geometry import EARTH_RADIUS, Point, distance

MAPPING, PICTURES = "gps_pano_mapping.pkl", "street_views"

REACH = 20.0
"""Metres from a position to a panorama that stands for it; one farther away shows another place."""

_MARGIN = REACH * 1.02 / radians(EARTH_RADIUS)
"""Degrees of latitude in ``REACH``, and a little more."""

MOST_LISTED = 3
"""Missing things that a message names, at most."""

PANORAMA_ID = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]{0,199}")
"""Accepted ids: an id becomes the name of a file."""


def read_panoramas(folder: Path) -> dict[Point, str]:
    """Read the ids of panoramas by the positions at which they were taken. The pickle is never run (``safe_pickle``).

    Raises:
        FileNotFoundError: if ``gps_pano_mapping.pkl`` is not in ``folder``.
        ValueError: if it is anything but a dict of (latitude, longitude) to id.
    """
    path = Path(folder) / MAPPING
    if not is_file(path):
        raise FileNotFoundError(
            f"{shown_path(path)} is missing: it says where the panoramas were taken; give the folder that has it"
        )
    try:
        mapping = read_mapping(read_bytes(path))
        for (latitude, longitude), panorama in mapping.items():
            read_number("a latitude", latitude, 90.0)
            read_number("a longitude", longitude, 180.0)
            if not PANORAMA_ID.fullmatch(panorama):
                raise ValueError(
                    f"the id {describe(panorama)} is no name of a file; letters, digits and -_=. are accepted"
                )
    except ValueError as error:
        where = shown_path(path)
        reason = cut(str(error).removeprefix(f"{where}: "))
        raise ValueError(f"{where}: {reason}; nothing of it was run; a dict of (lat, lng) to id is accepted") from None
    return {(float(latitude), float(longitude)): panorama for (latitude, longitude), panorama in mapping.items()}


def panorama_near(mapping: Mapping[Point, str], location: Point) -> str:
    """Return the id of the panorama taken at ``location``, or else of the nearest within 20 metres.

    Raises:
        ValueError: with the nearest distance, if there is none.
    """
    if location in mapping:
        return mapping[location]
    abreast = [position for position in mapping if abs(position[0] - location[0]) <= _MARGIN]
    near = _nearest(abreast, location)
    if near is None or distance(location, near) > REACH:
        near = _nearest(mapping, location)
        reason = "there is none at all" if near is None else f"the nearest is {distance(location, near):.0f} m away"
        raise ValueError(
            f"no panorama was taken within {REACH:g} m of {location[0]:.6f}, {location[1]:.6f}: {reason}; "
            "take the mapping that belongs to the routes, or another route"
        )
    return mapping[near]


def _nearest(positions: Iterable[Point], location: Point) -> Point | None:
    return min(positions, key=lambda position: distance(location, position), default=None)


def read_rotation(folder: Path, panorama: str) -> float:
    """Read the ``rotation`` of a panorama, in degrees. Raises ValueError or FileNotFoundError if it has none."""
    path = Path(folder) / PICTURES / f"{panorama}.metadata.json"
    metadata = read_json(path, most_bytes=2**20)
    if not isinstance(metadata, dict):
        raise ValueError(f"{shown_path(path)}: holds {describe(metadata)}; an object with a rotation is expected")
    try:
        return read_number("the rotation", metadata.get("rotation"), 1e6)
    except ValueError as error:
        raise ValueError(f"{shown_path(path)}: {error}") from None


def panoramas_along(mapping: Mapping[Point, str], ways: Iterable[Sequence[Point]]) -> list[dict[Point, str]]:
    """Return for each way, a line through points, the part of ``mapping`` within 20 metres of it."""
    positions = sorted(mapping)
    latitudes = [latitude for latitude, _ in positions]
    found = []
    for way in ways:
        near: dict[Point, str] = {}
        for start, end in pairwise(way):
            south, north = min(start[0], end[0]) - _MARGIN, max(start[0], end[0]) + _MARGIN
            for position in positions[bisect_left(latitudes, south) : bisect_right(latitudes, north)]:
                if _metres_off(position, start, end) <= REACH:
                    near[position] = mapping[position]
        found.append(near)
    return found


def _metres_off(position: Point, start: Point, end: Point) -> float:
    """Return the metres from a position to the line between two others, on the plane that touches at ``start``."""
    scale = radians(EARTH_RADIUS)
    east = cos(radians(start[0])) * scale
    x, y = _degrees_east(start, position) * east, (position[0] - start[0]) * scale
    along_x, along_y = _degrees_east(start, end) * east, (end[0] - start[0]) * scale
    length = along_x * along_x + along_y * along_y
    share = min(1.0, max(0.0, (x * along_x + y * along_y) / length)) if length else 0.0
    return hypot(x - share * along_x, y - share * along_y)


def _degrees_east(start: Point, end: Point) -> float:
    return (end[1] - start[1] + 180.0) % 360.0 - 180.0


def missing_panoramas(folder: Path, mapping: Mapping[Point, str], ways: Iterable[Sequence[Point]]) -> list[str]:
    """List what is missing to show each point of each way: an entry of the mapping, a picture, or its rotation."""
    ways = list(ways)
    missing: dict[str, None] = {}
    checked: set[str] = set()
    for way, near in zip(ways, panoramas_along(mapping, ways), strict=True):
        for location in way:
            try:
                panorama = panorama_near(near, location)
            except ValueError:
                missing[f"a panorama within {REACH:g} m of {location[0]:.6f}, {location[1]:.6f}"] = None
                continue
            if panorama not in checked:
                checked.add(panorama)
                missing |= dict.fromkeys(_lacks(Path(folder), panorama))
    return list(missing)


def _lacks(folder: Path, panorama: str) -> list[str]:
    lacks = [] if is_file(folder / PICTURES / f"{panorama}.jpg") else [f"{PICTURES}/{panorama}.jpg"]
    try:
        read_rotation(folder, panorama)
    except (ValueError, OSError):
        lacks.append(f"a numeric rotation in {PICTURES}/{panorama}.metadata.json")
    return lacks


def check_panoramas(folder: Path, routes: Iterable[Route], mapping: Mapping[Point, str] | None = None) -> None:
    """Check that every waypoint of ``routes`` can be shown.

    Args:
        folder: the folder that holds ``street_views``.
        routes: the routes, as they are played.
        mapping: the ids of panoramas by position; by default read from ``folder``.

    Raises:
        ValueError: counts what is missing, and names the first of it.
        FileNotFoundError: if there is no mapping.
    """
    mapping = read_panoramas(folder) if mapping is None else mapping
    ways = ([waypoint.location for waypoint in route.waypoints] for route in routes)
    missing = missing_panoramas(folder, mapping, ways)
    if missing:
        raise ValueError(
            f"{shown_path(folder)}: {summarize_missing(missing)}; complete the download, or play in words "
            "(verienv/VIRL-L-v0)"
        )


def summarize_missing(missing: Sequence[str]) -> str:
    """Count the missing things and name the first of them, in one line."""
    more = f", and {len(missing) - MOST_LISTED} more" if len(missing) > MOST_LISTED else ""
    return f"{len(missing)} missing: {', '.join(missing[:MOST_LISTED])}{more}"
