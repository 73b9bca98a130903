"""A picture that several dialogues show is read by the tower once, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from verienv.demos import demonstrations
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face import batch as batches
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.hugging_face.towers import each_picture_once, handed, shared


def read_and_trained(policy: HuggingFacePolicy, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return log-probabilities, and the gradient of their sum as one vector."""
    policy.model.zero_grad()
    logprobs = read(policy, policy.model, batch).logprobs
    total: Any = (logprobs * batch.acted).sum()
    total.backward()
    gradients = [weight.grad for weight in policy.model.parameters() if weight.grad is not None]
    return logprobs.detach(), torch.cat([gradient.flatten() for gradient in gradients])


def test_a_group_s_picture_is_read_once_and_gives_what_it_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = HuggingFacePolicy.load("gp-sight", device="cpu")
    rows = demonstrations("verienv/GeneralPoints-VL-v0", n=3, attempts=1, seed=0)
    group = [rollout for rollout in (Rollout.demonstrated(policy, row) for row in rows) for _ in range(4)]
    batch, pictures = Batch.of(group, policy), list[int]()
    embedding: Any = next(module for name, module in policy.model.named_modules() if name.endswith("patch_embedding"))
    embedding.register_forward_pre_hook(lambda _, given: pictures.append(len(given[0])))
    once, gradient = read_and_trained(policy, batch)
    monkeypatch.setattr(batches, "each_picture_once", lambda *_: torch.enable_grad())
    often, expected = read_and_trained(policy, batch)
    assert pictures == [3, 12]
    assert torch.equal(once, often)
    assert (gradient - expected).norm() < 1e-5 * expected.norm()


def test_pictures_are_alike_if_they_are_one_tensor_and_a_dialogue_may_show_several_or_none() -> None:
    two, one = torch.zeros(2, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    shown = [{"pixel_values": two}, {}, {"pixel_values": one}, {"pixel_values": two}, {"pixel_values": one.clone()}]
    assert shared(shown) == ([0, 1, 2, 0, 1, 3], [0, 1, 2, 5])
    made = {"hidden": (torch.arange(4.0), torch.arange(4.0)), "last": torch.arange(4.0), "none": None}
    all_of_them = handed(made, [0, 1, 2, 0, 1, 3])
    assert all_of_them["last"].tolist() == all_of_them["hidden"][1].tolist() == [0, 1, 2, 0, 1, 3]
    assert all_of_them["none"] is None


def test_the_tower_is_as_it_was_afterwards_and_after_an_error() -> None:
    policy = HuggingFacePolicy.load("gp-sight", device="cpu")
    tower: Any = next(module for name, module in policy.model.named_modules() if name.endswith("vision_tower"))
    counted = list[int]()

    def broken() -> None:
        with each_picture_once(policy.model, [{"pixel_values": torch.zeros(1, 3, 4, 4)}] * 2):
            counted.append(len(tower._forward_hooks))
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        broken()
    assert [*counted, len(tower._forward_hooks), len(tower._forward_pre_hooks)] == [1, 0, 0]
