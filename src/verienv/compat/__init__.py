"""Faces for code that was written for other people's environments; each is imported by its own name.

``verienv.compat.paper``: for the code of *SFT Memorizes, RL Generalizes* (arXiv 2501.17161).
"""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__, _ = lazy_attributes(__name__)
