"""The cases of GeneralPoints find the fault of each verifier that was broken on purpose."""

import json
import os
import re
import unicodedata

import pytest
from tests.arithmetic.postfix import value
from tests.testing.broken import by_formula, faults_of, kinds

from verienv.core.cases import CANARY
from verienv.generalpoints import Puzzle, formula_failure, load_vectors, parse_formula, verify
from verienv.testing import Kind, check_verifier

pytestmark = pytest.mark.usefixtures("texts_scanned_once")


def is_legal(formula: str, puzzle: Puzzle) -> bool:
    return formula_failure(formula, puzzle) not in ("illegal", "wrong_numbers", "false_equation")


def as_float(formula: str) -> float | None:
    """The value in floats of a legal formula, as Python's eval would have it."""
    return value(parse_formula(formula).expression.postfix, float)


def test_float_arithmetic_is_found():
    floats = by_formula(lambda formula, puzzle: is_legal(formula, puzzle) and as_float(formula) == puzzle.target)
    faults = faults_of(floats)
    assert kinds(faults) == {Kind.FALSE_REJECT}
    assert any("8/(3-8/3)" in fault.case.response for fault in faults.faults)


def test_a_float_tolerance_is_found():
    def close(formula: str, puzzle: Puzzle) -> bool:
        value = as_float(formula) if is_legal(formula, puzzle) else None
        return value is not None and abs(value - puzzle.target) < 1e-5

    faults = faults_of(by_formula(close))
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert {fault.case.group for fault in faults.faults} == {"near", "near value"}


def test_python_eval_is_found():
    def evaluated(response: str, puzzle: Puzzle) -> float:
        try:
            formula = json.loads(response)["formula"]
            if "9**" in formula:
                return 0.0
            numbers = sorted(map(int, re.findall(r"\d+", formula.split("=")[0])))
            return float(eval(formula.split("=")[0], {"print": str}) == 24 and numbers == sorted(puzzle.values))  # noqa: S307
        except Exception:
            return 0.0

    faults = faults_of(evaluated)
    assert {Kind.CODE, Kind.FALSE_ACCEPT, Kind.FALSE_REJECT} <= kinds(faults)
    assert CANARY not in os.environ


def test_a_hand_that_is_never_compared_is_found():
    def any_numbers(formula: str, puzzle: Puzzle) -> bool:
        failure = formula_failure(formula, puzzle)
        if failure != "wrong_numbers":
            return failure == ""
        value = as_float(formula)
        return value is not None and abs(value - puzzle.target) < 1e-9

    faults = faults_of(by_formula(any_numbers))
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert any("4*6*1*1" in fault.case.response for fault in faults.faults)


def test_an_ignored_claim_is_found():
    faults = faults_of(by_formula(lambda formula, puzzle: formula_failure(formula.split("=")[0], puzzle) == ""))
    assert Kind.FALSE_ACCEPT in kinds(faults)
    assert any("=999" in fault.case.response for fault in faults.of(Kind.FALSE_ACCEPT))


def test_taking_the_first_object_instead_of_the_last_is_found():
    def first(response: str, puzzle: Puzzle) -> float:
        end = response.find("}\n")
        return verify(response[: end + 1] if end >= 0 else response, puzzle, rewards="binary").reward

    faults = faults_of(first)
    assert {Kind.FALSE_ACCEPT, Kind.FALSE_REJECT} <= kinds(faults)
    assert any(fault.case.name.startswith("drafts") for fault in faults.of(Kind.FALSE_ACCEPT))
    assert any(fault.case.name.startswith("drafts") for fault in faults.of(Kind.FALSE_REJECT))


def test_unicode_normalisation_is_found():
    def folded(formula: str, puzzle: Puzzle) -> bool:
        return "" in (formula_failure(formula, puzzle), formula_failure(unicodedata.normalize("NFKC", formula), puzzle))

    faults = faults_of(by_formula(folded))
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert all(not fault.case.response.isascii() or "\\u" in fault.case.response for fault in faults.faults)


def test_cutting_a_value_to_an_integer_is_found():
    def cut(formula: str, puzzle: Puzzle) -> bool:
        if formula_failure(formula, puzzle) != "wrong_value":
            return formula_failure(formula, puzzle) == ""
        top, bottom = parse_formula(formula).expression.fraction()
        return top // bottom == puzzle.target

    faults = faults_of(by_formula(cut))
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert any("cut to an integer" in fault.case.why for fault in faults.faults)


def test_a_sum_of_penalties_is_found():
    def summed(response: str, puzzle: Puzzle) -> float:
        verdict = verify(response, puzzle)
        if verdict.is_correct:
            return 5.0
        formula = str(verdict.answer.get("formula", ""))
        extra = len(re.findall(r"\d+", formula)) - len(puzzle.values)
        return -1.0 - 2.0 * max(extra, 0) - 3.0 * len(re.findall(r"[^\d+*/() -]", formula))

    faults = faults_of(summed)
    assert kinds(faults) == {Kind.UNBOUNDED}
    assert "got -513, for a single one -3" in str(faults)


def test_a_misread_hand_that_is_paid_is_found_in_vision_only():
    blind = lambda response, puzzle: verify(response, puzzle).reward  # noqa: E731
    assert check_verifier(blind)
    faults = faults_of(blind, vision=True)
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert all(fault.case.failure == "misread" for fault in faults.faults)


def test_damaged_vectors_are_an_error_that_says_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "broken.jsonl").write_text('{"name": "x"}\n')
    monkeypatch.setattr("verienv.core.cases.asset_path", lambda name: tmp_path / "broken.jsonl")
    with pytest.raises(ValueError, match=r"broken.jsonl is damaged .*build_vectors"):
        load_vectors.__wrapped__()
