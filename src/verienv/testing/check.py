"""check_verifier: hand a reward function everything that a policy might write, and report what it gets wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from inspect import Parameter, Signature, signature
from operator import index
from statistics import median
from typing import Any

from verienv.core import tasks
from verienv.core.answer_format import JSON
from verienv.core.cases import AnyCase, Level, Material
from verienv.core.formats import AnswerFormatLike, parse_format
from verienv.core.shown import shown
from verienv.testing.choice import Choice
from verienv.testing.format_cases import in_format
from verienv.testing.report import Kind, VerifierFaults, VerifierReport
from verienv.testing.spelling import Render, respelled
from verienv.testing.trial import Enough, Trial, signals

FAR = 10
"""A reward further from those of plain answers than so many times what a right answer is worth has no bound."""


def check_verifier(
    fn: Callable[..., Any],
    *,
    task: str = "generalpoints",
    vision: bool = False,
    strict: bool = False,
    level: Level = "full",
    answer_format: AnswerFormatLike = JSON,
    render: Render | None = None,
    ignore: Collection[str] = (),
    paid_above: float | None = None,
    time_limit: float = 1.0,
    questions: int = 40,
    seed: int = 0,
) -> VerifierReport:
    r"""Unit-test a reward function; one line in pytest: ``check_verifier(my_reward)``.

    It is handed the shipped vectors (spellings that must be paid, exploits that must not), right and wrong answers to
    random instances, hostile text, and every case again in another order. Each call gets a copy of the facts.

    Args:
        fn: returns a number (or anything with a number as ``reward``, such as a Verdict). Called as ``fn(response,
            facts)``, both by position. The facts of GeneralPoints are a puzzle, which has ``ranks``, ``values``,
            ``rule`` and ``target``; those of V-IRL a waypoint, whose ``action`` is due under the rule ``actions``;
            those of a task that brings no cases of its own are its question.
        task: the task's name, such as "generalpoints" or "virl"; ``verienv.tasks()`` lists them.
        vision: the verifier also judges whether the picture is read right, where that is a part of the task.
        strict: the verifier admits plain JSON alone, and in other formats the spelling of the question alone.
        level: "full" expects verienv's own reading of a response; "task" only what any verifier of the task owes:
            plain right answers are paid, what is wrong under any reading is not, a list of guesses earns one try at
            most, and every text gets a finite, bounded reward, the same each time. An equation that claims another
            number than the target is wrong there too: do not cut a formula at its "=".
        answer_format: the format of the answers that it is handed: "json", "tags" (``<answer>...</answer>``), "boxed"
            (``\boxed{...}``), "line" (the last one), with further fields as in "tags+cards+number", or an object with
            ``instruction``, ``read(response)`` and ``write(fields)``. Drafts, piles and hedges are written in it too.
        render: how answers look, if in no such format: a function from the fields of an answer to a response, such as
            ``lambda answer: f"<answer>{answer['formula']}</answer>"``. Answers that it cannot spell are then tried
            for a finite reward only.
        ignore: what to leave out: kinds of fault ("slow"), groups of cases ("full-width"), reasons as the report
            words them.
        paid_above: a response counts as paid if its reward is above this. By default half way between the median
            rewards of plain right and of plain wrong answers; that suits binary, signed and shaped rewards.
        time_limit: seconds that one call may compute or sleep, perhaps infinite; how busy the machine is does not
            count. A slow call is tried again before it counts.
        questions: the number of random questions that answers are made for.
        seed: fixes them.

    Returns:
        A VerifierReport, if no fault was found.

    Raises:
        VerifierFaults: an AssertionError; its message groups the faults by kind and reason, with counts and the
            shortest examples.
        TypeError: ``fn`` cannot be called so, or ``render`` does not spell plain answers.
        ValueError: an argument is none of those that are accepted, or both ``answer_format`` and ``render`` say how
            answers look.
    """
    if not callable(fn):
        raise TypeError(f"check_verifier({fn!r}): expected a function that takes a response and returns a number")
    _demand("time_limit", time_limit, lambda seconds: seconds > 0, "seconds, more than 0")
    _demand(
        "paid_above", paid_above, lambda reward: reward is None or math.isfinite(reward), "a finite number, or None"
    )
    _demand("questions", questions, lambda count: index(count) >= 0, "a whole number, 0 or more")
    _demand("seed", seed, lambda number: number is None or index(number) >= 0, "a whole number, 0 or more")
    found = tasks.named(task)
    material = found.cases(vision=vision, strict=strict, questions=questions, seed=seed)
    if (form := parse_format(answer_format)) is not JSON:
        if render is not None:
            raise ValueError(
                f"answer_format={shown(answer_format)} and render={shown(render)} both say how answers look; give one"
            )
        material = in_format(material, form, found.shape, strict)
    choice = Choice.of(material, level, ignore)
    if render is not None:
        material = respelled(material, render, found.fields)
    material = choice.of_material(material)
    _check_signature(fn, material.right[0])
    trial = Trial(fn, time_limit, choice.kinds)
    with signals(trial):
        try:
            right, wrong, paid_above = _calibrate(trial, material, paid_above)
            if math.isnan(right) and math.isnan(wrong) and trial.faults:
                raise VerifierFaults(trial.faults[:1], _never_answers(fn, trial, material))
            _try_everything(trial, material, choice, right, wrong, paid_above)
        except Enough:
            right = wrong = paid_above = math.nan
    if trial.faults:
        raise VerifierFaults.grouped(trial.faults, len(trial.tried), trial.notes)
    return VerifierReport(len(trial.tried), trial.calls, right, wrong, paid_above, trial.slowest)


def _demand(name: str, value: Any, is_fit: Callable[[Any], bool], expected: str) -> None:
    try:
        fits = is_fit(value)
    except (TypeError, ValueError, OverflowError):  # no number
        fits = False
    if not fits:
        raise ValueError(f"{name}={shown(value)}: expected {expected}")


def _try_everything(
    trial: Trial, material: Material, choice: Choice, right: float, wrong: float, paid_above: float
) -> None:
    worth = right - wrong
    cases = [case for case in material.cases if not case.unevaluable]
    cases += [case for pile in (*material.repeated_faults, *material.repeated_right) for case in pile]
    rewards = {}
    for case in cases:
        rewards[case] = trial.judge(case, paid_above) if choice.is_owed(case) else trial.reward(case)
    for case in (*reversed(cases), *material.right, *material.wrong):
        if trial.tried[case] is not None:  # else it is a fault already
            trial.reward(case)
    for pile in material.repeated_faults:
        _bounded(trial, pile, [rewards[case] for case in pile], worth)
    for pile in material.repeated_right:
        _paid_once(trial, pile, [rewards[case] for case in pile], worth)
    if not any(fault.kind == Kind.UNBOUNDED for fault in trial.faults):
        _near(trial, rewards, right, wrong)
    for pair in material.hedges:
        if all((rewards[case] or -math.inf) > paid_above for case in pair) and not choice.is_owed(pair[0]):
            got = "paid, whichever comes last"
            trial.fault(Kind.FALSE_ACCEPT, pair[1], got, "one try for a list of guesses")
    for case in material.cases:  # last, because an unwise verifier may never return from them
        if case.unevaluable:
            trial.judge(case, paid_above)


def _check_signature(fn: Callable[..., Any], case: AnyCase) -> None:
    """Refuse, in one sentence, a function that cannot be called with a response and the facts."""
    try:
        parameters = signature(fn)
    except (TypeError, ValueError):  # written in C
        return
    try:
        parameters.bind("", None)
    except TypeError as error:
        bare = [each.replace(annotation=Parameter.empty) for each in parameters.parameters.values()]
        raise TypeError(
            f"check_verifier: {_name(fn)}{Signature(bare)} cannot be called as {_called(fn, case)}: {error}; expected "
            f"a function of these two that returns a number, such as lambda response, {_noun(case)}: {_name(fn)}(...)"
        ) from None


def _never_answers(fn: Callable[..., Any], trial: Trial, material: Material) -> str:
    case, fault = material.right[0], trial.faults[0]
    did = "raised" if fault.kind == Kind.EXCEPTION else "returned"
    names = ", ".join(getattr(case.facts, "__dataclass_fields__", {}))
    return (
        f"{_called(fn, case)} {did} {fault.got}, and no number for any of the {trial.calls} plain answers, right and "
        f"wrong, that it was handed first; expected a number, for a str as response and as {_noun(case)} a "
        f"{type(case.facts).__name__}, which has {names}"
    )


def _called(fn: Callable[..., Any], case: AnyCase) -> str:
    return f"{_name(fn)}(response, {_noun(case)})"


def _noun(case: AnyCase) -> str:
    return type(case.facts).__name__.lower()


def _name(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", type(fn).__name__)
    return "fn" if name == "<lambda>" else str(name)


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
        trial.notes.append(
            "what it pays for could not be found out: answer_format=... says how answers look, if not so"
        )
    else:
        told = f"plain right answers get {right:g}, wrong ones {wrong:g}: above {paid_above:g} counts as paid"
        trial.notes.append(told)
    return right, wrong, paid_above


def _bounded(trial: Trial, pile: Sequence[AnyCase], rewards: Sequence[float | None], worth: float) -> None:
    """A reward that still changes with the 256th fault, by more than twice what a right answer is worth, has no end."""
    found = [reward for reward in rewards if reward is not None]
    if len(found) < len(pile):
        return
    is_going_on = found[-3] > found[-2] > found[-1] or found[-3] < found[-2] < found[-1]
    if is_going_on and abs(found[0] - found[-1]) > 2 * worth:
        got = f"{found[-1]:g}, for a single one {found[0]:g}"
        trial.fault(Kind.UNBOUNDED, pile[-1], got, "one price for one kind of failure")


def _paid_once(trial: Trial, pile: Sequence[AnyCase], rewards: Sequence[float | None], worth: float) -> None:
    """An answer that is given again, or after more words, is worth no more."""
    for case, reward in zip(pile[1:], rewards[1:], strict=True):
        if rewards[0] is not None and reward is not None and reward > rewards[0] + worth / 2:
            trial.fault(Kind.UNBOUNDED, case, f"{reward:g}, for less of it {rewards[0]:g}", "one price for one answer")
            return


def _near(trial: Trial, rewards: Mapping[AnyCase, float | None], right: float, wrong: float) -> None:
    """No reward lies far from those of plain answers; one that does grows with something."""
    far = FAR * (right - wrong)
    for case, reward in rewards.items():
        if far > 0 and reward is not None and not wrong - far <= reward <= right + far:
            trial.fault(Kind.UNBOUNDED, case, f"{reward:g}", f"a reward nearer to {wrong:g} and {right:g}")
