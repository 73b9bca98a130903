"""Dialogues as verl trains on them: tokens joined from turn to turn, a mask of the policy's own, and pictures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verienv.core.dialogue import Message, parts_of
from verienv.core.special_tokens import SpecialTokens


@dataclass(frozen=True)
class Talk:
    """A dialogue as messages and as tokens: first the prompt's, then the response's, along which the mask goes."""

    messages: list[Message]
    ids: list[int]
    images: list[Any]
    mask: Sequence[int] = ()
    """1 where the policy sampled the token."""
    logprobs: Sequence[float] = ()
    """Log-probabilities of the sampled tokens, 0.0 at the others."""

    @property
    def prompt_length(self) -> int:
        return len(self.ids) - len(self.mask)

    def closed(self, token: int) -> Talk:
        """Return it with the token that closes an answer, where one that was cut short lacks it."""
        if self.mask and self.ids[-1] == token:
            return self
        return replace(self, ids=[*self.ids, token], mask=[*self.mask, 0], logprobs=[*self.logprobs, 0.0])


class TalkWriter:
    """Writes dialogues in tokens, as the chat template of a model has them.

    Args:
        builder: verl's ``ContinuousTokenBuilder`` of the model, which renders messages and joins their tokens.
        tokenizer: the model's.
        processor: the model's, None for one without vision.
        placeholders: the tokens that stand for pictures.
    """

    def __init__(self, builder: Any, tokenizer: Any, processor: Any, placeholders: Collection[int]) -> None:
        from verienv.policies.hugging_face.template import for_template

        self._builder, self._tokenizer, self._placeholders = builder, tokenizer, placeholders
        self._in_parts, reader = processor is not None, tokenizer if processor is None else processor
        self._special = SpecialTokens.of(reader)
        self._suited = for_template(reader, in_parts=self._in_parts)
        self.closing = self._closing(reader)

    def opened(self, messages: list[Message]) -> Talk:
        """Begin a dialogue. In the messages an image part holds its picture under "image", a PIL image."""
        told = self._spoken(self._suited(messages))
        images = _images(told)
        return Talk(told, self._builder.build_initial_tokens(told, images=images or None), images)

    def continued(self, talk: Talk, message: Message) -> Talk:
        """Add the words and pictures to which the policy answers next."""
        talk = talk.closed(self.closing)
        messages = talk.messages + self._spoken([message])
        merged = self._builder.merge_context_tokens(talk.messages, messages, talk.ids)
        return self._joined(talk, merged, messages)

    def answered(self, talk: Talk, ids: Sequence[int], logprobs: Sequence[float] | None = None) -> tuple[Talk, str]:
        """Add an answer, and return its words too.

        It ends before a token that stands for a picture, which no model could read without that picture.
        """
        said = list(ids)[: next((at for at, token in enumerate(ids) if token in self._placeholders), len(ids))]
        words = str(self._tokenizer.decode(said, skip_special_tokens=True))
        messages = talk.messages + self._spoken([{"role": "assistant", "content": words}])
        merged = self._builder.merge_assistant_tokens(talk.ids, said)
        return self._joined(talk, merged, messages, list(logprobs or [0.0] * len(said))[: len(said)]), words

    def _joined(self, talk: Talk, merged: Any, messages: list[Message], logprobs: list[float] | None = None) -> Talk:
        mask, along = self._builder.align_response_metadata(
            merged, list(talk.mask), list(talk.logprobs), assistant_logprobs=logprobs
        )
        return Talk(messages, merged.token_ids, _images(messages), mask, along)

    def _spoken(self, messages: list[Message]) -> list[Message]:
        """Return messages in which no words are special tokens, in parts for a processor."""
        told = self._special.taken_out_of(messages)
        return [{**each, "content": parts_of(each)} for each in told] if self._in_parts else told

    def _closing(self, reader: Any) -> int:
        """Return the token with which the chat template closes an answer."""
        mark = "verienv-answer"
        told = self._spoken([{"role": "user", "content": "-"}, {"role": "assistant", "content": mark}])
        after = reader.apply_chat_template(told, tokenize=False).rpartition(mark)[2]
        ids = self._tokenizer(after, add_special_tokens=False)["input_ids"]
        special = self._tokenizer.all_special_ids
        return int(next((token for token in ids if token in special), self._tokenizer.eos_token_id))


def _images(messages: Sequence[Message]) -> list[Any]:
    return [part["image"] for message in messages for part in parts_of(message) if part["type"] == "image"]
