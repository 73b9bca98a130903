"""Statistics of a study of SFT against RL over several starts: contrasts at equal gain, intervals, judgements.

A start is a checkpoint from which both arms begin. It is the unit of replication: seeds of training are averaged within
a start, and intervals are Student's over the starts. Success, gains and contrasts are shares: 0.05 is 5 points. All is
recomputed from the outcome of every item, as study.json holds it; docs/statistics.md says why it is done so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import hypot, isnan, nan, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from verienv.evaluation import estimates
from verienv.evaluation.intervals import t_probability, t_squared

Array = NDArray[Any]
Study = dict[str, Any]
Run = dict[str, Any]
Side = tuple[str, float]
"""An arm and its learning rate, such as ("sft", 3e-4)."""
Sides = tuple[Array, Array]
"""One array for each of two runs that are compared."""


class Effect(NamedTuple):
    """A mean over starts, of a contrast or of success, with its 95% interval; NaN where the data give none.

    Attributes:
        p: two-sided, for a contrast of 0; NaN of a single start, and of success.
        starts: by start, one value a seed.
        shared: the standard error that the items give to all starts alike, which more starts would not lessen.
        about: for whom the interval is meant: other starts and items, or other items of this start alone.
        overlap: the mean over the pairs of ``Contrast.overlap``.
        left_out: the pairs that could not be compared, each with its reason.
    """

    mean: float
    low: float
    high: float
    p: float
    starts: dict[str, tuple[float, ...]]
    shared: float
    about: str
    overlap: float = nan
    left_out: tuple[str, ...] = ()


class Contrast(NamedTuple):
    """One run less another in one cell; NaN, with the reason, where they cannot be compared.

    ``items`` holds by cell the part of each item: as these vary from item to item, the contrast varies with the items.
    ``overlap`` is the share of the union of both runs' ranges of gain, updates or FLOPs in which both have been.
    """

    value: float
    items: dict[str, Array]
    overlap: float
    reason: str = ""


def packed(successes: ArrayLike) -> str:
    """Return outcomes, one an item, as study.json holds them: hexadecimal bits, the first item highest."""
    return np.packbits(np.asarray(successes, dtype=bool)).tobytes().hex()


def unpacked(text: str, n: int) -> Array:
    """Return the outcomes of ``n`` items, bool, from ``packed``; a ValueError where the text does not hold so many."""
    digits = 2 * -(-n // 8)
    is_hex = isinstance(text, str) and re.fullmatch(rf"[0-9a-f]{{{digits}}}", text)
    if not is_hex or (bits := np.unpackbits(np.frombuffer(bytes.fromhex(text), dtype=np.uint8)))[n:].any():
        raise ValueError(f"successes of {n} items: expected {digits} hexadecimal digits, zero behind the last item")
    return bits[:n].astype(bool)


def outcomes(study: Study, run: Run, cell: str) -> Array:
    """Return the outcomes of a run in a cell, bool, points x items."""
    n = len(study["items"][cell]["clusters"])
    return np.stack([unpacked(point["cells"][cell]["successes"], n) for point in run["points"]])


def weights(positions: ArrayLike, low: ArrayLike, high: ArrayLike) -> Array:
    """Return the weights of a run's points, (..., points), in the mean of a measure between two positions, (...).

    ``positions`` (..., points) are in order of training: gains, updates or FLOPs. Between neighbouring points the
    measure is linear in them. Of several crossings of one position the first in training counts, and of points at one
    position the first: what a run passes again adds nothing. The mean is the integral from ``low`` to ``high`` over
    their distance, the measure itself where they are one; NaN where the run has not been at all of these positions.
    """
    positions, low, high = (np.asarray(each, dtype=float) for each in (positions, low, high))
    found, lowest, highest = np.zeros(positions.shape), positions[..., 0], positions[..., 0]
    is_hit = (low == high) & (low == lowest)
    found[..., 0] += is_hit
    for k in range(positions.shape[-1] - 1):
        left, right = positions[..., k], positions[..., k + 1]
        is_new = (right > highest) | (right < lowest)
        border = np.where(right > highest, highest, lowest)
        down, up = np.maximum(np.minimum(border, right), low), np.minimum(np.maximum(border, right), high)
        hit = is_new & (down == up) & (low == high) & ~is_hit
        length = np.where(is_new, np.maximum(up - down, 0.0), 0.0)
        share = np.where(low == high, hit, length / np.where(low == high, 1.0, high - low))
        part = share * ((down + up) / 2 - left) / np.where(is_new, right - left, 1.0)
        found[..., k] += share - part
        found[..., k + 1] += part
        is_hit, lowest, highest = is_hit | hit, np.minimum(lowest, right), np.maximum(highest, right)
    found[~((lowest <= low) & (high <= highest))] = nan
    return found


def matched(gains: Sides, at: ArrayLike | None = None) -> tuple[Sides, Array]:
    """Return the weights of two runs' points at equal positions, each (..., points), and how far they overlap, (...).

    The weights are those of the mean over the upper half of the overlap of both ranges, since what two runs of one
    start have in common at first tells them not apart; or of the one position ``at``. They are NaN where the overlap
    has no width or a run never was at ``at``.
    """
    lows, highs = np.stack([one.min(axis=-1) for one in gains]), np.stack([one.max(axis=-1) for one in gains])
    low, high = lows.max(axis=0), highs.min(axis=0)
    union = highs.max(axis=0) - lows.min(axis=0)
    share = np.maximum(high - low, 0.0) / np.where(union > 0, union, 1.0)
    low, high = (
        (np.where(high > low, (low + high) / 2, nan), high) if at is None else np.broadcast_arrays(at, at, low)[:2]
    )
    return (weights(gains[0], low, high), weights(gains[1], low, high)), share


def slopes(gains: Sides, measures: Sides, errors: Sides, at: ArrayLike | None = None) -> Sides:
    """Return the change of a matched contrast with the gain of each point, (..., points) a run.

    ``errors`` are the gains' standard errors: the contrast is taken with each gain higher and lower by so much, since
    it bends where a crossing or the end of the overlap passes from one pair of points to the next.
    """

    def contrast(side: int, sign: int) -> Array:
        moved = [np.repeat(one[..., None, :], gains[side].shape[-1], axis=-2) for one in gains]
        moved[side] += sign * errors[side][..., None] * np.eye(gains[side].shape[-1])
        found = matched((moved[0], moved[1]), at)[0]
        one, other = ((each * of[..., None, :]).sum(axis=-1) for each, of in zip(found, measures, strict=True))
        return np.asarray(one - other)

    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = ((contrast(side, 1) - contrast(side, -1)) / (2 * errors[side]) for side in (0, 1))
    return np.nan_to_num(one, posinf=0.0, neginf=0.0), np.nan_to_num(other, posinf=0.0, neginf=0.0)


def contrast(study: Study, runs: tuple[Run, Run], cell: str, along: str = "gain", at: float | None = None) -> Contrast:
    """Compare two runs of one start and seed in a cell, the first less the second.

    They are compared at equal "gain" (success in the cell "matching" less the start's), "update" or "flops": in the
    mean over the upper half of the overlap of both ranges, or at one gain, update or number of FLOPs ``at``.
    """
    found = [outcomes(study, run, cell) for run in runs]
    measures = (found[0].mean(axis=1), found[1].mean(axis=1))
    if along == "gain":
        matching = [outcomes(study, run, "matching") for run in runs]
        rises = [one.astype(float) - one[0] for one in matching]
        positions = (rises[0].mean(axis=1), rises[1].mean(axis=1))
    elif along in ("update", "flops"):
        one, other = (np.array([point[along] for point in run["points"]], dtype=float) for run in runs)
        positions = (one, other)
    else:
        raise ValueError(f"along={along!r}: expected 'gain', 'update' or 'flops'")
    (one, other), share = matched(positions, at)
    if np.isnan([one.sum(), other.sum()]).any():
        unit = 100 if along == "gain" else 1  # gains are told in points
        sought = "the runs share no range of" if at is None else f"not both runs reach {unit * at:g} in"
        ranges = [f"{runs[i]['arm']} {unit * p.min():.4g} to {unit * p.max():.4g}" for i, p in enumerate(positions)]
        return Contrast(nan, {}, float(share), f"{sought} {along} ({', '.join(ranges)})")
    items = {cell: np.clip(one @ found[0] - other @ found[1], -1.0, 1.0)}
    value = float(items[cell].mean())
    if along == "gain":
        errors = (rises[0].std(axis=1), rises[1].std(axis=1))
        root = sqrt(rises[0].shape[1])
        change = slopes(positions, measures, (errors[0] / root, errors[1] / root), at)
        items["matching"] = items.get("matching", 0.0) + change[0] @ rises[0] + change[1] @ rises[1]
    return Contrast(value, items, float(share))


def effect(
    study: Study, one: Side, other: Side, cell: str = "ood", along: str = "gain", at: float | None = None
) -> Effect:
    """Estimate one side less the other in a cell over the starts that both were trained from, paired by start and seed.

    ``along`` and ``at`` are those of ``contrast``; of updates or FLOPs, ``at`` is by default the most that all of these
    runs reached.
    """
    pairs = paired_runs(study, one, other)
    if along != "gain" and at is None:
        at = min(run["points"][-1][along] for pair in pairs.values() for run in pair)
    found: dict[str, list[Contrast]] = {}
    left_out, overlaps = [], []
    for (start, seed), pair in pairs.items():
        each = contrast(study, pair, cell, along, at)
        overlaps.append(each.overlap)
        if each.reason:
            left_out.append(f"{start}, seed {seed}: {each.reason}")
        else:
            found.setdefault(start, []).append(each)
    values = {start: tuple(one.value for one in each) for start, each in found.items()}
    items = {
        name: np.stack([np.mean([one.items[name] for one in each], axis=0) for each in found.values()])
        for name in next(iter(found.values()), [Contrast(nan, {}, nan)])[0].items
    }
    told = _estimated(study, values, items, cell, paired=True)
    return told._replace(overlap=float(np.mean(overlaps)), left_out=tuple(left_out))


def paired_runs(study: Study, one: Side, other: Side) -> dict[tuple[str, int], tuple[Run, Run]]:
    """Return the pairs of runs of two sides, by start and seed."""
    by_key = {(run["arm"], run["rate"], run["start"], run["seed"]): run for run in study["runs"]}
    keys = sorted(key[2:] for key in by_key if key[:2] == one and (*other, *key[2:]) in by_key)
    if not keys:
        sides = ", ".join(f"{arm} at {rate:g}" for arm, rate in sorted({key[:2] for key in by_key}))
        raise ValueError(f"no start and seed has runs of both {one} and {other}; there are runs of {sides}")
    return {key: (by_key[*one, *key], by_key[*other, *key]) for key in keys}


def success(study: Study, cell: str, point: int = -1) -> dict[Side, Effect]:
    """Estimate the mean success of each arm and rate in a cell over its starts, at the end or another point."""
    found = {}
    for side in sorted({(run["arm"], run["rate"]) for run in study["runs"]}):
        by_start: dict[str, list[Array]] = {}
        for run in study["runs"]:
            if (run["arm"], run["rate"]) == side:
                by_start.setdefault(run["start"], []).append(outcomes(study, run, cell)[point])
        values = {start: tuple(float(one.mean()) for one in each) for start, each in by_start.items()}
        items = {cell: np.stack([np.mean(each, axis=0) for each in by_start.values()])}
        found[side] = _estimated(study, values, items, cell, paired=False)
    return found


def _estimated(
    study: Study, values: dict[str, tuple[float, ...]], items: dict[str, Array], cell: str, paired: bool
) -> Effect:
    clusters = {name: study["items"][name]["clusters"] for name in items}
    means, least = np.array([np.mean(each) for each in values.values()]), -1.0 if paired else 0.0
    if len(means) > 1:
        mean, low, high, p, shared = over_starts(means, items, clusters)
        p = p if paired else nan
        about = f"other starts and items, from {len(means)} starts"
    elif len(means) == 1:
        mean, low, high = _of_one_start(next(iter(values.values())), items, clusters, cell, paired)
        p, shared, about = nan, nan, "other items, of this start alone"
    else:
        mean, low, high, p, shared, about = nan, nan, nan, nan, nan, "nothing: no pair could be compared"
    return Effect(mean, max(low, least), min(high, 1.0), p, values, shared, about)


def over_starts(
    means: Array, items: dict[str, Array], clusters: dict[str, Sequence[int]]
) -> tuple[float, float, float, float, float]:
    """Return the mean over starts, its 95% interval, two-sided p, and the standard error that the items share.

    Args:
        means: one a start, at least two, its seeds averaged.
        items: by cell, the parts of its items, starts x items. All starts play the same items: what an item does to all
            of them alike is no spread between starts. It is found from the covariance of starts over clusters of items,
            and added (two crossed factors: Cameron, Gelbach and Miller 2011, Journal of Business & Economic Statistics
            29, 238-249).
        clusters: by cell, the cluster of each item.

    The interval is Student's with one degree of freedom less than there are starts, whatever the items add: two starts
    that happen to agree shall not pass for sure. NaN where nothing varies.
    """
    n, mean, shared = len(means), float(np.mean(means)), 0.0
    for cell, parts in items.items():
        index = np.unique(np.asarray(clusters[cell]), return_inverse=True)[1]
        number = int(index.max()) + 1
        if number > 1:
            away = (parts - parts.mean(axis=1, keepdims=True)) / parts.shape[1]
            sums = np.stack([np.bincount(index, one, minlength=number) for one in away])
            covariance = (sums.sum(axis=0) ** 2 - (sums**2).sum(axis=0)).sum() / (n * (n - 1)) * number / (number - 1)
            shared += max(float(covariance), 0.0)
    own = float(np.var(means, ddof=1)) / n
    if own + shared < 1e-18:
        return mean, nan, nan, nan, 0.0
    reach = sqrt(float(t_squared(n - 1)) * (own + shared))
    p = float(t_probability(mean / sqrt(own + shared), n - 1))
    return mean, mean - reach, mean + reach, p, sqrt(shared)


def _of_one_start(
    values: Sequence[float], items: dict[str, Array], clusters: dict[str, Sequence[int]], cell: str, paired: bool
) -> tuple[float, float, float]:
    """Return the mean of one start's seeds with its interval over other items and, of several seeds, other seeds.

    The reaches of the matching items and of the seeds are squared and added.
    """
    [(mean, low, high)] = estimates(items[cell].T, clusters[cell], paired=paired, shares=[True])
    reach = 0.0
    if len(values) > 1:
        reach = sqrt(float(t_squared(len(values) - 1)) / len(values)) * float(np.std(values, ddof=1))
    if cell != "matching" and "matching" in items:
        [more] = estimates(items["matching"].T, clusters["matching"], paired=True, shares=[False])
        reach = hypot(reach, 0.0 if isnan(more.high) else more.high - more.mean)
    return mean, mean - hypot(mean - low, reach), mean + hypot(high - mean, reach)
