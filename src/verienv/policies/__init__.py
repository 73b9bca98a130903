"""Policies: models on this machine, models behind a server, and baselines, each a callable for ``verienv.evaluate``.

from verienv import evaluate
from verienv.policies import load
print(evaluate(load("tiny-vlm"), "verienv/GeneralPoints-VL-v0", episodes=50))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verienv.core.lazy import lazy_attributes

if TYPE_CHECKING:
    from verienv.policies.baselines import BASELINES as BASELINES
    from verienv.policies.by_name import load as load
    from verienv.policies.hugging_face.policy import HuggingFacePolicy as HuggingFacePolicy
    from verienv.policies.hugging_face.sampling import Sampling as Sampling
    from verienv.policies.server import OpenAIPolicy as OpenAIPolicy

__getattr__, __dir__, __all__ = lazy_attributes(
    __name__,
    {
        "baselines": ("BASELINES",),
        "by_name": ("load",),
        "hugging_face.policy": ("HuggingFacePolicy",),
        "hugging_face.sampling": ("Sampling",),
        "server": ("OpenAIPolicy",),
    },
)
