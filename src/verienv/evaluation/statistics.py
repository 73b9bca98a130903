"""Estimates from results that come in clusters, with 95% intervals that stay honest at the ends of the scale.

Shares have the exact interval of Clopper and Pearson for an effective number of trials (Korn and Graubard 1998, Survey
Methodology 24, 193-201): the episodes, fewer the more alike those of a cluster are. Differences of shares are made from
such intervals (``intervals.square_and_add``); other means have Student's. ``docs/statistics.md`` says why, and how
often the intervals hold the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, sqrt
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from verienv.evaluation.intervals import Z, clopper_pearson, paired_shares, square_and_add, t_squared

Array = NDArray[Any]

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
    share, spread = successes / n, Z * Z / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / n + spread / n / 4) / (1 + spread)
    # At the ends rounding would leave 1e-17 where the interval holds 0 or 1 exactly.
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def estimates(
    values: Array, clusters: Sequence[str], *, paired: bool = False, shares: Sequence[bool] | None = None
) -> list[Estimate]:
    """Estimate the mean of each column of ``values`` with its 95% interval.

    Args:
        values: episodes x metrics.
        clusters: the cluster of each episode. Episodes of one cluster are not independent, clusters are.
        paired: whether the values are differences, after minus before.
        shares: for each column, whether its values are shares: by their meaning between 0 and 1, or, paired, between -1
            and 1. By default those that hold nothing but 0 and 1 (and -1) are.

    Returns:
        One Estimate per column. The interval of a share is never empty: where every episode came out alike, each
        cluster counts as one trial. Another mean has Student's interval with the jackknife's variance over clusters,
        and none (NaN) where all values, or all clusters, are one: how far the next may lie they do not tell.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) != len(clusters):
        raise ValueError(f"values of shape {values.shape} with {len(clusters)} clusters: expected episodes x metrics")
    if not len(values):
        return [Estimate(nan, nan, nan)] * values.shape[1]
    index = _index(clusters)
    whole = np.asarray(np.isin(values, (-1.0, 0.0, 1.0) if paired else (0.0, 1.0)).all(axis=0))
    bounded = (np.abs(values) <= 1).all(axis=0) if paired else ((values >= 0) & (values <= 1)).all(axis=0)
    is_share = whole if shares is None else bounded & np.asarray(shares, dtype=bool)
    low, high = _student(values, index)
    if is_share.any():
        chosen = values[:, is_share]
        parts = [np.maximum(chosen, 0.0), np.maximum(-chosen, 0.0)]
        sums = np.stack([_sums(part, index) for part in (*parts, 1.0 - np.abs(chosen))])
        low[is_share], high[is_share] = _mean_of_shares(sums, whole[is_share], paired)
    return _told(values.mean(axis=0), low, high)


def ratio_estimates(counts: Array, clusters: Sequence[str], *, minus: Array | None = None) -> list[Estimate]:
    """Estimate shares pooled over all episodes, each the ratio of two sums, with their 95% intervals.

    Args:
        counts: episodes x ratios x 2: the number that was counted, and the number among which.
        clusters: the cluster of each episode, as for ``estimates``.
        minus: the counts of the same episodes played in another way. Then the differences of the ratios are
            estimated, counts minus these.

    Returns:
        One Estimate per ratio: NaN where nothing could be counted. Where all or none were counted, each cluster in
        which something could be counts as one trial.
    """
    sides = np.stack([counts] if minus is None else [counts, minus], axis=0).astype(float)
    if sides.ndim != 4 or sides.shape[3] != 2 or sides.shape[1] != len(clusters):
        raise ValueError(
            f"counts of shape {np.shape(counts)} with {len(clusters)} clusters: expected episodes x ratios x 2"
        )
    if not sides.shape[1]:
        return [Estimate(nan, nan, nan)] * sides.shape[2]
    index = _index(clusters)
    found = [_Ratio(_sums(side[..., 0], index), _sums(side[..., 1], index)) for side in sides]
    if minus is None:
        [one] = found
        low, high = clopper_pearson(one.share * one.trials, one.trials)
        mean = one.share
    else:
        one, other = found
        mean = one.share - other.share
        low, high = _difference_of_ratios(one, other)
    return _told(mean, low, high)


def unpaired(one: Estimate, other: Estimate) -> Estimate:
    """Estimate the difference of two shares that were measured apart, one - other: Newcombe's hybrid score method."""
    low, high = square_and_add(
        *((np.asarray(side.mean), np.asarray(side.low), np.asarray(side.high)) for side in (one, other))
    )
    return Estimate(one.mean - other.mean, float(low), float(high))


def _told(*columns: Array) -> list[Estimate]:
    """Return the Estimates; NaN is always the one ``nan``, so that equal results compare as equal."""
    return [
        Estimate(*(nan if np.isnan(each) else float(each) for each in found)) for found in zip(*columns, strict=True)
    ]


def _index(clusters: Sequence[str]) -> Array:
    return np.unique(np.asarray(clusters, dtype=str), return_inverse=True)[1]


def _sums(values: Array, index: Array) -> Array:
    """Add up the rows of each cluster: episodes x columns to clusters x columns."""
    sums = np.zeros((int(index.max()) + 1, values.shape[1]))
    np.add.at(sums, index, values)
    return sums


def _jackknife(without: Array, whole: Array) -> Array:
    """Return the variances of estimates from those without each cluster, clusters x columns; infinite where unknown."""
    clusters = len(without)
    found = (clusters - 1) / clusters * ((without - whole) ** 2).sum(axis=0)
    return np.where(np.isnan(found) | (clusters < 2), np.inf, found)


def _without_each(numbers: Array, among: Array) -> Array:
    """Return the ratio of sums without each cluster: clusters x columns, twice, to the same; NaN where none is left."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((numbers.sum(axis=0) - numbers) / (among.sum(axis=0) - among))


def _student(values: Array, index: Array) -> tuple[Array, Array]:
    """Return Student's intervals of means; the variance is at least that of independent episodes."""
    sizes = np.bincount(index)[:, None].astype(float)
    mean, clusters = values.mean(axis=0), len(sizes)
    if clusters < 2:
        return np.full(len(mean), nan), np.full(len(mean), nan)
    variance = _jackknife(_without_each(_sums(values, index), sizes), mean)
    variance = np.maximum(variance, values.var(axis=0) / (len(values) - 1))
    reach = np.sqrt(variance * t_squared(clusters - 1))
    reach = np.where(reach > 1e-12 * np.abs(values).max(axis=0), reach, nan)
    return mean - reach, mean + reach


def _mean_of_shares(sums: Array, whole: Array, paired: bool) -> tuple[Array, Array]:
    """Return the intervals of means of shares, or of their differences.

    ``sums`` are outcomes (plus, minus, nothing) x clusters x columns; the columns that are ``whole`` hold only whole
    outcomes.
    """
    plus, minus, _ = sums.sum(axis=1) / sums.sum(axis=(0, 1))
    among = sums.sum(axis=0)
    variance = _jackknife(_without_each(sums[0] - sums[1], among), plus - minus)
    # Whole outcomes vary as much as trials do, others less, though never so little that it excludes what was not seen.
    least = np.where(whole, 1.0, np.minimum(2 / len(among), 1.0))
    spread = plus + minus - (plus - minus) ** 2
    trials = _trials(sums, variance, spread, least)[0]
    if paired:
        return paired_shares(plus * trials, minus * trials, trials)
    return clopper_pearson(plus * trials, trials)


def _trials(sums: Array, variance: Array, spread: Array, least: Array | float = 1.0) -> tuple[Array, Array]:
    """Return to how many independent trials the clusters amount, and the factor for the variance's own uncertainty.

    Args:
        sums: outcomes x clusters x columns.
        variance: of the estimate, from the clusters.
        spread: the variance of one trial.
        least: the least design effect.

    The design effect (the variance over that of as many trials) lies between 1 and the size of a cluster: of one that
    holds an average episode, or of one that holds an average episode of the rarer outcomes, whichever is larger. How
    well it is known depends on the clusters that hold rarer outcomes: the factor is Student's with as many degrees of
    freedom (Satterthwaite's number of them, less two). With two of them or fewer all are taken as alike.
    """
    among = sums.sum(axis=0)
    total = among.sum(axis=0)
    commonest = sums.sum(axis=1).argmax(axis=0)
    rarer = among - np.take_along_axis(sums, commonest[None, None, :], axis=0)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = np.nan_to_num((rarer**2).sum(axis=0) ** 2 / (rarer**4).sum(axis=0)) - 2
        size = np.fmax((among**2).sum(axis=0) / total, (rarer * among).sum(axis=0) / rarer.sum(axis=0))
        factor = t_squared(degrees) / Z**2
        effect = np.clip(np.nan_to_num(variance * factor / (spread / total), nan=np.inf), least, size)
        return np.where(spread > 0, total / effect, (among > 0).sum(axis=0)), np.where(spread > 0, factor, 1.0)


class _Ratio:
    """A share pooled over episodes: sums by cluster, clusters x columns, and to how many trials they amount."""

    def __init__(self, counted: Array, among: Array) -> None:
        self.without = _without_each(counted, among)
        with np.errstate(invalid="ignore"):
            self.share = counted.sum(axis=0) / among.sum(axis=0)
        variance, spread = _jackknife(self.without, self.share), self.share * (1 - self.share)
        self.trials, self.factor = _trials(np.stack([counted, among - counted]), variance, spread)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.deviation = np.sqrt(spread / self.trials)


def _difference_of_ratios(one: _Ratio, other: _Ratio) -> tuple[Array, Array]:
    """Return the intervals of differences of ratios, one - other.

    The pairs of attempts are not known, only how much the difference varies: it counts as that of as many pairs as
    the side with fewer trials has, of which so many are discordant that the difference varies as much.
    """
    mean = one.share - other.share
    known = _jackknife(one.without - other.without, mean)
    trials = np.minimum(one.trials, other.trials)
    with np.errstate(invalid="ignore", divide="ignore"):
        most = (one.deviation + other.deviation) ** 2
        variance = np.fmin(known * np.maximum(one.factor, other.factor), most)
        trials = np.where(variance > 0, np.fmin(trials, np.fmax((1 - mean**2) / variance, 1.0)), trials)
        discordant = np.clip(trials * variance + mean**2, np.abs(mean), 1.0)
    plus, minus = ((discordant + sign * mean) / 2 * trials for sign in (1, -1))
    return paired_shares(plus, minus, trials)
