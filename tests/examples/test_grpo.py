"""TRL's GRPO plays the game of ppo.py, and its loss is that of ppo.py's groups."""

import sys
from dataclasses import replace
from math import sqrt

import pytest
from tests.examples.test_dpo import cut_after
from tests.examples.test_robust import same_files, untimed

import grpo
import ppo
import trl_runs
from verienv.policies.hugging_face import planning
from verienv.policies.hugging_face.batch import Rollout
from verienv.policies.hugging_face.tokens import Tokens

SHARED = {
    "episodes": 8, "group": 4, "attempts": 2, "batch": 8, "micro_batch": 4, "updates": 2, "checkpoints": 1, "probes": 0,
    "warm_up": 1, "schedule": "constant", "learning_rate": 1e-4, "device": "cpu", "log_with": (), "temperature": 1.3,
}  # fmt: skip
GRPO = grpo.Arguments(**SHARED, group_scale="none")
PPO = ppo.Arguments(**SHARED, group_scale="none", advantage="group", minibatch=8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return grpo.train(replace(GRPO, save_every=1, out=tmp_path_factory.mktemp("runs") / "whole"))


def test_episodes_losses_gradients_and_flops_are_those_of_our_own_groups(whole, tmp_path):
    theirs, ours = whole.lines(), ppo.train(replace(PPO, out=tmp_path / "ppo")).lines()
    assert [line["attempts"] > 1 for line in theirs] == [True, True]
    assert any(line["loss"] for line in theirs)
    for one, other in zip(theirs, ours, strict=True):
        for name in ("update", "flops", "learning_rate", "reward", "success", "first_attempt", "attempts", "failures"):
            assert one[name] == other[name], name
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4, abs=1e-6)
        assert one["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-3)


@pytest.mark.slow
def test_the_spread_of_a_group_is_that_of_a_sample(whole, tmp_path):
    scaled = grpo.train(replace(GRPO, updates=1, group_scale="std", out=tmp_path / "grpo")).lines()[0]
    ours = ppo.train(replace(PPO, updates=1, group_scale="std", out=tmp_path / "ppo")).lines()[0]
    assert scaled["loss"] != pytest.approx(whole.lines()[0]["loss"], rel=1e-2)
    assert scaled["loss"] == pytest.approx(ours["loss"] * sqrt(3 / 4), rel=1e-3)


def test_an_interrupted_run_goes_on_to_what_an_unbroken_one_ends_with(whole, tmp_path, monkeypatch):
    arguments = replace(GRPO, save_every=1, out=tmp_path / "run")
    cut_after(1, grpo, arguments, monkeypatch)
    resumed = grpo.train(arguments)
    assert untimed(resumed) == untimed(whole)
    assert len(whole.checkpoints()) == 2
    assert all(map(same_files, resumed.checkpoints(), whole.checkpoints()))


def test_a_finished_run_is_not_trained_on(whole, monkeypatch):
    before = whole.lines()
    monkeypatch.setattr(trl_runs.Bridge, "train", lambda *_, **__: pytest.fail("trains"))
    assert grpo.train(replace(GRPO, save_every=1, out=whole.out)).lines() == before


def test_trl_is_given_whole_episodes_with_the_feedback_masked():
    rollout = Rollout(Tokens([7, 8, 9]))
    rollout.respond([1, 2], [-0.1, -0.2], -1.0, "wrong_value")
    rollout.ids += [5, 5]
    rollout.respond([3], [-0.3], 5.0, "")
    assert grpo.as_trl_reads([rollout], 0.9) == {
        "prompt_ids": [[7, 8, 9]], "completion_ids": [[1, 2, 5, 5, 3]], "logprobs": [[-0.1, -0.2, 0, 0, -0.3]],
        "env_mask": [[1, 1, 0, 0, 1]], "paid": [-1.0 + 0.9 * 5.0],
    }  # fmt: skip


def test_the_start_is_read_and_paid_for_where_leaving_it_has_a_price(whole, tmp_path):
    priced = grpo.train(replace(GRPO, beta=0.5, out=tmp_path / "run"))
    first, second = priced.lines()
    assert first["loss"] == pytest.approx(whole.lines()[0]["loss"], abs=1e-5)
    assert (first["kl"], second["kl"] > 0) == (pytest.approx(0, abs=1e-9), True)
    assert first["flops"] > whole.lines()[0]["flops"]


@pytest.mark.slow
def test_a_price_of_leaving_the_start_is_one_of_the_start_also_when_a_run_goes_on(tmp_path, monkeypatch):
    arguments = replace(GRPO, beta=0.5, save_every=1, out=tmp_path / "run")
    cut_after(1, grpo, arguments, monkeypatch)
    assert untimed(grpo.train(arguments)) == untimed(grpo.train(replace(arguments, out=tmp_path / "whole")))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"episodes": 9}, "--episodes 9: expected a multiple of --group 4"),
        ({"group": 1}, "--group 1: expected an integer from 2"),
        ({"beta": 0.1, "lora": 4}, "--beta with --lora"),
    ],
)
def test_what_cannot_be_trained_is_one_line(change, told, tmp_path, stopped):
    assert told in stopped(lambda: grpo.train(replace(GRPO, **change, out=tmp_path / "run")))


def test_memory_is_planned_as_that_of_our_own_groups():
    theirs, ours = (planning.plan_for(one, "tiny-lm", autocast=False) for one in (GRPO, PPO))
    assert theirs == ours


def test_without_trl_the_extra_to_install_is_told(monkeypatch, stopped, tmp_path):
    monkeypatch.setitem(sys.modules, "trl", None)
    assert 'pip install "verienv[preferences]"' in stopped(lambda: grpo.train(replace(GRPO, out=tmp_path / "run")))


def test_a_model_that_sees_is_trained_on_what_it_was_shown(llava, tmp_path, monkeypatch):
    seen = []
    saw = trl_runs.Bridge.saw
    monkeypatch.setattr(
        trl_runs.Bridge, "saw", lambda bridge, part, loss: saw(bridge, part, loss) or seen.append(bridge)
    )
    vision = {"model": str(llava), "env": "verienv/GeneralPoints-VL-v0", "settings": ("image_size=96",)}
    small = {"episodes": 4, "group": 2, "attempts": 1, "updates": 1, "max_new_tokens": 12, "micro_batch": 2}
    [line] = grpo.train(replace(GRPO, **vision, **small, out=tmp_path / "run")).lines()
    given = seen[0].batch.given
    assert given["pixel_values"].shape[0] == len(given["input_ids"]) == 2
    assert line["recognition"] == 0


@pytest.mark.slow
def test_by_sight_gradients_are_those_of_our_own_groups(tmp_path):
    vision = {"model": "tiny-vlm", "env": "verienv/GeneralPoints-VL-v0", "updates": 1}
    [one] = grpo.train(replace(GRPO, **vision, out=tmp_path / "grpo")).lines()
    [other] = ppo.train(replace(PPO, **vision, out=tmp_path / "ppo")).lines()
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-3, abs=1e-6)
    assert one["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-2)
    assert one["flops"] == other["flops"]
    assert one["attempts"] > 1


@pytest.mark.slow
def test_waypoints_of_routes_are_played(tmp_path):
    routes = {"env": "verienv/VIRL-L-v0", "settings": ("episode=waypoint",), "updates": 1, "max_new_tokens": 8}
    assert len(grpo.train(replace(GRPO, **routes, out=tmp_path / "run")).lines()) == 1
