"""RL against SFT in a study: what each did to the start and to the other, the seeds of training pooled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import hypot, isnan, nan, sqrt
from typing import Any

import numpy as np

from verienv.evaluation import Estimate, Evaluation, estimates, ratio_estimates, unpaired
from verienv.evaluation.intervals import t_squared

Run = dict[str, Any]


def played(evaluation: Evaluation, gauges: Iterable[str]) -> dict[str, dict[str, list[Any]]]:
    """Every episode for study.json: by cell its cluster, and each gauge: a number or, of attempts, [counted, among]."""
    found: dict[str, dict[str, list[Any]]] = {}
    for cell in evaluation.cells:
        episodes = sorted((one for one in evaluation.episodes if one.cell == cell), key=lambda one: one.episode)
        found[cell] = {"clusters": [one.cluster for one in episodes]}
        for gauge in gauges:
            if gauge in episodes[0].counts:
                found[cell][gauge] = [list(one.counts[gauge]) for one in episodes]
            elif gauge in episodes[0].metrics:
                found[cell][gauge] = [one.metrics[gauge] for one in episodes]
    return found


def at_rate(runs: Sequence[Run], arm: str, rate: float) -> list[Run]:
    """The runs of an arm at a learning rate, in the order of their seeds."""
    return sorted((run for run in runs if (run["arm"], run["rate"]) == (arm, rate)), key=lambda run: run["seed"])


def difference(runs: Sequence[Run], rate: float, sides: tuple[str, str], cell: str, gauge: str) -> Estimate:
    """The first side less the second ("start", "sft", "ppo") at the end of training, seeds pooled.

    Both played the same hands or routes, which are paired; those of one cluster are one cluster under all seeds. The
    interval is about other hands or routes and, of several seeds, about other seeds too: the reach of Student's
    interval over the seeds' differences is squared and added. Where study.json holds no episodes the sides count as
    measured apart.
    """
    arms = [arm for arm in sides if arm != "start"]
    seeds = list(zip(*(at_rate(runs, arm, rate) for arm in arms), strict=True))
    pairs = []
    for found in seeds:
        ends = {arm: run["points"][-1]["cells"][cell] for arm, run in zip(arms, found, strict=True)}
        ends["start"] = found[0]["points"][0]["cells"][cell]
        pairs.append([ends[side] for side in sides])
    if not pairs:
        return Estimate(nan, nan, nan)
    each = [_over_instances([pair], gauge) for pair in pairs]
    if all("played" in end for pair in pairs for end in pair):
        return _over_seeds(_over_instances(pairs, gauge), each)
    # All played the same, so that their means are no surer than one of them.
    return _over_seeds(Estimate(*np.mean(each, axis=0).tolist()), each)


def _over_instances(pairs: Sequence[Sequence[dict[str, Any]]], gauge: str) -> Estimate:
    if not all("played" in end for pair in pairs for end in pair):
        one, other = (Estimate(*(nan if x is None else x for x in end["metrics"][gauge])) for end in pairs[0])
        return unpaired(one, other)
    clusters = [cluster for one, _ in pairs for cluster in one["played"]["clusters"]]
    one, other = (np.concatenate([pair[side]["played"][gauge] for pair in pairs]).astype(float) for side in (0, 1))
    if one.ndim == 2:
        [found] = ratio_estimates(one[:, None, :], clusters, minus=other[:, None, :])
    else:
        [found] = estimates((one - other)[:, None], clusters, paired=True, shares=[True])
    return found


def _over_seeds(pooled: Estimate, each: Sequence[Estimate]) -> Estimate:
    means = [one.mean for one in each if not isnan(one.mean)]
    if len(means) < 2:
        return pooled
    reach = sqrt(float(t_squared(len(means) - 1)) / len(means)) * float(np.std(means, ddof=1))
    low, high = hypot(pooled.mean - pooled.low, reach), hypot(pooled.high - pooled.mean, reach)
    return Estimate(pooled.mean, max(pooled.mean - low, -1.0), min(pooled.mean + high, 1.0))


def without_nan(value: Any) -> Any:
    """Plain data as JSON has it: a number that there is none of is null."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and isnan(value) else value
