"""The SFT loss is that of the completion's tokens."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import log_softmax

import sft
from verienv import demonstrations
from verienv.policies.hugging_face.batch import Batch, Rollout

ENV = "verienv/GeneralPoints-L-v0"


def test_the_loss_is_the_mean_over_the_completions_tokens(policy):
    rows = [Rollout.demonstrated(policy, row) for row in demonstrations(ENV, "revision", n=3, seed=0)]
    losses = []
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row.ids])
            scores = log_softmax(policy.model(input_ids=ids).logits[0, :-1], dim=-1)
            losses += (-scores.gather(1, ids[0, 1:, None]).squeeze(1)[row.acted.index(1) - 1 :]).tolist()
        found = sft.completion_loss(policy, policy.model, Batch.of(rows, policy)).item()
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
