"""The calls to one verifier: timed, interrupted where they never end, and the faults they showed."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from verienv.core.cases import CANARY, AnyCase
from verienv.testing.facts import is_unchanged
from verienv.testing.report import Fault, Kind
from verienv.testing.stopwatch import Stopwatch

ENOUGH_SLOW = 3
"""So many slow inputs end the check."""
RETRIES = 2
"""A call that took too long is tried so many times more before it counts as slow."""
GIVE_UP = 10
"""A call that computes or sleeps for so many times ``time_limit`` is interrupted, where the platform has signals."""

LONGEST_ALARM = 1e6
"""Seconds that a timer can be set to everywhere; a call that may take longer is asked about then, and goes on."""


class Enough(Exception):
    """Too slow to go on."""


class _GaveUp(BaseException):
    """Raised inside a call that takes too long; not an Exception, so that a verifier does not swallow it."""


class Trial:
    """The calls to one verifier, and the faults they showed, but for those of the ``ignored`` kinds."""

    def __init__(self, fn: Callable[..., Any], time_limit: float, ignored: frozenset[Kind] = frozenset()) -> None:
        self._fn = fn
        self._time_limit = time_limit
        self._ignored = ignored
        self._set_alarm: Callable[[float], object] = lambda seconds: None
        self._watch = Stopwatch()
        self._slow = 0
        self._noted: set[tuple[Kind, AnyCase]] = set()
        self.faults: list[Fault] = []
        self.tried: dict[AnyCase, float | None] = {}
        self.calls = 0
        self.slowest = 0.0
        self.notes: list[str] = []

    def use_alarm(self, set_alarm: Callable[[float], object]) -> None:
        self._set_alarm = set_alarm

    def fault(self, kind: Kind, case: AnyCase, got: str, expected: str) -> None:
        if (kind, case) not in self._noted and kind not in self._ignored:
            self._noted.add((kind, case))
            self.faults.append(Fault(kind, case, got, expected))

    def reward(self, case: AnyCase) -> float | None:
        """The finite reward, or None after noting the fault. Whenever a case is handed over, it must be the same."""
        reward, seconds = self._call(case)
        for _ in range(RETRIES):  # the first call may have paid for imports, or waited for a network
            if self._time_limit < seconds < math.inf:
                again, shorter = self._call(case)
                reward, seconds = again if reward is None else reward, min(seconds, shorter)
        self.slowest = max(self.slowest, seconds)
        first = self.tried.setdefault(case, reward)
        if seconds > self._time_limit:
            self._too_slow(case, seconds)
        if first is not None and reward is not None and reward != first:
            self.fault(Kind.NON_DETERMINISM, case, f"{first:g}, later {reward:g}", "the same twice")
        return reward

    def _call(self, case: AnyCase) -> tuple[float | None, float]:
        """The reward, None if there is none, and the seconds it took, infinite if the call was interrupted."""
        self.calls += 1
        facts = case.copied_facts()
        self._watch = watch = Stopwatch()
        try:
            try:
                self._set_alarm(GIVE_UP * self._time_limit)
                value = self._fn(case.response, facts)
            finally:
                self._set_alarm(0)
        except _GaveUp:
            return None, math.inf
        except (Exception, SystemExit) as error:
            self.fault(Kind.EXCEPTION, case, f"{type(error).__name__}: {_text(error)}", "a reward")
            return None, watch.seconds(self._time_limit)
        finally:
            if os.environ.pop(CANARY, None):
                self.fault(Kind.CODE, case, "its code run", "text that is never run")
        seconds = watch.seconds(self._time_limit)
        if not is_unchanged(facts, case.facts):
            self.fault(Kind.CHANGED, case, f"a changed {type(facts).__name__}", "one left as it was")
        number = _number(value)
        if number is None or not math.isfinite(number):
            self.fault(Kind.NOT_FINITE, case, _text(value), "a finite number")
            return None, seconds
        return number, seconds

    def is_hopeless(self) -> bool:
        """Whether the call now running should be interrupted: kept from a core it may go on, up to its CPU time."""
        return self._watch.cpu > GIVE_UP * self._time_limit or self._watch.slept

    def _too_slow(self, case: AnyCase, seconds: float) -> None:
        self._slow += 1
        got = f"an answer after {seconds:.2g} s"
        if math.isinf(seconds):
            self._slow = ENOUGH_SLOW
            got = f"no answer within {GIVE_UP * self._time_limit:g} s"
        self.fault(Kind.SLOW, case, got, f"one within {self._time_limit:g} s")
        if self._slow >= ENOUGH_SLOW and Kind.SLOW not in self._ignored:
            self.notes.append("stopped early, because calls are slow")
            raise Enough

    def judge(self, case: AnyCase, paid_above: float) -> float | None:
        """The reward of a case, its acceptance checked."""
        reward = self.reward(case)
        if reward is not None and not math.isnan(paid_above) and (reward > paid_above) != case.is_correct:
            kind = Kind.FALSE_REJECT if case.is_correct else Kind.FALSE_ACCEPT
            bound = "more than" if case.is_correct else "at most"
            self.fault(kind, case, f"{reward:g}", f"{bound} {paid_above:g}")
        return reward


def _number(value: Any) -> float | None:
    """A number, or what counts as one: an array or tensor without axes, or anything with a number as ``reward``."""
    try:
        value = getattr(value, "reward", value)
        if isinstance(value, str | bytes | bytearray | None) or getattr(value, "shape", ()) != ():
            return None
        return float(value)
    except Exception:
        return None


def _text(value: Any) -> str:
    try:
        return (str(value) if isinstance(value, BaseException) else repr(value))[:80]
    except Exception:  # such as an integer of more than 4300 digits
        return f"<{type(value).__name__}>"


@contextmanager
def signals(trial: Trial) -> Iterator[None]:
    """Lets the trial interrupt a call: with SIGALRM in the main thread; elsewhere calls are only timed."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(number: int, frame: FrameType | None) -> None:
        if trial.is_hopeless():
            raise _GaveUp

    handler = signal.signal(signal.SIGALRM, give_up)
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    trial.use_alarm(lambda seconds: signal.setitimer(signal.ITIMER_REAL, *[min(seconds, LONGEST_ALARM)] * 2))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)
