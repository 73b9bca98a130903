"""The sentences that lead along a route, and what they give away of each turn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from verienv.virl.routes.route import LONGEST_TEXT, Waypoint
from verienv.virl.world.geometry import POSITIONS, compass_word, position_phrase, position_word, turn_word

Directions = Literal["both", "absolute", "relative", "landmarks"]
"""The words that sentences name: the compass word, the turn word, both, or neither (only where a landmark will be)."""

STOP = "Stop."


def turn_sentence(place: Waypoint, turn_to: float, directions: Directions) -> str:
    """The sentence for a turn at ``place`` to the heading ``turn_to`` (degrees).

    Raises:
        ValueError: if landmarks alone are to tell it and none is near.
    """
    side, compass = turn_word(place.heading, turn_to), compass_word(turn_to)
    if directions == "both":
        return f"Turn {side} to face {compass}."
    if directions == "absolute":
        return f"Turn to face {compass}."
    if directions == "relative":
        return f"Turn {side}."
    if not place.landmark:
        raise ValueError("no landmark is near where the route turns, so landmarks alone cannot tell the turn")
    return f"Turn until {place.landmark} is {position_phrase(position_word(turn_to, place.landmark_bearing))}."


def walk_sentence(end: Waypoint, is_last: bool) -> str:
    """The sentence for a leg that ends at ``end``, as the agent arrives there."""
    if is_last:
        return f"Walk forward until your destination {end.landmark} is {end.where}."
    if end.landmark:
        return f"Walk forward to the intersection where {end.landmark} is {end.where}."
    return "Walk forward to the next intersection."


_BEFORE_LANDMARK = re.compile(
    r"(?:.* where (?:the destination )?|.* until your destination |turn until )", re.IGNORECASE
)
_AFTER_LANDMARK = re.compile(r"(.+) is (?:in front of you|behind you|on your [a-z ]{1,20})\.?", re.IGNORECASE)


def named_landmarks(sentences: Iterable[str]) -> tuple[str, ...]:
    """Return the landmarks that sentences name, in lower case and in order: ours, and those of the paper's prompts."""
    found = list[str]()
    for sentence in sentences:
        before = _BEFORE_LANDMARK.match(sentence[:LONGEST_TEXT])
        after = _AFTER_LANDMARK.fullmatch(sentence[before.end() : LONGEST_TEXT]) if before else None
        if after and after[1].lower() not in found[-1:]:
            found.append(after[1].lower())
    return tuple(found)


def satisfies(place: Waypoint, end: Waypoint, is_last: bool) -> bool:
    """Whether the view at ``place`` is what the sentence for a leg to ``end`` says of its end."""
    if not (place.at_intersection or is_last):
        return False
    if not (end.landmark or is_last):
        return True
    return (place.landmark, place.landmark_position) == (end.landmark, end.landmark_position)


def turns_that_fit(place: Waypoint, turn_to: float) -> list[float]:
    """The streets at ``place`` that a turn told by its landmark alone may mean.

    A reader knows the landmark's position before the turn, what it will be after it, and that of each street, each as
    one of eight words. So a street fits if the words agree to within one step; streets straight on or back never do.
    """
    now, then = place.landmark_bearing - place.heading, place.landmark_bearing - turn_to
    steps = _sector(now) - _sector(then)
    return [
        street
        for street in place.streets
        if turn_word(place.heading, street)
        and _sector(street - place.heading) != 4
        and (_sector(street - place.heading) - steps + 1) % 8 <= 2
    ]


def _sector(angle: float) -> int:
    """The eighth of the circle that a position word names, from 0 for front, clockwise."""
    return POSITIONS.index(position_word(0.0, angle))
