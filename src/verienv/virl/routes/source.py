"""The interface of what routes come from: those shipped, those planned, and the paper's."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from verienv.virl.routes.plan import Plan
from verienv.virl.routes.route import Route
from verienv.virl.world.city import City


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
