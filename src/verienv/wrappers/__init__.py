"""Numeric faces: what libraries of classic reinforcement learning accept, over the environments in text.

Names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verienv.wrappers.formula_builder import FormulaBuilder as FormulaBuilder
    from verienv.wrappers.navigation import DiscreteConfig as DiscreteConfig
    from verienv.wrappers.navigation import VIRLDiscrete as VIRLDiscrete
    from verienv.wrappers.text import TextTokens as TextTokens
    from verienv.wrappers.tokens import GeneralPointsTokens as GeneralPointsTokens
    from verienv.wrappers.tokens_config import TokensConfig as TokensConfig

_LAZY = {
    "DiscreteConfig": "navigation",
    "FormulaBuilder": "formula_builder",
    "GeneralPointsTokens": "tokens",
    "TextTokens": "text",
    "TokensConfig": "tokens_config",
    "VIRLDiscrete": "navigation",
}
__all__ = ["DiscreteConfig", "FormulaBuilder", "GeneralPointsTokens", "TextTokens", "TokensConfig", "VIRLDiscrete"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
