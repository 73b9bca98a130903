"""Runs of several processes on one machine: each holds the model, or a share of it; and launches that are refused."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import DeepSpeedPlugin, FullyShardedDataParallelPlugin
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env
from safetensors.torch import load_file
from tests.examples import two_processes
from tests.examples.two_processes import LORA, PPO, SFT, SFTS, interrupt

import command_line
import ppo
import sft
import study
from command_line import launched_as
from distributed import Team
from verienv.core.run_folder import TIMED

HERE, EXAMPLES = Path(__file__).parent, Path(__file__).parents[2] / "examples"
CONFIGURATIONS = EXAMPLES / "launch"
ZERO3 = {
    "ACCELERATE_USE_DEEPSPEED": "true",
    "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3",
    "ACCELERATE_DEEPSPEED_ZERO3_INIT": "false",
}


def launched(options, script, *arguments):
    """What the processes of ``accelerate launch`` have written to stderr, and whether they ended well."""
    command = [sys.executable, "-m", "accelerate.commands.launch", "--main_process_port", "0", *options, script]
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, env=quiet)
    return done.stderr, done.returncode == 0


def by_two(out, *options):
    return launched(["--multi_gpu", "--num_processes", "2"], HERE / "two_processes.py", out, *options)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One process's runs of the same arguments, by the names of the others; "by-one" was interrupted."""
    out = tmp_path_factory.mktemp("alone")
    two_processes.stopped(sft, replace(SFT, out=out / "by-one"), interrupt)
    return {name: sft.train(replace(given, out=out / name)) for name, given in SFTS.items()}, out / "by-one"


@pytest.fixture(scope="module", params=["copied", pytest.param("sharded", marks=pytest.mark.slow)])
def computed(request, tmp_path_factory, alone):
    """The folder of what two processes of a kind have computed, and their stderr."""
    out = tmp_path_factory.mktemp("two") / request.param
    out.mkdir()
    subprocess.run(["cp", "-r", alone[1], out], check=True)
    stderr, well = by_two(out.parent, request.param)
    assert well, stderr
    return out, stderr


@pytest.fixture(scope="module")
def two(computed):
    """The folder of what two processes have computed, what each tells of it, and of which kind they are."""
    out, _ = computed
    return out, [json.loads((out / f"told-{index}.json").read_text()) for index in range(2)], out.name


def demand_equal_updates(told):
    for name, update in told[0]["updates"].items():
        assert update["moved"] > 0, name
        assert update["weights"] < 1e-4, name
        assert update["movement"] < 1e-4, name
        assert update["critic"] < 1e-5, name
        for what, (value, alone) in update["logged"].items():
            assert value == pytest.approx(alone, rel=1e-4, abs=1e-6), (name, what)
    assert told[0]["updates"] == told[1]["updates"]


def lines(out):
    return [
        {name: value for name, value in json.loads(line).items() if name not in TIMED}
        for line in (out / "log.jsonl").read_text().splitlines()
    ]


def weights_of(out):
    """The weights of the last checkpoint, in a row."""
    (file,) = max(out.glob("checkpoint-*")).glob("*model.safetensors")
    kept = load_file(file)
    return torch.cat([kept[name].flatten() for name in sorted(kept)])


def demand_like(run, out):
    """The run in ``out`` has the numbers and, to a ten-thousandth, the weights of a run of one process."""
    ours, theirs = lines(out), lines(run.out)
    assert len(ours) == len(theirs) == run.arguments.updates
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            assert one[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name
    one, other = weights_of(out), weights_of(run.out)
    assert (one - other).norm() < 1e-4 * other.norm()


def test_two_processes_take_the_step_that_one_takes(two):
    _, told, _ = two
    assert [one["processes"] for one in told] == [2, 2]
    assert told[0]["updates"].keys() == {"words", "pictures"}
    demand_equal_updates(told)


def test_a_sharded_model_lies_in_each_process_by_half(two):
    _, told, kind = two
    for one in told:
        assert bool(one["held"].pop("whole")) == (kind == "copied")
        assert all((share <= 0.6) == (kind == "sharded") for share in one["held"].values())


@pytest.mark.parametrize("name", SFTS)
def test_two_processes_learn_what_one_learns_from_the_same_demonstrations(name, two, alone):
    demand_like(alone[0][name], two[0] / f"sft-{name}")
    assert json.loads((two[0] / f"sft-{name}" / "config.json").read_text())["processes"] == 2


def test_a_run_of_two_processes_is_gone_on_with_by_one_and_the_other_way_round(two, alone, capsys):
    out, told, _ = two
    assert [one["cut"][1] for one in told] == [2, 2]
    demand_like(alone[0]["words"], out / "by-one")
    assert len(lines(out / "by-two")) == 2
    sft.train(replace(SFT, out=out / "by-two"))
    assert "processes 1 (was 2)" in capsys.readouterr().out
    demand_like(alone[0]["words"], out / "by-two")


def test_two_processes_that_are_interrupted_end_as_if_they_were_not(two):
    out, told, _ = two
    assert [one["cut"][0] for one in told] == [2, 2]
    assert lines(out / "cut") == lines(out / "whole")
    assert [folder.name for folder in sorted((out / "cut").glob("checkpoint-*"))] == [
        folder.name for folder in sorted((out / "whole").glob("checkpoint-*"))
    ]
    assert weights_of(out / "cut").equal(weights_of(out / "whole"))


def test_a_number_that_is_not_finite_in_one_process_stops_both(two):
    out, told, _ = two
    assert [one["ended"] for one in told] == [2, 2]
    kept = torch.load(out / "broken" / "not_finite.pt", weights_only=True)
    assert "process 1" in kept["reason"]
    assert [len(batch["ids"]) for batch in kept["batches"]] == [3, 4]


def test_it_is_told_once_that_a_number_is_not_finite(computed):
    out, stderr = computed
    assert stderr.count("error: the loss of process 1 is not finite in update 1") == 1
    assert stderr.count(f"its batch is in {out / 'broken' / 'not_finite.pt'}") == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["copied", "sharded", "sharded by accelerate"])
def test_two_processes_take_any_step_that_one_takes(kind, tmp_path):
    kind, *forced = ("copied", "--forced") if kind == "sharded by accelerate" else (kind,)
    out = tmp_path / kind
    out.mkdir()
    stderr, well = by_two(tmp_path, kind, "--more", *forced)
    assert well, stderr
    told = [json.loads((out / f"told-{index}.json").read_text()) for index in range(2)]
    assert told[0]["updates"].keys() == two_processes.UPDATES.keys()
    demand_equal_updates(told)
    demand_like(sft.train(replace(LORA, out=tmp_path / "alone")), out / "sft-lora")
    first, second = lines(out / "taught")
    assert [line["demonstrations"] for line in (first, second)] == [7, 7]
    assert 0 < second["success"] < 1
    assert first["gradient_norm"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["0", "1"])
def test_two_processes_of_which_one_is_killed_end_as_if_it_were_not(killed, two, tmp_path):
    out, _, kind = two
    cut = tmp_path / kind / "cut"
    assert not by_two(tmp_path, kind, "--killed", killed)[1]
    assert len(lines(cut)) in (2, 3)
    assert not (cut / "finished").exists()
    subprocess.run(["cp", "-r", cut, tmp_path / "alone"], check=True)
    assert by_two(tmp_path, kind, "--killed", "none")[1]
    assert lines(cut) == lines(out / "whole")
    assert weights_of(cut).equal(weights_of(out / "whole"))
    run = ppo.train(replace(PPO, out=tmp_path / "alone"))
    assert run.finished
    assert lines(run.out)[:2] == lines(out / "whole")[:2]
    assert len(lines(run.out)) == PPO.updates


@pytest.mark.parametrize(("rank", "waits"), [("0", []), ("1", [20.0])])
def test_of_processes_that_are_refused_all_but_the_first_wait_for_it_to_tell(
    rank, waits, tmp_path, stopped, monkeypatch
):
    waited: list[float] = []
    monkeypatch.setattr(command_line.time, "sleep", waited.append)
    for name, value in {"WORLD_SIZE": "2", "RANK": rank, "ACCELERATE_USE_FSDP": "true"}.items():
        monkeypatch.setenv(name, value)
    said = stopped(lambda: sft.train(replace(SFT, out=tmp_path / "run")))
    assert "accelerate shards by FSDP on GPUs alone" in said
    assert "--multi_gpu" in said
    assert waited == waits
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "told"),
    [([], "accelerate shards by FSDP on GPUs alone"), (["--cpu"], "this one is alone")],
)
def test_a_launch_that_would_train_a_model_in_each_process_is_refused_once(options, told, tmp_path):
    options = ["--config_file", CONFIGURATIONS / "fsdp2.yaml", "--num_processes", "2", *options]
    stderr, well = launched(options, EXAMPLES / "sft.py", "--out", tmp_path / "run", "--device", "cpu")
    assert not well
    said = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 1, stderr
    assert told in said[0]
    assert "--multi_gpu" in said[0]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("environment", "shard", "told"),
    [
        ({"ACCELERATE_MIXED_PRECISION": "bf16"}, False, "give it no, and --precision"),
        ({"ACCELERATE_MIXED_PRECISION": "no", "MASTER_ADDR": "127.0.0.1"}, False, "this one is alone"),
        ({"WORLD_SIZE": "2"}, False, "this one is alone"),
        ({"WORLD_SIZE": "2", "RANK": "0", "ACCELERATE_USE_DEEPSPEED": "true"}, False, "DeepSpeed on GPUs alone"),
        ({}, True, "one process has nothing to shard over"),
        ({"WORLD_SIZE": "1", "RANK": "0", "ACCELERATE_USE_FSDP": "true"}, False, "on GPUs alone"),
    ],
)
def test_a_launch_of_what_a_run_does_not_do_is_refused(environment, shard, told, tmp_path, stopped, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert told in stopped(lambda: sft.train(replace(SFT, shard=shard, out=tmp_path / "run")))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("environment", "device", "shard", "told"),
    [
        ({"ACCELERATE_USE_FSDP": "true"}, "auto", True, "the launcher shards already, by FSDP"),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "1"}, "auto", False, "must say fsdp_version: 2"),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}, "auto", False, "fsdp_cpu_ram_efficient_loading: false"),
        (ZERO3, "auto", True, "the launcher shards already, by DeepSpeed"),
        ({**ZERO3, "ACCELERATE_DEEPSPEED_ZERO_STAGE": "2"}, "auto", False, "must say zero_stage: 3"),
        ({**ZERO3, "ACCELERATE_DEEPSPEED_ZERO3_INIT": "true"}, "auto", False, "zero3_init_flag: false"),
        ({**ZERO3, "ACCELERATE_DEEPSPEED_OFFLOAD_PARAM_DEVICE": "cpu"}, "auto", False, "no offload"),
        ({**ZERO3, "ACCELERATE_MIXED_PRECISION": "bf16"}, "auto", False, "give it no, and --precision"),
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, "auto", False, "must say zero_stage: 3"),  # all in a file of DeepSpeed's
        ({}, "cuda:1", False, "--device cuda:1 with 2 processes"),
    ],
)
def test_a_launch_on_gpus_of_what_a_run_does_not_do_is_refused(environment, device, shard, told, monkeypatch):
    monkeypatch.setattr(command_line, "find_spec", lambda name: name)  # as if DeepSpeed were there
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=re.escape(told)):
        launched_as(device, shard, on_cpu=False)


def test_a_launch_by_deepspeed_where_it_is_missing_says_what_to_install(monkeypatch):
    monkeypatch.setattr(command_line, "find_spec", lambda _: None)
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", **ZERO3}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=re.escape('pip install "verienv[deepspeed]"')):
        launched_as("auto", False, on_cpu=False)


def test_a_script_of_one_process_that_was_launched_as_several_says_so_once(tmp_path, stopped, monkeypatch):
    arguments = study.Arguments(out=tmp_path / "study")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    said = stopped(lambda: study.main(arguments))
    assert "starts its own processes" in said
    waited: list[float] = []
    monkeypatch.setattr(command_line.time, "sleep", waited.append)  # the launcher ends the others meanwhile
    monkeypatch.setenv("RANK", "1")
    assert stopped(lambda: study.main(arguments)) == said
    assert waited == [20.0]
    assert not (tmp_path / "study").exists()


def test_the_shares_of_processes_are_what_one_process_would_have_used(stopped):
    def shares(size, whole):
        for index in range(size):
            team = Team()
            team.size, team.index = size, index
            yield team.share(whole)

    for size in (1, 2, 3):
        assert [one for share in shares(size, range(8)) for one in share] == list(range(8))
    assert "too few for 3 processes" in stopped(lambda: list(shares(3, range(2))))


def test_accelerate_reads_the_configuration_of_fsdp2_as_the_scripts_want_it(monkeypatch):
    arguments = launch_command_parser().parse_args(["--config_file", str(CONFIGURATIONS / "fsdp2.yaml"), "ppo.py"])
    arguments, _, _ = _validate_launch_command(arguments)
    for name, value in {**prepare_multi_gpu_env(arguments), "WORLD_SIZE": "8", "RANK": "0"}.items():
        monkeypatch.setenv(name, str(value))
    assert launched_as("auto", False, on_cpu=False) == (8, "FSDP")
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward
    assert not plugin.cpu_ram_efficient_loading
    assert arguments.mixed_precision == "bf16"


def test_accelerate_reads_the_configuration_of_zero3_as_the_scripts_want_it(monkeypatch):
    arguments = launch_command_parser().parse_args(["--config_file", str(CONFIGURATIONS / "zero3.yaml"), "ppo.py"])
    arguments, defaults, _ = _validate_launch_command(arguments)
    arguments.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
    for name, value in {**prepare_deepspeed_cmd_env(arguments)[1], "WORLD_SIZE": "8", "RANK": "0"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(command_line, "find_spec", lambda name: name)  # as if DeepSpeed were there
    assert launched_as("auto", False, on_cpu=False) == (8, "DeepSpeed")
    plugin = DeepSpeedPlugin()
    assert not plugin.zero3_init_flag
    asked = plugin.deepspeed_config["zero_optimization"]
    assert asked["stage"] == 3
    assert {asked[part]["device"] for part in ("offload_optimizer", "offload_param")} == {"none"}
    assert arguments.mixed_precision == "no"
