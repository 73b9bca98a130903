"""The expert of a free walk: the next action from any place and heading, along the route or back to it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from heapq import heappop, heappush
from itertools import pairwise
from math import inf
from typing import Literal

from verienv.virl.actions import Action
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.plan import Block, Plan, pose_at
from verienv.virl.routes.route import ActionSpace, Route, Waypoint
from verienv.virl.walking.measures import RouteTrack
from verienv.virl.walking.streets import Place, Stand, Streets, Way, block_around, turnings
from verienv.virl.world.city import City
from verienv.virl.world.geometry import Point

Recovery = Literal["route", "goal"]
"""The lead of the expert for who has left the route: back to it, or to the goal if that takes fewer actions in all; or
by the shortest way to the goal, whatever the route."""

MOST_STANDS = 1024
"""The stands off a route for which the expert's move is kept."""

Arrival = tuple[int, float, bool]
"""A stop, by its street and metres along it, and whether one comes from that street's first end."""


class WayHome:
    """The expert's actions from everywhere in the city of a route.

    On the route they are the route's own. Elsewhere they are the fewest that lead to the goal: by ``recovery`` "route"
    as far as they come upon the route, along it.

    Attributes:
        streets: the streets, with stops at the beginning and the goal of the route.
        route: the route.
        recovery: where the expert leads who has left the route.
        stands: the stand at each waypoint of the route.
        goal: the position of its end.
        track: the positions of the route, for measures.
    """

    def __init__(self, city: City, plan: Plan, route: Route, options: RouteOptions, recovery: Recovery) -> None:
        blocks = [block for leg in plan.blocks(city) for block in leg]
        (street, along, _), (last, _, end) = blocks[0], blocks[-1]
        self.route, self.recovery = route, recovery
        self.streets = Streets(city, [(street, along), (last, end)], options.spacing, options.actions)
        self.stands = self._stands(blocks)
        self.goal: Point = route.waypoints[-1].location
        self.track = RouteTrack.of([one.location for one in route.waypoints])
        self._block = block_around(city, (last, end))
        self._led: dict[Stand, tuple[float, Waypoint]] = {}
        self._on_route: dict[tuple[Point, float], list[int]] = {}
        for at, one in enumerate(route.waypoints):
            self._on_route.setdefault((one.location, one.heading), []).append(at)
        known = dict.fromkeys(self._arriving((last, end)), 1.0)
        for at, stand in enumerate(self.stands if recovery == "route" else []):
            if 0 < stand.step == stand.steps:
                known.setdefault((stand.street, stand.end, stand.end > stand.start), float(self.actions - at))
        self._known, self._settled = known, dict[Arrival, float]()
        self._waiting = sorted((cost, arrival) for arrival, cost in known.items())

    @property
    def actions(self) -> int:
        """The number of actions that the route takes, ``stop()`` included."""
        return len(self.route.waypoints)

    def _stands(self, blocks: list[Block]) -> list[Stand]:
        """Return the stand at each waypoint of the route."""
        (street, along, _), ways = blocks[0], iter(blocks)
        stands = [Stand(street, along, along, 0, 0, self.route.waypoints[0].heading)]
        for here, there in pairwise(self.route.waypoints):
            before = stands[-1]
            if here.move == "forward" and before.step == before.steps:
                way = Way(0.0, *next(ways))
                before = Stand(way.street, way.start, way.end, 0, self.streets.strides(way), 0.0)
            step = before.step + (here.move == "forward")
            stands.append(replace(before, step=step, heading=there.heading))
        return stands

    def after(self, stand: Stand, at: int | None, action: Action) -> Stand:
        """Return where a legal action leads, along the route as far as the route goes by."""
        if at is not None and action == self.route.waypoints[at].action and action != "stop()":
            return self.stands[at + 1]
        return self.streets.after(stand, action)

    def index(self, stand: Stand, since: int = 0, *, astray: bool = False, turned: bool = False) -> int | None:
        """Return which waypoint of the route a stand is, from ``since`` on if it can be; None off the route.

        The goal is no waypoint to whoever comes to it ``astray``: some routes pass it before they end there. Nor is one
        to whoever has only ``turned`` to it from astray, where a shorter way leads on.
        """
        pose = self._pose(stand)
        if astray and pose.location == self.goal:
            return None
        found = self._on_route.get((pose.location, pose.heading))
        if not found:
            return None
        at = next((at for at in found if at >= since), found[-1])
        leads_on = astray and turned and self._off_route(stand)[0] < self.actions - at
        return None if leads_on else at

    def waypoint(self, stand: Stand, at: int | None) -> Waypoint:
        """Return the truth at a stand, and the expert's move there; ``at`` is the route's waypoint, None off it."""
        return self._off_route(stand)[1] if at is None else self.route.waypoints[at]

    def left(self, stand: Stand, at: int | None) -> float:
        """Return how many actions the expert takes from a stand to the end, ``stop()`` included."""
        return self._off_route(stand)[0] if at is None else float(self.actions - at)

    def in_block(self, stand: Stand) -> bool:
        """Return whether a stand is in the block of the goal: no crossing lies between them; its crossings are in."""
        streets = self.streets.city.streets
        if 0.0 < stand.along < streets[stand.street].length:
            return stand.street in self._block
        return any(way.street in self._block for way in self.streets.ways(stand.place))

    def _pose(self, stand: Stand) -> Waypoint:
        return _pose(self.streets.city, stand.place, stand.heading, self.streets.actions)

    def _off_route(self, stand: Stand) -> tuple[float, Waypoint]:
        """Return the actions from a stand off the route to the end, and the truth there with the expert's move."""
        if stand not in self._led:
            if len(self._led) >= MOST_STANDS:
                self._led.clear()
            self._led[stand] = self._lead(stand)
        return self._led[stand]

    def _lead(self, stand: Stand) -> tuple[float, Waypoint]:
        pose = self._pose(stand)
        if pose.location == self.goal:
            return 1.0, replace(pose, move="stop")
        cost, words = self._best(stand)
        if not words:
            return cost, pose
        to = self.streets.after(stand, f"turn_direction({words[0]})").heading
        return cost, replace(pose, move="turn", turn_to=to)

    def _best(self, stand: Stand) -> tuple[float, tuple[str, ...]]:
        """Return the fewest actions from a stand off the route, and the turns that they begin with."""
        turns = turnings(self.streets.city, stand.place, stand.heading, self.streets.actions)
        found = []
        for number, (way, words) in enumerate(zip(self.streets.ways(stand.place), turns, strict=True)):
            if words is None:
                continue
            strides = self.streets.strides(way)
            if way.street == stand.street and way.end == stand.end and stand.step < stand.steps:
                strides = stand.steps - stand.step
            cost = len(words) + strides + self._cost((way.street, way.end, way.forward))
            found.append((cost, len(words), number, words))
        cost, _, _, words = min(found)
        return cost, words

    def _cost(self, arrival: Arrival) -> float:
        """Return the fewest actions from an arrival to the end, by Dijkstra's search backward from there."""
        while arrival not in self._settled and self._waiting:
            cost, newest = heappop(self._waiting)
            if newest in self._settled:
                continue
            self._settled[newest] = cost
            street, end, forward = newest
            start = self.streets.stop(street, end, not forward)
            way = next(
                (number, each)
                for number, each in enumerate(self.streets.ways((street, start)))
                if (each.street, each.end, each.forward) == newest
            )
            for before in self._arriving((street, start)):
                if before in self._settled or before in self._known:
                    continue
                heading = self.streets.city.streets[before[0]].heading(before[1], before[2])
                words = turnings(self.streets.city, (before[0], before[1]), heading, self.streets.actions)[way[0]]
                if words is not None:
                    heappush(self._waiting, (cost + len(words) + self.streets.strides(way[1]), before))
        return self._settled.get(arrival, inf)

    def _arriving(self, place: Place) -> list[Arrival]:
        """Return the arrivals at a stop: one for each way that leaves it, walked the other way round."""
        return [(way.street, way.start, not way.forward) for way in self.streets.ways(place)]


@lru_cache(maxsize=2**14)
def _pose(city: City, place: Place, heading: float, actions: ActionSpace) -> Waypoint:
    return replace(pose_at(city, *place, heading), actions=actions)


@lru_cache(maxsize=256)
def way_home(city: City, plan: Plan, instance: str, options: RouteOptions, recovery: Recovery) -> WayHome:
    """Return the expert of a route, kept for the routes that were walked last."""
    return WayHome(city, plan, plan.route(city, instance, options), options, recovery)
