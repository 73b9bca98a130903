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
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)
from transformers.utils import logging as transformers_logging

from starts.sight.kind import Sight
from starts.sight.pool import SightPool
from starts.sight.tokens import IMAGE, SEEING_TEMPLATE
from starts.training import optimiser_of, take_step
from verienv.generalpoints.cards import RANKS


def make_processor(kind: Sight, tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Return the processor of a kind: pictures are scaled to its size, where they are of another."""
    return LlavaProcessor(
        SiglipImageProcessorPil(size={"height": kind.size, "width": kind.size}),
        tokenizer,
        patch_size=kind.patch,
        vision_feature_select_strategy="full",
        chat_template=SEEING_TEMPLATE,
    )


def make_model(kind: Sight, tokenizer: PreTrainedTokenizerFast, words: Path) -> LlavaForConditionalGeneration:
    """Return a LLaVA whose decoder is the start in a folder; its other weights are drawn from torch's generator."""
    transformers_logging.disable_progress_bar()
    language = AutoModelForCausalLM.from_pretrained(words, dtype=torch.float32, trust_remote_code=False)
    language.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    vision = SiglipVisionConfig(
        hidden_size=kind.tower,
        intermediate_size=3 * kind.tower,
        num_hidden_layers=kind.tower_layers,
        num_attention_heads=4,
        image_size=kind.size,
        patch_size=kind.patch,
        vision_use_head=False,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=language.config,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=kind.image_tokens,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlavaForConditionalGeneration(config)
    model.model.language_model.load_state_dict(language.model.state_dict())
    model.tie_weights()
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


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
