"""Metrics of cells: ratios pooled over attempts, and the order and the headings of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from verienv.evaluation.records import EpisodeRecord
from verienv.evaluation.statistics import Estimate, ratio_estimates

_HEADINGS = {"success": "success", "first_success": "1st attempt"}


def pool_ratios(
    episodes: Sequence[EpisodeRecord], clusters: Sequence[str], minus: Sequence[EpisodeRecord] | None = None
) -> dict[str, Estimate]:
    """Estimate the ratios over all attempts of ``episodes``, or their differences to the same episodes ``minus``."""
    names = [name for name in episodes[0].counts if minus is None or name in minus[0].counts]
    if not names:
        return {}

    def counts(side: Sequence[EpisodeRecord]) -> NDArray[np.int_]:
        return np.array([[episode.counts[name] for name in names] for episode in side])

    others = None if minus is None else counts(minus)
    return dict(zip(names, ratio_estimates(counts(episodes), clusters, minus=others), strict=True))


def order_metrics(means: Mapping[str, Estimate], ratios: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Put both in the order of tables: success, each ratio with its mean over episodes, then the other means."""
    found = {"success": means["success"]}
    for name, ratio in ratios.items():
        found[name] = ratio
        if (mean := f"{name}_per_episode") in means:
            found[mean] = means[mean]
    return {**found, **means}


def shown_metrics(metrics: Iterable[str], headings: Mapping[str, str]) -> dict[str, str]:
    """Return the metrics that tables show, each with its heading: all of them are shares."""
    known = _HEADINGS | dict(headings)
    return {metric: known[metric] for metric in metrics if metric in known}
