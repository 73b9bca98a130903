"""The policy of the example scripts: any Hugging Face causal language model, by name or path, as a batched sampler.

A dialogue is a list of chat messages. Its tokens grow by pieces (question, response, feedback, response, ...) so that
what is trained on is, token for token, what was sampled.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import torch
from torch import Tensor
from torch.nn.functional import log_softmax
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from verienv.core.assets import asset_path
from verienv.core.dialogue import Message

BUILT_IN = "tiny-lm"
_MARKER = "\x1eRESPONSE\x1e"


def keep_freed_memory() -> None:
    """Let glibc keep the memory that tensors free. Handing it back each time costs a CPU a quarter of the run."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-3, 2**25)  # M_MMAP_THRESHOLD, its greatest value
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


keep_freed_memory()


class Stop(SystemExit):
    """An error that the user can mend: one line on the terminal, exit status 2."""

    def __init__(self, message: str) -> None:
        print(f"error: {message}", file=sys.stderr)
        super().__init__(2)


@dataclass
class Policy:
    """A causal language model with its tokenizer, on one device."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_new_tokens: int = 48
    temperature: float = 0.0
    """At which it answers when it is called; 0 is greedy."""
    generated_tokens: int = 0
    """Tokens that have passed the model in sampling, prompts included: what generation cost."""
    _cache: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str, *, device: str = "auto", max_new_tokens: int = 48) -> Policy:
        """The model of that name or path; ``tiny-lm`` is the built-in one. A kind error where there is none."""
        path = str(asset_path(f"models/{name}")) if name == BUILT_IN else name
        transformers_logging.disable_progress_bar()
        device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        try:
            tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
            model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        except Exception as error:  # a damaged file or an unknown name raises many kinds
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise Stop(
                f"cannot load the model {name!r} ({reason}); give {BUILT_IN}, a folder with a saved causal language "
                "model, or the name of one that can be downloaded or is in the cache"
            ) from None
        if not tokenizer.chat_template:
            raise Stop(f"the tokenizer of {name!r} has no chat template; choose an instruction-tuned model")
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.to(device).eval()
        if model.generation_config.eos_token_id is None:
            model.generation_config.eos_token_id = tokenizer.eos_token_id
        return cls(model, tokenizer, max_new_tokens)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def stops(self) -> list[int]:
        """The tokens that end a response."""
        end = self.model.generation_config.eos_token_id
        return list(end) if isinstance(end, list) else [int(end)]

    def opening(self, messages: Sequence[Message]) -> list[int]:
        """The tokens of a dialogue up to where the next response begins."""
        text = self.tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def continuation(self, messages: Sequence[Message], response: Sequence[int]) -> list[int]:
        """The tokens between the newest response and where the next one begins: its end, and the feedback.

        ``messages`` ends with the assistant's response and the user's feedback; ``response`` are its sampled tokens.
        """
        marked = [*messages[:-2], {**messages[-2], "content": _MARKER}, messages[-1]]
        text = self.tokenizer.apply_chat_template(marked, add_generation_prompt=True, tokenize=False)
        tail = text.rsplit(_MARKER, 1)[1]
        if tail not in self._cache:
            self._cache[tail] = list(self.tokenizer(tail, add_special_tokens=False)["input_ids"])
        ids = self._cache[tail]
        return ids[1:] if response and ids and response[-1] == ids[0] and ids[0] in self.stops else ids

    def text(self, response: Sequence[int]) -> str:
        return str(self.tokenizer.decode(response, skip_special_tokens=True))

    @torch.inference_mode()
    def sample(self, prompts: Sequence[Sequence[int]], temperature: float) -> tuple[list[list[int]], list[list[float]]]:
        """Responses to a batch of prompts, as tokens with the stop, and the log-probability of each token.

        Log-probabilities are at temperature 1 unless sampled at another, greedy is temperature 0. Sampling draws
        from torch's global generator.
        """
        ids, mask = padded(prompts, self.tokenizer.pad_token_id, left=True, device=self.device)
        rows = len(prompts)
        stops = torch.tensor(self.stops, device=self.device)
        tokens = torch.full((rows, self.max_new_tokens), -1, device=self.device)
        logprobs = torch.zeros((rows, self.max_new_tokens), device=self.device)
        done = torch.zeros(rows, dtype=torch.bool, device=self.device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache = None
        for step in range(self.max_new_tokens):
            output = self.model(
                input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True,
                logits_to_keep=1,
            )  # fmt: skip
            cache = output.past_key_values
            scores = log_softmax(output.logits[:, -1].float() / (temperature or 1.0), dim=-1)
            drawn = scores.exp().multinomial(1).squeeze(1) if temperature else scores.argmax(1)
            tokens[:, step] = torch.where(done, -1, drawn)
            logprobs[:, step] = scores.gather(1, drawn[:, None]).squeeze(1)
            done |= torch.isin(drawn, stops)
            if done.all():
                break
            ids, positions = drawn[:, None], positions[:, -1:] + 1
            mask = torch.cat([mask, torch.ones((rows, 1), dtype=mask.dtype, device=self.device)], dim=1)
        kept = [row[row >= 0].tolist() for row in tokens]
        self.generated_tokens += sum(map(len, kept)) + sum(map(len, prompts))
        return kept, [row[: len(ids)].tolist() for row, ids in zip(logprobs, kept, strict=True)]

    def __call__(self, dialogues: Sequence[Sequence[Message]]) -> list[str]:
        """Responses: the policy as ``verienv.evaluate`` calls it. The same dialogues get the same responses."""
        openings = [self.opening(dialogue) for dialogue in dialogues]
        together = 64 if self.device.type == "cpu" else 512  # of like length: fewer is less padding
        by_length = sorted(range(len(openings)), key=lambda index: len(openings[index]))
        said = [""] * len(openings)
        with evaluating(self.model), torch.random.fork_rng(enabled=self.temperature > 0):
            torch.manual_seed(crc32(repr(openings).encode()))
            for start in range(0, len(openings), together):
                chosen = by_length[start : start + together]
                responses, _ = self.sample([openings[index] for index in chosen], self.temperature)
                for index, response in zip(chosen, responses, strict=True):
                    said[index] = self.text(response)
        return said

    def save(self, folder: Path) -> None:
        """Model and tokenizer, readable by ``load``; the folder appears whole or not at all."""
        partial = folder.with_name(folder.name + ".partial")
        self.model.save_pretrained(partial)
        self.tokenizer.save_pretrained(partial)
        partial.rename(folder)


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """The model in evaluation mode for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


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
