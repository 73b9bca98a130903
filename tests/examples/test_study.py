"""The study at a tiny size: from start to report, and on from an interruption."""

import dataclasses
import json
from functools import partial
from types import SimpleNamespace

import pytest
import torch

import study
from study import Arguments
from study_arms import difference
from study_report import arms_findings, arms_note, arms_table, findings
from study_tasks import IN_WORDS
from verienv.policies import HuggingFacePolicy

TINY = {
    "env": "verienv/GeneralPoints-L-v0",
    "model": "tiny-lm",
    "flops": 2e10,
    "checkpoints": 2,
    "episodes": 3,
    "training_cell_episodes": 4,
    "ppo_episodes": 2,
    "ppo_minibatch": 2,
    "sft_batch": 4,
    "attempts": 2,
    "batch": 12,
}


@pytest.fixture(scope="module", autouse=True)
def _short_distances():
    """Distances from the start over 2 questions where none are named, not 64."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "divergence", partial(study.divergence, questions=2))
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    study.main(Arguments(out=out, **TINY))
    return out


def test_it_ends_with_a_table_a_figure_and_the_numbers(finished):
    report = (finished / "report.md").read_text()
    assert "| start " in report
    assert "| SFT, rate" in report
    assert "| RL (PPO), rate" in report
    assert (finished / "figure.png").read_bytes().startswith(b"\x89PNG")
    results = json.loads((finished / "study.json").read_text())
    assert {run["arm"] for run in results["runs"]} == {"sft", "ppo"}
    assert all(len(run["points"]) == 3 for run in results["runs"])


def test_it_compares_rl_with_sft_on_the_same_hands(finished):
    report = (finished / "report.md").read_text()
    runs = json.loads((finished / "study.json").read_text())["runs"]
    assert "## SFT against RL, in points" in report
    assert "Both arms played the same hands, which are paired, clustered by the hand's numbers." in report
    assert "- RL - SFT, rate 0.0001, 1 seed, train side, J=Q=K=10: " in report
    for cell, found in runs[0]["points"][-1]["cells"].items():
        assert len(found["played"]["clusters"]) == found["episodes"]
        assert sum(found["played"]["success"]) / found["episodes"] == pytest.approx(found["metrics"]["success"][0])
        mean, low, high = difference(runs, 1e-4, ("sft", "start"), cell, "success")
        assert [mean, low, high] == pytest.approx(found["difference"]["success"])


def test_with_vision_there_are_eight_cells_and_recognition_is_drawn(tmp_path, llava):
    settings = TINY | {"env": "verienv/GeneralPoints-VL-v0", "model": str(llava), "checkpoints": 1, "flops": 1e10}
    study.main(Arguments(out=tmp_path, **settings))
    report = (tmp_path / "report.md").read_text()
    assert "| train side, 11-12-13, red suits " in report
    assert "## Recognition (all four cards read right), in percent" in report
    assert "test side, J=Q=K=10, black suits" in report
    assert (tmp_path / "recognition.png").read_bytes().startswith(b"\x89PNG")
    (point, *_) = json.loads((tmp_path / "study.json").read_text())["runs"][0]["points"]
    assert len(point["cells"]) == 8
    for cell in point["cells"].values():
        read = cell["recognition"]
        assert read["read_solved"][0] == cell["metrics"]["success"][0]


ROUTES_TINY = TINY | {
    "env": "verienv/VIRL-L-v0", "checkpoints": 1, "flops": 1e9, "attempts": 1, "max_new_tokens": 4, "episodes": 1,
    "training_cell_episodes": 1, "ppo_episodes": 1, "ppo_minibatch": 1, "sft_batch": 1, "warm_up": 1,
    "settings": ("waypoints=[3, 12]",),
}  # fmt: skip


def test_on_routes_there_are_six_cells_and_accuracy_per_step_is_the_headline(tmp_path):
    study.main(Arguments(out=tmp_path, **ROUTES_TINY))
    report = (tmp_path / "report.md").read_text()
    assert "| new cities, relative " in report
    assert "## Per step (the right action at once), in percent" in report
    assert "| vision, new cities, routes done " in report
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    (point, *_) = json.loads((tmp_path / "study.json").read_text())["runs"][0]["points"]
    assert list(point["cells"])[:2] == ["train side, absolute", "train side, relative"]
    assert len(point["cells"]) == 6


def test_both_arms_spend_the_same_budget(finished):
    runs = json.loads((finished / "study.json").read_text())["runs"]
    spent = [run["points"][-1]["flops"] for run in runs]
    assert all(budget >= TINY["flops"] for budget in spent)
    assert max(spent) < 1.5 * TINY["flops"]


def test_the_report_can_be_drawn_again_from_the_numbers_alone(finished, tmp_path):
    (tmp_path / "study.json").write_text((finished / "study.json").read_text())
    study.main(Arguments(out=tmp_path, redraw=True))
    assert (tmp_path / "report.md").read_text() == (finished / "report.md").read_text()


def test_what_is_on_disk_is_not_computed_again(finished, monkeypatch):
    monkeypatch.setattr(study.HuggingFacePolicy, "sample", lambda *_: pytest.fail("sampled again"))
    study.main(Arguments(out=finished, **TINY))


def test_an_interrupted_study_goes_on_to_the_same_numbers(finished, tmp_path, monkeypatch):
    measure, names = study.measure, []

    def interrupted(name, *rest):
        names.append(name)
        if len(names) == 3:
            raise KeyboardInterrupt
        return measure(name, *rest)

    monkeypatch.setattr(study, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study.main(Arguments(out=tmp_path, **TINY))
    monkeypatch.setattr(study, "measure", measure)
    study.main(Arguments(out=tmp_path, **TINY))
    ours, theirs = (json.loads((out / "study.json").read_text())["runs"] for out in (tmp_path, finished))
    assert [run["points"] for run in ours] == [run["points"] for run in theirs]


def test_a_policy_is_at_no_distance_from_itself(policy):
    assert study.divergence(policy, policy, Arguments(**TINY), questions=2) == pytest.approx(0.0, abs=1e-6)


def grid(sft, rl, seeds=3, hands=40, played=True):
    """Runs of both arms: by seed and hand whether each solved it; two hands of a problem follow one another."""
    clusters = [f"problem {hand // 2}" for hand in range(hands)]

    def end(solved):
        values = [float(solved(hand)) for hand in range(hands)]
        share = sum(values) / hands
        cell = {"metrics": {"success": [share, max(share - 0.1, 0), min(share + 0.1, 1)]}}
        return cell | ({"played": {"clusters": clusters, "success": values}} if played else {})

    return [
        {"arm": arm, "rate": 1e-4, "seed": seed, "points": [{"cells": {"train": end(lambda hand: False)}},
         {"cells": {"train": end(lambda hand, seed=seed, solves=solves: solves(hand, seed))}}]}
        for seed in range(seeds) for arm, solves in (("sft", sft), ("ppo", rl))
    ]  # fmt: skip


def versus(runs):
    return difference(runs, 1e-4, ("ppo", "sft"), "train", "success")


def test_rl_and_sft_that_both_solve_nothing_may_yet_differ():
    mean, low, high = versus(grid(lambda hand, seed: False, lambda hand, seed: False))
    assert mean == 0
    assert low < -0.1
    assert high > 0.1


def test_seeds_are_pooled_and_the_same_hands_under_several_are_no_more_hands():
    def some(hand, seed):
        return hand % 4 < 2

    one, three = (versus(grid(lambda hand, seed: False, some, seeds)) for seeds in (1, 3))
    assert one.mean == three.mean == 0.5
    assert three == pytest.approx(one, abs=1e-9)


def test_seeds_that_disagree_widen_the_interval():
    def by_seed(hand, seed):
        return hand % 10 < 3 * seed

    apart = versus(grid(lambda hand, seed: False, by_seed))
    each = [versus(grid(lambda hand, _: False, lambda hand, _, seed=seed: by_seed(hand, seed), 1)) for seed in range(3)]
    assert apart.mean == pytest.approx(sum(one.mean for one in each) / 3)
    assert apart.high - apart.low > max(one.high - one.low for one in each)


def test_a_study_without_its_episodes_compares_the_arms_as_measured_apart():
    def some(hand, seed):
        return hand % 4 < 2

    runs = grid(lambda hand, seed: False, some, played=False)
    # The bounds of SFT are 0 and 0.1, those of RL 0.4 and 0.6.
    assert versus(runs) == pytest.approx((0.5, 0.5 - 0.02**0.5, 0.6))
    assert "holds no episodes" in arms_note(runs, IN_WORDS)


def test_findings_say_which_arm_ended_higher():
    runs = grid(lambda hand, seed: False, lambda hand, seed: True)
    task = dataclasses.replace(IN_WORDS, shifts={}, gauges={"success": "success within the attempts"})
    assert "RL - SFT, rate 0.0001, 3 seeds, train: RL higher (+100.0, " in "\n".join(arms_findings(runs, task))
    assert "| rate 0.0001, train | +100.0, " in arms_table(runs, task)
    assert "3 seeds are pooled" in arms_note(runs, task)
    assert "of other seeds of training they say nothing" in arms_note(runs[:2], task)


def test_where_nothing_is_solved_the_report_tells_of_validity():
    def points(success, valid):
        metrics = {"success": [success, 0, 1], "formula_valid": [valid, 0, 1]}
        difference = {"success": [success, success, success], "formula_valid": [0.2, 0.1, 0.3]}
        cell = {"metrics": metrics, "difference": difference}
        return {"cells": dict.fromkeys(list(IN_WORDS.cells)[:2], cell)}

    run = {"arm": "ppo", "rate": 1e-4, "seed": 0}
    told = findings([{**run, "points": [points(0.0, 0.1), points(0.0, 0.3)]}], IN_WORDS)
    assert all(
        "nothing solved before or after; validity: improves (+20.0, +10.0 to +30.0 points)" in one for one in told
    )
    told = findings([{**run, "points": [points(0.0, 0.1), points(0.5, 0.3)]}], IN_WORDS)
    assert all("train side" in one and one.endswith(": improves (+50.0, +50.0 to +50.0 points).") for one in told)


def test_it_is_the_same_in_parts_as_at_once(policy):
    other = HuggingFacePolicy.load("tiny-lm", device="cpu")
    with torch.no_grad():
        other.model.get_output_embeddings().weight.mul_(1.3)
    at_once, in_parts = (
        study.divergence(other, policy, Arguments(**TINY, micro_batch=size), questions=5) for size in (None, 2)
    )
    assert at_once > 0.01
    assert in_parts == pytest.approx(at_once, rel=1e-4)


def test_both_arms_are_trained_with_what_a_larger_model_needs(monkeypatch):
    given, needed = [], {"dtype": "bfloat16", "lora": 4, "gradient_checkpointing": True, "micro_batch": 2, "warm_up": 3}
    for script in (study.sft, study.ppo):
        monkeypatch.setattr(script, "train", lambda own: given.append(own) or SimpleNamespace(checkpoints=list))
    for arm in study.ARMS:
        other = {"sft_batch": 5, "ppo_episodes": 4, "ppo_minibatch": 3, "max_new_tokens": 64}
        study.train_arm(arm, 1e-4, 0, Arguments(**(TINY | needed | other)))
    sft, ppo = given
    for own in given:
        assert {name: getattr(own, name) for name in needed} == needed
    assert sft.batch == 5
    assert (ppo.episodes, ppo.minibatch, ppo.max_new_tokens) == (4, 3, 64)
