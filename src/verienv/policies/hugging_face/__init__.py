"""A Hugging Face model as a policy. Its modules import torch and transformers: others import them in functions."""

from __future__ import annotations

from verienv.core.lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(__name__)[:2]
