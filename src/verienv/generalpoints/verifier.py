"""The verifier: from any response to a Verdict. Pure, total, exact; sympy confirms what is accepted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from verienv.arithmetic.expression import IllegalFormula, Item, fraction_text, parse_formula
from verienv.core.answer_format import JSON
from verienv.core.formats import AnswerFormatLike, parse_format
from verienv.core.reasoning import REASONING_TAGS, parse_reasoning_tags
from verienv.core.verdict import Metric, OwnRewards, Verdict
from verienv.generalpoints.cards import read_rank
from verienv.generalpoints.prompts import answer_shape
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rewards import REWARDS as REWARDS
from verienv.generalpoints.rewards import Failure as Failure
from verienv.generalpoints.rewards import GeneralPointsRewards as GeneralPointsRewards
from verienv.generalpoints.rewards import RewardsLike as RewardsLike

_log = logging.getLogger(__name__)


VALID = frozenset({"", Failure.FALSE_EQUATION, Failure.DIVISION_BY_ZERO, Failure.WRONG_VALUE, Failure.UNCONFIRMED})
"""Formula failures of legal formulas that use the right numbers."""


def verify(
    response: str,
    puzzle: Puzzle,
    *,
    vision: bool = False,
    rewards: RewardsLike = "paper",
    strict: bool = False,
    reasoning_tags: tuple[str, ...] | None = REASONING_TAGS,
    answer_format: AnswerFormatLike = JSON,
) -> Verdict:
    """Judge one response. Never raises on any string; the same answer in every process.

    Args:
        response: any text; its last answer counts: a JSON object with a ``formula`` (see ``core.response``), or what
            ``answer_format`` says.
        puzzle: cards, rule and target.
        vision: whether the cards were shown as a picture, so that reading them is part of the answer.
        rewards: the name of a preset (``REWARDS``), a table, or a dict of prices
            (all of them, or some and ``"base"``, the preset of the rest), or a function from a verdict to a number.
        strict: admit plain JSON alone, and in other formats the spelling of the question alone.
        reasoning_tags: the tags around reasoning, which is no answer; None for none.
        answer_format: "json", "tags", "boxed" or "line", with "+cards" or "+number" where those are asked for, or an
            object with ``instruction`` and ``read(response)``.

    Returns:
        A Verdict. Its metrics: ``cards_correct`` (the ranks in ``cards`` are the hand's; plain numbers may be left
        out of it, ``number`` counts then), ``numbers_correct``
        (``number`` is right under the rule that the prompt states), ``formula_valid`` (legal, with exactly the
        cards' numbers under the scored rule); in vision also ``cards_read`` (how many of the cards ``cards`` names).
        Where the answer format has no field for cards or numbers, they are not measured, and no hand is misread.
    """
    paid = rewards if isinstance(rewards, GeneralPointsRewards) else GeneralPointsRewards.of(rewards)
    prices = REWARDS["binary"] if isinstance(paid, OwnRewards) else paid
    shape = answer_shape(puzzle)
    form = parse_format(answer_format, shape)
    answer = form.read(response, shape, strict=strict, reasoning_tags=parse_reasoning_tags(reasoning_tags))
    fields = answer or {}
    if answer is None:
        fault, reason = str(Failure.UNREADABLE), form.lacks(shape).replace('"', "")
    else:
        fault, reason = judge_formula(answer["formula"], puzzle)
    metrics: dict[str, Metric] = {}
    if shows_cards := form.has("cards", shape):
        metrics["cards_correct"] = _names_the_cards(fields, puzzle)
    if form.has("number", shape):
        metrics["numbers_correct"] = _read_numbers(fields.get("number")) == sorted(puzzle.stated_values)
    metrics["formula_valid"] = fault in VALID
    if vision and shows_cards:
        metrics["cards_read"] = _cards_read(fields.get("cards"), puzzle)
    reward, failure = prices.pay(fault, fields.get("formula"), puzzle), fault
    feedback = f"Wrong: there is {form.lacks(shape)}." if answer is None else _feedback(failure, reason, puzzle)
    if vision and shows_cards and not metrics["cards_correct"]:
        reward = prices.misread(reward)
        if answer is not None:
            failure, reason = Failure.MISREAD, f"the cards are misread; of the formula: {reason}"
            feedback = "The cards are not read right." + (f" {feedback}" if fault else "")
    verdict = Verdict(
        reward=reward,
        is_correct=not failure,
        failure=str(failure),
        feedback=feedback,
        reason=reason,
        answer=fields,
        metrics=metrics,
    )
    return paid.paid(verdict) if isinstance(paid, OwnRewards) else verdict


def formula_failure(formula: str, puzzle: Puzzle) -> str:
    """ "" if ``formula`` solves the puzzle, else the member of ``Failure`` that says why not."""
    return str(judge_formula(formula, puzzle)[0])


def judge_formula(formula: Any, puzzle: Puzzle) -> tuple[str, str]:
    """The formula's failure ("" if it solves the puzzle), and the reason in words for people."""
    if not isinstance(formula, str):
        return Failure.ILLEGAL, "the formula is not a string"
    try:
        equation = parse_formula(formula, puzzle.operators)
    except IllegalFormula as error:
        return Failure.ILLEGAL, str(error)
    expression = equation.expression
    if expression.numbers != puzzle.numbers:
        return Failure.WRONG_NUMBERS, f"it uses {_few(expression.numbers)}, {_given(puzzle)} {_few(puzzle.numbers)}"
    if equation.claimed not in (None, puzzle.target):
        return Failure.FALSE_EQUATION, f"it claims {equation.claimed}, the target is {puzzle.target}"
    value = expression.fraction()
    if value is None:
        return Failure.DIVISION_BY_ZERO, "it divides by zero"
    if value[0] != puzzle.target * value[1]:
        return Failure.WRONG_VALUE, f"it makes {fraction_text(*value)}"
    if not _sympy_confirms(expression.postfix, puzzle.target):
        _log.error("sympy disagrees that %s makes %d", expression.minimal(), puzzle.target)
        return Failure.UNCONFIRMED, "sympy does not confirm the value"
    return "", f"it makes {puzzle.target}"


def formula_facts(formula: Any, puzzle: Puzzle) -> dict[str, str]:
    """Return what a legal formula shows, as texts: the numbers ``used``, those ``missing``, and its ``value``.

    {} for any other; a value is there only where it divides by no zero.
    """
    try:
        expression = parse_formula(formula if isinstance(formula, str) else "").expression
    except IllegalFormula:
        return {}
    missing = Counter(puzzle.numbers) - Counter(expression.numbers)
    value = expression.fraction()
    return {
        "used": _few(expression.numbers),
        "missing": _few(tuple(sorted(missing.elements()))) or "none",
        **({"value": fraction_text(*value)} if value else {}),
    }


def _given(puzzle: Puzzle) -> str:
    return "the numbers are" if puzzle.plain_numbers else "the cards give"


def _few(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))


@lru_cache(maxsize=65536)
def _sympy_confirms(postfix: tuple[Item, ...], target: int) -> bool:
    """Whether sympy's own arithmetic agrees. Built from sympy.Integer; no text reaches sympy."""
    from sympy import Expr, Integer

    stack: list[Expr] = []
    for item in postfix:
        if isinstance(item, int):
            stack.append(Integer(item))
        elif item == "neg":
            stack.append(-stack.pop())
        else:
            right, left = stack.pop(), stack.pop()
            if item == "+":
                stack.append(left + right)
            elif item == "-":
                stack.append(left - right)
            elif item == "*":
                stack.append(left * right)
            else:
                stack.append(left / right)
    return bool(stack[0] == Integer(target))


def _names_the_cards(answer: Mapping[str, Any], puzzle: Puzzle) -> bool:
    """Whether ``cards`` are the cards; plain numbers may stand there too, and are named by ``number`` otherwise."""
    if puzzle.plain_numbers:
        return _read_numbers(answer.get("cards", answer.get("number"))) == list(puzzle.numbers)
    return _read_ranks(answer.get("cards")) == sorted(puzzle.ranks)


def _read_ranks(cards: Any) -> list[str] | None:
    if not isinstance(cards, list) or len(cards) > 16:
        return None
    ranks = [read_rank(card) for card in cards]
    return None if None in ranks else sorted(rank for rank in ranks if rank is not None)


def _cards_read(cards: Any, puzzle: Puzzle) -> int:
    """Count the ranks of the hand that the first as many items name. A longer list gains nothing."""
    if not isinstance(cards, list):
        return 0
    return (Counter(map(read_rank, cards[: len(puzzle.ranks)])) & Counter(puzzle.ranks)).total()


def _read_numbers(numbers: Any) -> list[int] | None:
    if not isinstance(numbers, list) or len(numbers) > 16:
        return None
    read = []
    for number in numbers:
        if type(number) is not int:  # a bool is none either
            if not (isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 6):
                return None
            number = int(number)
        read.append(number)
    return sorted(read)


_FEEDBACK = {
    Failure.ILLEGAL: "Wrong: the formula is not legal.",
    Failure.WRONG_NUMBERS: "Wrong: the formula does not use each card's number exactly once.",
    Failure.FALSE_EQUATION: "Wrong: the equation is false.",
    Failure.DIVISION_BY_ZERO: "Wrong: the formula divides by zero.",
    Failure.UNCONFIRMED: "Wrong: the value of the formula could not be confirmed.",
}


def _feedback(failure: str, reason: str, puzzle: Puzzle) -> str:
    if not failure:
        return "Correct."
    if failure == Failure.WRONG_NUMBERS and puzzle.plain_numbers:
        return "Wrong: the formula does not use each number exactly once."
    if failure == Failure.WRONG_VALUE:
        made = reason.removeprefix("it makes ")
        return f"Wrong: the formula makes {made if len(made) <= 24 else 'another number'}, not {puzzle.target}."
    return _FEEDBACK[Failure(failure)]
