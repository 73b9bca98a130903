"""Unit tests for reward verifiers, and strategies for your own property tests.

from verienv.testing import check_verifier
check_verifier(my_reward)  # my_reward(response, puzzle) -> number; raises one readable report of every fault
check_verifier(my_reward, task="virl")  # my_reward(response, waypoint, actions=rule) -> number

``puzzles``, ``solving_formulas``, ``failing_formulas``, ``waypoints`` and ``odd_responses`` are strategies for
``hypothesis``, which is loaded when one of them is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verienv.generalpoints.cases import Case, load_vectors
from verienv.testing.check import check_verifier
from verienv.testing.report import Fault, Kind, VerifierFaults, VerifierReport
from verienv.virl.cases import VIRLCase, load_virl_vectors

if TYPE_CHECKING:
    from verienv.testing.strategies import failing_formulas, odd_responses, puzzles, solving_formulas, waypoints

_STRATEGIES = ("failing_formulas", "odd_responses", "puzzles", "solving_formulas", "waypoints")
__all__ = [
    "Case",
    "Fault",
    "Kind",
    "VIRLCase",
    "VerifierFaults",
    "VerifierReport",
    "check_verifier",
    "failing_formulas",
    "load_vectors",
    "load_virl_vectors",
    "odd_responses",
    "puzzles",
    "solving_formulas",
    "waypoints",
]


def __getattr__(name: str) -> Any:
    if name not in _STRATEGIES:
        raise AttributeError(f"module 'verienv.testing' has no attribute {name!r}")
    try:
        from verienv.testing import strategies
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ImportError(f"verienv.testing.{name} needs hypothesis: pip install hypothesis") from None
    return getattr(strategies, name)
