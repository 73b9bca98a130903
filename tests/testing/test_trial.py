"""The calls to a verifier: timed, interrupted, and what counts as a fault of one."""

import itertools
import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from tests.testing.broken import faults_of, kinds

from verienv.generalpoints import Puzzle, verify
from verienv.testing import Kind, check_verifier, stopwatch
from verienv.virl.verifier import verify as verify_action

SLOWER = ["hostile", "flood", "piling", "again"]
"""Groups of cases that take the longest, of no matter to these tests."""


def test_penalties_that_are_carried_from_call_to_call_are_found():
    total = 0.0

    def carried(response: str, puzzle: Puzzle) -> float:
        nonlocal total
        if verify(response, puzzle).is_correct:
            return 5.0
        total -= 1.0
        return total

    assert kinds(faults_of(carried)) == {Kind.NON_DETERMINISM, Kind.UNBOUNDED}


def test_a_first_call_that_pays_otherwise_is_found():
    calls = itertools.count()

    def first_is_free(response: str, puzzle: Puzzle) -> float:
        return verify(response, puzzle).reward + (next(calls) == 0)

    faults = faults_of(first_is_free, questions=1, ignore=SLOWER)
    assert [(fault.kind, fault.got) for fault in faults.faults] == [(Kind.NON_DETERMINISM, "6, later 5")]


def test_a_verifier_that_raises_is_found():
    def raises(response: str, puzzle: Puzzle) -> float:
        json.loads(response)
        return verify(response, puzzle).reward

    faults = faults_of(raises)
    assert kinds(faults) == {Kind.EXCEPTION}
    assert "JSONDecodeError" in str(faults)


def test_a_verifier_that_sleeps_is_found_after_few_calls():
    calls = itertools.count()

    def sleeps(response: str, puzzle: Puzzle) -> float:
        next(calls)
        time.sleep(0.02)
        return verify(response, puzzle).reward

    faults = faults_of(sleeps, time_limit=0.01)
    assert kinds(faults) == {Kind.SLOW}
    assert next(calls) < 10


def test_a_verifier_that_does_not_return_is_interrupted():
    def hangs(response: str, puzzle: Puzzle) -> float:
        while "9**9" in response:
            with suppress(Exception):
                time.sleep(0.001)
        return verify(response, puzzle).reward

    before = signal.getsignal(signal.SIGALRM)
    faults = faults_of(hangs, time_limit=0.05, ignore=SLOWER)
    assert kinds(faults) == {Kind.SLOW}
    assert "no answer within 0.5 s" in str(faults)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_one_slow_start_is_no_fault(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("verienv.testing.stopwatch.thread_time", lambda: clock[0])
    waits = iter([3.0])

    def imports_first(response: str, puzzle: Puzzle) -> float:
        clock[0] += next(waits, 0.001)
        return verify(response, puzzle).reward

    assert check_verifier(imports_first).slowest == pytest.approx(0.001)


class Unreadable:
    """No number: it raises whatever it is asked."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), None, "1.0", [1.0], 10**400, np.ones(1), Decimal("sNaN"), 1j, Unreadable()],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_finite_number_is_found(value):
    def odd(response: str, puzzle: Puzzle) -> object:
        verdict = verify(response, puzzle)
        return value if verdict.failure == "unreadable" else verdict.reward

    assert kinds(faults_of(odd, questions=1, ignore=SLOWER)) == {Kind.NOT_FINITE}


@pytest.mark.parametrize("one", [True, np.float32(1), np.array(1.0), Fraction(1)], ids=lambda one: type(one).__name__)
def test_what_a_trainer_takes_for_a_number_is_one(one):
    def odd(response: str, puzzle: Puzzle) -> object:
        return one if verify(response, puzzle).is_correct else 0 * one

    assert check_verifier(odd, questions=1, ignore=SLOWER).right == 1.0


def test_time_that_others_compute_is_no_fault_of_a_verifier(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("verienv.testing.stopwatch.perf_counter", lambda: clock[0])
    monkeypatch.setattr("verienv.testing.stopwatch._share", lambda: 1e-6)

    def kept_waiting(response: str, puzzle: Puzzle) -> float:
        clock[0] += 2.0
        return verify(response, puzzle).reward

    assert check_verifier(kept_waiting, questions=1, ignore=SLOWER).slowest < 1.0


def test_the_share_of_a_core_is_measured_between_0_and_1():
    assert 0 < stopwatch._share() <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("fn", "task"), [(verify, "generalpoints"), (verify_action, "virl")], ids=["cards", "streets"])
def test_ours_passes_on_a_machine_at_load_20(fn, task):
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(20)]
    try:
        assert check_verifier(fn, task=task).slowest < 1.0
    finally:
        for process in busy:
            process.kill()
            process.wait()
