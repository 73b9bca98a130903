"""Numeric environments: what libraries of classic reinforcement learning accept, over the environments in text.

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.core.lazy import lazy_attributes

if TYPE_CHECKING:
    from verienv.numeric.formula_builder import FormulaBuilder as FormulaBuilder
    from verienv.numeric.navigation import DiscreteConfig as DiscreteConfig
    from verienv.numeric.navigation import VIRLDiscrete as VIRLDiscrete
    from verienv.numeric.text import TextTokens as TextTokens
    from verienv.numeric.tokens import GeneralPointsTokens as GeneralPointsTokens
    from verienv.numeric.tokens_config import TokensConfig as TokensConfig
    from verienv.numeric.vectors.making import make_vec as make_vec
    from verienv.numeric.vectors.navigation import VIRLDiscreteVector as VIRLDiscreteVector
    from verienv.numeric.vectors.tokens import GeneralPointsTokensVector as GeneralPointsTokensVector

__getattr__, __dir__, __all__ = lazy_attributes(
    __name__,
    {
        "formula_builder": ("FormulaBuilder",),
        "navigation": ("DiscreteConfig", "VIRLDiscrete"),
        "text": ("TextTokens",),
        "tokens": ("GeneralPointsTokens",),
        "tokens_config": ("TokensConfig",),
        "vectors.making": ("make_vec",),
        "vectors.navigation": ("VIRLDiscreteVector",),
        "vectors.tokens": ("GeneralPointsTokensVector",),
    },
)
