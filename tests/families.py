"""Tiny models of random weights, one of each family of vision-language models: about 0.1 M parameters in a folder.

Their tokenizer is that of tiny-lm with the tokens that the family's processor wants, their chat template is one for
all. They are that family's code from processor to logits, and say nothing of a real checkpoint's template or sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin
from transformers.utils import logging

from verienv.core.assets import asset_path

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WIDTH = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {
    **WIDTH, "num_key_value_heads": 2, "max_position_embeddings": 2048, "bos_token_id": None, "eos_token_id": 1,
    "pad_token_id": 0,
}  # fmt: skip
VISION = {**WIDTH, "image_size": 112, "patch_size": 28}
SMALL_VISION = {**WIDTH, "image_size": 56, "patch_size": 14}
TILE = {"height": 56, "width": 56}
PINPOINTS = [[56, 56], [56, 112], [112, 56], [112, 112]]
ROPE = {"rope_type": "default", "rope_theta": 10000.0}
GRID = {"size": {"shortest_edge": 56 * 56, "longest_edge": 112 * 112}}
"""Of processors that cut a picture into patches as it is: the fewest and the most pixels."""


@dataclass(frozen=True)
class Family:
    """A family: how its tiny model is made, and what its processor needs beyond torch, transformers and Pillow."""

    build: Callable[[], tuple[PreTrainedModel, ProcessorMixin]]
    needs: tuple[str, ...] = ()

    def save(self, folder: Path) -> str:
        """Write a model, the same each time, and its processor; the folder."""
        logging.disable_progress_bar()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model, processor = self.build()
        widened(model).save_pretrained(folder)
        processor.save_pretrained(folder)
        return str(folder)


FAMILIES: dict[str, Family] = {}


def all_families(often: Collection[str] | None = None) -> list[Any]:
    """The names as parameters of a test: those that need more than the tests' environment has are for integrations.

    The others are for every run of the tests, or, where a test takes seconds, only those that it is to try ``often``.
    """
    slow = set[str]() if often is None else {*FAMILIES} - {*often}
    marks = dict.fromkeys(slow, pytest.mark.slow)
    marks |= {name: pytest.mark.integrations for name, one in FAMILIES.items() if one.needs}
    return [pytest.param(name, marks=marks.get(name, ())) for name in FAMILIES]


def family(*needs: str) -> Callable[[Callable[[], tuple[PreTrainedModel, ProcessorMixin]]], Any]:
    def named(build: Callable[[], tuple[PreTrainedModel, ProcessorMixin]]) -> Any:
        FAMILIES[build.__name__] = Family(build, needs)
        return build

    return named


def widened(model: PreTrainedModel) -> PreTrainedModel:
    """Random weights large enough that a wrong position, mask or picture shows in the log-probabilities."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "gate" in name and weight.numel() == 1:  # Mllama's, through which pictures reach the text
                weight.fill_(1.0)
            elif "mm_input_projection" in name or "latents" in name:
                weight.normal_(std=0.2)  # Gemma 3's starts at 0, Idefics2's at 1: both hide the picture
            elif weight.ndim > 1:
                weight.mul_(6)
    return model


def tokenizer_of(*added: str, **named: str) -> PreTrainedTokenizerBase:
    """The tokenizer of tiny-lm with more special tokens; those that are ``named`` are its attributes too."""
    tokenizer = AutoTokenizer.from_pretrained(
        asset_path("models/tiny-lm"), padding_side="left", extra_special_tokens=named
    )
    tokenizer.add_tokens(list(added), special_tokens=True)
    return tokenizer


def template(picture: str) -> str:
    return TEMPLATE.replace("IMAGE", picture)


def text_of(kind: str, tokenizer: PreTrainedTokenizerBase, **own: Any) -> dict[str, Any]:
    return {"model_type": kind, "vocab_size": len(tokenizer), **TEXT, **own}


def siglip(**own: Any) -> dict[str, Any]:
    return {"model_type": "siglip_vision_model", "vision_use_head": False, **SMALL_VISION, **own}


@family()
def llava():
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = tokenizer_of("<image>")
    config = transformers.LlavaConfig(
        vision_config=siglip(**VISION),
        text_config=text_of("llama", tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    processor = transformers.LlavaProcessor(
        SiglipImageProcessorPil(size={"height": 112, "width": 112}), tokenizer, patch_size=28,
        vision_feature_select_strategy="full", chat_template=template("<image>"),
    )  # fmt: skip
    return transformers.LlavaForConditionalGeneration(config), processor


@family()
def llava_next():
    from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

    tokenizer = tokenizer_of("<image>")
    config = transformers.LlavaNextConfig(
        vision_config=siglip(),
        text_config=text_of("llama", tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_grid_pinpoints=PINPOINTS,
    )
    images = LlavaNextImageProcessorPil(size={"shortest_edge": 56}, crop_size=TILE, image_grid_pinpoints=PINPOINTS)
    processor = transformers.LlavaNextProcessor(
        images, tokenizer, patch_size=14, vision_feature_select_strategy="full", chat_template=template("<image>")
    )
    return transformers.LlavaNextForConditionalGeneration(config), processor


@family("torchvision")
def llava_onevision():
    tokenizer = tokenizer_of("<image>", "<video>")
    config = transformers.LlavaOnevisionConfig(
        vision_config=siglip(),
        text_config=text_of("qwen2", tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=PINPOINTS,
    )
    images = transformers.LlavaOnevisionImageProcessor(size=TILE, image_grid_pinpoints=PINPOINTS)
    processor = transformers.LlavaOnevisionProcessor(
        images, tokenizer, transformers.LlavaOnevisionVideoProcessor(), num_image_tokens=16,
        vision_feature_select_strategy="full", chat_template=template("<image>"),
    )  # fmt: skip
    return transformers.LlavaOnevisionForConditionalGeneration(config), processor


@family()
def idefics2():
    from transformers.models.idefics2.image_processing_pil_idefics2 import Idefics2ImageProcessorPil

    images = Idefics2ImageProcessorPil(size={"shortest_edge": 28, "longest_edge": 56}, do_image_splitting=False)
    processor = transformers.Idefics2Processor(
        images, tokenizer_of(), image_seq_len=4, chat_template=template("<image>")
    )
    config = transformers.Idefics2Config(
        vision_config=SMALL_VISION,
        perceiver_config={
            "hidden_size": 32, "resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 2,
            "resampler_head_dim": 16, "num_key_value_heads": 1,
        },
        text_config=text_of("mistral", processor.tokenizer),
        image_token_id=processor.image_token_id,
    )  # fmt: skip
    return transformers.Idefics2ForConditionalGeneration(config), processor


@family()
def idefics3():
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    images = Idefics3ImageProcessorPil(size={"longest_edge": 112}, max_image_size={"longest_edge": 56})
    processor = transformers.Idefics3Processor(
        images, tokenizer_of(), image_seq_len=4, chat_template=template("<image>")
    )
    config = transformers.Idefics3Config(
        vision_config=SMALL_VISION,
        text_config=text_of("llama", processor.tokenizer),
        image_token_id=processor.tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    return transformers.Idefics3ForConditionalGeneration(config), processor


@family("torchvision", "num2words")
def smolvlm():
    tokenizer = tokenizer_of("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", "<video>")
    images = transformers.SmolVLMImageProcessor(size={"longest_edge": 112}, max_image_size={"longest_edge": 56})
    processor = transformers.SmolVLMProcessor(
        images, tokenizer, transformers.SmolVLMVideoProcessor(), image_seq_len=4, chat_template=template("<image>")
    )
    config = transformers.SmolVLMConfig(
        vision_config=SMALL_VISION,
        text_config=text_of("llama", tokenizer),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    return transformers.SmolVLMForConditionalGeneration(config), processor


@family()
def mllama():
    from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil

    tokenizer = tokenizer_of("<|begin|>", "<|image|>")
    tokenizer.bos_token = "<|begin|>"
    processor = transformers.MllamaProcessor(
        MllamaImageProcessorPil(size=TILE, max_image_tiles=2), tokenizer,
        chat_template="<|begin|>" + template("<|image|>"),
    )  # fmt: skip
    own = {"num_global_layers": 1, "attention_heads": 2, "vision_output_dim": 64, "intermediate_layers_indices": [1]}
    tiles = {"max_num_tiles": 2, "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]]}
    pictures = tokenizer.convert_tokens_to_ids("<|image|>")
    config = transformers.MllamaConfig(  # as in the real one, a picture's token is embedded but has no logit
        vision_config={**SMALL_VISION, **own, **tiles},
        text_config={
            **TEXT, "vocab_size": pictures, "bos_token_id": pictures - 1, "num_hidden_layers": 3,
            "cross_attention_layers": [1], "rope_parameters": ROPE,
        },
        image_token_index=pictures,
    )  # fmt: skip
    return transformers.MllamaForConditionalGeneration(config), processor


def qwen(name: str, vision: dict[str, Any], text: dict[str, Any]) -> tuple[Any, PreTrainedTokenizerBase]:
    """A model of a family of Qwen's, whose positions go along time, height and width, and its tokenizer."""
    tokenizer = tokenizer_of("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    ids = dict(zip(("image", "video", "vision_start", "vision_end"), range(640, 644), strict=True))
    config = getattr(transformers, f"{name}Config")(
        vision_config=vision,
        text_config={**TEXT, "vocab_size": len(tokenizer), **text},
        **{f"{part}_token_id": token for part, token in ids.items()},
    )
    return getattr(transformers, f"{name}ForConditionalGeneration")(config), tokenizer


def reader_of(kind: str, tokenizer: PreTrainedTokenizerBase, videos: Any, **images: Any) -> ProcessorMixin:
    """A processor of a kind of Qwen's, for pictures and videos."""
    pictures = transformers.Qwen2VLImageProcessor(**GRID, **images)
    whole = template("<|vision_start|><|image_pad|><|vision_end|>")
    return getattr(transformers, f"{kind}Processor")(pictures, tokenizer, videos, chat_template=whole)


BLOCKS = {"depth": 2, "num_heads": 2, "patch_size": 14, "spatial_merge_size": 2}
ALONG_THREE = {"rope_parameters": {**ROPE, "mrope_section": [2, 3, 3]}}


def qwen2_vl_model() -> tuple[Any, PreTrainedTokenizerBase]:
    return qwen("Qwen2VL", {**BLOCKS, "embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2}, ALONG_THREE)


@family("torchvision")
def qwen2_vl():
    model, tokenizer = qwen2_vl_model()
    return model, reader_of("Qwen2VL", tokenizer, transformers.Qwen2VLVideoProcessor())


@family("torchvision")
def qwen2_5_vl():
    own = {"out_hidden_size": 32, "window_size": 56, "fullatt_block_indexes": [1]}
    model, tokenizer = qwen("Qwen2_5_VL", {**BLOCKS, "hidden_size": 32, "intermediate_size": 64, **own}, ALONG_THREE)
    return model, reader_of("Qwen2_5_VL", tokenizer, transformers.Qwen2VLVideoProcessor())


@family("torchvision")
def qwen3_vl():
    own = {"out_hidden_size": 32, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}
    text = {"head_dim": 16, "rope_parameters": {**ALONG_THREE["rope_parameters"], "mrope_interleaved": True}}
    model, tokenizer = qwen("Qwen3VL", {**BLOCKS, "hidden_size": 32, "intermediate_size": 64, **own}, text)
    return model, reader_of("Qwen3VL", tokenizer, transformers.Qwen3VLVideoProcessor(), patch_size=14)


@family("torchvision")
def qwen3_5():
    own = {"out_hidden_size": 32, "num_position_embeddings": 16}
    linear = {"key_head_dim": 16, "value_head_dim": 16, "num_key_heads": 2, "num_value_heads": 2}
    rope = {**ALONG_THREE["rope_parameters"], "mrope_interleaved": True, "partial_rotary_factor": 1.0}
    text = {
        "head_dim": 16, "layer_types": ["linear_attention", "full_attention"], "rope_parameters": rope,
        **{f"linear_{name}": size for name, size in linear.items()},
    }  # fmt: skip
    model, tokenizer = qwen("Qwen3_5", {**BLOCKS, "hidden_size": 32, "intermediate_size": 64, **own}, text)
    return model, reader_of("Qwen3VL", tokenizer, transformers.Qwen3VLVideoProcessor(), patch_size=14)


@family()
def gemma3():
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

    names = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    tokenizer = tokenizer_of(**names)
    config = transformers.Gemma3Config(
        vision_config=siglip(),
        text_config=text_of(
            "gemma3_text", tokenizer, head_dim=16, query_pre_attn_scalar=16, sliding_window=32,
            layer_types=["sliding_attention", "full_attention"],
        ),
        mm_tokens_per_image=4,
        **{f"{part}_token_index": getattr(tokenizer, f"{part}_token_id") for part in ("boi", "eoi", "image")},
    )  # fmt: skip
    processor = transformers.Gemma3Processor(
        Gemma3ImageProcessorPil(size=TILE), tokenizer, chat_template=template("<start_of_image>"), image_seq_length=4
    )
    return transformers.Gemma3ForConditionalGeneration(config), processor


@family()
def paligemma2():
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer, images = tokenizer_of("<|begin|>"), SiglipImageProcessorPil(size=TILE)
    tokenizer.bos_token, images.image_seq_length = "<|begin|>", 16
    processor = transformers.PaliGemmaProcessor(images, tokenizer, chat_template=template("<image>"))
    config = transformers.PaliGemmaConfig(
        vision_config=siglip(),
        text_config=text_of(
            "gemma2", tokenizer, head_dim=16, query_pre_attn_scalar=16, sliding_window=2048, bos_token_id=640
        ),
        projection_dim=32,
        hidden_size=32,
        vocab_size=len(tokenizer),
        image_token_index=processor.image_token_id,
    )
    return transformers.PaliGemmaForConditionalGeneration(config), processor


@family("torchvision")
def internvl():
    names = {
        "start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }  # fmt: skip
    tokenizer = tokenizer_of(**names)
    config = transformers.InternVLConfig(
        vision_config={**WIDTH, "image_size": [56, 56], "patch_size": [14, 14]},
        text_config=text_of("qwen2", tokenizer),
        image_token_id=tokenizer.context_image_token_id,
        image_seq_length=4,
    )
    images = transformers.GotOcr2ImageProcessor(size=TILE, max_patches=3)
    processor = transformers.InternVLProcessor(
        images, tokenizer, transformers.InternVLVideoProcessor(), image_seq_length=4,
        chat_template=template("<IMG_CONTEXT>"),
    )  # fmt: skip
    return transformers.InternVLForConditionalGeneration(config), processor


def pixtral_processor(merged: int) -> Any:
    tokenizer = tokenizer_of("[IMG]", "[IMG_BREAK]", "[IMG_END]")
    images = transformers.PixtralImageProcessor(size={"longest_edge": 56}, patch_size=14)
    return transformers.PixtralProcessor(
        images, tokenizer, patch_size=14, spatial_merge_size=merged, chat_template=template("[IMG]")
    )


@family("torchvision")
def pixtral():
    processor = pixtral_processor(1)
    config = transformers.LlavaConfig(
        vision_config={"model_type": "pixtral", **SMALL_VISION, "head_dim": 16},
        text_config=text_of("mistral", processor.tokenizer, head_dim=16),
        image_token_index=processor.image_token_id,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    return transformers.LlavaForConditionalGeneration(config), processor


@family("torchvision")
def mistral3():
    processor = pixtral_processor(2)
    config = transformers.Mistral3Config(
        vision_config={"model_type": "pixtral", **SMALL_VISION, "head_dim": 16},
        text_config=text_of("mistral", processor.tokenizer, head_dim=16),
        image_token_index=processor.image_token_id,
        spatial_merge_size=2,
    )
    return transformers.Mistral3ForConditionalGeneration(config), processor


COHERE = {
    "layer_types": ["sliding_attention", "full_attention"],
    "sliding_window": 64,
    "head_dim": 16,
    "logit_scale": 1.0,
}


@family()
def aya_vision():
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    marks = ("<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>", "TILE", "TILE_GLOBAL")
    tokenizer = tokenizer_of("<image>", *marks)
    config = transformers.AyaVisionConfig(
        vision_config=siglip(),
        text_config=text_of("cohere2", tokenizer, **COHERE),
        image_token_index=tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>"),
    )
    processor = transformers.AyaVisionProcessor(
        GotOcr2ImageProcessorPil(size=TILE, max_patches=3), tokenizer, patch_size=14, img_size=56, downsample_factor=2,
        chat_template=template("<image>"),
    )  # fmt: skip
    return transformers.AyaVisionForConditionalGeneration(config), processor


@family("torchvision")
def cohere2_vision():
    names = {
        "boi_token": "<|START_OF_IMG|>", "eoi_token": "<|END_OF_IMG|>", "image_token": "<|IMG_PATCH|>",
        "img_line_break_token": "<|IMG_LINE_BREAK|>",
    }  # fmt: skip
    tokenizer = tokenizer_of(**names)
    config = transformers.Cohere2VisionConfig(
        vision_config=siglip(),
        text_config=text_of("cohere2", tokenizer, **COHERE),
        image_token_id=tokenizer.image_token_id,
        alignment_intermediate_size=64,
    )
    images = transformers.Cohere2VisionImageProcessor(size=TILE, patch_size=2, max_patches=3)
    processor = transformers.Cohere2VisionProcessor(images, tokenizer, chat_template=template("<|IMG_PATCH|>"))
    return transformers.Cohere2VisionForConditionalGeneration(config), processor


def glm(name: str) -> Any:
    """A family of GLM's, whose positions go along time, height and width."""
    marks = (
        "<|image|>",
        "<|video|>",
        "<|begin_of_image|>",
        "<|end_of_image|>",
        "<|begin_of_video|>",
        "<|end_of_video|>",
    )
    tokenizer = tokenizer_of(*marks)
    parts = ("image", "video", "image_start", "image_end", "video_start", "video_end")
    config = getattr(transformers, f"{name}Config")(
        vision_config={**BLOCKS, "image_size": 56, "hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64},
        text_config={**text_of("glm4v_text", tokenizer), **ALONG_THREE},
        **{f"{part}_token_id": token for part, token in zip(parts, range(640, 646), strict=True)},
    )
    videos = transformers.Glm4vVideoProcessor() if name == "Glm4v" else transformers.Glm46VVideoProcessor()
    processor = getattr(transformers, f"{name}Processor")(
        getattr(transformers, f"{name}ImageProcessor")(**GRID), tokenizer, videos,
        chat_template=template("<|begin_of_image|><|image|><|end_of_image|>"),
    )  # fmt: skip
    return getattr(transformers, f"{name}ForConditionalGeneration")(config), processor


@family("torchvision")
def glm4v():
    return glm("Glm4v")


@family("torchvision")
def glm46v():
    return glm("Glm46V")


@family("torchvision")
def lfm2_vl():
    rows = [f"<|img_row_{row}_col_{column}|>" for row in (1, 2) for column in (1, 2)]
    tokenizer = tokenizer_of("<image>", "<|image_start|>", "<|image_end|>", "<|img_thumbnail|>", *rows)
    images = transformers.Lfm2VlImageProcessor(
        tile_size=56, encoder_patch_size=14, min_image_tokens=1, max_image_tokens=4, max_tiles=4,
    )  # fmt: skip
    config = transformers.Lfm2VlConfig(
        vision_config={"model_type": "siglip2_vision_model", **WIDTH, "patch_size": 14, "num_patches": 16},
        text_config=text_of("lfm2", tokenizer, layer_types=["conv", "full_attention"], block_multiple_of=16),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        projector_hidden_size=64,
    )
    processor = transformers.Lfm2VlProcessor(images, tokenizer, chat_template=template("<image>"))
    return transformers.Lfm2VlForConditionalGeneration(config), processor


@family()
def ovis2():
    from transformers.models.ovis2.image_processing_pil_ovis2 import Ovis2ImageProcessorPil

    marks = ("<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>")
    tokenizer = tokenizer_of("<image>", "<IMG_ATOM>", *marks)
    config = transformers.Ovis2Config(
        vision_config={**SMALL_VISION, "vocab_size": 64, "hidden_stride": 2},
        text_config=text_of("qwen2", tokenizer),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_ATOM>"),
        visual_indicator_token_ids=tokenizer.convert_tokens_to_ids(list(marks)),
        vocab_size=len(tokenizer),
        hidden_size=32,
    )
    images = Ovis2ImageProcessorPil(size=TILE, crop_to_patches=True, max_patches=3)
    processor = transformers.Ovis2Processor(images, tokenizer, chat_template=template("<image>"), image_seq_length=4)
    return transformers.Ovis2ForConditionalGeneration(config), processor


@family("torchvision")
def llama4():
    marks = (
        "<|image|>",
        "<|image_start|>",
        "<|image_end|>",
        "<|patch|>",
        "<|tile_x_separator|>",
        "<|tile_y_separator|>",
    )
    tokenizer = tokenizer_of(*marks)
    vision = {
        **SMALL_VISION, "vision_output_dim": 32, "projector_input_dim": 32, "projector_output_dim": 32,
        "intermediate_size": 128,
    }  # fmt: skip
    text = {"head_dim": 16, "intermediate_size_mlp": 64, "num_local_experts": 2, "interleave_moe_layer_step": 2}
    config = transformers.Llama4Config(
        vision_config=vision,
        text_config=text_of("llama4_text", tokenizer, **text, attention_chunk_size=4096, no_rope_layer_interval=2),
        boi_token_index=641,
        eoi_token_index=642,
        image_token_index=643,
    )
    images = transformers.Llama4ImageProcessor(size=TILE, max_patches=3)
    processor = transformers.Llama4Processor(
        images, tokenizer, patch_size=14, pixel_shuffle_ratio=0.5, chat_template=template("<|image|>")
    )
    return transformers.Llama4ForConditionalGeneration(config), processor
