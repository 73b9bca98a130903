"""Labels held against the program's verdicts, and against what labels without thought would be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from verienv.evaluation import Estimate, ratio_estimates
from verienv.preferences.records import Label, Pair, PairVerdicts

_MOST_BRACES = 64

Choices = Iterable[tuple[str, str]]
"""Pairs by their ids, each with a choice: "a", "b" or "tie"."""


class Reliability(NamedTuple):
    """Labels of about one probability: its mean, how many they are, and the share that is right with its interval."""

    sure: float
    labels: int
    right: Estimate


def accuracy(choices: Choices, verdicts: Mapping[str, PairVerdicts]) -> Estimate:
    """Estimate how often the response of the higher reward is preferred, with a 95% interval over clusters.

    Counted are choices of a or b for pairs of unequal rewards; ties, and pairs without verdicts, are left out.

    Returns:
        NaN where nothing is counted.
    """
    found = [(verdicts[pair], choice) for pair, choice in choices if pair in verdicts and choice in ("a", "b")]
    found = [(verdict, choice) for verdict, choice in found if verdict.better != "tie"]
    return share([choice == verdict.better for verdict, choice in found], [verdict.cluster for verdict, _ in found])


def share(counted: Iterable[bool], clusters: Iterable[str]) -> Estimate:
    """Estimate the share of what was counted, with a 95% interval over clusters; NaN for nothing."""
    values = [[[float(each), 1.0]] for each in counted]
    return ratio_estimates(np.asarray(values).reshape(-1, 1, 2), list(clusters))[0]


def choices_of(labels: Iterable[Label]) -> list[tuple[str, str]]:
    """Return the choices of labels; skipped pairs and answers to pairs that were asked again are left out."""
    return [(label.pair, label.choice) for label in labels if label.choice in ("a", "b", "tie") and not label.repeat]


def longer(pair: Pair) -> str:
    """Return the choice of whoever prefers the longer response."""
    return _higher(len(pair.a), len(pair.b))


def valid_json(pair: Pair) -> str:
    """Return the choice of whoever prefers a response in which there is a JSON object."""
    return _higher(_holds_json(pair.a), _holds_json(pair.b))


BASELINES: Mapping[str, Callable[[Pair], str]] = {"longer": longer, "valid JSON": valid_json}
"""Labellers that know nothing of the task."""


def first_shown(labels: Iterable[Label]) -> list[tuple[str, str]]:
    """Return the choices of whoever prefers the response that these labels' annotators were shown first."""
    return [(label.pair, label.shown_first) for label in labels if label.shown_first and not label.repeat]


def prefers(labels: Iterable[Label], other: Choices, clusters: Mapping[str, str]) -> Estimate:
    """Estimate how often labels of a or b agree with another labeller, where that one says a or b too."""
    said = dict(other)
    found = [(pair, choice, said.get(pair)) for pair, choice in choices_of(labels)]
    found = [each for each in found if each[1] != "tie" and each[2] in ("a", "b")]
    return share([choice == theirs for _, choice, theirs in found], [clusters.get(pair, pair) for pair, *_ in found])


def prefers_first(labels: Iterable[Label], clusters: Mapping[str, str]) -> Estimate:
    """Estimate how often the response that was shown first is preferred; labels of both orders count in each."""
    found = list[tuple[str, bool]]()
    for label in labels:
        if label.repeat or label.choice in ("skip", "undo"):
            continue
        if label.p_orders is not None:
            one, other = label.p_orders
            found += [(label.pair, shown > 0.5) for shown in (one, 1 - other) if shown != 0.5]
        elif label.shown_first and label.choice != "tie":
            found.append((label.pair, label.choice == label.shown_first))
    return share([first for _, first in found], [clusters.get(pair, pair) for pair, _ in found])


def flips(labels: Iterable[Label], clusters: Mapping[str, str]) -> Estimate:
    """Estimate how often an annotator who was shown both orders prefers another response in the other one."""
    found = [(label.pair, label.flip) for label in labels if label.flip is not None and not label.repeat]
    return share([bool(flip) for _, flip in found], [clusters.get(pair, pair) for pair, _ in found])


def reliability(labels: Iterable[Label], verdicts: Mapping[str, PairVerdicts], bins: int = 5) -> list[Reliability]:
    """Hold how sure annotators are against how often they are right, by bins of equal width from 0.5 to 1.

    Counted are labels with a probability, of pairs of unequal rewards; bins without any are left out.
    """
    found: dict[int, list[tuple[float, bool, str]]] = {}
    for label in labels:
        verdict = verdicts.get(label.pair)
        if label.p is None or label.p == 0.5 or label.repeat or verdict is None or verdict.better == "tie":
            continue
        sure = max(label.p, 1 - label.p)
        right = verdict.better == ("a" if label.p > 0.5 else "b")
        found.setdefault(min(int((sure - 0.5) * 2 * bins), bins - 1), []).append((sure, right, verdict.cluster))
    return [
        Reliability(
            float(np.mean([sure for sure, *_ in each])),
            len(each),
            share([right for _, right, _ in each], [cluster for *_, cluster in each]),
        )
        for _, each in sorted(found.items())
    ]


def self_agreement(labels: Iterable[Label], clusters: Mapping[str, str]) -> Estimate:
    """Estimate how often an annotator who was asked again about a pair says what it said before."""
    first, again = dict[tuple[str, str], str](), list[tuple[tuple[str, str], str]]()
    for label in labels:
        if label.choice != "skip":
            key = label.pair, label.annotator
            if label.repeat:
                again.append((key, label.choice))
            else:
                first[key] = label.choice
    found = [(key[0], first[key] == choice) for key, choice in again if key in first]
    return share([same for _, same in found], [clusters.get(pair, pair) for pair, _ in found])


def pairwise_agreement(labels: Iterable[Label], clusters: Mapping[str, str]) -> Estimate:
    """Estimate how often two labels of one pair are the same, over all twos of them."""
    said = dict[str, list[str]]()
    for pair, choice in choices_of(labels):
        said.setdefault(pair, []).append(choice)
    found = [(pair, one == other) for pair, several in said.items() for one, other in combinations(several, 2)]
    return share([same for _, same in found], [clusters.get(pair, pair) for pair, _ in found])


def _higher(a: float, b: float) -> str:
    return "tie" if a == b else "a" if a > b else "b"


def _holds_json(response: str) -> bool:
    start, decoder = -1, json.JSONDecoder()
    for _ in range(_MOST_BRACES):
        start = response.find("{", start + 1)
        if start < 0:
            return False
        try:
            decoder.raw_decode(response, start)
        except (ValueError, RecursionError):
            continue
        return True
    return False
