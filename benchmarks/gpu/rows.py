"""The model that part 4 trains from scratch, and the rows it learns from, written by processes beside the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset
from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor, SiglipVisionConfig

import train_tiny_vlm as small
from gpu.models import tokenizer_of
from verienv.generalpoints.cards import RANKS


@dataclass(frozen=True)
class Sizes:
    """Of the model, its batches, and the budget: seconds of training in both stages, and of the evaluation after."""

    hidden: int = 512
    layers: int = 8
    tower: int = 384
    tower_layers: int = 6
    image: int = 224
    patch: int = 28
    batch: int = 256
    workers: int = 15
    rates: tuple[float, float] = (1e-3, 6e-4)
    episodes: int = 200
    save_every: float = 30.0


TINY = Sizes(hidden=32, layers=1, tower=32, tower_layers=1, image=112, batch=4, workers=0, episodes=1)


def built(sizes: Sizes) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """A LLaVA of random weights with tiny-lm's tokenizer."""
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = tokenizer_of(small.IMAGE)
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=sizes.hidden, intermediate_size=3 * sizes.hidden,
        num_hidden_layers=sizes.layers, num_attention_heads=max(1, sizes.hidden // 64), max_position_embeddings=2048,
        tie_word_embeddings=True, bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    vision = SiglipVisionConfig(
        hidden_size=sizes.tower, intermediate_size=3 * sizes.tower, num_hidden_layers=sizes.tower_layers,
        num_attention_heads=max(1, sizes.tower // 64), image_size=sizes.image, patch_size=sizes.patch,
        vision_use_head=False,
    )  # fmt: skip
    side = {"height": sizes.image, "width": sizes.image}
    processor = LlavaProcessor(
        SiglipImageProcessorPil(size=side), tokenizer, patch_size=sizes.patch, vision_feature_select_strategy="full",
        chat_template=small.CHAT_TEMPLATE,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision, text_config=text, image_token_index=tokenizer.convert_tokens_to_ids(small.IMAGE),
            image_seq_length=(sizes.image // sizes.patch) ** 2, vision_feature_layer=-1,
            vision_feature_select_strategy="full", tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model, processor


class Rows(IterableDataset):
    """Endless batches: pictures, uint8 (batch, 3, side, side), with ranks to read, or ids and labels to play."""

    def __init__(self, stage: str, sizes: Sizes, processor: LlavaProcessor, seed: int) -> None:
        self.stage, self.sizes, self.processor, self.seed = stage, sizes, processor, seed

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        about = torch.utils.data.get_worker_info()
        torch.set_num_threads(1)
        seed = self.seed * 1000 + (about.id if about else 0)
        stream = small.SeenDemonstrations(small.Arguments(seed=seed))  # type: ignore[arg-type]
        for _ in range(2000 if about else 0):  # each rule's hands are listed when it is first dealt, some 20 ms
            stream.puzzle()
        while True:
            if self.stage == "read":
                puzzles, images = zip(*(stream.picture() for _ in range(self.sizes.batch)), strict=True)
                ranks = np.array([[RANKS.index(rank) for rank in puzzle.ranks] for puzzle in puzzles])
                yield {"pixels": shrunk(self.processor, images), "ranks": ranks}
            else:
                messages, images = zip(*(stream.seen() for _ in range(self.sizes.batch)), strict=True)
                ids, labels = small.encoded(self.processor, list(messages))
                yield {"pixels": shrunk(self.processor, images), "ids": ids.numpy(), "labels": labels.numpy()}


def shrunk(processor: LlavaProcessor, images: Any) -> np.ndarray:
    """Return pictures at the tower's size, uint8, a quarter of the bytes of what it takes in."""
    made = processor.image_processor(list(images), do_rescale=False, do_normalize=False, return_tensors="np")
    return np.asarray(made["pixel_values"]).astype(np.uint8)


def looked_at(processor: LlavaProcessor, pixels: np.ndarray, device: str) -> Tensor:
    """Return what the tower takes in, as the processor would have made it."""
    images = processor.image_processor
    mean, std = (torch.tensor(one, device=device).view(1, 3, 1, 1) for one in (images.image_mean, images.image_std))
    return (torch.from_numpy(pixels).to(device).float() * images.rescale_factor - mean) / std


def as_is(batch: Any) -> Any:
    """Keep arrays as they are: as tensors they would need shared memory."""
    return batch


def loader(stage: str, sizes: Sizes, processor: LlavaProcessor, seed: int) -> Iterator[Any]:
    """Begin the processes that write a stage's rows, or write them here where there are none."""
    rows = Rows(stage, sizes, processor, seed)
    how = "spawn" if sizes.workers else None
    return iter(
        DataLoader(rows, batch_size=None, num_workers=sizes.workers, collate_fn=as_is, multiprocessing_context=how)
    )
