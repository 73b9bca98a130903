"""verienv: environments with exact verifiers for studying how models learn to reason from verifiable rewards.

Importing it registers the environments with Gymnasium and loads nothing heavy; the names below load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from verienv.registry import register_all

if TYPE_CHECKING:
    from verienv import generalpoints as generalpoints
    from verienv.core.verdict import RewardTable as RewardTable
    from verienv.core.verdict import Verdict as Verdict
    from verienv.demos import demonstrations as demonstrations
    from verienv.evaluation import evaluate as evaluate
    from verienv.testing import check_verifier as check_verifier

__version__ = "0.1.0"

_LAZY = {
    "Verdict": "verienv.core.verdict",
    "RewardTable": "verienv.core.verdict",
    "demonstrations": "verienv.demos",
    "evaluate": "verienv.evaluation",
    "check_verifier": "verienv.testing",
}
__all__ = ["RewardTable", "Verdict", "check_verifier", "demonstrations", "evaluate", "generalpoints"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name == "generalpoints":
        return import_module("verienv.generalpoints")
    raise AttributeError(f"module 'verienv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


register_all()
