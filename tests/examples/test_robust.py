"""Runs that are killed, or that meet numbers which are not finite; and what they log."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest
import torch
from safetensors.torch import load_file
from tests.examples.conftest import learning
from tests.examples.kills import kill_each

import ppo
import run as runs
import sft
import verienv
from sampling import roll_out
from verienv.core import provenance
from verienv.core.run_folder import TIMED, numbers_in
from verienv.policies import HuggingFacePolicy, Sampling
from verienv.policies.hugging_face.batch import Batch

WORDS, VISION = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
SFT = sft.Arguments(probes=0, flops=2.4e10, checkpoints=2, batch=8, device="cpu", warm_up=2)
PPO = ppo.Arguments(
    probes=0,
    flops=3.5e10,
    checkpoints=2,
    episodes=6,
    minibatch=3,
    attempts=2,
    batch=8,
    critic_passes=2,
    device="cpu",
    warm_up=2,
)
VISION_RUN = replace(
    PPO, env=VISION, flops=3.5e9, episodes=4, minibatch=2, micro_batch=2, batch=3, max_new_tokens=12
)  # steps of AdamW in an update: as in words, one each of two passes of the critic, two of the policy
RUNS = {"ppo": (ppo, PPO), "sft": (sft, SFT), "vision": (ppo, VISION_RUN)}
KILLS = [
    ("ppo", "in a rollout", 7),
    ("ppo", "between the steps of an update", 15),
    ("ppo", "while a state is saved", 1),  # the first, so that it begins anew
    ("sft", "while a model is saved", 1),
    ("sft", "after a state is saved", 1),
    ("vision", "in a rollout", 6),
]
MORE_KILLS = [
    ("ppo", "in a rollout", 1),
    ("ppo", "while a model is saved", 2),
    ("sft", "between the steps of an update", 4),
    ("sft", "while a state is saved", 2),
]
"""Of the same kinds, in the other algorithm or at another time."""


def called(kill):
    return f"{kill[0]} {kill[1]} {kill[2]}"


def kill_all(kills, folder, llava):
    """Begin runs in ``folder`` that are killed, by what and when; one process each, all of the same arguments."""
    models = {name: llava if name == "vision" else "tiny-lm" for name in RUNS}
    kill_each(
        {
            called(kill): (replace(RUNS[kill[0]][1], out=folder / called(kill), model=models[kill[0]]), *kill[1:])
            for kill in kills
        },
        folder,
    )
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory, llava):
    return kill_all(KILLS, tmp_path_factory.mktemp("killed"), llava)


@pytest.fixture(scope="module")
def more_killed(tmp_path_factory, llava):
    return kill_all(MORE_KILLS, tmp_path_factory.mktemp("killed"), llava)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, llava):
    """The same runs without a break."""
    folder = tmp_path_factory.mktemp("whole")
    return {
        name: script.train(replace(arguments, out=folder / name, model=llava if name == "vision" else "tiny-lm"))
        for name, (script, arguments) in RUNS.items()
    }


def same_files(one, other):
    first, second = (load_file(folder / "model.safetensors") for folder in (one, other))
    return first.keys() == second.keys() and all(first[name].equal(second[name]) for name in first)


def untimed(run):
    return [{name: value for name, value in line.items() if name not in TIMED} for line in run.lines()]


def points(run):
    """What TensorBoard shows of a run: by the name of a curve its updates and values."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(run.out / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in shown.Scalars(tag)] for tag in shown.Tags()["scalars"]}


@pytest.mark.parametrize("kill", KILLS, ids=called)
def test_a_run_that_was_killed_ends_as_one_that_was_not(kill, killed, whole, llava, capsys):
    demand_the_same_end(kill, killed, whole, llava, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("kill", MORE_KILLS, ids=called)
def test_a_run_that_was_killed_at_another_time_ends_as_one_that_was_not(kill, more_killed, whole, llava, capsys):
    demand_the_same_end(kill, more_killed, whole, llava, capsys)


def demand_the_same_end(kill, killed, whole, llava, capsys):
    script, arguments = RUNS[kill[0]]
    out, expected = killed / called(kill), whole[kill[0]]
    assert not (out / "finished").exists()
    resumed = script.train(replace(arguments, out=out, model=llava if kill[0] == "vision" else "tiny-lm"))
    assert "may differ" not in capsys.readouterr().out
    assert [folder.name for folder in resumed.checkpoints()] == [folder.name for folder in expected.checkpoints()]
    assert len(expected.checkpoints()) == 2
    assert all(map(same_files, resumed.checkpoints(), expected.checkpoints()))
    assert untimed(resumed) == untimed(expected)
    assert not list(out.rglob("*.part*"))
    ours, theirs = points(resumed), points(expected)
    assert {tag: ours[tag] for tag in ours if tag not in TIMED} == {
        tag: theirs[tag] for tag in theirs if tag not in TIMED
    }


@pytest.mark.parametrize("name", RUNS)
def test_tensorboard_shows_the_numbers_of_the_log(name, whole):
    lines, shown = whole[name].lines(), points(whole[name])
    curves = {
        "sft": {"loss", "gradient_norm", "learning_rate", "flops", "tokens_a_second"},
        "ppo": {
            "reward", "success", "first_attempt", "failures/wrong_numbers", "kl", "entropy", "clip_fraction", "flops",
            "tokens_a_second", "steps_a_second", "gradient_norm", "learning_rate",
        },
        "vision": {"recognition", "failures/misread", "tokens_a_second", "steps_a_second", "entropy"},
    }  # fmt: skip
    assert curves[name] <= shown.keys()
    for tag, values in shown.items():
        expected = [(line["update"], dict(numbers_in(line))[tag]) for line in lines]
        assert values == [(update, pytest.approx(value, rel=1e-6)) for update, value in expected]


def test_without_tensorboard_a_run_says_so_once_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("accelerate.tracking._available_trackers", [])
    run = sft.train(replace(SFT, flops=8e9, checkpoints=1, out=tmp_path / "run"))
    assert len(run.lines()) > 1
    assert capsys.readouterr().out.count("pip install tensorboard") == 1
    assert not (run.out / "tensorboard").exists()


def test_the_entropy_is_that_of_the_distributions_that_were_sampled_from(policy):
    envs = [gym.make(WORDS, attempts=2) for _ in range(3)]
    torch.manual_seed(0)
    learner = learning(PPO, rate=0.1)
    batch = Batch.of(roll_out(learner, envs, range(3), PPO), learner.policy)
    with torch.no_grad():
        logits = policy.model(**batch.inputs()).logits[:, :-1]
    expected = torch.distributions.Categorical(logits=logits).entropy()[batch.acted > 0].mean()
    critic = ppo.Critic(learner.policy.model.config.hidden_size, 1e-3)
    logged = ppo.ppo_update(learner, critic, batch, PPO, rate=0.1)
    assert logged["entropy"] == pytest.approx(expected.item(), rel=1e-4)


def test_a_run_that_goes_on_elsewhere_says_what_differs(tmp_path, capsys, monkeypatch):
    def opened(arguments):
        run = runs.Run(tmp_path / "run", arguments)
        return run, run.learner()

    run, learner = opened(SFT)
    run.log({"update": 1})
    run.update = 1
    run.save(learner, {})
    opened(SFT)
    assert "may differ" not in capsys.readouterr().out
    versions = provenance.version_of
    monkeypatch.setattr(provenance, "version_of", lambda name: "0.0.1" if name == "transformers" else versions(name))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    opened(replace(SFT, device="auto"))
    said = capsys.readouterr().out
    assert "transformers 0.0.1 (was " in said
    assert "threads 7 (was 1)" in said
    assert "device auto (was cpu)" in said
    (told,) = json.loads((run.out / "config.json").read_text())["resumed"]
    assert told["threads"] == [1, 7]
    assert told["after"] == 1


@pytest.fixture
def steps(monkeypatch):
    """The optimiser's steps, each of which must be along a gradient of finite numbers."""
    step, taken = torch.optim.AdamW.step, []

    def watched(self, *given):
        for group in self.param_groups:
            assert all(weight.grad.isfinite().all() for weight in group["params"] if weight.grad is not None)
        taken.append(self)
        return step(self, *given)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    return taken


def evidence(out):
    """The batch that a run has left, as anyone can load it."""
    told = json.loads((out / "not_finite.json").read_text())
    kept = torch.load(out / "not_finite.pt", weights_only=True)
    assert kept["reason"] == told["reason"]
    (batch,) = kept["batches"]
    return told, batch


def test_a_loss_that_is_not_finite_stops_sft_before_the_step(tmp_path, stopped, monkeypatch, steps):
    loss, losses = sft.completion_loss, []

    def broken(*given):
        losses.append(loss(*given))
        return losses[-1] * (float("nan") if len(losses) == 3 else 1.0)

    monkeypatch.setattr(sft, "completion_loss", broken)
    said = stopped(lambda: sft.train(replace(SFT, out=tmp_path / "run")))
    told, batch = evidence(tmp_path / "run")
    assert told["update"] == 3
    assert len(steps) == 2
    assert len(batch["ids"]) == len(batch["acted"]) == SFT.batch
    assert "the loss is not finite in update 3" in said
    assert "not_finite.pt" in said
    assert "--learning-rate" in said


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_loss_or_gradient_that_is_not_finite_stops_ppo_before_the_step(what, tmp_path, stopped, monkeypatch, steps):
    if what == "loss":
        loss = ppo.clipped_loss
        monkeypatch.setattr(ppo, "clipped_loss", lambda *given: (loss(*given)[0] * float("nan"), loss(*given)[1]))
    else:
        monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("inf")))
    said = stopped(lambda: ppo.train(replace(PPO, out=tmp_path / "run")))
    _, batch = evidence(tmp_path / "run")
    assert f"the {what} is not finite in update 1" in said
    assert len(steps) == PPO.critic_passes
    assert batch["ids"].shape == batch["mask"].shape
    assert len(batch["ids"]) == len(batch["rewards"]) == PPO.minibatch


@pytest.mark.parametrize("paid", [float("nan"), float("inf")])
def test_a_reward_that_is_not_finite_stops_a_run_before_anything_is_learned(
    paid, tmp_path, stopped, monkeypatch, steps
):
    answer = verienv.Episode.answer

    def paying(*given):
        return answer(*given).model_copy(update={"reward": paid})  # which is not validated

    monkeypatch.setattr(verienv.Episode, "answer", paying)
    said = stopped(lambda: ppo.train(replace(PPO, attempts=3, out=tmp_path / "run")))
    assert "the reward is not finite" in said
    assert "environment" in said
    assert not steps
    _, batch = evidence(tmp_path / "run")
    assert len(batch["ids"]) == PPO.episodes


@pytest.mark.parametrize("script", [ppo, sft], ids=["ppo", "sft"])
def test_a_model_whose_weights_are_too_large_to_be_played_stops_a_run(script, tmp_path, stopped, steps):
    broken = HuggingFacePolicy.load("tiny-lm", device="cpu")
    with torch.no_grad():
        broken.model.model.layers[0].self_attn.q_proj.weight.fill_(3e38)
    broken.save(tmp_path / "broken")
    arguments = replace(PPO if script is ppo else SFT, model=str(tmp_path / "broken"), out=tmp_path / "run")
    said = stopped(lambda: script.train(arguments))
    assert ("log-probability" if script is ppo else "loss") in said
    assert not steps
    assert evidence(tmp_path / "run")[1]["vision"] is not None


def test_a_policy_whose_log_probabilities_are_not_finite_is_not_sampled_from(llava):
    for folder in ("tiny-lm", llava):
        broken = HuggingFacePolicy.load(folder, device="cpu", max_new_tokens=4)
        broken.sampling = Sampling(1.0)
        with torch.no_grad():
            broken.model.get_output_embeddings().weight[0, 0] = float("nan")
        with pytest.raises(FloatingPointError, match="weights"):
            broken([[{"role": "user", "content": "24?"}]])


def test_a_batch_with_pictures_that_is_kept_brings_its_pictures(llava, tmp_path, stopped, monkeypatch):
    monkeypatch.setattr(ppo, "clipped_loss", lambda new, *_: (new.sum() * float("nan"), new.sum()))
    stopped(lambda: ppo.train(replace(VISION_RUN, model=llava, out=tmp_path / "run")))
    _, batch = evidence(tmp_path / "run")
    assert [seen["pixel_values"].shape[0] for seen in batch["vision"]] == [1] * VISION_RUN.minibatch


@pytest.mark.slow
def test_a_run_begins_where_another_library_has_begun_with_mixed_precision(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from accelerate import Accelerator; Accelerator(cpu=True, mixed_precision='bf16')\n"
        "from pathlib import Path; import sft\n"
        "sft.train(sft.Arguments(probes=0, out=Path(sys.argv[2]), flops=1e9, checkpoints=1, batch=2, device='cpu'))\n"
    )
    examples = Path(__file__).parents[2] / "examples"
    done = subprocess.run([sys.executable, "-c", code, examples, tmp_path / "run"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "finished").exists()
