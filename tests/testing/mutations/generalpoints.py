"""Flawed verifiers of GeneralPoints, one class of fault each."""

# ruff: noqa: S307

from __future__ import annotations

import json
import math
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from tests.arithmetic.postfix import value
from tests.testing.broken import by_formula
from tests.testing.mutations.suite import Mutations, Verifier

from verienv.arithmetic.expression import parse_formula
from verienv.core.response import read_answer
from verienv.generalpoints import Puzzle, expert_answer, formula_failure, verify
from verienv.generalpoints.rules import PRESETS
from verienv.testing import Kind

GENERALPOINTS = Mutations("generalpoints")
ACCEPT, REJECT = Kind.FALSE_ACCEPT, Kind.FALSE_REJECT
LEGAL = ("", "wrong_value", "wrong_numbers", "false_equation", "division_by_zero")
VALUED = ("", "wrong_value")
OTHER_SPELLING = "plain answers have none of it"
WHICH_COUNTS = "which of several answers counts is a choice, as long as one does"


def right(response: str, puzzle: Puzzle) -> float:
    return verify(response, puzzle, rewards="binary").reward


def as_float(formula: str) -> float:
    """The value as Python's floats have it; NaN of what has none."""
    made = value(parse_formula(formula).expression.postfix, float)
    return math.nan if made is None else made


def exact(formula: str) -> tuple[int, int]:
    """Numerator and denominator of a legal formula; 0, 0 where it divides by zero."""
    return parse_formula(formula).expression.fraction() or (0, 0)


def integers(formula: str) -> list[int]:
    return sorted(parse_formula(formula).expression.numbers)


def by_value(judge: Callable[[str, Puzzle], bool]) -> Verifier:
    """A verifier that is right but for the value of legal formulas of the right numbers, which ``judge`` decides."""
    return by_formula(lambda formula, puzzle: formula_failure(formula, puzzle) in VALUED and judge(formula, puzzle))


def by_numbers(judge: Callable[[str, Puzzle], bool]) -> Verifier:
    """A verifier that is right but for the numbers of legal formulas, which ``judge`` compares."""

    def reward(formula: str, puzzle: Puzzle) -> bool:
        if formula_failure(formula, puzzle) not in LEGAL:
            return False
        equation = parse_formula(formula)
        top, bottom = exact(formula)
        is_claimed = equation.claimed in (None, puzzle.target)
        return is_claimed and bottom != 0 and top == puzzle.target * bottom and judge(formula, puzzle)

    return by_formula(reward)


def translated(change: Callable[[str], str]) -> Verifier:
    """A verifier that is right, but changes a formula before it looks, and pays either."""
    return by_formula(
        lambda formula, puzzle: "" in (formula_failure(formula, puzzle), of_changed(formula, puzzle, change))
    )


def of_changed(formula: str, puzzle: Puzzle, change: Callable[[str], str]) -> str:
    try:
        return formula_failure(change(formula), puzzle)
    except ValueError:
        return "illegal"


value_of = lambda kind, **rest: GENERALPOINTS.decision(by_value, kind, **rest)  # noqa: E731
numbers_of = lambda kind, **rest: GENERALPOINTS.decision(by_numbers, kind, **rest)  # noqa: E731
formula_of = lambda kind, **rest: GENERALPOINTS.decision(by_formula, kind, **rest)  # noqa: E731
change_of = lambda kind, **rest: GENERALPOINTS.decision(translated, kind, **rest)  # noqa: E731
verifier, maker = GENERALPOINTS.verifier, GENERALPOINTS.maker

# The value.


@value_of(REJECT)
def float_equality(formula: str, puzzle: Puzzle) -> bool:
    """Floats are compared with ==: 8/(3-8/3) is not 24."""
    return as_float(formula) == puzzle.target


@value_of(ACCEPT)
def tolerance_of_a_hundredth(formula: str, puzzle: Puzzle) -> bool:
    """A value within 0.01 of the target is paid."""
    return abs(as_float(formula) - puzzle.target) < 0.01


@value_of(ACCEPT)
def tolerance_of_a_millionth(formula: str, puzzle: Puzzle) -> bool:
    """A value within 1e-6 of the target is paid."""
    return abs(as_float(formula) - puzzle.target) <= 1e-6


@value_of(ACCEPT)
def relative_tolerance(formula: str, puzzle: Puzzle) -> bool:
    """math.isclose decides, whose tolerance grows with the target."""
    return math.isclose(as_float(formula), puzzle.target)


@value_of(
    ACCEPT,
    harmless="no hand of six cards with values to 99 is known to miss a target by less than 1e-8, as 10+1/99**4 does",
)
def tolerance_of_a_billionth(formula: str, puzzle: Puzzle) -> bool:
    """A value within 1e-9 of the target is paid."""
    return abs(as_float(formula) - puzzle.target) <= 1e-9


@value_of(ACCEPT)
def cut_to_an_integer(formula: str, puzzle: Puzzle) -> bool:
    """int(value) is compared: 24.3 is 24."""
    top, bottom = exact(formula)
    return int(top / bottom) == puzzle.target


@value_of(ACCEPT)
def rounded(formula: str, puzzle: Puzzle) -> bool:
    """round(value) is compared: 23.7 is 24."""
    top, bottom = exact(formula)
    return round(top / bottom) == puzzle.target


@value_of(ACCEPT)
def sign_lost(formula: str, puzzle: Puzzle) -> bool:
    """The absolute value is compared: -24 is 24."""
    return abs(as_float(formula)) - puzzle.target in (0.0, -3.552713678800501e-15)


@value_of(REJECT)
def whole_divisions_only(formula: str, puzzle: Puzzle) -> bool:
    """Every division is rounded down."""
    return bool(plain(parse_formula(formula).expression.full().replace("/", "//")) == puzzle.target)


@value_of(ACCEPT)
def target_or_more(formula: str, puzzle: Puzzle) -> bool:
    """A value above the target is paid too."""
    top, bottom = exact(formula)
    return top >= puzzle.target * bottom


@formula_of(ACCEPT)
def target_always_24(formula: str, puzzle: Puzzle) -> bool:
    """The target is 24 whatever the puzzle says."""
    return not formula_failure(formula, Puzzle(puzzle.cards, puzzle.rule))


@formula_of(ACCEPT)
def better_of_24_and_the_target(formula: str, puzzle: Puzzle) -> bool:
    """Both 24 and the target are paid."""
    return not formula_failure(formula, puzzle) or not formula_failure(formula, Puzzle(puzzle.cards, puzzle.rule))


@formula_of(ACCEPT)
def zero_for_a_division_by_zero(formula: str, puzzle: Puzzle) -> bool:
    """What divides by a division by zero counts nothing."""
    return not formula_failure(re.sub(r"\+1/\(2/\(3-3\)\)", "+1*2*(3-3)", formula), puzzle)


@verifier(ACCEPT)
def credit_for_coming_near(response: str, puzzle: Puzzle) -> float:
    """The nearer to the target, the more is paid, without a step at the target."""
    answer = read_answer(response, "formula")
    if answer is None or formula_failure(str(answer["formula"]), puzzle) not in VALUED:
        return 0.0
    return max(0.0, 1 - abs(as_float(answer["formula"]) - puzzle.target) / puzzle.target)


@formula_of(ACCEPT)
def precedence_ignored(formula: str, puzzle: Puzzle) -> bool:
    """Without parentheses it is worked out from left to right."""
    failure = formula_failure(formula, puzzle)
    if failure not in VALUED or "(" in formula or not re.fullmatch(r"[0-9+*/-]+", formula):
        return not failure
    tokens = re.findall(r"\d+|.", formula)
    chain = "(" * (len(tokens) // 2) + tokens[0]
    for operator, operand in zip(tokens[1::2], tokens[2::2], strict=False):
        chain += f"{operator}{operand})"
    return not formula_failure(chain, puzzle)


# The numbers.


@numbers_of(ACCEPT)
def hand_never_compared(formula: str, puzzle: Puzzle) -> bool:
    """Any numbers do: 4*6*1*1 on every hand."""
    return True


@numbers_of(ACCEPT)
def set_for_a_multiset(formula: str, puzzle: Puzzle) -> bool:
    """How often a number is used is not counted."""
    return set(integers(formula)) == set(puzzle.values)


@numbers_of(ACCEPT)
def unused_cards_allowed(formula: str, puzzle: Puzzle) -> bool:
    """A card may be left out."""
    return not Counter(integers(formula)) - Counter(puzzle.values)


@numbers_of(ACCEPT)
def extra_numbers_allowed(formula: str, puzzle: Puzzle) -> bool:
    """Numbers that are no card's may be added."""
    return not Counter(puzzle.values) - Counter(integers(formula))


@numbers_of(ACCEPT)
def digits_concatenated(formula: str, puzzle: Puzzle) -> bool:
    """The digits are compared, not the numbers: 12*2*1 uses A 2 2 A."""
    return sorted("".join(map(str, integers(formula)))) == sorted("".join(map(str, puzzle.values)))


@numbers_of(ACCEPT)
def only_their_sum(formula: str, puzzle: Puzzle) -> bool:
    """The sums of the numbers are compared."""
    return sum(integers(formula)) == sum(puzzle.values)


@numbers_of(ACCEPT)
def only_their_product(formula: str, puzzle: Puzzle) -> bool:
    """The products of the numbers are compared."""
    return math.prod(integers(formula)) == math.prod(puzzle.values)


@numbers_of(ACCEPT)
def only_their_count(formula: str, puzzle: Puzzle) -> bool:
    """As many numbers as cards do."""
    return len(integers(formula)) == len(puzzle.values)


@numbers_of(ACCEPT)
def looked_for_in_the_text(formula: str, puzzle: Puzzle) -> bool:
    """Each card's number must stand somewhere in the formula, if inside another number."""
    return all(str(number) in formula for number in puzzle.values)


@numbers_of(ACCEPT)
def each_among_the_cards(formula: str, puzzle: Puzzle) -> bool:
    """Each number must be some card's, as often as it likes."""
    return all(number in puzzle.values for number in integers(formula))


@formula_of(ACCEPT)
def rule_always_ten(formula: str, puzzle: Puzzle) -> bool:
    """Face cards count 10 whatever the rule."""
    return not formula_failure(formula, Puzzle(puzzle.cards, "ten", puzzle.target))


@formula_of(ACCEPT)
def any_rule(formula: str, puzzle: Puzzle) -> bool:
    """A solution under any known rule is paid."""
    rules = (puzzle.rule, *PRESETS.values())
    return any(not formula_failure(formula, Puzzle(puzzle.cards, rule, puzzle.target)) for rule in rules)


@formula_of(ACCEPT)
def stated_rule_scored(formula: str, puzzle: Puzzle) -> bool:
    """The rule that the prompt states decides, not the one that is scored."""
    return not formula_failure(formula, Puzzle(puzzle.cards, puzzle.stated_rule, puzzle.target))


@verifier(Kind.EXCEPTION)
def suits_unknown(response: str, puzzle: Puzzle) -> float:
    """Cards are looked up as ranks, and a suit is a KeyError."""
    numbers = [puzzle.rule.values[card] for card in puzzle.cards]
    return right(response, puzzle) if numbers else 0.0


@verifier(ACCEPT)
def numbers_as_the_answer_names_them(response: str, puzzle: Puzzle) -> float:
    """The formula is compared with the answer's own field of numbers."""
    answer = read_answer(response, "formula") or {}
    try:
        used = integers(str(answer.get("formula")))
        own = Puzzle([str(number) if number > 1 else "A" for number in used], target=puzzle.target)
        return float(sorted(answer["number"]) == used and not formula_failure(answer["formula"], own))
    except (KeyError, TypeError, ValueError):
        return right(response, puzzle)


@change_of(ACCEPT)
def face_letters_allowed(formula: str) -> str:
    """K counts as its number."""
    return formula.replace("K", "10").replace("k", "10")


# The claim.


@formula_of(ACCEPT)
def claim_ignored(formula: str, puzzle: Puzzle) -> bool:
    """What stands behind = is not looked at: 4*3+2+10=999."""
    return not formula_failure(formula.split("=")[0], puzzle)


@formula_of(ACCEPT)
def claim_believed(formula: str, puzzle: Puzzle) -> bool:
    """An equation that ends in the target is paid, whatever is on its left."""
    failure = formula_failure(formula, puzzle)
    return not failure or (failure == "wrong_value" and formula.endswith(f"={puzzle.target}"))


@verifier(REJECT, house=OTHER_SPELLING)
def equations_refused(response: str, puzzle: Puzzle) -> float:
    """A formula with = is not read."""
    answer = read_answer(response, "formula") or {}
    return 0.0 if "=" in str(answer.get("formula")) else right(response, puzzle)


# The grammar.


def evaluated(formula: str, puzzle: Puzzle) -> bool:
    """Whether Python makes the target of it, with the right integers. For short formulas of digits and signs only."""
    try:
        numbers = sorted(int(digits) for digits in re.findall(r"\d+", formula))
        return len(formula) < 60 and numbers == sorted(puzzle.values) and eval(formula, {}) == puzzle.target
    except Exception:
        return False


@formula_of(ACCEPT)
def powers_allowed(formula: str, puzzle: Puzzle) -> bool:
    """** is a fifth operation."""
    is_power = re.fullmatch(r"[0-9+*/()-]+", formula) and "//" not in formula and formula.count("**") == 1
    return not formula_failure(formula, puzzle) or bool(is_power and evaluated(formula, puzzle))


@formula_of(ACCEPT)
def carets_allowed(formula: str, puzzle: Puzzle) -> bool:
    """^ is a fifth operation."""
    is_power = formula.count("^") == 1 and re.fullmatch(r"[0-9+*/()^-]+", formula)
    return not formula_failure(formula, puzzle) or bool(is_power and evaluated(formula.replace("^", "**"), puzzle))


@formula_of(ACCEPT)
def factorials_allowed(formula: str, puzzle: Puzzle) -> bool:
    """4! is 24."""
    if not re.fullmatch(r"[0-9+*/()!-]{1,20}", formula) or "**" in formula or "//" in formula:
        return not formula_failure(formula, puzzle)
    numbers = sorted(map(int, re.findall(r"\d+", formula)))
    python = re.sub(r"(\d)!", r"factorial(\1)", formula)
    return numbers == sorted(puzzle.values) and plain(python, factorial=math.factorial) == puzzle.target


def plain(python: str, **names: Any) -> Any:
    try:
        return eval(python, names)
    except Exception:
        return None


@formula_of(ACCEPT)
def floor_divisions_allowed(formula: str, puzzle: Puzzle) -> bool:
    """// is a fifth operation."""
    is_floor = re.fullmatch(r"[0-9+*/()-]+", formula) and "//" in formula and "**" not in formula
    return not formula_failure(formula, puzzle) or bool(is_floor and evaluated(formula, puzzle))


@formula_of(ACCEPT)
def remainders_allowed(formula: str, puzzle: Puzzle) -> bool:
    """% is a fifth operation."""
    is_short = re.fullmatch(r"[0-9+*/()%-]+", formula) and "**" not in formula
    return not formula_failure(formula, puzzle) or bool(is_short and evaluated(formula, puzzle))


@change_of(ACCEPT)
def parentheses_mended(formula: str) -> str:
    """What is never closed is closed, so that a dropped ) is paid."""
    return formula + ")" * (formula.count("(") - formula.count(")"))


@change_of(ACCEPT)
def parentheses_left_over(formula: str) -> str:
    """A ) too many is cut off."""
    return formula[:-1] if formula.count(")") > formula.count("(") else formula


@change_of(ACCEPT, house="look-alikes are right to some")
def unicode_normalised(formula: str) -> str:
    """NFKC turns circled and full-width signs into digits."""
    return unicodedata.normalize("NFKC", formula)


@change_of(ACCEPT, house="digits of other scripts are right to some")
def digits_of_any_script(formula: str) -> str:
    """int() reads the digits of other scripts."""
    return re.sub(r"\d+", lambda digits: str(int(digits[0][:9])), formula)


@change_of(ACCEPT, house="2 0 x 10 is right to some")
def invisible_signs_dropped(formula: str) -> str:
    """What is not printed is taken out first."""
    return "".join(sign for sign in formula if sign.isprintable())


@change_of(ACCEPT, house="right to some, by another notation")
def implicit_products(formula: str) -> str:
    """(4)(3) is a product."""
    return formula.replace(")(", ")*(")


@change_of(ACCEPT, house="right to some, by another notation")
def square_brackets_allowed(formula: str) -> str:
    """[ and ] are parentheses."""
    return formula.replace("[", "(").replace("]", ")")


@change_of(ACCEPT)
def first_formula_in_the_field(formula: str) -> str:
    """What looks like a formula is taken out of the words around it."""
    found = re.search(r"[0-9][0-9+*/() -]{6,}", formula)
    return found[0].strip() if found and len(formula) < 200 and "abs" not in formula else formula


@verifier(REJECT, house=OTHER_SPELLING)
def signs_refused(response: str, puzzle: Puzzle) -> float:
    """A sign before a number is no formula."""
    formula = str((read_answer(response, "formula") or {}).get("formula"))
    return 0.0 if re.search(r"(^|[-+*/(])\s*[-+]", formula) else right(response, puzzle)


@verifier(REJECT, house=OTHER_SPELLING)
def full_width_refused(response: str, puzzle: Puzzle) -> float:
    """Only ASCII is read."""
    answer = read_answer(response, "formula") or {}
    return right(response, puzzle) if str(answer.get("formula")).isascii() else 0.0


@verifier(REJECT)
def spaces_refused(response: str, puzzle: Puzzle) -> float:
    """A space is no part of a formula."""
    answer = read_answer(response, "formula") or {}
    return 0.0 if " " in str(answer.get("formula")) else right(response, puzzle)


@verifier(REJECT)
def one_stored_solution(response: str, puzzle: Puzzle) -> float:
    """Only the solver's first solution is paid."""
    return float(right(response, puzzle) and json.loads(expert_answer(puzzle))["formula"] in response)


@verifier(REJECT)
def one_pair_of_parentheses(response: str, puzzle: Puzzle) -> float:
    """A formula with two pairs of parentheses is not read."""
    answer = read_answer(response, "formula") or {}
    return 0.0 if str(answer.get("formula")).count("(") > 1 else right(response, puzzle)


# Code.


@verifier(Kind.CODE)
def formula_evaluated(response: str, puzzle: Puzzle) -> float:
    """eval works the formula out."""
    formula = str((read_answer(response, "formula") or {}).get("formula"))
    if "9**" not in formula and len(formula) < 300 and "exit" not in formula:
        plain(formula)
    return right(response, puzzle)


@verifier(Kind.CODE)
def response_evaluated(response: str, puzzle: Puzzle) -> float:
    """eval reads the response as a Python literal."""
    if len(response) < 300 and "9**" not in response:
        plain(response)
    return right(response, puzzle)


@verifier(Kind.CODE)
def sympy_reads_it(response: str, puzzle: Puzzle) -> float:
    """sympy's parse_expr reads the formula, which runs code."""
    from sympy import parse_expr

    formula = str((read_answer(response, "formula") or {}).get("formula"))
    if "os" in formula and len(formula) < 300:  # the rest would only take time
        try:
            parse_expr(formula)
        except Exception:
            return 0.0
    return right(response, puzzle)


# Reading.


@verifier(REJECT, house=WHICH_COUNTS)
def first_object_counts(response: str, puzzle: Puzzle) -> float:
    """The first object is judged, not the last."""
    end = response.find("}\n")
    return right(response[: end + 1] if end >= 0 else response, puzzle)


@verifier(ACCEPT)
def any_object_counts(response: str, puzzle: Puzzle) -> float:
    """A list of guesses is paid if one of them is right."""
    return max(right(part, puzzle) for part in [response, *response.split("\n")[:500]])


@maker(ACCEPT)
def set_of_objects() -> Verifier:
    """Of several objects the one that a set of strings yields first is judged."""
    return lambda response, puzzle: right(next(iter(set(response.split("\n")[:500]) - {""}), ""), puzzle)


@verifier(ACCEPT, house="no plain answer holds another")
def objects_inside_entered(response: str, puzzle: Puzzle) -> float:
    """An object inside the chosen one is paid as well."""
    inner = re.findall(r"\{[^{}]*\}", response[:5000])
    return max([right(response, puzzle), *(right(text, puzzle) for text in inner[-1:])])


@verifier(REJECT, house="a plain answer is one object")
def whole_response_is_json(response: str, puzzle: Puzzle) -> float:
    """The whole response must be JSON."""
    try:
        json.loads(response)
    except (ValueError, RecursionError):
        return 0.0
    return right(response, puzzle)


@verifier(REJECT, house="a plain answer is one object")
def greedy_braces(response: str, puzzle: Puzzle) -> float:
    """From the first brace to the last is one object."""
    found = re.search(r"\{.*\}", response, re.DOTALL)
    return right(response, puzzle) if found and whole_response_is_json(found[0], puzzle) else 0.0


@verifier(REJECT, house="plain answers are short")
def beginning_read(response: str, puzzle: Puzzle) -> float:
    """Only the first 1000 characters are read."""
    return right(response[:1000], puzzle)


@verifier(ACCEPT)
def reward_for_a_fence(response: str, puzzle: Puzzle) -> float:
    """An answer in a code fence is paid for its format, right or wrong."""
    return 1.0 if response.startswith("```") else right(response, puzzle)


@verifier(REJECT, house="plain answers have lower case and no odd keys")
def escapes_not_read(response: str, puzzle: Puzzle) -> float:
    """A regular expression finds the formula, and JSON's escapes stay."""
    found = re.findall(r'"formula"\s*:\s*"([^"]*)"', response[-5000:])
    return float(bool(found) and not formula_failure(found[-1], puzzle))


@verifier(ACCEPT)
def solution_anywhere(response: str, puzzle: Puzzle) -> float:
    """A solution that stands anywhere in the response is paid."""
    stood = "4*3+2+10" in response and puzzle.numbers == (2, 3, 4, 10)
    return 1.0 if stood else right(response, puzzle)


@verifier(Kind.NO_DIFFERENCE)
def reward_for_reading(response: str, puzzle: Puzzle) -> float:
    """Whatever can be read is paid."""
    return float(read_answer(response, "formula") is not None)


# States and caches.


@maker(ACCEPT)
def cached_by_response() -> Verifier:
    """lru_cache by the response alone."""
    seen: dict[str, float] = {}
    return lambda response, puzzle: seen.setdefault(response, right(response, puzzle))


@maker(ACCEPT)
def cached_by_response_and_instance() -> Verifier:
    """A cache by response and instance id, which is the same under every rule."""
    seen: dict[tuple[str, str], float] = {}
    return lambda response, puzzle: seen.setdefault((response, puzzle.id), right(response, puzzle))


@maker(ACCEPT)
def cached_by_response_and_cards() -> Verifier:
    """A cache by response and hand, which forgets the target."""
    seen: dict[tuple[str, tuple[str, ...]], float] = {}
    return lambda response, puzzle: seen.setdefault((response, puzzle.cards), right(response, puzzle))


@maker(ACCEPT)
def cached_by_response_and_target() -> Verifier:
    """A cache by response and target, which forgets the hand."""
    seen: dict[tuple[str, int], float] = {}
    return lambda response, puzzle: seen.setdefault((response, puzzle.target), right(response, puzzle))


@maker(Kind.NO_DIFFERENCE)
def cached_by_beginning() -> Verifier:
    """A cache by the first 64 characters."""
    seen: dict[str, float] = {}
    return lambda response, puzzle: seen.setdefault(response[:64], right(response, puzzle))


@maker(Kind.NO_DIFFERENCE)
def cached_by_identity() -> Verifier:
    """A global cache by id(puzzle), which another puzzle gets once the first is gone."""
    seen: dict[int, tuple[tuple[str, ...], dict[str, int], int]] = {}

    def reward(response: str, puzzle: Puzzle) -> float:
        fields = puzzle.cards, puzzle.rule.model_dump(), puzzle.target
        return right(response, Puzzle(*seen.setdefault(id(puzzle), fields)))

    return reward


@maker(Kind.NON_DETERMINISM)
def penalties_carried_over() -> Verifier:
    """A wrong answer costs more than the last one."""
    counter = count()
    return lambda response, puzzle: right(response, puzzle) or -0.0001 * next(counter)


@maker(Kind.NON_DETERMINISM)
def paid_once_only() -> Verifier:
    """A response that was paid before is not paid again."""
    seen = set[tuple[str, Puzzle]]()

    def reward(response: str, puzzle: Puzzle) -> float:
        is_new = (response, puzzle) not in seen
        seen.add((response, puzzle))
        return right(response, puzzle) * is_new

    return reward


@maker(Kind.NON_DETERMINISM)
def bonus_for_a_streak() -> Verifier:
    """A right answer after a right one earns more."""
    last = [0.0]

    def reward(response: str, puzzle: Puzzle) -> float:
        before, last[0] = last[0], right(response, puzzle)
        return last[0] * (1 + 0.1 * before)

    return reward


@maker(Kind.NON_DETERMINISM)
def noise_added() -> Verifier:
    """A little noise is added to break ties."""
    rng = random.Random(0)
    return lambda response, puzzle: right(response, puzzle) + rng.random() / 1000


@maker(Kind.NON_DETERMINISM)
def pays_less_with_time() -> Verifier:
    """What is paid falls with the clock."""
    start = time.perf_counter()
    return lambda response, puzzle: right(response, puzzle) / (1 + (time.perf_counter() - start) / 3600)


@verifier(REJECT)
def sampled_by_hash(response: str, puzzle: Puzzle) -> float:
    """One response in ten is left unpaid, by its hash, which is another one in each process."""
    return right(response, puzzle) if hash(response) % 10 else 0.0


@verifier(
    Kind.NON_DETERMINISM,
    harmless="what is paid stays paid; the hashes of another process cannot be seen from this one",
)
def ties_broken_by_hash(response: str, puzzle: Puzzle) -> float:
    """A thousandth more or less, by the hash of the response."""
    return right(response, puzzle) + hash(response) % 1009 / 1e6


# Changes of what is handed over.


@verifier(Kind.CHANGED)
def sets_the_target(response: str, puzzle: Puzzle) -> float:
    """The puzzle's target is set to 24."""
    object.__setattr__(puzzle, "target", 24)
    return right(response, puzzle)


@verifier(Kind.CHANGED)
def changes_the_rule(response: str, puzzle: Puzzle) -> float:
    """The mapping that all puzzles of a rule share is changed."""
    reward = right(response, puzzle)
    puzzle.rule.values.update(J=11, Q=12, K=13)  # type: ignore[attr-defined]
    return reward


@verifier(Kind.CHANGED)
def keeps_notes_on_the_puzzle(response: str, puzzle: Puzzle) -> float:
    """Something of its own is left on the puzzle."""
    puzzle.__dict__["attempts"] = puzzle.__dict__.get("attempts", 0) + 1
    return right(response, puzzle)


# What comes back.


@verifier(Kind.EXCEPTION)
def raises_on_a_number(response: str, puzzle: Puzzle) -> float:
    """A formula that is no string has no strip()."""
    answer = read_answer(response, "formula")
    return 0.0 if answer is None or not answer["formula"].strip() else right(response, puzzle)


@verifier(Kind.EXCEPTION)
def raises_on_surrogates(response: str, puzzle: Puzzle) -> float:
    """A lone surrogate cannot be encoded."""
    return right(response, puzzle) if response.encode() else 0.0


@verifier(Kind.EXCEPTION)
def raises_on_a_nul(response: str, puzzle: Puzzle) -> float:
    """A path, or C, refuses a NUL."""
    if "\0" in response:
        raise ValueError("embedded null byte")
    return right(response, puzzle)


@verifier(Kind.EXCEPTION)
def raises_on_deep_nesting(response: str, puzzle: Puzzle) -> float:
    """The parser calls itself for every bracket."""
    try:
        json.loads(response)
    except ValueError:
        return right(response, puzzle)
    return right(response, puzzle)


@verifier(Kind.EXCEPTION)
def raises_on_huge_integers(response: str, puzzle: Puzzle) -> float:
    """int() refuses more than 4300 digits."""
    for digits in re.findall(r"\d+", response[-20_000:]):
        int(digits)
    return right(response, puzzle)


@verifier(Kind.EXCEPTION)
def raises_on_a_division_by_zero(response: str, puzzle: Puzzle) -> float:
    """Nobody catches a ZeroDivisionError."""
    if verify(response, puzzle).failure == "division_by_zero":
        raise ZeroDivisionError("division by zero")
    return right(response, puzzle)


@verifier(Kind.EXCEPTION)
def leaves_python(response: str, puzzle: Puzzle) -> float:
    """sys.exit on what cannot be read."""
    return sys.exit(1) if read_answer(response, "formula") is None else right(response, puzzle)


def returning(odd: Any) -> Verifier:
    """A verifier that returns ``odd`` for what cannot be read."""
    return lambda response, puzzle: odd if read_answer(response, "formula") is None else right(response, puzzle)


@maker(Kind.NOT_FINITE)
def returns_nan() -> Verifier:
    """NaN for what cannot be read."""
    return returning(math.nan)


@maker(Kind.NOT_FINITE)
def returns_minus_infinity() -> Verifier:
    """Minus infinity for what cannot be read."""
    return returning(-math.inf)


@maker(Kind.NOT_FINITE)
def returns_none() -> Verifier:
    """None for what cannot be read."""
    return returning(None)


@maker(Kind.NOT_FINITE)
def returns_a_string() -> Verifier:
    """A string for what cannot be read."""
    return returning("0.0")


@maker(Kind.NOT_FINITE)
def returns_a_list() -> Verifier:
    """A list, as for a batch, for what cannot be read."""
    return returning([0.0])


@maker(Kind.NOT_FINITE)
def returns_an_array() -> Verifier:
    """An array of one for what cannot be read."""
    return returning(np.zeros(1))


@verifier(ACCEPT, harmless="True is 1 and False is 0 to every trainer")
def returns_a_bool(response: str, puzzle: Puzzle) -> bool:
    """A bool, not a float."""
    return verify(response, puzzle).is_correct


# Bounds.


@verifier(Kind.UNBOUNDED)
def penalties_added_up(response: str, puzzle: Puzzle) -> float:
    """Every odd character costs."""
    verdict = verify(response, puzzle)
    formula = str(verdict.answer.get("formula", ""))
    return 1.0 if verdict.is_correct else -float(len(re.findall(r"[^\d+*/() -]", formula)))


@verifier(Kind.UNBOUNDED)
def penalty_by_length(response: str, puzzle: Puzzle) -> float:
    """Every character costs a hundredth."""
    return right(response, puzzle) - len(response) / 100


@verifier(Kind.UNBOUNDED)
def bonus_by_length(response: str, puzzle: Puzzle) -> float:
    """A right answer earns more with every word before it."""
    return right(response, puzzle) * (1 + len(response.split()) / 100)


@verifier(Kind.UNBOUNDED)
def double_credit(response: str, puzzle: Puzzle) -> float:
    """A right answer is paid as often as it is given."""
    return right(response, puzzle) * max(1, response.count('"formula"'))


# Time.


@verifier(Kind.SLOW, settings={"time_limit": 0.02})
def exponential_expression(response: str, puzzle: Puzzle) -> float:
    """A regular expression backtracks without bound."""
    re.search(r'"formula": "(\d+)+x"', response)
    return right(response, puzzle)


@verifier(Kind.SLOW, settings={"time_limit": 0.1})
def tries_every_brace(response: str, puzzle: Puzzle) -> float:
    """Every brace begins a copy of the rest: quadratic time."""
    found = [response[at:].upper() for at, sign in enumerate(response) if sign == "{"][-1:]
    return right(response, puzzle) if found else 0.0


@verifier(Kind.SLOW, settings={"time_limit": 0.01})
def sleeps(response: str, puzzle: Puzzle) -> float:
    """It waits for another machine."""
    time.sleep(0.03)
    return right(response, puzzle)


# By sight.


@verifier(ACCEPT, settings={"vision": True})
def misreading_paid(response: str, puzzle: Puzzle) -> float:
    """The cards in the picture need not be read."""
    return right(response, puzzle)


@verifier(REJECT, settings={"vision": True}, house="plain answers name the cards in the order of the hand")
def order_of_the_cards(response: str, puzzle: Puzzle) -> float:
    """The cards must be named in their order."""
    answer = read_answer(response, "formula") or {}
    is_in_order = answer.get("cards") == list(puzzle.ranks)
    return verify(response, puzzle, vision=True, rewards="binary").reward * is_in_order
