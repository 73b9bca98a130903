"""What published studies ask of the scripts: finite sets, budgets in steps and epochs, probes, how tokens are drawn."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import pytest
import torch
from safetensors.torch import load_file
from tests.examples.conftest import break_off, learning, playing

import ppo
import sampling
import sft
from sampling import seeds_of
from verienv.cli import run as verienv
from verienv.core.run_folder import TIMED
from verienv.demos import demonstrations
from verienv.policies import HuggingFacePolicy, Sampling
from verienv.policies.hugging_face.batch import Batch, Rollout
from verienv.policies.hugging_face.tokens import Tokens

ENV, VISION = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
FINITE = sft.Arguments(probes=0, rows=7, epochs=3, batch=4, checkpoints=1, device="cpu", warm_up=1, log_with=())
GROUP = ppo.Arguments(
    probes=0, advantage="group", group=3, episodes=6, minibatch=4, micro_batch=3, attempts=2, batch=6, updates=3,
    checkpoints=1, device="cpu", warm_up=1, log_with=(), max_new_tokens=16,
)  # fmt: skip


@pytest.fixture
def written(tmp_path, capsys):
    """Writes demonstrations as the command does: the path of the file."""

    def write(name, *options, env="GeneralPoints-L"):
        path = tmp_path / name
        form = ("--format", "sharegpt") if path.suffix == ".json" else ()
        assert verienv(["demos", env, *map(str, options), *form, "--out", str(path)]) == 0
        capsys.readouterr()
        return path

    return write


def dealt(arguments):
    """What each update of a run holds, as texts of its answers."""
    rows, deal = sft.dealt(arguments, {})
    updates = -(-arguments.epochs * rows // arguments.batch)
    return [[row["prompt"][-1]["content"] for row in deal(update)] for update in range(updates)]


def lines(run):
    return [{name: value for name, value in line.items() if name not in TIMED} for line in run.lines()]


def weights(run):
    return load_file(run.checkpoints()[-1] / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(value.equal(other[name]) for name, value in one.items())


def test_every_row_of_a_finite_set_comes_once_an_epoch_in_an_order_of_the_seed():
    made = [row["prompt"][-1]["content"] for row in demonstrations(ENV, n=7, seed=0)]
    places = [text for update in dealt(FINITE) for text in update]
    epochs = [places[start : start + 7] for start in range(0, 21, 7)]
    assert len(places) == 21
    assert all(Counter(epoch) == Counter(made) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert places == [text for update in dealt(FINITE) for text in update]
    assert places != [text for update in dealt(replace(FINITE, seed=1)) for text in update]


def test_an_update_holds_the_end_of_an_epoch_and_the_beginning_of_the_next_and_the_last_one_what_is_left():
    updates = dealt(FINITE)
    assert [len(update) for update in updates] == [4, 4, 4, 4, 4, 1]
    assert len(set(updates[0] + updates[1][:3])) == 7
    assert dealt(replace(FINITE, rows=3, epochs=1, batch=64))[0] != []
    assert [len(update) for update in dealt(replace(FINITE, rows=3, epochs=2, batch=64))] == [6]


def test_the_log_tells_the_epoch_and_the_configuration_rows_and_updates(tmp_path):
    run = sft.train(replace(FINITE, out=tmp_path / "run"))
    assert [line["epoch"] for line in run.lines()] == pytest.approx([4 / 7, 8 / 7, 12 / 7, 16 / 7, 20 / 7, 3])
    told = run.config()["arguments"]
    assert (told["rows"], told["epochs"], told["updates"]) == (7, 3, 6)


def interrupted(script, arguments, after):
    """Train until a line is in the log; then the rest, in the same folder."""
    break_off(lambda: script.train(arguments), after)
    return script.train(arguments)


@pytest.mark.parametrize("given", ["rows", "data"])
def test_a_run_killed_within_an_epoch_goes_on_with_the_rows_that_are_left(given, tmp_path, written):
    arguments = replace(FINITE, save_every=2)
    if given == "data":
        arguments = replace(arguments, data=written("d.jsonl", "--n", 7), rows=0)
    whole = sft.train(replace(arguments, out=tmp_path / "whole"))
    resumed = interrupted(sft, replace(arguments, out=tmp_path / "cut"), 4)
    assert lines(resumed) == lines(whole)
    assert same(weights(resumed), weights(whole))


def test_rows_in_a_file_train_as_the_rows_that_were_written(tmp_path, written):
    made = sft.train(replace(FINITE, epochs=1, out=tmp_path / "made"))
    for name in ("d.jsonl", "d.json"):
        data = written(name, "--n", 7)
        read = sft.train(replace(FINITE, epochs=1, rows=0, data=data, out=tmp_path / f"of-{name}"))
        assert lines(read) == lines(made)
        assert read.config()["arguments"]["rows"] == 7


def test_pictures_in_a_file_train_as_those_that_were_made(tmp_path, written):
    data = written("d.json", "--n", 3, env="GeneralPoints-VL")
    arguments = replace(FINITE, model="tiny-vlm", env=VISION, rows=3, epochs=1, batch=2)
    made = sft.train(replace(arguments, out=tmp_path / "made"))
    read = sft.train(replace(arguments, rows=0, data=data, out=tmp_path / "read"))
    assert [line["loss"] for line in read.lines()] == pytest.approx([line["loss"] for line in made.lines()], rel=1e-4)


def test_of_a_file_the_first_rows_are_taken_and_not_more_than_it_holds(tmp_path, written, stopped):
    arguments = replace(FINITE, data=written("d.jsonl", "--n", 5), rows=3, epochs=1, batch=1, out=tmp_path / "run")
    first = [row["prompt"][-1]["content"] for row in demonstrations(ENV, n=3, seed=0)]
    assert Counter(text for update in dealt(arguments) for text in update) == Counter(first)
    assert "holds 5" in stopped(lambda: sft.train(replace(arguments, rows=6)))


def test_a_run_does_not_go_on_with_a_file_that_was_changed(tmp_path, written, stopped):
    data = written("d.jsonl", "--n", 4, "--seed", 0)
    arguments = replace(FINITE, data=data, rows=0, epochs=1, out=tmp_path / "run")
    sft.train(arguments)
    written("d.jsonl", "--n", 4, "--seed", 1)
    said = stopped(lambda: sft.train(arguments))
    assert "other arguments (data)" in said


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"rows": 0}, "give one of them"),
        ({"updates": 5}, "no --updates"),
        ({"rows": 0, "data": Path("none.jsonl")}, "none.jsonl: cannot be read"),
        ({"rows": -1}, "--rows -1"),
        ({"lora_alpha": 2.0}, "give --lora"),
        ({"held_out": Path("none.jsonl"), "probes": 2}, "none.jsonl: cannot be read"),
    ],
)
def test_what_contradicts_itself_is_one_line_before_anything_is_written(changed, told, tmp_path, stopped):
    assert told in stopped(lambda: sft.train(replace(FINITE, out=tmp_path / "run", **changed)))
    assert not (tmp_path / "run").exists()


def test_a_demonstration_longer_than_the_models_context_is_one_line(tmp_path, stopped):
    asked, said = {"role": "user", "content": "make 24 " * 3000}, {"role": "assistant", "content": "1"}
    row = {"prompt": [asked], "completion": [said]}
    (tmp_path / "d.jsonl").write_text(json.dumps(row))
    arguments = replace(FINITE, rows=0, epochs=1, batch=1, data=tmp_path / "d.jsonl", out=tmp_path / "run")
    assert "exceeds the 2048 of the model's context" in stopped(lambda: sft.train(arguments))


@pytest.mark.parametrize(
    ("budget", "saved"),
    [
        ({"updates": 5, "save_every": 2}, [2, 4, 5]),
        ({"updates": 4, "save_every": 2}, [2, 4]),
        ({"updates": 6, "checkpoints": 3}, [2, 4, 6]),
        ({"updates": 2, "checkpoints": 5}, [1, 2]),
        ({"rows": 4, "epochs": 3, "save_every": 3}, [3, 6]),
    ],
)
def test_checkpoints_are_saved_where_they_are_asked_for(budget, saved, tmp_path):
    arguments = replace(FINITE, **{"rows": 0, "epochs": 0, "batch": 2, "out": tmp_path / "run", **budget})
    run = sft.train(arguments)
    assert [int(folder.name[-5:]) for folder in run.checkpoints()] == saved
    assert run.lines()[-1]["update"] == saved[-1]
    assert run.lines()[-1]["learning_rate"] < run.lines()[0]["learning_rate"]


def test_loras_alpha_reaches_the_scaling_and_the_checkpoint_and_is_kept_by_it(tmp_path, stopped):
    arguments = replace(FINITE, rows=0, epochs=0, updates=1, batch=2, lora=4, lora_alpha=2.0, out=tmp_path / "run")
    run = sft.train(arguments)
    [folder] = run.checkpoints()
    kept = json.loads((folder / "adapter_config.json").read_text())
    assert (kept["r"], kept["lora_alpha"]) == (4, 2)
    for name in ("tiny-lm", str(folder)):
        model = HuggingFacePolicy.load(name, device="cpu", lora=4, lora_alpha=2.0).model
        scales = [one.scaling for one in model.modules() if isinstance(getattr(one, "scaling", None), dict)]
        assert {scale["default"] for scale in scales} == {0.5}
    other = replace(arguments, model=str(folder), lora_alpha=8.0, out=tmp_path / "other")
    assert "give --lora-alpha 2" in stopped(lambda: sft.train(other))


@torch.no_grad()
def plain_losses(model, policy, rows):
    """Nats of each token of the completions, one row at a time."""
    losses = []
    for row in rows:
        prompt = policy.opening(row["prompt"])
        answer = [*policy.tokenizer(row["completion"][0]["content"], add_special_tokens=False)["input_ids"], 1]
        scores = model(input_ids=torch.tensor([[*prompt, *answer]])).logits[0].log_softmax(-1)
        losses += [-scores[len(prompt) + place - 1, token].item() for place, token in enumerate(answer)]
    return losses


@pytest.mark.parametrize("how", [{"kind": "sft"}, {"kind": "revision"}, {"kind": "sft", "steps": True}])
def test_the_held_out_loss_is_that_of_such_demonstrations_of_the_test_side(how, policy, tmp_path):
    arguments = replace(FINITE, rows=0, epochs=0, updates=1, batch=2, probes=5, learning_rate=1e-12, **how)
    [line] = sft.train(replace(arguments, out=tmp_path / "run")).lines()
    rows = list(demonstrations(ENV, n=5, seed=2026, split="test", **how))
    losses = plain_losses(policy.model, policy, rows)
    assert line["held_out_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    assert line["held_out_kl"] == pytest.approx(0.0, abs=1e-4)


def test_the_held_out_loss_may_be_that_of_a_file(policy, tmp_path, written):
    path = written("anchors.jsonl", "--n", 6, "--seed", 9)
    arguments = replace(FINITE, rows=0, epochs=0, updates=1, batch=2, probes=4, learning_rate=1e-12, held_out=path)
    run = sft.train(replace(arguments, out=tmp_path / "run"))
    losses = plain_losses(policy.model, policy, list(demonstrations(ENV, n=4, seed=9)))
    assert run.lines()[0]["held_out_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    assert len(run.config()["arguments"]["held_out"]["sha256"]) == 64


@torch.no_grad()
@pytest.mark.parametrize("lora", [0, 4])
def test_the_held_out_kl_is_the_sum_over_all_tokens_that_could_have_come(lora, policy):
    arguments = replace(FINITE, probes=3, micro_batch=2, lora=lora)
    learner = learning(arguments)
    generator = torch.Generator().manual_seed(0)
    for weight in [each for each in learner.policy.model.parameters() if each.requires_grad]:
        weight += 0.02 * torch.randn(weight.shape, generator=generator) * (1.0 if lora else weight.std())
    rows = sampling.held_out(arguments, {})
    found = sampling.probe(learner, rows)
    said = []
    whole = learner.policy.sample

    def noted(prompts, how):
        said.append((prompts, *whole(prompts, how)))
        return said[-1][1:]

    learner.policy.sample = noted
    assert sampling.probe(learner, rows) == found
    [(prompts, responses, _)] = said
    total = 0.0
    for prompt, response in zip(prompts, responses, strict=True):
        ids = torch.tensor([[*prompt, *response]])
        ours, theirs = (
            model(input_ids=ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
            for model in (learner.policy.model, policy.model)
        )
        total += (ours.exp() * (ours - theirs)).sum().item()
    assert found["held_out_kl"] == pytest.approx(total / 3, rel=1e-3)
    assert found["held_out_kl"] > 0.01


@pytest.mark.parametrize("script", [sft, ppo])
def test_probes_change_nothing_of_the_training(script, tmp_path):
    few = {"updates": 2, "save_every": 1}
    arguments = replace(FINITE, rows=0, epochs=0, **few) if script is sft else replace(GROUP, advantage="critic", **few)
    without, probed = (script.train(replace(arguments, probes=n, out=tmp_path / str(n))) for n in (0, 4))
    told = [
        [{name: value for name, value in line.items() if "held_out" not in name} for line in lines(run)]
        for run in (without, probed)
    ]
    assert told[0] == told[1]
    assert all("held_out_kl" in line for line in probed.lines())
    assert same(weights(without), weights(probed))


@torch.no_grad()
@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_top_p_draws_from_the_nucleus_and_tells_the_probability_in_the_whole(policy, temperature):
    prompts = [policy.opening(row["prompt"]) for row in demonstrations(ENV, n=4, seed=5)]
    rollouts = [Rollout(Tokens(prompt)) for prompt in prompts]
    torch.manual_seed(0)
    outside = 0
    for p in (0.6, 1.0):
        responses, logprobs = policy.sample(prompts, Sampling(temperature, p))
        for rollout, response, told in zip(rollouts, responses, logprobs, strict=True):
            scores = policy.model(input_ids=torch.tensor([[*rollout.ids, *response]])).logits[0] / temperature
            whole = scores[len(rollout.ids) - 1 : -1].log_softmax(-1)
            assert told == pytest.approx([whole[i, token].item() for i, token in enumerate(response)], abs=1e-4)
            likelier = [whole[i][whole[i] > whole[i, token]].exp().sum().item() for i, token in enumerate(response)]
            outside += sum(mass >= p + 1e-4 for mass in likelier) if p < 1 else 0
            outside -= 1000 * any(mass >= 0.6 + 1e-4 for mass in likelier) if p == 1 else 0
    assert outside < 0, "without top-p the same seed leaves the nucleus"
    assert outside % 1000 == 0, "with top-p nothing does"


def test_a_penalty_is_not_for_padding_where_the_model_generates_by_its_own_code(qwen2_vl):
    policy, prompts = qwen2_vl
    padded = {token for row in policy.batch(prompts, left=True)["attention_mask"].tolist() for token in row}
    assert padded == {0, 1}
    plain, how = Sampling(), Sampling(repetition_penalty=1.5)
    alone = [policy.sample([prompt], plain)[0][0] for prompt in prompts]
    shortest = min(range(len(prompts)), key=lambda row: len(prompts[row]))
    kept = policy.tokenizer.pad_token_id
    policy.tokenizer.pad_token_id = policy.sample([prompts[shortest]], how)[0][0][0]
    try:
        together = policy.sample(prompts, how)[0]
        assert together == [policy.sample([prompt], how)[0][0] for prompt in prompts]
        assert together != alone
    finally:
        policy.tokenizer.pad_token_id = kept


def test_ppo_samples_as_its_run_says(tmp_path, monkeypatch):
    asked = []
    whole = HuggingFacePolicy.sample

    def noted(self, prompts, how, *kept):
        asked.append(how)
        return whole(self, prompts, how, *kept)

    monkeypatch.setattr(HuggingFacePolicy, "sample", noted)
    run = ppo.train(replace(GROUP, updates=1, temperature=0.2, top_p=0.9, out=tmp_path / "run"))
    assert set(asked) == {Sampling(0.2, 0.9)}
    told = run.config()["arguments"]
    assert (told["temperature"], told["top_p"], told["max_new_tokens"]) == (0.2, 0.9, 16)


def plain_group_advantages(episodes, group, gamma):
    """One number an episode: its attempts' rewards, each attempt worth gamma of the one before, against its group's."""
    returns = []
    for episode in episodes:
        paid = [reward for reward, end in zip(episode.rewards, episode.ends, strict=True) if end]
        returns.append(sum(reward * gamma**attempt for attempt, reward in enumerate(paid)))
    found = []
    for start in range(0, len(returns), group):
        some = returns[start : start + group]
        mean = sum(some) / group
        spread = (sum((one - mean) ** 2 for one in some) / group) ** 0.5
        found += [(one - mean) / (spread + 1e-4) for one in some]
    return found


def episode(prompt, *attempts):
    made = Rollout(Tokens(range(5, 5 + prompt)))
    for length, reward in attempts:
        made.respond(range(9, 9 + length), [-0.5] * length, reward, "" if reward > 0 else "illegal")
        made.ids += [3, 4]
    return made


def test_group_advantages_are_those_of_whole_episodes_among_their_question(policy):
    episodes = [
        episode(2, (2, -1.0), (1, -3.0), (3, 5.0)), episode(2, (1, 5.0)), episode(2, (4, -2.0), (1, 5.0)),
        episode(3, (1, -1.0)), episode(3, (2, -1.0)), episode(3, (2, -1.0)),
    ]  # fmt: skip
    for one in episodes:
        for values in (one.acted, one.ends, one.logprobs, one.rewards):
            values += [0] * (len(one.ids) - len(values))
    batch = Batch.of(episodes, policy)
    found = ppo.group_advantages(batch, batch.rewards, 3, 0.9)
    for row, expected in enumerate(plain_group_advantages(episodes, 3, 0.9)):
        acted = batch.acted[row] > 0
        assert found[row, acted].tolist() == pytest.approx([expected] * int(acted.sum()), abs=1e-5)
    assert found[batch.acted == 0].abs().max() == 0
    assert ppo.group_advantages(batch, batch.rewards, 1, 0.9).abs().max() == 0


def test_group_advantages_that_are_not_scaled_are_returns_less_the_mean_of_their_group(policy):
    episodes = [episode(2, (2, 5.0)), episode(2, (1, -3.0)), episode(2, (1, -1.0)), episode(2, (1, -2.0))]
    for one in episodes:
        for values in (one.acted, one.ends, one.logprobs, one.rewards):
            values += [0] * (len(one.ids) - len(values))
    batch = Batch.of(episodes, policy)
    found = ppo.group_advantages(batch, batch.rewards, 2, 0.9, "none")
    for row, expected in enumerate((4.0, -4.0, 0.5, -0.5)):
        acted = batch.acted[row] > 0
        assert found[row, acted].tolist() == pytest.approx([expected] * int(acted.sum()))
    assert found[batch.acted == 0].abs().max() == 0


def test_a_group_whose_returns_are_equal_teaches_nothing_not_even_what_their_mean_is_rounded_by(policy):
    episodes = [episode(2, (2, -0.1), (1, -0.1), (3, -0.1), (2, 5.3)) for _ in range(7)]
    for one in episodes:
        for values in (one.acted, one.ends, one.logprobs, one.rewards):
            values += [0] * (len(one.ids) - len(values))
    batch = Batch.of(episodes, policy)
    assert ppo.group_advantages(batch, batch.rewards, 7, 0.9).abs().max() == 0


def test_an_update_over_groups_follows_the_clipped_loss_of_their_advantages():
    arguments = replace(GROUP, minibatch=6, micro_batch=2)
    learner, twin = (learning(arguments, rate=1.0) for _ in range(2))
    envs = [gym.make(ENV, attempts=2) for _ in range(6)]
    torch.manual_seed(0)
    episodes = sampling.roll_out(playing(learner.policy), envs, seeds_of(0, arguments), arguments)
    assert len({tuple(one.ids[:60]) for one in episodes}) == 2, "a question is asked of its whole group"
    for number, one in enumerate(episodes):
        one.rewards = [end * (1.0 + number * number) for end in one.ends]  # such that no two are worth the same
    advantages = plain_group_advantages(episodes, 3, arguments.gamma)
    assert max(map(abs, advantages)) > 0.1
    batch = Batch.of(episodes, learner.policy)
    ppo.ppo_update(learner, None, batch, arguments, 1e-3)
    model, tokens, loss = twin.policy.model, batch.acted.sum(), 0.0
    for one, advantage in zip(episodes, advantages, strict=True):
        scores = model(input_ids=torch.tensor([one.ids])).logits[0, :-1].log_softmax(-1)
        for place, acted in enumerate(one.acted):
            if acted:
                ratio = (scores[place - 1, one.ids[place]] - one.logprobs[place]).exp()
                loss = loss - torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage) / tokens
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for weight, expected in zip(learner.policy.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(weight, expected - 1e-3 * expected.grad, atol=2e-6, rtol=1e-4)


def test_a_run_over_groups_killed_and_resumed_ends_as_one_that_was_not(tmp_path):
    arguments = replace(GROUP, save_every=1, top_p=0.95)
    whole = ppo.train(replace(arguments, out=tmp_path / "whole"))
    resumed = interrupted(ppo, replace(arguments, out=tmp_path / "cut"), 2)
    assert lines(resumed) == lines(whole)
    assert same(weights(resumed), weights(whole))
    assert not any("value_loss" in line for line in whole.lines())
