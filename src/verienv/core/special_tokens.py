"""Special tokens in a policy's words: spelled out there, they would come back to it as marks of the chat template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from verienv.core.dialogue import Message, copy_messages

MARK = re.compile(
    r"<\|[^|<>\s{}]{1,64}\|>|<｜[^｜<>{}]{1,64}｜>|<(?:start|end)_of_[a-z]{1,32}>|\[/?[A-Z][A-Z_]{1,32}\]|<</?SYS>>"
)
"""Marks as chat templates spell them, also those that are no single token."""


class SpecialTokens:
    """The texts that a tokenizer, a processor or their chat template reads as marks: of turns, of pictures, of the end.

    Args:
        tokens: those texts; blank ones do not count.
        normalize: how the tokenizer rewrites a text before it looks for them, where it does.
    """

    def __init__(self, tokens: Iterable[str] = (), normalize: Callable[[str], str] | None = None) -> None:
        self._tokens = frozenset(token for token in tokens if token.strip())
        self._normalize = normalize
        self._hidden = self._tokens | {normalize(token) for token in self._tokens} if normalize else self._tokens

    @classmethod
    def of(cls, reader: Any) -> SpecialTokens:
        """Return those of a tokenizer or processor, which may be of any library; none are found in an unknown one."""
        readers = [each for each in (reader, getattr(reader, "tokenizer", None)) if each is not None]
        added = [token for each in readers for token in _added(each)]
        named = [text for each in readers for text in _named(each)]
        marks = [mark for each in readers for text in _templates(each) for mark in MARK.findall(text)]
        special = [str(getattr(token, "content", token)) for token in added if getattr(token, "special", True)]
        normalizer = None
        if any(getattr(token, "special", True) and getattr(token, "normalized", False) for token in added):
            backend = getattr(readers[-1], "backend_tokenizer", readers[-1])
            normalizer = getattr(getattr(backend, "normalizer", None), "normalize_str", None)
        return cls([*special, *named, *marks], normalizer)

    def taken_out(self, text: str) -> str:
        """Return a text without any of them, nor any that the taking out would put together."""
        text = _without(text, self._tokens)
        if self._normalize is not None:
            seen = self._normalize(text)
            if any(token in seen for token in self._hidden):
                return _without(seen, self._hidden)
        return text

    def taken_out_of(self, messages: Sequence[Message]) -> list[Message]:
        """Return a copy of a dialogue without them. What the system says stays: no policy's words come there."""
        copy = copy_messages(list(messages))
        for message in copy:
            if message["role"] == "system":
                continue
            if isinstance(message["content"], str):
                message["content"] = self.taken_out(message["content"])
                continue
            for part in message["content"]:
                if isinstance(part.get("text"), str):
                    part["text"] = self.taken_out(part["text"])
        return copy


def _without(text: str, tokens: frozenset[str]) -> str:
    if not any(token in text for token in tokens):
        return text
    ends = {token[-1] for token in tokens}
    lengths = sorted({len(token) for token in tokens}, reverse=True)
    kept = list[str]()  # never ends with a token, so that none lies in it
    for letter in text:
        kept.append(letter)
        if letter in ends:
            tail = "".join(kept[-lengths[0] :])
            length = next((length for length in lengths if tail[-length:] in tokens), 0)
            if length:
                del kept[-length:]
    return "".join(kept)


def _added(reader: Any) -> list[Any]:
    """Return the tokens that were added to a vocabulary, as the libraries transformers and tokenizers tell them."""
    found = getattr(reader, "added_tokens_decoder", None)
    if not isinstance(found, Mapping):
        ask = getattr(reader, "get_added_tokens_decoder", None)
        found = ask() if callable(ask) else {}
    return list(found.values()) if isinstance(found, Mapping) else []


def _named(reader: Any) -> list[str]:
    """Return the tokens that have a name, such as ``eos_token`` and, of processors, ``image_token``."""
    lists = [getattr(reader, name, None) for name in ("all_special_tokens", "additional_special_tokens")]
    found = [token for each in lists if isinstance(each, list | tuple) for token in each]
    for name in {*getattr(reader, "__dict__", {}), "image_token", "boi_token", "eoi_token", "video_token"}:
        if name.endswith("_token"):
            found.append(getattr(reader, name, None))
    return [
        str(getattr(token, "content", token)) for token in found if isinstance(getattr(token, "content", token), str)
    ]


def _templates(reader: Any) -> list[str]:
    """Return the chat templates: one, or several by their names."""
    found = getattr(reader, "chat_template", None)
    return [found] if isinstance(found, str) else list(map(str, found.values())) if isinstance(found, Mapping) else []
