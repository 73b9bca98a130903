"""The comparisons that a study's report makes: arms at equal gain and elsewhere, ends against starts, publications.

Several learning rates of two arms are compared rate by rate and averaged within a start, as seeds are, unless the study
names a rate for each arm beforehand: none is chosen by what is held out. study_statistics.py makes the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, NamedTuple

import numpy as np

from study_judgement import judge
from study_statistics import Effect, Side, effect, over_starts, success

Study = dict[str, Any]
Run = dict[str, Any]
Ends = Mapping[tuple[Side, str], Effect]
"""Success at the end, or its change from the start, by arm and rate, and cell."""
START = "(start)"


class Comparison(NamedTuple):
    """One arm less another: what is compared, along what, and the effect; none, with the reason, where it cannot be."""

    name: str
    along: str
    found: Effect
    reason: str = ""


class Judgement(NamedTuple):
    """An effect in words: "shown", "no difference of 5 points" or "not resolved", and what else is to be said."""

    kind: str
    more: str

    @classmethod
    def of(cls, found: Effect, smallest: float, p: float | None = None) -> Judgement:
        """Judge an effect, with ``p`` from Holm's correction; none, and NaN as of a single start, is no correction."""
        kind, _, rest = judge(found, None if p is None or isnan(p) else p, smallest).partition(": ")
        before, _, after = rest.partition("; ")
        return cls(kind.partition(",")[0], before.rpartition(": ")[0] or after)


def interval(found: Effect, signed: bool = True) -> str:
    """Write an effect in points, or a share in percent, with its interval; "?" for an unknown one."""
    mean, low, high = (
        f"{round(100 * number, 1) + 0.0:+.1f}".removeprefix("" if signed else "+") for number in found[:3]
    )
    if isnan(found.mean):
        return "?"
    return f"{mean} ({'no interval' if isnan(found.low) else f'{low} to {high}'})"


def arms_of(study: Study) -> list[str]:
    """Return the arms that have runs, in the study's order."""
    ran = {run["arm"] for run in study["runs"]}
    return [arm for arm in study["study"]["arms"] if arm in ran]


def rates_of(study: Study, arm: str = "") -> list[float]:
    """Return the learning rates of an arm, or of all, from the lowest."""
    return sorted({run["rate"] for run in study["runs"] if arm in ("", run["arm"])})


def sides_of(study: Study) -> list[Side]:
    """Return every arm with each of its rates."""
    return [(arm, rate) for arm in arms_of(study) for rate in rates_of(study, arm)]


def label_of(study: Study, arm: str) -> str:
    return str(study["study"]["arms"][arm]["label"])


def heading_of(study: Study, cell: str) -> str:
    return str(study["study"]["cells"][cell]["heading"])


def rate_name(rate: float) -> str:
    """Return a learning rate in short, such as 3e-4."""
    mantissa, _, exponent = f"{rate:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def headed(study: Study, heading: str) -> str:
    """Return a heading, which says retention where the starts have met what is held out."""
    return f"## {heading}" + (" (retention)" if is_retention(study) else "")


def side_name(study: Study, side: Side) -> str:
    return f"{label_of(study, side[0])}, {rate_name(side[1])}"


def points(share: float) -> str:
    return f"{100 * share:g} points"


def is_retention(study: Study) -> bool:
    """Return whether the starts have met what is held out, so that nothing generalises to it."""
    return str(study["study"]["measures"]) == "retention"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def plane_of(study: Study) -> tuple[str, str]:
    """Return the cells that are set against each other: of the rule that is trained on, "" for none, and held out.

    They are "id" (else "matching") and "ood"; in a study without these, its first two cells.
    """
    cells = list(study["items"])
    held_out = "ood" if "ood" in cells else cells[-1] if len(cells) < 3 else cells[1]
    others = [cell for cell in cells if cell != held_out]
    return next((cell for cell in ("id", "matching", *others) if cell in others), ""), held_out


def ends_of(study: Study) -> dict[tuple[Side, str], Effect]:
    """Return the success of every arm and rate at the end, in every cell."""
    return {(side, cell): found for cell in study["items"] for side, found in success(study, cell).items()}


def pairs_of_rates(study: Study, one: str, other: str) -> list[tuple[float, float]]:
    """Return the rates at which two arms are compared: those of both or, where there is none, in their order."""
    ours, theirs = rates_of(study, one), rates_of(study, other)
    common = [(rate, rate) for rate in ours if rate in theirs]
    return common or list(zip(ours, theirs, strict=False))


def ended(study: Study) -> Study:
    """Return the study with each run's start and end alone, as updates 0 and 1."""
    runs = [
        {**run, "points": [{**run["points"][0], "update": 0}, {**run["points"][-1], "update": 1}]}
        for run in study["runs"]
    ]
    return {**study, "runs": runs}


def over_rates(study: Study, one: str, other: str, pairs: Sequence[tuple[float, float]] = ()) -> Study:
    """Return the runs of two arms with their rates told apart as seeds are, so that an effect is a mean over them.

    They are those of some ``pairs`` of rates; by default of all at which the two are compared.
    """
    runs = []
    for pair in pairs or pairs_of_rates(study, one, other):
        name = " and ".join(dict.fromkeys(map(rate_name, pair)))
        for arm, rate in zip((one, other), pair, strict=True):
            own = [run for run in study["runs"] if (run["arm"], run["rate"]) == (arm, rate)]
            runs += [{**run, "rate": 0.0, "seed": f"{run['seed']} at rate {name}"} for run in own]
    return {**study, "runs": runs}


def compare(study: Study, name: str, one: str, other: str, cell: str, along: str = "gain") -> Comparison:
    """Compare two arms in a cell at equal gain, update or FLOPs, in the mean over their rates."""
    missing = [sought for sought in (cell, *(["matching"] if along == "gain" else [])) if sought not in study["items"]]
    if missing:
        return Comparison(name, along, NOTHING, f"there is no cell {missing[0]!r}")
    keys = [{(run["start"], run["seed"]) for run in study["runs"] if run["arm"] == arm} for arm in (one, other)]
    if not keys[0] & keys[1]:
        return Comparison(name, along, NOTHING, "no start and seed has runs of both arms")
    found = effect(study, (one, 0.0), (other, 0.0), cell, along)
    return Comparison(name, along, found, found.left_out[0] if isnan(found.mean) and found.left_out else "")


NOTHING = Effect(nan, nan, nan, nan, {}, 0.0, "nothing")


def primary(study: Study) -> Comparison | None:
    """Return the study's contrast, where it has one: in the cell "ood" at equal gain in the cell "matching"."""
    contrast = study["study"]["contrast"]
    if not contrast or not set(contrast) <= set(arms_of(study)):
        return None
    one, other = contrast
    if own := own_rates(study):
        names = (side_name(study, side) for side in zip(contrast, own, strict=True))
        return compare(over_rates(study, one, other, [own]), " less ".join(names), one, other, "ood")
    name = f"{label_of(study, one)} less {label_of(study, other)}"
    return compare(over_rates(study, one, other), name, one, other, "ood")


def own_rates(study: Study) -> tuple[float, float] | None:
    """Return the rates that the contrast is about, each arm's own; None where it names none, or one was not run."""
    contrast, rates = study["study"]["contrast"], study["study"].get("contrast_rates")
    if not rates or any(rate not in rates_of(study, arm) for arm, rate in zip(contrast, rates, strict=True)):
        return None
    return rates[0], rates[1]


def secondary(study: Study) -> list[Comparison]:
    """Return the other comparisons of the contrast's arms, and of every other arm with its second: one family."""
    contrast = study["study"]["contrast"]
    if not contrast or not set(contrast) <= set(arms_of(study)) or "ood" not in study["items"]:
        return []
    one, other = contrast
    both, pairs = over_rates(study, one, other), pairs_of_rates(study, one, other)
    name = f"{label_of(study, one)} less {label_of(study, other)}"
    found = []
    for mine, theirs in pairs:
        told = " and ".join(dict.fromkeys(map(rate_name, (mine, theirs))))
        alone = {
            **study,
            "runs": [run for run in study["runs"] if (run["arm"], run["rate"]) in ((one, mine), (other, theirs))],
        }
        found.append(
            compare(
                over_rates(ended(alone), one, other), f"{name}, rate {told}, at the end", one, other, "ood", "update"
            )
        )
    if len(pairs) > 1 or len({run["points"][-1]["update"] for run in both["runs"]}) > 1:
        found.append(compare(both, f"{name}, at equal updates", one, other, "ood", "update"))
    found.append(compare(both, f"{name}, at equal FLOPs", one, other, "ood", "flops"))
    if own_rates(study):
        found.append(compare(both, f"{name}, all rates, at equal gain", one, other, "ood"))
    for arm in arms_of(study):
        if arm not in contrast:
            name_of_it = f"{label_of(study, arm)} less {label_of(study, other)}, at equal gain"
            found.append(compare(over_rates(study, arm, other), name_of_it, arm, other, "ood"))
    for cell in study["items"]:
        if cell not in ("matching", "id", "ood"):
            found.append(compare(both, f"{name}, {heading_of(study, cell)}, at equal gain", one, other, cell))
    return found


def all_changes(study: Study) -> dict[tuple[Side, str], Effect]:
    """Return the change of success of every arm and rate from its starts to the end, in every cell."""
    return {(side, cell): found for cell in study["items"] for side, found in changes_of(study, cell).items()}


def changes_of(study: Study, cell: str, metric: str = "success") -> dict[Side, Effect]:
    """Return the change of every arm and rate from its starts to the end, in a cell.

    Of success, each item is paired; of another metric there are means alone, so that its intervals are Student's over
    the starts, and a single start has none.
    """
    short = ended(study)
    if metric != "success":
        return {side: change_of_metric(study, side, cell, metric) for side in sides_of(study)}
    starts = [
        {**run, "arm": START, "points": [run["points"][0], {**run["points"][0], "update": 1}]} for run in short["runs"]
    ]
    found = {}
    for arm, rate in sides_of(study):
        own = [run for run in short["runs"] if (run["arm"], run["rate"]) == (arm, rate)]
        beside = [
            start for start, run in zip(starts, short["runs"], strict=True) if (run["arm"], run["rate"]) == (arm, rate)
        ]
        found[arm, rate] = effect({**study, "runs": own + beside}, (arm, rate), (START, rate), cell, "update", 1)
    return found


def change_of_metric(study: Study, side: Side, cell: str, metric: str) -> Effect:
    """Return the change of a metric that is known as a mean alone, from its starts to the end."""
    values: dict[str, list[float]] = {}
    for run in study["runs"]:
        if (run["arm"], run["rate"]) == side:
            first, last = (run["points"][place]["cells"][cell]["metrics"].get(metric) for place in (0, -1))
            if first is not None and last is not None:
                values.setdefault(run["start"], []).append(last - first)
    means = np.array([np.mean(each) for each in values.values()])
    mean, low, high, p, shared = over_starts(means, {}, {}) if len(means) > 1 else (*means[:1], *(nan,) * 5)[:5]
    seen = {start: tuple(each) for start, each in values.items()}
    return Effect(float(mean), low, high, p, seen, 0.0 if isnan(shared) else shared, f"other starts, from {len(means)}")


def through(study: Study) -> Study:
    """Return the study with the checkpoint that a run went on from, of another arm, as a point behind its start's."""
    points = {
        (run["arm"], run["rate"], run["start"], run["seed"], point["update"]): point
        for run in study["runs"]
        for point in run["points"]
    }
    runs = []
    for run in study["runs"]:
        arm = study["study"]["arms"][run["arm"]]
        key = (arm.get("after"), arm.get("rate_before") or run["rate"], run["start"], run["seed"], arm.get("at"))
        between = [points[key]] if arm.get("after") and key in points else []
        runs.append({**run, "points": [run["points"][0], *between, *run["points"][1:]]})
    return {**study, "runs": runs}


def mean_over_starts(runs: Sequence[Run], values: Sequence[Any]) -> Any:
    """Return the mean over starts of the means over their seeds."""
    by_start: dict[str, list[Any]] = {}
    for run, value in zip(runs, values, strict=True):
        by_start.setdefault(run["start"], []).append(value)
    return np.mean([np.mean(each, axis=0) for each in by_start.values()], axis=0)


def published_changes(study: Study) -> list[tuple[dict[str, Any], Side, Effect]]:
    """Return each number of the publication with the change of its arm at every rate, in the study's headline."""
    headline, found = study["study"]["headline"], []
    changes = {one["cell"]: changes_of(study, one["cell"], headline) for one in study["study"]["published"]}
    for one in study["study"]["published"]:
        for side, change in changes[one["cell"]].items():
            if side[0] == one["arm"]:
                found.append((one, side, change))
    return found
