"""The options of a route, and the interface of the samplers of routes."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Protocol, get_args

import numpy as np

from verienv.core.shown import shown
from verienv.virl.routes.instructions import Directions
from verienv.virl.routes.route import ACTION_SPACES, ActionSpace, Route
from verienv.virl.world.city import City

if TYPE_CHECKING:
    from verienv.virl.routes.plan import Plan

MOST_SPACING = 1e9


@dataclass(frozen=True)
class RouteOptions:
    """The choices by which a plan becomes a route.

    Attributes:
        spacing: metres from waypoint to waypoint.
        directions: what the sentences give away of a turn.
        actions: the rule, which is the action space of the expert's moves.

    Raises:
        ValueError: for a spacing that is no number above 0, or a word that there is not.
    """

    spacing: float
    directions: Directions = "both"
    actions: ActionSpace = "absolute"

    def __post_init__(self) -> None:
        spacing = self.spacing
        if isinstance(spacing, bool) or not isinstance(spacing, Real) or not 0 < spacing <= MOST_SPACING:
            raise ValueError(f"RouteOptions: spacing={shown(spacing)}: expected metres above 0, to {MOST_SPACING:g}")
        for name, words in (("directions", get_args(Directions)), ("actions", ACTION_SPACES)):
            if getattr(self, name) not in words:
                raise ValueError(f"RouteOptions: {name}={shown(getattr(self, name))}: expected {', '.join(words)}")


class RouteSampler(Protocol):
    """Draws instances, and gives the route of one."""

    def deal(self, rng: np.random.Generator) -> str:
        """Draw an instance."""

    def route(self, instance: str) -> Route:
        """Return the route of an instance. Raises ValueError if it cannot be walked here."""

    def city(self, instance: str) -> City | None:
        """Return the city that an instance leads through, None where only the route is known."""

    def plan(self, instance: str) -> Plan | None:
        """Return the plan of an instance in its city, None where only the route is known."""
