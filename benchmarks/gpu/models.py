"""Models of the check: tiny-vlm, and models of random weights from configurations of real size, built on the device.

Random weights say nothing of what a model knows, and all of what it costs. Words come from tiny-lm's tokenizer, whose
640 tokens are the first of a real vocabulary; so a random model hardly ever says the token that ends a response, and
its responses run to the longest allowed.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tests.families import FAMILIES, template, tokenizer_of, widened
from transformers import AutoModelForImageTextToText, GenerationConfig

from gpu.results import Skip
from model import Learner
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.loading import with_adapter
from verienv.policies.hugging_face.sampling import never_say_pictures

CONFIGS = Path(__file__).parent / "configs"
SEES_PATCHES = "qwen2_5_vl_3b"
"""Pictures become tokens of the text: Qwen2.5-VL-3B-Instruct."""
SEES_ACROSS = "mllama_11b"
"""The text looks at pictures by cross-attention: Llama-3.2-11B-Vision."""


def models_of(real: bool) -> tuple[str, str]:
    """Return the names of the two random models, of real size or tiny ones of a family that this machine can read."""
    if real:
        return SEES_PATCHES, SEES_ACROSS
    return "qwen2_5_vl" if has("torchvision") else "llava", "mllama"


def has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def policy_of(name: str, device: str, *, dtype: str = "float32", lora: int = 0, **how: Any) -> HuggingFacePolicy:
    """Build a model, the same weights each time, as a policy; tiny-vlm and folders are loaded.

    ``how`` are fields of the policy: max_new_tokens, autocast. Raises Skip where its processor lacks a package.
    """
    if name not in (SEES_PATCHES, SEES_ACROSS, *FAMILIES):
        return HuggingFacePolicy.load(name, device=device, dtype=dtype, lora=lora, **how)  # type: ignore[arg-type]
    if name == SEES_PATCHES and not has("torchvision"):
        raise Skip("the processor of Qwen2.5-VL needs torchvision, which is missing")
    torch.manual_seed(0)
    if name in FAMILIES:
        model, processor = FAMILIES[name].build()
        model = widened(model).to(device, getattr(torch, dtype))
    else:
        processor, config = READERS[name](json.loads((CONFIGS / f"{name}.json").read_text()))
        with torch.device(device):
            how = {"dtype": getattr(torch, dtype)}
            model = AutoModelForImageTextToText.from_config(config, trust_remote_code=False, **how)
        open_gates(model)
    tokenizer = processor.tokenizer
    never_say_pictures(model)
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    if lora:
        model = with_adapter(model, None, name, lora, lora, 0.0).to(device)
    return HuggingFacePolicy(model.eval(), tokenizer, processor=processor, **how)


def qwen(written: dict[str, Any]) -> tuple[Any, Any]:
    """Return processor and configuration of a Qwen2.5-VL, its marks those of our tokenizer."""
    tokenizer = tokenizer_of("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    marks = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    ids = {f"{part}_token_id": tokenizer.convert_tokens_to_ids(f"<|{mark}|>") for part, mark in marks.items()}
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    written["text_config"] |= ends
    processor = transformers.Qwen2_5_VLProcessor(
        transformers.Qwen2VLImageProcessor(), tokenizer, transformers.Qwen2VLVideoProcessor(),
        chat_template=template("<|vision_start|><|image_pad|><|vision_end|>"),
    )  # fmt: skip
    return processor, transformers.Qwen2_5_VLConfig(**written, **ids, **ends)


def mllama(written: dict[str, Any]) -> tuple[Any, Any]:
    """Return processor and configuration of a Llama 3.2 Vision, its marks those of our tokenizer."""
    from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil

    tokenizer = tokenizer_of("<|begin|>", "<|image|>")
    tokenizer.bos_token = "<|begin|>"
    vision = written["vision_config"]
    size = {"height": vision["image_size"], "width": vision["image_size"]}
    processor = transformers.MllamaProcessor(
        MllamaImageProcessorPil(size=size, max_image_tiles=vision["max_num_tiles"]), tokenizer,
        chat_template="<|begin|>" + template("<|image|>"),
    )  # fmt: skip
    written["text_config"] |= {
        "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    picture = tokenizer.convert_tokens_to_ids("<|image|>")
    return processor, transformers.MllamaConfig(**written, image_token_index=picture)


READERS = {SEES_PATCHES: qwen, SEES_ACROSS: mllama}


def open_gates(model: torch.nn.Module) -> None:
    """Let pictures through gates that begin at 0 (Mllama's)."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "gate" in name and weight.numel() == 1:
                weight.fill_(1.0)


class BuiltLearner(Learner):
    """A learner, as the scripts train one, of a model that is built and not loaded; its start is built again."""

    def _loaded(self, name: str, **adapter: Any) -> HuggingFacePolicy:
        arguments = self.arguments
        return policy_of(
            arguments.model, self.team.device, dtype=arguments.dtype, lora=adapter.get("lora", 0),
            autocast=self.half, max_new_tokens=getattr(arguments, "max_new_tokens", 48),
        )  # fmt: skip
