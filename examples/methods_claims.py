"""The claims of the second source about the methods, each against what was measured: shown, not shown or contrary."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from methods_costs import Cost
from study_comparisons import Judgement, arms_of, ended, heading_of, interval, label_of, rates_of
from study_statistics import Effect, Side, effect
from verienv.evaluation import Estimate, estimates

Study = dict[str, Any]
Costs = dict[Side, Cost]


class Claim(NamedTuple):
    """A claim, what became of it, and on what grounds."""

    claim: str
    judged: str
    grounds: str


def best(study: Study, arm: str) -> Side:
    """Return an arm with the rate at which it does best in the cell "matching", which no table reports."""

    def found(rate: float) -> float:
        own = [run["points"][-1] for run in study["runs"] if (run["arm"], run["rate"]) == (arm, rate)]
        return float(np.mean([point["cells"]["matching"]["metrics"]["success"] for point in own]))

    rates = rates_of(study, arm)
    return arm, max(rates, key=found) if len(rates) > 1 else rates[0]


def less(study: Study, one: str, other: str, cell: str) -> Effect:
    """Return one arm less another in a cell at the end, each at its best rate."""
    short, sides = ended(study), (best(study, one), best(study, other))
    runs = [{**run, "rate": 0.0} for run in short["runs"] if (run["arm"], run["rate"]) in sides]
    return effect({**study, "runs": runs}, (one, 0.0), (other, 0.0), cell, "update", 1)


def explored(study: Study, arm: str, measure: str, cell: str = "id") -> tuple[Any, list[str]]:
    """Return a measure of an arm's last checkpoints, or of the starts (arm ""), by item, and the items' clusters.

    NaN stands where an item does not tell; both are empty where a study does not explore.
    """
    if arm:
        side = best(study, arm)
        points = [run["points"][-1] for run in study["runs"] if (run["arm"], run["rate"]) == side]
    else:
        points = list({run["start"]: run["points"][0] for run in study["runs"]}.values())
    found = [point["explored"][cell] for point in points if "explored" in point]
    if not found:
        return np.zeros(0), []
    values = np.array([[np.nan if one is None else one for one in each[measure]] for each in found], dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an item that no run tells of
        return np.nanmean(values, axis=0), list(found[0]["clusters"])


def mean_of(values: Any, clusters: list[str], paired: bool) -> Estimate | None:
    """Return the mean over the items that tell, with its interval; None where none does."""
    kept = np.flatnonzero(~np.isnan(values))
    if not len(kept):
        return None
    return estimates(values[kept][:, None], [clusters[at] for at in kept], paired=paired, shares=[True])[0]


def cell_of(study: Study, measure: str) -> str:
    """Return the cell in which a measure is told: of repairing the held-out one, where more answers are wrong."""
    return "ood" if measure == "repaired" and "ood" in study["items"] else "id"


def explored_less(study: Study, one: str, other: str, measure: str) -> Effect | None:
    """Return one arm's measure less another's, over the items that tell of both."""
    cell = cell_of(study, measure)
    (mine, clusters), (theirs, _) = explored(study, one, measure, cell), explored(study, other, measure, cell)
    found = mean_of(mine - theirs, clusters, paired=True) if len(mine) == len(theirs) else None
    return Effect(*found, np.nan, {}, 0.0, "other items") if found else None


def estimate(study: Study, arm: str, measure: str, cell: str = "id") -> Estimate | None:
    """Return the mean of a measure of an arm, or of the starts (arm ""), with its interval over items."""
    return mean_of(*explored(study, arm, measure, cell), paired=False)


def claims(study: Study, costs: Costs) -> Iterator[Claim]:
    """Yield the claims of which all arms ran."""
    ran = set(arms_of(study))
    for needed, told in CLAIMS:
        if set(needed) <= ran:
            yield told(study, costs)


def judged(study: Study, found: Effect, sign: int = 1) -> str:
    """Return what an effect says of a claim that it has this sign."""
    kind = Judgement.of(found, study["study"]["smallest_effect"]).kind
    if kind == "shown":
        return "shown" if np.sign(found.mean) == sign else "contrary"
    return "not shown"


def told(study: Study, one: str, other: str, found: Effect, cell: str = "id") -> str:
    return f"{label_of(study, one)} less {label_of(study, other)}, {heading_of(study, cell)}: {interval(found)} points"


def total(cost: Cost) -> float:
    return sum(cost.flops.values())


def core_seconds(cost: Cost) -> float:
    return sum(cost.seconds.values())


def sft_is_simple(study: Study, costs: Costs) -> Claim:
    arms, mine = study["study"]["arms"], costs[best(study, "sft")]
    others = [cost for side, cost in costs.items() if arms[side[0]]["script"] != "sft" or arms[side[0]]["needs"]]
    fewest = all(mine.lines <= cost.lines and len(mine.models) <= len(cost.models) for cost in others)
    cheapest = all(core_seconds(mine) <= core_seconds(cost) for cost in others)
    grounds = (
        f"{mine.lines} lines and {len(mine.models)} model in memory, others {min(cost.lines for cost in others)} to "
        f"{max(cost.lines for cost in others)} lines; {core_seconds(mine):.0f} seconds of a core, others "
        f"{min(map(core_seconds, others)):.0f} to {max(map(core_seconds, others)):.0f}"
    )
    return Claim("SFT is the simplest and cheapest", "shown" if fewest and cheapest else "not shown", grounds)


def reft_needs_no_preferences(study: Study, costs: Costs) -> Claim:
    cost = costs[best(study, "reft")]
    grounds = f"{cost.shown:.0f} labels, {cost.demonstrations:,.0f} demonstrations, {cost.verdicts:,.0f} verdicts"
    return Claim("ReFT needs no preferences", "shown" if not cost.shown else "contrary", f"{grounds} (by its making)")


def reft_beats_sft(study: Study, costs: Costs) -> Claim:
    found = {cell: less(study, "reft", "sft", cell) for cell in ("id", "ood") if cell in study["items"]}
    kinds = [judged(study, one) for one in found.values()]
    said = "shown" if all(kind == "shown" for kind in kinds) else "contrary" if "contrary" in kinds else "not shown"
    grounds = "; ".join(told(study, "reft", "sft", one, cell) for cell, one in found.items())
    return Claim("ReFT does better than SFT, and generalises better", said, grounds)


def rlhf_is_dearest(study: Study, costs: Costs) -> Claim:
    mine = costs[best(study, "rlhf-flip25")]
    others = {
        side[0]: cost for side, cost in costs.items() if not cost.judge_tokens and "reward model" not in cost.models
    }
    dearest = max(others, key=lambda arm: core_seconds(others[arm]))
    most = all(mine.lines >= cost.lines and core_seconds(mine) >= core_seconds(cost) for cost in others.values())
    grounds = (
        f"{len(mine.models)} models in memory, {mine.lines} lines, {core_seconds(mine):.0f} seconds of a core; dearest "
        f"of the others is {label_of(study, dearest)}, {core_seconds(others[dearest]):.0f} seconds, "
        f"{others[dearest].lines} lines"
    )
    return Claim(
        "RLHF is the most complex and the most expensive, but for what a judge costs",
        "shown" if most else "not shown",
        grounds,
    )


def dpo_is_cheaper(study: Study, costs: Costs) -> Claim:
    mine, theirs = costs[best(study, "dpo-flip25")], costs[best(study, "rlhf-flip25")]
    kind = "shown" if core_seconds(mine) < core_seconds(theirs) and total(mine) < total(theirs) else "not shown"
    grounds = (
        f"{core_seconds(mine):.0f} against {core_seconds(theirs):.0f} seconds of a core, {total(mine):.2g} against "
        f"{total(theirs):.2g} operations, from the same labels"
    )
    return Claim("DPO costs less than RLHF", kind, grounds)


def compared(claim: str, one: str, other: str, cell: str = "id", sign: int = 1) -> Callable[[Study, Costs], Claim]:
    """Return a claim that one arm does better than another, or with ``sign`` -1 worse."""

    def claimed(study: Study, costs: Costs) -> Claim:
        found = less(study, one, other, cell)
        return Claim(claim, judged(study, found, sign), told(study, one, other, found, cell))

    return claimed


def compared_in(claim: str, one: str, other: str, measure: str, name: str) -> Callable[[Study, Costs], Claim]:
    """Return a claim that one arm has more of what ``study_exploring`` measures than another."""

    def claimed(study: Study, costs: Costs) -> Claim:
        found = explored_less(study, one, other, measure)
        if found is None:
            return Claim(claim, "not shown", "no item tells of both")
        grounds = f"{name}: {label_of(study, one)} less {label_of(study, other)} {interval(found)} points"
        return Claim(claim, judged(study, found), grounds)

    return claimed


BOTH = "score", "success"
"""What is told of learned rewards: what they pay, and what the program says."""


def rewards_are_hacked(study: Study, costs: Costs) -> Claim:
    found: dict[str, list[tuple[float, float, float]]] = {}
    for run in study["runs"]:
        truth = run.get("truth") or []
        if len(truth) > 1:
            few = max(1, len(truth) // 4)
            parts = truth[:few], truth[-few:]
            rise, gain = (float(np.diff([np.mean([one[name] for one in part]) for part in parts])[0]) for name in BOTH)
            variance = sum(0.25 / sum(one["episodes"] for one in part) for part in parts)
            found.setdefault(run["arm"], []).append((rise, gain, variance))
    grounds, hacked = list[str](), False
    for arm, runs in found.items():
        rise, gain = (float(np.mean([run[place] for run in runs])) for place in (0, 1))
        error = 1.96 * float(np.sqrt(sum(run[2] for run in runs))) / len(runs)
        hacked |= rise > 0 and gain < -error
        told = f"score {rise:+.2f}, success {100 * gain:+.1f} points (shown from {100 * error:.1f})"
        grounds.append(f"{label_of(study, arm)}: {told}")
    over = f", means of {max(map(len, found.values()))} runs" if found else ""
    told = "; ".join(grounds) + over or "no such arm ran"
    return Claim("A learned reward is exploited", "shown" if hacked else "not shown", told)


LABELS, OTHERS = ("dpo-flip25", "rlhf-flip25"), "depends on the quality of labels"
PRICED = "A price of KL keeps a learned reward from being exploited"
FOUND, MENDED = "different solutions found in 16 answers", "wrong answers that became right"
CLAIMS: tuple[tuple[tuple[str, ...], Callable[[Study, Costs], Claim]], ...] = (
    (("sft",), sft_is_simple),
    (("reft",), reft_needs_no_preferences),
    (("reft", "sft"), reft_beats_sft),
    (("rlhf-flip25",), rlhf_is_dearest),
    (LABELS, dpo_is_cheaper),
    (LABELS, compared("RLHF does better than DPO from the same labels", "rlhf-flip25", "dpo-flip25")),
    (("dpo-program", "dpo-flip25"), compared(f"DPO {OTHERS}", "dpo-program", "dpo-flip25")),
    (("rlhf-program", "rlhf-flip25"), compared(f"RLHF {OTHERS}", "rlhf-program", "rlhf-flip25")),
    (("rlaif", "rlhf-program"), compared("RLAIF is worth what its judge is worth", "rlhf-program", "rlaif")),
    (("ppo", "rlhf-program"), compared("An exact reward is worth more than a learned one", "ppo", "rlhf-program")),
    (("rlhf-free",), rewards_are_hacked),
    (("rlhf-program", "rlhf-free"), compared(PRICED, "rlhf-program", "rlhf-free")),
    (("grpo", "sft"), compared_in("RL explores more than SFT", "grpo", "sft", "solutions", FOUND)),
    (("ppo3", "ppo"), compared_in("RL with feedback learns to correct itself", "ppo3", "ppo", "repaired", MENDED)),
)
"""Claims, and the arms that each is about."""
