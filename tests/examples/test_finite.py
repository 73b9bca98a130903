"""A run that diverges ends at the update where it does, the last one included; what it logs is JSON all along."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import cleanrl_ppo
import ppo
import sft
from command_line import kind_endings
from run import Run
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.finite import are_finite

SFT = sft.Arguments(probes=0, flops=1e9, checkpoints=1, batch=8, device="cpu", warm_up=1)
PPO = ppo.Arguments(
    probes=0,
    flops=1e9,
    checkpoints=1,
    episodes=4,
    minibatch=4,
    attempts=1,
    batch=4,
    critic_passes=2,
    device="cpu",
    warm_up=1,
)
RUNS = {"sft": (sft, SFT), "ppo": (ppo, PPO)}


def strict(text):
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("harm", [float("nan"), 3e38], ids=["not finite", "too large to be played"])
def test_a_step_that_breaks_the_weights_is_noticed_though_it_is_the_last(name, harm, tmp_path, monkeypatch, stopped):
    script, arguments = RUNS[name]
    step = torch.optim.AdamW.step

    def breaking(self, *given, **named):
        step(self, *given, **named)
        if len(self.param_groups[0]["params"]) > 10:  # the policy's, not the critic's
            with torch.no_grad():
                self.param_groups[0]["params"][1].fill_(harm)

    monkeypatch.setattr(torch.optim.AdamW, "step", breaking)
    out = tmp_path / "run"
    said = stopped(lambda: script.train(replace(arguments, out=out)))
    assert "policy after the step" in said
    assert "not finite in update 1; that step is not kept" in said
    assert "--learning-rate" in said
    assert not (out / "finished").exists()
    assert not list(out.glob("checkpoint-*"))
    assert strict((out / "not_finite.json").read_text())["update"] == 1
    assert not (out / "log.jsonl").read_text()


def test_one_token_in_all_can_be_trained_on_and_logged(tmp_path):
    arguments = replace(PPO, flops=1e8, episodes=1, max_new_tokens=1, out=tmp_path / "run")
    run = ppo.train(arguments)
    assert (run.out / "finished").exists()
    for line in (run.out / "log.jsonl").read_text().splitlines():
        strict(line)


def test_a_line_that_is_no_json_is_never_written(tmp_path):
    run = Run(tmp_path / "run", SFT)
    with pytest.raises(ValueError, match="JSON compliant"):
        run.log({"update": 1, "loss": float("nan")})
    assert not (run.out / "log.jsonl").read_text()


def test_weights_of_all_kinds_are_looked_at():
    fine = [torch.ones(3), torch.ones(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.long)]
    assert are_finite(fine) == 1
    assert are_finite([]) == 1
    for harm in (float("nan"), float("inf"), -float("inf")):
        assert are_finite([*fine, torch.tensor([1.0, harm])]).isnan()


@pytest.mark.parametrize("script", ["sft", "ppo"])
def test_a_start_whose_weights_are_not_finite_is_refused(script, tmp_path, stopped):
    policy = HuggingFacePolicy.load("tiny-lm", device="cpu")
    with torch.no_grad():
        next(iter(policy.model.parameters()))[0, 0] = float("nan")
    policy.save(tmp_path / "broken")
    module, arguments = RUNS[script]
    given = replace(arguments, model=str(tmp_path / "broken"), out=tmp_path / "run")
    assert "are not finite: it is damaged, or of a run that diverged" in stopped(lambda: module.train(given))


TINY = {"envs": 2, "rollout": 5, "steps": 20, "evaluations": 1, "episodes": 2, "width": 8}


@pytest.mark.parametrize("minibatches", [3, 4, 10, 99])
def test_the_one_file_ppo_trains_on_minibatches_of_a_single_step(minibatches, tmp_path):
    """Ten steps in four minibatches are three, three, three and one, whose advantage has no spread."""
    cleanrl_ppo.train(cleanrl_ppo.Arguments(out=tmp_path, minibatches=minibatches, **TINY))
    weights = torch.load(tmp_path / "agent.pt", weights_only=True).values()
    assert all(weight.isfinite().all() for weight in weights)
    for line in (tmp_path / "log.jsonl").read_text().splitlines():
        strict(line)
    strict((tmp_path / "result.json").read_text())


def test_the_one_file_ppo_saves_nothing_of_weights_that_are_not_finite(tmp_path, monkeypatch, stopped):
    step = torch.optim.Adam.step

    def breaking(self, *given, **named):
        step(self, *given, **named)
        with torch.no_grad():
            self.param_groups[0]["params"][0].fill_(float("nan"))

    monkeypatch.setattr(torch.optim.Adam, "step", breaking)
    given = cleanrl_ppo.Arguments(out=tmp_path, epochs=1, minibatches=1, **TINY)

    def trained():
        with kind_endings(Path("x")):
            cleanrl_ppo.train(given)

    assert "not finite after update 1" in stopped(trained)
    assert not (tmp_path / "agent.pt").exists()
    assert not (tmp_path / "result.json").exists()
