"""A Hugging Face language or vision-language model as a policy: a batched sampler of responses to dialogues.

A dialogue is a list of chat messages. Its tokens grow by pieces (question, response, feedback, response, ...) so that
what is trained on is, token for token, what was sampled. The pictures of its opening travel with its tokens.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from verienv.core.dialogue import Message, last_response, parts_of
from verienv.core.special_tokens import SpecialTokens
from verienv.policies.hugging_face.loading import Dtype, loaded
from verienv.policies.hugging_face.prefix import PrefixCache
from verienv.policies.hugging_face.sampling import GREEDY, LIKE_LLAVA, Sampling, generated, sampled
from verienv.policies.hugging_face.template import for_template
from verienv.policies.hugging_face.tokens import Tensors, Tokens, padded, together

_MARKER = "\x1eRESPONSE\x1e"


def keep_freed_memory() -> None:
    """Let glibc keep the memory that tensors free. Handing it back each time costs a CPU a quarter of the run."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD, its greatest value
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


@dataclass
class HuggingFacePolicy:
    """A language or vision-language model with its tokenizer or processor, on one device.

    Attributes:
        sampling: how it answers when it is called; greedy by default.
        processor: what turns messages and pictures into tensors; None for a model of words.
        batch_size: dialogues answered together when it is called; by default 64 on a CPU and 512 on a GPU.
        autocast: whether the model computes in bfloat16, its weights as they are.
        generation_config: of the checkpoint, as its maker wrote it.
        seed: None for the same responses to the same dialogues; with an integer each call draws anew.
        generated_tokens: of all prompts, pictures included, and responses in sampling; read again or kept, they count.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_new_tokens: int = 48
    sampling: Sampling = GREEDY
    processor: ProcessorMixin | None = None
    batch_size: int | None = None
    autocast: bool = False
    generation_config: GenerationConfig | None = None
    seed: int | None = None
    generated_tokens: int = 0
    _calls: int = 0
    _cache: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        name: str,
        *,
        device: str = "auto",
        max_new_tokens: int = 48,
        sampling: Sampling = GREEDY,
        batch_size: int | None = None,
        dtype: Dtype | None = None,
        lora: int = 0,
        lora_alpha: float = 0.0,
        autocast: bool = False,
    ) -> HuggingFacePolicy:
        """Load a model, ready to play or to be trained.

        Args:
            name: built in (tiny-lm, gp-arithmetic, gp-rule; tiny-vlm and gp-sight see), a folder such as a checkpoint,
                or on the hub.
            device: "cpu", "cuda", "cuda:1", ...; "auto" takes a GPU if there is one.
            max_new_tokens: the longest response.
            sampling: how it answers when it is called.
            batch_size: dialogues answered together when it is called.
            dtype: of the weights; by default that of a checkpoint, else float32.
            lora: rank of an adapter that is trained in place of the model; a checkpoint that holds one goes on with it,
                asked or not.
            lora_alpha: the adapter's scale times its rank; 0 is twice the rank.
            autocast: compute in bfloat16.

        Raises:
            ValueError: in one line, where there is no such model, or it could not play.
        """
        keep_freed_memory()
        model, tokenizer, processor, own = loaded(name, device=device, dtype=dtype, lora=lora, alpha=lora_alpha)
        return cls(model, tokenizer, max_new_tokens, sampling, processor, batch_size, autocast, own)

    def __repr__(self) -> str:
        name = self.model.name_or_path or type(self.model).__name__
        adapter = " + adapter" * hasattr(self.model, "peft_config")
        return f"HuggingFacePolicy({name}{adapter}, {self.device}, {self.model.dtype}, {self.sampling})"

    @property
    def device(self) -> torch.device:
        return torch.device(self.model.device)

    @property
    def chances(self) -> list[torch.device]:
        """The devices besides the CPU whose generators sampling draws from."""
        return [self.device] if self.device.type == "cuda" else []

    @cached_property
    def special(self) -> SpecialTokens:
        """The texts that would be read as marks of turns and pictures."""
        return SpecialTokens.of(self.processor or self.tokenizer)

    @property
    def stops(self) -> list[int]:
        """The tokens that end a response."""
        end = self.model.generation_config.eos_token_id
        return list(end) if isinstance(end, list) else [int(end)]

    @cached_property
    def cuts_logits(self) -> bool:
        """Whether the model can make logits of the last tokens alone."""
        base = getattr(self.model, "get_base_model", lambda: self.model)()
        return "logits_to_keep" in signature(base.forward).parameters

    @property
    def context(self) -> int | None:
        """The tokens of the longest dialogue that the model takes, where its configuration says so."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

    def computing(self) -> Any:
        """Return the context in which the model computes: under autocast or plainly."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast)

    def opening(self, messages: Sequence[Message]) -> Tokens:
        """Return the tokens of a dialogue up to where the next response begins, and what it sees.

        With vision, an image part of a message holds its picture under "image", a PIL image.
        """
        text = self._rendered(messages)
        pictures = [part for message in messages for part in parts_of(message) if part["type"] == "image"]
        if self.processor is None:
            if pictures:
                raise ValueError(
                    f"the dialogue shows a picture, but a {self.model.config.model_type} model without vision cannot "
                    "see it; choose a vision-language model (--model tiny-vlm), or an environment in words (-L-)"
                )
            return Tokens(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        images = [[part["image"] for part in pictures]] if pictures else None
        seen = dict(self.processor(text=[text], images=images, add_special_tokens=False, return_tensors="pt"))
        first = next((index for index, one in enumerate(messages) if one["role"] == "assistant"), None)
        if "labels" in seen and first:  # PaliGemma reads what its processor is given at once; responses come in order
            rest = text.removeprefix(self._rendered(messages[:first]))
            later: list[int] = self.tokenizer(rest, add_special_tokens=False)["input_ids"]
            return self.opening(messages[:first]) + later
        ids, _ = seen.pop("input_ids")[0].tolist(), seen.pop("attention_mask", None)
        kept = {name: one.to(self.model.dtype) if one.is_floating_point() else one for name, one in seen.items()}
        return Tokens(ids, kept)

    def continuation(self, messages: Sequence[Message], response: Sequence[int]) -> list[int]:
        """Return the tokens between the newest response and where the next one begins: its end, and the feedback.

        ``messages`` ends with the assistant's response and the user's feedback; ``response`` are its sampled tokens.
        """
        text = self._rendered([*messages[:-2], {**last_response(messages), "content": _MARKER}, messages[-1]])
        tail = text.rsplit(_MARKER, 1)[1]
        if tail not in self._cache:
            self._cache[tail] = list(self.tokenizer(tail, add_special_tokens=False)["input_ids"])
        ids = self._cache[tail]
        return ids[1:] if response and ids and response[-1] == ids[0] and ids[0] in self.stops else ids

    @cached_property
    def _suited(self) -> Callable[[list[Message]], list[Message]]:
        return for_template(self.processor or self.tokenizer, in_parts=self.processor is not None)

    def _rendered(self, messages: Sequence[Message]) -> str:
        """Return the text of a dialogue, in which no words are special tokens. Processors want parts."""
        told = self._suited(self.special.taken_out_of(messages))
        if self.processor is None:
            return str(self.tokenizer.apply_chat_template(told, add_generation_prompt=True, tokenize=False))
        spoken = [{**message, "content": parts_of(message)} for message in told]
        return str(self.processor.apply_chat_template(spoken, add_generation_prompt=True, tokenize=False))

    def text(self, response: Sequence[int]) -> str:
        """Return the words of a response."""
        return str(self.tokenizer.decode(list(response), skip_special_tokens=True))

    def batch(self, rows: Sequence[Sequence[int]], *, left: bool = False) -> Tensors:
        """Return what the model takes in for these rows: ids and mask (rows, longest), and what they see."""
        ids, mask = padded(rows, self.tokenizer.pad_token_id, left=left, device=self.device)
        seen = together([getattr(row, "vision", {}) for row in rows], mask)
        return {"input_ids": ids, "attention_mask": mask, **seen}

    @torch.inference_mode()
    def sample(
        self, prompts: Sequence[Sequence[int]], how: Sampling | float, kept: PrefixCache | None = None
    ) -> tuple[list[list[int]], list[list[float]]]:
        """Return responses to a batch of prompts, as tokens with the stop, and the log-probability of each token.

        Log-probabilities are at temperature 1 unless sampled at another (``how``, which may be a temperature alone).
        Sampling draws from torch's global generator. Of dialogues in ``kept``, from call to call, only what is new is
        read. Raises FloatingPointError where a log-probability of a response is not finite.
        """
        how, longest, cache = how if isinstance(how, Sampling) else Sampling(how), self.max_new_tokens, None
        with self.computing():
            if self.processor is None or self.model.config.model_type in LIKE_LLAVA:
                batch, cache = (kept or PrefixCache(self)).begun(prompts)
                tokens, logprobs = sampled(self.model, batch, how, self.stops, longest, cache)
            else:
                batch, fill = self.batch(prompts, left=True), self.tokenizer.pad_token_id
                tokens, logprobs = generated(self.model, batch, how, self.stops, longest, fill)
        stopped = torch.isin(tokens, torch.tensor(self.stops, device=self.device))
        lengths = torch.where(stopped.any(1), stopped.int().argmax(1) + 1, tokens.shape[1]).tolist()
        self.generated_tokens += sum(lengths) + sum(map(len, prompts))
        cut = [[row[:end] for row, end in zip(rows.tolist(), lengths, strict=True)] for rows in (tokens, logprobs)]
        if not all(torch.tensor(row).isfinite().all() for row in cut[1]):
            raise FloatingPointError("the model's log-probabilities are not finite: its weights are broken")
        if kept and cache:
            kept.keep(cache, prompts, cut[0])
        return cut[0], cut[1]

    def __call__(self, dialogues: Sequence[Sequence[Message]]) -> list[str]:
        """Return responses, as ``verienv.evaluate`` asks for them: without ``seed`` the same to the same dialogues."""
        return [self.text(response) for response in self.responses(dialogues)]

    def responses(self, dialogues: Sequence[Sequence[Message]]) -> list[list[int]]:
        """Return responses as tokens, which tell one that ended (its last one is among ``stops``) from one cut off."""
        openings = [self.opening(dialogue) for dialogue in dialogues]
        self._demand_room(openings)
        size = self.batch_size or (64 if self.device.type == "cpu" else 512)
        by_length = sorted(range(len(openings)), key=lambda index: len(openings[index]))  # less padding
        said = list[list[int]]([] for _ in openings)
        drawing = "" if self.seed is None else f"{self.seed} {self._calls} "
        self._calls += 1
        seed = crc32(f"{drawing}{openings!r}".encode())
        for seen in (tensor for opening in openings for tensor in opening.vision.values()):
            seed = crc32(seen.float().numpy().tobytes(), seed)
        with evaluating(self.model), torch.random.fork_rng(self.chances):
            torch.manual_seed(seed)
            for start in range(0, len(openings), size):
                chosen = by_length[start : start + size]
                responses, _ = self.sample([openings[index] for index in chosen], self.sampling)
                for index, response in zip(chosen, responses, strict=True):
                    said[index] = response
        return said

    def _demand_room(self, openings: Sequence[Tokens]) -> None:
        most = self.context
        asked = max(map(len, openings), default=0)
        if most and asked + self.max_new_tokens > most:
            raise ValueError(
                f"a dialogue of {asked} tokens and max_new_tokens={self.max_new_tokens} exceed the {most} tokens of "
                "the model's context; allow fewer new tokens or fewer attempts"
            )

    def save(self, folder: Path, weights: dict[str, Any] | None = None) -> None:
        """Save model or adapter, tokenizer or processor, readable by ``load``; the folder appears whole or not at all.

        ``weights`` are the model's where it holds but a shard of them.
        """
        partial = folder.with_name(folder.name + ".partial")
        how: dict[str, Any] = {"save_embedding_layers": False} if hasattr(self.model, "peft_config") else {}
        if weights is not None:
            how["state_dict"] = weights
        self.model.save_pretrained(partial, **how)
        if self.generation_config and not hasattr(self.model, "peft_config"):
            self.generation_config.to_json_file(partial / "generation_config.json")  # the model's own may be cut down
        (self.processor or self.tokenizer).save_pretrained(partial)
        if self.model.dtype != torch.float32:
            (partial / "policy.json").write_text(json.dumps({"dtype": str(self.model.dtype).removeprefix("torch.")}))
        partial.rename(folder)


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """The model in evaluation mode for a while."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
