"""Writing answers: the expert's, and wrong ones of every kind of failure, as policies write them."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from verienv.core.answer_format import JSON
from verienv.core.formats import AnswerFormatLike, parse_format
from verienv.virl.actions import WORDS, action_space
from verienv.virl.prompts import ACTION, INSTRUCTION, OBSERVATION, SHAPE
from verienv.virl.routes.route import ActionSpace, Waypoint
from verienv.virl.verifier import Failure
from verienv.virl.world.geometry import compass_word, turn_word


def write_answer(
    waypoint: Waypoint,
    *,
    action: str | None = None,
    observation: str | None = None,
    answer_format: AnswerFormatLike = JSON,
) -> str:
    """Write the expert's response under the waypoint's rule, or one with another action or observation."""
    fields = expert_fields(waypoint)
    if observation is not None:
        fields[OBSERVATION] = observation
    if action is not None:
        fields[ACTION] = action
    return parse_format(answer_format, SHAPE).write(fields, SHAPE)


def expert_fields(waypoint: Waypoint) -> dict[str, str]:
    """The fields of the expert's answer: the true observation, the sentence to follow, and the action."""
    return {OBSERVATION: waypoint.observation, INSTRUCTION: waypoint.sentence, ACTION: waypoint.action}


def expert_answer(waypoint: Waypoint, *, steps: bool = False, answer_format: AnswerFormatLike = JSON) -> str:
    """Write the true observation, the sentence to follow and the expert's action; with ``steps``, why, before it."""
    answer = write_answer(waypoint, answer_format=answer_format)
    if not steps:
        return answer
    return f"I see: {waypoint.observation} I follow: {waypoint.sentence}\n{answer}"


def wrong_answer(waypoint: Waypoint, failure: Failure, rng: np.random.Generator) -> str | None:
    """A response that fails as ``failure`` says, its observation true where there is one; None for another failure.

    Drawn with ``rng``; the caller lets the verifier judge it.
    """
    write = _WRITERS.get(failure)
    return write(waypoint, rng) if write else None


def _unreadable(waypoint: Waypoint, rng: np.random.Generator) -> str:
    answer = write_answer(waypoint)
    return _one_of(
        (
            answer[: answer.index(f'"{ACTION}"')],
            answer[:-1],
            "I follow the instruction.",
            waypoint.action,
            json.dumps({OBSERVATION: waypoint.observation}),
        ),
        rng,
    )


def _illegal(waypoint: Waypoint, rng: np.random.Generator) -> str:
    due = waypoint.action
    word = _one_of(WORDS[waypoint.actions], rng)
    name = due.partition("(")[0]
    texts = (f"turn({word})", f"turn_direction {word}", name, f"{due}; {due}", "turn_direction()", f"go({word})", "")
    return write_answer(waypoint, action=_one_of(texts, rng))


def _outside(waypoint: Waypoint, rng: np.random.Generator) -> str:
    """Write the turn that is due in the other rule's word, or, where none is due, any word of that rule."""
    other: ActionSpace = "relative" if waypoint.actions == "absolute" else "absolute"
    word = ""
    if waypoint.move == "turn":
        relative = turn_word(waypoint.heading, waypoint.turn_to)
        word = relative if waypoint.actions == "absolute" else compass_word(waypoint.turn_to)
    return write_answer(waypoint, action=f"turn_direction({word or _one_of(WORDS[other], rng)})")


def _wrong_action(waypoint: Waypoint, rng: np.random.Generator) -> str:
    """On a turn: straight on, or another turn, or stopping early; elsewhere any other action."""
    due = waypoint.action
    turns = tuple(action for action in action_space(waypoint.actions)[1:-1] if action != due)
    plain = tuple(action for action in ("forward()", "stop()") if action != due)
    return write_answer(waypoint, action=_one_of((*plain, _one_of(turns, rng)), rng))


def _one_of(texts: tuple[str, ...], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


_WRITERS: dict[Failure, Callable[[Waypoint, np.random.Generator], str]] = {
    Failure.UNREADABLE: _unreadable,
    Failure.ILLEGAL: _illegal,
    Failure.OUTSIDE: _outside,
    Failure.WRONG_ACTION: _wrong_action,
}
