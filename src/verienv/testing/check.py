"""check_verifier: hand a reward function everything that a policy might write, and report what it gets wrong."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from types import FrameType
from typing import Any

from verienv.generalpoints.puzzle import Puzzle
from verienv.testing.cases import (
    CANARY,
    Case,
    hostile_cases,
    load_vectors,
    misread,
    piling_cases,
    plain_cases,
    solver_cases,
)
from verienv.testing.report import Fault, Kind, VerifierFaults, VerifierReport

ENOUGH_SLOW = 3
"""So many slow inputs end the check."""
RETRIES = 2
"""A call that took too long is tried so many times more before it counts as slow."""
GIVE_UP = 10
"""A call that takes so many times ``time_limit`` is interrupted, where the platform has signals, and ends the check."""


def check_verifier(
    fn: Callable[[str, Puzzle], Any],
    *,
    vision: bool = False,
    strict: bool = False,
    paid_above: float | None = None,
    time_limit: float = 1.0,
    hands: int = 40,
    seed: int = 0,
) -> VerifierReport:
    """Unit-test a reward function for GeneralPoints; one line in pytest: ``check_verifier(my_reward)``.

    It is handed the shipped vectors (spellings that must be paid, exploits that must not), solutions and near misses of
    random hands, hostile text, and every case again in another order.

    Args:
        fn: called as ``fn(response, puzzle)``, returns a number (or anything with a number as ``reward``, such as a
            Verdict). ``puzzle`` has ``ranks``, ``values``, ``rule`` and ``target``.
        vision: the verifier also judges whether ``cards`` are read right, as for a picture.
        strict: the verifier admits plain JSON alone.
        paid_above: a response counts as paid if its reward is above this. By default half way between the median
            rewards of plain right answers and of plain answers with a wrong value; that suits binary, signed and
            shaped rewards.
        time_limit: seconds that one call may take; a slow call is tried again before it counts.
        hands: how many random hands the solver makes answers for.
        seed: fixes them.

    Returns:
        A VerifierReport: nothing was found.

    Raises:
        VerifierFaults: an AssertionError; its message groups the faults by kind, with counts and the shortest examples.
    """
    if not callable(fn):
        raise TypeError(f"check_verifier({fn!r}): expected a function of (response, puzzle) that returns a number")
    if not time_limit > 0:
        raise ValueError(f"time_limit={time_limit!r}: expected seconds, more than 0")
    trial = _Trial(fn, time_limit)
    with _signals(trial):
        try:
            right, wrong, paid_above = _calibrate(trial, paid_above)
            piles = list(piling_cases())
            cases, heavy = _cases(vision, strict, hands, seed)
            cases += [case for pile in piles for case in pile]
            rewards = {case: trial.judge(case, paid_above) for case in cases}
            for case in reversed(cases):
                trial.compare(case, rewards[case])
            _bounded(trial, [[rewards[case] for case in pile] for pile in piles], piles, right - wrong)
            for case in heavy:  # last, because an unwise verifier may never return from them
                trial.judge(case, paid_above)
        except _Enough:
            right = wrong = paid_above = math.nan
    if trial.faults:
        raise VerifierFaults(trial.faults, len(trial.seen), trial.note)
    return VerifierReport(len(trial.seen), trial.calls, right, wrong, paid_above, trial.slowest)


class _Enough(Exception):
    """Too slow to go on."""


class _GaveUp(BaseException):
    """Raised inside a call that takes too long; not an Exception, so that a verifier does not swallow it."""


class _Trial:
    """The calls to one verifier, and the faults they showed."""

    def __init__(self, fn: Callable[[str, Puzzle], Any], time_limit: float) -> None:
        self._fn = fn
        self._time_limit = time_limit
        self._set_alarm: Callable[[float], object] = lambda seconds: None
        self._slow = 0
        self._noted: set[tuple[Kind, Case]] = set()
        self.faults: list[Fault] = []
        self.seen: set[Case] = set()
        self.calls = 0
        self.slowest = 0.0
        self.note = ""

    def use_alarm(self, set_alarm: Callable[[float], object]) -> None:
        self._set_alarm = set_alarm

    def fault(self, kind: Kind, case: Case, got: str, expected: str) -> None:
        if (kind, case) not in self._noted:
            self._noted.add((kind, case))
            self.faults.append(Fault(kind, case, got, expected))

    def reward(self, case: Case) -> float | None:
        """The finite reward, or None after noting the fault."""
        self.seen.add(case)
        reward, seconds = self._call(case)
        for _ in range(RETRIES):  # the first call may have paid for imports, another for a busy machine
            if seconds > self._time_limit:
                seconds = min(seconds, self._call(case)[1])
        self.slowest = max(self.slowest, seconds)
        if seconds > self._time_limit:
            self._too_slow(case, f"an answer after {seconds:.2g} s")
        return reward

    def _call(self, case: Case) -> tuple[float | None, float]:
        self.calls += 1
        start = perf_counter()
        try:
            try:
                self._set_alarm(GIVE_UP * self._time_limit)
                value = self._fn(case.response, case.puzzle)
            finally:
                self._set_alarm(0)
        except _GaveUp:
            self._slow = ENOUGH_SLOW
            self._too_slow(case, f"no answer within {GIVE_UP * self._time_limit:g} s")
        except (Exception, SystemExit) as error:
            self.fault(Kind.EXCEPTION, case, f"{type(error).__name__}: {str(error)[:80]}", "a reward")
            return None, perf_counter() - start
        finally:
            if os.environ.pop(CANARY, None):
                self.fault(Kind.CODE, case, "its code run", "text that is never run")
        seconds = perf_counter() - start
        number = _number(getattr(value, "reward", value))
        if number is None or not math.isfinite(number):
            self.fault(Kind.NOT_FINITE, case, repr(value)[:80], "a finite number")
            return None, seconds
        return number, seconds

    def _too_slow(self, case: Case, got: str) -> None:
        self._slow += 1
        self.fault(Kind.SLOW, case, got, f"one within {self._time_limit:g} s")
        if self._slow >= ENOUGH_SLOW:
            self.note += "; stopped early, because calls are slow"
            raise _Enough

    def judge(self, case: Case, paid_above: float) -> float | None:
        """The reward of a case, its acceptance checked."""
        reward = self.reward(case)
        if reward is not None and not math.isnan(paid_above) and (reward > paid_above) != case.is_correct:
            kind = Kind.FALSE_REJECT if case.is_correct else Kind.FALSE_ACCEPT
            bound = "more than" if case.is_correct else "at most"
            self.fault(kind, case, f"{reward:g}", f"{bound} {paid_above:g}")
        return reward

    def compare(self, case: Case, before: float | None) -> None:
        """Hand a case over again: the reward must be the same."""
        if before is None:
            return  # a fault already
        again = self.reward(case)
        if again is not None and again != before:
            self.fault(Kind.NON_DETERMINISM, case, f"{before:g}, later {again:g}", "the same twice")


def _calibrate(trial: _Trial, paid_above: float | None) -> tuple[float, float, float]:
    right_cases, wrong_cases = plain_cases()
    rights = [trial.reward(case) for case in right_cases]
    wrongs = [trial.reward(case) for case in wrong_cases]
    right = median([reward for reward in rights if reward is not None] or [math.nan])
    wrong = median([reward for reward in wrongs if reward is not None] or [math.nan])
    if right <= wrong:
        trial.fault(Kind.NO_DIFFERENCE, right_cases[0], f"{right:g}", f"more than the {wrong:g} of a wrong answer")
        paid_above = math.nan
    elif paid_above is None:
        paid_above = (right + wrong) / 2
    if math.isnan(paid_above):
        trial.note = "what it pays for could not be told"
    else:
        trial.note = f"plain right answers get {right:g}, wrong ones {wrong:g}: above {paid_above:g} counts as paid"
    return right, wrong, paid_above


def _cases(vision: bool, strict: bool, hands: int, seed: int) -> tuple[list[Case], list[Case]]:
    """All cases but those that pile up, and apart from them those that are ruinous to evaluate."""
    cases = [case for case in load_vectors() if case.holds(vision, strict)]
    solved = list(solver_cases(hands, seed))
    cases += solved
    cases += misread(solved) if vision else []
    cases += hostile_cases(seed)
    return [case for case in cases if not case.is_heavy], [case for case in cases if case.is_heavy]


def _bounded(trial: _Trial, found: list[list[float | None]], piles: list[list[Case]], worth: float) -> None:
    """A reward that still falls with the 256th fault, by more than twice what a right answer is worth, has no floor."""
    for rewards, pile in zip(found, piles, strict=True):
        falls = [reward for reward in rewards if reward is not None]
        if len(falls) == len(pile) and falls[-3] > falls[-2] > falls[-1] and falls[0] - falls[-1] > 2 * worth:
            got = f"{falls[-1]:g}, for a single one {falls[0]:g}"
            trial.fault(Kind.UNBOUNDED, pile[-1], got, "one price for one kind of failure")


def _number(value: Any) -> float | None:
    if isinstance(value, str | bytes | None):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


@contextmanager
def _signals(trial: _Trial) -> Iterator[None]:
    """Lets the trial interrupt a call: with SIGALRM in the main thread; elsewhere calls are only timed."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(number: int, frame: FrameType | None) -> None:
        raise _GaveUp

    handler = signal.signal(signal.SIGALRM, give_up)
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    trial.use_alarm(lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)
