"""Vector environments in arrays over the numeric environments: many episodes stepped together on one core."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
