"""Settings of the environment in words, and the splits that name some of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from verienv.core.answer_format import Shape
from verienv.core.config import ReasoningTags
from verienv.core.feedback import Kinds
from verienv.core.reasoning import REASONING_TAGS
from verienv.core.shown import cut, shown, shown_path
from verienv.core.sides import Side
from verienv.core.verdict import OwnRewards
from verienv.core.worded_config import WordedConfig
from verienv.core.wording import Slots
from verienv.virl.prompts import KINDS, SHAPE, SLOTS
from verienv.virl.routes.difficulty import WantedRoutes, parse_lengths
from verienv.virl.routes.instructions import Directions
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.plan import SHORTEST_SPACING
from verienv.virl.routes.route import ActionSpace
from verienv.virl.verifier import VIRLRewards
from verienv.virl.walking.expert import Recovery

TEST_CITIES = ("astana", "helsinki")

SPLITS: dict[str, dict[str, Any]] = {
    "train": {"side": "train", "actions": "absolute"},
    "test": {"side": "test", "actions": "absolute"},
    "rule_ood": {"side": "test", "actions": "relative"},
    "visual_ood": {"side": "test", "actions": "absolute", "city": TEST_CITIES},
    "rule_visual_ood": {"side": "test", "actions": "relative", "city": TEST_CITIES},
}
"""The settings that each split of V-IRL stands for: the rule is the action space, the visual shift is the city."""

WITHOUT_NEW_CITY = {"visual_ood": "test", "rule_visual_ood": "rule_ood"}
"""The splits whose visual shift is a new city, and what each is without that."""

RULE_BY_CITY: dict[str, dict[str, Any]] = {
    "train side, absolute": {"split": "train"},
    "train side, relative": {"split": "rule_ood", "side": "train"},
    "test side, absolute": {"split": "test"},
    "test side, relative": {"split": "rule_ood"},
    "new cities, absolute": {"split": "visual_ood"},
    "new cities, relative": {"split": "rule_visual_ood"},
}
"""The six cells of a table rule by city, for ``verienv.evaluate(..., splits=RULE_BY_CITY)``."""


class VIRLConfig(WordedConfig):
    """The keyword arguments of ``gym.make("verienv/VIRL-L-v0", ...)``. Explicit ones beat the split's.

    Only "visual_ood" and "rule_visual_ood" are refused where the city is not a new one: no setting tells whether a
    policy trained in a city of one's own. If it did not, that city is evaluated with ``split="test", side="all"``.

    Attributes:
        split: "train", "test", "rule_ood", "visual_ood" or "rule_visual_ood": names for some of the settings below
            (``SPLITS``).
        side: walk the streets of the "train" or the "test" side, or "all".
        actions: the action space: "absolute" turns to one of eight compass words, "relative" to left, right, slightly
            left or slightly right.
        city: a city: "montevideo" (its two sides are two parts of the city), the new "astana" or "helsinki" (test
            alone); a procedural city, such as "grid-7", "radial-0" or "organic-12"; or the path of a file that
            ``tools/build_cities.py`` made. The last two are cut in halves, west for train, east for test. Or several
            of the named ones, or several of the others, drawn evenly.
        data: the folder of the paper's own routes, or a file converted from it, to be walked in place of a city's.
            They have no sides, and ``turns`` does not choose among them.
        defects: what to do about routes of ``data`` that are not as they must be: "skip" them with a warning that
            names them, or "refuse" the data.
        directions: what the sentences give away of a turn: "both" words (as in the paper), the "absolute" or the
            "relative" one, or neither: "landmarks". Unless it is both, the view also tells where streets lead.
        turns: the fewest and the most turns of a route, or one number; 1 to 6 where routes are shipped.
        waypoints: the fewest and the most waypoints of a route, such as (10, 20); by default any number.
        landmarks: the fewest and the most different landmarks near its waypoints; by default any number.
        episode: an episode is a whole "route"; or one "waypoint" drawn evenly from a route, to which the expert has
            led; or one of its waypoints at which a "turn" is due.
        mode: "rail", as in the paper: a wrong action is not executed, and may be mended; or "walk": every legal action
            is executed, wherever it leads, and the walk ends by ``stop()`` or after four times the expert's actions
            and 20. Success is then ``stop()`` within 25 m of the goal.
        recovery: in mode "walk", where the expert leads from off the route: to the "goal" by way of the "route", or
            by the shortest way of all.
        spacing: metres from waypoint to waypoint, at least 15; blocks are divided evenly, so it may be a little more.
        attempts: answers allowed at one waypoint, 1 to 64.
        rewards: "paper", "binary", "binary_format", "partial", "paper_code"; in mode "walk" also "success", "spl",
            "progress" or "progress_kept"; a VIRLRewards, a dict of its fields (all, or some and "base", the preset of
            the rest), or a function from a verdict to a finite number.
        prompt, system_prompt, think_first, answer_format, feedback: see ``WordedConfig``. A template must name
            ``{instructions}``, ``{actions}`` and ``{view}``, and may name ``{history}``, ``{attempts}``, ``{format}``.
        strict: read plain JSON alone, and in other formats the spelling of the question alone.
        reasoning_tags: the tags around reasoning, which is no answer, such as ("<think>", "</think>"); None for none.
    """

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = SPLITS
    changeable: ClassVar[tuple[str, ...]] = ("turns", "waypoints", "landmarks")
    shape: ClassVar[Shape] = SHAPE
    kinds: ClassVar[Kinds] = KINDS

    side: Side = "train"
    actions: ActionSpace = "absolute"
    city: tuple[str, ...] = ("montevideo",)
    data: Path | None = None
    defects: Literal["skip", "refuse"] = "skip"
    directions: Directions = "both"
    turns: tuple[int, int] = (1, 6)
    waypoints: Annotated[tuple[int, int] | None, BeforeValidator(parse_lengths)] = None
    landmarks: Annotated[tuple[int, int] | None, BeforeValidator(parse_lengths)] = None
    episode: Literal["route", "waypoint", "turn"] = "route"
    mode: Literal["rail", "walk"] = "rail"
    recovery: Recovery = "route"
    spacing: float = Field(default=40.0, ge=SHORTEST_SPACING, le=1000.0, allow_inf_nan=False)
    attempts: int = Field(default=2, ge=1, le=64, strict=True)
    rewards: Annotated[VIRLRewards | OwnRewards, BeforeValidator(VIRLRewards.of)] = VIRLRewards()
    strict: bool = Field(default=False, strict=True)
    reasoning_tags: ReasoningTags = REASONING_TAGS

    @model_validator(mode="before")
    @classmethod
    def _fill_from_names(cls, settings: dict[str, Any]) -> dict[str, Any]:
        stands_for = cls.expand_names(settings)
        if settings.get("data") is None:
            return {**stands_for, **settings}
        if settings.get("side", "all") != "all":
            raise ValueError(
                f"side={shown(settings['side'])}: routes from data= have no sides; leave it out, or set 'all'"
            )
        if "city" in settings:
            raise ValueError(
                f"city={shown(settings['city'])}: routes come from a city or from data=, so give one of them"
            )
        return {**stands_for, **settings, "side": "all", "city": ()}

    @field_validator("city", mode="before")
    @classmethod
    def _cities(cls, city: Any) -> Any:
        if isinstance(city, list | tuple) and len(set(map(str, city))) < len(city):
            raise ValueError("expected each city once")
        return (str(city),) if isinstance(city, str | Path) else city

    @field_validator("turns", mode="before")
    @classmethod
    def _of_one_number(cls, turns: Any) -> Any:
        return (turns, turns) if type(turns) is int else turns

    @field_validator("turns", mode="after")
    @classmethod
    def _ordered(cls, turns: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= turns[0] <= turns[1] <= 20:
            raise ValueError("expected the fewest and the most turns, from 0 to 20, such as (1, 6)")
        return turns

    @model_validator(mode="after")
    def _turns_at_all(self) -> VIRLConfig:
        if self.episode == "turn" and not self.turns[0]:
            raise ValueError(
                "episode='turn': some routes of turns=0 have none; set turns=1 or more, or episode='waypoint'"
            )
        return self

    @model_validator(mode="after")
    def _can_be_walked(self) -> VIRLConfig:
        if self.mode == "walk" and self.data is not None:
            raise ValueError("mode='walk': the routes from data= know no streets beside their own; walk in a city=")
        if self.mode == "rail" and self.recovery != "route":
            raise ValueError(
                f"recovery={self.recovery!r}: on the expert's path nobody leaves the route; set mode='walk'"
            )
        if self.mode == "rail" and isinstance(self.rewards, VIRLRewards) and self.rewards.walk != "action":
            raise ValueError(f"rewards={self.rewards.walk!r}: it is paid for a free walk as a whole; set mode='walk'")
        if self.mode == "walk" and self.episode != "route":
            raise ValueError(f"mode='walk': a walk is a whole route; leave episode={self.episode!r} out")
        return self

    @model_validator(mode="after")
    def _is_told_enough(self) -> VIRLConfig:
        if self.data is not None and self.directions not in ("both", self.actions):
            raise ValueError(
                f"directions={self.directions!r}: the routes from data= know no streets beside their own, so their "
                f"sentences must name the word of the action space; set 'both' or {self.actions!r}"
            )
        return self

    @classmethod
    def paths(cls, settings: Mapping[str, Any]) -> list[str]:
        """Return those of data, panoramas and city that name files."""
        city = settings.get("city")
        cities = city if isinstance(city, (list, tuple)) else [city]
        opened = [name for name in ("data", "panoramas") if settings.get(name) is not None]
        return opened + ["city"] * any(isinstance(each, str) and each.endswith(".json") for each in cities)

    @model_validator(mode="after")
    def _is_a_new_city(self) -> VIRLConfig:
        plain = WITHOUT_NEW_CITY.get(self.split)
        if plain is None or (self.city and set(self.city) <= set(TEST_CITIES)):
            return self
        given = f"data={shown_path(self.data)!r}" if self.data else f"city={cut(list(self.city), 300)}"
        raise ValueError(
            f"{given}: split={self.split!r} stands for cities that have no train side: {', '.join(TEST_CITIES)}; any "
            f"other is as new as your training makes it: train elsewhere, and evaluate it with split={plain!r}"
            + ("" if self.data else ", side='all'")
        )

    @property
    def slots(self) -> Slots:
        return SLOTS

    @property
    def options(self) -> RouteOptions:
        """The options of routes under these settings."""
        return RouteOptions(self.spacing, self.directions, self.actions)

    @property
    def wanted(self) -> WantedRoutes:
        """The difficulties of routes that are asked for, ``turns`` aside."""
        return WantedRoutes(self.waypoints, self.landmarks)
