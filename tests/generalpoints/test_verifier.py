"""The verifier: every vector in every mode it holds for, hostile text, and what a verdict says."""

import json
import math
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv.core.cases import CANARY
from verienv.generalpoints import REWARDS, Failure, GeneralPointsRewards, Puzzle, formula_failure, verify
from verienv.generalpoints.cases import Case, hostile_cases, load_vectors
from verienv.generalpoints.strategies import failing_formulas, puzzles, solving_formulas
from verienv.testing import odd_responses

HAND = Puzzle(("4", "3", "2", "K"))
MODES = [(vision, strict) for vision in (False, True) for strict in (False, True)]
quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def answer(formula: object, **fields: object) -> str:
    return json.dumps({"cards": ["4", "3", "2", "K"], "number": [4, 3, 2, 10], "formula": formula} | fields)


def misjudged(case: Case) -> list[object]:
    """The verdicts on a vector that it is not owed, or that cannot be written."""
    modes = [mode for mode in MODES if case.holds(*mode)]
    found: list[object] = [] if modes else ["holds in no mode"]
    for vision, strict in modes:
        verdict = verify(case.response, case.puzzle, vision=vision, strict=strict)
        is_owed = (verdict.failure, verdict.is_correct, verdict.reward) == (case.failure, case.is_correct, case.reward)
        is_written = json.loads(verdict.model_dump_json())["failure"] == case.failure
        if not (is_owed and is_written and re.fullmatch(r"[ -~]+", verdict.feedback)):
            found.append((vision, strict, verdict))
    return found


@pytest.mark.parametrize("group", sorted({case.group for case in load_vectors()}))
def test_each_vector_of_a_group_gets_its_verdict(group: str):
    cases = [case for case in load_vectors() if case.group == group]
    assert {case.name: found for case in cases if (found := misjudged(case))} == {}


def test_the_vectors_are_many_and_of_every_failure():
    assert len(load_vectors()) > 1000
    assert {case.failure for case in load_vectors()} == {"", *Failure} - {Failure.UNCONFIRMED}


@pytest.mark.parametrize("rewards", REWARDS)
def test_only_correct_vectors_reach_the_price_of_a_correct_answer(rewards):
    correct = REWARDS[rewards].correct
    for case in load_vectors():
        reward = verify(case.response, case.puzzle, rewards=rewards).reward
        assert (reward == correct) == verify(case.response, case.puzzle).is_correct


@pytest.mark.parametrize(("vision", "strict"), MODES)
def test_hostile_text_is_not_paid_and_no_code_is_run(vision, strict):
    for case in hostile_cases(seed=1):
        verdict = verify(case.response, case.puzzle, vision=vision, strict=strict)
        assert verdict.reward < 0
        verdict.model_dump_json()
    assert CANARY not in os.environ


@given(odd_responses(), st.sampled_from(MODES), st.sampled_from(["paper", "binary", "binary_format"]))
@settings(max_examples=400, deadline=None, derandomize=True, database=None)
def test_any_text_gets_one_finite_verdict_that_can_be_written(response, mode, rewards):
    vision, strict = mode
    verdict = verify(response, HAND, vision=vision, strict=strict, rewards=rewards)
    assert math.isfinite(verdict.reward)
    assert verdict.failure in {"", *Failure} - {Failure.UNCONFIRMED}
    assert verdict.is_correct == (verdict.failure == "")
    assert json.loads(verdict.model_dump_json())
    assert verify(response, HAND, vision=vision, strict=strict, rewards=rewards) == verdict


@given(st.data())
@quick
def test_every_spelling_of_every_solution_is_paid(data):
    puzzle = data.draw(puzzles())
    formula = data.draw(solving_formulas(puzzle))
    assert formula_failure(formula, puzzle) == ""
    assert verify(json.dumps({"formula": formula}), puzzle, strict=True).reward == 5.0


@given(st.data())
@quick
def test_no_failing_formula_is_paid(data):
    puzzle = data.draw(puzzles())
    formula = data.draw(failing_formulas(puzzle))
    assert verify(json.dumps({"formula": formula}), puzzle).reward < 0


def test_verdicts_do_not_depend_on_the_hash_seed():
    script = """
import hashlib, json
from verienv.generalpoints import verify
from verienv.generalpoints.cases import hostile_cases, load_vectors
told = hashlib.sha256()
for case in [*load_vectors(), *hostile_cases(2)]:
    told.update(verify(case.response, case.puzzle, vision=True).model_dump_json().encode())
print(told.hexdigest())
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(told[0]) == 65
    assert told[0] == told[1]


def test_feedback_never_tells_a_solution_or_the_policys_own_words():
    for case in load_vectors():
        feedback = verify(case.response, case.puzzle).feedback
        assert not re.search(r"\d\s*[-+*/]\s*\d.*[-+*/]", feedback)
        assert len(feedback) < 120


def test_the_metrics_have_one_type_each():
    for case in load_vectors():
        metrics = verify(case.response, case.puzzle).metrics
        assert {name: type(value) for name, value in metrics.items()} == {
            "cards_correct": bool,
            "numbers_correct": bool,
            "formula_valid": bool,
        }


@pytest.mark.parametrize(
    ("number", "right"),
    [([4, 3, 2, 10], True), (["10", "4", "3",
     "2"], True), ([4, 3, 2, 13], False), ([4, 3, 2], False), ("4 3 2 10", False),
     ([4, 3, 2, 10.0], False), ([4, 3, 2, True], False), ([4, 3, 2, "٣"], False), ([4, 3, 2, "1" * 5000], False)],
)  # fmt: skip
def test_numbers_are_read_as_a_multiset_of_integers(number, right):
    verdict = verify(answer("4*3+2+10", number=number), HAND)
    assert verdict.metrics["numbers_correct"] is right
    assert verdict.is_correct


def test_numbers_follow_the_stated_rule_and_the_formula_the_scored_one():
    probe = Puzzle(("4", "3", "2", "K"), rule="ten", stated_rule="rank")
    verdict = verify(answer("4*3+2+10", number=[4, 3, 2, 13]), probe)
    assert verdict.is_correct
    assert verdict.metrics["numbers_correct"]


@pytest.mark.parametrize(
    ("formula", "valid"), [("4*3+2+10", True), ("4+3+2+10", True), ("4*3+2+10=7", True), ("4*3", False), ("4*", False)]
)
def test_a_formula_is_valid_if_legal_with_the_cards_numbers(formula, valid):
    assert verify(answer(formula), HAND).metrics["formula_valid"] is valid


def test_a_misread_hand_in_vision_says_so_and_hides_whether_it_would_have_been_paid():
    verdict = verify(answer("4*3+2+10", cards=["4", "3", "2", "Q"]), HAND, vision=True)
    assert (verdict.reward, verdict.failure, verdict.is_correct) == (-1.5, "misread", False)
    assert verdict.feedback == "The cards are not read right."


def test_a_table_of_ones_own_prices_every_category():
    prices = {"correct": 2, "wrong_value": 0.5, "wrong_numbers": 0.25, "illegal": 0.125, "unreadable": 0,
              "misread_penalty": 0}  # fmt: skip
    paid = [verify(text, HAND, rewards=prices).reward for text in
            (answer("4*3+2+10"), answer("4+3+2+10"), answer("4*3"), answer("4*"), "")]  # fmt: skip
    assert paid == [2, 0.5, 0.25, 0.125, 0]


@pytest.mark.parametrize("formula", ["4*3+2+10", "4+3+2+10", "4*3", "4*", None])
def test_a_misread_hand_is_never_paid_more_than_a_right_one(formula):
    misread = "" if formula is None else answer(formula, cards=["4", "3", "2", "Q"])
    tables = ("paper", "binary", {"base": "binary", "misread_penalty": 0.5}, {"base": "paper", "correct": -1.0})
    for prices in tables:
        right = verify(answer("4*3+2+10"), HAND, vision=True, rewards=prices)
        assert right.is_correct
        assert verify(misread, HAND, vision=True, rewards=prices).reward <= min(right.reward, 0)


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({"correct": 1, "wrong_value": -0.1}, r"nothing says what wrong_numbers, illegal, unreadable, misread_penalty"),
        ({"correct": 1, "wrong_value": -0.1}, r'add "base": "paper" or "binary" or "binary_format"'),
        ({"base": "binary", "misread_penalty": -10}, "misread_penalty=-10.0: .* give it as 10.0, or 0 for none"),
        ({"base": "paper", "wrong_value": 5.5}, "wrong_value=5.5: a wrong answer would be paid more than a right one"),
        ({"base": "paper", "correct": -2}, r"wrong_value=-1.0: .*\(correct=-2.0\)"),
        ({"base": "paper", "illegal": -1.7e308}, "illegal=-1.7e.308: .* so that sums of rewards stay finite"),
        ({"base": "paper", "misread_penalty": 1e300}, "misread_penalty=1e.300"),
        ({"base": "papre"}, r"rewards\[\"base\"\]='papre' is not a preset; use one of paper, binary, binary_format"),
    ],
)
def test_a_table_that_says_too_little_or_pays_for_faults_is_refused_with_the_way_out(prices, said):
    with pytest.raises(ValueError, match=said):
        verify("", HAND, rewards=prices)


def test_each_price_that_is_not_named_is_missed_by_name():
    whole = GeneralPointsRewards.of("paper").model_dump()
    assert GeneralPointsRewards.of(whole) == GeneralPointsRewards()
    for name in whole:
        with pytest.raises(ValueError, match=rf"nothing says what {name} pays; name it too"):
            GeneralPointsRewards.of({key: price for key, price in whole.items() if key != name})
        assert GeneralPointsRewards.of({"base": "paper", **whole, name: whole[name]}) == GeneralPointsRewards()


def test_a_base_says_what_the_rest_pays():
    assert GeneralPointsRewards.of({"base": "binary", "correct": 2}).model_dump() == {
        "correct": 2.0, "wrong_value": 0.0, "wrong_numbers": 0.0, "illegal": 0.0, "unreadable": 0.0,
        "misread_penalty": 0.0,
    }  # fmt: skip


def test_an_unknown_table_is_an_error_that_names_the_presets():
    with pytest.raises(ValueError, match="paper, binary, binary_format"):
        verify("", HAND, rewards="papre")


def test_an_answer_that_sympy_does_not_confirm_is_rejected_and_logged(monkeypatch, caplog):
    monkeypatch.setattr("verienv.generalpoints.verifier._sympy_confirms", lambda postfix, target: False)
    verdict = verify(answer("4*3+2+10"), HAND)
    assert (verdict.failure, verdict.reward) == ("unconfirmed", -1.0)
    assert "sympy disagrees that 4*3+2+10 makes 24" in caplog.text
