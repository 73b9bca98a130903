"""Exact 95% intervals of shares, the rule that makes intervals of differences from them, and Student's t.

numpy alone: the beta distribution comes from its continued fraction. Everything takes arrays.
"""

from __future__ import annotations

from math import lgamma
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

Z = 1.959963984540054
"""The standard normal's 97.5% point."""

_TAIL = 0.025
_TINY = 1e-300
_MOST_STEPS = 100
_MOST_TERMS = 20_000  # the fraction takes about the root of the larger parameter

_log_gamma = np.vectorize(lgamma, otypes=[float])


def beta_quantile(share: ArrayLike, a: ArrayLike, b: ArrayLike) -> Array:
    """Return the points below which a Beta(a, b) variable lies with probability ``share``; a, b > 0."""
    share, a, b = (np.asarray(each, dtype=float) for each in np.broadcast_arrays(share, a, b))
    scale = _log_gamma(a + b) - _log_gamma(a) - _log_gamma(b)
    low, high = np.zeros_like(a), np.ones_like(a)
    x, done = _near_beta_quantile(share, a, b), np.zeros(a.shape, dtype=bool)
    for _ in range(_MOST_STEPS):
        excess = _beta_probability(x, a, b, scale) - share
        low, high = np.where(excess < 0, x, low), np.where(excess < 0, high, x)
        with np.errstate(all="ignore"):
            newton = excess / np.exp(scale + (a - 1) * np.log(x) + (b - 1) * np.log1p(-x))
            bend = np.clip(newton * ((a - 1) / x - (b - 1) / (1 - x)), -1.0, 1.0)
            step = x - newton / (1 - bend / 2)
        step = np.where((step > low) & (step < high), step, (low + high) / 2)  # Halley's, or half the way
        found, x = np.abs(step - x) <= 1e-14 * x, np.where(done, x, step)
        done |= found  # and what is found stays, so that a point does not depend on those beside it
        if done.all():
            break
    return np.asarray(x)


def _near_beta_quantile(share: Array, a: Array, b: Array) -> Array:
    """Return points near the quantiles, to begin from (Abramowitz and Stegun, 26.2.22 and 26.5.22)."""
    with np.errstate(all="ignore"):
        t = np.sqrt(-2 * np.log(np.minimum(share, 1 - share)))
        z = (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t**2) - t
        z = np.where(share < 0.5, -z, z)
        one, other = 1 / (2 * a - 1), 1 / (2 * b - 1)
        h, k = 2 / (one + other), (z**2 - 3) / 6
        w = z * np.sqrt(h + k) / h - (other - one) * (k + 5 / 6 - 2 / (3 * h))
        near = a / (a + b * np.exp(2 * w))
        # With a parameter of at most 1 the density is nearly a power, at each end its own.
        left, right = (a / (a + b)) ** a / a, (b / (a + b)) ** b / b
        whole = left + right
        powers = np.where(
            share * whole < left, (a * whole * share) ** (1 / a), 1 - (b * whole * (1 - share)) ** (1 / b)
        )
        near = np.where((a > 1) & (b > 1), near, powers)
    return np.asarray(np.where((near > 0) & (near < 1), near, a / (a + b)))


def _beta_probability(x: Array, a: Array, b: Array, scale: Array) -> Array:
    """Return the regularised incomplete beta function for 0 < x < 1 by Lentz's method (Numerical Recipes, 6.4)."""
    swapped = x > (a + 1) / (a + b + 2)
    a, b, x = np.where(swapped, b, a), np.where(swapped, a, b), np.where(swapped, 1 - x, x)
    c, d = np.ones_like(x), 1 / _away_from_0(1 - (a + b) * x / (a + 1))
    found, done = d, np.zeros(x.shape, dtype=bool)
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _away_from_0(1 + term * d), _away_from_0(1 + term / c)
            found = np.where(done, found, found * d * c)
        done |= ~(np.abs(d * c - 1) > 1e-13)
        if done.all():
            break
    with np.errstate(divide="ignore", under="ignore"):
        found = np.exp(scale + a * np.log(x) + b * np.log1p(-x)) * found / a
    return np.asarray(np.where(swapped, 1 - found, found))


def _away_from_0(numbers: Array) -> Array:
    return np.where(np.abs(numbers) < _TINY, _TINY, numbers)


def t_squared(degrees: ArrayLike) -> Array:
    """Return the square of the 97.5% point of Student's t, for any real degrees of freedom; infinite for none."""
    degrees = np.asarray(degrees, dtype=float)
    some = degrees > 0.05  # below, the point is beyond 1e15
    x = beta_quantile(2 * _TAIL, np.where(some, degrees, 1.0) / 2, 0.5)
    return np.asarray(np.where(some, degrees * (1 - x) / x, np.inf))


def t_probability(t: ArrayLike, degrees: ArrayLike) -> Array:
    """Return the chance of a Student's t at least as far from 0 as ``t`` (the two-sided p value); ``degrees`` > 0.

    It is the regularised incomplete beta function of degrees / (degrees + t squared) (Abramowitz and Stegun, 26.7.1).
    """
    t, degrees = (np.asarray(each, dtype=float) for each in np.broadcast_arrays(t, degrees))
    x = degrees / (degrees + t**2)
    a, b = degrees / 2, np.full_like(degrees, 0.5)
    inside = (x > 0) & (x < 1)
    scale = _log_gamma(a + b) - _log_gamma(a) - _log_gamma(b)
    found = _beta_probability(np.where(inside, x, 0.5), a, b, scale)
    return np.asarray(np.where(np.isnan(t), np.nan, np.where(inside, found, x)))


def clopper_pearson(successes: ArrayLike, trials: ArrayLike) -> tuple[Array, Array]:
    """Return the exact 95% interval (Clopper and Pearson 1934) for ``successes`` of ``trials``; neither need be whole.

    NaN where there are no trials.
    """
    x, n = (np.asarray(each, dtype=float) for each in np.broadcast_arrays(successes, trials))
    some = n > 0
    x, n = np.where(some, x, 0.0), np.where(some, n, 1.0)
    # The upper bound of the successes is what the lower bound of the failures leaves.
    rarer = np.stack([x, n - x])
    low, of_failures = np.where(rarer > 0, beta_quantile(_TAIL, np.where(rarer > 0, rarer, 1.0), n - rarer + 1), 0.0)
    return np.where(some, low, np.nan), np.where(some, 1.0 - of_failures, np.nan)


def square_and_add(
    one: tuple[Array, Array, Array], other: tuple[Array, Array, Array], correlation: ArrayLike = 0.0
) -> tuple[Array, Array]:
    """Return the interval of a difference, one - other, from (share, low, high) of each.

    The distances from the shares to their bounds are squared and added (Newcombe 1998, Statistics in Medicine 17,
    873-890, method 10; Zou and Donner 2008), less twice their product times the ``correlation`` of the two shares. The
    bounds are those of differences of shares, -1 and 1, at most.
    """
    correlation = np.asarray(correlation, dtype=float)

    def reach(down: Array, up: Array) -> Array:
        return np.asarray(np.sqrt(np.maximum(down**2 + up**2 - 2 * correlation * down * up, 0.0)))

    (p, p_low, p_high), (q, q_low, q_high) = one, other
    low, high = p - q - reach(p - p_low, q_high - q), p - q + reach(p_high - p, q - q_low)
    return np.asarray(np.maximum(low, -1.0)), np.asarray(np.minimum(high, 1.0))


def paired_shares(plus: ArrayLike, minus: ArrayLike, pairs: ArrayLike) -> tuple[Array, Array]:
    """Return the interval of the difference of two shares, of ``pairs`` of which ``plus`` and ``minus`` are discordant.

    The shares of plus and of minus, each with its exact interval, are parts of one whole, so that they are correlated;
    their correlation is taken with half a pair more of each, which keeps the interval honest where one does not occur.
    """
    x, y, n = (np.asarray(each, dtype=float) for each in np.broadcast_arrays(plus, minus, pairs))
    p, q = (x + 0.5) / (n + 1), (y + 0.5) / (n + 1)
    correlation = -np.minimum(np.sqrt(p * q / ((1 - p) * (1 - q))), 1.0)
    low, high = clopper_pearson(np.stack([x, y]), n)
    return square_and_add((x / n, low[0], high[0]), (y / n, low[1], high[1]), correlation)
