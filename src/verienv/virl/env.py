"""V-IRL as a Gymnasium environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from verienv.core.env import VerifiedEnv
from verienv.core.file_cache import cached_by_files
from verienv.core.shown import shown
from verienv.virl.config import VIRLConfig
from verienv.virl.prompts import LONGEST_QUESTION, PHRASINGS
from verienv.virl.question import VIRLQuestion
from verienv.virl.routes.difficulty import MOST_PLANS, WantedRoutes
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.routes.sampler import sampler_for
from verienv.virl.routes.source import RouteSampler
from verienv.virl.task import VIRL
from verienv.virl.walking.expert import way_home
from verienv.virl.walking.measures import SUCCESS_RADIUS
from verienv.virl.walking.walk import Walk, ends_where_it_begins
from verienv.virl.world.city import City


class VIRLEnv(VerifiedEnv):
    """Follow a route through a city by instructions, in words.

    ## Description
    The navigation task V-IRL of *SFT Memorizes, RL Generalizes* (arXiv 2501.17161), in street networks and with places
    of OpenStreetMap. The question holds the sentences of a route, the observations and actions so far, and the view
    now: the landmark that stands near, its position, and whether streets cross here. The policy says what it observes,
    which instruction it follows, and its action. A correct action leads to the next waypoint of the expert's path,
    where a fresh dialogue begins; a wrong one is not executed, but answered with feedback.

    With ``mode="walk"`` every legal action is executed in the street network: ``turn_direction(x)`` turns to the street
    that lies that way, else to where none does; ``forward()`` leads one ``spacing`` along the street ahead, or, where
    none lies ahead, nowhere; ``stop()`` ends the walk anywhere. The view, the landmarks and the streets are those of
    where one stands; the history holds what one did. A response that is no legal action may be mended as before.

    ## Action Space
    ``Text``: any string is accepted. The answer is what ``answer_format`` reads: by default the last JSON object with
    an ``action``, e.g. ``{"current observation": "...", "current instruction": "...", "action": "stop()"}``; or the
    action in ``<answer>`` tags, in ``\\boxed{}``, on the last line, or in a format of your own. Actions are
    ``forward()``, ``stop()`` and ``turn_direction(x)``; x is one of eight words of the compass, or, with
    ``actions="relative"``, left, right, slightly left or slightly right.

    ## Observation Space
    ``Dict(text=Text)``: the system prompt if there is one, the question, the feedback lines so far, and "Attempt 2 of
    2."; printable ASCII. The question is worded by ``prompt`` and ``think_first``, the lines by ``feedback``. The same
    as chat messages, the policy's own words included, is in ``info["messages"]``.

    ## Rewards
    For each attempt (preset "paper"): correct action +1; wrong action -1; wrong action and wrong observation -1.5 (if
    the answer format has a place for the observation). The last attempt pays its own category. Other presets: "binary",
    "binary_format", "partial" (also half for a turn in a wrong direction where one is due and the rest is right),
    "paper_code"; or a table of your own, or a function from the verdict to a finite number.

    ## Starting State
    The beginning of a route drawn evenly from those that the settings describe; it depends on the seed alone. With
    ``episode="waypoint"`` any waypoint of it, drawn evenly, with the expert's steps up to there; with "turn" one of
    those at which it turns. With ``mode="walk"`` no route that ends within 25 m of its beginning.

    ## Episode End
    Terminated by ``stop()`` at the destination, or by the last attempt at a waypoint; with ``episode="waypoint"`` or
    "turn" by any correct action too. With ``mode="walk"`` by any ``stop()``, a success within 25 m of the goal, and by
    the last of four times the expert's actions and 20, of which the question counts those that are left. Never
    truncated.

    ## Information
    The same keys and types at every reset and step: ``instance``, ``attempt`` and ``attempts_left`` at this waypoint,
    ``is_correct``, ``is_success`` (the whole episode is done), ``failure`` (a ``Failure`` or ""), ``feedback``,
    ``messages``, ``observation_correct`` and ``instruction_correct`` (each if the answer format has a place for it:
    "json", or "tags+observation+instruction"), ``is_turn`` and ``is_forward`` (what was due),
    ``progress`` (the share of the episode's waypoints that lie behind); ``turns``, ``waypoints`` and ``landmarks``, how
    many the route has. With ``mode="walk"`` also the measures of the walk so far (``verienv.virl.walking.measures``):
    ``navigation_error`` in metres, ``oracle_success``, ``spl``, ``ndtw``, ``sdtw``, ``cls``, ``success_in_block``,
    ``turns_right``; ``progress`` is then the share of the expert's actions that are saved, and ``is_correct`` says
    whether the action was the expert's.

    ## Arguments
    The fields of ``VIRLConfig``; ``reset(options={"instance": id})`` deals a given route, and
    ``reset(options={"turns": (1, 2)})`` changes the turns from this episode on; so do ``waypoints`` and ``landmarks``.

    ## Version History
    * v0: first version.
    """

    task = VIRL

    settings: ClassVar[type[VIRLConfig]] = VIRLConfig

    longest_question = LONGEST_QUESTION

    config: VIRLConfig

    def prepare(self) -> None:
        config = self.config
        if config.data is None:
            self._sampler = sampler_for(config.city, config.side, config.turns, config.options, config.wanted)
        else:
            self._sampler = _paper_sampler(config.data, config.defects, config.options, config.wanted)

        self._undealt = VIRLQuestion(
            waypoint=Waypoint(actions=config.actions),
            attempts=config.attempts,
            street_hint=config.directions != "both",
            rewards=config.rewards,
            strict=config.strict,
            reasoning_tags=config.reasoning_tags,
            sampler=self._sampler,
            wording=self.wording,
        )
        """The question on no route: every other is this one but for what is dealt."""

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> VIRLQuestion:
        return self.question_of(*self.draw(rng, instance))

    def draw(self, rng: np.random.Generator, instance: str | None = None) -> tuple[str, int, int | None]:
        """Draw what a deal leaves to chance: the route, the phrasing, and a waypoint, None for the whole route."""
        drawn = self._drawn(rng, instance)
        phrasing = int(rng.integers(1, len(PHRASINGS))) if self.config.prompt == "diverse" else 0
        if self.config.episode == "route":
            return drawn, phrasing, None
        moves = [waypoint.move for waypoint in self._sampler.route(drawn).waypoints]
        turns = [at for at, move in enumerate(moves) if self.config.episode == "waypoint" or move == "turn"]
        if not turns:
            raise ValueError(f"episode='turn': {drawn} has no turn; set episode='waypoint', or name another instance")
        return drawn, phrasing, turns[int(rng.integers(len(turns)))]

    def question_of(self, instance: str, phrasing: int, at: int | None) -> VIRLQuestion:
        """Return the question that is dealt with what ``draw`` has drawn."""
        route = self._sampler.route(instance)
        first = self._undealt.but(
            waypoint=route.waypoints[0],
            instructions=route.instructions,
            phrasing=phrasing,
            route_id=route.id,
            route=route,
        )
        if self.config.mode == "walk":
            return first.walked(self._walk(route))
        return first if at is None else first.only(at)

    def _drawn(self, rng: np.random.Generator, instance: str | None) -> str:
        """Return an instance, or draw one.

        No route that ends where it begins is walked freely: ``stop()`` as the first action would be a success.
        """
        for _ in range(MOST_PLANS if instance is None else 1):
            drawn = self._sampler.deal(rng) if instance is None else instance
            if self.config.mode == "rail" or not ends_where_it_begins(self._sampler.route(drawn)):
                return drawn
        what = "every route of these settings ends" if instance is None else f"instance={shown(instance)}: it ends"
        raise ValueError(
            f"mode='walk': {what} within {SUCCESS_RADIUS:g} m of the beginning, where stop() at once would be a "
            "success; name another, or leave mode='walk' out"
        )

    def _walk(self, route: Route) -> Walk:
        """Return the walk at the beginning of a route."""
        city, plan = self._sampler.city(route.id), self._sampler.plan(route.id)
        assert city is not None  # noqa: S101 - the settings see to it
        assert plan is not None  # noqa: S101
        return Walk.begin(way_home(city, plan, route.id, self.config.options, self.config.recovery))

    @property
    def question(self) -> VIRLQuestion:
        question = super().question
        assert isinstance(question, VIRLQuestion)  # noqa: S101 - deal makes no other
        return question

    @property
    def route(self) -> Route:
        """The route in play."""
        route = self.question.route
        assert route is not None  # noqa: S101 - deal gives one
        return route

    @property
    def waypoint(self) -> Waypoint:
        """The waypoint at which the agent stands; after the end of the route the last."""
        return self.question.waypoint

    @property
    def view(self) -> str:
        """The part of the question that tells the view now."""
        return self.question.view

    @property
    def passed(self) -> int:
        """The number of waypoints that lie behind."""
        return self.question.passed(self.episode.is_success)

    @property
    def city(self) -> City | None:
        """The city that the route leads through, None where only the route is known."""
        return self.question.city


def _files_of(data: Path, *_: Any) -> list[Path]:
    from verienv.virl.paper_data.files import find_routes

    return [find_routes(data)]


@cached_by_files(_files_of, maxsize=16)
def _paper_sampler(
    data: Path, defects: Literal["skip", "refuse"], options: RouteOptions, wanted: WantedRoutes
) -> RouteSampler:
    """Return the sampler of the paper's routes, shared by all environments with these settings and unchanged routes."""
    from verienv.virl.paper_data.routes import PaperRoutes

    return PaperRoutes(data, options, defects, wanted)
