"""A cache of keys and values that does not copy all of itself for every token."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer


def roomy_cache(model: PreTrainedModel, room: int) -> DynamicCache:
    """An empty cache with room for ``room`` tokens after the prompt. Layers of another kind stay as the model wants."""
    cache = DynamicCache(config=model.config)
    cache.layers = [RoomyLayer(room) if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


class RoomyLayer(DynamicLayer):
    """Takes memory for the prompt and ``room`` tokens more at once, and shows the part that is filled."""

    keys: Tensor
    values: Tensor

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self._memory: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Add the states of new tokens, (rows, heads, tokens, width); all of them so far."""
        key_states = key_states.to(value_states.dtype)  # under autocast rotations leave them wider; attention cuts them
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        if self._memory is None or after > self._memory[0].shape[-2]:
            rows, heads, _, width = key_states.shape
            larger = [states.new_empty(rows, heads, after + self.room, width) for states in (key_states, value_states)]
            if before:
                larger[0][:, :, :before], larger[1][:, :, :before] = self.keys, self.values
            self._memory = (larger[0], larger[1])
        keys, values = self._memory
        keys[:, :, before:after], values[:, :, before:after] = key_states, value_states
        self.keys, self.values = keys[:, :, :after], values[:, :, :after]
        return self.keys, self.values

    def taken(self, rows: Tensor, columns: Tensor, room: int) -> RoomyLayer:
        """Return a layer of some rows, (rows,), and of each row some tokens, (rows, tokens), with room for more."""
        layer = RoomyLayer(room)
        keys, values = (states.transpose(1, 2)[rows[:, None], columns] for states in (self.keys, self.values))
        layer.update(keys.transpose(1, 2), values.transpose(1, 2))
        return layer
