"""The question of V-IRL, in words or with street views, and the row it travels as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal, Self, get_args

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from verienv.core.config import ReasoningTags, validate
from verienv.core.plain import PlainRow
from verienv.core.question import Picture, Question, check_fields, check_phrasing
from verienv.core.reasoning import REASONING_TAGS, parse_reasoning_tags
from verienv.core.shown import shown
from verienv.core.verdict import Verdict
from verienv.virl.answers import expert_answer, write_answer, wrong_answer
from verienv.virl.prompts import (
    PHRASINGS,
    PICTURE,
    describe_streets,
    number_lines,
    own_step_line,
    step_line,
    view,
    write_question,
)
from verienv.virl.routes.options import RouteSampler
from verienv.virl.routes.route import ActionSpace, Route, Waypoint
from verienv.virl.verifier import OBSERVATION, REWARDS, Failure, RewardsLike, VIRLRewards, field_of, verify
from verienv.virl.world.city import City

History = Literal["oracle", "own", "none"]


@dataclass(frozen=True, kw_only=True)
class VIRLQuestion(Question):
    """A waypoint, asked; and the way on from it, where it is one of a route.

    Attributes:
        waypoint: the pose, the rule, what is true there, and the expert's move.
        instructions: the sentences of the route, without their numbers.
        steps: a line for each step so far: what was observed, and the action that led on.
        phrasing: which of the phrasings, 0 for the default.
        street_hint: whether the view tells where streets lead.
        junction_hint: with ``vision``, whether the text tells if streets cross here.
        history: what further lines of ``steps`` tell: the truth ("oracle"), the policy's own words, or none.
        rewards: the prices.
        strict: whether plain JSON alone is read.
        reasoning_tags: the tags around reasoning, which is no answer; () for none.
        route_id: the instance.
        step: which waypoint of the route this is, from 0.
        route: the whole route; None where the episode ends after this waypoint.
        sampler: the sampler that knows the route's city.
        draw: draws the street views of a question; None where they are not known, as in a row.
    """

    waypoint: Waypoint
    attempts: int = 2
    instructions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    phrasing: int = 0
    street_hint: bool = False
    junction_hint: bool = False
    history: History = "oracle"
    rewards: VIRLRewards = REWARDS["paper"]
    strict: bool = False
    reasoning_tags: tuple[str, ...] = REASONING_TAGS
    route_id: str = ""
    step: int = 0
    route: Route | None = field(default=None, compare=False, repr=False)
    sampler: RouteSampler | None = field(default=None, compare=False, repr=False)
    draw: Callable[[VIRLQuestion], Picture] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, ("waypoint", Waypoint), ("rewards", VIRLRewards))
        check_phrasing(self, len(PHRASINGS))
        if self.history not in get_args(History):
            raise ValueError(f"VIRLQuestion: history={shown(self.history)}: expected {', '.join(get_args(History))}")

    @classmethod
    def of(
        cls,
        waypoint: Waypoint,
        *,
        rewards: RewardsLike = "paper",
        strict: bool = False,
        attempts: int = 2,
        reasoning_tags: tuple[str, ...] | None = REASONING_TAGS,
    ) -> Self:
        """Return the question at a waypoint alone; ``judge`` then agrees with ``verify`` of the same arguments."""
        tags = parse_reasoning_tags(reasoning_tags)
        prices = VIRLRewards.of(rewards)
        return cls(waypoint=waypoint, rewards=prices, strict=strict, attempts=attempts, reasoning_tags=tags)

    @property
    def instance(self) -> str:
        """The route, such as "virl:helsinki:12"; "" for a waypoint of none."""
        return self.route_id

    @property
    def prompt(self) -> str:
        return write_question(
            number_lines(self.instructions), self.steps, self.view, self.waypoint.actions, self.phrasing
        )

    @property
    def view(self) -> str:
        """The part of the question that tells the view now, or, with ``vision``, that it is in the picture."""
        if not self.vision:
            return view(self.waypoint, streets=self.street_hint)
        parts = [PICTURE]
        if self.junction_hint:
            parts.append(f"You are {'' if self.waypoint.at_intersection else 'not '}at an intersection.")
        if self.street_hint:
            parts.append(describe_streets(self.waypoint))
        return " ".join(filter(None, parts))

    @property
    def city(self) -> City | None:
        """The city that the route leads through, None where it is not known."""
        return self.sampler.city(self.route_id) if self.sampler and self.route_id else None

    @property
    def pictures(self) -> list[Picture]:
        return [self.draw(self)] if self.draw else []

    def judge(self, response: str) -> Verdict:
        return verify(
            response, self.waypoint, rewards=self.rewards, strict=self.strict, reasoning_tags=self.reasoning_tags
        )

    def expert(self, *, steps: bool = False) -> str:
        return expert_answer(self.waypoint, steps=steps)

    def wrong(self, failure: str, rng: np.random.Generator) -> str | None:
        return wrong_answer(self.waypoint, Failure(failure), rng)

    def constant(self) -> str:
        """Write ``forward()``, the action that is due most often, with the true observation."""
        return write_answer(self.waypoint, action="forward()")

    @property
    def best_reward(self) -> float:
        return self.rewards.correct

    @property
    def facts(self) -> Waypoint:
        """The waypoint: reward functions under test are called with it."""
        return self.waypoint

    def info(self, solved: bool) -> dict[str, Any]:
        """Return ``progress``, the share of the route's waypoints that lie behind."""
        return {"progress": self.passed(solved) / (len(self.route.waypoints) if self.route else 1)}

    @property
    def difficulty_measures(self) -> dict[str, int]:
        """Return ``turns``, ``waypoints`` and ``landmarks`` of the route, -1 where it is not known."""
        route = self.route
        if route is None:
            return {"turns": -1, "waypoints": -1, "landmarks": -1}
        return {"turns": route.turn_count, "waypoints": len(route.waypoints), "landmarks": route.landmark_count}

    def passed(self, solved: bool = False) -> int:
        """Return how many waypoints of the episode lie behind, this one too once it is ``solved``."""
        return (self.step if self.route else 0) + solved

    def following(self, verdict: Verdict) -> Self | None:
        """Return the question at the next waypoint, after a correct response here; None at the destination."""
        if self.route is None or self.step + 1 == len(self.route.waypoints):
            return None
        at = self.step + 1
        steps = (*self.steps, self._line(verdict))
        return self.but(waypoint=self.route.waypoints[at], steps=steps, step=at, attempt=1)

    def _line(self, verdict: Verdict) -> str:
        """Return the line of the history for this waypoint."""
        if self.history == "oracle":
            return step_line(self.waypoint)
        if self.history == "none":
            return self.waypoint.action
        return own_step_line(field_of(verdict.answer, OBSERVATION), self.waypoint)

    def row(self) -> dict[str, Any]:
        """Return the columns of ``VIRLRow``."""
        waypoint = asdict(self.waypoint)
        actions = waypoint.pop("actions")
        return {
            "instance": self.route_id,
            "step": self.step,
            "waypoint": {name: list(value) if isinstance(value, tuple) else value for name, value in waypoint.items()},
            "actions": actions,
            "rewards": self.rewards.model_dump(),
            "strict": self.strict,
            "reasoning_tags": list(self.reasoning_tags),
            "attempts": self.attempts,
            "vision": self.vision,
            "instructions": list(self.instructions),
            "steps": "\n".join(self.steps),
            "phrasing": self.phrasing,
            "street_hint": self.street_hint,
            "junction_hint": self.junction_hint,
            "history": self.history,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        read = VIRLRow.read(row)
        fields = {name: getattr(read, name) for name in _SHARED}
        steps = tuple(read.steps.split("\n")) if read.steps else ()
        waypoint = replace(read.waypoint, actions=read.actions or read.waypoint.actions)
        return cls(waypoint=waypoint, steps=steps, route_id=read.instance or "", step=read.step or 0, **fields)


_SHARED = (
    "vision",
    "attempts",
    "instructions",
    "phrasing",
    "street_hint",
    "junction_hint",
    "history",
    "rewards",
    "strict",
    "reasoning_tags",
)


def _without_nulls(waypoint: Any) -> Any:
    """A mapping without its nulls, which are defaults. A Waypoint has no others, so what decides is asked for here."""
    if not isinstance(waypoint, Mapping):
        return waypoint
    parts = {name: value for name, value in waypoint.items() if value is not None}
    needed = ("move", "heading", "turn_to") if parts.get("move") == "turn" else ("move",)
    missing = [name for name in needed if name not in parts]
    if missing:
        raise ValueError(f"waypoint: it has no {' and no '.join(missing)}; expected the fields of a Waypoint")
    return parts


class VIRLRow(BaseModel):
    """The columns of a row. All but ``waypoint`` have defaults.

    Attributes:
        waypoint: the pose, what is true there, and what the expert does: a Waypoint, or a mapping of its fields.
        actions: the action space: "absolute" (words of the compass) or "relative" (left and right); by default the
            waypoint's.
        rewards: the table of rewards: a mapping, or a preset's name.
        strict: whether plain JSON alone is read.
        reasoning_tags: the tags around reasoning, which is no answer: a pair, or an empty list for none.
        attempts: answers allowed.
        instance: the route's id. It is not needed to judge, and neither are the following.
        step: which waypoint of the route this is, from 0.
        vision: whether the view was shown in pictures.
        instructions: the sentences of the route.
        steps: the lines of the history, between newlines.
        phrasing: which phrasing of the question, 0 for the default.
        street_hint, junction_hint, history: as in ``VIRLQuestion``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    waypoint: Annotated[Waypoint, BeforeValidator(_without_nulls)]
    actions: ActionSpace | None = None
    rewards: Annotated[VIRLRewards, BeforeValidator(VIRLRewards.of)] = VIRLRewards()
    strict: bool = Field(default=False, strict=True)
    reasoning_tags: ReasoningTags = REASONING_TAGS
    attempts: int = Field(default=2, ge=1, le=64, strict=True)
    instance: str | None = None
    step: int | None = Field(default=None, ge=0, strict=True)
    vision: bool = Field(default=False, strict=True)
    instructions: tuple[str, ...] = ()
    steps: str = ""
    phrasing: int = Field(default=0, ge=0, lt=len(PHRASINGS), strict=True)
    street_hint: bool = Field(default=False, strict=True)
    junction_hint: bool = Field(default=False, strict=True)
    history: History = "oracle"

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """Read a mapping: columns of other names are ignored, and None (a table's null) is the default.

        Raises:
            ValueError: names the column that is missing or wrong.
        """
        given = PlainRow(row).given(cls)
        if "waypoint" in given and not isinstance(row, PlainRow):
            given["waypoint"] = row["waypoint"]  # of no table, so that a heading of NaN is a mistake
        return validate(cls, given, "V-IRL row")

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        replace(self.waypoint, actions=self.actions or self.waypoint.actions)  # it raises where its turn is none
        return self
