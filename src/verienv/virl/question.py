"""The question of V-IRL, in words or with street views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, get_args

import numpy as np

from verienv.core.dialogue import attempt_line
from verienv.core.plain import PlainRow
from verienv.core.question import Picture, Question, check_fields, check_phrasing
from verienv.core.reasoning import REASONING_TAGS, parse_reasoning_tags
from verienv.core.shown import shown
from verienv.core.verdict import OwnRewards, Verdict
from verienv.core.wording import PLAIN, Slots, Wording
from verienv.virl.actions import read_action
from verienv.virl.answers import expert_answer, write_answer, wrong_answer
from verienv.virl.prompts import (
    ACTION,
    KINDS,
    NOWHERE,
    OBSERVATION,
    PHRASINGS,
    PICTURE,
    SHAPE,
    SLOTS,
    History,
    actions_left,
    actions_text,
    describe_streets,
    history_text,
    number_lines,
    own_step_line,
    step_line,
    write_question,
)
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.routes.source import RouteSampler
from verienv.virl.row import columns_of, fields_of
from verienv.virl.verifier import REWARDS, Failure, RewardsLike, VIRLRewards, field_of, verify
from verienv.virl.walking.verdicts import in_walking_words, paid, pays_walks
from verienv.virl.walking.walk import Walk
from verienv.virl.world.city import City


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
        step: which question of its episode this is, from 0.
        alone: whether the episode ends after this waypoint, whatever the way on.
        route: the whole route; None where it is not known, and the episode ends after this waypoint.
        sampler: the sampler that knows the route's city.
        actions_left: how many actions a free walk has left, this one too; 0 on the expert's path.
        near_goal: whether ``stop()`` is right here too, as on a walk within 25 m of the goal.
        worth: of a walk's row, what rewards for the walk as a whole pay here (``walking.verdicts.worths``).
        walk: the walk so far, where every legal action is executed; None on the expert's path, and of a row.
        draw: draws the street views of a question; None where they are not known, as in a row.
    """

    slots = Slots((), (*SLOTS.needed, *SLOTS.others))

    waypoint: Waypoint
    attempts: int = 2
    instructions: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    phrasing: int = 0
    street_hint: bool = False
    junction_hint: bool = False
    history: History = "oracle"
    rewards: VIRLRewards | OwnRewards = REWARDS["paper"]
    strict: bool = False
    reasoning_tags: tuple[str, ...] = REASONING_TAGS
    route_id: str = ""
    step: int = 0
    actions_left: int = 0
    near_goal: bool = False
    worth: tuple[float, ...] = field(default=(), compare=False, repr=False)
    alone: bool = field(default=False, compare=False, repr=False)
    route: Route | None = field(default=None, compare=False, repr=False)
    sampler: RouteSampler | None = field(default=None, compare=False, repr=False)
    walk: Walk | None = field(default=None, compare=False, repr=False)
    draw: Callable[[VIRLQuestion], Picture] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, ("waypoint", Waypoint), ("rewards", (VIRLRewards, OwnRewards)))
        check_phrasing(self, len(PHRASINGS))
        self.wording.check(self.slots, SHAPE, KINDS)
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
        wording: Wording = PLAIN,
    ) -> Self:
        """Return the question at a waypoint alone; ``judge`` then agrees with ``verify`` of the same arguments."""
        tags = parse_reasoning_tags(reasoning_tags)
        prices = VIRLRewards.of(rewards)
        return cls(
            waypoint=waypoint, rewards=prices, strict=strict, attempts=attempts, reasoning_tags=tags, wording=wording
        )

    @property
    def instance(self) -> str:
        """The route, such as "virl:helsinki:12"; "" for a waypoint of none."""
        return self.route_id

    @property
    def prompt(self) -> str:
        if self.wording is PLAIN:
            return self._phrased()
        return self.wording.write(self._slots, self._phrased)

    def _phrased(self) -> str:
        instructions, form = number_lines(self.instructions), self.wording.answer_format
        return write_question(instructions, self.steps, self.view, self.waypoint.actions, self.phrasing, form)

    def _slots(self) -> dict[str, str]:
        return {
            "instructions": number_lines(self.instructions),
            "actions": actions_text(self.waypoint.actions),
            "history": history_text(self.steps),
            "view": self.view,
            "attempts": attempt_line(self.attempt, self.attempts),
            "format": self.wording.answer_format.instruction(SHAPE),
        }

    def feedback_slots(self, verdict: Verdict) -> dict[str, str]:
        return {"action": _action(verdict), "actions": actions_text(self.waypoint.actions)}

    @property
    def view(self) -> str:
        """The part of the question that tells the view now, or, with ``vision``, that it is in the picture."""
        parts = [PICTURE if self.vision else self.waypoint.observation]
        if self.vision and self.junction_hint:
            parts.append(f"You are {'' if self.waypoint.at_intersection else 'not '}at an intersection.")
        if self.street_hint:
            parts.append(describe_streets(self.waypoint))
        if self.actions_left:
            parts.append(actions_left(self.actions_left))
        return " ".join(filter(None, parts))

    @property
    def city(self) -> City | None:
        """The city that the route leads through, None where it is not known."""
        return self.sampler.city(self.route_id) if self.sampler and self.route_id else None

    @property
    def pictures(self) -> list[Picture]:
        return [self.draw(self)] if self.draw else []

    def judge(self, response: str) -> Verdict:
        verdict = self._judged(response, self.waypoint)
        action = _action(verdict)
        if self.near_goal and action == "stop()":
            verdict = self._judged(response, replace(self.waypoint, move="stop"))
        if self.actions_left:
            verdict = in_walking_words(verdict, action, self.actions_left)
        if pays_walks(self.rewards):
            end, known = self.attempt >= self.attempts, self.walk or self.worth
            verdict = verdict.model_copy(update={"reward": paid(verdict, action, self.rewards, known, end)})
        return self.worded(verdict)

    def _judged(self, response: str, waypoint: Waypoint) -> Verdict:
        return verify(
            response,
            waypoint,
            rewards=self.rewards.model_copy(update={"walk": "action"}) if pays_walks(self.rewards) else self.rewards,
            strict=self.strict,
            reasoning_tags=self.reasoning_tags,
            answer_format=self.wording.answer_format,
        )

    def expert(self, *, steps: bool = False) -> str:
        return expert_answer(self.waypoint, steps=steps, answer_format=self.wording.answer_format)

    def wrong(self, failure: str, rng: np.random.Generator) -> str | None:
        kind = Failure(failure)
        return self.wrong_in_format(SHAPE, kind, lambda: wrong_answer(self.waypoint, kind, rng), rng)

    def constant(self) -> str:
        """Write ``forward()``, the action that is due most often, with the true observation."""
        return write_answer(self.waypoint, action="forward()", answer_format=self.wording.answer_format)

    @property
    def best_reward(self) -> float:
        if pays_walks(self.rewards):
            return self.judge(self.expert()).reward
        return self.rewards.correct if isinstance(self.rewards, VIRLRewards) else super().best_reward

    @property
    def facts(self) -> Waypoint:
        """The waypoint: reward functions under test are called with it."""
        return self.waypoint

    def info(self, solved: bool) -> dict[str, Any]:
        """Return ``progress``, the share of the episode's waypoints that lie behind."""
        if self.walk:
            return {"progress": 1.0 if solved else self.walk.progress(), **self.walk.measures(solved)}
        if self.alone or self.route is None:
            return {"progress": float(solved)}
        return {"progress": self.passed(solved) / len(self.route.waypoints)}

    @property
    def difficulty_measures(self) -> dict[str, int]:
        """Return ``turns``, ``waypoints`` and ``landmarks`` of the route, -1 where it is not known."""
        route = self.route
        if route is None:
            return {"turns": -1, "waypoints": -1, "landmarks": -1}
        return {"turns": route.turn_count, "waypoints": len(route.waypoints), "landmarks": route.landmark_count}

    def passed(self, solved: bool = False) -> int:
        """Return how many waypoints of the route lie behind, this one too once it is ``solved``."""
        if self.walk:
            return self.walk.furthest + solved
        return (len(self.steps) if self.route else 0) + solved

    def walked(self, walk: Walk, *steps: str) -> Self:
        """Return the question where a walk has come to, with further lines of the history."""
        history, here = (*self.steps, *steps), {"waypoint": walk.waypoint, "near_goal": walk.is_near}
        return self.but(**here, walk=walk, actions_left=walk.left, steps=history, step=walk.taken, attempt=1)

    def completes(self, verdict: Verdict) -> bool:
        return verdict.is_correct and (self.walk is None or _action(verdict) == "stop()")

    def following(self, verdict: Verdict) -> Self | None:
        """Return the question at the next waypoint, after a correct response here; None at the destination.

        On a walk that is where any legal action leads; None after ``stop()``, and where no action is left.
        """
        said = field_of(verdict.answer, OBSERVATION)
        if self.walk:
            action = _action(verdict)
            if action == "stop()" or self.walk.left <= 1:
                return None
            return self.walked(self.walk.after(action), self._line(self.waypoint, said, action))
        if self.alone or self.route is None or self.step + 1 == len(self.route.waypoints):
            return None
        at = self.step + 1
        steps = (*self.steps, self._line(self.waypoint, said))
        return self.but(waypoint=self.route.waypoints[at], steps=steps, step=at, attempt=1)

    def only(self, number: int) -> Self:
        """Return the question at a waypoint of the route, from 0, alone: the expert has taken the steps before it."""
        assert self.route is not None  # noqa: S101 - for one that has been dealt
        steps = tuple(self._line(waypoint) for waypoint in self.route.waypoints[:number])
        return self.but(waypoint=self.route.waypoints[number], steps=steps, alone=True)

    def _line(self, waypoint: Waypoint, said: Any = None, action: str | None = None) -> str:
        """Return the line of the history for a waypoint of which the policy ``said`` what it observes.

        The action is the expert's, or the one that was executed on a walk.
        """
        done = action or waypoint.action
        if action and self.walk and self.walk.stays(action):
            done += NOWHERE
        if self.history == "oracle":
            return step_line(waypoint, done)
        return done if self.history == "none" else own_step_line(said, done)

    def row(self) -> dict[str, Any]:
        """Return the columns of ``VIRLRow``."""
        return {**columns_of(self), **self.wording.columns()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        return cls(**fields_of(row), wording=Wording.from_row(PlainRow(row), cls.slots))


def _action(verdict: Verdict) -> str:
    """Return the action of an answer, "" for none."""
    return read_action(verdict.answer.get(ACTION)) or ""
