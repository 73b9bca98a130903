"""Runs that are interrupted, refused or broken: what was computed stays, and the error says what to do."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tests.examples.conftest import break_off

import ppo
import run as runs
import sft
from command_line import kind_endings
from model import scheduled
from verienv.core.run_folder import TIMED
from verienv.policies import HuggingFacePolicy

SFT = sft.Arguments(probes=0, flops=6e10, checkpoints=3, batch=8)
PPO = ppo.Arguments(probes=0, flops=9e10, checkpoints=3, episodes=8, minibatch=4, attempts=2, batch=8)


def with_out(arguments, out):
    return type(arguments)(**{**vars(arguments), "out": out})


def weights(folder: Path):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize(("script", "arguments"), [(sft, SFT), (ppo, PPO)], ids=["sft", "ppo"])
@pytest.mark.parametrize("at", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_a_run_killed_and_resumed_ends_as_one_that_was_not(script, arguments, at, tmp_path):
    whole = script.train(with_out(arguments, tmp_path / "whole"))
    break_off(lambda: script.train(with_out(arguments, tmp_path / "cut")), at + 1)
    resumed = script.train(with_out(arguments, tmp_path / "cut"))
    assert [folder.name for folder in resumed.checkpoints()] == [folder.name for folder in whole.checkpoints()]
    assert len(whole.checkpoints()) == 3
    first, second = weights(whole.checkpoints()[-1]), weights(resumed.checkpoints()[-1])
    assert all(first[name].equal(second[name]) for name in first)
    kept = [
        [{key: value for key, value in line.items() if key not in TIMED} for line in run.lines()]
        for run in (whole, resumed)
    ]
    assert kept[0] == kept[1]


def test_a_finished_run_is_not_run_again(tmp_path, monkeypatch):
    arguments = with_out(SFT, tmp_path / "run")
    sft.train(arguments)
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: pytest.fail("loaded a model"))
    assert len(sft.train(arguments).checkpoints()) == 3


def stopped(call, capsys):
    """The exit status, and the one line that a script ends with besides its progress bar."""
    with pytest.raises(SystemExit) as ending, kind_endings(Path("runs/x")):
        call()
    said = [line for line in capsys.readouterr().err.splitlines() if line.strip() and "FLOP/s" not in line]
    assert len(said) == 1, said
    return ending.value.code, said[0]


def test_other_arguments_in_the_same_folder_are_refused(tmp_path, capsys):
    other = type(SFT)(**{**vars(SFT), "batch": 9})
    runs.Run(tmp_path / "run", SFT).log({"update": 1})
    code, said = stopped(lambda: runs.Run(tmp_path / "run", other), capsys)
    assert code == 2
    assert "batch" in said
    assert "--out" in said


def test_a_folder_in_which_nothing_was_computed_takes_the_corrected_arguments(tmp_path, capsys):
    wrong = type(SFT)(**{**vars(SFT), "model": "no/such-model", "out": tmp_path / "run"})
    assert "no/such-model" in stopped(lambda: sft.train(wrong), capsys)[1]
    runs.Run(tmp_path / "run", SFT)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["arguments"]["model"] == "tiny-lm"


@pytest.mark.parametrize(
    ("script", "arguments", "name", "value"),
    [
        (sft, SFT, "flops", 0.0),
        (sft, SFT, "checkpoints", 0),
        (sft, SFT, "seed", -1),
        (ppo, PPO, "temperature", 0.0),
        (ppo, PPO, "episodes", 0),
        (ppo, PPO, "learning_rate", float("nan")),
    ],
)
def test_a_number_out_of_range_is_named_before_anything_is_written(script, arguments, name, value, tmp_path, capsys):
    given = type(arguments)(**{**vars(arguments), "out": tmp_path / "run", name: value})
    code, said = stopped(lambda: script.train(given), capsys)
    assert code == 2
    assert name.replace("_", "-") in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_an_unreadable_checkpoint_says_what_to_do(content, tmp_path, capsys):
    run = runs.Run(tmp_path / "run", SFT)
    (run.out / "state.pt").write_bytes(content)
    code, said = stopped(lambda: sft.train(with_out(SFT, tmp_path / "run")), capsys)
    assert code == 2
    assert "cannot be read" in said
    assert "delete" in said


def test_a_full_disk_leaves_the_checkpoints_before_it(tmp_path, capsys, monkeypatch):
    save = HuggingFacePolicy.save

    def full(self, folder, weights=None):
        if list(folder.parent.glob("checkpoint-*")):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, folder)

    monkeypatch.setattr(HuggingFacePolicy, "save", full)
    arguments = with_out(SFT, tmp_path / "run")
    code, said = stopped(lambda: sft.train(arguments), capsys)
    assert code == 2
    assert "No space left" in said
    monkeypatch.setattr(HuggingFacePolicy, "save", save)
    capsys.readouterr()
    assert len(sft.train(arguments).checkpoints()) == 3
    assert "going on from" in capsys.readouterr().out


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(capsys):
    def interrupted():
        raise KeyboardInterrupt

    code, said = stopped(interrupted, capsys)
    assert code == 130
    assert "goes on" in said


def test_a_wrong_argument_is_one_line(tmp_path, capsys):
    arguments = ppo.Arguments(**{**vars(PPO), "out": tmp_path / "run", "rewards": "gold"})
    code, said = stopped(lambda: ppo.train(arguments), capsys)
    assert code == 2
    assert "gold" in said
    assert "binary" in said


def test_a_log_line_cut_off_by_a_kill_is_left_out(tmp_path):
    run = runs.Run(tmp_path / "run", SFT)
    (run.out / "log.jsonl").write_text('{"update": 1}\n{"upda')
    assert run.lines() == [{"update": 1}]


def test_configuration_and_versions_are_written_beside_the_results(tmp_path):
    runs.Run(tmp_path / "run", SFT)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["arguments"]["learning_rate"] == SFT.learning_rate
    assert {"verienv", "torch", "python", "accelerate", "peft", "pillow"} <= set(config["versions"])
    assert config["processes"] == 1
    assert config["uncommitted_changes"] in (True, False, "unknown")


@pytest.mark.parametrize(("warm_up", "told"), [(10, 1), (2, 0)])
def test_a_budget_that_ends_within_the_warm_up_is_told_once(warm_up, told, tmp_path, capsys):
    sft.train(replace(SFT, flops=1.5e10, warm_up=warm_up, out=tmp_path / "run"))
    notes = [line for line in capsys.readouterr().out.splitlines() if "warm-up" in line]
    assert notes == ["note: about 4 updates in all, within --warm-up 10: the rate stays low"] * told


def test_the_learning_rate_rises_and_falls_to_nothing():
    rise = [scheduled(update, 0.0, 4) for update in range(6)]
    assert rise == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert scheduled(9, 0.5, 4) == pytest.approx(0.5)
    assert scheduled(9, 1.2, 4) == pytest.approx(0.0)
