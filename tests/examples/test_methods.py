"""The comparison of methods: its report from numbers made of chance, labels by people, and what it calls missing."""

import dataclasses
import json
import re

import numpy as np
import pytest
from tests.examples.made_studies import made

import methods
import methods_report
import study
from methods_claims import best, claims, explored_less
from methods_costs import cost_of
from methods_report import spread, write_methods
from study_comparisons import all_changes, sides_of
from study_files import read_study
from study_plan import stages_of
from verienv.preferences import Label, Pair

PLAN = read_study("methods")
RAN = [name for name in PLAN.arms if "human" not in name]
MADE = {"pairs": 900, "labels": 900, "flops": 5e11, "seconds": 35.0}


def made_methods(rng=None, starts=1):
    """A study of methods as study.json holds it, its successes drawn."""
    rng = rng or np.random.default_rng(1)
    found = made(starts=starts, rates=(3e-4,), seeds=1, arms=("sft",), updates=(60,), contrast=None)
    plan = PLAN.model_dump(mode="json")
    runs = []
    for name in RAN:
        for rate in PLAN.arms[name].rates or PLAN.rates:
            how = {"starts": starts, "rates": (rate,), "seeds": 1, "updates": (60,), "seed": len(runs)}
            for run in made(**how, arms=("sft",), contrast=None)["runs"]:
                moved = {"first": {"logp_chosen": -0.5}, "last": {"logp_chosen": -2.0}} if "dpo" in name else {}
                own = {"arm": name, "rate": rate, "log": {"first": {}, "last": {}, "attempts": 60.0, **moved}}
                if PLAN.arms[name].script == "best_of_n":
                    own["best_of"] = [{"n": n, "kl": n / 9, "score": n / 4, "success": 0.5} for n in (1, 2, 4)]
                elif PLAN.arms[name].options.get("reward"):
                    own["truth"] = [hacked(update) for update in range(60)]
                runs.append({**run, **own, "training_seconds": 20.0})
                for point in runs[-1]["points"]:
                    point["explored"] = {"id": drawn_items(rng), "ood": drawn_items(rng)}
    items = {name: [0.75, 0.7, 0.8] for name in ("accuracy", "longer", "valid JSON")}
    quality = {"kinds": ["simulated"], "annotators": 1, "shown": 900, "kept": 700, "minutes": 0.0, **items}
    quality |= {"flips": [None] * 3, "reliability": []}
    few = {**quality, "kinds": ["program"], "shown": 200, "kept": 150}
    bins = [[0.6, 300, 0.7, 0.6, 0.8], [0.9, 9, 1, None, None]]
    asked_twice = {**quality, "flips": [0.25, 0.2, 0.3], "reliability": bins}
    names = found["study"]["starts"]
    stages = {**dict.fromkeys(("program", "flip25", "flip40"), quality), "few": few, "judge": asked_twice}
    labels = dict.fromkeys(names, stages)
    plan |= {"starts": names, "cells": {name: {**cell, "instances": None} for name, cell in plan["cells"].items()}}
    return {
        **found, "study": plan, "runs": runs, "stages": {start: dict.fromkeys(PLAN.stages, MADE) for start in names},
        "labels": labels, "missing": {"RLHF": "no person has labelled its pairs"},
    }  # fmt: skip


def hacked(update):
    return {"update": update, "episodes": 256, "score": update / 10, "success": 0.9 - update / 100, "kl": update / 20}


def drawn_items(rng, count=40):
    wrong = rng.random(count) < 0.4
    shares = {name: rng.random(count).round(2).tolist() for name in ("pass_1", "pass_4", "pass_16", "solutions")}
    repaired = [float(rng.random() < 0.5) if was else None for was in wrong]
    return {**shares, "repaired": repaired, "clusters": [f"c{item // 2}" for item in range(count)]}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("methods"), made_methods()
    return folder, found, write_methods(found, folder)


def test_the_report_tells_every_arm_and_names_the_missing_ones(report):
    folder, _, text = report
    table = text[text.index("## Data, reward") : text.index("## What it does")]
    for name in RAN:
        assert f"\n| {PLAN.arms[name].label} " in table
    assert "Missing: RLHF (no person has labelled its pairs)." in text
    assert "people's" not in table
    assert {f"{name}.png" for name in ("figure", "costs", "truth", "labels", "reliability")} <= {
        path.name for path in folder.iterdir()
    }
    [judge] = [line for line in text.splitlines() if line.startswith("| judge")]
    assert [cell.strip() for cell in judge.split("|")[2:6]] == ["900", "700", "75.0", "25.0"]
    assert set(re.findall(r"\]\((\w+\.png)\)", text)) == {path.name for path in folder.glob("*.png")}


def test_a_greedy_report_lies_beside_the_other_and_tells_nothing_of_exploring(tmp_path, monkeypatch):
    drawn, found = [], made_methods()
    for name in ("draw_gains", "draw_costs", "draw_truth", "draw_labels", "draw_reliability"):
        monkeypatch.setattr(methods_report, name, lambda *given: not drawn.append(f"{given[-1].name}.png"))
    for run in found["runs"]:
        for point in run["points"]:
            del point["explored"]
    (tmp_path / "report.md").write_text("that of temperature 1")
    text = write_methods(found, tmp_path, "study-temperature0.json")
    assert (tmp_path / "report.md").read_text() == "that of temperature 1"
    assert (tmp_path / "report-temperature0.md").read_text() == text + "\n"
    assert "## Exploring" not in text
    assert "no item tells of both" in text
    assert set(re.findall(r"\]\(([\w-]+\.png)\)", text)) == set(drawn)
    assert all("-temperature0" in name for name in drawn)


def test_every_claim_is_judged_in_one_of_three_words(report):
    _, found, _ = report
    costs = {side: cost_of(found, side) for side in sides_of(found)}
    told = list(claims(found, costs))
    assert len(told) == 14
    assert {one.judged for one in told} <= {"shown", "not shown", "contrary"}
    assert next(one for one in told if "exploited" in one.claim).judged == "shown"  # the score rises, the truth falls


def test_a_claim_about_two_arms_follows_their_difference(report):
    _, found, _ = report
    costs = {side: cost_of(found, side) for side in sides_of(found)}
    worse = {**found, "runs": [dict(run) for run in found["runs"]]}
    solved, failed = ("ff" * 32, "00" * 32)
    for run in worse["runs"]:
        bits = {"dpo-program": solved, "dpo-flip25": failed}.get(run["arm"])
        if bits:
            last = run["points"][-1]
            run["points"] = [
                run["points"][0],
                {**last, "cells": {name: {**cell, "successes": bits} for name, cell in last["cells"].items()}},
            ]
    depends = next(one for one in claims(worse, costs) if one.claim.startswith("DPO depends"))
    assert (depends.judged, "+100.0" in depends.grounds) == ("shown", True)


def test_an_arm_with_several_rates_is_told_at_that_which_is_best_elsewhere(report):
    _, found, _ = report
    rates = [side[1] for side in sides_of(found) if side[0] == "dpo-program"]
    assert len(rates) == 3
    at_best = best(found, "dpo-program")[1]
    for run in found["runs"]:
        if run["arm"] == "dpo-program":
            share = run["points"][-1]["cells"]["matching"]["metrics"]["success"]
            assert share <= max(
                other["points"][-1]["cells"]["matching"]["metrics"]["success"]
                for other in found["runs"]
                if (other["arm"], other["rate"]) == ("dpo-program", at_best)
            )


def test_costs_are_those_of_all_stages(report):
    _, found, _ = report
    cost = cost_of(found, ("rlhf-program", 3e-4))
    assert cost.flops == {"pairs": 5e11, "judge": 5e11, "reward": 5e11, "training": 6e10}
    assert cost.seconds == {"pairs": 35.0, "judge": 35.0, "reward": 35.0, "training": 20.0}
    assert (cost.shown, cost.kept, cost.asked) == (900, 700, "a simulation")
    assert cost.verdicts == 1800  # of labelling; in training the program is not asked
    assert "reward model" in cost.models
    reft = cost_of(found, ("reft", 3e-4))
    assert (reft.demonstrations, reft.verdicts, reft.shown) == (60 * 64, 60 * 256, 0)
    assert reft.lines == cost_of(found, ("sft", 3e-4)).lines + cost_of(found, ("ppo", 3e-4)).lines


def test_settings_are_counted_that_a_user_chooses(report):
    _, found, _ = report
    assert cost_of(found, ("sft", 3e-4)).settings == len(PLAN.arms["sft"].options) + 1
    fewest = cost_of(found, ("dpo-program", 1e-5)).settings
    assert fewest == 5 + 1 + 1 + 1  # of pairs; who labels; beta; the rate
    assert cost_of(found, ("rlhf-program", 3e-4)).settings > fewest


def test_the_spread_over_seeds_is_that_within_a_start():
    def run(start, success):
        return {"start": start, "points": [{"cells": {"id": {"metrics": {"success": success}}}}]}

    assert spread([run("a", 0.2), run("a", 0.4), run("b", 0.9), run("b", 0.9)]) == "10.0"
    assert spread([run("a", 0.2), run("b", 0.9)]) == ""


def test_items_that_one_policy_solved_at_once_are_left_out_of_what_is_repaired(report):
    _, found, _ = report
    few = {**found, "runs": [dict(run) for run in found["runs"]]}
    for run in few["runs"]:
        told = {"ppo": [None, 0.0, 1.0], "ppo3": [1.0, 1.0, None]}.get(run["arm"])
        if told:
            items = {"repaired": told, "clusters": ["a", "b", "c"]}
            run["points"] = [run["points"][0], {**run["points"][-1], "explored": {"ood": items}}]
    assert explored_less(few, "ppo3", "ppo", "repaired").mean == 1.0


def test_two_starts_give_intervals_over_starts():
    found = made_methods(starts=2)
    changes = all_changes(found)
    assert "2 starts" in changes[("sft", 3e-4), "id"].about
    assert list(claims(found, {side: cost_of(found, side) for side in sides_of(found)}))


def pair(name):
    words = {"prompt": ({"role": "user", "content": "?"},), "a": "1", "b": "2"}
    return Pair(
        pair=name,
        **words,
        env_id="e",
        split="train",
        instance="i",
        cluster="c",
        question="q",
        policy="p",
        temperature=1.0,
        seed=0,
    )


def label(name, kind="human"):
    return Label(pair=name, annotator="ann", kind=kind, choice="a")


def labelled(tmp_path):
    """The folder of a start's stages with a pair, and a file with a label of it."""
    folder = stages_of(tmp_path, "gp-arithmetic")
    (folder / "pairs").mkdir(parents=True)
    (folder / "pairs/pairs.jsonl").write_text(pair("one").model_dump_json() + "\n")
    given = tmp_path / "labels.jsonl"
    given.write_text(label("one").model_dump_json() + "\n")
    return folder, given


def test_labels_by_people_are_taken_and_no_others(tmp_path):
    folder, given = labelled(tmp_path)
    assert methods.take_labels(PLAN, tmp_path, given) == 1
    assert json.loads((folder / "human.jsonl").read_text())["choice"] == "a"
    given.write_text(label("one", kind="simulated").model_dump_json() + "\n")
    with pytest.raises(ValueError, match="ann is simulated; expected labels by people alone"):
        methods.take_labels(PLAN, tmp_path, given)
    with pytest.raises(ValueError, match="make the study once, then label its pairs"):
        methods.take_labels(PLAN, tmp_path / "elsewhere", given)


def test_other_labels_than_those_that_were_trained_on_are_refused(tmp_path):
    folder, given = labelled(tmp_path)
    methods.take_labels(PLAN, tmp_path, given)
    (folder / "human.json").write_text("{}")
    assert methods.take_labels(PLAN, tmp_path, given) == 1
    given.write_text(label("one").model_dump_json().replace('"choice":"a"', '"choice":"b"') + "\n")
    with pytest.raises(ValueError, match="was trained on other labels by people; choose another --out"):
        methods.take_labels(PLAN, tmp_path, given)


def test_a_study_without_labels_by_people_and_a_server_without_a_judge_are_one_line(tmp_path):
    with pytest.raises(ValueError, match="has 0 stages of labels by people; expected a study with one"):
        methods.take_labels(PLAN.model_copy(update={"stages": {}}), tmp_path, tmp_path / "labels.jsonl")
    with pytest.raises(ValueError, match="give --judge openai:NAME too"):
        methods.planned(methods.Arguments(base_url="http://127.0.0.1:1/v1"))


def test_another_judge_takes_the_place_of_the_study_s(tmp_path):
    arguments = methods.Arguments(judge="openai:some-model", base_url="http://127.0.0.1:1/v1")
    options = methods.planned(arguments).stages["judge"].options
    assert (options["model"], options["base_url"]) == ("openai:some-model", "http://127.0.0.1:1/v1")
    assert methods.planned(methods.Arguments()).stages["judge"].options["model"] == "{start}"


def test_few_updates_are_those_of_the_arm_that_another_goes_on_from_too():
    arms = methods.planned(methods.Arguments(updates=2)).arms
    assert (arms["warm"].options["updates"], arms["reft"].at) == (2, 2)
    assert methods.planned(methods.Arguments()).arms["reft"].at == 88


def test_each_temperature_has_a_study_of_its_own():
    assert study.file_of(methods.Arguments()).as_posix() == "runs/methods/study.json"
    assert study.file_of(methods.Arguments(temperature=0.0)).as_posix() == "runs/methods/study-temperature0.json"


def test_arguments_of_the_study_hold_here_too():
    own = {field.name for field in dataclasses.fields(study.Arguments)}
    assert own <= {field.name for field in dataclasses.fields(methods.Arguments)}
