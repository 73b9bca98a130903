"""Colours, markers and lengths that the figures of evaluations share."""

from __future__ import annotations

from math import isnan
from textwrap import fill

from verienv.evaluation.statistics import Estimate

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444")
"""Colours, one for each: Okabe and Ito's, which the colour-blind distinguish too."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Markers, one for each evaluation."""


def wrapped(name: str, width: int = 24) -> str:
    """Return a name in lines of at most ``width`` characters."""
    return fill(name, width)


def reach(estimate: Estimate) -> list[list[float]]:
    """Return the reach of the interval below and above the mean, in percent; 0 where it is not known."""
    parts = (estimate.mean - estimate.low, estimate.high - estimate.mean)
    return [[0.0 if isnan(part) else 100 * max(part, 0.0)] for part in parts]
