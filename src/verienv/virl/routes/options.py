"""The options of a route, and the interface of the samplers of routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from verienv.virl.routes.instructions import Directions
from verienv.virl.routes.route import ActionSpace, Route
from verienv.virl.world.city import City


@dataclass(frozen=True)
class RouteOptions:
    """The choices by which a plan becomes a route.

    Attributes:
        spacing: metres from waypoint to waypoint.
        directions: what the sentences give away of a turn.
        actions: the rule, which is the action space of the expert's moves.
    """

    spacing: float
    directions: Directions = "both"
    actions: ActionSpace = "absolute"


class RouteSampler(Protocol):
    """Draws instances, and gives the route of one."""

    def deal(self, rng: np.random.Generator) -> str:
        """Draw an instance."""

    def route(self, instance: str) -> Route:
        """Return the route of an instance. Raises ValueError if it cannot be walked here."""

    def city(self, instance: str) -> City | None:
        """Return the city that an instance leads through, None where only the route is known."""
