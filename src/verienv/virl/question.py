"""A waypoint, and how answers at it are judged, as plain columns: for libraries that carry data in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from verienv.core.config import validated
from verienv.core.verdict import Verdict
from verienv.virl.actions import action_space
from verienv.virl.config import VIRLConfig
from verienv.virl.routes.route import ActionSpace, Route, Waypoint
from verienv.virl.verifier import RewardsLike, VIRLRewards, verify


def _told(waypoint: Any) -> Any:
    """A mapping without its nulls, which are defaults. A Waypoint has no others, so what decides is asked for here."""
    if not isinstance(waypoint, Mapping):
        return waypoint
    told = {name: value for name, value in waypoint.items() if value is not None}
    needed = ("move", "heading", "turn_to") if told.get("move") == "turn" else ("move",)
    missing = [name for name in needed if name not in told]
    if missing:
        raise ValueError(f"waypoint: it has no {' and no '.join(missing)}; expected the fields of a Waypoint")
    return told


class WaypointRow(BaseModel):
    """All that judging an answer needs, so that a row of a table needs no state beside it.

    Attributes:
        waypoint: the pose, what is true there, and what the expert does: a Waypoint, or a mapping of its fields.
        actions: the action space: "absolute" (words of the compass) or "relative" (left and right).
        rewards: the table of rewards: a mapping, or a preset's name.
        strict: whether plain JSON alone is read.
        attempts: answers allowed.
        instance: the route's id. It is not needed to judge, and neither is the step.
        step: which waypoint of the route this is, from 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    waypoint: Annotated[Waypoint, BeforeValidator(_told)]
    actions: ActionSpace = "absolute"
    rewards: Annotated[VIRLRewards, BeforeValidator(VIRLRewards.of)] = VIRLRewards()
    strict: bool = Field(default=False, strict=True)
    attempts: int = Field(default=2, ge=1, le=64, strict=True)
    instance: str | None = None
    step: int | None = Field(default=None, ge=0, strict=True)

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """The row in a mapping: columns of other names are ignored, and None (a table's null) is the default.

        Raises:
            ValueError: names the column that is missing or wrong.
        """
        given = {name: row[name] for name in cls.model_fields if row.get(name) is not None}
        return validated(cls, given, "V-IRL row")

    @classmethod
    def of(cls, route: Route, step: int, config: VIRLConfig) -> Self:
        """The row of a route's waypoint, dealt under ``config``. Raises IndexError if the route has no such step."""
        return cls(
            waypoint=route.waypoints[step],
            actions=config.actions,
            rewards=config.rewards,
            strict=config.strict,
            attempts=config.attempts,
            instance=route.id,
            step=step,
        )

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        due = self.waypoint.action(self.actions)
        if due not in action_space(self.actions):
            raise ValueError(f"waypoint: under actions={self.actions!r} its turn is none, since it leads straight on")
        return self

    def columns(self) -> dict[str, Any]:
        """The fields as plain lists, mappings, numbers and texts."""
        columns = self.model_dump(mode="json")
        return {"instance": columns.pop("instance"), "step": columns.pop("step"), **columns}

    def judge(self, response: str, rewards: RewardsLike | None = None, strict: bool | None = None) -> Verdict:
        """The verdict on a response. ``rewards`` and ``strict`` overrule the row's own."""
        return verify(
            response,
            self.waypoint,
            actions=self.actions,
            rewards=self.rewards if rewards is None else rewards,
            strict=self.strict if strict is None else strict,
        )
