"""Streets, drawn from a city's network and places."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
