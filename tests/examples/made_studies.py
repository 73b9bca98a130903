"""Studies as study.json holds them, made of chance alone: no model is trained.

    python tests/examples/made_studies.py OUT

writes three of them with their reports and figures: a large one, a small one, and one with numbers of a publication.
"""

import json
import sys
from pathlib import Path

import numpy as np

HEADINGS = {
    "matching": "J, Q, K = 10, to match by",
    "id": "J, Q, K = 10",
    "ood": "J, Q, K = 11, 12, 13",
    "red": "J, Q, K = 10, red suits",
}
LABELS = {"sft": "SFT", "grpo": "RL (GRPO)", "dft": "DFT"}
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
GAUGES = {
    "success": "success",
    "numbers_correct": "rule reading (numbers right under the stated rule)",
    "formula_valid": "validity (legal, with the right numbers)",
}
RECOGNITION = {"cards_correct": "recognition (all four cards read right)"}


def made(
    starts=10, rates=RATES, seeds=3, arms=("sft", "grpo"), cells=("matching", "id", "ood"), updates=(20, 40, 60),
    items=256, keeps=0.0, forgets=0.3, spread=0.02, gauges=GAUGES, contrast=("grpo", "sft"), seed=0, **study,
):  # fmt: skip
    """A study in which every arm gains alike where it is trained, and loses OOD by its rate.

    Args:
        keeps: how much more of OOD success the contrast's first arm keeps, as a share.
        forgets: the loss of OOD success at the highest rate, as a share.
        spread: standard deviation between starts and between seeds of that loss.
        study: further fields of study["study"], in place of those here.
    """
    rng = np.random.default_rng(seed)
    luck = {cell: rng.random(items) for cell in cells}  # an item is solved by the policies that are good enough for it
    names = [f"start-{number}" for number in range(starts)]
    runs = []
    for name in names:
        before = {cell: 0.55 if cell == "ood" else 0.72 for cell in cells}
        before = {cell: share + rng.normal(0, 0.02) for cell, share in before.items()}
        costs = rng.normal(0, spread)
        first = point(0, {cell: solved(rng, luck[cell], before[cell]) for cell in cells}, gauges)
        for each in range(seeds):
            for arm in arms:
                for place, rate in enumerate(rates):
                    strength = (place + 1) / len(rates)
                    loss = forgets * strength**2 + costs + rng.normal(0, spread)
                    loss -= keeps if arm == (contrast or arms)[0] else 0.0
                    points = [first]
                    for update in updates:
                        part = update / updates[-1]
                        gain = 0.2 * (1 - np.exp(-4 * part * strength)) + rng.normal(0, 0.004)
                        shares = {cell: before[cell] + (-loss * part if cell == "ood" else gain) for cell in cells}
                        outcomes = {cell: solved(rng, luck[cell], shares[cell]) for cell in cells}
                        points.append(point(update, outcomes, gauges, 1e9 if arm == "sft" else 4e9))
                    own = {"start": name, "arm": arm, "rate": rate, "seed": each}
                    runs.append({**own, "points": points, "stopped": "", "cpu_seconds": 30.5})
                    runs[-1] |= {"loss_of_start": {"all": 2.0, "cards": 0.5, "formula": 1.5}}
    described = {
        "title": "GeneralPoints in words, made of chance",
        "about": "No model was trained: these numbers are drawn, to look at the report.",
        "measures": "generalisation",
        "env": "verienv/GeneralPoints-L-v0",
        "starts": names,
        "arms": {arm: {"label": LABELS[arm], "script": "sft" if arm == "sft" else "ppo", "rates": []} for arm in arms},
        "rates": list(rates),
        "seeds": list(range(seeds)),
        "cells": {cell: {"heading": HEADINGS[cell], "episodes": None, "seed": 2026} for cell in cells},
        "episodes": items,
        "contrast": list(contrast) if contrast else None,
        "smallest_effect": 0.05,
        "headline": "success",
        "gauges": dict(gauges),
        "temperature": 1.0,
        "published": [],
        "source": "",
    }
    clusters = {cell: {"clusters": [item // 2 for item in range(items)]} for cell in cells}
    machine = {"device": "x86_64 CPU", "threads": 1, "versions": {"torch": "2.13.0"}, "revision": "0" * 40}
    return {"study": {**described, **study}, **machine, "items": clusters, "runs": runs}


def solved(rng, luck, share):
    """Outcomes of items at a share of success: mostly the item's own luck, a little of the policy's."""
    mixed = np.where(rng.random(len(luck)) < 0.2, rng.random(len(luck)), luck)
    return mixed < np.clip(share, 0, 1)


def point(update, outcomes, gauges, flops=0.0):
    """A checkpoint as study.json holds it; ``flops`` is what an update costs."""
    cells = {}
    for cell, bits in outcomes.items():
        share = float(bits.mean())
        right = {"numbers_correct": 0.9, "formula_valid": 0.5 + share / 2, "cards_correct": 0.6 + 0.4 * share}
        metrics = {gauge: share if gauge == "success" else right[gauge] for gauge in gauges}
        wrong = int((~bits).sum())
        cells[cell] = {
            "episodes": len(bits),
            "clusters": len(bits) // 2,
            "metrics": metrics,
            "failures": {"wrong_number": wrong - wrong // 3, "wrong_value": wrong // 3},
            "successes": np.packbits(bits).tobytes().hex(),
        }
    nats = {"all": 0.01 * update, "cards": 0.001 * update, "formula": 0.009 * update}
    kl = {"policy_to_start": nats, "start_to_policy": {name: value / 2 for name, value in nats.items()}}
    loss = {"loss": {"all": 1.25, "cards": 0.25, "formula": 1.0}} if update else {}
    return {"update": update, "flops": flops * update, "kl": kl if update else {}, **loss, "cells": cells}


def three():
    """The studies to look at, by name."""
    published = [
        {"cell": cell, "arm": arm, "start": start, "end": end}
        for cell, arm, start, end in (
            ("id", "sft", 40.0, 62.0), ("id", "grpo", 40.0, 55.0),
            ("ood", "sft", 11.5, 3.4), ("ood", "grpo", 11.5, 15.0),
        )
    ]  # fmt: skip
    return {
        "large": made(keeps=0.06),
        "small": made(starts=1, rates=RATES[1:], seeds=1, updates=(60,)),
        "claim": made(
            starts=5, rates=(3e-4,), seeds=2, keeps=0.1, published=published, source="arXiv 2501.17161, Figure 5",
            cells=tuple(HEADINGS), gauges=GAUGES | RECOGNITION, title="The paper's claim, made of chance",
        ),
    }  # fmt: skip


def main(out):
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
    from study_report import write_report

    for name, study in three().items():
        folder = Path(out) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "study.json").write_text(json.dumps(study))
        write_report(study, folder)


if __name__ == "__main__":
    main(sys.argv[1])
