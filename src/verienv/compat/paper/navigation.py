"""The paper's id of V-IRL over our routes, verifier and pictures."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from PIL import Image

from verienv.compat.paper.arguments import LARGEST, SMALLEST, check_flag, check_integer, reason
from verienv.core.shown import shown
from verienv.core.verdict import Verdict
from verienv.virl.paper_data.routes import read_paper_routes
from verienv.virl.pictures.street_views import StreetViews
from verienv.virl.prompts import OBSERVATION, number_lines
from verienv.virl.question import VIRLQuestion
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import ActionSpace, Waypoint, current_instruction
from verienv.virl.task import VIRL
from verienv.virl.verifier import field_of
from verienv.virl.vision_config import LARGEST as LARGEST_VIEW
from verienv.virl.vision_config import VIRLVisionConfig
from verienv.virl.vision_env import street_views
from verienv.virl.world.geometry import distance

LINE = 5
"""The px between the views of that code's pictures."""

SPACING = 40.0
"""Metres from waypoint to waypoint, as our environments have it."""

SHORTEST_LEG = 5.0
"""Metres of a leg up to which that code puts, and draws, no waypoint between its ends."""

MOST_POINTS = 1000

Step = tuple[NDArray[np.uint8] | None, float, bool, bool, dict[str, Any]]


class PaperNavigation(gym.Env[NDArray[np.uint8] | None, str]):
    """V-IRL with the arguments, info, prices, seed habit and truncation of the paper's code.

    ``reset(options={"route_idx": index})`` walks that route; else one is drawn by ``random.choice``. Where a route says
    no other heading, the first is ``random.randint(0, 359)``, and the first turn is told from there; then a number is
    drawn for each point of a leg that may be left out, though none is here. So after ``random.seed(12)`` the routes and
    first headings are that code's. A seed of ``reset`` changes nothing.

    A correct action pays 1; a wrong one -1.5 if its observation says "intersection", whether there is one or not, else
    -1. At each waypoint ``verify_iter`` answers are judged; the step after them is not: it pays -1, truncates the
    episode (at the destination it terminates it too), and only then is ``info["is_success"]`` False.

    Args:
        route_info_path: ``route_infos.json``, its folder, or what ``verienv convert`` made of it.
        resolution: height and width of each of the four views, in px.
        verify_iter: answers that are judged at a waypoint.
        language_only: whether the view is told in words; observations are None then.
        absolute_action: whether turns are to words of the compass; else left and right.
        straight_line_length: the points of a leg for which a number is drawn, and no more: waypoints lie evenly on it.
        relocation, drop_rate, platform_cfg, navigator_cfg, platform_save_dir: not used; panoramas lie beside routes.

    Raises:
        ValueError: for an argument that cannot be, or routes that cannot be read.
    """

    def __init__(
        self,
        route_info_path: str,
        relocation: bool = False,
        drop_rate: float = 0.0,
        straight_line_length: int = 2,
        resolution: int = 1200,
        verify_iter: int = 0,
        platform_cfg: Mapping[str, Any] | None = None,
        navigator_cfg: Mapping[str, Any] | None = None,
        platform_save_dir: str | None = None,
        language_only: bool = True,
        absolute_action: bool = True,
    ) -> None:
        self._attempts = check_integer("verify_iter", verify_iter, 1, 64)
        self._vision = not check_flag("language_only", language_only)
        actions: ActionSpace = "absolute" if check_flag("absolute_action", absolute_action) else "relative"
        self._points = check_integer("straight_line_length", straight_line_length, 0, MOST_POINTS)
        self._side = 2 * check_integer("resolution", resolution, SMALLEST, LARGEST) + LINE
        self._options = RouteOptions(SPACING, actions=actions)
        if not isinstance(route_info_path, str | Path) or not str(route_info_path):
            raise ValueError(f"route_info_path={shown(route_info_path)}: expected the path of route_infos.json")
        self._file = read_paper_routes(Path(route_info_path))
        self._indices = sorted({*self._file.routes, *self._file.defects})
        if not self._file.routes:
            raise ValueError(f"route_info_path={shown(str(route_info_path))}: no route of it can be played")
        self._views = self._street_views(Path(route_info_path), resolution) if self._vision else None
        self.observation_space = gym.spaces.Box(0, 255, (self._side, self._side, 3), np.uint8)
        self.action_space = gym.spaces.Discrete(4)  # type: ignore[assignment]
        self._is_over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8] | None, dict[str, Any]]:
        """Begin a route, whatever the seed. Raises ValueError for one that cannot be played."""
        super().reset(seed=seed)
        index: Any = self._draw() if options is None else options.get("route_idx")
        if type(index) is not int or index not in self._file.routes:
            why = self._file.defects.get(index, "there is no such route") if type(index) is int else "no number"
            raise ValueError(f"route_idx={shown(index)}: cannot be played ({why})")
        paper = self._file.routes[index]
        if paper.heading == 0:
            paper = replace(paper, heading=float(random.randint(0, 359)))
        for leg in pairwise(paper.points):
            for _ in range(self._points if distance(*leg) > SHORTEST_LEG else 0):
                random.random()
        route = paper.route(f"virl:{self._file.name}:{index}", self._file.name, self._options)
        self._question = VIRLQuestion(
            waypoint=route.waypoints[0],
            attempts=self._attempts,
            instructions=route.instructions,
            route_id=route.id,
            route=route,
            vision=self._vision,
        )
        self._passed: list[tuple[Waypoint, str]] = []
        self._remaining, self._is_over, self._is_success = self._attempts, False, True
        return self._observe(), {**self._info(None), "instruction_idx": 0}

    def step(self, action: str) -> Step:
        """Judge a response: any string. Raises ResetNeeded after the end."""
        if self._is_over:
            raise ResetNeeded("the episode is over: reset the environment before the next step")
        self._remaining -= 1
        if self._remaining < 0:
            return self._cut_off()
        question = self._question
        verdict = question.judge(action if isinstance(action, str) else "")
        if verdict.is_correct:
            following = VIRL.next(question, verdict)
            self._is_over = following is None
            if isinstance(following, VIRLQuestion):
                self._passed.append((question.waypoint, question.waypoint.action))
                self._question, self._remaining = following, self._attempts
        told = "Correct action." if verdict.is_correct else reason(verdict.feedback)
        return self._observe(), _price(verdict), self._is_over, False, self._info(told)

    def _draw(self) -> int:
        """Draw the index of a route; one with a defect is drawn too, and passed over."""
        while (index := random.choice(self._indices)) not in self._file.routes:
            pass
        return index

    def _cut_off(self) -> Step:
        """Truncate the episode; what is shown last is the next waypoint, with the sequence as it was."""
        sequence, is_at_the_end = self._sequence(), self._question.waypoint.move == "stop"
        self._is_over, self._is_success = True, False
        if not is_at_the_end:
            route, at = self._question.route, self._question.step + 1
            assert route is not None  # noqa: S101 - reset gave it
            self._question = self._question.but(waypoint=route.waypoints[at], step=at)
        told = {**self._info("Exceed maximum verify steps"), "obs_act_seq": sequence}
        return None if is_at_the_end else self._observe(), -1.0, is_at_the_end, True, told

    def _info(self, told: str | None) -> dict[str, Any]:
        question = self._question
        assert question.route is not None  # noqa: S101 - reset gave it
        number = current_instruction(question.route, question.step)
        return {
            "global_instruction": f"{number_lines(question.instructions)}\n",
            "current_instruction": question.waypoint.sentence,
            "instruction_idx": 1 if number is None else number + 1,
            "gt_action": question.waypoint.action,
            "current_obs": question.waypoint.observation,
            "obs_act_seq": self._sequence(),
            "Verify Info": told,
            "is_success": self._is_success,
        }

    def _sequence(self) -> str:
        """Return the true observations and the actions so far, and the observation now, whose action is due."""
        here = self._question.waypoint
        crossing = " You are at an intersection." if here.at_intersection else ""
        now = f"the view in the picture.{crossing}" if self._vision else here.observation
        seen = [*[(waypoint.observation, action) for waypoint, action in self._passed], (now, "")]
        return "".join([f"O_{number}: {view}\nA_{number}: {action}\n" for number, (view, action) in enumerate(seen, 1)])

    def _street_views(self, path: Path, resolution: int) -> StreetViews:
        size = min(resolution, LARGEST_VIEW)
        return street_views(VIRLVisionConfig(data=path, view_size=(size, size)))

    def _observe(self) -> NDArray[np.uint8] | None:
        if self._views is None:
            return None
        drawn = self._views.draw(self._question.city, self._question.waypoint)
        return np.array(Image.fromarray(drawn).resize((self._side, self._side), Image.Resampling.BILINEAR))


def _price(verdict: Verdict) -> float:
    """Return what that code pays: it looks for an intersection in the landmark's words alone, where none is ever."""
    if verdict.is_correct:
        return 1.0
    said = field_of(verdict.answer, OBSERVATION)
    return -1.5 if isinstance(said, str) and "intersection" in said else -1.0
