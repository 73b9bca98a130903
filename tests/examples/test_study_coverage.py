"""How often the study's intervals hold the truth, in a study's own shape: the table of docs/statistics.md.

python -m pytest -m slow tests/examples/test_study_coverage.py -s
"""

from math import erf, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from study_judgement import holm
from study_statistics import matched, over_starts, slopes
from verienv.evaluation.intervals import t_probability

pytestmark = pytest.mark.slow

STUDIES, STARTS, SEEDS = 400, 10, 3
LEAST = 0.93
ITEMS = {"matching": (512, 100), "ood": (1024, 300)}
"""The items of a cell, and the clusters that they fall into."""
GROWTH = np.array([0, 0.3, 0.6, 0.85, 1.0])
"""An effect on OOD success at the start and four checkpoints, as a share of that at the end."""
SHAPES = {
    "gains without end": (
        [[0, 0.03, 0.07, 0.095, 0.11], [0, 0.025, 0.06, 0.10, 0.11]],
        [0, -0.01, -0.02, -0.03, -0.04],
    ),
    "gains that end": ([[0, 0.06, 0.09, 0.10, 0.102], [0, 0.05, 0.08, 0.092, 0.095]], [0, -0.01, -0.02, -0.04, -0.07]),
    "gains that are lost": (
        [[0, 0.05, 0.08, 0.07, 0.05], [0, 0.03, 0.06, 0.08, 0.09]],
        [0, -0.01, -0.02, -0.04, -0.06],
    ),
}
"""By name: the mean gain of RL and of SFT, and the change of OOD success under both, without an effect."""
EFFECTS = (0.0, 0.04)
VARIANCES = {"cluster": 0.15, "item": 0.15, "start": 0.15, "arm": 0.05, "run": 0.1, "answer": 0.4}
"""Parts of an answer's latent variance: of the cluster and the item, of the item by start, arm and run, and its own."""

_probability = np.vectorize(lambda level: (1 + erf(level / sqrt(2))) / 2)
_level = np.vectorize(NormalDist().inv_cdf)


def success(rng, shape, effect, starts, spread=0.03):
    """The true success in matching and OOD cells, each starts x seeds x arms x points; starts and seeds are drawn."""
    gains, falls = SHAPES[shape]

    def drawn(deviation, *size):
        return deviation * rng.standard_normal((starts, *size))

    matching = np.array(gains) * (1 + drawn(0.15, 1, 1, 1)) * (1 + drawn(0.1, 1, 2, 1)) * (1 + drawn(0.1, SEEDS, 2, 1))
    matching += 0.84 + drawn(0.02, 1, 1, 1) + drawn(0.005, SEEDS, 2, 5) * (GROWTH > 0)
    ood = falls + GROWTH * (drawn(spread, 1, 2, 1) + drawn(0.015, SEEDS, 2, 1) + [[effect], [0]])
    ood = ood + 0.55 + drawn(0.05, 1, 1, 1) + drawn(0.007, SEEDS, 2, 5) * (GROWTH > 0)
    return np.clip(matching, 0.02, 0.995), np.clip(ood, 0.02, 0.98)


def compared(matching, ood):
    """The matched contrast of each start and seed, and the plain one at the end of training."""
    gains = matching - matching[..., :1]
    weights, _ = matched((gains[..., 0, :], gains[..., 1, :]))
    one, other = ((weights[arm] * ood[..., arm, :]).sum(axis=-1) for arm in (0, 1))
    return one - other, ood[..., 0, -1] - ood[..., 1, -1]


def played(rng, cell, *truths):
    """Outcomes of a study, starts x seeds x arms x points x items: the same draws for each of the true successes."""
    n, clusters = ITEMS[cell]

    def drawn(part, *size):
        return rng.standard_normal((*size, n), dtype=np.float32) * np.float32(sqrt(VARIANCES[part]))

    groups = rng.standard_normal(clusters, dtype=np.float32)[cluster_of(cell)] * np.float32(sqrt(VARIANCES["cluster"]))
    item = groups + drawn("item") + drawn("start", STARTS, 1, 1, 1)
    latent = item + drawn("arm", 2, 1) + drawn("run", STARTS, SEEDS, 2, 1) + drawn("answer", STARTS, SEEDS, 2, 5)
    # The start is played once, before the arms part.
    before = item + drawn("arm") + drawn("run", STARTS, 1, 1, 1) + drawn("answer", STARTS, 1, 1, 1)
    latent[..., 0, :] = before[..., 0, :]
    return [latent < _level(truth).astype(np.float32)[..., None] for truth in truths]


def cluster_of(cell):
    n, clusters = ITEMS[cell]
    return np.arange(n) * clusters // n


def intervals(matching, ood):
    """The intervals (mean, low, high, p, shared) of the matched and of the plain contrast, from a study's outcomes."""
    rises = matching - matching[..., :1, :].astype(np.float32)
    errors = rises.std(axis=-1) / sqrt(rises.shape[-1])
    measured = (rises.mean(axis=-1, dtype=float), ood.mean(axis=-1), errors)
    gains, shares, errors = (tuple(each[..., arm, :] for arm in (0, 1)) for each in measured)
    one, other = matched(gains)[0]
    signed = np.stack([one, -other], axis=-2)
    change = np.stack(slopes(gains, shares, errors), axis=-2)
    clusters = {cell: cluster_of(cell) for cell in ITEMS}
    parts = {"ood": _mean_parts(signed, ood), "matching": _mean_parts(change, rises)}
    plain = {"ood": (ood[..., 0, -1, :].astype(np.float32) - ood[..., 1, -1, :]).mean(axis=1)}
    return [over_starts(each["ood"].mean(axis=1), each, clusters) for each in (parts, plain)]


def _mean_parts(factors, outcomes):
    """Each item's part, starts x items, the seeds averaged; ``factors`` are starts x seeds x arms x points."""
    return np.einsum("skap,skapi->si", factors.astype(np.float32), outcomes, optimize=True) / SEEDS


def test_intervals_of_the_matched_and_of_the_plain_contrast_hold_the_truth():
    rng, held = np.random.default_rng(0), []
    print("\n| runs | effect | contrast | truth, points | bias, points | held, % |\n|---|--:|---|--:|--:|--:|")
    for shape in SHAPES:
        truth = [
            [each.mean() for each in compared(*success(np.random.default_rng(0), shape, effect, 40_000))]
            for effect in EFFECTS
        ]
        found = []
        for seed in rng.integers(2**62, size=STUDIES):
            [(matching, ood), (_, moved)] = (
                success(np.random.default_rng(seed), shape, effect, STARTS) for effect in EFFECTS
            )
            [gains] = played(rng, "matching", matching)
            found.append([intervals(gains, each) for each in played(rng, "ood", ood, moved)])
        means, low, high = np.moveaxis(np.array(found), -1, 0)[:3]
        held.append((low <= truth) & (truth <= high))
        for i, j in np.ndindex(2, 2):
            numbers = [100 * truth[i][j], 100 * (means.mean(axis=0) - truth)[i, j], 100 * held[-1].mean(axis=0)[i, j]]
            print(f"| {shape} | {EFFECTS[i]} | {('matched', 'plain')[j]} | {' | '.join(f'{x:.2f}' for x in numbers)} |")
    assert (np.concatenate(held).mean(axis=0) >= LEAST).all(), np.concatenate(held).mean(axis=0)


def test_without_an_effect_holm_finds_one_in_a_family_of_six_in_5_percent_of_studies():
    rng, studies = np.random.default_rng(0), 20_000
    start, rate = rng.normal(0.5, 0.05, (studies, STARTS, 1, 1)), rng.normal(0, 0.03, (studies, STARTS, 6, 2))
    n = ITEMS["ood"][0]
    success = rng.binomial(n, np.clip(start + rate, 0, 1)) / n
    contrasts = success[..., 0] - success[..., 1]
    # Rates of one start have a run of SFT in common: the contrasts of a family are correlated.
    contrasts[..., 3:] = success[..., 3:, 0] - success[..., :3, 1]
    t = contrasts.mean(axis=1) / contrasts.std(axis=1, ddof=1) * sqrt(STARTS)
    p = t_probability(t, STARTS - 1)
    smallest = [min(holm(dict(enumerate(family))).values()) for family in p.tolist()]
    assert 0.03 < np.mean(np.array(smallest) < 0.05) <= 0.065
    assert np.mean(p.min(axis=1) < 0.05) > 0.15  # without the correction
