"""Training of a start, and the cooling of copies of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy

import numpy as np
import torch
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


def optimiser_of(model: PreTrainedModel) -> torch.optim.AdamW:
    """Return a new optimiser of all weights."""
    return torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.01, fused=True)


def step(
    model: PreTrainedModel, optimiser: torch.optim.AdamW, pool: Pool, n: int, rate: float, rng: np.random.Generator
) -> float:
    """Take a step on ``n`` demonstrations; return the loss, the mean over the tokens of their answers.

    Raises FloatingPointError where it is not finite.
    """
    loss = pool.loss(model, n, rng)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    value = loss.item()
    if not math.isfinite(value):
        raise FloatingPointError(f"the loss is {value}; lower the kind's rate")
    return value


def train(kind: Plan, model: PreTrainedModel, pool: Pool, rng: np.random.Generator) -> Iterator[tuple[int, float]]:
    """Train without end at the high rate; yield the number of steps so far and the loss after each."""
    optimiser, done = optimiser_of(model), 0
    while True:
        rate = kind.rate * min(1.0, (done + 1) / kind.warm_up)
        loss = step(model.train(), optimiser, pool, kind.batch, rate, rng)
        done += 1
        yield done, loss


def cooled(kind: Plan, model: PreTrainedModel, pool: Pool, rng: np.random.Generator) -> PreTrainedModel:
    """Return a copy that was trained on while the rate fell to 0. The model stays as it is."""
    copy = deepcopy(model)
    optimiser = optimiser_of(copy)
    for done in range(kind.cooling):
        rate = kind.cooling_rate * (1 - done / kind.cooling)
        step(copy.train(), optimiser, pool, kind.batch, rate, rng)
    return copy
