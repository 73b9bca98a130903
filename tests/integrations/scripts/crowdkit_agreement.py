"""Krippendorff's alpha and Dawid and Skene's estimates of labels by crowd-kit and by verienv, as JSON."""

import json
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene
from crowdkit.metrics.data import alpha_krippendorff

from verienv.preferences import Label, aggregate
from verienv.preferences.consensus import CHOICES, alpha_of

SKILLS = {"ann": 0.9, "bo": 0.8, "cy": 0.7, "di": 0.55, "eve": 0.95}


def labels() -> list[Label]:
    """Labels of 300 pairs, of each by some of five annotators who err."""
    rng, given = np.random.default_rng(0), []
    for number in range(300):
        truth = CHOICES[int(rng.choice(3, p=(0.45, 0.4, 0.15)))]
        for name, skill in SKILLS.items():
            if rng.random() < 0.7:
                choice: Any = truth if rng.random() < skill else CHOICES[int(rng.integers(3))]
                given.append(Label(pair=f"p{number}", annotator=name, kind="simulated", choice=choice))
    return given


def main() -> None:
    given = labels()
    table = pd.DataFrame([{"task": each.pair, "worker": each.annotator, "label": each.choice} for each in given])
    theirs = DawidSkene(n_iter=400, tol=1e-11).fit_predict_proba(table)
    ours = aggregate(given, "dawid-skene")
    there = {pair: float(row["a"] + row["tie"] / 2) for pair, row in theirs.iterrows()}
    told = {
        "pairs": len(there),
        "farthest p": max(abs(ours[pair].p - there[pair]) for pair in there),
        "alphas": [alpha_of(given), float(alpha_krippendorff(table))],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
