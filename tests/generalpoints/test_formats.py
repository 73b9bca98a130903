"""GeneralPoints in tags, boxes, last lines and a format of one's own: every verdict is JSON's."""

import json
import os
import random
from functools import cache
from typing import Any

import pytest
from tests.generalpoints.test_verifier_proof import HANDS, hand_under, random_tree, solving

from verienv.arithmetic.expression import Expression
from verienv.core.answer_format import JSON
from verienv.core.cases import CANARY
from verienv.core.formats import parse_format
from verienv.core.verdict import Verdict
from verienv.generalpoints import REWARDS, Puzzle, verify
from verienv.generalpoints.answers import write_answer
from verienv.generalpoints.cases import Case, hostile_cases, load_vectors
from verienv.generalpoints.phrasings import PHRASINGS
from verienv.generalpoints.prompts import answer_shape

HAND = Puzzle(("4", "3", "2", "K"))


class Hashes:
    """The formula behind the last ####, the cards before it."""

    __str__ = lambda self: "own"  # noqa: E731
    instruction = "Write the cards and, behind ####, the formula."
    fields = ("cards",)

    def read(self, response: str) -> dict[str, Any] | None:
        before, mark, formula = response.rpartition("####")
        cards = before.rpartition("cards:")[2].split("\n")[0]
        return {"cards": [card.strip() for card in cards.split(",")], "formula": formula} if mark else None

    def write(self, fields: dict[str, Any]) -> str:
        return f"cards: {', '.join(map(str, fields.get('cards', [])))}\n#### {fields['formula']}"


OWN = Hashes()
FORMATS: list[Any] = ["tags", "boxed", "line", "tags+cards+number", "boxed+cards", "line+cards+number", OWN]
each_format = pytest.mark.parametrize("form", FORMATS, ids=str)


@cache
def read_in_json(case: Case, strict: bool) -> dict[str, Any] | None:
    return JSON.read(case.response, answer_shape(case.puzzle), strict=strict)


@cache
def asked_in_json(case: Case, vision: bool, strict: bool) -> Verdict:
    return verify(case.response, case.puzzle, vision=vision, strict=strict)


def spelled(case: Case, form: Any, strict: bool) -> str:
    """The answer of a case in a format; "" where it cannot be spelled there."""
    shape, parsed = answer_shape(case.puzzle), parse_format(form)
    fields = read_in_json(case, strict)
    formula = (fields or {}).get("formula")
    if fields is None or not isinstance(formula, str):
        return ""
    bare, name = formula.strip(" \t\n\r\f\v"), str(form)
    if bare in ("", "...") and name != "own":
        return ""  # an empty one, and a placeholder, is none
    if name.startswith("line") and "\n" in bare:
        return ""
    if name.startswith("boxed") and (bare.endswith("\\") or not is_balanced(bare)):
        return ""
    for part in parsed.parts(shape):
        items = fields.get(part.field, [])
        if not isinstance(items, list) or not all(type(item) in (int, str) and f"{item}".strip() for item in items):
            return ""  # no list of cards or numbers
    return parsed.write(fields, shape)


def is_balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return not depth


MODES = [(vision, strict) for vision in (False, True) for strict in (False, True)]


@each_format
def test_every_vector_that_can_be_spelled_gets_the_verdict_it_gets_in_json(form):
    count, parsed = 0, parse_format(form)
    for case in load_vectors():
        for vision, strict in MODES:
            if not case.holds(vision, strict) or not (text := spelled(case, form, strict)):
                continue
            shows_cards = parsed.has("cards", answer_shape(case.puzzle))
            asked = asked_in_json(case, vision and shows_cards, strict)
            found = verify(text, case.puzzle, vision=vision, strict=strict, answer_format=form)
            assert (found.failure, found.is_correct, found.reward) == (asked.failure, asked.is_correct, asked.reward), (
                case.name
            )
            assert found.metrics == {name: asked.metrics[name] for name in found.metrics}, case.name
            count += 1
    assert count == COUNTS[str(form)]


COUNTS = {
    "tags": 4658,
    "boxed": 4634,
    "line": 4646,
    "tags+cards+number": 4600,
    "boxed+cards": 4596,
    "line+cards+number": 4588,
    "own": 4629,
}
"""Vectors, in each mode that they hold for; most of the others are no single answer in JSON."""


def judge_trees(form: str, share: float) -> int:
    """Try a share of the solving trees, minimal and full, and as many that miss; return how many solve."""
    rng, solved = random.Random(0), 0
    shape, parsed = answer_shape(HAND), parse_format(form)
    for values in HANDS:
        puzzle = hand_under("rank", values)
        assert puzzle is not None
        for tree in solving(values):
            if rng.random() > share:
                continue
            expression = Expression(tree)
            for formula in (expression.minimal(), expression.full()):
                text = parsed.write({"formula": formula}, shape)
                verdict = verify(text, puzzle, answer_format=parsed)
                assert (verdict.failure, verdict.reward) == ("", 5.0), text
            missed = Expression(random_tree(values, rng)).minimal()
            text = parsed.write({"formula": missed}, shape)
            asked = verify(json.dumps({"formula": missed}), puzzle)
            found = verify(text, puzzle, answer_format=parsed)
            assert (found.failure, found.reward) == (asked.failure, asked.reward), text
            solved += 1
    return solved


@pytest.mark.parametrize("form", ["tags", "boxed", "line"])
def test_solving_trees_are_paid_in_every_format_and_others_as_in_json(form):
    assert judge_trees(form, 0.005) > 200


@pytest.mark.slow
@pytest.mark.parametrize("form", ["tags", "boxed", "line"])
def test_half_of_the_solving_trees_are_paid_in_every_format(form):
    assert judge_trees(form, 0.5) > 20_000


@pytest.mark.parametrize("form", ["tags+cards+number", "boxed", "line", OWN], ids=str)
@pytest.mark.parametrize("strict", [False, True])
def test_hostile_text_gets_nothing_and_no_code_is_run(form, strict):
    parsed, shape = parse_format(form), answer_shape(HAND)
    texts = [case.response for case in hostile_cases(seed=1)]
    texts += [parsed.write({"formula": text[:9000], "cards": ["4", "3", "2", "K"]}, shape) for text in texts]
    for text in texts:
        verdict = verify(text, HAND, strict=strict, vision=True, answer_format=form)
        assert not verdict.is_correct
        assert verdict.reward < 0
        verdict.model_dump_json()
    assert CANARY not in os.environ


@each_format
def test_an_echo_of_the_question_in_any_phrasing_gets_nothing(form):
    asked = parse_format(form).instruction(answer_shape(HAND))
    for phrasing in PHRASINGS:
        for text in (phrasing.text, phrasing.plain or "", phrasing.text.replace("{format}", asked), phrasing.json):
            assert not verify(text, HAND, answer_format=form).is_correct


@pytest.mark.parametrize("form", ["tags", "boxed", "line"])
def test_recognition_is_not_measured_where_the_format_has_no_field_for_cards(form):
    verdict = verify(write_answer(HAND, "4*3+2+10", answer_format=form), HAND, vision=True, answer_format=form)
    assert (verdict.is_correct, verdict.reward) == (True, 5.0)
    assert verdict.metrics == {"formula_valid": True}


@pytest.mark.parametrize("form", ["tags+cards+number", "boxed+cards", "line+cards", OWN], ids=str)
def test_a_misread_hand_is_counted_where_the_format_asks_for_the_cards(form):
    text = write_answer(HAND, "4*3+2+10", cards=("4", "3", "2", "Q"), answer_format=form)
    verdict = verify(text, HAND, vision=True, answer_format=form)
    assert (verdict.failure, verdict.reward) == ("misread", -1.5)
    assert (verdict.metrics["cards_correct"], verdict.metrics["cards_read"]) == (False, 3)


def test_cards_that_are_asked_for_and_not_told_are_misread():
    verdict = verify("<answer>4*3+2+10</answer>", HAND, vision=True, answer_format="tags+cards")
    assert (verdict.failure, verdict.metrics["cards_read"]) == ("misread", 0)


@pytest.mark.parametrize("rewards", [*REWARDS])
def test_every_preset_pays_in_tags_what_it_pays_in_json(rewards):
    for formula in ("4*3+2+10", "4*3", "4*", "4+3+2+10", "4*3+2+10=25", "1/(2-2)"):
        asked = verify(write_answer(HAND, formula), HAND, rewards=rewards)
        text = write_answer(HAND, formula, answer_format="tags")
        assert verify(text, HAND, rewards=rewards, answer_format="tags").reward == asked.reward


def test_what_a_reader_of_ones_own_raises_or_returns_is_no_answer():
    class Odd:
        instruction = "Anything."

        def __init__(self, returned: Any) -> None:
            self.returned = returned

        def read(self, response: str) -> Any:
            if isinstance(self.returned, Exception):
                raise self.returned
            return self.returned

    endless: dict[str, Any] = {}
    endless["formula"] = endless
    odd = (ValueError(), None, 7, [], {}, {"formula": float("nan")}, endless, {("a",): 1, "formula": "4"}, "\ud800")
    for returned in (*odd, RecursionError(), {"formula": "4" * 10**6}):
        assert not verify("4*3+2+10", HAND, answer_format=Odd(returned)).is_correct
