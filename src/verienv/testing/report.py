"""The report of check_verifier: every fault, grouped, the shortest examples first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from verienv.core.cases import AnyCase

SHOWN = 3
"""Examples of each kind in the message; all are in ``VerifierFaults.faults``."""
_WIDTH = 200


class Kind(StrEnum):
    """The kinds of fault, in the order of the report."""

    FALSE_ACCEPT = "false accepts: wrong answers that are paid"
    FALSE_REJECT = "false rejects: right answers that are not paid"
    NO_DIFFERENCE = "right and wrong answers not told apart"
    EXCEPTION = "exceptions: a verifier must survive any text"
    CODE = "model text run as code"
    NOT_FINITE = "rewards that are no finite number"
    NON_DETERMINISM = "non-determinism: another reward for the same response"
    UNBOUNDED = "penalties without bound: the more faults, the lower the reward"
    SLOW = "slow inputs"


@dataclass(frozen=True)
class Fault:
    """One fault: what was handed over, what came back, what should have."""

    kind: Kind
    case: AnyCase
    got: str
    expected: str

    def __str__(self) -> str:
        case = self.case
        return f"  {case.setting}: {_short(case.response)}\n    got {self.got}; expected {self.expected} ({case.why})"


@dataclass(frozen=True)
class VerifierReport:
    """A check that found no fault.

    Attributes:
        cases: distinct cases handed over.
        calls: calls made; most cases are handed over twice.
        right, wrong: the verifier's usual reward for a right answer and for a plain wrong one.
        paid_above: rewards above it counted as paid.
        slowest: seconds of the slowest call.
    """

    cases: int
    calls: int
    right: float
    wrong: float
    paid_above: float
    slowest: float


class VerifierFaults(AssertionError):
    """The faults of a verifier; the message is the report."""

    def __init__(self, faults: Sequence[Fault], cases: int, note: str) -> None:
        self.faults = tuple(faults)
        sections = [f"{len(faults)} faults in {cases} cases; {note}"]
        for kind in Kind:
            if found := self.of(kind):
                sections.append("\n".join([f"{len(found)} {kind}", *map(str, _examples(found))]))
        super().__init__("\n\n".join(sections))

    def of(self, kind: Kind) -> list[Fault]:
        """The faults of one kind."""
        return [fault for fault in self.faults if fault.kind == kind]


def _examples(faults: Sequence[Fault]) -> list[Fault]:
    """The shortest, of different reasons where there are enough."""
    shortest = sorted(faults, key=lambda fault: len(fault.case.response))
    reasons = {fault.case.why: fault for fault in reversed(shortest)}
    firsts = [fault for fault in shortest if reasons[fault.case.why] is fault]
    return (firsts + [fault for fault in shortest if fault not in firsts])[:SHOWN]


def _short(response: str) -> str:
    if len(response) > _WIDTH:
        response = f"{response[: _WIDTH // 2]} ... {response[-_WIDTH // 4 :]}"
        return f"{response!a} (shortened)"
    return f"{response!a}"
