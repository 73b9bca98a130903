import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gpu_check
from gpu import grid, parity, results, rows, scratch, tables, throughput, trl_side
from gpu.models import SEES_ACROSS, SEES_PATCHES, policy_of
from gpu.page import draw
from gpu.results import OutOfTime, Results, Setup, Skip, until
from gpu.updates import Case, reinforced, supervised

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "benchmarks" / "gpu_check.py"), "--size", "tiny", "--device", "cpu"]


@pytest.fixture
def setup(tmp_path):
    return Setup("tiny", "cpu", tmp_path, time.monotonic() + 1e6, 7.0)


@pytest.fixture
def kept(tmp_path, setup):
    """The results of a part without measurements."""
    return Results(tmp_path, "parity", setup)


def stored(out, part="parity"):
    return json.loads((out / f"{part}.json").read_text())


def a_number():
    return {"number": 1}


def far():
    return time.monotonic() + 1e6


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The whole part on tiny-vlm and on a random model, in its JSON file."""
    out = tmp_path_factory.mktemp("parity")
    assert gpu_check.main(["--part", "parity", "--size", "tiny", "--device", "cpu", "--out", str(out)]) == 0
    return out


def test_parity_is_measured_for_both_models_in_every_mode(compared):
    names = list(stored(compared)["measurements"])
    modes = [f"{precision}, {attention}" for precision, attention in [*parity.MODES, *parity.HALVES]]
    assert len(names) == 2 * (len(modes) + 1)
    for model in ("tiny-vlm", names[-1].partition(",")[0]):
        assert {f"{model}, {mode}" for mode in modes} | {f"{model}, against a CPU"} <= set(names)


def test_sampling_and_training_agree_in_float32_on_a_cpu(compared):
    measured = stored(compared)["measurements"]
    for name in (name for name in measured if "float32" in name):
        for kind in tables.COMPARED.keys() & measured[name].keys():
            assert measured[name][kind]["max"] < 1e-4, (name, kind)


def test_rounding_to_bfloat16_is_seen(compared):
    measured = stored(compared)["measurements"]
    for name in (name for name in measured if "bfloat16" in name):
        assert measured[name]["read_here_read_in_float32_eager"]["max"] > 1e-4


def test_a_wrong_position_would_be_seen(setup, monkeypatch):
    subject = parity.Subject(setup, "tiny-vlm", 4, 8)
    plain = parity.read

    def shifted(policy, model, batch, *rest):
        batch.mask = batch.mask.clone()
        batch.mask[:, :3] = 0
        return plain(policy, model, batch, *rest)

    monkeypatch.setattr(parity, "read", shifted)
    assert subject.measure("float32", "sdpa")["sampled_together_read_together"]["max"] > 1e-2


def test_a_difference_is_told_in_nats_and_as_the_share_of_ratios_that_leave_one():
    ours = torch.tensor([[0.0, -1.0, -2.0, -9.0]])
    theirs = torch.tensor([[0.0, -1.02, -2.5, -5.0]])
    told = parity.difference(ours, theirs, torch.tensor([[1.0, 1.0, 1.0, 0.0]]))
    assert told == pytest.approx(
        {"max": 0.5, "mean": 0.52 / 3, "beyond_1_percent": 2 / 3, "beyond_clip": 1 / 3}, abs=1e-6
    )


def test_results_name_versions_revision_device_and_command(compared):
    (sitting,) = stored(compared)["sittings"]
    assert sitting["versions"]["torch"] == torch.__version__
    assert sitting["device"] == "CPU"
    assert len(sitting["revision"]) == 40
    assert sitting["command"].startswith("python ")
    assert sitting["ended"] == "complete"


def test_what_is_there_is_not_measured_again(compared, monkeypatch, capsys):
    monkeypatch.setattr(parity.Subject, "measure", lambda *_: pytest.fail("measured again"))
    assert gpu_check.main(["--part", "parity", "--size", "tiny", "--device", "cpu", "--out", str(compared)]) == 0
    assert len(stored(compared)["sittings"]) == 2


@pytest.mark.slow
def test_a_part_that_was_killed_goes_on_where_it_stopped(tmp_path):
    command = [*COMMAND, "--part", "parity", "--out", str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        while not process.stdout.readline().startswith("tiny-vlm, float32, eager ..."):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    before = stored(tmp_path)
    assert before["sittings"][0]["ended"] == "killed"
    assert list(before["measurements"]) == ["tiny-vlm, float32, sdpa"]
    setup = Setup("tiny", "cpu", tmp_path, far(), 7.0)
    again = Results(tmp_path, "parity", setup)
    wanted = [(name, make) for name, make in parity.measurements(setup, again) if name.startswith("tiny-vlm, float32")]
    assert again.run(wanted, far())
    after = stored(tmp_path)["measurements"]
    assert after["tiny-vlm, float32, sdpa"] == before["measurements"]["tiny-vlm, float32, sdpa"]
    assert set(after) == {name for name, _ in wanted}


def test_a_measurement_beyond_the_budget_is_ended_and_what_is_there_is_kept(kept, tmp_path):
    def endless():
        signal.setitimer(signal.ITIMER_REAL, 0.01, 5.0)  # the budget's own clock, put forward
        while True:
            time.sleep(0.01)

    assert kept.run([("short", a_number), ("long", endless), ("never", a_number)], far())
    told = stored(tmp_path)
    assert list(told["measurements"]) == ["short"]
    assert told["sittings"][0]["ended"] == "out of time"


def test_a_budget_that_is_over_ends_a_part_at_once(kept, tmp_path):
    assert kept.run([("never", lambda: time.sleep(1e6))], time.monotonic() - 1)
    assert stored(tmp_path)["measurements"] == {}


def test_a_budget_rings_again_where_its_end_was_swallowed(monkeypatch):
    rung = []
    monkeypatch.setattr(results.signal, "setitimer", lambda *given: rung.append(given))
    with until(time.monotonic()):
        pass
    assert rung[0][2] > 0
    assert rung[-1][1] == 0


def test_a_measurement_that_fails_leaves_the_others_and_is_made_again(kept, tmp_path):
    def broken():
        raise RuntimeError("no kernel image\nand more")

    assert not kept.run([("broken", broken), ("whole", a_number)], far())
    told = stored(tmp_path)["measurements"]
    assert told["broken"]["failed"] == "RuntimeError: no kernel image"
    assert told["whole"]["number"] == 1
    assert kept.run([("broken", a_number)], far())
    assert stored(tmp_path)["measurements"]["broken"]["number"] == 1


def test_a_measurement_that_does_not_suit_the_machine_says_why(kept, tmp_path):
    def unfit():
        raise Skip("torchvision is missing")

    assert kept.run([("unfit", unfit)], far())
    assert stored(tmp_path)["measurements"]["unfit"]["skipped"] == "torchvision is missing"


def test_results_of_another_size_or_device_are_not_mixed(kept, tmp_path):
    with pytest.raises(ValueError, match="holds results of --size tiny on CPU, not of real on CPU; give another --out"):
        Results(tmp_path, "parity", Setup("real", "cpu", tmp_path, far(), 7.0))


def test_without_a_gpu_nothing_of_real_size_is_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_check.main(["--out", str(tmp_path / "out")]) == 0
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith("no GPU here")
    assert not (tmp_path / "out").exists()


def test_without_a_repository_the_revision_comes_from_a_file(tmp_path, monkeypatch):
    (tmp_path / results.REVISION).parent.mkdir()
    (tmp_path / results.REVISION).write_text("abc123\n")
    monkeypatch.setattr(results, "ROOT", tmp_path)
    assert results.machine_of("cpu")["revision"] == "abc123"


@pytest.mark.parametrize(("name", "billions"), [(SEES_PATCHES, (3.7, 3.8)), (SEES_ACROSS, (10.6, 10.7))])
def test_a_configuration_has_the_parameters_of_the_model_it_is_of(name, billions):
    from transformers import AutoConfig

    from gpu.models import CONFIGS
    from verienv.policies.shape import Shape

    written = json.loads((CONFIGS / f"{name}.json").read_text())
    config = AutoConfig.for_model(written.pop("model_type"), **written)
    assert billions[0] < Shape.of(config).parameters / 1e9 < billions[1]


def test_a_model_whose_processor_lacks_a_package_is_skipped(monkeypatch):
    monkeypatch.setattr("gpu.models.has", lambda package: False)
    with pytest.raises(Skip, match="torchvision"):
        policy_of(SEES_PATCHES, "cpu")


def test_a_built_model_has_the_same_weights_each_time():
    first, second = (policy_of("mllama", "cpu").model.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


CASE = Case("llava", micro_batch=2, rows=4, longest=6, updates=1)


def test_an_sft_update_is_timed_and_weighed(setup):
    card = throughput.card(setup)
    told = supervised(CASE, card, setup)
    assert set(told["spent"]) == {"encoding", "gradients", "step"}
    assert told["flops"] == 6 * told["parameters"] * told["tokens"]
    assert told["mfu"]["measured"] > 0
    assert told["planned"] > 0
    assert np.isfinite(told["loss"])


@pytest.mark.slow
def test_a_ppo_update_is_timed_and_weighed_with_an_adapter_too(setup):
    told = reinforced(Case("mllama", 2, 4, 6, 1, lora=4), {}, setup)
    assert set(told["spent"]) == {"sampling", "environment", "update"}
    assert told["share_at_longest"] > 0
    assert told["sampled_step_seconds"] > 0
    assert told["mfu"] == {"measured": None, "datasheet": None}


def test_the_group_side_samples_one_response_an_episode_and_keeps_no_start(setup):
    told = reinforced(CASE, {}, setup, attempts=1, group=2)
    assert told["share_at_longest"] > 0
    assert "start" not in str(told["planned_phases"])


def test_sampling_is_told_by_first_and_later_tokens(setup):
    told = throughput.sampling("llava", 2, 4, setup)
    assert told["first_token_seconds"] > 0
    assert "gpu_share_of_a_step" not in told


def test_the_real_sizes_name_every_measurement_that_the_page_promises(setup, kept):
    real = Setup("real", "cpu", setup.work, setup.ends, 7.0)
    names = [name for name, _ in throughput.measurements(real, kept)]
    assert names[0] == "card"
    for wanted in ("SFT", "PPO", "LoRA", "TRL SFT", "TRL GRPO", "sampling"):
        assert any(wanted in name for name in names)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_the_sides_of_trl_are_timed(setup):
    assert trl_side.sft(CASE, setup)["tokens_a_second"] > 0
    assert trl_side.grpo(CASE, setup, group=2)["rows_a_second"] > 0


def test_a_start_is_trained_from_scratch_and_plays_by_sight(setup, tmp_path):
    results = Results(tmp_path, "scratch", setup)
    assert results.run(scratch.measurements(setup, results), far())
    told = stored(tmp_path, "scratch")["measurements"]
    assert all(stage["steps"] > 0 for stage in told["training"]["stages"].values())
    assert len(told["play by sight"]["cells"]) == 8
    draw(tmp_path)
    assert "| train side, J=Q=K=10, black suits | 1 |" in (tmp_path / "README.md").read_text()


def test_training_from_scratch_that_is_cut_off_goes_on(setup, tmp_path):
    short = Setup("tiny", "cpu", tmp_path, time.monotonic() - 1, 7.0)
    results = Results(tmp_path, "scratch", short)
    results.run(scratch.measurements(short, results), far())
    assert not results.done("training")
    assert "play by sight" not in stored(tmp_path, "scratch")["measurements"]
    learner = scratch.Trainee(setup, rows.TINY)
    learner.log = [{"stage": "read", "seconds": 9.0, "loss": 1.0, "right": 0.5}]
    learner.seconds["read"] = 9.0
    with torch.no_grad():
        learner.head.weight.fill_(0.5)
    learner.save()
    again = scratch.Trainee(setup, rows.TINY)
    assert again.seconds["read"] == 9.0
    assert again.log == learner.log
    assert torch.equal(again.head.weight, learner.head.weight)


def test_the_model_from_scratch_has_more_than_30_million_parameters():
    with torch.device("meta"):
        model, _ = rows.built(rows.Sizes())
    assert sum(weight.numel() for weight in model.parameters()) > 30e6


def test_the_tower_takes_in_what_the_processor_would_have_made():
    _, processor = rows.built(rows.TINY)
    pixels = np.random.default_rng(0).integers(0, 256, (336, 336, 3), dtype=np.uint8)
    images = [Image.fromarray(pixels)]
    made = processor.image_processor(images, return_tensors="pt")["pixel_values"]
    assert torch.allclose(rows.looked_at(processor, rows.shrunk(processor, images), "cpu"), made, atol=1e-6)


def test_processes_that_write_rows_write_different_ones():
    _, processor = rows.built(rows.TINY)
    first, second = (next(iter(rows.Rows("play", rows.TINY, processor, seed))) for seed in (1, 2))
    assert first["ids"].shape != second["ids"].shape or (first["ids"] != second["ids"]).any()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on one core
def test_rows_are_written_by_processes_of_their_own():
    _, processor = rows.built(rows.TINY)
    sizes = rows.Sizes(image=112, batch=2, workers=2)
    batch = next(rows.loader("read", sizes, processor, 1))
    assert batch["pixels"].shape == (2, 3, 112, 112)
    assert batch["ranks"].shape == (2, 4)


def test_runs_of_the_grid_are_left_when_time_is_up_and_named(setup, tmp_path):
    late = Setup("tiny", "cpu", tmp_path, time.monotonic() - 1, 7.0)
    results = Results(tmp_path, "grid", late)
    results.run(grid.measurements(late, results), far())
    told = stored(tmp_path, "grid")["measurements"]["the study's grid"]
    assert told["left"] == ["all"]
    assert not results.done("the study's grid")


@pytest.mark.slow
def test_the_grid_trains_measures_and_reports(setup, tmp_path):
    results = Results(tmp_path, "grid", setup)
    assert results.run(grid.measurements(setup, results), far())
    told = stored(tmp_path, "grid")["measurements"]["the study's grid"]
    assert {run["arm"] for run in told["runs"]} == {"sft", "grpo"}
    assert set(told["runs"][0]["success"]) == {"matching", "id", "ood"}
    assert (tmp_path / "grid" / "report.md").exists()
    draw(tmp_path)
    assert "](grid/" in (tmp_path / "README.md").read_text()


def test_the_page_is_drawn_from_the_files_alone(compared, tmp_path):
    (tmp_path / "parity.json").write_bytes((compared / "parity.json").read_bytes())
    assert gpu_check.main(["--page", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "README.md").read_text()
    assert "no results of a GPU" in page
    assert "| tiny-vlm, float32, sdpa | " in page
    assert page.count("Not run yet.") == 3
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_tells_what_failed_and_what_was_skipped(kept, tmp_path):
    def broken():
        raise RuntimeError("no kernel image")

    kept.run([("broken", broken)], far())
    draw(tmp_path)
    assert "- broken: failed: RuntimeError: no kernel image" in (tmp_path / "README.md").read_text()


def test_the_page_of_the_repository_is_what_is_drawn_from_what_lies_there(tmp_path):
    kept = ROOT / "docs" / "results" / "gpu"
    for path in kept.rglob("*.*"):
        if path.name != "README.md":
            (tmp_path / path.relative_to(kept)).parent.mkdir(exist_ok=True)
            (tmp_path / path.relative_to(kept)).write_bytes(path.read_bytes())
    draw(tmp_path)
    assert (tmp_path / "README.md").read_text() == (kept / "README.md").read_text()


def test_a_table_of_updates_holds_ours_and_theirs(tmp_path):
    ours = {
        "parameters": 3.75e9, "tokens_a_second": 12345.0, "rows_a_second": 20.0, "peak": 60e9, "planned": 58e9,
        "peak_over_planned": 60 / 58, "mfu": {"measured": 0.31, "datasheet": 0.25}, "spent": {"gradients": 2.0},
    }  # fmt: skip
    theirs = {"tokens_a_second": 10000.0, "rows_a_second": 16.0, "step_seconds": 2.0}
    page = "\n".join(tables.throughput({"SFT, ours": ours, "TRL SFT": theirs}, tmp_path))
    assert "| SFT, ours | 3.75 B | 12345 | 20.00 | 31.0 % | 25.0 % | 60.0 | 58.0 | 103.4 % |" in page
    assert "| TRL SFT | - | 10000 | 16.00 | - | - |" in page
    assert (tmp_path / "throughput.png").exists()


def test_an_end_of_time_is_not_caught_as_an_error():
    assert not issubclass(OutOfTime, Exception)
