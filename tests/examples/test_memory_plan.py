"""The plan of memory that the training scripts print before they load a model."""

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
import tyro
from tests.examples.conftest import EXAMPLES, learning
from tests.families import FAMILIES, all_families
from transformers import AutoConfig

import ppo
import sft
from distributed import Team
from model import Learner
from sampling import roll_out
from verienv.core.assets import asset_path
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face import planning
from verienv.policies.hugging_face.batch import Rollout
from verienv.policies.hugging_face.checkpoint import NoModelError
from verienv.policies.memory import GB, MemoryPlan
from verienv.policies.shape import Shape

VISION = "verienv/GeneralPoints-VL-v0"
SFT = sft.Arguments(device="cpu", probes=0, updates=1, batch=8, micro_batch=4, log_with=())
PPO = ppo.Arguments(
    device="cpu", probes=0, updates=1, episodes=4, batch=4, minibatch=4, micro_batch=2, attempts=2, max_new_tokens=12,
    log_with=(),
)  # fmt: skip
SEEN = {"model": "tiny-vlm", "env": VISION}
GIVES_BACK = {
    "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "0",
    "MALLOC_ARENA_MAX": "1", "MKL_DISABLE_FAST_MM": "1", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "0", "OMP_NUM_THREADS": "1",
}  # fmt: skip
"""What lets freed memory leave a process, as in benchmarks/memory.py."""


def free(monkeypatch, size):
    monkeypatch.setattr(planning, "available_memory", lambda device: size)


def shape_of(name):
    return Shape.of(AutoConfig.from_pretrained(asset_path(f"models/{name}")))


def test_little_is_told_in_a_line_before_the_model_is_loaded(monkeypatch, capsys):
    free(monkeypatch, 100 * GB)
    learner = learning(SFT)
    rows = sft.dealt(replace(SFT, batch=planning.DEALT, seed=0), {})[1](0)
    dialogues = [Rollout.demonstrated(learner.policy, row) for row in rows]
    longest = max(len(one.ids) for one in dialogues)
    plan = MemoryPlan(
        shape_of("tiny-lm"), "sft", tokens=4 * longest, micro_batch=4,
        scored_tokens=4 * (longest - min(one.acted.index(1) for one in dialogues) + 1),
    )  # fmt: skip
    assert planning.plan_for(SFT, "tiny-lm", autocast=False) == plan
    expected = f"memory: at most {plan.peak / 1e6:.1f} MB of 100.0 GB free, in forward and backward\n"
    assert capsys.readouterr().out == expected


def test_a_price_on_the_divergence_from_the_start_is_planned_with_a_copy_of_it():
    plain, priced = (planning.plan_for(replace(SFT, kl_coef=price), "tiny-lm", autocast=False) for price in (0.0, 0.1))
    assert [plan.start for plan in (plain, priced)] == [False, True]
    assert priced.parts["logits"] * 12 == plain.parts["logits"] * 28


def test_the_sampling_of_a_teacher_is_planned_and_the_start_where_it_is_the_teacher():
    plain, own, start = (
        planning.plan_for(replace(SFT, teacher=teacher), "tiny-lm", autocast=False)
        for teacher in ("expert", "self", "start")
    )
    assert [plan.start for plan in (plain, own, start)] == [False, False, True]
    assert ["sampling" in plan.phases for plan in (plain, own, start)] == [False, True, True]
    assert own.batch == SFT.batch
    assert own.cached_tokens == 8 * (plain.tokens // 4 + 48)


def test_much_is_told_part_by_part(monkeypatch, capsys):
    free(monkeypatch, GB)
    learner = learning(replace(PPO, **SEEN))
    printed = capsys.readouterr().out
    plan = planning.plan_for(replace(PPO, **SEEN), "tiny-vlm", autocast=False)
    assert f"{plan}\n" in printed
    assert "warning" not in printed
    envs = [gym.make(VISION, attempts=2) for _ in range(4)]
    played = [len(one.ids) for one in roll_out(learner, envs, range(4), replace(PPO, **SEEN))]
    longest = plan.tokens // 2
    assert longest - 2 * 12 - 8 <= max(played) <= longest  # of two responses of at most 12 tokens
    assert plan.cached_tokens == 4 * longest
    assert (plan.shape, plan.patches) == (shape_of("tiny-vlm"), 64)
    assert (plan.micro_batch, plan.batch, plan.start, plan.accumulates) == (2, 4, True, True)


@pytest.mark.parametrize(
    ("script", "arguments", "size"),
    [
        (sft, replace(SFT, batch=64, micro_batch=64), 100_000_000),
        (sft, SFT, 14_000_000),
        (ppo, PPO, 15_000_000),
        (ppo, replace(PPO, **SEEN), 20_000_000),
    ],
)
def test_what_is_too_much_comes_with_flags_of_the_script_that_make_it_fit(script, arguments, size, monkeypatch):
    free(monkeypatch, size)
    told = planning.memory_text(arguments, arguments.model, device="cpu", autocast=False)
    line, *advice = told[told.index("warning: ") :].splitlines()
    assert re.fullmatch(r"warning: this may not fit; .* enough, each alone:", line)
    assert advice
    for each in advice:
        flags, peak = each.rsplit(": ", 1)
        flags, _, shards = flags.removesuffix(" processes").partition(" on ")
        given = tyro.cli(script.Arguments, args=flags.split(), default=arguments)
        assert given != arguments
        count = int(shards or 1)
        whole = {"batch": arguments.batch * count} if script is sft else {"minibatch": arguments.minibatch * count}
        whole |= {"episodes": arguments.episodes * count} if script is ppo else {}
        plan = planning.plan_for(replace(given, **whole), given.model, autocast=False, processes=count, shards=count)
        assert plan.fits(size)
        assert f"{plan.peak / 1e6:.1f} MB" == peak


def test_what_nothing_makes_fit_is_said(monkeypatch, capsys):
    free(monkeypatch, 1_000_000)
    learning(SFT)
    printed = capsys.readouterr().out.rstrip()
    assert "warning: this may not fit; memory: at most" in printed
    assert "too large: " in printed.splitlines()[-1]


def test_a_process_beside_the_main_one_tells_nothing(capsys):
    team = Team(device="cpu")
    team.main = False
    Learner(SFT, team, "tiny-lm")
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_several_processes_tell_it_once(tmp_path):
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    arguments = ["--device", "cpu", "--probes", "0", "--updates", "1", "--batch", "4", "--out", tmp_path / "run"]
    command = [*launch, "--main_process_port", "0", EXAMPLES / "sft.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("memory: ") == 1, done.stdout


def test_processes_of_a_machine_share_its_memory_and_not_that_of_their_gpus(monkeypatch):
    free(monkeypatch, 12 * GB)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    told = [planning.memory_text(SFT, "tiny-lm", device=name, autocast=False, processes=4) for name in ("cpu", "cuda")]
    assert ["3.0 GB" in told[0], "12.0 GB" in told[1]] == [True, True]


def test_shards_are_planned_as_such(monkeypatch):
    alone, shared = (planning.plan_for(SFT, "tiny-lm", autocast=False, processes=2, shards=shards) for shards in (1, 2))
    assert (alone.micro_batch, shared.shards, shared.parts["optimiser"]) == (4, 2, alone.parts["optimiser"] // 2)


def test_copies_of_the_model_in_several_processes_are_planned_as_such():
    plans = [
        planning.plan_for(PPO, "tiny-lm", autocast=False, processes=n, shards=m) for n, m in ((1, 1), (2, 1), (2, 2))
    ]
    assert [plan.copied for plan in plans] == [False, True, False]


def test_the_copy_of_a_start_that_an_adapter_needs_is_planned_where_it_is_loaded(tmp_path):
    begun = str(tmp_path / "adapter")
    HuggingFacePolicy.load("tiny-lm", device="cpu", lora=2).save(tmp_path / "adapter")
    for arguments, copies in ((replace(PPO, lora=2), False), (replace(PPO, model=begun), True)):
        plan = planning.plan_for(arguments, arguments.model, autocast=False)
        learner = learning(arguments)
        with learner.start() as start:
            assert (start is not learner.policy.model) == copies == plan.start
        if copies:
            assert plan.parts["start"] == sum(one.numel() * one.element_size() for one in start.parameters())


def test_a_plan_that_fails_changes_nothing_of_a_run(tmp_path, monkeypatch, capsys):
    losses = []
    for out in (tmp_path / "planned", tmp_path / "not"):
        sft.train(replace(SFT, out=out))
        losses.append([json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()])
        monkeypatch.setattr(planning, "plan_for", lambda *_, **__: 1 / 0)
    assert losses[0] == losses[1]
    assert "memory: no plan (division by zero)" in capsys.readouterr().out.splitlines()


def test_a_model_whose_shape_is_not_known_has_no_plan_and_says_so(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "none-such"}')
    told = planning.memory_text(SFT, str(tmp_path), device="cpu", autocast=False)
    assert told.startswith("memory: no plan (")
    assert "\n" not in told


def test_a_model_that_is_nowhere_is_told_once_and_not_by_its_plan(tmp_path, stopped):
    with pytest.raises(NoModelError):
        planning.memory_text(SFT, "no/such-model", device="cpu", autocast=False)
    said = stopped(lambda: sft.train(replace(SFT, model="no/such-model", out=tmp_path / "run")))
    assert "there is no model 'no/such-model'" in said


def test_planning_draws_no_chance():
    def chance():
        return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()

    before = chance()
    for arguments in (SFT, PPO, replace(PPO, **SEEN, lora=4)):
        assert "no plan" not in planning.memory_text(arguments, arguments.model, device="cpu", autocast=False)
    assert chance() == before


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize("name", all_families())
def test_every_family_has_a_plan_that_counts_its_patches(name, tmp_path):
    model = FAMILIES[name].save(tmp_path / "model")
    plan = planning.plan_for(replace(PPO, model=str(model), env=VISION), str(model), autocast=False)
    assert plan.patches
    assert plan.patches % (plan.shape.patches or 1) == 0  # of whole tiles
    assert plan.peak > 0


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures as Linux tells")
@pytest.mark.parametrize("method", ["sft", "ppo"])
def test_a_run_takes_what_was_planned(method, tmp_path):
    command = [sys.executable, Path(__file__).with_name("memory_of_a_run.py"), method, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **GIVES_BACK})
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["parameters"] > 25_000_000
    assert f"memory: at most {figures['planned'] / GB:.1f} GB of " in done.stdout
    assert abs(figures["taken"] - figures["planned"]) <= 0.1 * figures["planned"] + 10_000_000, figures
