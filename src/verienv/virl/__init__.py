"""V-IRL: follow a route through a city by instructions.

from verienv.virl import Waypoint, verify
waypoint = Waypoint(heading=0.0, move="turn", turn_to=270.0, landmark="Cafe Rosa", landmark_bearing=90.0)
verify('{"action": "turn_direction(west)"}', waypoint, actions="absolute").reward  # 1.0

What draws loads with its first use, since it needs PIL: draw_map(route, city).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.core.lazy import on_first_use
from verienv.virl.actions import WORDS, action_space, read_action
from verienv.virl.answers import write_answer
from verienv.virl.config import RULE_BY_CITY, SPLITS, UNSEEN_CITIES, VIRLConfig
from verienv.virl.prompts import question
from verienv.virl.routes.plan import Plan
from verienv.virl.routes.planner import Planner
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.routes.sampler import CITIES
from verienv.virl.verifier import REWARDS, Failure, VIRLRewards, action_failure, verify
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.city_file import load_city, save_city, shipped_city
from verienv.virl.world.geometry import COMPASS, POSITIONS, TURNS

if TYPE_CHECKING:
    from verienv.virl.pictures.map import draw_map
    from verienv.virl.world.procedural import procedural_city

_LAZY = {"draw_map": "pictures.map", "procedural_city": "world.procedural"}

__all__ = [
    "CITIES",
    "COMPASS",
    "POSITIONS",
    "REWARDS",
    "RULE_BY_CITY",
    "SPLITS",
    "TURNS",
    "UNSEEN_CITIES",
    "WORDS",
    "City",
    "Failure",
    "Place",
    "Plan",
    "Planner",
    "Route",
    "Street",
    "VIRLConfig",
    "VIRLRewards",
    "Waypoint",
    "action_failure",
    "action_space",
    "draw_map",
    "load_city",
    "procedural_city",
    "question",
    "read_action",
    "save_city",
    "shipped_city",
    "verify",
    "write_answer",
]

__getattr__, __dir__ = on_first_use(__name__, _LAZY)
