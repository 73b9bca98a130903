"""Unit tests for reward verifiers, and strategies for your own property tests.

from verienv.testing import check_verifier
check_verifier(my_reward)  # my_reward(response, puzzle) -> number; raises one readable report of every fault
check_verifier(my_reward, task="virl")  # my_reward(response, waypoint) -> number
check_verifier(my_reward, answer_format="boxed", level="task")  # of answers in a box, as any right reward reads them

check_task("successor")  # a task of your own: questions, verdicts, wrong answers, rows

audit_rows("data.json", [DealtSplit("verienv/GeneralPoints-L-v0", "test")])  # what a file shares with a split

``odd_responses`` is a strategy for ``hypothesis``, which is loaded when it is first used; ``puzzles``,
``solving_formulas`` and ``failing_formulas`` are in ``verienv.generalpoints.strategies``, ``waypoints`` in
``verienv.virl.strategies``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verienv.core.cases import QuestionCase
from verienv.core.lazy import lazy_attributes
from verienv.testing.audit import Audit, DealtSplit, audit_rows
from verienv.testing.check import check_verifier
from verienv.testing.report import Fault, Kind, VerifierFaults, VerifierReport
from verienv.testing.task import TaskFaults, check_task

if TYPE_CHECKING:
    from verienv.testing.strategies import any_text, odd_responses

_module = lazy_attributes(__name__)[0]
_STRATEGIES = ("any_text", "odd_responses")
__all__ = [
    "Audit",
    "DealtSplit",
    "Fault",
    "Kind",
    "QuestionCase",
    "TaskFaults",
    "VerifierFaults",
    "VerifierReport",
    "any_text",
    "audit_rows",
    "check_task",
    "check_verifier",
    "odd_responses",
]


def __getattr__(name: str) -> Any:
    if name not in _STRATEGIES:
        return _module(name)
    try:
        from verienv.testing import strategies
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ImportError(f"verienv.testing.{name} needs hypothesis: pip install hypothesis") from None
    return getattr(strategies, name)


def __dir__() -> list[str]:
    return __all__
