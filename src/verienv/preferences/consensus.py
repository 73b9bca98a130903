"""Agreement of annotators, and the labels that several add up to.

Krippendorff's alpha (Computing Krippendorff's Alpha-Reliability, 2011) and the estimator of Dawid and Skene (1979,
Applied Statistics 28, 20-28), over arrays of counts, so that published examples can be put to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from verienv.preferences.records import Label

Array = NDArray[Any]
CHOICES = ("a", "b", "tie")
Method = Literal["majority", "dawid-skene"]

_MOST_STEPS = 1000
_CLOSE = 1e-9


class Consensus(NamedTuple):
    """Several labels of a pair in one.

    Attributes:
        choice: "a", "b" or "tie".
        p: probability that a is better.
        labels: how many it is made of.
    """

    choice: str
    p: float
    labels: int


def krippendorff_alpha(counts: Array) -> float:
    """Return Krippendorff's alpha for nominal data; 1 is perfect agreement, 0 that of chance.

    Args:
        counts: units x values: how many annotators gave the unit this value. Units with fewer than two count for
            nothing.

    Returns:
        Alpha; NaN where no unit has two values, or all values are one.
    """
    counts = np.asarray(counts, dtype=float)
    counts = counts[counts.sum(axis=1) >= 2]
    sizes, values, total = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    expected = total**2 - (values**2).sum()
    if not len(counts) or not expected:
        return nan
    observed = ((sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1)).sum()
    return float(1 - (total - 1) * observed / expected)


@dataclass(frozen=True)
class DawidSkene:
    """Estimates by the EM algorithm of Dawid and Skene.

    Attributes:
        classes: units x classes: the probability that a unit is of a class.
        prevalence: the share of each class.
        confusion: annotators x classes x values: the probability that an annotator says a value of a unit of a class.
    """

    classes: Array
    prevalence: Array
    confusion: Array


def dawid_skene(counts: Array) -> DawidSkene:
    """Estimate classes and the annotators' errors together, beginning at the shares of the values of each unit.

    Args:
        counts: units x annotators x values: how often an annotator gave a unit this value. Every unit has at least one.

    Raises:
        ValueError: for another shape, or a unit without values.
    """
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != 3 or not len(counts) or not (counts.sum(axis=(1, 2)) > 0).all():
        raise ValueError(
            f"counts of shape {counts.shape}: expected units x annotators x values, and some in every unit"
        )
    votes = counts.sum(axis=1)
    classes = votes / votes.sum(axis=1, keepdims=True)
    for _ in range(_MOST_STEPS):
        prevalence = classes.mean(axis=0)
        confusion = np.einsum("uc,uav->acv", classes, counts)
        sums = confusion.sum(axis=2, keepdims=True)
        confusion = np.divide(confusion, sums, out=np.zeros_like(confusion), where=sums > 0)
        with np.errstate(divide="ignore"):
            known, logs = np.log(prevalence), np.maximum(np.log(confusion), -1e6)
        scores = known + np.einsum("uav,acv->uc", counts, logs)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        before, classes = classes, scores / scores.sum(axis=1, keepdims=True)
        if np.abs(classes - before).max() < _CLOSE:
            break
    return DawidSkene(classes, prevalence, confusion)


def counts_of(labels: Iterable[Label]) -> tuple[list[str], list[str], Array]:
    """Count labels: pairs, annotators, and an array of pairs x annotators x choices (``CHOICES``).

    Skipped pairs and answers to pairs that were asked again are left out.
    """
    given = [label for label in labels if label.choice in CHOICES and not label.repeat]
    pairs, annotators = (
        list(dict.fromkeys(names)) for names in ([x.pair for x in given], [x.annotator for x in given])
    )
    at, by = ({name: number for number, name in enumerate(names)} for names in (pairs, annotators))
    counts = np.zeros((len(pairs), len(annotators), len(CHOICES)))
    for label in given:
        counts[at[label.pair], by[label.annotator], CHOICES.index(label.choice)] += 1
    return pairs, annotators, counts


def alpha_of(labels: Iterable[Label]) -> float:
    """Return Krippendorff's alpha of labels, ties being a value of their own; see ``krippendorff_alpha``."""
    return krippendorff_alpha(counts_of(labels)[2].sum(axis=1))


def aggregate(labels: Iterable[Label], method: Method = "majority") -> dict[str, Consensus]:
    """Return what the labels of each pair add up to.

    Args:
        labels: of ``read_labels``.
        method: "majority": the choice of most, a tie where as many say so; the probability is the mean of the labels'
            own, and decides between a and b. "dawid-skene": the likeliest class and its probability, where annotators
            count by how reliable they seem to be; all pairs are estimated together.
    """
    labels = list(labels)
    pairs, _, counts = counts_of(labels)
    if not pairs:
        return {}
    votes = counts.sum(axis=1)
    if method == "dawid-skene":
        classes = dawid_skene(counts).classes
        shares = classes[:, 0] + classes[:, 2] / 2
        found = [(_likeliest(each), float(p)) for each, p in zip(classes, shares, strict=True)]
    else:
        soft = _soft(labels)
        means = [float(np.mean(soft[pair])) for pair in pairs]
        found = [(_chosen(vote, p), p) for vote, p in zip(votes, means, strict=True)]
    return {
        pair: Consensus(choice, p, int(vote.sum())) for pair, (choice, p), vote in zip(pairs, found, votes, strict=True)
    }


def _soft(labels: Sequence[Label]) -> Mapping[str, list[float]]:
    found = dict[str, list[float]]()
    for label in labels:
        if label.soft is not None and not label.repeat:
            found.setdefault(label.pair, []).append(label.soft)
    return found


def _likeliest(classes: Array) -> str:
    best = np.flatnonzero(classes > classes.max() - _CLOSE)
    return CHOICES[best[0]] if len(best) == 1 else "tie"


def _chosen(votes: Array, p: float) -> str:
    """Return the choice of most: a tie where as many say so, else the side that the probability favours."""
    if (votes[2] and votes[2] >= votes[:2].max()) or abs(p - 0.5) < _CLOSE:
        return "tie"
    return "a" if p > 0.5 else "b"
