"""Models that see: a start in words, with a SigLIP tower and a projector of random weights before its decoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForCausalLM,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from llava import Eyes
from starts.sight.kind import Sight
from starts.sight.pool import SightPool
from starts.sight.tokens import IMAGE, SEEING_TEMPLATE
from starts.training import optimiser_of, take_step
from verienv.generalpoints.cards import RANKS


def make_processor(kind: Sight, tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Return the processor of a kind: pictures are scaled to its size, where they are of another."""
    return eyes_of(kind).processor(tokenizer, SEEING_TEMPLATE)


def make_model(kind: Sight, tokenizer: PreTrainedTokenizerFast, words: Path) -> LlavaForConditionalGeneration:
    """Return a LLaVA whose decoder is the start in a folder; its other weights are drawn from torch's generator."""
    transformers_logging.disable_progress_bar()
    language = AutoModelForCausalLM.from_pretrained(words, dtype=torch.float32, trust_remote_code=False)
    return eyes_of(kind).model(language, tokenizer, IMAGE)


def eyes_of(kind: Sight) -> Eyes:
    """Return the size of a kind's tower."""
    return Eyes(kind.size, kind.patch, kind.tower, kind.tower_layers)


def learn_to_read(
    kind: Sight, model: LlavaForConditionalGeneration, pool: SightPool, rng: np.random.Generator
) -> Iterator[tuple[float, float]]:
    """Train tower and projector; yield the loss and the share of ranks that were read, of each step.

    A linear head names the rank in each quarter of the picture, in reading order, from what the projector passes on.
    """
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    head = nn.Linear(model.config.text_config.hidden_size, len(RANKS))
    weights = [weight for module in (tower, projector, head) for weight in module.parameters()]
    optimiser = optimiser_of(weights)
    side = kind.size // kind.patch
    for done in range(kind.reading_steps):
        puzzles = [pool.puzzles[row] for row in rng.integers(len(pool.puzzles), size=kind.reading_batch)]
        seen = pool.pictures.of(puzzles, rng)
        passed = projector(tower(pixel_values=seen).last_hidden_state)
        parts = passed.view(len(seen), 2, side // 2, 2, side // 2, -1).mean((2, 4)).flatten(1, 2)
        scores = head(parts)
        truth = torch.tensor([[RANKS.index(rank) for rank in puzzle.ranks] for puzzle in puzzles])
        loss = cross_entropy(scores.flatten(0, 1), truth.flatten())
        falling = 1 - done / kind.reading_steps
        take_step(optimiser, loss, kind.reading_rate * min(1.0, (done + 1) / kind.warm_up, 2 * falling))
        yield loss.item(), (scores.argmax(-1) == truth).float().mean().item()


def learn_to_name(
    kind: Sight, model: LlavaForConditionalGeneration, pool: SightPool, rng: np.random.Generator
) -> Iterator[tuple[float, float]]:
    """Train everything to name the cards alone; yield the loss and the share of ranks that were named, of each step.

    In whole answers the ranks are few of the tokens, and a decoder that was trained in words can pass over them for
    hundreds of steps before it finds where to look.
    """
    optimiser = optimiser_of(model.parameters())
    for done in range(kind.naming_steps):
        scores, truth = pool.ranks(model, kind.batch, rng)
        loss = cross_entropy(scores.flatten(0, 1), truth.flatten())
        take_step(optimiser, loss, kind.rate * min(1.0, (done + 1) / kind.warm_up))
        yield loss.item(), (scores.argmax(-1) == truth).float().mean().item()
