"""Hugging Face causal language models as policies, for evaluation.

from verienv import evaluate
from verienv.adapters.transformers import load_policy

print(evaluate(load_policy("HuggingFaceTB/SmolLM2-135M-Instruct"), "verienv/GeneralPoints-L-v0", episodes=50))
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from verienv.core.assets import asset_path
from verienv.core.dialogue import Message, parts_of, without_system
from verienv.core.special_tokens import SpecialTokens

BUILT_IN = "tiny-lm"
"""The name of the model that comes with the repository."""


def load_policy(
    model: str | Path,
    *,
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    batch_size: int = 64,
    device: str = "auto",
    seed: int = 0,
) -> Callable[[list[list[Message]]], list[str]]:
    """Load a causal language model as a policy for ``verienv.evaluate``.

    Dialogues go through the model's chat template, padded on the left, without the special tokens that a policy spelled
    out in its words. Where the template refuses system messages or leaves them out, a system prompt stands before the
    question. Of the model's generation settings only its stop tokens count.

    Args:
        model: a folder with a saved model, the name of one in the Hugging Face cache or to be downloaded, or "tiny-lm",
            which comes with the repository.
        max_new_tokens: the longest response.
        temperature: 0 for the likeliest token, else that of sampling from the whole distribution.
        batch_size: dialogues generated for at once; more are taken in turns, those of like length together.
        device: "cpu", "cuda", ..., or "auto" for a GPU where there is one.
        seed: the seed of the sampling. It sets torch's global generator, once, here.

    Raises:
        ValueError: if transformers is not installed, the model cannot be loaded or has no chat template, or an argument
            is out of range; by the policy, for a dialogue with pictures or one longer than the model's context.
    """
    for argument, number in (("max_new_tokens", max_new_tokens), ("batch_size", batch_size)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"{argument}={number!r}: expected an integer of at least 1")
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature={temperature!r}: expected 0 (greedy) or a positive number")
    try:
        import torch
        import transformers as library
    except ImportError as error:
        raise ValueError(f'models need torch and transformers ({error}): pip install "verienv[train]"') from None
    transformers: Any = library
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    network, tokenizer = _loaded(transformers, model, torch.float32 if device == "cpu" else "auto")
    stops = network.generation_config.eos_token_id
    stops = tokenizer.eos_token_id if stops is None else stops
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else 0
    network.generation_config = transformers.GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=temperature > 0,
        eos_token_id=stops,
        pad_token_id=tokenizer.pad_token_id,
        **({"temperature": temperature, "top_k": 0} if temperature > 0 else {}),
    )
    try:
        network.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device={device!r} cannot be used: {_first_line(error)}") from None
    longest = getattr(network.config, "max_position_embeddings", None)
    torch.manual_seed(seed)
    special = SpecialTokens.of(tokenizer)
    suited = for_template(tokenizer)

    def generate(dialogues: list[list[Message]]) -> list[str]:
        told = map(suited, map(special.taken_out_of, dialogues))
        texts = [tokenizer.apply_chat_template(d, add_generation_prompt=True, tokenize=False) for d in told]
        inputs = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt").to(device)
        asked = inputs["input_ids"].shape[1]
        if longest and asked + max_new_tokens > longest:
            raise ValueError(
                f"a dialogue of {asked} tokens and max_new_tokens={max_new_tokens} exceed the {longest} tokens of the "
                "model's context; allow fewer new tokens or fewer attempts"
            )
        with torch.inference_mode():
            output = network.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        return list(tokenizer.batch_decode(output[:, asked:], skip_special_tokens=True))

    def policy(dialogues: list[list[Message]]) -> list[str]:
        parts = (part for dialogue in dialogues for message in dialogue for part in parts_of(message))
        if any(part.get("type") == "image" for part in parts):
            raise ValueError(
                f"model={str(model)!r} is played as a model of text alone and reads no pictures; evaluate it in an "
                "environment in words, such as verienv/GeneralPoints-L-v0"
            )
        by_length = sorted(range(len(dialogues)), key=lambda i: sum(len(str(m["content"])) for m in dialogues[i]))
        responses = [""] * len(dialogues)
        for start in range(0, len(dialogues), batch_size):
            chosen = by_length[start : start + batch_size]
            for i, response in zip(chosen, generate([dialogues[i] for i in chosen]), strict=True):
                responses[i] = response
        return responses

    return policy


def for_template(tokenizer: Any) -> Callable[[list[Message]], list[Message]]:
    """Return what makes dialogues that a chat template tells whole: without a system message where it would be lost."""
    probe, asked = "verienv-system", {"role": "user", "content": "verienv-question"}
    try:
        text = tokenizer.apply_chat_template([{"role": "system", "content": probe}, asked], tokenize=False)
    except Exception:  # a template raises what it likes
        text = ""
    return list if probe in text else without_system


def _loaded(transformers: Any, model: str | Path, dtype: Any) -> tuple[Any, Any]:
    """Load model and tokenizer."""
    path = str(asset_path(f"models/{model}")) if model == BUILT_IN else str(model)
    if (path.startswith((".", "/", "~")) or Path(path).exists()) and not Path(path).is_dir():
        raise ValueError(f"model={path!r} cannot be loaded: there is no such folder")
    transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, padding_side="left")
        network = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype)
    except Exception as error:  # a damaged file or an unknown name raises many kinds
        raise ValueError(
            f"model={str(model)!r} cannot be loaded ({_first_line(error)}); give a folder with a saved causal language "
            f"model and its tokenizer, the name of one that can be downloaded or is in the cache, or {BUILT_IN}"
        ) from error
    if not tokenizer.chat_template:
        raise ValueError(f"model={str(model)!r} has no chat template; choose an instruction-tuned model")
    return network, tokenizer


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
