"""The policy of the example scripts: a Hugging Face language or vision-language model as a batched sampler.

A dialogue is a list of chat messages. Its tokens grow by pieces (question, response, feedback, response, ...) so that
what is trained on is, token for token, what was sampled. The pictures of its opening travel with its tokens.
"""

from __future__ import annotations

import ctypes
import json
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import torch
from torch import Tensor
from torch.nn.functional import log_softmax
from transformers import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessor,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    ProcessorMixin,
)
from transformers.utils import logging as transformers_logging

from arguments import usable_device
from cache import roomy_cache
from checkpoints import BUILT_IN, demand_whole, kept_in, path_of
from endings import Stop, first_line, lacks_memory
from finite import are_finite
from verienv.core.dialogue import Message, parts_of
from verienv.core.special_tokens import SpecialTokens

LIKE_LLAVA = ("llava",)
"""Model types that read pictures once, in the first pass, and go on as a language model does."""
Dtype = Literal["float32", "bfloat16"]
Seen = dict[str, Tensor]
"""Tensors by the names under which the model takes them."""
_MARKER = "\x1eRESPONSE\x1e"
_ALONG_TOKENS = ("token_type_ids", "cross_attention_mask")  # how their names end
_NEVER = -1e4  # as a logit: finite, since 0 times infinity is not a number


def keep_freed_memory() -> None:
    """Let glibc keep the memory that tensors free. Handing it back each time costs a CPU a quarter of the run."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD, its greatest value
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


keep_freed_memory()


class Tokens(list[int]):
    """A dialogue's token ids and, in ``seen``, what the processor made of its pictures: its other tensors, of batch 1.

    Tokens that are added (``+`` and ``+=``) leave ``seen`` as it is: only openings hold pictures.
    """

    def __init__(self, ids: Iterable[int] = (), seen: Seen | None = None) -> None:
        super().__init__(ids)
        self.seen: Seen = seen or {}

    def __add__(self, more: Sequence[int]) -> Tokens:
        return Tokens([*self, *more], self.seen)


@dataclass
class Policy:
    """A language or vision-language model with its tokenizer or processor, on one device."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_new_tokens: int = 48
    temperature: float = 0.0
    """At which it answers when it is called; 0 is greedy."""
    processor: ProcessorMixin | None = None
    """What turns messages and pictures into tensors; None for a model without vision."""
    generated_tokens: int = 0
    """Tokens that have passed the model in sampling, prompts and pictures included: what generation cost."""
    _cache: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def load(
        cls, name: str, *, device: str = "auto", max_new_tokens: int = 48, dtype: Dtype | None = None, lora: int = 0
    ) -> Policy:
        """The model of that name or path, ready to be trained. A kind error where there is none.

        ``name`` is built in (``tiny-lm``; ``tiny-vlm``, which sees), a folder such as a checkpoint, or one on the hub.
        ``dtype`` is by default that of a checkpoint, else float32. ``lora`` is the rank of an adapter that is trained
        in place of the model; a checkpoint that holds one goes on with it, asked or not.
        """
        transformers_logging.disable_progress_bar()
        device, path = usable_device(device), path_of(name)
        try:
            adapter = kept_in(path, "adapter_config.json")
            base = path_of(adapter.get("base_model_name_or_path", name))
            dtype = dtype or kept_in(path, "policy.json").get("dtype", "float32")
            config = AutoConfig.from_pretrained(base)
            sees = type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING or hasattr(config, "vision_config")
            reader = (AutoProcessor if sees else AutoTokenizer).from_pretrained(base, padding_side="left")
            kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
            model, told = kind.from_pretrained(base, dtype=getattr(torch, dtype), output_loading_info=True)
            tokenizer = reader.tokenizer if sees else reader
            reader.chat_template = reader.chat_template or tokenizer.chat_template
        except Exception as error:  # a damaged file or an unknown name raises many kinds
            if lacks_memory(error):
                raise
            if "torchvision" in str(error).lower():
                raise Stop(
                    f"the processor of {name!r} needs torchvision, which is not installed: pip install torchvision "
                    "(the build that fits your torch), or choose a family that works without, such as LLaVA or Idefics3"
                ) from None
            raise Stop(
                f"cannot load the model {name!r} ({first_line(error)}); give {' or '.join(BUILT_IN)}, a folder with a "
                "saved language or vision-language model, or the name of one that can be downloaded or is in the cache"
            ) from None
        demand_whole(name, model, reader, tokenizer, told["missing_keys"])
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        if model.generation_config.eos_token_id is None:
            model.generation_config.eos_token_id = tokenizer.eos_token_id
        if sees:
            never_say_pictures(model)
            if model.config.model_type not in LIKE_LLAVA:  # it generates without its makers' penalties and cut-offs
                ends = {"eos_token_id": model.generation_config.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
                model.generation_config = GenerationConfig(**ends)
        if adapter or lora:
            model = with_adapter(model, path if adapter else None, name, adapter.get("r", lora), asked=lora)
        model.to(device).eval()
        return cls(model, tokenizer, max_new_tokens, processor=reader if sees else None)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @cached_property
    def special(self) -> SpecialTokens:
        """The texts that would be read as marks of turns and pictures."""
        return SpecialTokens.of(self.processor or self.tokenizer)

    @property
    def stops(self) -> list[int]:
        """The tokens that end a response."""
        end = self.model.generation_config.eos_token_id
        return list(end) if isinstance(end, list) else [int(end)]

    def opening(self, messages: Sequence[Message]) -> Tokens:
        """The tokens of a dialogue up to where the next response begins, and what it sees.

        With vision, an image part of a message holds its picture under "image", a PIL image.
        """
        text = self._rendered(messages)
        pictures = [part for message in messages for part in parts_of(message) if part["type"] == "image"]
        if self.processor is None:
            if pictures:
                raise Stop(
                    f"the dialogue shows a picture, but a {self.model.config.model_type} model without vision cannot "
                    "see it; choose a vision-language model (--model tiny-vlm), or an environment in words (-L-)"
                )
            return Tokens(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        images = [[part["image"] for part in pictures]] if pictures else None
        seen = dict(self.processor(text=[text], images=images, add_special_tokens=False, return_tensors="pt"))
        ids, _ = seen.pop("input_ids")[0].tolist(), seen.pop("attention_mask", None)
        kept = {name: one.to(self.model.dtype) if one.is_floating_point() else one for name, one in seen.items()}
        return Tokens(ids, kept)

    def continuation(self, messages: Sequence[Message], response: Sequence[int]) -> list[int]:
        """The tokens between the newest response and where the next one begins: its end, and the feedback.

        ``messages`` ends with the assistant's response and the user's feedback; ``response`` are its sampled tokens.
        """
        text = self._rendered([*messages[:-2], {**messages[-2], "content": _MARKER}, messages[-1]])
        tail = text.rsplit(_MARKER, 1)[1]
        if tail not in self._cache:
            self._cache[tail] = list(self.tokenizer(tail, add_special_tokens=False)["input_ids"])
        ids = self._cache[tail]
        return ids[1:] if response and ids and response[-1] == ids[0] and ids[0] in self.stops else ids

    def _rendered(self, messages: Sequence[Message]) -> str:
        """The text of a dialogue, in which no words are special tokens. Processors want parts."""
        told = self.special.taken_out_of(messages)
        if self.processor is None:
            return str(self.tokenizer.apply_chat_template(told, add_generation_prompt=True, tokenize=False))
        spoken = [{**message, "content": parts_of(message)} for message in told]
        return str(self.processor.apply_chat_template(spoken, add_generation_prompt=True, tokenize=False))

    def text(self, response: Sequence[int]) -> str:
        return str(self.tokenizer.decode(response, skip_special_tokens=True))

    def batch(self, rows: Sequence[Sequence[int]], *, left: bool = False) -> Seen:
        """What the model takes in for these rows: ids and mask (rows, longest), and what they see."""
        ids, mask = padded(rows, self.tokenizer.pad_token_id, left=left, device=self.device)
        seen = together([getattr(row, "seen", {}) for row in rows], mask)
        return {"input_ids": ids, "attention_mask": mask, **seen}

    @torch.inference_mode()
    def sample(self, prompts: Sequence[Sequence[int]], temperature: float) -> tuple[list[list[int]], list[list[float]]]:
        """Responses to a batch of prompts, as tokens with the stop, and the log-probability of each token.

        Log-probabilities are at temperature 1 unless sampled at another, greedy is temperature 0. Sampling draws
        from torch's global generator. Raises FloatingPointError where one of a response is not finite.
        """
        batch = self.batch(prompts, left=True)
        by_hand = self.processor is None or self.model.config.model_type in LIKE_LLAVA
        tokens, logprobs = (self._sampled if by_hand else self._generated)(batch, temperature)
        stopped = torch.isin(tokens, torch.tensor(self.stops, device=self.device))
        lengths = torch.where(stopped.any(1), stopped.int().argmax(1) + 1, tokens.shape[1]).tolist()
        self.generated_tokens += sum(lengths) + sum(map(len, prompts))
        cut = [[row[:end] for row, end in zip(rows.tolist(), lengths, strict=True)] for rows in (tokens, logprobs)]
        if not all(torch.tensor(row).isfinite().all() for row in cut[1]):
            raise FloatingPointError("the model's log-probabilities are not finite: its weights are broken")
        return cut[0], cut[1]

    def _sampled(self, batch: Seen, temperature: float) -> tuple[Tensor, Tensor]:
        """Tokens and log-probabilities, each (rows, steps); after a row's stop they mean nothing."""
        inputs, mask = dict(batch), batch["attention_mask"]
        stops = torch.tensor(self.stops, device=self.device)
        done = torch.zeros(len(mask), dtype=torch.bool, device=self.device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        tokens, logprobs, cache = [], [], roomy_cache(self.model, self.max_new_tokens)
        for _ in range(self.max_new_tokens):
            inputs |= {"attention_mask": mask, "position_ids": positions}
            output = self.model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
            scores = log_softmax(output.logits[:, -1].float() / (temperature or 1.0), dim=-1)
            drawn = scores.exp().nan_to_num(1.0).multinomial(1) if temperature else scores.argmax(1, keepdim=True)
            tokens.append(drawn)
            logprobs.append(scores.gather(1, drawn))
            done |= torch.isin(drawn.squeeze(1), stops)
            if done.all():
                break
            inputs, positions = {"input_ids": drawn}, positions[:, -1:] + 1  # pictures are read in the first pass
            mask = torch.cat([mask, torch.ones_like(drawn)], dim=1)
        return torch.cat(tokens, dim=1), torch.cat(logprobs, dim=1)

    def _generated(self, batch: Seen, temperature: float) -> tuple[Tensor, Tensor]:
        """As ``_sampled``, for families with positions or caches of their own, which only their ``generate`` knows."""
        recorder = Recorder(temperature)
        rows = self.model.generate(
            **batch, max_new_tokens=self.max_new_tokens, do_sample=temperature > 0, temperature=1.0, top_k=0, top_p=1.0,
            eos_token_id=self.stops, pad_token_id=self.tokenizer.pad_token_id, logits_processor=[recorder],
        )  # fmt: skip
        recorder.record(rows[:, -1])
        return rows[:, batch["input_ids"].shape[1] :], torch.stack(recorder.logprobs, dim=1)

    def __call__(self, dialogues: Sequence[Sequence[Message]]) -> list[str]:
        """Responses: the policy as ``verienv.evaluate`` calls it. The same dialogues get the same responses."""
        openings = [self.opening(dialogue) for dialogue in dialogues]
        together = 64 if self.device.type == "cpu" else 512  # of like length: fewer is less padding
        by_length = sorted(range(len(openings)), key=lambda index: len(openings[index]))
        said = [""] * len(openings)
        seed = crc32(repr(openings).encode())
        for seen in (tensor for opening in openings for tensor in opening.seen.values()):
            seed = crc32(seen.float().numpy().tobytes(), seed)
        with evaluating(self.model), torch.random.fork_rng(enabled=self.temperature > 0):
            torch.manual_seed(seed)
            for start in range(0, len(openings), together):
                chosen = by_length[start : start + together]
                responses, _ = self.sample([openings[index] for index in chosen], self.temperature)
                for index, response in zip(chosen, responses, strict=True):
                    said[index] = self.text(response)
        return said

    def save(self, folder: Path) -> None:
        """Model or adapter, tokenizer or processor, readable by ``load``; the folder appears whole or not at all."""
        partial = folder.with_name(folder.name + ".partial")
        adapted = hasattr(self.model, "peft_config")
        self.model.save_pretrained(partial, **({"save_embedding_layers": False} if adapted else {}))
        (self.processor or self.tokenizer).save_pretrained(partial)
        if self.model.dtype != torch.float32:
            (partial / "policy.json").write_text(json.dumps({"dtype": str(self.model.dtype).removeprefix("torch.")}))
        partial.rename(folder)


class Recorder(LogitsProcessor):
    """Of what ``generate`` samples, the log-probability of each token; of the scores, only the newest are kept."""

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature or 1.0
        self.scores: Tensor | None = None
        self.logprobs: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores to sample from. The newest token of ``input_ids`` was drawn from those before."""
        self.record(input_ids[:, -1])
        self.scores = log_softmax(scores.float() / self.temperature, dim=-1)
        return self.scores.nan_to_num(0.0)  # what is not a number is drawn all the same, and found in the record

    def record(self, drawn: Tensor) -> None:
        if self.scores is not None:
            self.logprobs.append(self.scores.gather(1, drawn[:, None]).squeeze(1))


def never_say_pictures(model: PreTrainedModel) -> None:
    """Leave the tokens that stand for pictures out of what can be sampled: there is no picture to put in their place.

    It is done where logits are made, so that sampling and training agree on the probabilities of the others.
    """
    names = ("image_token_id", "image_token_index", "video_token_id")
    head = model.get_output_embeddings()
    ids = {getattr(model.config, name, None) for name in names} & set(range(head.weight.shape[0]))
    never = torch.tensor(sorted(ids), dtype=torch.long)
    head.register_forward_hook(lambda _, __, logits: logits.index_fill_(-1, never.to(logits.device), _NEVER))


def with_adapter(model: PreTrainedModel, path: str | None, name: str, rank: int, asked: int) -> Any:
    """The model with a checkpoint's adapter or, without ``path``, a new one (LoRA, arXiv 2106.09685; alpha 2 ranks)."""
    try:
        import peft
    except ImportError:
        raise Stop("--lora, and checkpoints of runs with it, need peft, which is missing: pip install peft") from None
    if asked not in (0, rank):
        raise Stop(f"{name!r} holds an adapter of rank {rank}, not {asked}; give --lora {rank}, or leave it out")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning
        )  # peft asks for it
        try:
            if path:
                adapted = peft.PeftModel.from_pretrained(model, path, is_trainable=True)
                if are_finite(trainable(adapted)).isnan():
                    raise ValueError("its weights are not finite")
                return adapted
        except Exception as error:  # a damaged file, or one of another model, raises many kinds
            raise Stop(
                f"the adapter in {name!r} cannot be put on its model ({first_line(error)}); take another"
            ) from None
        config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
        adapted = peft.get_peft_model(model, config)
    base = str(Path(name).resolve()) if Path(name).is_dir() else name
    adapted.peft_config["default"].base_model_name_or_path = base
    return adapted


def checkpoint_gradients(model: Any) -> None:
    """Compute activations again in the backward pass in place of keeping them.

    transformers does so in training mode only, which also means dropout; here it is a mode of the layers that keep
    activations, not of those in them.
    """
    named = "activation_checkpointing_enable"
    getattr(model, named if hasattr(model, named) else "gradient_checkpointing_enable")({"use_reentrant": False})
    for module in model.modules():
        module.training |= getattr(module, "gradient_checkpointing", False)


def trainable(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    """The parameters that an optimiser moves: all, or those of the adapter."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


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


def together(seen: Sequence[Seen], mask: Tensor) -> Seen:
    """What several dialogues see, for a batch with this mask.

    Tensors of pictures are put end to end. Those along the tokens are padded as the tokens are, and a token that came
    after the opening is as the opening's last one.
    """
    batch: Seen = {}
    for name in sorted({name for one in seen for name in one}):
        parts = [one.get(name) for one in seen]
        given = [part for part in parts if part is not None]
        if not name.endswith(_ALONG_TOKENS):
            batch[name] = torch.cat(given).to(mask.device)
            continue
        batch[name] = given[0].new_zeros((*mask.shape, *given[0].shape[2:])).to(mask.device)
        for row, part in enumerate(parts):
            if part is not None:
                begin, length = int(mask[row].argmax()), int(mask[row].sum())
                last = part[0, -1:].expand(length - part.shape[1], *part.shape[2:])
                batch[name][row, begin : begin + length] = torch.cat([part[0], last]).to(mask.device)
    return batch


def padded(
    rows: Sequence[Sequence[int]], fill: int, *, left: bool = False, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Rows of differing length as one tensor (rows, longest), and the mask of what is not filling."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), fill)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for index, row in enumerate(rows):
        where = slice(longest - len(row), longest) if left else slice(0, len(row))
        ids[index, where] = torch.tensor(list(row))
        mask[index, where] = 1
    return ids.to(device), mask.to(device)


def parameters_of(model: torch.nn.Module) -> int:
    """Parameters, the N of the FLOPs formulas: training a token costs 6 N, generating or reading one 2 N."""
    return sum(parameter.numel() for parameter in model.parameters())
