"""Converted files: the paper's routes in the format ``verienv-routes``, version 1, for which no pickle is read.

It is a JSON object of ``format``, ``version``, ``name`` (the name in instances) and two lists:

- ``routes``, objects of ``index`` (in the paper's file), ``start`` (a name, "" if not known), ``location`` [latitude,
  longitude], ``heading`` and ``milestones``, a list of [latitude, longitude, heading, label, name, bearing];
- ``panoramas`` of [latitude, longitude, id, rotation]: those taken within 20 metres of a route. The rotation is null
  where it is not known.

``PaperRoute``, ``Milestone`` and ``PaperFile`` say what the fields mean. Angles and positions are in degrees
and unrounded, so that the routes are played as they were before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from verienv.core.shown import shown_path
from verienv.virl.paper_data.format import LONGEST_NAME, describe, label_of, read_number, read_point
from verienv.virl.paper_data.panoramas import PANORAMA_ID
from verienv.virl.paper_data.route import Milestone, PaperFile, PaperRoute
from verienv.virl.world.geometry import Point, wrap_angle

FORMAT, VERSION = "verienv-routes", 1
KEYS = ("format", "version", "name", "routes", "panoramas")
ROUTE_KEYS = ("index", "start", "location", "heading", "milestones")

_NAME = re.compile(r"[a-z0-9_-]{1,60}")


def dump_converted(file: PaperFile) -> str:
    """Write the text of a converted file, a line for each route and panorama."""
    routes = [
        dict(zip(ROUTE_KEYS, (index, route.start, route.location, route.heading, _listed(route)), strict=True))
        for index, route in file.routes.items()
    ]
    panoramas = [[*where, panorama, file.rotations.get(panorama)] for where, panorama in file.panoramas.items()]
    head = ",\n".join(
        f'"{key}": {json.dumps(value)}' for key, value in zip(KEYS, (FORMAT, VERSION, file.name), strict=False)
    )
    lists: tuple[tuple[str, list[Any]], ...] = (("routes", routes), ("panoramas", panoramas))
    rows = ",\n".join(f'"{key}": [\n' + ",\n".join(map(json.dumps, listed)) + "\n]" for key, listed in lists)
    return f"{{{head},\n{rows}}}\n"


def _listed(route: PaperRoute) -> list[list[Any]]:
    return [
        [*end.location, end.heading, end.landmark, end.landmark_name, end.landmark_bearing] for end in route.milestones
    ]


def read_converted(data: Mapping[str, Any], path: Path) -> PaperFile:
    """Read the routes of a converted file.

    Args:
        data: the JSON object in the file.
        path: the path of the file, for messages.

    Raises:
        ValueError: one line that names the file, the item, and what is wrong.
    """
    if data.get("format") != FORMAT or data.get("version") != VERSION or type(data["version"]) is not int:
        given = f"{describe(data.get('format'))} version {describe(data.get('version'))}"
        _fail(path, f"it is {given}; {FORMAT} version {VERSION} is accepted")
    if set(data) != set(KEYS):
        _fail(path, f"it holds {len(data)} fields; {', '.join(KEYS)} are accepted")
    name = data["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        _fail(path, f"the name is {describe(name)}; 1 to 60 of a-z, 0-9, _ and - are accepted")
    for key in ("routes", "panoramas"):
        if not isinstance(data[key], list):
            _fail(path, f"{key} is {describe(data[key])}; a list is accepted")
    routes: dict[int, PaperRoute] = {}
    panoramas: dict[Point, str] = {}
    rotations: dict[str, float] = {}
    item = "it"
    try:
        for number, row in enumerate(data["routes"]):
            item = f"route {number}"
            index, route = _route(row)
            if index in routes:
                raise ValueError(f"the index {index} is there twice")
            routes[index] = route
        for number, row in enumerate(data["panoramas"]):
            item = f"panorama {number}"
            where, panorama, rotation = _panorama(row)
            panoramas[where] = panorama
            if rotation is not None:
                rotations[panorama] = rotation
    except ValueError as error:
        _fail(path, f"{item}: {error}")
    return PaperFile(path, name, routes, {}, panoramas, rotations, is_converted=True)


def _route(row: Any) -> tuple[int, PaperRoute]:
    if not isinstance(row, dict) or set(row) != set(ROUTE_KEYS):
        raise ValueError(f"{describe(row)} is given; an object of {', '.join(ROUTE_KEYS)} is expected")
    index, ends = row["index"], row["milestones"]
    if type(index) is not int or not 0 <= index < 10**9:
        raise ValueError(f"the index is {describe(index)}; an integer from 0 is expected")
    if not isinstance(ends, list) or not ends:
        raise ValueError(f"milestones is {describe(ends)}; a list of at least one is expected")
    start = row["start"] and _label("start", row["start"])
    location = read_point("the location", row["location"])
    route = PaperRoute(start, location, _angle("the heading", row["heading"]), tuple(map(_milestone, ends)))
    if not route.milestones[-1].landmark:
        raise ValueError("the last milestone has no landmark; the destination is expected")
    return index, route


def _milestone(row: Any) -> Milestone:
    if not isinstance(row, list) or len(row) != 6:
        raise ValueError(
            f"a milestone is {describe(row)}; [latitude, longitude, heading, label, name, bearing] is expected"
        )
    location, heading = read_point("a milestone's place", row[:2]), _angle("a milestone's heading", row[2])
    label, name = row[3:5]
    if label == name == "":
        return Milestone(location, heading)
    if not (isinstance(name, str) and 1 <= len(name) <= LONGEST_NAME and name.isprintable()):
        raise ValueError(f"a name is {describe(name)}; 1 to {LONGEST_NAME} printable characters are expected")
    return Milestone(location, heading, _label("a label", label), name, _angle("a landmark's bearing", row[5]))


def _label(what: str, label: Any) -> str:
    if not isinstance(label, str) or not label.isascii() or label_of(label) != label:
        raise ValueError(f"{what} is {describe(label)}; printable ASCII with single spaces is expected")
    return label


def _angle(what: str, value: Any) -> float:
    return wrap_angle(read_number(what, value, 360.0))


def _panorama(row: Any) -> tuple[Point, str, float | None]:
    if not isinstance(row, list) or len(row) != 4:
        raise ValueError(f"it is {describe(row)}; [latitude, longitude, id, rotation] is expected")
    panorama, rotation = row[2:]
    if not isinstance(panorama, str) or not PANORAMA_ID.fullmatch(panorama):
        raise ValueError(f"the id is {describe(panorama)}; letters, digits and -_=. are expected")
    where = read_point("its place", row[:2])
    return where, panorama, None if rotation is None else read_number("the rotation", rotation, 1e6)


def _fail(path: Path, wrong: str) -> NoReturn:
    raise ValueError(f"{shown_path(path)}: {wrong}; write it with verienv convert")
