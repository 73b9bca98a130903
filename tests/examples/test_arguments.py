"""Arguments of every script: numbers within bounds, devices that are there, settings of the environment."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import pytest

import cleanrl_ppo
import command_line as bounds
import dpo
import episodes
import grpo
import ppo
import sft
import study
from command_line import kind_endings
from run import Run, plain
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face import loading

SCRIPTS = {"sft": sft, "ppo": ppo, "dpo": dpo, "grpo": grpo, "study": study, "cleanrl_ppo": cleanrl_ppo}
START = {
    "sft": sft.train,
    "ppo": ppo.train,
    "dpo": dpo.train,
    "grpo": grpo.train,
    "study": study.main,
    "cleanrl_ppo": cleanrl_ppo.train,
}
HINTS = {name: get_type_hints(script.Arguments, include_extras=True) for name, script in SCRIPTS.items()}
PLAIN = {name: get_type_hints(script.Arguments) for name, script in SCRIPTS.items()}


def is_number(hint):
    return any(hint is kind for kind in (int, float, int | None, float | None, tuple[int, ...], tuple[float, ...]))


NUMBERS = [(script, name) for script, hints in PLAIN.items() for name, hint in hints.items() if is_number(hint)]
SMALL = sft.Arguments(flops=1e10, checkpoints=1, batch=4, device="cpu")
SMALL_PPO = ppo.Arguments(flops=1e9, checkpoints=1, episodes=2, minibatch=2, attempts=1, batch=2, device="cpu")


def given(script, name, value):
    is_many = str(PLAIN[script][name]).startswith("tuple")
    return SCRIPTS[script].Arguments(**{name: (value,) if is_many else value})


def refused(call, stopped):
    def within():
        with kind_endings(Path("runs/x")):
            call()

    return stopped(within)


def test_there_are_numbers_to_check():
    assert len(NUMBERS) > 60


@pytest.mark.parametrize(("script", "name"), NUMBERS)
def test_every_number_of_every_script_has_bounds_and_what_is_outside_is_refused(script, name):
    limits, kind = bounds.bounds_in(HINTS[script][name])
    wrong = [float("nan"), float("inf"), -float("inf"), -1, -1e-9, 10**30, 1e300, True, "7"]
    wrong += [] if limits.or_zero or limits.least <= 0 else [0]
    wrong += [1.5] if kind is int else []
    for value in wrong:
        if kind is float and limits.most >= 1e30 and value == 10**30:
            continue
        with pytest.raises(ValueError, match=f"^--{name.replace('_', '-')} .*: expected an? ") as found:
            bounds.check(given(script, name, value))
        assert "\n" not in str(found.value)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_defaults_of_every_script_are_within_bounds(script):
    bounds.check(SCRIPTS[script].Arguments())


SOME = [
    ("dpo", "beta"), ("grpo", "group"),
    ("sft", "seed"), ("ppo", "seed"), ("cleanrl_ppo", "seed"), ("sft", "flops"), ("ppo", "flops"),
    ("ppo", "temperature"), ("study", "rates"), ("study", "minutes"),
    ("cleanrl_ppo", "learning_rate"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "name"), SOME)
@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1])
def test_a_number_is_refused_before_anything_is_made_or_loaded(script, name, value, tmp_path, monkeypatch, stopped):
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: pytest.fail("loaded a model"))
    monkeypatch.chdir(tmp_path)
    said = refused(lambda: START[script](given(script, name, value)), stopped)
    assert f"--{name.replace('_', '-')} {value}: expected a" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["rates", "seeds"])
def test_a_study_of_no_rate_or_no_seed_is_refused(name):
    with pytest.raises(ValueError, match=f"--{name}: expected at least one"):
        bounds.check(study.Arguments(**{name: ()}))


@pytest.mark.parametrize("device", ["cuda:99", "foo", "", "cuda:-1", "cpu cuda", "meta"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_device_that_is_not_there_is_one_line(script, device, tmp_path, monkeypatch, stopped):
    monkeypatch.chdir(tmp_path)
    given = SCRIPTS[script].Arguments(device=device)
    said = refused(lambda: START[script](given), stopped)
    assert f"--device {device}: torch cannot compute there" in said
    assert "here there are auto, cpu" in said


def test_auto_and_cpu_are_devices():
    assert loading.usable_device("cpu") == "cpu"
    assert loading.usable_device("auto") in ("cpu", "cuda")


@pytest.mark.parametrize("script", ["sft", "ppo"])
@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("cards", "expected key=value"),
        ("nope=3", "unknown setting 'nope'"),
        ("cards=99", "cards=99"),
        ("attempts=3", "attempts"),
        ("split=test", "split"),
    ],
)
def test_a_setting_that_is_wrong_or_has_an_option_is_refused_first(script, pair, told, tmp_path, monkeypatch, stopped):
    if (script, pair) == ("sft", "attempts=3"):
        pytest.skip("is a setting like others there")
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: pytest.fail("loaded a model"))
    monkeypatch.chdir(tmp_path)
    given = SCRIPTS[script].Arguments(settings=(pair,), env="verienv/GeneralPoints-L-v0")
    assert told in refused(lambda: START[script](given), stopped)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", ["sft", "ppo"])
def test_an_environment_that_is_none_is_refused_with_the_command_that_lists_them(
    script, tmp_path, monkeypatch, stopped
):
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: pytest.fail("loaded a model"))
    monkeypatch.chdir(tmp_path)
    said = refused(lambda: START[script](SCRIPTS[script].Arguments(env="GeneralPoint-L")), stopped)
    assert "there is no environment 'GeneralPoint-L' (did you mean verienv/GeneralPoints-L-v0?" in said
    assert "`verienv envs` lists them" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", ["sft", "ppo"])
def test_the_short_name_of_an_environment_is_enough_and_its_id_is_logged(script, tmp_path, monkeypatch):
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: 1 / 0)
    given = SCRIPTS[script].Arguments(env="generalpoints-l", model="tiny-lm", device="cpu", out=tmp_path)
    with pytest.raises(ZeroDivisionError):
        START[script](given)
    logged = json.loads((tmp_path / "config.json").read_text())["arguments"]
    assert logged["env"] == "verienv/GeneralPoints-L-v0"


@pytest.mark.parametrize("script", ["sft", "ppo"])
def test_a_tracker_that_there_is_not_is_refused_before_anything_is_loaded(script, tmp_path, monkeypatch, stopped):
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: pytest.fail("loaded a model"))
    monkeypatch.chdir(tmp_path)
    said = refused(lambda: START[script](SCRIPTS[script].Arguments(log_with=("tensorboard", "nosuch"))), stopped)
    assert "--log-with nosuch: expected names among all, aim, tensorboard, wandb" in said
    assert not list(tmp_path.iterdir())


def test_sft_takes_options_of_the_expert_and_refuses_those_there_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(HuggingFacePolicy, "load", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sft.train(replace(SMALL, settings=("solution=random", "equation=true"), out=tmp_path / "sft"))
    with pytest.raises(ValueError, match="solution='longest': expected one of shortest, random"):
        sft.train(replace(SMALL, settings=("solution=longest",), out=tmp_path / "other"))


def test_settings_reach_the_environments_of_both_trainers(tmp_path, monkeypatch):
    prompts = []
    monkeypatch.setattr(
        sft, "demonstrations", lambda *_, **settings: prompts.append(settings) or len(prompts) < 2 or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        sft.train(replace(SMALL, settings=("cards=5", "rule=rank"), out=tmp_path / "sft"))
    assert prompts[1] == {"seed": 0, "split": "train", "steps": False, "cards": 5, "rule": "rank"}
    made = []
    monkeypatch.setattr(episodes, "roll_out", lambda _, envs, *__: made.extend(envs) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ppo.train(replace(SMALL_PPO, settings=("cards=5",), out=tmp_path / "ppo"))
    assert made[0].unwrapped.config.cards == 5


def test_settings_belong_to_what_a_run_is_whatever_their_order(tmp_path, stopped):
    def opened(*settings):
        return Run(tmp_path / "run", replace(SMALL, settings=settings))

    opened("cards=5", "rule=rank").log({"update": 1})
    assert json.loads((tmp_path / "run" / "config.json").read_text())["arguments"]["settings"] == {
        "cards": 5, "rule": "rank",
    }  # fmt: skip
    opened("rule=rank", "cards= 5")
    assert "other arguments (settings)" in stopped(lambda: opened("cards=6", "rule=rank"))
    assert "other arguments (settings)" in stopped(opened)


def test_a_run_begun_when_there_were_fewer_arguments_goes_on(tmp_path):
    run = Run(tmp_path / "run", SMALL)
    run.log({"update": 1})
    path = run.out / "config.json"
    config = json.loads(path.read_text())
    del config["arguments"]["settings"]
    path.write_text(json.dumps(config))
    assert Run(tmp_path / "run", SMALL).lines() == [{"update": 1}]


def test_settings_are_plain_data_in_a_configuration():
    assert plain(replace(SMALL, settings=('rewards={"correct": 1}',)))["settings"] == {"rewards": {"correct": 1}}


def test_the_command_line_takes_settings_one_by_one(monkeypatch):
    import tyro

    said = ["-s", "cards=5", "--setting", "rule=rank", "-s", "prompt=diverse"]
    for script in (sft, ppo):
        assert tyro.cli(script.Arguments, args=said).settings == ("cards=5", "rule=rank", "prompt=diverse")
    one_file = tyro.cli(cleanrl_ppo.Arguments, args=["--settings", "cards=3", "strict_mask=true", "-s", "attempts=1"])
    assert one_file.settings == (("cards=3", "strict_mask=true"), ("attempts=1",))


@pytest.mark.parametrize(("script", "told"), [("sft", "--data PATH"), ("ppo", "--held-out PATH")])
def test_the_help_shows_large_numbers_and_files_as_one_would_type_them(script, told, capsys):
    import tyro

    with pytest.raises(SystemExit):
        tyro.cli(SCRIPTS[script].Arguments, args=["--help"])
    said = " ".join(capsys.readouterr().out.replace("│", "").split())
    assert "(default: 6e12)" in said
    assert told in said
    assert "(none by default)" in said
    assert "{None}" not in said
