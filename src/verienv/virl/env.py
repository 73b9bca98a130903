"""V-IRL as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from verienv.core.config import validated
from verienv.core.env import VerifiedEnv
from verienv.core.verdict import Metric, Verdict
from verienv.virl.answers import flawed_answer, write_answer
from verienv.virl.config import SPLITS, VIRLConfig
from verienv.virl.prompts import LONGEST_QUESTION, PHRASINGS, numbered, question, step_line, view
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.routes.sampler import Telling, dealer_for, public_dealer
from verienv.virl.verifier import Failure, verify
from verienv.virl.world.city import City


class VIRLEnv(VerifiedEnv):
    """Follow a route through a city by instructions, told in words.

    ## Description
    The navigation task V-IRL of *SFT Memorizes, RL Generalizes* (arXiv 2501.17161), in street networks and with places
    of OpenStreetMap. The policy is told the sentences of a route, what was seen and done so far, and what is seen now:
    the landmark that stands near, where it stands, and whether streets cross here. It says what it sees, which
    instruction it follows, and its action. A correct action leads to the next waypoint of the expert's rail, where a
    fresh dialogue begins; a wrong one is not executed, but answered with feedback.

    ## Action Space
    ``Text``: any string is accepted. The answer is its last JSON object with an ``action``:
    ``{"current observation": "...", "current instruction": "...", "action": "turn_direction(north)"}``. Actions are
    ``forward()``, ``stop()`` and ``turn_direction(x)``; x is one of eight words of the compass, or, with
    ``actions="relative"``, left, right, slightly left or slightly right.

    ## Observation Space
    ``Dict(text=Text)``: the question, the feedback lines so far, and "Attempt 2 of 2."; printable ASCII. The same as
    chat messages, the policy's own words included, is in ``info["messages"]``.

    ## Rewards
    For each attempt (preset "paper"): correct action +1; wrong action -1; wrong action and wrong observation -1.5. The
    last attempt pays its own category. Other presets: "binary", "binary_format"; or a table of your own.

    ## Starting State
    The beginning of a route drawn evenly from those that the settings describe; it depends on the seed alone.

    ## Episode End
    Terminated by ``stop()`` at the destination, or by the last attempt at a waypoint. Never truncated.

    ## Information
    The same keys and types at every reset and step: ``instance``, ``attempt`` and ``attempts_left`` at this waypoint,
    ``is_correct``, ``is_success`` (the whole route is done), ``failure`` (a ``Failure`` or ""), ``feedback``,
    ``messages``, ``observation_correct``, ``instruction_correct``, ``is_turn`` and ``is_forward`` (what was due),
    ``progress`` (the share of the waypoints that lie behind).

    ## Arguments
    The fields of ``VIRLConfig``; ``reset(options={"instance": id})`` deals a given route.

    ## Version History
    * v0: first version.
    """

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = SPLITS

    idle_metrics: ClassVar[dict[str, Metric]] = {
        "observation_correct": False,
        "instruction_correct": False,
        "is_turn": False,
        "is_forward": False,
    }

    ratios: ClassVar[Mapping[str, tuple[str, str]]] = {
        "step_accuracy": ("is_correct", "attempt"),
        "turn_accuracy": ("is_correct", "is_turn"),
        "forward_share": ("is_forward", "attempt"),
        "observation_accuracy": ("observation_correct", "attempt"),
        "instruction_accuracy": ("instruction_correct", "attempt"),
    }

    outcomes: ClassVar[tuple[str, ...]] = ("progress",)

    metric_headings: ClassVar[dict[str, str]] = {
        "step_accuracy": "per step",
        "step_accuracy_per_episode": "mean per route",
        "turn_accuracy": "at turns",
        "forward_share": "forward due",
        "observation_accuracy": "observation",
        "instruction_accuracy": "instruction",
        "progress": "progress",
    }

    failures: ClassVar[tuple[str, ...]] = tuple(map(str, Failure))

    settings: ClassVar[type[VIRLConfig]] = VIRLConfig

    config: VIRLConfig

    route: Route
    """The route in play."""

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        self.config = config = validated(self.settings, settings)
        telling = Telling(config.spacing, config.directions)
        if config.data is None:
            self._dealer = dealer_for(config.city, config.side, config.turns, telling)
        else:
            self._dealer = public_dealer(config.data, config.defects, telling)
        super().__init__(config.attempts, LONGEST_QUESTION, render_mode)

    @property
    def waypoint(self) -> Waypoint:
        """Where the agent stands; the last of the rail after its end."""
        return self.route.waypoints[min(self._at, len(self.route.waypoints) - 1)]

    @property
    def view(self) -> str:
        """What the question says is seen here."""
        return view(self.waypoint, streets=self.config.directions != "both")

    @property
    def passed(self) -> int:
        """How many waypoints lie behind."""
        return self._at

    @property
    def city(self) -> City | None:
        """The city that the route leads through, None where only the route is known."""
        return self._dealer.city(self.instance)

    def _deal(self, instance: str | None, rng: np.random.Generator) -> str:
        given = self._dealer.deal(rng) if instance is None else instance
        self.route = self._dealer.route(given)
        self._phrasing = int(rng.integers(1, len(PHRASINGS))) if self.config.prompt == "diverse" else 0
        self._instructions = numbered(self.route.instructions)
        self._history: list[str] = []
        self._at = 0
        return self.route.id

    def _question(self) -> str:
        return question(self._instructions, self._history, self.view, self.config.actions, self._phrasing)

    def _advance(self) -> bool:
        self._history.append(self._told_of_step())
        self._at += 1
        return self._at == len(self.route.waypoints)

    def _told_of_step(self) -> str:
        """The line of the history for the step that is done now: what was seen, and what was done."""
        return step_line(self.waypoint, self.config.actions)

    def judge(self, response: str) -> Verdict:
        config = self.config
        return verify(response, self.waypoint, actions=config.actions, rewards=config.rewards, strict=config.strict)

    def expert_response(self, *, steps: bool = False) -> str:
        """The true observation, the sentence to follow and the expert's action; with ``steps``, why, before it."""
        answer = write_answer(self.waypoint, self.config.actions)
        if not steps:
            return answer
        return f"I see: {self.waypoint.observation} I follow: {self.waypoint.sentence}\n{answer}"

    def constant_response(self) -> str:
        """``forward()``, the action that is due most often, with the true observation of the route's beginning."""
        return write_answer(self.waypoint, self.config.actions, action="forward()")

    def flawed_response(self, failure: str, rng: np.random.Generator) -> str | None:
        """A response that fails as ``failure`` says, or None if this waypoint allows none."""
        return flawed_answer(self.waypoint, self.config.actions, Failure(failure), rng)

    @property
    def cluster(self) -> str:
        """The route: its waypoints are not independent."""
        return self.route.id

    @property
    def best_reward(self) -> float:
        """What a correct action earns."""
        return self.config.rewards.correct

    def _info(self) -> dict[str, Any]:
        return {**super()._info(), "progress": self._at / len(self.route.waypoints)}
