"""Training of a start, and the cooling of copies of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from starts.kinds import Plan
from starts.material import Pool


def make_model(kind: Plan, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Return a Llama of random weights, drawn from torch's generator."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=kind.hidden,
            intermediate_size=kind.feed_forward,
            num_hidden_layers=kind.layers,
            num_attention_heads=kind.heads,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def optimiser_of(weights: Iterable[nn.Parameter]) -> torch.optim.AdamW:
    """Return a new optimiser of weights."""
    return torch.optim.AdamW(weights, betas=(0.9, 0.98), weight_decay=0.01, fused=True)


def take_step(optimiser: torch.optim.AdamW, loss: Tensor, rate: float) -> float:
    """Take a step at a rate down a loss; return the loss. Raises FloatingPointError where it is not finite."""
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([weight for group in optimiser.param_groups for weight in group["params"]], 1.0)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    value = loss.item()
    if not math.isfinite(value):
        raise FloatingPointError(f"the loss is {value}; lower the kind's rate")
    return value


def train(kind: Plan, model: PreTrainedModel, pool: Pool, rng: np.random.Generator) -> Iterator[tuple[int, float]]:
    """Train without end at the high rate; yield the number of steps so far and the loss after each."""
    optimiser, done = optimiser_of(model.parameters()), 0
    while True:
        rate = kind.rate * min(1.0, (done + 1) / kind.warm_up)
        loss = take_step(optimiser, pool.loss(model.train(), kind.batch, rng), rate)
        done += 1
        yield done, loss


def cooled(kind: Plan, model: PreTrainedModel, pool: Pool, rng: np.random.Generator) -> PreTrainedModel:
    """Return a copy that was trained on while the rate fell to 0. The model stays as it is."""
    copy = deepcopy(model)
    optimiser = optimiser_of(copy.parameters())
    for done in range(kind.cooling):
        rate = kind.cooling_rate * (1 - done / kind.cooling) * min(1.0, (done + 1) / max(1, kind.cooling_warm_up))
        take_step(optimiser, pool.loss(copy.train(), kind.batch, rng), rate)
    return copy
