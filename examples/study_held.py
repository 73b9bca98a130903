"""The runs that a study.json holds, taken over by another study, so that they are not done again."""

from __future__ import annotations

from typing import Any

from study_measures import Place, weights_of
from study_plan import Arm, Study, jobs_of, start_name
from verienv.core.run_folder import write_json

FIXED = ("env", "settings", "trained_on", "options", "cells", "max_new_tokens", "kl_questions", "temperature")
"""Fields that two studies have in common, beside the arm, where a run of one is a run of the other."""


def take_over(study: Study, place: Place, held: dict[str, Any]) -> int:
    """Take runs over from a study.json, so that they are not done again; return how many.

    They are those of the same cells, settings, arm and weights of the start, whose own folder has no points: as where
    study.json was copied from elsewhere, to add a start, a rate or an arm to it.
    """
    weights, now = held.get("weights", {}), {start: weights_of(start) for start in study.starts}
    mine, theirs = study.model_dump(mode="json"), held["study"]
    if any(mine[name] != theirs[name] for name in FIXED):
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
            write_json(start, {"point": run["points"][0], "items": held["items"], "weights": known})
        place.run(job).mkdir(parents=True, exist_ok=True)
        own = {name: value for name, value in run.items() if name not in ("arm", "rate", "seed", "start")}
        write_json(place.points(job), {**own, "points": run["points"][1:]})
        taken += 1
    return taken


def same_arm(arm: Arm, held: dict[str, Any] | None) -> bool:
    """Return whether an arm is that of a study.json, which may be older than some fields of it."""
    return held is not None and Arm(**held) == arm
