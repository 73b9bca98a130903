"""DeepSpeed's ZeRO-3 over two processes on a CPU: it learns what one learns, in parts, and saves plain files."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from tests.examples.test_processes import demand_equal_updates, demand_like, lines, weights_of
from tests.examples.two_processes import LORA, SFT, SFTS, UPDATES
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

import sft
from verienv.core.assets import asset_path

pytestmark = pytest.mark.integrations

TRAINED = {**SFTS, "lora": LORA}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def said(in_library, out):
    """What each of the two processes told."""
    return in_library("deepspeed", "deepspeed_zero3.py", out)


def alone(out, name):
    """The run of one process without DeepSpeed."""
    return SimpleNamespace(out=out / "alone" / name, arguments=TRAINED[name])


def test_two_processes_take_the_step_that_one_takes(said):
    assert [one["processes"] for one in said] == [2, 2]
    assert said[0]["updates"].keys() == UPDATES.keys()
    demand_equal_updates(said)


def test_weights_gradients_and_moments_lie_in_each_process_by_half(said):
    for one in said:
        shares = dict(one["held"])
        assert shares.pop("whole") == []
        assert all(share <= 0.6 for share in shares.values()), shares


def test_weights_that_two_processes_cannot_halve_are_trained_and_restored(said):
    for one in said:
        assert one["uneven"]["weights"] < 1e-6
        assert one["uneven"]["gradients"] < 1e-6
        assert one["uneven"]["finite"] == 1.0


@pytest.mark.parametrize("name", TRAINED)
def test_two_processes_learn_what_one_learns_from_the_same_demonstrations(name, said, out):
    demand_like(alone(out, name), out / "zero3" / f"sft-{name}")


@pytest.mark.parametrize(("name", "kind"), [("words", AutoModelForCausalLM), ("pictures", AutoModelForImageTextToText)])
def test_plain_transformers_loads_a_checkpoint_whole(name, kind, said, out):
    folder = max((out / "zero3" / f"sft-{name}").glob("checkpoint-*"))
    model, told = kind.from_pretrained(folder, output_loading_info=True)
    assert not any(told.values())
    assert sum(weight.isfinite().all() for weight in model.parameters()) == len(list(model.parameters()))


def test_a_run_by_zero3_is_gone_on_with_by_one_process_and_the_other_way_round(said, out):
    assert [one["cut"][1] for one in said] == [2, 2]
    demand_like(alone(out, "words"), out / "zero3" / "by-one")
    assert len(lines(out / "zero3" / "by-two")) == 2
    sft.train(replace(SFT, out=out / "zero3" / "by-two"))
    demand_like(alone(out, "words"), out / "zero3" / "by-two")


@pytest.mark.parametrize(("cut", "whole"), [("cut", "whole"), ("half-cut", "half")])
def test_an_interrupted_run_ends_as_if_it_were_not(cut, whole, said, out):
    assert [one["cut"][0] for one in said] == [2, 2]
    assert lines(out / "zero3" / cut) == lines(out / "zero3" / whole)
    assert weights_of(out / "zero3" / cut).equal(weights_of(out / "zero3" / whole))


def test_a_number_that_is_not_finite_in_one_process_stops_both(said, out):
    assert [one["ended"] for one in said] == [2, 2]
    kept = torch.load(out / "zero3" / "broken" / "not_finite.pt", weights_only=True)
    assert "process 1" in kept["reason"]


def test_in_bfloat16_two_processes_learn_what_one_learns_up_to_its_rounding(said, out):
    for update in said[0]["half"].values():
        assert update["movement"] < 0.05 + 1.5 * update["rounding"]  # what micro-batches change in one process
        kl, alone_kl = update["logged"]["kl"]
        assert kl == pytest.approx(alone_kl, abs=1e-6)  # what is only read is read alike
    start = load_file(asset_path("models/tiny-lm/model.safetensors"))
    start = torch.cat([start[name].flatten() for name in sorted(start)])
    ours, theirs = (weights_of(out / each / "half") for each in ("zero3", "alone"))
    assert (ours - theirs).norm() < 0.3 * (theirs - start).norm()
