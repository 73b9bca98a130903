"""The report of a study, from study.json alone: the answer and its figure, then the comparisons, then the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from study_comparisons import (
    Comparison,
    Ends,
    Judgement,
    all_changes,
    arms_of,
    counted,
    ends_of,
    headed,
    heading_of,
    interval,
    is_retention,
    label_of,
    mean_over_starts,
    plane_of,
    points,
    primary,
    rate_name,
    rates_of,
    secondary,
    side_name,
)
from study_figures import draw_plane, draw_published, draw_recognition, percents
from study_judgement import holm
from study_statistics import Effect, Side
from study_tables import (
    RECOGNITION,
    conditions,
    distances,
    failures,
    fitted,
    gauges,
    is_measured,
    published,
    success_tables,
)
from verienv.core.files import atomic_text
from verienv.evaluation.tables import markdown_table

Study = dict[str, Any]


def write_report(study: Study, out: Path, name: str = "study.json") -> str:
    """Write the report and its figures into ``out``, under names like that of the study's file; return the text.

    Raises:
        KeyError, TypeError, AttributeError, IndexError, ValueError: for what is no study.
    """
    if not study["runs"]:
        raise ValueError(f"{out / name} holds no run that is done, so that there is nothing to tell")
    suffix = Path(name).stem.removeprefix("study")
    ends, changes = ends_of(study), all_changes(study)
    draw_plane(study, ends, out / f"figure{suffix}")
    parts = [*answer(study, ends, changes, suffix), *comparisons(study), *stopped(study)]
    if study["study"]["published"]:
        draw_published(study, ends, out / f"published{suffix}")
        parts += published(study, suffix)
    parts += [*success_tables(study, ends, changes), *gauges(study)]
    if is_measured(study, RECOGNITION):
        draw_recognition(study, RECOGNITION, out / f"recognition{suffix}")
        parts.append(f"![Success against recognition, from start to end](recognition{suffix}.png)")
    parts += [*distances(study), *fitted(study), *failures(study), *conditions(study, name)]
    text = "\n\n".join(parts)
    with atomic_text(out / f"report{suffix}.md") as file:
        file.write(text + "\n")
    return text


def answer(study: Study, ends: Ends, changes: Ends, suffix: str) -> list[str]:
    """Return the title, the answer in five sentences, and the figure."""
    trained, held_out = plane_of(study)
    told = [*first_sentences(study), reached(study, ends), kinds(study, changes), by_rate(study, ends)]
    caption = (
        f"Success under {heading_of(study, held_out)} against {heading_of(study, trained) if trained else 'updates'}. "
        "Thin lines are runs, from their start; strong ones are the means over starts, with 95% intervals at the end."
    )
    return [
        f"# {study['study']['title']}" + (" (retention)" if is_retention(study) else ""),
        " ".join(study["study"]["about"].split()),
        headed(study, "Answer"),
        "\n".join(told),
        f"![Held out against trained on, a line a run](figure{suffix}.png)",
        caption,
    ]


def first_sentences(study: Study) -> list[str]:
    """Say how the contrast's arms compare at equal gain, and how much they can be compared."""
    smallest, contrast = study["study"]["smallest_effect"], primary(study)
    if contrast is None:
        starts = counted(len({run["start"] for run in study["runs"]}), "start")
        return [
            "In this setting no arm is compared with another, as the study names no contrast of two arms that ran.",
            f"It has {counted(len(study['runs']), 'run')} from {starts}: "
            f"{', '.join(label_of(study, arm) for arm in arms_of(study))}.",
        ]
    one, other = (label_of(study, arm) for arm in study["study"]["contrast"])
    verb, more, less = ("retains", "more", "less") if is_retention(study) else ("generalises", "better", "worse")
    if contrast.reason:
        return [
            f"In this setting it is not resolved whether {one} or {other} {verb} {more}: at equal gain they cannot be "
            "compared.",
            f"The reason is that {contrast.reason}.",
        ]
    found, under = contrast.found, f"under {heading_of(study, 'ood')}"
    judged = Judgement.of(found, smallest)
    if judged.kind == "shown":
        small = f", though by less than {points(smallest)}" if "smaller" in judged.more else ""
        said = f"{one} {verb} {more if found.mean > 0 else less} than {other} {under}{small}"
    elif judged.kind == "not resolved":
        said = f"it is not resolved whether {one} or {other} {verb} {more} {under}"
    else:
        said = f"there is {judged.kind} between {one} and {other} {under}"
    needed = f"; {judged.more}" if judged.kind == "not resolved" and judged.more else ""
    left = len(found.left_out)
    every = f"{left} of {left + pairs_in(found)} pairs of runs share none and are" if left else "no pair of runs is"
    seeds = max(len({run["seed"] for run in study["runs"] if run["start"] == start}) for start in found.starts)
    return [
        f"In this setting {said}: at equal gain, {contrast.name} is {interval(found)} points, for {found.about}, "
        f"{counted(seeds, 'seed')}{needed}.",
        f"Their ranges of gain overlap in {100 * found.overlap:.0f}% of what they span together, and {every} left out.",
    ]


def pairs_in(found: Effect) -> int:
    return sum(map(len, found.starts.values()))


def told_arms(study: Study) -> Sequence[str]:
    """Return the arms that the answer tells of: the contrast's, or all."""
    contrast = study["study"]["contrast"]
    return contrast if contrast and set(contrast) <= set(arms_of(study)) else arms_of(study)


def reached(study: Study, ends: Ends) -> str:
    """Say where the runs began and ended."""
    cells = [cell for cell in plane_of(study) if cell]
    starts = [mean_over_starts(study["runs"], [percents(run, cell)[0] for run in study["runs"]]) for cell in cells]
    began = " and ".join(f"{x:.1f}% under {heading_of(study, cell)}" for x, cell in zip(starts, cells, strict=True))

    def range_of(arm: str, cell: str) -> str:
        found = [f"{100 * ends[(arm, rate), cell].mean:.1f}" for rate in rates_of(study, arm)]
        low, high = min(found, key=float), max(found, key=float)
        return f"{low}%" if low == high else f"{low} to {high}%"

    ended = []
    for arm in told_arms(study):
        ended.append(f"{label_of(study, arm)} solves {' and '.join(range_of(arm, cell) for cell in cells)}")
    several = len({run["start"] for run in study["runs"]}) > 1
    ranges = ", by rate" if any(len(rates_of(study, arm)) > 1 for arm in told_arms(study)) else ""
    return f"The {'starts solve' if several else 'start solves'} {began}; after training, {'; '.join(ended)}{ranges}."


def kinds(study: Study, changes: Ends) -> str:
    """Say at how many rates an arm memorises and generalises or, of what the start had, loses and gains."""
    trained, held_out = plane_of(study)
    memorises = not is_retention(study) and held_out == "ood" and trained in ("id", "matching")
    p = holm({str(key): one.p for key, one in changes.items() if key[1] in (trained, held_out)})

    def moved(side: Side, cell: str) -> int:
        one = changes[side, cell]
        judged = Judgement.of(one, study["study"]["smallest_effect"], p[str((side, cell))])
        return int(np.sign(one.mean)) if judged.kind == "shown" else 0

    said = []
    for arm in told_arms(study):
        sides = [(arm, rate) for rate in rates_of(study, arm)]
        rises = [side for side in sides if moved(side, held_out) > 0]
        falls = [side for side in sides if moved(side, held_out) < 0]
        if memorises:
            falls = [side for side in falls if moved(side, trained) > 0]
        down, up = ("memorises", "generalises") if memorises else ("loses", "gains")
        said.append(
            f"{label_of(study, arm)} {down} at {len(falls)} of {counted(len(sides), 'rate')} and {up} at {len(rises)}"
        )
    meaning = (
        "memorising is a gain where it is trained and a loss where it is not, generalising a gain there"
        if memorises
        else f"success under {heading_of(study, held_out)}"
    )
    how = "shown after Holm's correction" if any(not isnan(one) for one in p.values()) else "shown, of this start alone"
    return f"From the start, {'; '.join(said)} ({meaning}; each is {how})."


def by_rate(study: Study, ends: Ends) -> str:
    """Say how much the rate changes of what is held out."""
    _, held_out = plane_of(study)
    rates = {arm: rates_of(study, arm) for arm in told_arms(study)}
    if all(len(each) == 1 for each in rates.values()):
        told = ", ".join(f"{label_of(study, arm)} {rate_name(each[0])}" for arm, each in rates.items())
        return f"Each arm has one learning rate ({told}), and nothing is said of others."
    ranges = []
    for arm, each in rates.items():
        change = ends[(arm, each[-1]), held_out].mean - ends[(arm, each[0]), held_out].mean
        span = f"{rate_name(each[0])} to {rate_name(each[-1])}"
        ranges.append(f"{round(100 * change, 1) + 0.0:+.1f} points in {label_of(study, arm)} ({span})")
    return (
        f"From the lowest learning rate to the highest, success under {heading_of(study, held_out)} at the end changes "
        f"by {' and '.join(ranges)}."
    )


def comparisons(study: Study) -> Iterator[str]:
    """Yield the table of the comparisons, the primary one first."""
    contrast, others = primary(study), secondary(study)
    if contrast is None:
        return
    smallest = study["study"]["smallest_effect"]
    p = holm({one.name: one.found.p for one in others})
    rows = [comparison_row(contrast._replace(name=f"{contrast.name}, at equal gain (primary)"), smallest, None)]
    rows += [comparison_row(one, smallest, p[one.name]) for one in others]
    several = len({run["start"] for run in study["runs"]}) > 1
    yield headed(study, "Comparisons")
    yield markdown_table(["", "points (95% interval)", "p", "overlap", "starts", "pairs", "judgement"], rows)
    held_out = heading_of(study, "ood") if "ood" in study["items"] else "a cell that is missing"
    about = "about other starts and items" if several else "about other items of this start alone"
    yield (
        f'Points of success under {held_out}, unless told otherwise. Gain is measured in the cell "matching", whose '
        "episodes are others; at equal gain is the mean over the upper half of the gains that both runs reached, and "
        "overlap is the share that these gains are of both ranges. Runs are paired by start, seed and rate, and "
        f"averaged within a start; intervals are {about}. p of all but the first is corrected for their number (Holm). "
        f"No difference means that the interval lies within {points(smallest)}. See docs/statistics.md."
    )
    if study["study"]["headline"] != "success":
        yield "They are of success, as outcomes item by item are kept of that alone; the headline is a gauge below."
    for one in (contrast, *others):
        if one.found.left_out and not one.reason:
            more = len(one.found.left_out) - 1
            yield f"Left out of {one.name}: {one.found.left_out[0]}{f'; and {more} more' if more else ''}."


def comparison_row(one: Comparison, smallest: float, p: float | None) -> list[str]:
    if one.reason:
        return [one.name, "?", "?", "?", "0", "0", f"not resolved: {one.reason}"]
    judged, shown = Judgement.of(one.found, smallest, p), one.found.p if p is None else p
    chance = "?" if isnan(shown) else "<0.001" if shown < 0.001 else f"{shown:.3f}"
    overlap = "" if one.along == "update" else f"{100 * one.found.overlap:.0f}%"
    is_told = judged.more and (len(one.found.starts) > 1 or judged.kind == "shown")  # of one start, the answer says it
    said = judged.kind + (f": {judged.more}" if is_told else "")
    numbers = (str(number) for number in (len(one.found.starts), pairs_in(one.found)))
    return [one.name, interval(one.found), chance, overlap, *numbers, said]


def stopped(study: Study) -> Iterator[str]:
    """Yield the runs that stopped before their end."""
    found = [run for run in study["runs"] if run["stopped"]]
    if found:
        yield headed(study, "Runs that stopped")
        for run in found:
            side, update = side_name(study, (run["arm"], run["rate"])), run["points"][-1]["update"]
            yield f"- {side}, {run['start']}, seed {run['seed']}: {run['stopped']} after update {update}, its end here."
