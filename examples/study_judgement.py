"""Judgement of a study's effects: corrected p values, words, power, and the starts that a study needs.

Effects are shares: 0.05 is 5 points. docs/statistics.md says how the words are chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import erf, isnan, lgamma, log, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from study_statistics import Effect
from verienv.evaluation.intervals import t_squared

SMALLEST = 0.05
"""Smallest effect of interest: 5 points of success."""
POWER = 0.8
MOST_STARTS = 1000


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Return the p values of a family corrected for their number.

    With those below 0.05 as findings, the chance of any false one in the family is at most 5% (Holm 1979, Scandinavian
    Journal of Statistics 6, 65-70). NaN, of what could not be tested, stays NaN and does not count.
    """
    order = sorted((name for name in p if not isnan(p[name])), key=lambda name: p[name])
    found, largest = dict.fromkeys(p, nan), 0.0
    for rank, name in enumerate(order):
        largest = max(largest, min((len(order) - rank) * p[name], 1.0))
        found[name] = largest
    return found


def judge(found: Effect, p: float | None = None, smallest: float = SMALLEST) -> str:
    """Say what an effect's interval shows: "shown", "no difference" or "not resolved", then the numbers.

    Shown is what excludes 0 and, where ``p`` is given (from ``holm``), also has p < 0.05. No difference is what lies
    within ``smallest`` of 0 as a whole. The rest is not resolved, with the starts that would.
    """
    alone = ", of this start alone" if len(found.starts) == 1 else ""
    if isnan(found.low):
        return f"not resolved{alone}: no interval"
    numbers = f"{100 * found.mean:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f}){alone}"
    excludes = found.low > 0 or found.high < 0
    is_small = -smallest < found.low and found.high < smallest
    if excludes and (p is None or p < 0.05):
        small = f", smaller than {100 * smallest:g} points" if is_small else ""
        return f"shown: {'higher' if found.mean > 0 else 'lower'}{small}: {numbers}"
    if is_small:
        return f"no difference of {100 * smallest:g} points: {numbers}"
    why = "; its own interval excludes 0, but not among so many" if excludes else ""
    return f"not resolved: {numbers}{why}; {_needed(found, smallest)}"


def _needed(found: Effect, smallest: float) -> str:
    aim = f"{100 * POWER:g}% power at {100 * smallest:g} points"
    if len(found.starts) < 2:
        return f"from one start it cannot be told how many would give {aim}"
    between = float(np.std([np.mean(each) for each in found.starts.values()], ddof=1))
    starts = starts_needed(smallest, between, shared=found.shared)
    if starts is None:
        return f"no number of starts with these items gives {aim}: take more items"
    if starts <= len(found.starts):
        return f"its starts are enough for {aim}"
    return f"about {starts} starts give {aim}"


def spread(found: Effect) -> tuple[float, float]:
    """Return the standard deviations of an effect between starts and between the seeds of a start.

    The first is without what the seeds add to it, at least 0; the second is NaN where no start has two seeds.
    """
    means = [float(np.mean(each)) for each in found.starts.values()]
    several = [each for each in found.starts.values() if len(each) > 1]
    total = float(np.var(means, ddof=1)) if len(means) > 1 else nan
    if not several:
        return sqrt(total), nan
    degrees = sum(len(each) - 1 for each in several)
    within = sum(float(np.var(each)) * len(each) for each in several) / degrees
    noise = within * float(np.mean([1 / len(each) for each in found.starts.values()]))
    return (sqrt(max(total - noise, 0.0)) if total == total else nan), sqrt(within)


def power(
    effect: float, starts: int, between: float, within: float = 0.0, seeds: int = 1, shared: float = 0.0
) -> float:
    """Return the chance that the two-sided test over ``starts`` at 5% finds a true ``effect``.

    Args:
        between: the standard deviation of the effect between starts.
        within: that between the seeds of a start, their items' chance included.
        seeds: how many a start.
        shared: the standard error that the items give to all starts alike (``Effect.shared``).

    The chance is the normal's two tails over the chi density of the spread that will be seen; without ``shared`` it is
    that of a noncentral t.
    """
    own = (between**2 + within**2 / seeds) / starts
    error = sqrt(own + shared**2)
    if starts < 2 or error == 0:
        return nan
    degrees, shift = starts - 1, effect / error
    low, high = max(sqrt(degrees) - 8.0, 0.0), sqrt(degrees) + 8.0
    chi = (np.arange(4000) + 0.5) / 4000 * (high - low) + low
    logs = (degrees - 1) * np.log(chi) - chi**2 / 2 - (degrees / 2 - 1) * log(2) - lgamma(degrees / 2)
    density = np.exp(logs) * (high - low) / 4000
    borders = np.sqrt(t_squared(degrees) * (own * chi**2 / degrees + shared**2)) / error
    tails = [0.5 * (2 + erf((shift - x) / sqrt(2)) + erf((-shift - x) / sqrt(2))) for x in borders]
    return float(density @ tails)


def starts_needed(
    effect: float, between: float, within: float = 0.0, seeds: int = 1, shared: float = 0.0
) -> int | None:
    """Return the fewest starts, from 2, that give a power of 80% at ``effect``; None if MOST_STARTS do not."""
    low, high = 1, MOST_STARTS
    if power(effect, high, between, within, seeds, shared) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, between, within, seeds, shared) >= POWER else (middle, high)
    return high


def detectable(starts: int, between: float, within: float = 0.0, seeds: int = 1, shared: float = 0.0) -> float:
    """Return the smallest true effect that ``starts`` find with a power of 80%, a share; the arguments of ``power``."""
    low, high = 0.0, 100 * sqrt(between**2 + within**2 / seeds + shared**2)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, starts, between, within, seeds, shared) >= POWER else (middle, high)
    return high


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Return Spearman's rank correlation, tied values having their mean rank; NaN where a side has one value only."""
    ranks = [_ranks(each) for each in (one, other)]
    if any(np.ptp(each) == 0 for each in ranks):
        return nan
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(numbers: ArrayLike) -> Sequence[float]:
    _, index, counts = np.unique(np.asarray(numbers, dtype=float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return [float(x) for x in (last - (counts - 1) / 2)[index]]
