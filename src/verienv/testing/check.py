"""check_verifier: hand a reward function everything that a policy might write, and report what it gets wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from verienv.core import tasks
from verienv.core.cases import AnyCase, Material
from verienv.testing.report import Kind, VerifierFaults, VerifierReport
from verienv.testing.trial import Enough, Trial, signals


def check_verifier(
    fn: Callable[..., Any],
    *,
    task: str = "generalpoints",
    vision: bool = False,
    strict: bool = False,
    paid_above: float | None = None,
    time_limit: float = 1.0,
    questions: int = 40,
    seed: int = 0,
) -> VerifierReport:
    """Unit-test a reward function; one line in pytest: ``check_verifier(my_reward)``.

    It is handed the shipped vectors (spellings that must be paid, exploits that must not), right and wrong answers to
    random instances, hostile text, and every case again in another order.

    Args:
        fn: returns a number (or anything with a number as ``reward``, such as a Verdict). Called as ``fn(response,
            facts)``. The facts of GeneralPoints are a puzzle, which has ``ranks``, ``values``, ``rule`` and ``target``;
            those of V-IRL a waypoint, whose ``action`` is due under the rule ``actions``; those of a task that brings
            no cases of its own are its question.
        task: the task's name, such as "generalpoints" or "virl"; ``verienv.tasks()`` lists them.
        vision: the verifier also judges whether the picture is read right, where that is a part of the task.
        strict: the verifier admits plain JSON alone.
        paid_above: a response counts as paid if its reward is above this. By default half way between the median
            rewards of plain right and of plain wrong answers; that suits binary, signed and shaped rewards.
        time_limit: seconds that one call may take; a slow call is tried again before it counts.
        questions: the number of random questions that answers are made for.
        seed: fixes them.

    Returns:
        A VerifierReport, if no fault was found.

    Raises:
        VerifierFaults: an AssertionError; its message groups the faults by kind, with counts and the shortest examples.
    """
    if not callable(fn):
        raise TypeError(f"check_verifier({fn!r}): expected a function that takes a response and returns a number")
    if not time_limit > 0:
        raise ValueError(f"time_limit={time_limit!r}: expected seconds, more than 0")
    material = tasks.named(task).cases(vision=vision, strict=strict, questions=questions, seed=seed)
    trial = Trial(fn, time_limit)
    with signals(trial):
        try:
            right, wrong, paid_above = _calibrate(trial, material, paid_above)
            cases = [case for case in material.cases if not case.unevaluable]
            cases += [case for pile in material.repeated_faults for case in pile]
            rewards = {case: trial.judge(case, paid_above) for case in cases}
            for case in reversed(cases):
                trial.compare(case, rewards[case])
            for pile in material.repeated_faults:
                _bounded(trial, pile, [rewards[case] for case in pile], right - wrong)
            for case in material.cases:  # last, because an unwise verifier may never return from them
                if case.unevaluable:
                    trial.judge(case, paid_above)
        except Enough:
            right = wrong = paid_above = math.nan
    if trial.faults:
        raise VerifierFaults(trial.faults, len(trial.tried), trial.note)
    return VerifierReport(len(trial.tried), trial.calls, right, wrong, paid_above, trial.slowest)


def _calibrate(trial: Trial, material: Material, paid_above: float | None) -> tuple[float, float, float]:
    rights = [trial.reward(case) for case in material.right]
    wrongs = [trial.reward(case) for case in material.wrong]
    right = median([reward for reward in rights if reward is not None] or [math.nan])
    wrong = median([reward for reward in wrongs if reward is not None] or [math.nan])
    if right <= wrong:
        trial.fault(Kind.NO_DIFFERENCE, material.right[0], f"{right:g}", f"more than the {wrong:g} of a wrong answer")
        paid_above = math.nan
    elif paid_above is None:
        paid_above = (right + wrong) / 2
    if math.isnan(paid_above):
        trial.note = "what it pays for could not be found out"
    else:
        trial.note = f"plain right answers get {right:g}, wrong ones {wrong:g}: above {paid_above:g} counts as paid"
    return right, wrong, paid_above


def _bounded(trial: Trial, pile: Sequence[AnyCase], rewards: Sequence[float | None], worth: float) -> None:
    """A reward that still falls with the 256th fault, by more than twice what a right answer is worth, has no floor."""
    falls = [reward for reward in rewards if reward is not None]
    if len(falls) == len(pile) and falls[-3] > falls[-2] > falls[-1] and falls[0] - falls[-1] > 2 * worth:
        got = f"{falls[-1]:g}, for a single one {falls[0]:g}"
        trial.fault(Kind.UNBOUNDED, pile[-1], got, "one price for one kind of failure")
