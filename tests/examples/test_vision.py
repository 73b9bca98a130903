"""Policies that see: the picture reaches the model, and batches, padding and turns change nothing."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.examples.conftest import learning, playing
from torch.nn.functional import log_softmax

import command_line
import model
import ppo
import run as runs
import sampling
import sft
import verienv
from distributed import ALONE
from sampling import roll_out
from verienv.core.dialogue import with_pictures
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face import batch, checkpoint
from verienv.policies.hugging_face import policy as policies
from verienv.policies.hugging_face.batch import Rollout
from verienv.policies.hugging_face.tokens import Tokens

WORDS, VISION = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
FEEDBACK = [5, 6, 7]
SFT = sft.Arguments(probes=0, env=VISION, flops=2.5e9, checkpoints=3, batch=4, micro_batch=3, device="cpu")
PPO = ppo.Arguments(
    probes=0, env=VISION, flops=4e9, checkpoints=3, episodes=4, minibatch=2, micro_batch=2, attempts=2, batch=3,
    max_new_tokens=12, device="cpu",
)  # fmt: skip


def openings(policy, n=3):
    """Openings of unlike length, each with a picture of its own; the last ones have seen feedback."""
    found = []
    for seed in range(n):
        env = gym.make(VISION).unwrapped
        env.reset(seed=seed)
        for _ in range(seed):
            env.step("nothing")
        found.append(policy.opening(with_pictures(env.messages, env.pictures)))
    return found


def read(policy, rows, temperature=1.0):
    """The log-probability of each token of each row after its first, as the training pass reads it."""
    rollouts = [Rollout(Tokens(row[:1], getattr(row, "vision", {}))) for row in rows]
    for rollout, row in zip(rollouts, rows, strict=True):
        rollout.respond(row[1:], [0.0] * (len(row) - 1), 0.0, "")
    with torch.inference_mode():
        logprobs = batch.read(policy, policy.model, batch.Batch.of(rollouts, policy), temperature).logprobs
    return [logprobs[index, : len(row) - 1] for index, row in enumerate(rows)]


def assert_sampling_agrees_with_training(policy, prompts, temperature):
    torch.manual_seed(0)
    responses, logprobs = policy.sample(prompts, temperature)
    rows = [prompt + response for prompt, response in zip(prompts, responses, strict=True)]
    for prompt, sampled, again in zip(prompts, logprobs, read(policy, rows, temperature), strict=True):
        torch.testing.assert_close(torch.tensor(sampled), again[len(prompt) - 1 :], atol=1e-4, rtol=1e-4)


def test_a_dialogue_grown_by_pieces_is_the_dialogue_rendered_whole_and_keeps_its_picture(seeing):
    env = gym.make(VISION).unwrapped
    env.reset(seed=3)
    opening = seeing.opening(with_pictures(env.messages, env.pictures))
    env.step("no answer")
    ids = seeing.tokenizer("no answer", add_special_tokens=False)["input_ids"]
    grown = opening + ids + seeing.continuation(env.messages, ids)
    whole = seeing.opening(with_pictures(env.messages, env.pictures))
    assert grown == whole
    assert torch.equal(grown.vision["pixel_values"], whole.vision["pixel_values"])
    assert whole.count(seeing.model.config.image_token_id) == 16


def test_padding_to_the_right_and_other_pictures_do_not_change_a_dialogues_log_probabilities(seeing):
    prompts = openings(seeing)
    for alone, together in zip([read(seeing, [row])[0] for row in prompts], read(seeing, prompts), strict=True):
        torch.testing.assert_close(alone[1:], together[1:], atol=1e-4, rtol=1e-4)


def test_padding_to_the_left_and_other_pictures_do_not_change_a_sample(seeing):
    prompts = openings(seeing)
    together, logprobs = seeing.sample(prompts, 0.0)
    for prompt, response, scores in zip(prompts, together, logprobs, strict=True):
        (alone,), (own,) = seeing.sample([prompt], 0.0)
        assert alone == response
        torch.testing.assert_close(torch.tensor(own), torch.tensor(scores), atol=1e-4, rtol=1e-4)


def test_other_pictures_give_other_log_probabilities(seeing):
    one, other, _ = openings(seeing)
    same, changed = read(seeing, [Tokens(one, one.vision), Tokens(one, other.vision)])
    after = max(place for place, token in enumerate(one) if token == seeing.model.config.image_token_id)
    assert (same - changed)[after:].abs().max() > 0.01


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probabilities_from_sampling_with_pictures_agree_with_those_recomputed(seeing, temperature):
    assert_sampling_agrees_with_training(seeing, openings(seeing), temperature)


def test_episodes_with_pictures_carry_the_samplers_log_probabilities_over_all_turns(seeing):
    torch.manual_seed(0)
    envs = [gym.make(VISION, attempts=3) for _ in range(4)]
    episodes = roll_out(playing(seeing), envs, range(4), replace(PPO, attempts=3))
    assert max(len(episode.failures) for episode in episodes) == 3
    for part, few in batch.Batch.of(episodes, seeing).parts(3):
        with torch.inference_mode():
            again = batch.read(seeing, seeing.model, few).logprobs
        acted = few.acted > 0
        torch.testing.assert_close(again[acted], few.logprobs[acted], atol=1e-4, rtol=1e-4)
        assert [seen["pixel_values"].sum() for seen in few.vision] == [
            episodes[i].ids.vision["pixel_values"].sum() for i in part
        ]


def test_recognition_is_that_of_the_first_attempt(seeing, monkeypatch):
    envs = [gym.make(VISION, attempts=2) for _ in range(2)]
    said = {}

    def speak(policy, response):
        """The first environment is misread at first, the second is read right but not solved."""
        turn = said[len(said)] = len(said)
        env = envs[turn % 2].unwrapped
        right = json.loads(env.expert_response())
        if turn == 0:
            return json.dumps(right | {"cards": ["A"] * 4})
        return json.dumps(right | {"formula": "1"}) if turn == 1 else env.expert_response()

    monkeypatch.setattr(HuggingFacePolicy, "text", speak)
    episodes = roll_out(playing(seeing), envs, [5, 6], PPO)
    assert [episode.recognised for episode in episodes] == [False, True]
    assert sampling.summary(ALONE, episodes)["recognition"] == 0.5
    assert sampling.summary(ALONE, episodes)["success"] == 1.0


def test_a_task_in_words_has_no_recognition(policy):
    episodes = roll_out(playing(policy), [gym.make(WORDS, attempts=2)], [0], PPO)
    assert "recognition" not in sampling.summary(ALONE, episodes)


def test_a_policy_that_sees_plays_in_words_too(seeing):
    assert len(seeing([[{"role": "user", "content": "How are you?"}]])) == 1


def test_the_token_of_a_picture_is_never_said(seeing, llava):
    eager, token = HuggingFacePolicy.load(llava, device="cpu", max_new_tokens=12), seeing.model.config.image_token_id
    with torch.no_grad():
        eager.model.lm_head.weight[token] = eager.model.lm_head.weight.sum(0) * 100
        eager.model.lm_head.weight[token - 1] = -eager.model.lm_head.weight[token]
    prompts = openings(eager)
    responses, _ = eager.sample(prompts, 0.0)
    assert all(token not in response for response in responses)
    assert_sampling_agrees_with_training(eager, prompts, 1.0)


def test_the_name_of_a_pictures_token_in_a_response_is_no_picture(seeing):
    env = gym.make(VISION).unwrapped
    env.reset(seed=0)
    env.step("<image> <im<image>age> I see <image>")
    opening = seeing.opening(with_pictures(env.messages, env.pictures))
    assert opening.count(seeing.model.config.image_token_id) == 16


def test_chance_is_drawn_anew_for_another_picture_and_the_same_again_for_the_same(seeing, monkeypatch):
    env = gym.make(VISION).unwrapped
    env.reset(seed=0)
    seeds = []
    monkeypatch.setattr(torch, "manual_seed", seeds.append)
    for picture in (env.pictures[0], env.pictures[0], 255 - env.pictures[0]):
        seeing([with_pictures(env.messages, [picture])])
    assert seeds[0] == seeds[1] != seeds[2]


def weights(run, index=-1):
    return load_file(run.checkpoints()[index] / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


def kept(run):
    timed = {"steps_a_second", "sampling_share", "tokens_a_second"}
    return [{key: value for key, value in line.items() if key not in timed} for line in run.lines()]


def killed_and_resumed(script, arguments, folder, monkeypatch):
    """The same run made without a break, and with one after its first update."""
    whole = script.train(replace(arguments, out=folder / "whole"))
    log = runs.Run.log

    def killed(self, line):
        log(self, line)
        raise KeyboardInterrupt

    save = runs.Run.save

    def saved_and_killed(self, *told):
        save(self, *told)
        raise KeyboardInterrupt

    for name, instead in (("log", killed), ("save", saved_and_killed)):
        with monkeypatch.context() as patch:
            patch.setattr(runs.Run, name, instead)
            with pytest.raises(KeyboardInterrupt):
                script.train(replace(arguments, out=folder / "cut"))
    return whole, script.train(replace(arguments, out=folder / "cut"))


@pytest.mark.parametrize(
    ("script", "arguments"),
    [pytest.param(sft, SFT, marks=pytest.mark.slow), (sft, replace(SFT, kind="revision")), (ppo, PPO)],
    ids=["sft", "revision", "ppo"],
)
def test_a_run_with_pictures_that_is_resumed_ends_as_one_that_was_not_interrupted(
    script, arguments, llava, tmp_path, monkeypatch
):
    start = load_file(Path(llava) / "model.safetensors")
    whole, resumed = killed_and_resumed(script, replace(arguments, model=llava), tmp_path, monkeypatch)
    assert kept(whole) == kept(resumed)
    assert len(whole.lines()) >= 2
    assert same(weights(whole), weights(resumed))
    seen = [name for name in start if "vision_tower" in name and "embedding" in name]
    assert any(not start[name].equal(weights(whole)[name]) for name in seen)  # the picture's gradient arrived
    if script is ppo:
        assert {"recognition", "tokens_a_second"} <= set(whole.lines()[0])


def test_the_sft_loss_with_pictures_is_the_mean_over_the_completions_tokens(seeing):
    rows = [Rollout.demonstrated(seeing, row) for row in verienv.demonstrations(VISION, "revision", n=3, seed=0)]
    losses = []
    for row in rows:
        losses += (-read(seeing, [row.ids])[0][row.acted.index(1) - 1 :]).tolist()
    with torch.inference_mode():
        shown = batch.Batch.of(rows, seeing)
        found = sft.completion_loss(batch.read(seeing, seeing.model, shown), shown).item()
    assert found == pytest.approx(sum(losses), abs=1e-3 * len(losses))


@pytest.mark.parametrize("script", [sft, ppo], ids=["sft", "ppo"])
@pytest.mark.parametrize(
    "option", [pytest.param({"lora": 2}, marks=pytest.mark.slow), {"dtype": "bfloat16", "lora": 2}]
)
def test_an_adapter_and_bfloat16_train_save_and_go_on_bit_for_bit(script, option, llava, tmp_path, monkeypatch):
    arguments = replace(SFT if script is sft else PPO, model=llava, checkpoints=2, learning_rate=1e-2, **option)
    whole, resumed = killed_and_resumed(script, arguments, tmp_path, monkeypatch)
    assert kept(whole) == kept(resumed)
    name = "adapter_model.safetensors" if "lora" in option else "model.safetensors"
    first, last, again = (
        load_file(folder / name) for folder in (*whole.checkpoints()[::1][:2], resumed.checkpoints()[-1])
    )
    assert same(last, again)
    assert not same(first, last)
    assert {weight.dtype for weight in last.values()} == {torch.float32 if "lora" in option else torch.bfloat16}
    policy = HuggingFacePolicy.load(str(whole.checkpoints()[-1]), device="cpu")
    assert policy.model.dtype == getattr(torch, option.get("dtype", "float32"))
    assert len(model.trainable(policy.model)) == len(last)


def test_an_adapter_leaves_the_model_as_it_was_and_is_there_when_it_is_loaded(llava, seeing, tmp_path):
    run = sft.train(replace(SFT, model=llava, out=tmp_path / "run", lora=2, learning_rate=1e-2))
    adapted = HuggingFacePolicy.load(str(run.checkpoints()[-1]), device="cpu")
    prompts = openings(seeing)
    assert (read(adapted, prompts)[0] - read(seeing, prompts)[0]).abs().max() > 1e-3
    with adapted.model.disable_adapter():
        torch.testing.assert_close(read(adapted, prompts)[0], read(seeing, prompts)[0], atol=1e-5, rtol=1e-5)
    assert_sampling_agrees_with_training(adapted, prompts, 1.0)


def test_an_adapter_of_the_language_model_knows_its_base_by_name(tmp_path):
    arguments = sft.Arguments(probes=0, flops=1e10, checkpoints=1, batch=4, lora=2, out=tmp_path / "run")
    (folder,) = sft.train(arguments).checkpoints()
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-lm"
    assert len(HuggingFacePolicy.load(str(folder), device="cpu", lora=2)([[{"role": "user", "content": "24?"}]])) == 1


@pytest.mark.skipif(find_spec("torchao") is not None, reason="torchao is installed")
@pytest.mark.parametrize("option", [{"dtype": "bfloat16"}, {"optimiser": "adamw_8bit"}])
def test_what_torchao_does_is_refused_without_it(option, llava, tmp_path, stopped):
    said = stopped(lambda: sft.train(replace(SFT, model=llava, out=tmp_path / "run", **option)))
    assert "pip install torchao" in said
    assert "--lora" in said


@pytest.mark.parametrize("script", [sft, ppo], ids=["sft", "ppo"])
def test_gradient_checkpointing_changes_no_update(script, llava, tmp_path, monkeypatch):
    arguments = replace(SFT if script is sft else PPO, model=llava, checkpoints=1, flops=1e9)
    enabled, enable = [], model.checkpoint_gradients
    monkeypatch.setattr(model, "checkpoint_gradients", lambda model: enabled.append(enable(model)))
    plain = script.train(replace(arguments, out=tmp_path / "plain"))
    assert not enabled
    again = script.train(replace(arguments, out=tmp_path / "again", gradient_checkpointing=True))
    assert enabled
    first, second = weights(plain), weights(again)
    for name in first:
        torch.testing.assert_close(first[name], second[name], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_gradient_checkpointing_is_at_work_in_both_modes_and_comes_back_after_sampling(training, llava):
    policy = HuggingFacePolicy.load(llava, device="cpu", max_new_tokens=4)
    policy.model.train(training)
    model.checkpoint_gradients(policy.model)
    layer, computed = policy.model.model.language_model.layers[0], []
    layer.mlp.register_forward_pre_hook(lambda *_: computed.append(1))
    prompts = openings(policy)
    with policies.evaluating(policy.model):
        policy.sample(prompts[:1], 0.0)
    computed.clear()
    policy.model(**policy.batch(prompts), use_cache=False).logits.sum().backward()
    assert len(computed) == 2
    assert layer.self_attn.training == training


def reference_update(episodes, policy, bias, arguments):
    """The gradient of PPO's loss in float64, one episode at a time, by the definitions."""
    model = policy.model.double()
    model.zero_grad()
    new, old, advantages = [], [], []
    for episode in episodes:
        seen = {name: tensor.double() for name, tensor in episode.ids.vision.items()}
        scores = log_softmax(model(input_ids=torch.tensor([episode.ids]), **seen).logits[0, :-1], dim=-1)
        places = [place for place, acted in enumerate(episode.acted) if acted]
        value = [bias] * len(places)
        running, found = 0.0, []
        for index in reversed(range(len(places))):
            last = index + 1 == len(places)
            end = episode.ends[places[index]]
            gamma, decay = (arguments.gamma, arguments.gae_lambda) if end else (1.0, arguments.token_gae_lambda)
            following = 0.0 if last else value[index + 1]
            running = episode.rewards[places[index]] + gamma * following - value[index] + gamma * decay * running
            found.insert(0, running)
        advantages += found
        new += [scores[place - 1, episode.ids[place]] for place in places]
        old += [episode.logprobs[place] for place in places]
    advantages = torch.tensor(advantages, dtype=torch.float64)
    normal = (advantages - advantages.mean()) / advantages.std()
    ratio = (torch.stack(new) - torch.tensor(old, dtype=torch.float64)).exp()
    loss = -torch.minimum(
        ratio * normal, ratio.clamp(1 - arguments.clip_range, 1 + arguments.clip_range) * normal
    ).mean()
    loss.backward()
    return loss.item(), {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}


def test_an_update_with_pictures_moves_the_weights_along_a_plain_float64_gradient(llava):
    arguments = replace(PPO, attempts=3, minibatch=8, micro_batch=3, epochs=1, max_grad_norm=1e9)
    learner = learning(replace(arguments, model=llava), rate=1.0)
    reference, model = HuggingFacePolicy.load(llava, device="cpu", max_new_tokens=12), learner.policy.model
    torch.manual_seed(1)
    episodes = roll_out(learner, [gym.make(VISION, attempts=3) for _ in range(5)], range(5), arguments)
    for episode in episodes:  # off policy, so that some ratios are clipped
        episode.logprobs = [old + 0.3 * np.cos(place) * bool(old) for place, old in enumerate(episode.logprobs)]
    critic = ppo.Critic(model.config.get_text_config().hidden_size, arguments.critic_learning_rate)
    bias = critic.head[-1].bias.item()  # its values before it has learned anything
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    logged = ppo.ppo_update(learner, critic, batch.Batch.of(episodes, learner.policy), arguments, rate=1.0)
    loss, gradients = reference_update(episodes, reference, bias, arguments)
    assert logged["loss"] == pytest.approx(loss, abs=1e-4)
    assert 0.05 < logged["clip_fraction"] < 0.95
    greatest = max(gradient.abs().max().item() for gradient in gradients.values())
    for name, weight in model.named_parameters():
        if name in gradients:
            moved = (before[name] - weight.detach()).double()
            torch.testing.assert_close(moved, gradients[name], atol=1e-4 * greatest, rtol=1e-3)


def test_a_family_with_positions_of_its_own_samples_what_it_is_trained_on(qwen2_vl):
    policy, prompts = qwen2_vl
    assert_sampling_agrees_with_training(policy, prompts, 1.0)
    assert_sampling_agrees_with_training(policy, [prompt + FEEDBACK for prompt in prompts], 0.6)


@pytest.mark.parametrize("script", [sft, ppo], ids=["sft", "ppo"])
def test_a_model_without_vision_on_a_task_with_vision_is_told_what_to_choose(script, tmp_path, stopped):
    arguments = replace(SFT if script is sft else PPO, model="tiny-lm", out=tmp_path / "run")
    said = stopped(lambda: script.train(arguments))
    assert "llama" in said
    assert "tiny-vlm" in said
    assert "-L-" in said


def test_a_model_that_sees_but_has_no_chat_template_is_a_one_line_error(llava, tmp_path, stopped):
    folder = tmp_path / "bare"
    folder.mkdir()
    for path in Path(llava).iterdir():
        if path.name != "chat_template.jinja":
            (folder / path.name).symlink_to(path)
    said = stopped(lambda: HuggingFacePolicy.load(str(folder)))
    assert "chat template" in said
    assert "processor" in said


def test_an_adapter_without_peft_is_a_one_line_error(llava, tmp_path, stopped, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    said = stopped(lambda: sft.train(replace(SFT, model=llava, lora=2, out=tmp_path / "run")))
    assert "pip install peft" in said


def test_an_adapter_of_another_rank_is_refused(llava, tmp_path, stopped):
    run = sft.train(replace(SFT, model=llava, out=tmp_path / "run", lora=2, flops=1e9, checkpoints=1))
    said = stopped(lambda: HuggingFacePolicy.load(str(run.checkpoints()[-1]), lora=4))
    assert "--lora 2" in said


def no_memory(*_, **__):
    torch.empty(2**50, dtype=torch.int8)


def no_gpu_memory(*_, **__):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


@pytest.mark.parametrize("lack", [no_memory, no_gpu_memory])
@pytest.mark.parametrize(("script", "lower"), [(sft, "--micro-batch"), (ppo, "--batch")])
def test_too_little_memory_says_what_to_lower(script, lower, lack, llava, tmp_path, stopped, monkeypatch):
    monkeypatch.setattr(batch.Batch, "rows", lack)
    arguments = replace(SFT if script is sft else PPO, model=llava, out=tmp_path / "run")
    said = stopped(lambda: script.train(arguments))
    assert "too little memory" in said
    assert lower in said


def test_another_error_is_not_taken_for_too_little_memory():
    with pytest.raises(RuntimeError, match="a bug"), command_line.enough_memory("lower --batch"):
        raise RuntimeError("a bug")


def test_a_built_in_model_that_is_not_there_is_a_one_line_error(stopped, monkeypatch):
    monkeypatch.setattr(checkpoint, "BUILT_IN", (*checkpoint.BUILT_IN, "tiny-giant"))
    said = stopped(lambda: HuggingFacePolicy.load("tiny-giant"))
    assert "missing" in said
