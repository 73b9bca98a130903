"""The report of check_verifier: every fault, grouped by kind and reason, the shortest examples first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from verienv.core.cases import AnyCase

SHOWN = 4
"""Reasons of each kind in the message, an example each; all faults are in ``VerifierFaults.faults``."""
_WIDTH = 160


class Kind(StrEnum):
    """The kinds of fault, in the order of the report."""

    FALSE_ACCEPT = "false accepts: wrong answers that are paid"
    FALSE_REJECT = "false rejects: right answers that are not paid"
    NO_DIFFERENCE = "right and wrong answers not told apart"
    EXCEPTION = "exceptions: a verifier must survive any text"
    CODE = "model text run as code"
    CHANGED = "facts changed: a verifier must leave what it is handed as it was"
    NOT_FINITE = "rewards that are no finite number"
    NON_DETERMINISM = "non-determinism: another reward for the same response"
    UNBOUNDED = "rewards without bound: more of the same, more or less reward"
    SLOW = "slow inputs"

    def counted(self, count: int) -> str:
        """The kind behind a count of its faults."""
        text = str(self)
        if count == 1:
            for several, one in _SINGULAR:
                text = text.replace(several, one)
        return f"{count} {text}"


_SINGULAR = (
    ("accepts: wrong answers that are", "accept: a wrong answer that is"),
    ("rejects: right answers that are", "reject: a right answer that is"),
    ("right and wrong answers", "right and a wrong answer"),
    ("exceptions:", "exception:"),
    ("rewards that are", "reward that is"),
    ("rewards without", "reward without"),
    ("slow inputs", "slow input"),
)


@dataclass(frozen=True)
class Fault:
    """One fault: what was handed over, what came back, what should have."""

    kind: Kind
    case: AnyCase
    got: str
    expected: str

    @property
    def reason(self) -> str:
        """The subject of the fault: the error for an exception, else why the case is what it is."""
        return self.got.partition(":")[0] if self.kind == Kind.EXCEPTION else self.case.why

    def __str__(self) -> str:
        case = self.case
        return (
            f"    {case.setting}: {_short(case.response)}\n      got {self.got}; expected {self.expected} ({case.why})"
        )


@dataclass(frozen=True)
class VerifierReport:
    """A check that found no fault.

    Attributes:
        cases: distinct cases handed over.
        calls: calls made; most cases are handed over twice.
        right, wrong: the verifier's usual reward for a right answer and for a plain wrong one.
        paid_above: rewards above it counted as paid.
        slowest: seconds of the slowest call: those the thread computed, not those it was kept waiting for a core.
    """

    cases: int
    calls: int
    right: float
    wrong: float
    paid_above: float
    slowest: float


class VerifierFaults(AssertionError):
    """The faults of a verifier; the message is the report.

    Attributes:
        faults: each with its ``kind``, ``case``, ``reason``, and what came back.
    """

    def __init__(self, faults: Sequence[Fault], message: str) -> None:
        self.faults = tuple(faults)
        super().__init__(message)

    @classmethod
    def grouped(cls, faults: Sequence[Fault], cases: int, notes: Sequence[str]) -> VerifierFaults:
        """Return the faults of a whole check, with a section for each kind and a paragraph for each reason."""
        found = f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}"
        sections = ["; ".join([f"{found} in {cases} {'case' if cases == 1 else 'cases'}", *notes])]
        for kind in Kind:
            if some := [fault for fault in faults if fault.kind == kind]:
                sections.append("\n".join([kind.counted(len(some)), *_reasons(some)]))
        return cls(faults, "\n\n".join(sections))

    def of(self, kind: Kind) -> list[Fault]:
        """The faults of one kind."""
        return [fault for fault in self.faults if fault.kind == kind]


def _reasons(faults: Sequence[Fault]) -> list[str]:
    """The reasons, the most frequent first, each with its count and shortest example."""
    by_reason: dict[str, list[Fault]] = {}
    for fault in faults:
        by_reason.setdefault(fault.reason, []).append(fault)
    groups = sorted(by_reason.items(), key=lambda group: -len(group[1]))
    lines = []
    for reason, some in groups[:SHOWN]:
        lines.append(f"  {len(some)} x {reason[:_WIDTH]}")
        lines.append(str(min(some, key=lambda fault: len(fault.case.response))))
    if rest := groups[SHOWN:]:
        few = "another reason" if len(rest) == 1 else f"{len(rest)} other reasons"
        lines.append(f"  {sum(len(some) for _, some in rest)} x for {few}")
    return lines


def _short(response: str) -> str:
    if len(response) > _WIDTH:
        response = f"{response[: _WIDTH // 2]} ... {response[-_WIDTH // 4 :]}"
        return f"{response!a} (shortened)"
    return f"{response!a}"
