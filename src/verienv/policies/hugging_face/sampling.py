"""How responses are sampled: the options, and two loops that give the log-probability of every token.

What is sampled is trained on, so sampling and training must agree on the probability of a token; ``generate`` alone
does not tell it, and its makers' penalties would change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from verienv.policies.hugging_face.tokens import Tensors

LIKE_LLAVA = ("llava",)
"""Model types that read pictures once, in the first pass, and go on as a language model does."""
Drawn = tuple[Tensor, Tensor]
"""Tokens and their log-probabilities, each (rows, steps); after a row's stop they mean nothing."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. The default is greedy.

    Log-probabilities are those of the whole distribution at the temperature, whatever is cut off before drawing.
    """

    temperature: float = 0.0
    """0 draws the likeliest token."""
    top_p: float = 1.0
    """Draws from the likeliest tokens that hold this probability together."""
    top_k: int = 0
    """Draws from so many likeliest tokens; 0 from all."""
    repetition_penalty: float = 1.0
    """Divides the scores of tokens that are there already (arXiv 1909.05858); 1 leaves them."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, int if name == "top_k" else (int, float)):
                raise ValueError(f"{name}={value!r}: expected {'an integer' if name == 'top_k' else 'a number'}")
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature={self.temperature!r}: expected 0 (greedy) or a positive number")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p!r}: expected a number above 0, at most 1")
        if self.top_k < 0:
            raise ValueError(f"top_k={self.top_k!r}: expected 0 (all tokens) or a positive integer")
        if not 0 < self.repetition_penalty < float("inf"):
            raise ValueError(f"repetition_penalty={self.repetition_penalty!r}: expected a positive number")

    @classmethod
    def of_checkpoint(cls, config: GenerationConfig) -> Sampling:
        """Return the sampling that a checkpoint's generation_config.json asks for.

        Raises:
            ValueError: for one that asks for what is not done here.
        """
        others = [name for name, idle in NOT_DONE.items() if getattr(config, name, None) not in (None, idle)]
        if others:
            asked = ", ".join(f"{name}={getattr(config, name)!r}" for name in others)
            raise ValueError(
                f"the checkpoint's generation_config.json asks for {asked[:200]}, but verienv samples by temperature, "
                "top_p, top_k and repetition_penalty; give --temperature and --top-p of your own"
            )
        penalty = config.repetition_penalty or 1.0
        if not config.do_sample:
            return cls(repetition_penalty=penalty)
        top_k = 50 if config.top_k is None else config.top_k  # 50 is what transformers takes where none is named
        return cls(1.0 if config.temperature is None else config.temperature, config.top_p or 1.0, top_k, penalty)

    def cut(self) -> LogitsProcessorList:
        """Return what is done to logits before a token is drawn of them, as ``generate`` does."""
        cuts = LogitsProcessorList()
        if self.repetition_penalty != 1.0:
            cuts.append(RepetitionPenaltyLogitsProcessor(self.repetition_penalty))
        if self.temperature and self.top_k:
            cuts.append(TopKLogitsWarper(self.top_k))
        if self.temperature and self.top_p < 1.0:
            cuts.append(TopPLogitsWarper(self.top_p))
        if cuts and self.temperature not in (0.0, 1.0):  # top_p is of the probabilities at the temperature
            cuts.insert(len(cuts) - (self.top_k > 0) - (self.top_p < 1.0), TemperatureLogitsWarper(self.temperature))
        return cuts

    def __str__(self) -> str:
        """Tell it in words, which stand in logs."""
        if not self.temperature:
            told = ["greedy"]
        else:
            told = [f"temperature {self.temperature:g}"]
            told += [f"top-p {self.top_p:g}"] * (self.top_p < 1) + [f"top-k {self.top_k}"] * (self.top_k > 0)
        return ", ".join(told + [f"repetition penalty {self.repetition_penalty:g}"] * (self.repetition_penalty != 1))


GREEDY = Sampling()
NOT_DONE = {
    "num_beams": 1, "min_p": 0, "typical_p": 1.0, "epsilon_cutoff": 0.0, "eta_cutoff": 0.0, "top_h": 1.0,
    "no_repeat_ngram_size": 0, "encoder_repetition_penalty": 1.0, "encoder_no_repeat_ngram_size": 0, "min_length": 0,
    "bad_words_ids": [], "sequence_bias": {}, "suppress_tokens": [], "begin_suppress_tokens": [], "min_new_tokens": 0,
    "forced_bos_token_id": None, "forced_eos_token_id": None, "exponential_decay_length_penalty": None,
    "guidance_scale": 1, "watermarking_config": None, "penalty_alpha": 0.0, "dola_layers": None,
}  # fmt: skip
"""Options of generation that change what is drawn and are not heeded here, with the values that change nothing."""


def sampled(model: Any, batch: Tensors, how: Sampling, stops: list[int], longest: int, cache: DynamicCache) -> Drawn:
    """Sample by a loop of its own, with room in the cache: as fast as a small model can be sampled.

    The first tokens of the batch are not read where the cache holds them.
    """
    mask, known = batch["attention_mask"], cache.get_seq_length()
    inputs = {**batch, "input_ids": batch["input_ids"][:, known:]}
    ends, cuts = torch.tensor(stops, device=mask.device), how.cut()
    done = torch.zeros(len(mask), dtype=torch.bool, device=mask.device)
    positions, ids = positions_of(mask)[:, known:], without_padding(batch["input_ids"], mask)
    tokens: list[Tensor] = []
    logprobs: list[Tensor] = []
    for _ in range(longest):
        inputs |= {"attention_mask": mask, "position_ids": positions}
        output = model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
        logits = output.logits[:, -1].float()
        scores = weighed = log_softmax(logits / (how.temperature or 1.0), dim=-1)
        if cuts:
            weighed = log_softmax(cuts(torch.cat([ids, *tokens], dim=1), logits), dim=-1)
        drawn = weighed.exp().nan_to_num(1.0).multinomial(1) if how.temperature else weighed.argmax(1, keepdim=True)
        tokens.append(drawn)
        logprobs.append(scores.gather(1, drawn))
        done |= torch.isin(drawn.squeeze(1), ends)
        if done.all():
            break
        inputs, positions = {"input_ids": drawn}, positions[:, -1:] + 1  # pictures are read in the first pass
        mask = torch.cat([mask, torch.ones_like(drawn)], dim=1)
    return torch.cat(tokens, dim=1), torch.cat(logprobs, dim=1)


def generated(model: Any, batch: Tensors, how: Sampling, stops: list[int], longest: int, fill: int) -> Drawn:
    """Sample as ``sampled`` does, for families with positions or caches of their own, which only ``generate`` knows."""
    recorder = Recorder(how, batch["attention_mask"])
    rows = model.generate(
        **batch, max_new_tokens=longest, do_sample=how.temperature > 0, temperature=1.0, top_k=0, top_p=1.0,
        eos_token_id=stops, pad_token_id=fill, logits_processor=LogitsProcessorList([recorder]),
    )  # fmt: skip
    recorder.record(rows[:, -1])
    return rows[:, batch["input_ids"].shape[1] :], torch.stack(recorder.logprobs, dim=1)


def positions_of(mask: Tensor) -> Tensor:
    """Return the positions of tokens in their rows, (rows, tokens), from 0, whatever the padding."""
    return (mask.cumsum(1) - 1).clamp(min=0)


def without_padding(ids: Tensor, mask: Tensor) -> Tensor:
    """Return prompts, padded on the left, with a token of their own there: a penalty is for tokens that they hold."""
    asked = mask.shape[1]
    return torch.cat([ids[:, :asked].where(mask > 0, ids[:, asked - 1 : asked]), ids[:, asked:]], dim=1)


class Recorder(LogitsProcessor):
    """Keeps the log-probability of each token that ``generate`` samples; of the scores, only the newest."""

    def __init__(self, how: Sampling, mask: Tensor) -> None:
        self.temperature, self.cuts, self.mask = how.temperature or 1.0, how.cut(), mask
        self.scores: Tensor | None = None
        self.logprobs: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores to sample from. The newest token of ``input_ids`` was drawn from those before."""
        self.record(input_ids[:, -1])
        self.scores = log_softmax(scores.float() / self.temperature, dim=-1)
        weighed = self.scores
        if self.cuts:
            weighed = self.cuts(without_padding(input_ids, self.mask), scores.float())
        return weighed.nan_to_num(
            0.0, neginf=-torch.inf
        )  # what is not a number is drawn all the same, and found in the record

    def record(self, drawn: Tensor) -> None:
        """Keep the log-probability of the tokens drawn from the newest scores."""
        if self.scores is not None:
            self.logprobs.append(self.scores.gather(1, drawn[:, None]).squeeze(1))


def never_say_pictures(model: PreTrainedModel) -> None:
    """Leave the tokens that stand for pictures out of what can be sampled: there is no picture to put in their place.

    It is done where logits are made, so that sampling and training agree on the probabilities of the others.
    """
    head = model.get_output_embeddings()
    ids = [token for token in picture_tokens(model.config) if token < head.weight.shape[0]]
    never = torch.tensor(ids, dtype=torch.long)
    head.register_forward_hook(lambda _, __, logits: logits.index_fill_(-1, never.to(logits.device), _NEVER))


def picture_tokens(config: Any) -> list[int]:
    """Return the tokens that stand for pictures, as a model's configuration names them."""
    names = ("image_token_id", "image_token_index", "video_token_id", "video_token_index")
    ids = {getattr(config, name, None) for name in names}
    ids |= {*getattr(config, "visual_indicator_token_ids", ())}  # of Ovis2: they are filled as pictures are
    return sorted(token for token in ids if token is not None and token >= 0)


_NEVER = -1e4  # as a logit: finite, since 0 times infinity is not a number
