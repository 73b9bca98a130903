"""Verdicts of free walks: the words for an action that was carried out, and rewards for the walk as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

from verienv.core.verdict import OwnRewards, Verdict
from verienv.virl.actions import Action, action_space
from verienv.virl.verifier import Failure, VIRLRewards
from verienv.virl.walking.walk import Walk

CARRIED_OUT = "Carried out."
"""The feedback of an action after which the walk goes on: whether the expert would have done so is not told."""


def is_executed(verdict: Verdict) -> bool:
    """Return whether an answer on a walk is carried out: any legal action is."""
    return verdict.is_correct or verdict.failure == Failure.WRONG_ACTION


def in_walking_words(verdict: Verdict, action: Action, left: int) -> Verdict:
    """Return the verdict on a walk with ``left`` actions in the words of walks."""
    if not is_executed(verdict) or (action == "stop()" and verdict.is_correct):
        return verdict
    if action == "stop()":
        feedback = "Wrong: the walk ends here, and this is not the destination."
    elif left <= 1:
        feedback = "Wrong: the walk ends here, as no action is left; stop() was due before."
    else:
        feedback = CARRIED_OUT
    return verdict.model_copy(update={"feedback": feedback})


def worth(walk: Walk, rewards: VIRLRewards, action: Action) -> float:
    """Return what rewards for a walk as a whole pay for a legal action."""
    stops = action == "stop()"
    success = stops and walk.is_near
    if rewards.walk == "spl":
        return rewards.correct * walk.trace.spl(success)
    if rewards.walk == "success":
        return rewards.correct * success
    goes_on = not stops and walk.left > 1
    if goes_on:
        shaped = rewards.gamma * walk.after(action).potential()
    else:
        shaped = walk.potential() if rewards.walk == "progress_kept" else 0.0
    return rewards.correct * (success + shaped - walk.potential())


def worth_of_nothing(walk: Walk, rewards: VIRLRewards, is_over: bool) -> float:
    """Return what is paid besides its price for an answer that is not carried out, and whether that ends the walk."""
    if rewards.walk not in ("progress", "progress_kept") or (is_over and rewards.walk == "progress_kept"):
        return 0.0
    return rewards.correct * ((0.0 if is_over else rewards.gamma) - 1.0) * walk.potential()


def worths(question: Any) -> list[float]:
    """Return ``worth`` of each action of the rule in order, then ``worth_of_nothing`` before and at the end."""
    walk, rewards = question.walk, question.rewards
    if walk is None:
        return list(question.worth)
    legal = action_space(question.waypoint.actions)
    nothing = (worth_of_nothing(walk, rewards, is_over) for is_over in (False, True))
    return [*(worth(walk, rewards, action) for action in legal), *nothing]


def pays_walks(rewards: VIRLRewards | OwnRewards) -> TypeGuard[VIRLRewards]:
    """Return whether rewards are for a walk as a whole."""
    return isinstance(rewards, VIRLRewards) and rewards.walk != "action"


def paid(verdict: Verdict, action: Action, rewards: VIRLRewards, walk: Walk | Sequence[float], is_over: bool) -> float:
    """Return what rewards for a walk as a whole pay for an answer.

    Args:
        verdict: the verdict on the answer, priced by its category.
        action: the action in it.
        rewards: the rewards.
        walk: the walk before it, or its ``worths``.
        is_over: whether the walk ends with an answer that is not carried out.
    """
    if is_executed(verdict):
        if isinstance(walk, Walk):
            return worth(walk, rewards, action)
        legal = action_space("absolute" if len(walk) > len(action_space("relative")) + 2 else "relative")
        return walk[legal.index(action)]
    return verdict.reward + (
        worth_of_nothing(walk, rewards, is_over) if isinstance(walk, Walk) else walk[-1 if is_over else -2]
    )
