"""Folders in the form of the paper's data, made up for the tests."""

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from verienv.virl.world.geometry import Point, bearing, between, compass_word, distance, position_word

START: Point = (40.7230, -73.9980)
POINTS: tuple[Point, ...] = ((40.7230, -73.9965), (40.7241, -73.9965), (40.7252, -73.9978))
"""A leg to the east, one to the north, one to the northwest."""
HOSTILE = """'wichcraft; "X" {Y}, is on your left"""


def place(name: str | None, at: Point | None) -> dict[str, Any]:
    return {"rating": 4.5, "plus_code": {"global_code": "87G8P2F2+4Q"}} | (
        ({} if name is None else {"name": name}) | ({} if at is None else {"geocode": list(at)})
    )


def route(
    names: Sequence[str | None] = ("Prince St", HOSTILE, "MoMA Design Store"),
    points: Sequence[Point] = POINTS,
    start: Point = START,
    first: int = 0,
) -> dict[str, Any]:
    """An entry of route_infos.json; each landmark stands 10 m northeast of its milestone, None is none."""
    blocks, places, here, heading = [], [], start, first
    for number, (name, there) in enumerate(zip(names, points, strict=True), 1):
        leg = int(bearing(here, there))
        at = (there[0] + 7e-5, there[1] + 9e-5)
        places.append(None if name is None else place(name, at))
        told = f"{name} is on your {position_word(leg, bearing(there, at))}" if name else "No landmark nearby"
        if number == len(points):
            told = f"The destination {told}"
        blocks.append(
            f'{{\n"intersection_idx": "{number}",\n"landmarks": "{told}",\n"distance": "{distance(here, there):.0f} '
            f'meters",\n"human_heading": "{heading}",\n'
            f'"to_next_intersection_heading": "{leg} ({compass_word(bearing(here, there))})",\n}}\n'
        )
        here, heading = there, leg
    *landmarks, goal = places
    return {
        "dest_place": goal,
        "start_place": place("Converse", (start[0] + 1e-4, start[1])) | {"relocated_geocode": list(start)},
        "route_results": {"geocode_list": [list(point) for point in points], "landmark_list": landmarks},
        "init_heading": first,
        "milestone_info": "\n" + "\n".join(blocks),
    }


def mapped(spacing: float = 15.0) -> dict[Point, str]:
    """Panoramas along the way of ``route()``, one on each milestone."""
    found: dict[Point, str] = {START: "pano-start_0"}
    here = START
    for leg, there in enumerate(POINTS):
        count = max(1, int(distance(here, there) / spacing))
        for step in range(1, count + 1):
            found[there if step == count else between(here, there, step / count)] = f"pano-{leg}_{step}"
        here = there
    return found


def folder(
    path: Path,
    routes: Any = None,
    mapping: Mapping[Any, Any] | None = None,
    protocol: int = pickle.DEFAULT_PROTOCOL,
) -> Path:
    """Write a folder of routes: three by default, and with a mapping all its pictures and rotations."""
    path.mkdir(parents=True)
    whole = [[route(), route(first=90), route(names=(None, None, "End"))], 5] if routes is None else routes
    (path / "route_infos.json").write_text(json.dumps(whole, indent=4), encoding="utf-8")
    if mapping is not None:
        (path / "gps_pano_mapping.pkl").write_bytes(pickle.dumps(dict(mapping), protocol))
        (path / "street_views").mkdir()
        for panorama in set(mapping.values()):
            (path / "street_views" / f"{panorama}.jpg").write_bytes(b"\xff\xd8")
            (path / "street_views" / f"{panorama}.metadata.json").write_text('{"rotation": 12.5, "date": "2022-08"}')
    return path


def changed(raw: dict[str, Any], *keys: Any, to: Any) -> dict[str, Any]:
    """A copy of an entry with the value at ``keys`` replaced."""
    copy = json.loads(json.dumps(raw))
    inner = copy
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    return copy


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    """Return the message of an error, which must be one line of printable characters."""
    told = str(error.value)
    assert told.isprintable()
    assert len(told) < 700
    return told
