"""Keys and values that sampling need not compute twice: dialogues go on, and several may begin with one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from verienv.policies.hugging_face.cache import RoomyLayer, roomy_cache
from verienv.policies.hugging_face.sampling import picture_tokens, positions_of
from verienv.policies.hugging_face.tokens import Tensors

Prompts = Sequence[Sequence[int]]
UNSTEADY = ("dynamic", "longrope")
"""Kinds of rotary positions under which the keys of early tokens hang on how long a dialogue becomes."""


class Reader(Protocol):
    """A policy, as far as it reads prompts."""

    model: Any
    max_new_tokens: int

    def batch(self, rows: Prompts, *, left: bool = False) -> Tensors:
        """Return what the model takes in for these rows."""


@dataclass
class Known:
    """The place of the first tokens of a dialogue in a cache."""

    dialogue: Sequence[int] = ()
    """The list itself: while it is held here, no other has its id."""
    tokens: list[int] = field(default_factory=list)
    row: int = 0
    begin: int = 0
    """The column of the first token; the others follow it."""


class PrefixCache:
    """The keys and values of the dialogues that a policy sampled last, for those that go on.

    A dialogue goes on where its prompt is the very list of tokens that was given before, with others added to it. One
    batch is kept, in the cache in which it was sampled. It is of the weights of that time: let go of it before a step.
    """

    def __init__(self, policy: Reader) -> None:
        self.policy = policy
        self._cache: DynamicCache | None = None
        self._known: dict[int, Known] = {}

    def begun(self, prompts: Prompts) -> tuple[Tensors, DynamicCache]:
        """Return prompts as a batch padded on the left, and a cache that may hold its first columns already.

        Then it holds all tokens of pictures too, and the batch is without what they show. It has room for a response.
        """
        cache, known = self._cache, [self._of(prompt) for prompt in prompts]
        self._cache, self._known = None, {}
        longest, pictures = max(map(len, prompts)), picture_tokens(self.policy.model.config)
        new = max(1, *(len(prompt) - len(one.tokens) for prompt, one in zip(prompts, known, strict=True)))
        if cache and new < longest and all({*pictures}.isdisjoint(prompt[-new:]) for prompt in prompts):
            first = [one.begin - longest + len(prompt) for prompt, one in zip(prompts, known, strict=True)]
            columns = torch.tensor(first)[:, None] + torch.arange(longest - new)  # of each row, beginning with padding
            return self._words(prompts), taken(cache, [one.row for one in known], columns, new + self._room)
        del cache
        fresh, unique = roomy_cache(self.policy.model, self._room), dict[Any, int]()
        copies = [unique.setdefault(_content(prompt), len(unique)) for prompt in prompts]
        if len(unique) == len(prompts) or longest == 1 or not _is_roomy(fresh):
            return self.policy.batch(prompts, left=True), fresh
        few = self.policy.batch([prompts[copies.index(row)] for row in range(len(unique))], left=True)
        mask = few["attention_mask"]
        few |= {"input_ids": few["input_ids"][:, :-1], "attention_mask": mask[:, :-1]}
        positions = positions_of(mask)[:, :-1]
        self.policy.model(**few, position_ids=positions, past_key_values=fresh, use_cache=True, logits_to_keep=1)
        columns = torch.arange(longest - 1).expand(len(prompts), -1)
        return self._words(prompts), taken(fresh, copies, columns, 1 + self._room)

    def keep(self, cache: DynamicCache, prompts: Prompts, responses: Sequence[list[int]]) -> None:
        """Keep a cache in which these prompts got these responses, where its layers keep all tokens as they are."""
        rotations = str(getattr(self.policy.model.config.get_text_config(), "rope_parameters", None))
        if not _is_roomy(cache) or any(kind in rotations for kind in UNSTEADY):
            return
        longest = max(map(len, prompts))
        said = cache.get_seq_length() - longest  # the newest tokens were not read
        self._cache = cache
        for row, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
            tokens = [*prompt, *response[:said]]
            self._known[id(prompt)] = Known(prompt, tokens, row, longest - len(prompt))

    @property
    def _room(self) -> int:
        return self.policy.max_new_tokens

    def _of(self, prompt: Sequence[int]) -> Known:
        known = self._known.get(id(prompt), Known())
        return known if list(prompt[: len(known.tokens)]) == known.tokens else Known()

    def _words(self, prompts: Prompts) -> Tensors:
        return self.policy.batch([list(prompt) for prompt in prompts], left=True)


def _content(prompt: Sequence[int]) -> Any:
    """Return what a prompt says and shows; pictures are the same where they are the same tensors."""
    return tuple(prompt), tuple(map(id, getattr(prompt, "vision", {}).values()))


def _is_roomy(cache: DynamicCache) -> bool:
    return all(isinstance(layer, RoomyLayer) for layer in cache.layers)


def taken(cache: DynamicCache, rows: Sequence[int], columns: Tensor, room: int) -> DynamicCache:
    """Turn a cache into one of some rows, and of each some columns, (rows, columns); layer by layer, to save memory.

    Columns beyond those that there are, which stand for padding, are filled with others.
    """
    device = cache.layers[0].keys.device
    index, columns = torch.tensor(rows, device=device), columns.clamp(0, cache.get_seq_length() - 1).to(device)
    cache.layers = [cache.layers.pop(0).taken(index, columns, room) for _ in range(len(cache.layers))]
    return cache
