"""The runs of a study at a tiny size: what they leave, how they go on, and what ends them."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.examples.test_study_plan import SMALL

import ppo
import sft
import study_runs
from study_files import read_study
from study_held import take_over
from study_measures import Place, divergence, questions, spread_over_fields
from study_plan import jobs_of
from study_runs import run_all
from study_statistics import unpacked
from verienv.policies import HuggingFacePolicy

ROOT = Path(__file__).parents[2]


def read_trial(folder, text=SMALL):
    path = folder / "trial.toml"
    path.write_text(text.replace('["tiny-lm", "tiny-lm"]', '["tiny-lm"]').replace("seeds = [0, 1]", "seeds = [0]"))
    return read_study(path)


def place_of(folder, temperature=1.0):
    return Place(folder / "out", "cpu", temperature, 1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study of three runs, the third of which goes on from the first: its folder, itself, and what it found."""
    folder = tmp_path_factory.mktemp("study")
    study = read_trial(folder)
    return folder, study, run_all(study, place_of(folder), 1)


def test_every_checkpoint_of_every_run_is_a_point_behind_the_start(finished):
    _, _, found = finished
    assert [(run["arm"], run["rate"]) for run in found["runs"]] == [("sft", 1e-4), ("sft", 1e-3), ("rl", 1e-4)]
    for run in found["runs"]:
        assert [point["update"] for point in run["points"]] == [0, 1, 2]
        assert [point["flops"] > 0 for point in run["points"]] == [False, True, True]
        assert all(list(point["cells"]) == ["matching", "ood"] for point in run["points"])
    assert found["left"] == []
    assert found["runs"][0]["points"][0] == found["runs"][2]["points"][0]


def test_the_loss_on_the_experts_answers_is_split_over_their_fields(finished):
    folder, _, found = finished
    for run in found["runs"]:
        for loss in (run["loss_of_start"], *(point["loss"] for point in run["points"][1:])):
            assert sum(value for name, value in loss.items() if name != "all") == pytest.approx(loss["all"])
            assert {"cards", "number", "formula"} < loss.keys()
    policy = HuggingFacePolicy.load(str(folder / "out/runs/tiny-lm-sft-rate0.001-seed0/checkpoint-00002"), device="cpu")
    study, total = finished[1], 0.0
    job = next(job for job in jobs_of(study) if (job.arm, job.rate) == ("sft", 1e-3))
    for row in questions(study, job):
        asked = list(policy.opening(row["prompt"]))
        said = [*policy.tokenizer(row["completion"][0]["content"])["input_ids"], policy.stops[0]]
        ids = torch.tensor([asked + said])
        with torch.no_grad():
            scores = policy.model(ids).logits[0, len(asked) - 1 : -1].log_softmax(-1)
        total -= scores[range(len(said)), said].sum().item()
    assert found["runs"][1]["points"][-1]["loss"]["all"] == pytest.approx(total / study.kl_questions, rel=1e-4)


def test_a_point_holds_each_items_success_as_its_log_does(finished):
    folder, _, found = finished
    run, logs = found["runs"][0], folder / "out/evaluations/tiny-lm-sft-rate0.0001-seed0"
    for cell, seed in (("matching", 7), ("ood", 2026)):
        log = logs / f"checkpoint-00002-temperature1-seed{seed}.jsonl"
        lines = [json.loads(line) for line in log.read_text().splitlines()[1:]]
        solved = {line["episode"]: line["success"] for line in lines if line["cell"] == cell}
        held = run["points"][-1]["cells"][cell]
        assert held["episodes"] == len(solved) == (7 if cell == "ood" else 12)
        assert unpacked(held["successes"], held["episodes"]).tolist() == [solved[one] for one in sorted(solved)]
        assert held["metrics"]["success"] == pytest.approx(np.mean(list(solved.values())))
        assert len(found["items"][cell]["clusters"]) == len(solved)


def test_an_arm_begins_from_the_checkpoint_of_the_arm_before(finished):
    folder, _, found = finished
    config = json.loads((folder / "out/runs/tiny-lm-rl-rate0.0001-seed0/config.json").read_text())
    before = folder / "out/runs/tiny-lm-sft-rate0.001-seed0/checkpoint-00001"
    assert config["arguments"]["model"] == str(before)
    assert found["runs"][2]["points"][1]["kl"]["policy_to_start"]["all"] > 0.01  # from the start, not from there


def test_cells_of_different_seeds_hold_other_items(finished):
    folder, _, _ = finished
    logs = sorted((folder / "out/evaluations/tiny-lm").glob("start-temperature1-*.jsonl"))
    assert [log.name[-10:] for log in logs] == ["2026.jsonl", "eed7.jsonl"]


def test_what_is_done_is_not_done_again(finished, monkeypatch):
    folder, study, found = finished
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: pytest.fail("loaded a model"))
    assert run_all(study, place_of(folder), 1) == found


def test_from_a_study_json_alone_a_study_goes_on_without_its_runs(finished, tmp_path, monkeypatch):
    _, study, found = finished
    held = {"study": study.model_dump(mode="json"), **found}
    assert take_over(study, place_of(tmp_path), held) == 3
    assert take_over(study, place_of(tmp_path), held) == 0
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: pytest.fail("loaded a model"))
    assert run_all(study, place_of(tmp_path), 1) == found


def test_another_question_is_asked_of_the_same_runs_by_other_names_of_their_cells(finished, tmp_path):
    _, study, found = finished
    held = {"study": study.model_dump(mode="json"), **found}
    renamed = {"id": study.cells["matching"].model_copy(update={"heading": "where it was trained"})}
    other = study.model_copy(update={"cells": renamed})
    assert take_over(other, place_of(tmp_path), held) == 3
    again = run_all(other, place_of(tmp_path), 1)
    assert again["items"] == {"id": found["items"]["matching"]}
    for run, expected in zip(again["runs"], found["runs"], strict=True):
        assert [p["cells"] for p in run["points"]] == [{"id": p["cells"]["matching"]} for p in expected["points"]]


@pytest.mark.parametrize("changed", [{"seed": 1}, {"episodes": 5}, {"rule": "ten"}])
def test_runs_that_did_not_play_a_cell_are_not_taken_over(finished, tmp_path, changed):
    _, study, found = finished
    held = {"study": study.model_dump(mode="json"), **found}
    other = study.cells["ood"].model_copy(update=changed)
    assert take_over(study.model_copy(update={"cells": {"ood": other}}), place_of(tmp_path), held) == 0


@pytest.mark.parametrize("changed", [{"temperature": 0.5}, {"max_new_tokens": 9}, {"settings": {"attempts": 2}}])
def test_runs_of_another_study_are_not_taken_over(finished, tmp_path, changed):
    _, study, found = finished
    held = {"study": study.model_dump(mode="json"), **found}
    assert take_over(study.model_copy(update=changed), place_of(tmp_path), held) == 0


def test_an_arm_that_was_trained_otherwise_is_not_taken_over(finished, tmp_path):
    _, study, found = finished
    held = {"study": study.model_dump(mode="json"), **found}
    arm = study.arms["sft"].model_copy(update={"options": {**study.arms["sft"].options, "batch": 5}})
    other = study.model_copy(update={"arms": {**study.arms, "sft": arm}})
    assert take_over(other, place_of(tmp_path), held) == 1


def test_evaluated_at_another_temperature_nothing_is_trained_again(finished, monkeypatch):
    folder, study, found = finished
    for script in (sft, ppo):
        trained = script.train
        monkeypatch.setattr(script, "train", lambda given, trained=trained: trained(given) if is_done(given) else 1 / 0)
    greedy = run_all(study, place_of(folder, 0.0), 1)
    assert [run["points"][-1]["flops"] for run in greedy["runs"]] == [
        run["points"][-1]["flops"] for run in found["runs"]
    ]
    kept = folder / "out/runs/tiny-lm-sft-rate0.0001-seed0"
    assert {path.name for path in kept.glob("points-*")} == {"points-temperature0.json", "points-temperature1.json"}


def is_done(arguments):
    return (arguments.out / "finished").exists()


@pytest.mark.slow
def test_killed_and_run_again_it_ends_with_the_same_numbers(finished, tmp_path):
    _, _, found = finished
    study = read_trial(tmp_path)
    script = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'examples')!r}]; import torch; torch.set_num_threads(1)\n"
        "from pathlib import Path; from study_runs import run_all; from study_measures import Place\n"
        "from study_files import read_study\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "run_all(read_study(folder / 'trial.toml'), Place(folder / 'out', 'cpu', 1.0, 1), 1)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    saved = tmp_path / "out/runs/tiny-lm-sft-rate0.001-seed0/state.pt"
    while not saved.exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    again = run_all(study, place_of(tmp_path), 1)
    assert [run["points"] for run in again["runs"]] == [run["points"] for run in found["runs"]]


@pytest.mark.slow
def test_in_processes_of_their_own_runs_give_the_same(finished, tmp_path):
    _, _, found = finished
    study = read_trial(tmp_path)
    side_by_side = run_all(study, place_of(tmp_path), 2)
    assert [run["points"] for run in side_by_side["runs"]] == [run["points"] for run in found["runs"]]


def test_a_run_that_cannot_be_done_ends_the_study_in_one_line(tmp_path, capsys):
    study = read_trial(tmp_path, SMALL.replace("batch = 4", "batch = 4, data = 'nowhere.jsonl'"))
    with pytest.raises(SystemExit):
        run_all(study, place_of(tmp_path), 1)
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert "nowhere.jsonl" in said
    assert f"(its output: {tmp_path / 'out/runs/tiny-lm-sft-rate0.0001-seed0/output.txt'})" in said


def test_broken_off_it_tells_of_the_runs_that_are_done(finished, tmp_path):
    folder, study, found = finished
    place = place_of(folder)
    (moved := place.points(list(jobs_of(study))[-1])).rename(tmp_path / "points.json")
    try:
        part = run_all(study, place, 1, seconds=0.0)
    finally:
        (tmp_path / "points.json").rename(moved)
    assert part["runs"] == found["runs"][:2]
    assert part["left"] == ["tiny-lm-rl-rate0.0001-seed0"]


def test_a_run_stopped_by_a_number_not_finite_keeps_its_points(finished, tmp_path, monkeypatch):
    folder, study, _ = finished
    place, job = place_of(folder), next(iter(jobs_of(study)))
    told = tmp_path / "points.json"

    def diverging(arguments):
        (arguments.out / "not_finite.json").write_text("{}")
        raise SystemExit(2)

    place.points(job).rename(told)
    monkeypatch.setattr(sft, "train", diverging)
    try:
        assert study_runs.do(study, place, job) == ""
        kept = json.loads(place.points(job).read_text())
    finally:
        told.rename(place.points(job))
        (place.run(job) / "not_finite.json").unlink()
    assert kept["stopped"] == "a number was not finite"
    assert len(kept["points"]) == 2


def test_a_run_that_ends_by_itself_keeps_its_points_and_says_why(tmp_path, monkeypatch):
    study = read_trial(tmp_path)
    place, job = place_of(tmp_path), next(iter(jobs_of(study)))
    train = sft.train

    def never_right_again(arguments):
        train(dataclasses.replace(arguments, updates=1))
        raise ValueError("--teacher self was right 0 times")

    monkeypatch.setattr(sft, "train", never_right_again)
    assert study_runs.do(study, place, job) == ""
    kept = json.loads(place.points(job).read_text())
    assert (kept["stopped"], len(kept["points"])) == ("--teacher self was right 0 times", 1)


def test_tasks_are_done_in_order_and_the_bar_goes_on_with_each():
    told, bar = [], SimpleNamespace(update=lambda: told.append("done"))
    tasks = {name: (lambda name=name: told.append(name) or "",) for name in ("after", "one", "two")}
    needs = {"after": ["two"]}
    study_runs.in_order(tasks, needs, study_runs.here, bar, 1)
    assert told == ["one", "done", "two", "done", "after", "done"]


def test_a_policy_is_at_no_distance_from_itself_and_at_some_from_another(policy):
    other = HuggingFacePolicy.load("tiny-lm", device="cpu", max_new_tokens=24)
    prompts = [other.opening([{"role": "user", "content": f"Make 24 from {card}, 3, 4, 5."}]) for card in "2345"]
    assert divergence(policy, policy, prompts)["all"] == pytest.approx(0.0, abs=1e-6)
    with torch.no_grad():
        other.model.get_output_embeddings().weight.mul_(1.3)
    found = divergence(other, policy, prompts)
    assert found["all"] > 0.01
    assert found["all"] == pytest.approx(sum(nats for field, nats in found.items() if field != "all"))


def test_nats_go_to_the_field_that_a_token_stands_in(policy):
    text = 'Well: {"cards": ["A"], "number": [1], "formula": "1"}'
    response = policy.tokenizer(text, add_special_tokens=False)["input_ids"]
    totals = {"all": 0.0}
    spread_over_fields(totals, torch.ones(len(response)), response, policy)
    assert set(totals) == {"all", "cards", "number", "formula"}
    assert totals["all"] == len(response) == sum(totals[name] for name in ("cards", "number", "formula"))
    for text, fields in (("no answer", {"no field"}), ("", set())):
        totals = {"all": 0.0}
        response = policy.tokenizer(text, add_special_tokens=False)["input_ids"]
        spread_over_fields(totals, torch.ones(len(response)), response, policy)
        assert set(totals) == {"all"} | fields


def test_runs_of_a_start_with_other_weights_are_not_taken_over(finished, tmp_path):
    _, study, found = finished
    held = {"study": study.model_dump(mode="json"), **found}
    assert take_over(study, place_of(tmp_path / "same"), held) > 0
    for weights in ({"tiny-lm": "0" * 64}, {}):
        assert take_over(study, place_of(tmp_path / "other"), {**held, "weights": weights}) == 0


def test_a_start_that_was_built_anew_is_told(finished, monkeypatch):
    folder, study, _ = finished
    monkeypatch.setattr(study_runs, "weights_of", lambda name: "0" * 64)
    with pytest.raises(SystemExit):
        run_all(study, place_of(folder), 1)
