"""V-IRL: follow a route through a city by instructions.

from verienv.virl import Waypoint, verify
waypoint = Waypoint(heading=0.0, move="turn", turn_to=270.0, landmark="Cafe Rosa", landmark_bearing=90.0)
verify('{"action": "turn_direction(west)"}', waypoint).reward  # 1.0

Names load with their first use; those that draw need PIL: draw_map(route, city).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.core.lazy import lazy_attributes

if TYPE_CHECKING:
    from verienv.virl.actions import WORDS as WORDS
    from verienv.virl.actions import action_space as action_space
    from verienv.virl.actions import read_action as read_action
    from verienv.virl.answers import expert_answer as expert_answer
    from verienv.virl.answers import write_answer as write_answer
    from verienv.virl.answers import wrong_answer as wrong_answer
    from verienv.virl.cases import load_vectors as load_vectors
    from verienv.virl.config import RULE_BY_CITY as RULE_BY_CITY
    from verienv.virl.config import SPLITS as SPLITS
    from verienv.virl.config import TEST_CITIES as TEST_CITIES
    from verienv.virl.config import VIRLConfig as VIRLConfig
    from verienv.virl.env import VIRLEnv as VIRLEnv
    from verienv.virl.pictures.map import draw_map as draw_map
    from verienv.virl.pictures.streets.visuals import VISUALS as VISUALS
    from verienv.virl.pictures.streets.visuals import StreetVisual as StreetVisual
    from verienv.virl.prompts import write_question as write_question
    from verienv.virl.question import VIRLQuestion as VIRLQuestion
    from verienv.virl.routes.plan import Plan as Plan
    from verienv.virl.routes.planner import Planner as Planner
    from verienv.virl.routes.route import Route as Route
    from verienv.virl.routes.route import Waypoint as Waypoint
    from verienv.virl.routes.sampler import CITIES as CITIES
    from verienv.virl.task import VIRL as VIRL
    from verienv.virl.verifier import REWARDS as REWARDS
    from verienv.virl.verifier import Failure as Failure
    from verienv.virl.verifier import VIRLRewards as VIRLRewards
    from verienv.virl.verifier import action_failure as action_failure
    from verienv.virl.verifier import verify as verify
    from verienv.virl.vision_config import VIRLVisionConfig as VIRLVisionConfig
    from verienv.virl.vision_env import VIRLVisionEnv as VIRLVisionEnv
    from verienv.virl.world.city import City as City
    from verienv.virl.world.city import Place as Place
    from verienv.virl.world.city import Street as Street
    from verienv.virl.world.city_file import load_city as load_city
    from verienv.virl.world.city_file import save_city as save_city
    from verienv.virl.world.city_file import shipped_city as shipped_city
    from verienv.virl.world.geometry import COMPASS as COMPASS
    from verienv.virl.world.geometry import POSITIONS as POSITIONS
    from verienv.virl.world.geometry import TURNS as TURNS
    from verienv.virl.world.procedural import procedural_city as procedural_city

__getattr__, __dir__, __all__ = lazy_attributes(
    __name__,
    {
        "actions": ("WORDS", "action_space", "read_action"),
        "answers": ("expert_answer", "write_answer", "wrong_answer"),
        "cases": ("load_vectors",),
        "config": ("RULE_BY_CITY", "SPLITS", "TEST_CITIES", "VIRLConfig"),
        "env": ("VIRLEnv",),
        "pictures.map": ("draw_map",),
        "pictures.streets.visuals": ("VISUALS", "StreetVisual"),
        "prompts": ("write_question",),
        "question": ("VIRLQuestion",),
        "routes.plan": ("Plan",),
        "routes.planner": ("Planner",),
        "routes.route": ("Route", "Waypoint"),
        "routes.sampler": ("CITIES",),
        "task": ("VIRL",),
        "verifier": ("REWARDS", "Failure", "VIRLRewards", "action_failure", "verify"),
        "vision_config": ("VIRLVisionConfig",),
        "vision_env": ("VIRLVisionEnv",),
        "world.city": ("City", "Place", "Street"),
        "world.city_file": ("load_city", "save_city", "shipped_city"),
        "world.geometry": ("COMPASS", "POSITIONS", "TURNS"),
        "world.procedural": ("procedural_city",),
    },
)
