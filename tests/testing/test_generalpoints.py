"""check_verifier: it passes ours and finds the fault of each verifier that was broken on purpose."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import verienv
from verienv.core.response import read_answer
from verienv.generalpoints import Puzzle, formula_failure, is_solvable, parse_formula, solutions, verify
from verienv.generalpoints.cases import CANARY
from verienv.testing import (
    Kind,
    VerifierFaults,
    check_verifier,
    failing_formulas,
    load_vectors,
    odd_responses,
    puzzles,
    solving_formulas,
)

HAND = Puzzle(("4", "3", "2", "K"))
few = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def by_formula(judge: Callable[[str, Puzzle], bool]) -> Callable[[str, Puzzle], float]:
    """A verifier that reads as ours does and judges the formula by ``judge``."""

    def reward(response: str, puzzle: Puzzle) -> float:
        answer = read_answer(response, "formula")
        return float(answer is not None and isinstance(answer["formula"], str) and judge(answer["formula"], puzzle))

    return reward


def is_legal(formula: str, puzzle: Puzzle) -> bool:
    return formula_failure(formula, puzzle) not in ("illegal", "wrong_numbers", "false_equation")


def as_float(formula: str) -> float | None:
    """The value in floats of a legal formula, as Python's eval would have it."""
    stack: list[float] = []
    for item in parse_formula(formula).expression.postfix:
        if isinstance(item, int):
            stack.append(float(item))
        elif item == "neg":
            stack.append(-stack.pop())
        else:
            right, left = stack.pop(), stack.pop()
            if item == "/" and right == 0:
                return None
            stack.append({"+": left + right, "-": left - right, "*": left * right, "/": left / (right or 1)}[item])
    return stack[0]


def faults_of(fn: Callable[[str, Puzzle], object], **setting: object) -> VerifierFaults:
    with pytest.raises(VerifierFaults) as raised:
        check_verifier(fn, **setting)
    return raised.value


def kinds(faults: VerifierFaults) -> set[Kind]:
    return {fault.kind for fault in faults.faults}


@pytest.mark.parametrize(
    ("vision", "strict", "rewards"),
    [
        (False, False, "paper"),
        (False, True, "paper"),
        (True, False, "paper"),
        (True, True, "paper"),
        (False, False, "binary"),
        (True, False, "binary_format"),
    ],
)
def test_ours_passes_in_every_mode_and_under_every_table(vision, strict, rewards):
    def reward(response: str, puzzle: Puzzle) -> float:
        return verify(response, puzzle, vision=vision, strict=strict, rewards=rewards).reward

    report = check_verifier(reward, vision=vision, strict=strict)
    assert report.cases > 1800
    assert report.wrong < report.paid_above < report.right


def test_a_verdict_is_read_by_its_reward():
    report = verienv.check_verifier(verify)
    assert (report.right, report.wrong, report.paid_above) == (5.0, -1.0, 2.0)


def test_signed_and_shaped_rewards_pass():
    def signed(response: str, puzzle: Puzzle) -> int:
        return 1 if verify(response, puzzle).is_correct else -1

    def shaped(response: str, puzzle: Puzzle) -> float:
        valid = verify(response, puzzle).metrics["formula_valid"]
        return verify(response, puzzle, rewards="binary").reward + 0.1 * valid - 1e-6 * len(response)

    assert check_verifier(signed).paid_above == 0
    assert check_verifier(shaped)


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
    assert all("99*98*97" in fault.case.response for fault in faults.faults)


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


def test_penalties_that_are_carried_from_call_to_call_are_found():
    total = 0.0

    def carried(response: str, puzzle: Puzzle) -> float:
        nonlocal total
        if verify(response, puzzle).is_correct:
            return 5.0
        total -= 1.0
        return total

    assert kinds(faults_of(carried)) == {Kind.NON_DETERMINISM}


def test_a_verifier_that_raises_is_found():
    def raises(response: str, puzzle: Puzzle) -> float:
        json.loads(response)
        return verify(response, puzzle).reward

    faults = faults_of(raises)
    assert kinds(faults) == {Kind.EXCEPTION}
    assert "JSONDecodeError" in str(faults)


def test_a_verifier_that_only_raises_is_found():
    def raises(response: str, puzzle: Puzzle) -> float:
        raise SystemExit(response)

    faults = faults_of(raises)
    assert kinds(faults) == {Kind.EXCEPTION}
    assert "what it pays for could not be told" in str(faults)


def test_a_verifier_that_sleeps_is_found_after_few_calls():
    calls = itertools.count()

    def sleeps(response: str, puzzle: Puzzle) -> float:
        next(calls)
        time.sleep(0.02)
        return verify(response, puzzle).reward

    faults = faults_of(sleeps, time_limit=0.01)
    assert kinds(faults) == {Kind.SLOW}
    assert next(calls) < 10


def test_a_verifier_that_does_not_return_is_interrupted(monkeypatch):
    monkeypatch.setattr("verienv.testing.trial.perf_counter", lambda: 0.0)  # however slow this machine is otherwise

    def hangs(response: str, puzzle: Puzzle) -> float:
        while "9**9" in response:
            with suppress(Exception):
                time.sleep(0.001)
        return verify(response, puzzle).reward

    before = signal.getsignal(signal.SIGALRM)
    faults = faults_of(hangs, time_limit=0.05)
    assert kinds(faults) == {Kind.SLOW}
    assert "no answer within 0.5 s" in str(faults)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_one_slow_start_is_no_fault(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("verienv.testing.trial.perf_counter", lambda: clock[0])
    waits = iter([3.0])

    def imports_first(response: str, puzzle: Puzzle) -> float:
        clock[0] += next(waits, 0.001)
        return verify(response, puzzle).reward

    assert check_verifier(imports_first).slowest == pytest.approx(0.001)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "1.0", [1.0], 10**400])
def test_what_is_no_finite_number_is_found(value):
    def odd(response: str, puzzle: Puzzle) -> object:
        verdict = verify(response, puzzle)
        return value if verdict.failure == "unreadable" else verdict.reward

    assert kinds(faults_of(odd)) == {Kind.NOT_FINITE}


def test_a_constant_reward_is_found():
    faults = faults_of(lambda response, puzzle: 1.0)
    assert kinds(faults) == {Kind.NO_DIFFERENCE}


def test_a_misread_hand_that_is_paid_is_found_in_vision_only():
    blind = lambda response, puzzle: verify(response, puzzle).reward  # noqa: E731
    assert check_verifier(blind)
    faults = faults_of(blind, vision=True)
    assert kinds(faults) == {Kind.FALSE_ACCEPT}
    assert all(fault.case.failure == "misread" for fault in faults.faults)


def test_reading_strictly_is_found_where_leniency_is_asked_and_the_reverse():
    strict = lambda response, puzzle: verify(response, puzzle, strict=True).reward  # noqa: E731
    assert kinds(faults_of(strict)) == {Kind.FALSE_REJECT}
    lenient = lambda response, puzzle: verify(response, puzzle).reward  # noqa: E731
    assert Kind.FALSE_ACCEPT in kinds(faults_of(lenient, strict=True))


def test_a_threshold_of_ones_own_decides_what_is_paid():
    assert check_verifier(verify, paid_above=4.9).paid_above == 4.9
    assert kinds(faults_of(verify, paid_above=5.0)) == {Kind.FALSE_REJECT}


def test_the_report_groups_faults_with_counts_and_a_few_short_examples():
    faults = faults_of(by_formula(lambda formula, puzzle: formula_failure(formula.split("=")[0], puzzle) == ""))
    report = str(faults)
    assert report.isascii()
    assert report.startswith(f"{len(faults.faults)} faults in ")
    assert f"{len(faults.of(Kind.FALSE_ACCEPT))} false accepts" in report
    assert "4 3 2 K, rule ten, target 24: " in report
    assert "got 1; expected at most 0.5 (" in report
    assert len(report) < 4000


def test_long_responses_are_shortened_in_the_report():
    faults = faults_of(lambda response, puzzle: 5.0 if len(response) > 20_000 else verify(response, puzzle).reward)
    assert "(shortened)" in str(faults)
    assert len(str(faults)) < 4000


def test_it_works_outside_the_main_thread():
    reports = []
    thread = threading.Thread(target=lambda: reports.append(check_verifier(verify, hands=2)))
    thread.start()
    thread.join()
    assert reports[0].right == 5.0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"fn": 7}, TypeError),
        ({"fn": verify, "time_limit": 0}, ValueError),
        ({"fn": verify, "task": "chess"}, ValueError),
        ({"fn": verify, "task": "virl", "vision": True}, ValueError),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_is_expected(arguments, error):
    with pytest.raises(error, match="expected"):
        check_verifier(**arguments)


def test_damaged_vectors_are_an_error_that_says_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "broken.jsonl").write_text('{"name": "x"}\n')
    monkeypatch.setattr("verienv.core.cases.asset_path", lambda name: tmp_path / "broken.jsonl")
    with pytest.raises(ValueError, match=r"broken.jsonl is damaged .*build_vectors"):
        load_vectors.__wrapped__()


def test_hypothesis_is_loaded_only_with_a_strategy():
    script = """
import sys
sys.modules["hypothesis"] = None
import verienv.testing
assert verienv.check_verifier
try:
    verienv.testing.puzzles
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "pip install hypothesis" in told


@given(
    st.data(),
    st.sampled_from([3, 4, 5]),
    st.sampled_from([None, "rank", {"J": 14, "Q": 15, "K": 16}]),
    st.integers(10, 30),
)
@few
def test_puzzles_are_solvable_and_as_asked(data, count, rule, target):
    puzzle = data.draw(puzzles(rule, target, count))
    assert len(puzzle.cards) == count
    assert puzzle.target == target
    assert rule is None or puzzle == Puzzle(puzzle.cards, rule, target)
    assert is_solvable(puzzle.values, target)


@given(st.data())
@few
def test_formulas_do_what_their_strategy_says(data):
    puzzle = data.draw(puzzles())
    assert formula_failure(data.draw(solving_formulas(puzzle)), puzzle) == ""
    assert formula_failure(data.draw(failing_formulas(puzzle)), puzzle) != ""


@pytest.mark.parametrize("failure", ["illegal", "wrong_numbers", "false_equation", "wrong_value"])
def test_failing_formulas_fail_in_every_way(failure):
    once = settings(derandomize=True, database=None, max_examples=2000)
    assert (
        find(failing_formulas(HAND), lambda formula: formula_failure(formula, HAND) == failure, settings=once)
        is not None
    )


def test_examples_shrink_to_the_plain():
    once = settings(derandomize=True, database=None)
    assert find(puzzles("ten"), lambda puzzle: True, settings=once) == Puzzle(("A", "A", "A", "8"))
    assert find(solving_formulas(HAND), lambda formula: True, settings=once) == solutions(HAND.values, 24)[0].minimal()
    assert find(odd_responses(), lambda text: True, settings=once) == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"target": 0}, "integer from 1"),
        ({"count": 7}, "3 to 6"),
        ({"rule": "none"}, "preset"),
        ({"target": 999_999}, "no 4 cards"),
    ],
)
def test_wrong_settings_of_puzzles_are_errors(arguments, said):
    with pytest.raises(ValueError, match=said):
        puzzles(**arguments)


def test_a_puzzle_without_solution_has_no_solving_formulas():
    with pytest.raises(ValueError, match="cannot make 24"):
        solving_formulas(Puzzle(("A", "A", "A", "A")))
