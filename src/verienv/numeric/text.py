"""Text as token ids of a fixed length, for those who bring their own network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, SupportsFloat

import gymnasium as gym
import numpy as np

from verienv.core.shown import shown
from verienv.core.special_tokens import SpecialTokens

Side = Literal["left", "right"]


class TextTokens(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Token ids for text: an environment in words, or the words of one with pictures, for a network of one's own.

    ## Description
    ``observation["text"]`` is read by a tokenizer, cut or padded to ``length``; special tokens that a policy spelled
    out in its words are taken out. Everything else stays as it is.

    ## Action Space
    That of the wrapped environment; with ``actions``, a table of texts, ``Discrete(len(actions))``.

    ## Observation Space
    ``Dict(tokens=Box, mask=Box)``, and the wrapped observation's other parts, such as ``image``. ``tokens`` is int64 of
    shape (length,), ids from 0 to the size of the vocabulary less 1; ``mask`` is int8 of the same shape, 1 where a
    token of the text stands and 0 where it is padded.

    ## Rewards
    Those of the wrapped environment.

    ## Starting State
    That of the wrapped environment.

    ## Episode End
    That of the wrapped environment.

    ## Information
    That of the wrapped environment, and ``tokens``: how many tokens the whole text has (int), more than ``length``
    where it was cut.

    ## Arguments
    - env: an environment whose observations are ``Dict(text=Text, ...)``.
    - tokenizer: any tokenizer of Hugging Face, or another object that gives ids when it is called with a text or by
      its ``encode``; or the name or folder of one that ``transformers.AutoTokenizer`` loads.
    - length: tokens of an observation, at least 1.
    - pad: the side on which a shorter text is padded, "left" or "right".
    - truncate: the side on which a longer text is cut. "left" keeps the newest words.
    - actions: texts to choose from.
    - vocabulary: the number of ids, for a tokenizer that does not tell it.

    Raises:
        ValueError: for another environment or argument, or a tokenizer that gives an id outside its vocabulary.
    """

    def __init__(
        self,
        env: gym.Env[Any, str],
        tokenizer: Any,
        length: int,
        *,
        pad: Side = "right",
        truncate: Side = "left",
        actions: Sequence[str] | None = None,
        vocabulary: int | None = None,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self,
            tokenizer=tokenizer,
            length=length,
            pad=pad,
            truncate=truncate,
            actions=actions,
            vocabulary=vocabulary,
            _disable_deepcopy=True,
        )
        super().__init__(env)
        if not isinstance(env.observation_space, gym.spaces.Dict) or "text" not in env.observation_space.spaces:
            raise ValueError(f"TextTokens wraps observations that hold a text, not {env.observation_space}")
        if type(length) is not int or length < 1:
            raise ValueError(f"length={shown(length)}: expected an integer of at least 1")
        for name, side in (("pad", pad), ("truncate", truncate)):
            if side not in ("left", "right"):
                raise ValueError(f"{name}={shown(side)}: expected left or right")
        self.length, self.pad, self.truncate = length, pad, truncate
        self.tokenizer = _loaded(tokenizer) if isinstance(tokenizer, str | Path) else tokenizer
        self._special = SpecialTokens.of(self.tokenizer)
        self.vocabulary = vocabulary or _size_of(self.tokenizer)
        """The number of ids."""
        self.padding = _padding_of(self.tokenizer)
        """The id that pads: the tokenizer's own, else that of its end, else 0."""
        spaces = {name: space for name, space in env.observation_space.spaces.items() if name != "text"}
        spaces["tokens"] = gym.spaces.Box(0, self.vocabulary - 1, (length,), np.int64)
        spaces["mask"] = gym.spaces.Box(0, 1, (length,), np.int8)
        self.observation_space = gym.spaces.Dict(spaces)
        self.actions = None if actions is None else tuple(actions)
        """The texts to choose from, None where an action is text."""
        if self.actions is not None:
            if not self.actions or not all(isinstance(text, str) for text in self.actions):
                raise ValueError("actions: expected at least one text, all strings")
            self.action_space = gym.spaces.Discrete(len(self.actions))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Deal, as the wrapped environment does; the observation's text becomes token ids."""
        return self._told(*self.env.reset(seed=seed, options=options))

    def step(self, action: Any) -> tuple[dict[str, Any], SupportsFloat, bool, bool, dict[str, Any]]:
        """Take a text or, where there is a table of them, an index of it; another number is a ValueError."""
        observation, reward, terminated, truncated, info = self.env.step(self._text_of(action))
        observation, info = self._told(observation, info)
        return observation, reward, terminated, truncated, info

    def _text_of(self, action: Any) -> Any:
        if self.actions is None:
            return action
        index = int(action)
        if not 0 <= index < len(self.actions):
            raise ValueError(f"action={shown(action)}: expected an integer from 0 to {len(self.actions) - 1}")
        return self.actions[index]

    def _told(self, observation: dict[str, Any], info: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        ids = _ids_of(self.tokenizer, self._special.taken_out(observation["text"]))
        if ids and not 0 <= min(ids) <= max(ids) < self.vocabulary:
            raise ValueError(f"the tokenizer gives ids up to {max(ids)}: set vocabulary, now {self.vocabulary}")
        kept = ids[-self.length :] if self.truncate == "left" else ids[: self.length]
        tokens, mask = np.full(self.length, self.padding, np.int64), np.zeros(self.length, np.int8)
        there = slice(self.length - len(kept), None) if self.pad == "left" else slice(len(kept))
        tokens[there], mask[there] = kept, 1
        rest = {name: value for name, value in observation.items() if name != "text"}
        return {**rest, "tokens": tokens, "mask": mask}, {**info, "tokens": len(ids)}


def _loaded(name: str | Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(name), trust_remote_code=False)


def _ids_of(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text; of what a tokenizer gives, under ``input_ids``, as ``ids``, or itself."""
    encoded = tokenizer(text) if callable(tokenizer) else tokenizer.encode(text)
    if isinstance(encoded, Mapping) or hasattr(encoded, "input_ids"):
        encoded = encoded["input_ids"]
    return [int(token) for token in getattr(encoded, "ids", encoded)]


def _size_of(tokenizer: Any) -> int:
    if hasattr(tokenizer, "__len__"):
        return len(tokenizer)
    if hasattr(tokenizer, "get_vocab_size"):
        return int(tokenizer.get_vocab_size())
    if hasattr(tokenizer, "n_vocab"):
        return int(tokenizer.n_vocab)
    raise ValueError("the tokenizer does not tell how many ids there are: set vocabulary")


def _padding_of(tokenizer: Any) -> int:
    for name in ("pad_token_id", "eos_token_id"):
        token = getattr(tokenizer, name, None)
        if token is not None:
            return int(token)
    return 0
