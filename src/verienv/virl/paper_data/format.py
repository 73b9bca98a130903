"""The format of the paper's routes: the meaning of their fields, and the defects of a route.

A route's *milestones* are the ends of its legs: ``geocode_list[i]`` is where leg ``i`` ends, the last is at the
destination, and leg 0 begins at the start's ``relocated_geocode`` (else its ``geocode``). Block ``i`` of
``milestone_info`` tells of leg ``i``: its heading, and the landmark at its end, with the position that it has for an
agent that arrives in that heading.

Headings are given as truncated integers, with the nearest word of the compass. The given one counts, so that words and
turns are the paper's; where truncation alone has carried it over the border of two words ("22 (northeast)" of 22.7),
half a degree is added. In every sample at hand it is the bearing from milestone to milestone, truncated. So a heading
that is more than 45 degrees off, on a leg of at least 10 metres, means that lists are out of step, and the route is
defective.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from verienv.core.shown import shown
from verienv.virl.paper_data.route import Milestone, PaperRoute
from verienv.virl.world.geometry import (
    COMPASS,
    POSITIONS,
    Point,
    bearing,
    compass_word,
    distance,
    position_word,
    turn,
    wrap_angle,
)

MOST_OFF = 45.0
"""Degrees between a leg's heading and its bearing, at most; with more the route is defective."""
SURE_FROM = 10.0
"""Metres of a leg whose bearing counts; that of a shorter leg says little."""
SHORTEST_WAY = 1.0
"""Metres from start to destination along the route, at least."""
LONGEST_NAME = 200
"""Characters of a name, at most."""


def read_route(raw: Any) -> PaperRoute:
    """Read the route that an entry of ``route_infos.json`` describes.

    Raises:
        ValueError: names the defect in a few words.
    """
    entry = _object("the route", raw)
    start, goal = _object("start_place", entry.get("start_place")), _object("dest_place", entry.get("dest_place"))
    results = _object("route_results", entry.get("route_results"))
    ends, landmarks = (
        _list("geocode_list", results.get("geocode_list")),
        _list("landmark_list", results.get("landmark_list", [])),
    )
    blocks = read_milestone_info(entry.get("milestone_info"))
    if not ends:
        raise ValueError("geocode_list is empty: the route has no leg")
    if len(blocks) != len(ends):
        raise ValueError(f"milestone_info has {len(blocks)} blocks; {len(ends)} are expected, one for each geocode")
    if len(landmarks) != len(ends) - 1:
        raise ValueError(
            f"landmark_list has {len(landmarks)} entries; {len(ends) - 1} are expected, one less than geocodes"
        )
    relocated = start.get("relocated_geocode")
    location = read_point("the start's geocode", start.get("geocode") if relocated is None else relocated)
    first = heading = _first_heading(entry.get("init_heading"), blocks[0])
    milestones: list[Milestone] = []
    for number, (block, end, place) in enumerate(zip(blocks, ends, (*landmarks, goal), strict=True), 1):
        here = milestones[-1].location if milestones else location
        there = read_point(f"geocode {number}", end)
        heading = _leg_heading(block, number, heading, here, there)
        milestones.append(_milestone(block, number, heading, there, place, number == len(ends)))
    route = PaperRoute(_start_label(start.get("name")), location, first, tuple(milestones))
    if sum(distance(*leg) for leg in pairwise(route.points)) < SHORTEST_WAY:
        raise ValueError("start and destination coincide: there is no way to go")
    return route


_LINE = re.compile(r'"([a-z_]{1,40})": "(.*)",?')


def read_milestone_info(text: Any) -> list[dict[str, str]]:
    """Read the blocks of ``milestone_info``, which looks like JSON and is not, line by line as ``"key": "value",``.

    Values are taken as they stand, whatever quotes and braces they hold.

    Raises:
        ValueError: for a line that is none of these, a block that is not closed, or a key given twice.
    """
    if not isinstance(text, str):
        raise ValueError(f"milestone_info is {describe(text)}; a text is expected")
    blocks: list[dict[str, str]] = []
    is_open = False
    for line in map(str.strip, text.split("\n")):
        if line == "{" and not is_open:
            blocks.append({})
            is_open = True
        elif line in ("}", "},") and is_open:
            is_open = False
        elif line:
            pair = _LINE.fullmatch(line) if is_open else None
            if pair is None or pair[1] in blocks[-1]:
                raise ValueError(
                    f'milestone_info has the line {describe(line)}; {{, }} or a new "key": "value", is expected'
                )
            blocks[-1][pair[1]] = pair[2]
    if is_open:
        raise ValueError(f"block {len(blocks)} of milestone_info is not closed")
    for number, block in enumerate(blocks, 1):
        if block.get("intersection_idx", str(number)) != str(number):
            raise ValueError(f"block {number} of milestone_info is numbered {describe(block['intersection_idx'])}")
    return blocks


_HEADING = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,12})?)(?: ?\(([a-z]{4,9})\))?", re.ASCII)


def _heading(what: str, text: str | None) -> tuple[float, str]:
    """Read degrees, and the word of the compass or ""."""
    read = _HEADING.fullmatch(text) if text is not None else None
    if read is None or float(read[1]) > 360 or read[2] not in (None, *COMPASS):
        raise ValueError(f"{what} is {describe(text)}; degrees such as '298' or '298 (northwest)' are expected")
    return wrap_angle(float(read[1])), read[2] or ""


def _first_heading(given: Any, block: Mapping[str, str]) -> float:
    human = block.get("human_heading")
    if given is None:
        return _heading("the human_heading of block 1", human)[0]
    heading = wrap_angle(read_number("init_heading", given, 360.0))
    if human is not None:
        _check_heading(1, human, heading)
    return heading


def _leg_heading(block: Mapping[str, str], number: int, before: float, start: Point, end: Point) -> float:
    if number > 1 and "human_heading" in block:
        _check_heading(number, block["human_heading"], before)
    text = block.get("to_next_intersection_heading")
    heading, word = _heading(f"the to_next_intersection_heading of block {number}", text)
    if word and compass_word(heading) != word:
        heading += 0.5  # what truncation may have taken
        if compass_word(heading) != word:
            raise ValueError(f"the heading of block {number} is {describe(text)}, and its word is another")
    if distance(start, end) >= SURE_FROM and abs(turn(heading, bearing(start, end))) > MOST_OFF:
        raise ValueError(
            f"leg {number} has the heading {heading:g}, and its ends the bearing {bearing(start, end):.0f}"
        )
    return heading


def _check_heading(number: int, text: str, heading: float) -> None:
    """Raise if block ``number`` begins in another heading than the agent has; only whole degrees are given."""
    human = _heading(f"the human_heading of block {number}", text)[0]
    if abs(turn(human, heading)) > 1.0:
        raise ValueError(f"block {number} has the human_heading {human:g}, and the agent looks to {heading:g}")


_IS_ON_YOUR = " is on your "
_NO_LANDMARK = "No landmark nearby"
_DESTINATION = "The destination "


def _milestone(
    block: Mapping[str, str], number: int, heading: float, location: Point, place: Any, is_last: bool
) -> Milestone:
    text = block.get("landmarks", "")
    if text.rstrip(".") == _NO_LANDMARK and not is_last:
        if place is not None:
            raise ValueError(f"block {number} tells of no landmark, and landmark_list of one")
        return Milestone(location, heading)
    given_name, found, position = text.rstrip(".").rpartition(_IS_ON_YOUR)
    if not found or position not in POSITIONS or (is_last and not given_name.startswith(_DESTINATION)):
        expected = f"{_DESTINATION}X{_IS_ON_YOUR}left" if is_last else f"X{_IS_ON_YOUR}left' or '{_NO_LANDMARK}"
        raise ValueError(f"the landmarks of block {number} are {describe(text)}; such as '{expected}' is expected")
    what = "dest_place" if is_last else f"landmark {number}"
    known = _object(what, place)
    given_name = given_name.removeprefix(_DESTINATION) if is_last else given_name
    name = known.get("name") or given_name
    if not isinstance(name, str) or (given_name and _plain(given_name) != _plain(name)):
        raise ValueError(f"block {number} tells of {describe(given_name)}, and {what} is named {describe(name)}")
    towards = wrap_angle(heading + 45.0 * POSITIONS.index(position))
    if known.get("geocode") is not None:
        towards_place = bearing(location, read_point(f"the geocode of {what}", known["geocode"]))
        if position_word(heading, towards_place) == position:
            towards = towards_place
    name = _plain(name)
    return Milestone(location, heading, label_of(name), name, towards)


def _plain(name: str) -> str:
    """Return ``name`` with single spaces and without invisible characters, such as marks of the writing direction."""
    if len(name) > 2 * LONGEST_NAME:
        raise ValueError(f"the name {describe(name)} is unfit; at most {LONGEST_NAME} characters are expected")
    return " ".join("".join(character for character in name if unicodedata.category(character) != "Cf").split())


_ASCII = str.maketrans(
    dict.fromkeys("‘’‚‛`´′ʻʼ", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Þ": "Th", "þ": "th"}
    | dict(zip("ØøŁłĐđıÐð", "OoLlDdiDd", strict=True))
    | {"®": "", "·": "-", "•": "-"}
)


def label_of(name: str) -> str:
    """Return the label of a place: its name in printable ASCII.

    A name in printable ASCII is its own label. Else typographic signs and some letters are replaced, accents dropped,
    and, where the package ``anyascii`` is installed, other scripts transliterated.

    Raises:
        ValueError: if it is empty, too long, not printable, or no label can be made of it.
    """
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"the name {describe(name)} is unfit; 1 to {LONGEST_NAME} printable characters are expected")
    label = " ".join(ascii_of(name).split())
    if not (label and label.isascii() and label.isprintable() and len(label) <= LONGEST_NAME):
        raise ValueError(f"the name {describe(name)} cannot be written in ASCII; the package anyascii may help")
    return label


def ascii_of(text: str) -> str:
    """Return a text with typographic signs and some letters replaced, accents dropped, other scripts transliterated.

    The last where the package ``anyascii`` is installed: else the text may not be ASCII yet.
    """
    if text.isascii():
        return text
    bare = unicodedata.normalize("NFKD", text.translate(_ASCII))
    label = "".join(character for character in bare if not unicodedata.combining(character))
    return label if label.isascii() else _transliterated(label)


def _transliterated(name: str) -> str:
    try:
        from anyascii import anyascii  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return name
    return str(anyascii(name))


def _start_label(name: Any) -> str:
    """Return the label of the start, which nothing depends on: "" if it has no name or no label can be made of it."""
    try:
        return label_of(_plain(name)) if isinstance(name, str) else ""
    except ValueError:
        return ""


def read_point(what: str, value: Any) -> Point:
    """Read a position. Raises ValueError unless it is [latitude, longitude] in degrees."""
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{what} is {describe(value)}; [latitude, longitude] is expected")
    return read_number(f"the latitude of {what}", value[0], 90.0), read_number(
        f"the longitude of {what}", value[1], 180.0
    )


def read_number(what: str, value: Any, most: float) -> float:
    """Read a number from ``-most`` to ``most``. Raises ValueError for anything else, such as NaN or true."""
    if type(value) not in (int, float) or not -most <= value <= most:
        raise ValueError(f"{what} is {describe(value)}; a number from {-most:g} to {most:g} is expected")
    return float(value)


def _object(what: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {describe(value)}; an object is expected")
    return value


def _list(what: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is {describe(value)}; a list is expected")
    return value


def describe(value: Any) -> str:
    """Describe a value for a message: printable ASCII, at most 60 characters."""
    if value is None:
        return "missing"
    if isinstance(value, (list, dict)):
        return f"a list of {len(value)}" if isinstance(value, list) else "an object"
    text = ascii(value[:64]) if isinstance(value, str) else ascii(shown(value))[1:-1]
    return text if len(text) <= 60 else text[:57] + "..."
