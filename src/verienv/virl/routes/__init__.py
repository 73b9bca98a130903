"""Routes through a city: plans, the expert's path, instructions, and drawing one."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
