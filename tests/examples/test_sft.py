"""The losses of SFT are those of the completion's tokens."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.examples.conftest import learning
from torch.nn.functional import log_softmax

import sft
from verienv import demonstrations
from verienv.policies.hugging_face.batch import Batch, Rollout, read

ENV = "verienv/GeneralPoints-L-v0"


def test_the_loss_is_the_mean_over_the_completions_tokens(policy):
    rows = [Rollout.demonstrated(policy, row) for row in demonstrations(ENV, "revision", n=3, seed=0)]
    losses, batch = [], Batch.of(rows, policy)
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row.ids])
            scores = log_softmax(policy.model(input_ids=ids).logits[0, :-1], dim=-1)
            losses += (-scores.gather(1, ids[0, 1:, None]).squeeze(1)[row.acted.index(1) - 1 :]).tolist()
        found = sft.completion_loss(read(policy, policy.model, batch), batch).item()
    assert abs(found - sum(losses)) < 1e-4 * len(losses)


def test_a_demonstration_ends_with_the_token_that_ends_a_turn(policy):
    row = next(iter(demonstrations(ENV, n=1)))
    rollout = Rollout.demonstrated(policy, row)
    answer = rollout.ids[rollout.acted.index(1) :]
    assert answer[-1] == policy.stops[0]
    assert policy.text(answer) == row["completion"][0]["content"]


def test_an_update_is_the_same_however_few_demonstrations_fit_in_memory(tmp_path):
    arguments = sft.Arguments(probes=0, flops=8e9, checkpoints=1, batch=8, kind="revision", device="cpu")
    whole, by_three = (
        sft.train(replace(arguments, micro_batch=size, out=tmp_path / str(size))).lines() for size in (8, 3)
    )
    for one, other in zip(whole, by_three, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)
        assert one["gradient_norm"] == pytest.approx(other["gradient_norm"], rel=1e-3)


@pytest.fixture
def moved():
    """A learner whose policy is a step away from its start, and a batch for it."""
    learner = learning(sft.Arguments(probes=0, loss="dft", kl_coef=0.3, micro_batch=2), rate=0.05)
    rows = list(demonstrations(ENV, "revision", n=5, seed=3))
    batch = Batch.of([Rollout.demonstrated(learner.policy, row) for row in rows], learner.policy)
    sft.sft_update(learner, batch, 0.05)
    return learner, batch


def distributions(learner, batch, model):
    """Of each token of a completion: its place in the vocabulary, and the probabilities of all, in float64."""
    with torch.no_grad():
        scores = model(input_ids=batch.ids, attention_mask=batch.mask).logits[:, :-1].double().numpy()
    said = batch.acted.numpy() > 0
    odds = np.exp(scores - scores.max(-1, keepdims=True))[said]
    return batch.ids[:, 1:].numpy()[said], odds / odds.sum(-1, keepdims=True)


def test_dft_weighs_the_loss_of_each_token_by_its_probability(moved):
    learner, batch = moved
    tokens, chances = distributions(learner, batch, learner.policy.model)
    said = chances[np.arange(len(tokens)), tokens]
    assert sft.losses(learner, batch)["loss"].item() == pytest.approx(-(said * np.log(said)).sum(), rel=1e-5)


def test_no_gradient_goes_through_the_weight_that_dft_gives_a_token(policy):
    batch = Batch.of([Rollout.demonstrated(policy, row) for row in demonstrations(ENV, n=2, seed=0)], policy)
    seen = read(policy, policy.model, batch)
    (found,) = torch.autograd.grad(sft.completion_loss(seen, batch, "dft"), seen.logprobs)
    torch.testing.assert_close(found, -seen.logprobs.detach().exp() * batch.acted)


def test_the_price_is_of_the_divergence_of_the_start_from_the_policy_over_the_whole_vocabulary(moved):
    learner, batch = moved
    with learner.start() as start:
        tokens, before = distributions(learner, batch, start)
    _, now = distributions(learner, batch, learner.policy.model)
    expected = (before * (np.log(before) - np.log(now))).sum()
    found = sft.losses(learner, batch)["kl"].item()
    assert expected > 1e-3 * len(tokens)
    assert found == pytest.approx(expected, rel=1e-4)
    backwards = (now * (np.log(now) - np.log(before))).sum()
    assert abs(backwards - expected) > 1e-2 * expected


def test_an_update_follows_the_loss_and_its_price_and_logs_both_a_token(moved):
    learner, batch = moved
    weights = list(learner.policy.model.parameters())
    found, count = sft.losses(learner, batch), batch.acted.sum()
    expected = torch.autograd.grad((found["loss"] + 0.3 * found["kl"]) / count, weights)
    norm = torch.stack([one.norm() for one in expected]).norm()
    before = [one.detach().clone() for one in weights]
    logged = sft.sft_update(learner, batch, 1e-3)
    assert logged["loss"] == pytest.approx((found["loss"] / count).item(), rel=1e-4)
    assert logged["kl"] == pytest.approx((found["kl"] / count).item(), rel=1e-4)
    assert logged["gradient_norm"] == pytest.approx(norm.item(), rel=1e-4)
    for weight, was, gradient in zip(weights, before, expected, strict=True):
        torch.testing.assert_close(weight, was - 1e-3 * gradient * min(1, 1 / norm), atol=2e-7, rtol=1e-4)


def test_an_adapter_is_priced_against_the_model_below_it():
    learner = learning(sft.Arguments(probes=0, kl_coef=0.3, lora=4, batch=4))
    batch = Batch.of([Rollout.demonstrated(learner.policy, row) for row in demonstrations(ENV, n=4)], learner.policy)
    divergences = [sft.sft_update(learner, batch, 1e-2)["kl"] for _ in range(3)]
    assert abs(divergences[0]) < 1e-6
    assert min(divergences[1:]) > 1e-3


def test_a_price_keeps_the_policy_nearer_to_its_start():
    ends = []
    for price in (1e-9, 1.0):
        learner = learning(sft.Arguments(probes=0, kl_coef=price), rate=0.05)
        rows = [Rollout.demonstrated(learner.policy, row) for row in demonstrations(ENV, n=4, rule="five")]
        for _ in range(8):
            logged = sft.sft_update(learner, Batch.of(rows, learner.policy), 0.05)
        ends.append(logged)
    assert ends[0]["kl"] > 2 * ends[1]["kl"] > 0
    assert ends[0]["loss"] < ends[1]["loss"]


def test_a_price_costs_a_reading_of_what_is_trained_on(tmp_path):
    arguments = sft.Arguments(probes=0, updates=1, checkpoints=1, batch=4, device="cpu", log_with=())
    free, priced = (
        sft.train(replace(arguments, kl_coef=price, out=tmp_path / str(price))).lines()[0] for price in (0.0, 0.1)
    )
    assert "kl" not in free
    assert priced["flops"] == pytest.approx(free["flops"] * 8 / 6)
