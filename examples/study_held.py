"""The runs that a study.json holds, taken over by another study, so that they are not done again."""

from __future__ import annotations

from typing import Any

from study_measures import Place, weights_of
from study_plan import Arm, Study, jobs_of, start_name
from verienv.core.run_folder import write_json

FIXED = ("env", "settings", "trained_on", "options", "max_new_tokens", "kl_questions", "temperature", "explored")
"""Fields that two studies have in common, beside arm and cells, where a run of one is a run of the other."""


def take_over(study: Study, place: Place, held: dict[str, Any]) -> int:
    """Take runs over from a study.json, so that they are not done again; return how many.

    They are those of the same settings, arm and weights of the start that played every cell of this study, under
    whatever name, and whose own folder has no points: as where study.json was copied from elsewhere, to add a start, a
    rate or an arm to it, or to ask something else of the same runs.
    """
    weights, now = held.get("weights", {}), {start: weights_of(start) for start in study.starts}
    mine, theirs = study.model_dump(mode="json"), held["study"]
    names = named_there(mine, theirs)
    if names is None or any(mine[name] != theirs.get(name, 0) for name in FIXED):
        return 0
    runs = {(run["start"], run["arm"], run["rate"], run["seed"]): run for run in held["runs"]}
    taken = 0
    for job in jobs_of(study):
        run = runs.get((start_name(job.start), job.arm, job.rate, job.seed))
        if weights.get(start_name(job.start), "unknown") != now[job.start]:
            continue
        if run is None or place.points(job).exists() or not same_arm(study.arms[job.arm], theirs["arms"].get(job.arm)):
            continue
        start = place.out / "starts" / start_name(job.start) / place.measured
        if not start.exists():
            start.parent.mkdir(parents=True, exist_ok=True)
            known = weights[start_name(job.start)]
            items = {cell: held["items"][there] for cell, there in names.items()}
            write_json(start, {"point": renamed(run["points"][0], names), "items": items, "weights": known})
        place.run(job).mkdir(parents=True, exist_ok=True)
        own = {name: value for name, value in run.items() if name not in ("arm", "rate", "seed", "start")}
        write_json(place.points(job), {**own, "points": [renamed(point, names) for point in run["points"][1:]]})
        taken += 1
    return taken


def named_there(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, str] | None:
    """Return what each cell of a study is called in another one; None where that one lacks a cell."""

    def content(study: dict[str, Any], cell: dict[str, Any]) -> dict[str, Any]:
        return {**cell, "heading": "", "episodes": cell["episodes"] or study["episodes"]}

    there = {name: content(theirs, cell) for name, cell in theirs["cells"].items()}
    found = {
        name: next((other for other, known in there.items() if known == content(mine, cell)), "")
        for name, cell in mine["cells"].items()
    }
    return found if all(found.values()) else None


def renamed(point: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return a point with these cells alone, by their names here."""
    parts = {part: point[part] for part in ("cells", "explored") if part in point}
    kept = {part: {name: held[names[name]] for name in names if names[name] in held} for part, held in parts.items()}
    return {**point, **kept}


def same_arm(arm: Arm, held: dict[str, Any] | None) -> bool:
    """Return whether an arm is that of a study.json, which may be older than some fields of it."""
    return held is not None and Arm(**held) == arm
