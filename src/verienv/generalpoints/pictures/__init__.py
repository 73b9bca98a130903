"""Pictures of hands: decks, cards, the table they lie on, and the named visuals."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
