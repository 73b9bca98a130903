"""The difficulties of routes that are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from verienv.core.config import parse_range
from verienv.virl.routes.route import Route

MOST_PLANS = 1000
"""Routes that are planned in search of one that is asked for."""

parse_lengths = partial(parse_range, least=0, most=100_000)


@dataclass(frozen=True)
class WantedRoutes:
    """The lengths and landmarks asked for. False if any will do.

    Attributes:
        waypoints: the fewest and the most waypoints of a route, None for any.
        landmarks: the fewest and the most different landmarks near them, None for any.
    """

    waypoints: tuple[int, int] | None = None
    landmarks: tuple[int, int] | None = None

    def admits(self, route: Route) -> bool:
        """Whether a route is such a one."""
        asked = ((self.waypoints, len(route.waypoints)), (self.landmarks, route.landmark_count))
        return all(ends is None or ends[0] <= measure <= ends[1] for ends, measure in asked)

    def __bool__(self) -> bool:
        return self.waypoints is not None or self.landmarks is not None

    def __str__(self) -> str:
        asked = (("waypoints", self.waypoints), ("landmarks", self.landmarks))
        return " and ".join([f"{ends[0]} to {ends[1]} {name}" for name, ends in asked if ends])


ANY_ROUTE = WantedRoutes()


def none_of(wanted: WantedRoutes, routes: Iterable[Route]) -> ValueError:
    """Return the error where none of some routes is wanted: it says what there is."""
    each = list(routes)
    ways = [len(route.waypoints) for route in each]
    landmarks = [route.landmark_count for route in each]
    return ValueError(
        f"no route has {wanted}: those there are have {min(ways)} to {max(ways)} waypoints and {min(landmarks)} to "
        f"{max(landmarks)} landmarks"
    )
