"""The world: cities, their streets and places, and where houses stand."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
