"""The verifier: from any response to a Verdict. Pure and total; the action decides, the observation is a measure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import Field, FiniteFloat

from verienv.core.answer_format import JSON, AnswerFormat
from verienv.core.formats import AnswerFormatLike, parse_format
from verienv.core.reasoning import REASONING_TAGS, parse_reasoning_tags
from verienv.core.verdict import OwnRewards, RewardTable, Verdict
from verienv.virl.actions import WORDS, Action, action_space, read_action
from verienv.virl.observations import LONGEST, fold, observation_is_true
from verienv.virl.prompts import ACTION, INSTRUCTION, OBSERVATION, SHAPE
from verienv.virl.routes.route import ActionSpace, Waypoint


class Failure(StrEnum):
    """Why a response is not the action that is due. One category each, in the order of judgement."""

    UNREADABLE = "unreadable"
    """No JSON object with an ``action``."""
    ILLEGAL = "illegal_action"
    """Not exactly one call of a known action."""
    OUTSIDE = "outside_action_space"
    """A turn in a word of the other rule."""
    WRONG_ACTION = "wrong_action"
    """A legal action that is not the expert's."""


class VIRLRewards(RewardTable):
    """Prices by category; the defaults are the paper's (arXiv 2501.17161, appendix A).

    A correct action is paid whatever the observation says. An answer that cannot be read holds no true observation.

    Attributes:
        faults: "category" prices the verdict's own failure; "first" prices the first fault that the paper's code finds
            in a wrong answer: an intersection that the observation names where none is, or does not name where one is
            (``wrong_action_and_observation``), else the action (``wrong_action``). Where the answer format has no place
            for the observation, the action alone.
        turned: paid on top of ``wrong_action`` for a turn in a wrong direction where a turn is due, the observation
            is true and the instruction is the one followed here.
        walk: with ``mode="walk"``, what is paid for a legal action in place of its category's price: "action" that
            price; "success" ``correct`` for ``stop()`` within 25 m of the goal, else nothing; "spl" ``correct`` times
            SPL for it; "progress" ``correct`` times (success + ``gamma`` * potential after - potential before), where
            the potential is the share of the expert's actions that are saved, and 0 once the walk is over;
            "progress_kept" the same, but that the end takes back nothing.
        gamma: the discount of the learner, for "progress": with its own the best policy is that of "success"
            (Ng, Harada and Russell 1999).
    """

    correct: FiniteFloat = 1.0
    wrong_action: FiniteFloat = -1.0
    wrong_action_and_observation: FiniteFloat = -1.5
    unreadable: FiniteFloat = -1.5
    faults: Literal["category", "first"] = "category"
    turned: FiniteFloat = Field(default=0.0, ge=0)
    walk: Literal["action", "success", "spl", "progress", "progress_kept"] = "action"
    gamma: FiniteFloat = Field(default=1.0, ge=0, le=1)

    presets: ClassVar[Mapping[str, RewardTable]] = {}
    optional: ClassVar[frozenset[str]] = frozenset({"faults", "turned", "walk", "gamma"})

    @property
    def by_category(self) -> bool:
        """Whether the action and the metrics alone say what an answer pays."""
        return self.faults == "category" and self.walk == "action"

    def price(self, failure: str, observation_correct: bool) -> float:
        """The price of a failure, "" for a correct action."""
        if not failure:
            return float(self.correct)
        if failure == Failure.UNREADABLE:
            return float(self.unreadable)
        return float(self.wrong_action if observation_correct else self.wrong_action_and_observation)

    def pay(self, failure: str, fields: Mapping[str, Any], waypoint: Waypoint, metrics: Mapping[str, bool]) -> float:
        """The reward of a response: its price, or what ``faults`` or ``turned`` make of it."""
        if failure and self.faults == "first":
            if "observation_correct" not in metrics:  # the answer format has no place for an observation
                return self.price(Failure.WRONG_ACTION, True)
            observation = field_of(fields, OBSERVATION)
            claimed = isinstance(observation, str) and "intersection" in observation
            return self.price(Failure.WRONG_ACTION, claimed == waypoint.at_intersection)
        price = self.price(failure, metrics.get("observation_correct", True))
        if not self.turned:
            return price
        turns = failure == Failure.WRONG_ACTION and (read_action(fields.get(ACTION)) or "").startswith("turn")
        if turns and all(metrics.get(name) for name in ("is_turn", "observation_correct", "instruction_correct")):
            return min(price + self.turned, self.correct)
        return price


_NOTHING: dict[str, float] = {"wrong_action": 0.0, "wrong_action_and_observation": 0.0, "unreadable": 0.0}
REWARDS: dict[str, VIRLRewards] = {
    "paper": VIRLRewards(),
    "binary": VIRLRewards(**(_NOTHING | {"correct": 1.0})),
    "binary_format": VIRLRewards(**(_NOTHING | {"correct": 1.0, "unreadable": -0.1})),
    "partial": VIRLRewards(**(_NOTHING | {"correct": 1.0, "turned": 0.5})),
    "paper_code": VIRLRewards(faults="first"),
}
"""The presets. ``paper_code`` pays as the paper's code does, but for what is right: an action that is read as the
expert's in any spelling is paid here, by the code only letter for letter; and for a wrong action whose observation says
"intersection": here that costs 1.5 where there is none, by the code, which looks for one among landmarks, everywhere
(``verienv.compat.paper`` pays that). The code's -1.75 is never paid."""
WALK_REWARDS: dict[str, VIRLRewards] = {
    "success": VIRLRewards(**(_NOTHING | {"correct": 1.0}), walk="success"),
    "spl": VIRLRewards(**(_NOTHING | {"correct": 1.0}), walk="spl"),
    "progress": VIRLRewards(**(_NOTHING | {"correct": 1.0}), walk="progress"),
    "progress_kept": VIRLRewards(**(_NOTHING | {"correct": 1.0}), walk="progress_kept"),
}
"""The presets for free walks as a whole. The rewards of "progress" add up to success, whatever the way; those of
"progress_kept" to success and the progress at the end."""
VIRLRewards.presets = REWARDS | WALK_REWARDS

RewardsLike = str | Mapping[str, Any] | VIRLRewards | Callable[[Verdict], float] | OwnRewards


def verify(
    response: str,
    waypoint: Waypoint,
    *,
    rewards: RewardsLike = "paper",
    strict: bool = False,
    reasoning_tags: tuple[str, ...] | None = REASONING_TAGS,
    answer_format: AnswerFormatLike = JSON,
) -> Verdict:
    """Judge one response. Never raises on any string; the same answer in every process.

    Args:
        response: any text; its last answer counts: a JSON object with an ``action`` (see ``core.response``), or
            what ``answer_format`` says.
        waypoint: the pose, the rule (``actions``), what is true there, and what the expert does.
        rewards: the name of a preset (``REWARDS``), a table, or a dict of prices
            (all of them, or some and ``"base"``, the preset of the rest).
        strict: admit plain JSON alone, and in other formats the spelling of the question alone.
        reasoning_tags: the tags around reasoning, which is no answer; None for none.
        answer_format: "json", "tags", "boxed" or "line", with "+observation" or "+instruction" where those are asked
            for, or an object with ``instruction`` and ``read(response)``.

    Returns:
        A Verdict. Its metrics: ``observation_correct`` (``current observation`` says exactly what is true here),
        ``instruction_correct`` (``current instruction`` is the sentence followed here; False where none is),
        ``is_turn`` (the expert turns here: the base of turn accuracy), ``is_forward`` (the expert goes on here: what
        always answering ``forward()`` would earn). The first two are not measured where the answer format has no
        field for them, and an observation that is not asked for is not wrong.

    Raises:
        ValueError: for an unknown rule or table, or one for walks as a whole; never for a response.
    """
    actions = waypoint.actions
    legal = action_space(actions)
    paid = rewards if isinstance(rewards, VIRLRewards) else VIRLRewards.of(rewards)
    prices = REWARDS["binary"] if isinstance(paid, OwnRewards) else paid
    if prices.walk != "action":
        raise ValueError(f"rewards: {prices.walk!r} is paid for a walk; a waypoint alone has no way behind it")
    form = parse_format(answer_format, SHAPE)
    answer = form.read(response, SHAPE, strict=strict, reasoning_tags=parse_reasoning_tags(reasoning_tags))
    fields = answer or {}
    action = fields.get(ACTION)
    failure = str(Failure.UNREADABLE) if answer is None else _action_failure(action, waypoint.action, legal)
    metrics = metrics_of(fields, waypoint, form)
    verdict = Verdict(
        reward=prices.pay(failure, fields, waypoint, metrics),
        is_correct=not failure,
        failure=failure,
        feedback=_feedback(failure, action, actions, form),
        reason=_reason(failure, action, metrics.get("observation_correct"), form),
        answer=fields,
        metrics=dict(metrics),
    )
    return paid.paid(verdict) if isinstance(paid, OwnRewards) else verdict


def metrics_of(fields: Mapping[str, Any], waypoint: Waypoint, form: AnswerFormat) -> dict[str, bool]:
    """The metrics of an answer with these fields, in the format; its action is no part of them."""
    metrics: dict[str, bool] = {}
    if form.has(OBSERVATION, SHAPE):
        metrics["observation_correct"] = observation_is_true(field_of(fields, OBSERVATION), waypoint)
    if form.has(INSTRUCTION, SHAPE):
        metrics["instruction_correct"] = _says(field_of(fields, INSTRUCTION), waypoint.sentence)
    metrics["is_turn"], metrics["is_forward"] = waypoint.move == "turn", waypoint.move == "forward"
    return metrics


def action_failure(action: Any, waypoint: Waypoint) -> str:
    """ "" if ``action`` is the expert's at ``waypoint``, else the member of ``Failure`` that says why not."""
    return _action_failure(action, waypoint.action, action_space(waypoint.actions))


def _action_failure(action: Any, due: Action, legal: tuple[Action, ...]) -> str:
    read = read_action(action)
    if read is None:
        return str(Failure.ILLEGAL)
    if read not in legal:
        return str(Failure.OUTSIDE)
    return "" if read == due else str(Failure.WRONG_ACTION)


def field_of(fields: Mapping[str, Any], name: str) -> Any:
    """A field of an answer, with a space or an underscore in its name; None where there is none."""
    return fields.get(name, fields.get(name.replace(" ", "_")))


_NUMBER = re.compile(r"[0-9]{1,3}[.)] ?")


def _says(text: Any, sentence: str) -> bool:
    """Whether ``text`` is the sentence, up to its number in the list and what ``fold`` leaves out."""
    if not isinstance(text, str) or len(text) > LONGEST or not sentence:
        return False
    if text == sentence:
        return True
    said, meant = fold(text), fold(sentence)
    return meant in (said, _NUMBER.sub("", said, count=1) if _NUMBER.match(said) else said)


_FEEDBACK = {
    "": "Correct.",
    Failure.ILLEGAL: "Wrong: the action is not one call of forward(), turn_direction(x) or stop().",
    Failure.WRONG_ACTION: "Wrong: this is not the action that the instruction asks for here.",
}


def _feedback(failure: str, action: Any, actions: ActionSpace, form: AnswerFormat) -> str:
    if failure == Failure.UNREADABLE:
        return f"Wrong: there is {form.lacks(SHAPE)}."
    if failure == Failure.OUTSIDE:  # one of the known words, so that nothing of the policy's own comes back to it
        return f"Wrong: {read_action(action)} is outside the action space. Directions: {', '.join(WORDS[actions])}."
    return _FEEDBACK[failure]


def _reason(failure: str, action: Any, observation_correct: bool | None, form: AnswerFormat) -> str:
    if failure == Failure.UNREADABLE:
        return form.lacks(SHAPE).replace('"', "")
    if failure == Failure.ILLEGAL:
        said = "the action is not a string" if not isinstance(action, str) else "the action is not one known call"
    elif failure == Failure.OUTSIDE:
        said = f"{read_action(action)} belongs to the other rule"
    else:
        said = f"{read_action(action)} is {'not ' if failure else ''}what the expert does here"
    if observation_correct is None:
        return said
    return f"{said}; the observation is {'true' if observation_correct else 'not true'}"
