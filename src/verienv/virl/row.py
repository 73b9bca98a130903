"""The row that a question of V-IRL travels as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator

from verienv.core.config import ReasoningTags, validate
from verienv.core.plain import PlainRow
from verienv.core.reasoning import REASONING_TAGS
from verienv.core.verdict import OwnRewards, plain_rewards
from verienv.virl.actions import action_space
from verienv.virl.prompts import PHRASINGS, History
from verienv.virl.routes.route import ActionSpace, Waypoint
from verienv.virl.verifier import VIRLRewards
from verienv.virl.walking.verdicts import pays_walks, worths


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
        step: which question of its episode this is, from 0.
        vision: whether the view was shown in pictures.
        instructions: the sentences of the route.
        steps: the lines of the history, between newlines.
        phrasing: which phrasing of the question, 0 for the default.
        street_hint, junction_hint, history, actions_left, near_goal, worth: as in ``VIRLQuestion``; the last three are
            of walks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    waypoint: Annotated[Waypoint, BeforeValidator(_without_nulls)]
    actions: ActionSpace | None = None
    rewards: Annotated[VIRLRewards | OwnRewards, BeforeValidator(VIRLRewards.of)] = VIRLRewards()
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
    actions_left: int = Field(default=0, ge=0, strict=True)
    near_goal: bool = Field(default=False, strict=True)
    worth: tuple[FiniteFloat, ...] = ()

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
        waypoint = replace(self.waypoint, actions=self.actions or self.waypoint.actions)  # it raises for a turn of none
        due = len(action_space(waypoint.actions)) + 2
        if pays_walks(self.rewards) and len(self.worth) != due:
            raise ValueError(
                f"worth: rewards for a walk as a whole need {due} numbers, one for each action and two more"
            )
        return self


def columns_of(question: Any) -> dict[str, Any]:
    """Return the columns of a ``VIRLQuestion``, wording aside."""
    waypoint = asdict(question.waypoint)
    actions = waypoint.pop("actions")
    return {
        "instance": question.route_id,
        "step": question.step,
        "waypoint": {name: list(value) if isinstance(value, tuple) else value for name, value in waypoint.items()},
        "actions": actions,
        "rewards": plain_rewards(question.rewards),
        "strict": question.strict,
        "reasoning_tags": list(question.reasoning_tags),
        "attempts": question.attempts,
        "vision": question.vision,
        "instructions": list(question.instructions),
        "steps": "\n".join(question.steps),
        "phrasing": question.phrasing,
        "street_hint": question.street_hint,
        "junction_hint": question.junction_hint,
        "history": question.history,
        **({"actions_left": left, "near_goal": question.near_goal} if (left := question.actions_left) else {}),
        **({"worth": worths(question)} if pays_walks(question.rewards) else {}),
    }


def fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the question that a row holds, wording aside. Raises ValueError for none."""
    read = VIRLRow.read(row)
    return {
        "waypoint": replace(read.waypoint, actions=read.actions or read.waypoint.actions),
        "steps": tuple(read.steps.split("\n")) if read.steps else (),
        "route_id": read.instance or "",
        "step": read.step or 0,
        **{name: getattr(read, name) for name in _SHARED},
    }


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
    "actions_left",
    "near_goal",
    "worth",
)
