"""The options of a route."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import get_args

from verienv.core.shown import shown
from verienv.virl.routes.instructions import Directions
from verienv.virl.routes.route import ACTION_SPACES, ActionSpace

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
