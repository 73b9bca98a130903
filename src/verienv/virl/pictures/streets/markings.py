"""The parts of streets: pavements and their joints, kerbs, asphalt, mends, painted lines and crossings."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from verienv.virl.pictures.streets.keyed_random import KeyedRandom
from verienv.virl.world.building_lines import PAVEMENT, building_line_offset, road_width
from verienv.virl.world.city import Street
from verienv.virl.world.geometry import Array, Point, to_local

LINE, STRIPE, JOINT = 0.12, 0.5, 0.025
"""Metres of the width of a painted line, of a stripe of a crossing, and of a joint."""

KERB = 0.15
"""Metres of the width of a kerb."""

CROSSING = 4.0, 7.0
"""Metres from the edge of the crossing street to the near and to the far end of a crossing's stripes."""

SHORTEST = 45.0
"""Metres of a street that has crossings."""


class Strips(NamedTuple):
    """Rectangles along lines.

    Attributes:
        start, end: n x 2, metres east and north.
        width: n, metres.
    """

    start: Array
    end: Array
    width: Array


class Layers(NamedTuple):
    """The parts of streets by layer, from the lowest up; metres.

    Attributes:
        pavement: all between the fronts.
        joints: between the slabs of pavements.
        kerb: the road with its kerbs.
        paving: streets for people on foot.
        asphalt: the road between its kerbs.
        mends: places where the asphalt was opened and closed again.
        markings: lines and crossings painted on the asphalt.
    """

    pavement: Strips
    joints: Strips
    kerb: Strips
    paving: Strips
    asphalt: Strips
    mends: Strips
    markings: Strips


def layers_near(streets: list[Street], location: Point) -> Layers:
    """Return the parts of streets, in metres east and north of a position."""
    offsets = to_local(location, np.array([street.points[0] for street in streets]).reshape(-1, 2))
    each = [_layers(street) for street in streets]
    return Layers(
        *(
            join([Strips(s.start + o, s.end + o, s.width) for s, o in zip(layer, offsets, strict=True)])
            for layer in (zip(*each, strict=True) if each else [()] * len(Layers._fields))
        )
    )


@lru_cache(maxsize=4096)
def _layers(street: Street) -> Layers:
    """Return the parts of a street, in metres east and north of its first point."""
    line = to_local(street.points[0], np.array(street.points))
    wide, none = road_width(street), join([])
    pavement, slabs = _band(line, 2 * building_line_offset(street)), joints(line, street)
    if street.kind == "pedestrian":
        return Layers(pavement, slabs, none, _band(line, wide), none, none, none)
    asphalt = _band(line, wide - 2 * KERB)
    return Layers(pavement, slabs, _band(line, wide), none, asphalt, mends(line, street), markings(line, street))


def _band(line: Array, width: float) -> Strips:
    return Strips(line[:-1], line[1:], np.full(len(line) - 1, width))


def join(strips: list[Strips]) -> Strips:
    """Join strips into one."""
    if not strips:
        return Strips(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    return Strips(*(np.concatenate(parts) for parts in zip(*strips, strict=True)))


def markings(line: Array, street: Street) -> Strips:
    """Return the line in the middle of a street by its kind, and the crossings at its ends.

    Args:
        line: the middle of the street, n x 2, metres east and north.
        street: the street, whose kind counts.
    """
    width, total = road_width(street), _lengths(line)[-1]
    clear = width / 2 + CROSSING[1]
    found = []
    if street.kind in ("primary", "trunk"):
        found += [_dashes(line, clear, total, 4.0, 4.0, offset) for offset in (-0.12, 0.12)]
    elif street.kind in ("secondary", "tertiary"):
        found.append(_dashes(line, clear, total, 3.0, 6.0, 0.0))
    if total > SHORTEST:
        found += [_crossing(line, width), _crossing(line[::-1], width)]
    return join(found)


def mends(line: Array, street: Street) -> Strips:
    """Return places where the asphalt of a street was opened and closed again."""
    rng = KeyedRandom(round(street.points[0][0] * 1e6) * 2**32 + round(street.points[-1][1] * 1e6))
    total, half = _lengths(line)[-1], road_width(street) / 2
    found = []
    for _ in range(int(total / 14.0)):
        start = at(line, np.array([rng.uniform() * total]))
        length, width = 0.8 + 4.0 * rng.uniform() ** 2, 0.6 + 1.2 * rng.uniform()
        ahead = at(line, np.array([total])) - start
        ahead = ahead / max(1e-6, float(np.hypot(*ahead[0])))
        shift = aside(start, start + ahead) * ((2 * rng.uniform() - 1) * (half - 1.2))
        found.append(Strips(start + shift, start + shift + ahead * length, np.array([width])))
    return join(found)


def joints(line: Array, street: Street) -> Strips:
    """Return the joints between the slabs of pavements: across the street each metre, and along it."""
    half = building_line_offset(street)
    steps = np.arange(1.0, _lengths(line)[-1])
    start, end = at(line, steps), at(line, steps + 0.01)
    across = aside(start, end)
    found = [Strips(start + across * side * (half - PAVEMENT), start + across * side * half, np.full(len(start), JOINT))
             for side in (-1, 1)]  # fmt: skip
    first, last = line[:-1], line[1:]
    shift = aside(first, last)
    for offset in (half - 1.0, half - 2.0, 1.0 - half, 2.0 - half):
        found.append(Strips(first + shift * offset, last + shift * offset, np.full(len(first), JOINT)))
    return join(found)


def at(line: Array, distance: Array) -> Array:
    """Return the points of a line ``distance`` metres from its start."""
    lengths = _lengths(line)
    return np.stack([np.interp(distance, lengths, line[:, 0]), np.interp(distance, lengths, line[:, 1])], axis=1)


def aside(start: Array, end: Array) -> Array:
    """Return the unit vectors to the right of the lines from starts to ends, n x 2."""
    ahead = end - start
    right = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    return np.asarray(right / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None])


def _lengths(line: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def _dashes(line: Array, clear: float, total: float, dash: float, period: float, offset: float) -> Strips:
    starts = np.arange(clear, total - clear, period)
    start, end = at(line, starts), at(line, np.minimum(starts + dash, total - clear))
    shift = aside(start, end) * offset
    return Strips(start + shift, end + shift, np.full(len(starts), LINE))


def _crossing(line: Array, width: float) -> Strips:
    """Return the stripes of a zebra crossing near the start of a line."""
    start, end = at(line, width / 2 + np.array(CROSSING[:1])), at(line, width / 2 + np.array(CROSSING[1:]))
    offsets = np.arange(-width / 2 + 0.6, width / 2 - 0.3, 2 * STRIPE)[:, None]
    across = aside(start, end) * offsets
    return Strips(start + across, end + across, np.full(len(offsets), STRIPE))
