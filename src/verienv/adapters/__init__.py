"""Adapters to training and evaluation libraries. Each module imports its library only inside what needs it."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
