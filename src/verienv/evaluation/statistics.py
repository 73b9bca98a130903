"""Intervals for results that come in clusters: Wilson, and the cluster bootstrap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan, sqrt
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

RESAMPLES = 2000
FEWEST_CLUSTERS = 6
"""The fewest clusters of an interval.

With fewer not even a sign test that always comes out one way excludes chance at 95%: 2 / 2**5 > 0.05.
"""

_Z = 1.959963984540054  # the standard normal's 97.5% point
_CHUNK = 4_000_000

Number = Annotated[float, BeforeValidator(lambda value: nan if value is None else value)]
"""A float whose NaN is null in JSON."""


class Estimate(NamedTuple):
    """A mean and its 95% interval; NaN where the data cannot give it."""

    mean: Number
    low: Number
    high: Number


def wilson(successes: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95% score interval for ``successes`` of ``n`` independent trials; NaN for none."""
    if n == 0:
        return nan, nan
    share, spread = successes / n, _Z * _Z / n
    centre = (share + spread / 2) / (1 + spread)
    half = _Z * sqrt(share * (1 - share) / n + spread / n / 4) / (1 + spread)
    # At the ends rounding would leave 1e-17 where the interval holds 0 or 1 exactly.
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def estimates(
    values: NDArray[Any], clusters: Sequence[str], *, paired: bool = False, resamples: int = RESAMPLES
) -> list[Estimate]:
    """Estimate the mean of each column of ``values`` with its 95% interval.

    Args:
        values: episodes x metrics.
        clusters: the cluster of each episode. Episodes of one cluster are not independent, clusters are.
        paired: whether the values are differences, which are no proportions even if all happen to be 0 or 1.
        resamples: the number of resamples of whole clusters, drawn with a fixed seed: the same data give the same
            interval.

    Returns:
        One Estimate per column. The interval is the percentile interval of the cluster bootstrap, with two
        exceptions for columns of zeros and ones: where each cluster occurs once it is Wilson's; and where every
        episode came out alike, which leaves the bootstrap nothing to vary, it is Wilson's with each *cluster*
        counted once. With fewer than 6 clusters there is no bootstrap interval.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) != len(clusters):
        raise ValueError(f"values of shape {values.shape} with {len(clusters)} clusters: expected episodes x metrics")
    if not len(values):
        return [Estimate(nan, nan, nan)] * values.shape[1]
    names, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    counts = np.bincount(index)
    means = values.mean(axis=0)
    lows, highs = _bootstrap(values, index, counts, resamples)
    found = []
    for column, mean in enumerate(means):
        low, high = lows[column], highs[column]
        data = values[:, column]
        if not paired and np.isin(data, (0.0, 1.0)).all() and (len(names) == len(data) or mean in (0.0, 1.0)):
            low, high = wilson(round(mean * len(names)), len(names))
        found.append(Estimate(float(mean), float(low), float(high)))
    return found


def ratio_estimates(
    counts: NDArray[Any],
    clusters: Sequence[str],
    *,
    minus: NDArray[Any] | None = None,
    resamples: int = RESAMPLES,
) -> list[Estimate]:
    """Estimate shares pooled over all episodes, each the ratio of two sums, with their 95% intervals.

    Args:
        counts: episodes x ratios x 2: the number that was counted, and the number among which.
        clusters: the cluster of each episode, as for ``estimates``.
        minus: the counts of the same episodes played in another way. Then the differences of the ratios are
            estimated, counts minus these, and each resample holds the same clusters on both sides.
        resamples: as for ``estimates``.

    Returns:
        One Estimate per ratio: NaN where nothing could be counted, and otherwise the percentile interval of the
        cluster bootstrap over the resamples in which something could. Where all or none were counted, which leaves it
        nothing to vary, it is Wilson's with each cluster counted once. With fewer than 6 clusters in which something
        could be counted there is no bootstrap interval.
    """
    sides = np.stack([counts] if minus is None else [counts, minus], axis=1).astype(float)
    if sides.ndim != 4 or sides.shape[3] != 2 or len(sides) != len(clusters):
        raise ValueError(
            f"counts of shape {np.shape(counts)} with {len(clusters)} clusters: expected episodes x ratios x 2"
        )
    if not len(sides):
        return [Estimate(nan, nan, nan)] * sides.shape[2]
    names, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.zeros((len(names), *sides.shape[1:]))
    np.add.at(sums, index, sides)
    telling = (sums[..., 1] > 0).sum(axis=0).min(axis=0)
    means = _ratio(sums.sum(axis=0))
    resampled = np.concatenate([_ratio(np.tensordot(drawn, sums, 1)) for drawn in _draws(len(names), resamples)])
    found = []
    for column, mean in enumerate(means):
        low, high = nan, nan
        if minus is None and mean in (0.0, 1.0):
            low, high = wilson(round(mean * telling[column]), int(telling[column]))
        elif telling[column] >= FEWEST_CLUSTERS:
            low, high = np.nanpercentile(resampled[:, column], (2.5, 97.5))
        found.append(Estimate(float(mean), float(low), float(high)))
    return found


def _ratio(sums: NDArray[Any]) -> NDArray[Any]:
    """Return the ratio or, of two sides, the difference: ... x sides x ratios x 2 to ... x ratios; NaN among none."""
    with np.errstate(invalid="ignore"):
        found = sums[..., 0] / sums[..., 1]
    return np.asarray(found[..., 0, :] if found.shape[-2] == 1 else found[..., 0, :] - found[..., 1, :])


def _draws(groups: int, resamples: int) -> Iterator[NDArray[Any]]:
    """Yield the number of draws of each cluster, resamples x groups, in chunks; fixed by ``groups`` alone."""
    rng = np.random.default_rng(20250127)
    chances = np.full(groups, 1 / groups)
    for start in range(0, resamples, step := max(1, _CHUNK // groups)):
        yield rng.multinomial(groups, chances, size=min(step, resamples - start))


def _bootstrap(
    values: NDArray[Any], index: NDArray[Any], counts: NDArray[Any], resamples: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the 2.5% and 97.5% points of the mean over resampled clusters, from the sums of each cluster."""
    groups, columns = len(counts), values.shape[1]
    if groups < FEWEST_CLUSTERS:
        return np.full(columns, nan), np.full(columns, nan)
    sums = np.stack([np.bincount(index, weights=values[:, column]) for column in range(columns)], axis=1)
    means = [drawn @ sums / (drawn @ counts)[:, None] for drawn in _draws(groups, resamples)]
    low, high = np.percentile(np.concatenate(means), (2.5, 97.5), axis=0)
    return low, high
