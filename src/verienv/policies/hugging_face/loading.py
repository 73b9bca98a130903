"""Loading of a model by name or path, with what reads its dialogues: whole, on its device, and kind where it cannot."""

from __future__ import annotations

import platform
import re
import warnings
from copy import copy
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    GenerationConfig,
    ProcessorMixin,
)
from transformers.utils import logging as transformers_logging

from verienv.core.shown import shown
from verienv.policies.hugging_face.checkpoint import (
    BUILT_IN,
    ONE_BUILT_IN,
    NoModelError,
    demand_found,
    demand_whole,
    first_line,
    kept_in,
    lacks_memory,
    path_of,
)
from verienv.policies.hugging_face.finite import are_finite
from verienv.policies.hugging_face.sampling import LIKE_LLAVA, never_say_pictures

Dtype = Literal["float32", "bfloat16"]
_ASKED = re.compile(r"pip3? install (?:-\S+ )*([A-Za-z0-9][\w.-]*\w)")


def loaded(name: str, *, device: str, dtype: Dtype | None, lora: int, alpha: float) -> tuple[Any, Any, Any, Any]:
    """Return model, tokenizer, processor (None for a model of words) and the checkpoint's generation configuration.

    Raises:
        ValueError: in one line, where there is no such model, or it could not play.
    """
    transformers_logging.disable_progress_bar()
    device, path = usable_device(device), path_of(name)
    try:
        adapter, base = adapter_and_base(name)
        dtype = dtype or kept_in(path, "policy.json").get("dtype", "float32")
        _, tokenizer, reader = readers(base)
        sees = reader is not tokenizer
        kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
        how = {"dtype": getattr(torch, str(dtype)), "output_loading_info": True}
        model, told = kind.from_pretrained(base, trust_remote_code=False, **how)
    except NoModelError:
        raise
    except Exception as error:  # a damaged file or an unknown name raises many kinds
        if lacks_memory(error):
            raise
        if (lacks := lacking_package(error)) == "torchvision":
            raise ValueError(
                f"the processor of {name!r} needs torchvision, which is missing or of another build: pip install "
                "torchvision (the one for your torch), or choose a family that works without, as LLaVA or Idefics3"
            ) from None
        if lacks:
            raise ValueError(f"{name!r} needs the package {lacks}, which is missing: pip install {lacks}") from None
        raise ValueError(
            f"the model {name!r} cannot be loaded ({first_line(error)}); give {ONE_BUILT_IN}, a folder with a saved "
            "language or vision-language model, or the name of one that can be downloaded or is in the cache"
        ) from None
    demand_whole(name, model, reader, tokenizer, told["missing_keys"])
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if model.generation_config.eos_token_id is None:
        model.generation_config.eos_token_id = tokenizer.eos_token_id
    own = copy(model.generation_config)
    if sees:
        never_say_pictures(model)
        if model.config.model_type not in LIKE_LLAVA:  # it generates without its makers' penalties and cut-offs
            ends = {"eos_token_id": model.generation_config.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
            model.generation_config = GenerationConfig(**ends)
    if adapter or lora:
        model = with_adapter(model, path if adapter else None, name, adapter, lora, alpha)
    model.to(device).eval()
    return model, tokenizer, reader if isinstance(reader, ProcessorMixin) else None, own


def adapter_and_base(name: str) -> tuple[dict[str, Any], str]:
    """Return the configuration of a checkpoint's adapter, {} without one, and the name or path of the model itself."""
    adapter = kept_in(path_of(name), "adapter_config.json")
    return adapter, path_of(adapter.get("base_model_name_or_path", name))


def readers(base: str) -> tuple[Any, Any, Any]:
    """Return configuration, tokenizer, and what reads dialogues: the tokenizer or, of a model that sees, a processor.

    No weights are read, and no code that a checkpoint brings is run. Raises NoModelError, and what transformers raises.
    """
    demand_found(base)
    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    sees = type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING or hasattr(config, "vision_config")
    kind = AutoProcessor if sees else AutoTokenizer
    reader = kind.from_pretrained(base, padding_side="left", trust_remote_code=False)
    tokenizer = reader.tokenizer if sees else reader
    reader.chat_template = reader.chat_template or tokenizer.chat_template
    return config, tokenizer, reader


def lacking_package(error: BaseException) -> str:
    """Return the package that a loader asks for, as its error names it; "" where it asks for none."""
    if "torchvision" in str(error).lower():  # not always in an ImportError
        return "torchvision"
    if not isinstance(error, ImportError):
        return ""
    asked = _ASKED.search(str(error))
    return asked[1] if asked else (error.name or "").partition(".")[0]


def usable_device(name: str) -> str:
    """Return the device that is meant, ``auto`` resolved. Raises ValueError, in one line, where torch cannot use it."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name).item()
    except Exception as error:  # of a name, of a build without it, of a driver: each has a kind of its own
        there = ["auto", "cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
        raise ValueError(
            f"--device {name}: torch cannot compute there ({first_line(error)}); here there are {', '.join(there)}"
        ) from None
    return name


def machine(processes: int = 1) -> dict[str, Any]:
    """Return what torch computes on, in so many processes, to be kept beside results."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{platform.machine()} CPU"
    threads = torch.get_num_threads()
    return {"device": device, "gpus": torch.cuda.device_count(), "threads": threads, "processes": processes}


def with_adapter(model: Any, path: str | None, name: str, adapter: Any, rank: int, alpha: float) -> Any:
    """Return the model with a checkpoint's adapter or, without ``path``, a new one (LoRA, arXiv 2106.09685)."""
    try:
        import peft
    except ImportError:
        raise ValueError("--lora, and checkpoints of runs with it, need peft: pip install peft") from None
    for option, wanted, had in (("--lora", rank, "r"), ("--lora-alpha", alpha, "lora_alpha")):
        if path and wanted not in (0, adapter.get(had, wanted)):
            told = f"{name!r} holds an adapter with {had}={shown(adapter[had])}, not {wanted:g}"
            raise ValueError(f"{told}; give {option} {shown(adapter[had])}, or leave it out")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning
        )  # peft asks for it
        try:
            if path:
                with torch.random.fork_rng(devices=()):  # peft draws weights before it reads them; a run must not
                    adapted = peft.PeftModel.from_pretrained(model, path, is_trainable=True)
                if are_finite(adapted.parameters()).isnan():
                    raise ValueError("its weights are not finite")
                return adapted
        except Exception as error:  # a damaged file, or one of another model, raises many kinds
            raise ValueError(
                f"the adapter in {name!r} cannot be put on its model ({first_line(error)}); take another"
            ) from None
        routers = [name for name, module in model.named_modules() if type(module).__name__.endswith("Router")]
        config = peft.LoraConfig(
            r=rank, lora_alpha=alpha or 2 * rank, target_modules="all-linear",
            exclude_modules=routers or None,  # they give more than one tensor (Llama 4)
        )  # fmt: skip
        adapted = peft.get_peft_model(model, config)
    base = str(Path(name).resolve()) if name not in BUILT_IN and Path(name).is_dir() else name
    adapted.peft_config["default"].base_model_name_or_path = base
    return adapted
