"""Checkpoints that are gone, half or of another model end a script with one line; a hub is never asked for a path."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import ppo
import run as runs
import sft
import study
from command_line import kind_endings
from verienv.core.run_folder import update_of
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.batch import Rollout
from verienv.policies.hugging_face.checkpoint import path_of

SFT = sft.Arguments(probes=0, flops=8e9, checkpoints=1, batch=8, device="cpu", warm_up=1)
QUESTION = [[{"role": "user", "content": "Make 24 from 4, 3, 2, 10."}]]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run that has two updates and checkpoints behind it, and is not finished."""
    out = tmp_path_factory.mktemp("begun") / "run"
    sft.train(replace(SFT, checkpoints=2, out=out))
    (out / "finished").unlink()
    return out


@pytest.fixture
def run(begun, tmp_path):
    return shutil.copytree(begun, tmp_path / "run")


def go_on(run):
    """The same command again, for a larger budget: one that is used up would end before a number is computed."""
    return lambda: sft.train(replace(SFT, checkpoints=2, out=run))


def newest(run):
    return sorted(run.glob("checkpoint-*"))[-1]


@pytest.fixture
def asked(monkeypatch):
    """Fails a test that asks a hub for anything."""
    import huggingface_hub.file_download

    monkeypatch.setattr(huggingface_hub.file_download, "hf_hub_download", lambda *_, **__: pytest.fail("asked the hub"))
    monkeypatch.setattr(
        huggingface_hub.file_download, "_get_metadata_or_catch_error", lambda *_, **__: pytest.fail("asked")
    )


def test_a_newest_checkpoint_that_is_gone_is_named(run, stopped, asked):
    gone = newest(run)
    shutil.rmtree(gone)
    said = stopped(go_on(run))
    assert f"{gone} is missing" in said
    assert f"delete {run} to start again" in said


@pytest.mark.parametrize(
    "file", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
)
@pytest.mark.parametrize("damage", ["missing", "empty", "half"])
def test_a_checkpoint_that_lacks_a_file_or_half_of_it_is_one_line(run, file, damage, stopped, asked):
    path = newest(run) / file
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(whole[: len(whole) // 2] if damage == "half" else b"")
    said = stopped(go_on(run))
    assert str(newest(run)) in said


def test_a_checkpoint_without_some_weights_is_not_filled_by_chance(run, stopped):
    path = newest(run) / "model.safetensors"
    weights = load_file(path)
    lost = sorted(weights)[3]
    save_file({name: weight for name, weight in weights.items() if name != lost}, path, {"format": "pt"})
    assert f"lack {lost} (1 in all)" in stopped(go_on(run))


@pytest.mark.parametrize("value", ["[]", '{"update": 2}', "nothing", "other shapes", "other optimiser"])
def test_a_state_that_is_not_that_of_the_newest_checkpoint_is_one_line(run, value, stopped):
    state = torch.load(run / "state.pt", weights_only=True)
    if value == "other shapes":
        for kept in state["optimiser"]["state"].values():
            kept["exp_avg"] = torch.zeros(3, 5)
    elif value == "other optimiser":
        state["optimiser"]["param_groups"][0]["params"] = [0, 1]
    elif value == "nothing":
        (run / "state.pt").write_bytes(b"")
    else:
        state = json.loads(value)
    if value != "nothing":
        torch.save(state, run / "state.pt")
    said = stopped(go_on(run))
    assert f"{run / 'state.pt'} cannot be read, or is of another model" in said


@pytest.mark.parametrize(("name", "value"), [("flops", float("nan")), ("flops", float("inf")), ("update", -1)])
def test_a_state_that_counts_in_no_numbers_is_damaged_and_ends_no_run_as_if_it_were_finished(run, name, value, stopped):
    state = torch.load(run / "state.pt", weights_only=True)
    torch.save({**state, name: value}, run / "state.pt")
    said = stopped(go_on(run))
    assert f"{run / 'state.pt'} cannot be read" in said
    assert "it is damaged: it counts " in said
    assert not (run / "finished").exists()


@pytest.mark.parametrize(
    "text", ["", '{"update": 1}\n', '{"update": 2}\n{"update": 1}\n', "[1]\n{}\n", "[" * 100_000 + "\n{}\n"]
)
def test_a_log_that_lacks_updates_or_has_others_is_named_by_file_and_line(run, text, stopped):
    (run / "log.jsonl").write_text(text)
    said = stopped(go_on(run))
    assert str(run / "log.jsonl") in said
    assert "ends before update 2" in said or "line 1: expected the numbers of update 1" in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        *((text, " is damaged (it names no arguments)") for text in ("[]", "{}", '{"arguments": 3}')),
        *((text, ": is no JSON in UTF-8 (") for text in ("nothing", "[" * 100_000, "\xff", '{"arguments": NaN}')),
        ("", ": is empty"),
    ],
)
def test_a_configuration_that_is_none_is_one_line(run, text, told, stopped):
    (run / "config.json").write_text(text, encoding="latin-1")
    said = stopped(go_on(run))
    assert f"{run / 'config.json'}{told}" in said
    assert said.endswith("; delete it, or choose another --out")


def test_a_finished_run_whose_checkpoints_are_gone_says_so(run, stopped):
    (run / "finished").touch()
    for folder in run.glob("checkpoint-*"):
        shutil.rmtree(folder)
    assert "whose checkpoints are gone" in stopped(go_on(run))


@pytest.mark.parametrize(
    "name", ["runs/x/checkpoint-00012", "/nowhere/model", "../model", "./model", "~/model", "x/checkpoint-7"]
)
@pytest.mark.parametrize("script", [sft, ppo])
def test_a_path_that_names_no_folder_is_said_to_be_none(name, script, tmp_path, monkeypatch, stopped, asked):
    monkeypatch.chdir(tmp_path)
    arguments = script.Arguments(model=name, device="cpu", out=tmp_path / "out")
    assert f"there is no folder {name}" in stopped(lambda: script.train(arguments))


@pytest.mark.parametrize("name", ["gpt2", "HuggingFaceTB/SmolLM2-135M-Instruct", "a.b/c-d_e"])
def test_a_name_that_a_hub_could_have_is_left_as_it_is(name):
    assert path_of(name) == name


def test_a_folder_is_taken_whatever_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("./model", "runs/x/y", "model"):
        Path(name).mkdir(parents=True, exist_ok=True)
        assert path_of(name) == name


def test_an_adapter_that_is_damaged_or_has_lost_its_model_is_one_line(tmp_path, stopped, asked):
    base = tmp_path / "base"
    HuggingFacePolicy.load("tiny-lm", device="cpu").save(base)
    HuggingFacePolicy.load(str(base), device="cpu", lora=2).save(tmp_path / "adapter")
    weights = tmp_path / "adapter" / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    assert "the adapter in" in stopped(lambda: HuggingFacePolicy.load(str(tmp_path / "adapter"), device="cpu"))
    weights.write_bytes(whole)
    shutil.rmtree(base)
    assert f"there is no folder {base}" in stopped(
        lambda: HuggingFacePolicy.load(str(tmp_path / "adapter"), device="cpu")
    )


def test_loading_an_adapter_draws_nothing_so_that_a_run_that_goes_on_is_as_one_without_a_break(tmp_path):
    HuggingFacePolicy.load("tiny-lm", device="cpu", lora=2).save(tmp_path / "adapter")
    before = torch.get_rng_state()
    HuggingFacePolicy.load(str(tmp_path / "adapter"), device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_an_adapter_of_a_model_that_is_built_in_knows_it_by_name_whatever_folders_there_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny-lm").mkdir()
    HuggingFacePolicy.load("tiny-lm", device="cpu", lora=2).save(tmp_path / "adapter")
    assert json.loads(Path("adapter/adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-lm"


def test_a_special_token_that_a_demonstration_spells_is_no_picture_and_ends_nothing():
    policy = HuggingFacePolicy.load("tiny-vlm", device="cpu")
    plain, marked = (
        Rollout.demonstrated(policy, {"prompt": QUESTION[0], "completion": [{"role": "assistant", "content": said}]})
        for said in ("4 + 2", "4 <image><|end|>+ 2")
    )
    assert marked.ids == plain.ids


def test_checkpoints_are_in_the_order_of_their_updates(tmp_path):
    run = runs.Run(tmp_path / "run", SFT)
    for name in (
        "checkpoint-99999",
        "checkpoint-100000",
        "checkpoint-00007",
        "checkpoint-x",
        "checkpoint-00008.partial",
    ):
        (run.out / name).mkdir()
    assert [update_of(folder) for folder in run.checkpoints()] == [7, 99999, 100000]


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"runs": [{}], "study": {}}'])
def test_a_study_that_is_damaged_is_not_drawn(tmp_path, text, stopped):
    (tmp_path / "study.json").write_text(text)

    def redrawn():
        with kind_endings(tmp_path):
            study.main(study.Arguments(out=tmp_path, redraw=True))

    assert f"{tmp_path / 'study.json'} is damaged" in stopped(redrawn)
