"""The parts of models that see: which weights they are, and that a frozen one stays as it was in training."""

import pytest
from safetensors.torch import load_file
from tests.families import FAMILIES

import ppo
import sft
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.parts import freeze, weights_of

VISION = "verienv/GeneralPoints-VL-v0"
COMMON = {"checkpoints": 1, "micro_batch": 2, "warm_up": 1, "learning_rate": 1e-2, "probes": 0, "device": "cpu"}
SFT = {**COMMON, "updates": 2, "batch": 2}
PPO = {**COMMON, "updates": 2, "episodes": 2, "minibatch": 2, "batch": 2, "max_new_tokens": 6, "attempts": 1}
HERE = [name for name in FAMILIES if not FAMILIES[name].needs]


@pytest.mark.parametrize("name", HERE)
def test_every_family_has_a_tower_and_a_connector_that_are_apart_from_its_words(name):
    model = FAMILIES[name].build()[0]
    parts = {part: {id(weight) for weight in weights_of(model, part)} for part in ("tower", "connector")}
    words = {id(weight) for weight in (model.get_input_embeddings().weight, model.get_output_embeddings().weight)}
    assert parts["tower"]
    assert parts["connector"]
    assert not parts["tower"] & parts["connector"]
    assert not (parts["tower"] | parts["connector"]) & words
    layers = [weight for name, weight in model.named_parameters() if "layers.0.self_attn.q_proj.weight" in name]
    assert any(id(weight) not in parts["tower"] | parts["connector"] for weight in layers) or not layers


@pytest.mark.parametrize(("script", "options"), [(sft, SFT), (ppo, PPO)], ids=["sft", "ppo"])
@pytest.mark.parametrize("kept", [("tower",), ("connector",), ("tower", "connector")], ids="+".join)
def test_a_part_that_is_kept_stays_as_it_was_and_the_rest_moves(script, options, kept, llava, tmp_path):
    run = script.train(script.Arguments(model=llava, env=VISION, out=tmp_path / "run", freeze=kept, **options))
    (last,) = run.checkpoints()
    before, after = (HuggingFacePolicy.load(str(folder), device="cpu").model for folder in (llava, last))
    for part in ("tower", "connector"):
        pairs = zip(weights_of(before, part), weights_of(after, part), strict=True)
        assert any(not one.equal(other) for one, other in pairs) != (part in kept)
    assert not before.get_input_embeddings().weight.equal(after.get_input_embeddings().weight)


def test_a_run_with_a_part_kept_goes_on_as_if_unbroken(llava, tmp_path, monkeypatch):
    given = {"model": llava, "env": VISION, "freeze": ("tower",), **SFT, "updates": 4, "checkpoints": 2}
    whole = sft.train(sft.Arguments(out=tmp_path / "whole", **given))
    taken = []

    def broken_off(*arguments, **options):
        taken.append(1)
        return update(*arguments, **options) if len(taken) < 4 else 1 / 0

    update = sft.sft_update
    monkeypatch.setattr(sft, "sft_update", broken_off)
    with pytest.raises(ZeroDivisionError):
        sft.train(sft.Arguments(out=tmp_path / "broken", **given))
    monkeypatch.undo()
    again = sft.train(sft.Arguments(out=tmp_path / "broken", **given))
    one, other = (load_file(run.checkpoints()[-1] / "model.safetensors") for run in (whole, again))
    assert all(weight.equal(other[name]) for name, weight in one.items())


def test_a_model_of_words_has_no_part_to_keep():
    with pytest.raises(
        ValueError, match=r"^--freeze tower: LlamaForCausalLM has no tower that is known; leave it out$"
    ):
        freeze(HuggingFacePolicy.load("gp-rule", device="cpu").model, ["tower"])


def test_a_part_that_there_is_not_is_refused_in_a_line():
    with pytest.raises(ValueError, match=r"^--freeze eyes: expected tower or connector$"):
        freeze(FAMILIES["llava"].build()[0], ["eyes"])
