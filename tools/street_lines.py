"""From the ways of a map to the streets of a city: lines between nodes, fewer and tidier with every function.

A node is a position, and where two lines end at one position they meet.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, hypot, radians

from verienv.virl.world.geometry import Point, distance
from verienv.virl.world.network import NearestStreet, largest_component

METRE = 111_195.0  # a degree of latitude


@dataclass(frozen=True)
class Line:
    points: tuple[Point, ...]
    name: str
    kind: str

    @property
    def ends(self) -> tuple[Point, Point]:
        return self.points[0], self.points[-1]

    @property
    def length(self) -> float:
        return sum(distance(*step) for step in pairwise(self.points))

    def reversed(self) -> Line:
        return replace(self, points=self.points[::-1])


def split(ways: Iterable[Line]) -> list[Line]:
    """Ways cut where they meet; two parts that are one stretch of street are kept once."""
    ways = list(ways)
    meetings: Counter[Point] = Counter()
    for way in ways:
        meetings.update(way.points)
        meetings.update(way.ends)
    lines: dict[tuple[Point, ...], Line] = {}
    for way in ways:
        start = 0
        for index in range(1, len(way.points)):
            if meetings[way.points[index]] > 1:
                points = way.points[start : index + 1]
                lines.setdefault(min(points, points[::-1]), replace(way, points=points))
                start = index
    return [lines[key] for key in sorted(lines)]


def joined(lines: list[Line]) -> list[Line]:
    """Chains through nodes where two lines meet become one line; name and kind are those of most of its metres."""
    at: dict[Point, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        for end in line.ends:
            at[end].append(index)
    used = [False] * len(lines)

    def chain(index: int, start: Point) -> list[int]:
        """The lines from ``start`` on to the next node that is more than a bend."""
        found, node = [], start
        while not used[index]:
            used[index] = True
            found.append(index)
            first, last = lines[index].ends
            node = last if node == first else first
            if len(at[node]) != 2:
                break
            index = next((other for other in at[node] if other != index), index)
        return found

    result = []
    starts = [node for node in sorted(at) if len(at[node]) != 2]
    for node in [*starts, *sorted(at)]:  # the second time for rings that no other street meets
        for index in at[node]:
            if not used[index]:
                result.append(_chained([lines[number] for number in chain(index, node)], node))
    return result


def _chained(chain: list[Line], start: Point) -> Line:
    points = [start]
    names: dict[str, float] = defaultdict(float)
    kinds: dict[str, float] = defaultdict(float)
    for line in chain:
        line = line if line.points[0] == points[-1] else line.reversed()
        points += line.points[1:]
        names[line.name] += line.length
        kinds[line.kind] += line.length
    named = {name: metres for name, metres in names.items() if name} or names
    return Line(tuple(points), max(named, key=named.__getitem__), max(kinds, key=kinds.__getitem__))


def inside(lines: Iterable[Line], bounds: tuple[float, float, float, float]) -> list[Line]:
    """Lines all of whose points lie inside south, west, north, east."""
    south, west, north, east = bounds
    return [line for line in lines if all(south < lat < north and west < lng < east for lat, lng in line.points)]


def largest(lines: list[Line]) -> list[Line]:
    """The largest part that hangs together."""
    nodes = {node: number for number, node in enumerate(sorted({end for line in lines for end in line.ends}))}
    kept = set(largest_component(len(nodes), ((nodes[line.ends[0]], nodes[line.ends[1]]) for line in lines)))
    return [line for line in lines if nodes[line.ends[0]] in kept]


def without_stubs(lines: list[Line], metres: float) -> list[Line]:
    """Without dead ends shorter than ``metres``."""
    degree = Counter(end for line in lines for end in line.ends)
    return [line for line in lines if line.length >= metres or min(degree[end] for end in line.ends) > 1]


def merged(lines: list[Line], metres: float, widest: float) -> list[Line]:
    """Nodes that a line shorter than ``metres`` joins become one, in their middle; the shortest lines come first.

    No two of the nodes that become one are further apart than ``widest``. Lines within them go, unless they are a way
    round of more than three times that.
    """
    cluster: dict[Point, list[Point]] = {end: [end] for line in lines for end in line.ends}
    for line in sorted(lines, key=lambda line: (line.length, line.points)):
        one, other = (cluster[end] for end in line.ends)
        if line.length >= metres or one is other:
            continue
        if max(distance(a, b) for a in one for b in other) <= widest:
            one += other
            for node in other:
                cluster[node] = one
    middle = {
        node: node
        if len(nodes) == 1
        else (round(sum(p[0] for p in nodes) / len(nodes), 7), round(sum(p[1] for p in nodes) / len(nodes), 7))
        for node, nodes in cluster.items()
    }
    result = []
    for line in lines:
        first, last = (middle[end] for end in line.ends)
        if first == last and line.ends[0] != line.ends[1] and line.length <= 3 * widest:
            continue
        moved = [end for end, old in zip((first, last), line.ends, strict=True) if end != old]
        between = [p for p in line.points[1:-1] if all(distance(p, end) > metres for end in moved)]
        if first != last or between:
            result.append(replace(line, points=(first, *between, last)))
    return result


def without_doubles(lines: list[Line], apart: float) -> list[Line]:
    """Of lines between the same two nodes that are nowhere further than ``apart`` metres from one another, the first.

    Named ones come before others, shorter before longer.
    """
    groups: dict[tuple[Point, Point], list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: (not line.name, line.length, line.points)):
        group = groups[min(line.ends), max(line.ends)]
        if not any(_close(line, other, apart) and _close(other, line, apart) for other in group):
            group.append(line)
    return [line for group in groups.values() for line in group]


def _close(line: Line, other: Line, apart: float) -> bool:
    nearest = NearestStreet([other.points])
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(line.points)]
    return all(nearest(point)[2] <= apart for point in (*line.points, *middles))


def simplified(line: Line, metres: float) -> Line:
    """Without the points that lie at most ``metres`` off the line through the others (Douglas and Peucker)."""
    east = METRE * cos(radians(line.points[0][0]))
    flat = [(point[0] * METRE, point[1] * east) for point in line.points]
    kept, spans = {0, len(flat) - 1}, [(0, len(flat) - 1)]
    while spans:
        first, last = spans.pop()
        offs = [_off(flat[index], flat[first], flat[last]) for index in range(first + 1, last)]
        if offs and max(offs) > metres:
            middle = first + 1 + offs.index(max(offs))
            kept.add(middle)
            spans += [(first, middle), (middle, last)]
    return replace(line, points=tuple(line.points[index] for index in sorted(kept)))


def _off(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    """Metres from a point to a segment."""
    ahead = (end[0] - start[0], end[1] - start[1])
    offset = (point[0] - start[0], point[1] - start[1])
    square = ahead[0] ** 2 + ahead[1] ** 2
    share = min(1.0, max(0.0, (offset[0] * ahead[0] + offset[1] * ahead[1]) / square)) if square else 0.0
    return hypot(offset[0] - share * ahead[0], offset[1] - share * ahead[1])
