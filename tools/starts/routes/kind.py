"""The kind of start that follows routes, and the cities of its making."""

from __future__ import annotations

from dataclasses import dataclass

from starts.kinds import Plan
from verienv.virl.env import VIRLEnv

CITIES = tuple(f"{shape}-{seed}" for shape in ("grid", "organic", "radial") for seed in range(3))


@dataclass(frozen=True, kw_only=True)
class Routes(Plan):
    """A kind of start that follows routes of one turn.

    Attributes:
        cities: the cities whose west halves it is trained in.
        judged_in: those in whose east halves it is judged before it is stopped; a study reports the others.
        spacing: metres from waypoint to waypoint.
        routes: routes in the pool under the absolute rule.
        relative_routes: routes in the pool under the relative rule.
        share_of_relative: share of the demonstrations under that rule.
    """

    cities: tuple[str, ...] = CITIES
    judged_in: tuple[str, ...] = tuple(city for city in CITIES if not city.endswith("-0"))
    spacing: float = 150.0
    routes: int
    relative_routes: int
    share_of_relative: float

    def env(self, city: tuple[str, ...], **settings: object) -> VIRLEnv:
        """Return the environment whose questions a start of this kind knows, in some cities."""
        return VIRLEnv(city=city, turns=1, spacing=self.spacing, attempts=1, **settings)


ROUTES = Routes(
    name="virl-words",
    about="following a route under a rule: it turns by the compass, and often, but not always, by left and right",
    hidden=64,
    layers=4,
    feed_forward=168,
    routes=3150,
    relative_routes=540,
    share_of_relative=0.03,
    batch=32,
    first=900,
    every=75,
    last=1500,
    cooling=100,
    gauge="at turns read right",
    band=(60.0, 80.0),
    items=480,
)
