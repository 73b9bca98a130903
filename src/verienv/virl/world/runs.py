"""Lines along which fronts can stand: beside a street, cut where there is no room and at sharp corners."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import ceil, floor, radians

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHORTEST_RUN = 4.0
"""Metres: no front is narrower."""

_OFF = 0.3  # metres by which a lot may leave its run where that is bent
_TOLERANCE = 0.05  # metres
_JOINED = 2.5  # metres between two ends that are one line: the inside of a bend
_SHARP = 25.0  # degrees within 4 m, the corner of two runs


class Run:
    """A line without sharp corners along which fronts can stand.

    Attributes:
        points: n by 2, metres east and north of the first point of the street; one about every metre.
        along: metres from its beginning to each of them.
    """

    def __init__(self, points: Array) -> None:
        self.points = points
        self.along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])

    @property
    def length(self) -> float:
        """Metres."""
        return float(self.along[-1])

    @cached_property
    def bulge(self) -> float:
        """Metres by which it leaves the straight line between its ends."""
        offsets, (east, north) = self.points - self.points[0], self.points[-1] - self.points[0]
        return float(np.abs(offsets[:, 0] * north - offsets[:, 1] * east).max() / max(np.hypot(east, north), 1e-6))

    def at(self, along: Array) -> Array:
        """The positions so many metres from the beginning."""
        return np.stack([np.interp(along, self.along, axis) for axis in self.points.T], axis=-1)

    def nearest(self, position: Array, inset: float = 0.0) -> tuple[float, float]:
        """How far it is to a position, and how far along it is nearest to it: ``inset`` from both ends, or halfway."""
        steps, offsets = np.diff(self.points, axis=0), position - self.points[:-1]
        square = np.einsum("ij,ij->i", steps, steps)
        share = np.clip(np.einsum("ij,ij->i", offsets, steps) / square, 0.0, 1.0)
        best = int(np.argmin(np.hypot(*(offsets - steps * share[:, None]).T)))
        inset = min(inset, self.length / 2)
        along = float(np.clip(self.along[best] + share[best] * square[best] ** 0.5, inset, self.length - inset))
        return float(np.hypot(*(self.at(np.array(along)) - position))), along

    def reach(self, start: float, most: float, least: float) -> float:
        """How wide a lot that begins at ``start`` metres can be, to leave a bent run nowhere by more than 0.3 m.

        Args:
            start: metres.
            most, least: metres of its width.
        """
        if self.bulge <= _OFF:
            return most
        while most > least:
            line = self.at(np.linspace(start, start + most, 9))
            offsets, (east, north) = line - line[0], line[-1] - line[0]
            if np.abs(offsets[:, 0] * north - offsets[:, 1] * east).max() <= _OFF * np.hypot(east, north):
                return most
            most *= 0.85
        return least


def samples_of(points: Array, off: float) -> tuple[Array, Array, Array]:
    """A line about every metre of what lies ``off`` beside it: positions, normals to the left, turns.

    At a bend the normal swings round; there the turn is 1 to the left, -1 to the right, and 0 elsewhere.
    """
    steps = np.diff(points, axis=0)
    lengths = np.hypot(*steps.T)
    kept = lengths > 0.01
    starts, steps, lengths = points[:-1][kept], steps[kept], lengths[kept]
    headings = np.arctan2(steps[:, 1], steps[:, 0])
    bases, angles, turns = [], [], []
    for index in range(len(lengths)):
        if index:
            bend = float((headings[index] - headings[index - 1] + np.pi) % (2 * np.pi) - np.pi)
            count = floor(abs(bend) * off)
            bases.append(np.repeat(starts[index : index + 1], count, axis=0))
            angles.append(headings[index - 1] + bend * np.arange(1, count + 1) / (count + 1))
            turns.append(np.full(count, np.sign(bend)))
        count = ceil(lengths[index])
        bases.append(starts[index] + steps[index] * np.linspace(0.0, 1.0, count + 1)[:, None])
        angles.append(np.full(count + 1, headings[index]))
        turns.append(np.zeros(count + 1))
    angle = np.concatenate(angles)
    return np.concatenate(bases), np.stack([-np.sin(angle), np.cos(angle)], axis=1), np.concatenate(turns)


def runs_of(fronts: Array, normal: Array, free: Array) -> Iterator[Run]:
    """The parts of a line where there is room, cut at sharp corners."""
    good = np.flatnonzero(free >= -_TOLERANCE)
    if not len(good):
        return
    jumps = np.hypot(*np.diff(fronts[good], axis=0).T)
    cuts = np.flatnonzero((np.diff(good) > 1) & (jumps > _JOINED)) + 1
    for part in np.split(good, cuts):
        line, ahead = fronts[part], np.stack([normal[part, 1], -normal[part, 0]], axis=1)
        back = np.einsum("ij,ij->i", np.diff(line, axis=0), ahead[1:]) <= 0.01
        line = np.delete(line, np.flatnonzero(back) + 1, axis=0)
        ends = [_end(fronts, free, int(part[0]), -1), line, _end(fronts, free, int(part[-1]), 1)]
        yield from _cut_at_corners(np.concatenate(ends))


def _end(fronts: Array, free: Array, last: int, step: int) -> Array:
    """The point beyond the ``last`` at which the room ends, if it is not the end of the street."""
    if not 0 <= last + step < len(free) or free[last + step] >= -_TOLERANCE:
        return fronts[:0]
    share = (free[last] + _TOLERANCE) / (free[last] - free[last + step])
    move = (fronts[last + step] - fronts[last]) * share
    return fronts[last : last + 1] + move if 0.05 < np.hypot(*move) < 1.5 else fronts[:0]


def _cut_at_corners(line: Array) -> Iterator[Run]:
    bends = np.zeros(len(line))
    if len(line) > 4:
        ahead = line[2:] - line[:-2]
        angle = np.arctan2(ahead[:, 1], ahead[:, 0])
        bends[2:-2] = np.abs((angle[2:] - angle[:-2] + np.pi) % (2 * np.pi) - np.pi)
    start = 0
    while start < len(line):
        sharp = np.flatnonzero(bends[start + 1 :] > radians(_SHARP)) + start + 1
        end = len(line) - 1
        if len(sharp):
            cluster = sharp[sharp <= sharp[0] + 4]
            end = int(cluster[np.argmax(bends[cluster])])
            bends[: cluster[-1] + 1] = 0.0
        part = line[start : end + 1]
        if len(part) > 1 and (run := Run(part)).length >= SHORTEST_RUN:
            yield run
        start = end if end < len(line) - 1 else len(line)
