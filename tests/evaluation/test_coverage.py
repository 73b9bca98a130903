"""How often intervals hold the truth, and how wide they are: the table of docs/statistics.md.

python -m pytest -m slow tests/evaluation/test_coverage.py -s
"""

from collections.abc import Iterator
from math import lgamma

import numpy as np
import pytest

from verienv.evaluation.intervals import paired_shares
from verienv.evaluation.statistics import Estimate, estimates, ratio_estimates

pytestmark = pytest.mark.slow

TRIALS = 2000
LEAST = 0.93
CLUSTERS = (10, 20, 50, 100, 500)
RATES = (0.0, 0.01, 0.05, 0.5, 1.0)
PAIRS = ((0, 0), (0.01, 0.01), (0.01, 0.05), (0.05, 0.05), (0.05, 0.5), (0.5, 0.5), (0.5, 1), (1, 1), (0, 1))
STRUCTURES = {
    "each on its own": ([1], 0.0),
    "five independent": ([5], 0.0),
    "five half correlated": ([5], 0.5),
    "five alike": ([5], 1.0),
    "1 to 20 independent": ([1, 1, 2, 2, 3, 4, 5, 9, 1, 20], 0.0),
    "1 to 20 half correlated": ([1, 1, 2, 2, 3, 4, 5, 9, 1, 20], 0.5),
    "1 to 20 alike": ([1, 1, 2, 2, 3, 4, 5, 9, 1, 20], 1.0),
}
"""By name: the sizes of clusters, over and over, and the correlation of two episodes of one."""


def draws(rng: np.random.Generator, index: np.ndarray, correlation: float, trials: int = TRIALS) -> np.ndarray:
    """Episodes x trials, even between 0 and 1: each with chance sqrt(correlation) its cluster's, else its own."""
    own, shared = rng.random((len(index), trials)), rng.random((index.max() + 1, trials))
    return np.where(rng.random(own.shape) < np.sqrt(correlation), shared[index], own)


def held(found: list[Estimate], truth: float) -> float:
    return float(np.mean([one.low <= truth + 1e-9 and truth - 1e-9 <= one.high for one in found]))


def width(found: list[Estimate]) -> float:
    return float(np.mean([one.high - one.low for one in found]))


@pytest.fixture(scope="module")
def told() -> Iterator[list[str]]:
    lines: list[str] = []
    yield lines
    print("\n\n" + "\n".join(lines))


def row(*cells: object) -> str:
    return f"| {' | '.join(f'{100 * cell:.1f}' if isinstance(cell, float) else str(cell) for cell in cells)} |"


@pytest.mark.parametrize("structure", STRUCTURES)
def test_shares_are_held(structure, told):
    sizes, correlation = STRUCTURES[structure]
    rng = np.random.default_rng(1)
    for clusters in CLUSTERS:
        index = np.repeat(np.arange(clusters), np.resize(sizes, clusters))
        u, names = draws(rng, index, correlation), [str(i) for i in index]
        shares = [held(estimates(u < rate, names), rate) for rate in RATES]
        told.append(row("share", structure, clusters, *shares))
        assert min(shares) >= LEAST, (structure, clusters, shares)


@pytest.mark.parametrize("alike", [False, True], ids=["two policies apart", "one drawn from the other"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_paired_differences_are_held(structure, alike, told):
    sizes, correlation = STRUCTURES[structure]
    rng = np.random.default_rng(2)
    for clusters in CLUSTERS:
        index = np.repeat(np.arange(clusters), np.resize(sizes, clusters))
        u, names = draws(rng, index, correlation), [str(i) for i in index]
        found = []
        for before, after in PAIRS:
            # The same draws, moved by a tenth of the rate: the policies agree but for about a tenth of successes.
            other = (u + 0.1 * before) % 1 if alike else draws(rng, index, correlation)
            difference = (other < after).astype(float) - (u < before)
            found.append(held(estimates(difference, names, paired=True), after - before))
        told.append(row("difference, alike" if alike else "difference", structure, clusters, *found))
        assert min(found) >= LEAST, (structure, clusters, dict(zip(PAIRS, found, strict=True)))


def attempts(u: np.ndarray, lengths: np.ndarray, rate: float, ending: bool) -> np.ndarray:
    """Attempts x routes x trials to counts, routes x trials x 2; ``ending`` routes end at their first wrong attempt."""
    right = (u < rate) & (np.arange(len(u))[:, None, None] < lengths[:, None])
    if not ending:
        return np.stack([right.sum(axis=0), np.broadcast_to(lengths[:, None], right.shape[1:])], axis=2)
    until = np.logical_and.accumulate(right, axis=0).sum(axis=0)
    return np.stack([until, np.minimum(until + 1, lengths[:, None])], axis=2)


def routes(rng: np.random.Generator, number: int, correlation: float, trials: int) -> np.ndarray:
    """Draws of 12 attempts: attempts x routes x trials; attempts of one route are correlated."""
    u = rng.random((12, number, trials))
    return np.where(rng.random(u.shape) < np.sqrt(correlation), u[:1], u)


LENGTHS = np.array([3, 5, 8, 12])


@pytest.mark.parametrize(
    ("correlation", "ending", "rates"),
    [
        (0.0, False, RATES),
        (0.5, False, RATES),
        (1.0, False, RATES),
        (0.0, True, RATES),
        # Below, nearly every route that is seen is one attempt long: none tells how long a right one is.
        (0.5, True, (0.5, 0.8, 0.95, 0.99, 1.0)),
    ],
)
def test_pooled_ratios_and_their_differences_are_held(correlation, ending, rates, told):
    rng, trials = np.random.default_rng(3), 1000
    pairs = PAIRS if rates is RATES else ((0.5, 0.5), (0.5, 0.8), (0.8, 0.8), (0.8, 0.95), (0.95, 0.99), (0.99, 1.0))
    many = np.resize(LENGTHS, 40_000)
    u = routes(rng, len(many), correlation, 1)
    truth = {}
    for rate in rates:
        counted, among = attempts(u, many, rate, True).sum(axis=(0, 1))
        truth[rate] = counted / among if ending else rate
    kind = f"attempts correlated {correlation}{', ended by a wrong one' if ending else ''}"
    for clusters in CLUSTERS:
        lengths, names = np.resize(LENGTHS, clusters), [str(i) for i in range(clusters)]
        one, other = routes(rng, clusters, correlation, trials), routes(rng, clusters, correlation, trials)
        shares, differences = [], []
        for rate in rates:
            shares.append(held(ratio_estimates(attempts(one, lengths, rate, ending), names), truth[rate]))
        for before, after in pairs:
            counts, minus = attempts(other, lengths, after, ending), attempts(one, lengths, before, ending)
            found = ratio_estimates(counts, names, minus=minus)
            differences.append(held(found, truth[after] - truth[before]))
        told.append(row("ratio", kind, clusters, *shares))
        told.append(row("difference of ratios", kind, clusters, *differences))
        assert min(shares + differences) >= LEAST, (clusters, shares, dict(zip(pairs, differences, strict=True)))


def exact_unconditional(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All outcomes (plus, minus) of n pairs with their exact unconditional intervals of the difference.

    Outcomes are ordered by the score statistic (Tango 1998), and a difference is kept where, for some share of minus,
    outcomes at least as extreme have a probability above 5%.
    """
    plus, minus = (part.ravel() for part in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
    plus, minus = plus[plus + minus <= n], minus[plus + minus <= n]
    factorial = np.array([lgamma(k + 1) for k in range(n + 1)])
    ways = factorial[n] - factorial[plus] - factorial[minus] - factorial[n - plus - minus]
    low, high = np.ones(len(plus)), -np.ones(len(plus))
    for difference in np.linspace(-1, 1, 401):
        b = (2 * n - plus + minus) * difference - plus - minus
        least = np.maximum(-difference, 0.0)
        root = np.sqrt(np.maximum(b**2 + 8 * n * minus * difference * (1 - difference), 0))
        q = np.maximum((root - b) / (4 * n), least)
        variance = n * np.maximum(2 * q + difference * (1 - difference), 1e-12)
        score = np.round(np.abs(plus - minus - n * difference) / np.sqrt(variance), 9)
        order = np.argsort(-score, kind="stable")
        ends = np.searchsorted(-score[order], -score, side="right") - 1
        found = np.zeros(len(plus))
        for share in np.linspace(least, (1 - difference) / 2, 60):
            parts = (share + difference, share, 1 - difference - 2 * share)
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = [
                    np.where(count > 0, count * np.log(max(part, 0.0)), 0.0)
                    for count, part in zip((plus, minus, n - plus - minus), parts, strict=True)
                ]
            found = np.maximum(found, np.cumsum(np.exp(ways + sum(logs))[order])[ends])
        kept = found > 0.05
        low, high = np.where(kept, np.minimum(low, difference), low), np.where(kept, np.maximum(high, difference), high)
    return plus, minus, low, high


@pytest.mark.parametrize("n", [10, 20, 50, 100])
def test_paired_differences_of_independent_pairs_are_hardly_wider_than_exact_ones(n, told):
    plus, minus, low, high = exact_unconditional(n)
    ours = paired_shares(plus, minus, n)
    logs = np.array([lgamma(k + 1) for k in range(n + 1)])
    ratios = []
    for before, after in PAIRS:
        gains, losses = after * (1 - before), before * (1 - after)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = [
                np.where(count > 0, count * np.log(part), 0.0)
                for count, part in ((plus, gains), (minus, losses), (n - plus - minus, 1 - gains - losses))
            ]
        chance = np.exp(logs[n] - logs[plus] - logs[minus] - logs[n - plus - minus] + sum(parts))
        ratios.append(float(chance @ (ours[1] - ours[0]) / (chance @ (high - low))))
    told.append(row("width over exact, differences", "each on its own", n, *ratios))
    assert max(ratios) <= 1.25, dict(zip(PAIRS, ratios, strict=True))
