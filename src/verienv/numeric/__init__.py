"""Numeric faces: what libraries of classic reinforcement learning accept, over the environments in text.

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.core.lazy import on_first_use

if TYPE_CHECKING:
    from verienv.numeric.formula_builder import FormulaBuilder as FormulaBuilder
    from verienv.numeric.navigation import DiscreteConfig as DiscreteConfig
    from verienv.numeric.navigation import VIRLDiscrete as VIRLDiscrete
    from verienv.numeric.text import TextTokens as TextTokens
    from verienv.numeric.tokens import GeneralPointsTokens as GeneralPointsTokens
    from verienv.numeric.tokens_config import TokensConfig as TokensConfig

_LAZY = {
    "DiscreteConfig": "navigation",
    "FormulaBuilder": "formula_builder",
    "GeneralPointsTokens": "tokens",
    "TextTokens": "text",
    "TokensConfig": "tokens_config",
    "VIRLDiscrete": "navigation",
}
__all__ = ["DiscreteConfig", "FormulaBuilder", "GeneralPointsTokens", "TextTokens", "TokensConfig", "VIRLDiscrete"]

__getattr__, __dir__ = on_first_use(__name__, _LAZY)
