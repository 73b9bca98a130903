"""Walking freely through the streets of a route's city: moves, the expert from anywhere, and measures of a walk."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
