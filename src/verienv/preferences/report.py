"""A report on labels: who gave them, how far they agree with each other, with the program and with no thought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan, nan

from verienv.evaluation import Estimate
from verienv.evaluation.tables import percent, terminal_table
from verienv.preferences.consensus import aggregate, alpha_of
from verienv.preferences.measures import (
    BASELINES,
    accuracy,
    choices_of,
    first_shown,
    flips,
    pairwise_agreement,
    prefers,
    prefers_first,
    self_agreement,
)
from verienv.preferences.records import Label, Pair, PairVerdicts

IDLE = 60.0
"""Seconds: a label that took longer counts as this long, since somebody was away."""
_UNKNOWN = Estimate(nan, nan, nan)
_JUDGES = {"self": " of itself", "family": " of its family"}
"""The pairs that a judge should not be trusted with, in words."""


@dataclass(frozen=True)
class AnnotatorReport:
    """Labels of one annotator. Shares are of choices of a or b; those that nothing tells are NaN.

    Attributes:
        kind: of annotator; of a judge also whether the pairs are of its own, or of a model of its family.
        labels, ties, skips: counts, without pairs that were asked again.
        minutes, active_minutes: spent, and with at most ``IDLE`` seconds a label.
        prefers_first, prefers_longer: how often the response shown first, or the longer one, was preferred.
        flips: how often another response was preferred in the other order, where both were shown.
        repeats: how often the answer to a pair that was asked again was the same.
        accuracy: against the verdicts.
    """

    annotator: str
    kind: str
    labels: int
    ties: int
    skips: int
    minutes: float
    active_minutes: float
    prefers_first: Estimate
    prefers_longer: Estimate
    flips: Estimate
    repeats: Estimate
    accuracy: Estimate


@dataclass(frozen=True)
class AgreementReport:
    """Agreement of labels; ``str`` of it is a report for the terminal.

    Attributes:
        annotators: a report of each.
        pairs: how many are labelled; ``shared``: by several annotators.
        guidelines: how many different ones the labels follow, by their hashes.
        agreement: how often two labels of a pair are the same; ``alpha``: Krippendorff's.
        accuracies: against the verdicts, of what labels add up to and of labellers without thought, by name.
    """

    annotators: tuple[AnnotatorReport, ...]
    pairs: int
    shared: int
    guidelines: int
    agreement: Estimate
    alpha: float
    accuracies: Mapping[str, Estimate]

    def __str__(self) -> str:
        shares = {"first": "prefers_first", "longer": "prefers_longer", "flips": "flips", "repeats": "repeats"}
        if all(isnan(one.flips.mean) for one in self.annotators):
            del shares["flips"]
        head = ["annotator", "kind", "labels", "ties", "skips", "minutes", *shares, "accuracy"]
        rows = [
            [
                *(one.annotator, one.kind, f"{one.labels}", f"{one.ties}", f"{one.skips}", f"{one.active_minutes:.1f}"),
                *(percent(getattr(one, name)) for name in (*shares.values(), "accuracy")),
            ]
            for one in self.annotators
        ]
        alpha = "?" if isnan(self.alpha) else f"{self.alpha:.3f}"
        lines = [
            terminal_table(head, rows),
            f"{self.pairs} pairs, {self.shared} of them with several labels: two labels agree in "
            f"{percent(self.agreement)}; Krippendorff's alpha {alpha}",
        ]
        if self.guidelines > 1:
            lines.append(f"They follow {self.guidelines} different guidelines: annotators were not asked the same.")
        if self.accuracies:
            others = [[name, percent(found)] for name, found in self.accuracies.items()]
            lines += ["", terminal_table(["labels", "accuracy"], others)]
        lines.append(
            "Percent with 95% intervals over clusters (? where the data tell none). first, longer: how often the "
            "response shown first, or the longer one, was preferred; "
            + "flips: another one preferred in the other order; "
            * ("flips" in shares)
            + "repeats: the same answer when asked again; "
            "accuracy: the response of the higher reward preferred, where rewards differ."
        )
        return "\n".join(lines)


def agreement(
    labels: Iterable[Label],
    pairs: Mapping[str, Pair] | None = None,
    verdicts: Mapping[str, PairVerdicts] | None = None,
) -> AgreementReport:
    """Report on labels.

    Args:
        labels: of ``read_labels``.
        pairs: for what is told of texts; None where they are not at hand.
        verdicts: to measure the labels against; None where nobody may know them.
    """
    labels, pairs, verdicts = list(labels), pairs or {}, verdicts or {}
    clusters = {name: record.cluster for some in (pairs, verdicts) for name, record in some.items()}
    by = dict[str, list[Label]]()
    for label in labels:
        by.setdefault(label.annotator, []).append(label)
    long = [(name, BASELINES["longer"](pair)) for name, pair in pairs.items()]
    labelled = aggregate(labels)
    return AgreementReport(
        tuple(_annotator(name, theirs, long, clusters, verdicts) for name, theirs in by.items()),
        len(labelled),
        sum(found.labels > 1 for found in labelled.values()),
        len({label.guidelines for label in labels if label.guidelines}),
        pairwise_agreement(labels, clusters),
        alpha_of(labels),
        _accuracies(labels, pairs, verdicts) if verdicts else {},
    )


def _annotator(
    name: str,
    labels: list[Label],
    long: list[tuple[str, str]],
    clusters: Mapping[str, str],
    verdicts: Mapping[str, PairVerdicts],
) -> AnnotatorReport:
    once = [label for label in labels if not label.repeat]
    return AnnotatorReport(
        name,
        ", ".join(dict.fromkeys(label.kind + _JUDGES.get(label.relation, "") for label in labels)),
        len(choices_of(labels)),
        sum(label.choice == "tie" for label in once),
        sum(label.choice == "skip" for label in once),
        sum(label.seconds for label in labels) / 60,
        sum(min(label.seconds, IDLE) for label in labels) / 60,
        prefers_first(labels, clusters),
        prefers(labels, long, clusters) if long else _UNKNOWN,
        flips(labels, clusters),
        self_agreement(labels, clusters),
        accuracy(choices_of(labels), verdicts) if verdicts else _UNKNOWN,
    )


def _accuracies(
    labels: list[Label], pairs: Mapping[str, Pair], verdicts: Mapping[str, PairVerdicts]
) -> dict[str, Estimate]:
    """Return accuracies of what labels add up to, and of the baselines on the pairs that are labelled."""
    majority, skilled = aggregate(labels), aggregate(labels, "dawid-skene")
    found = {
        "majority": [(pair, each.choice) for pair, each in majority.items()],
        "Dawid-Skene": [(pair, each.choice) for pair, each in skilled.items()],
        "first shown": first_shown(labels),
    }
    if pairs:
        found |= {name: [(pair, choose(pairs[pair])) for pair in majority] for name, choose in BASELINES.items()}
    return {name: accuracy(choices, verdicts) for name, choices in found.items()}
