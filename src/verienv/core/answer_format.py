"""Answer formats: how the question asks for the answer, and how it is read from a response and written into one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from verienv.core.reasoning import REASONING_TAGS
from verienv.core.response import read_answer


@dataclass(frozen=True)
class Part:
    """A part of an answer.

    Attributes:
        field: its name in the fields of an answer, such as "formula".
        noun: its name in a sentence, such as "the formula".
        tag: the name of its tag, where it has one of its own.
        is_list: whether it is a list, such as the cards.
    """

    field: str
    noun: str
    tag: str = ""
    is_list: bool = False


@dataclass(frozen=True)
class Shape:
    """The parts of a task's answers.

    Attributes:
        key: the part that decides.
        others: the parts that an answer may hold beside it.
        json: the sentence that asks for the whole as a JSON object.
        templates: the objects that stand for the answer in questions; exact echoes of them are no answers.
    """

    key: Part
    others: tuple[Part, ...] = ()
    json: str = ""
    templates: frozenset[str] = frozenset()

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of the other parts."""
        return frozenset(part.field for part in self.others)

    @cached_property
    def no_json(self) -> str:
        """The words that say that there is no JSON object with the deciding part."""
        return f'no JSON object with {_article(self.key.field)} "{self.key.field}"'

    @cached_property
    def tags(self) -> Mapping[str, Part]:
        """The other parts by their tags."""
        return {part.tag: part for part in self.others}


class AnswerFormat(ABC):
    """A format of answers."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The value of the setting ``answer_format``, in plain data."""

    @abstractmethod
    def instruction(self, shape: Shape) -> str:
        """Return the sentence that asks for an answer of this format."""

    @abstractmethod
    def read(
        self, response: str, shape: Shape, *, strict: bool = False, reasoning_tags: tuple[str, ...] = REASONING_TAGS
    ) -> dict[str, Any] | None:
        """Return the fields of the answer in a response, or None if there is none. Never raises on any string."""

    @abstractmethod
    def write(self, fields: Mapping[str, Any], shape: Shape) -> str:
        """Write an answer with these fields: those that the format has."""

    def check_writes(self) -> None:  # noqa: B027 - all formats of the suite's own do
        """Raise ValueError if this format can only be read."""

    @abstractmethod
    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Return the parts that an answer of this format has beside the deciding one."""

    def respell(self, text: str, shape: Shape) -> str:
        """Return an answer in JSON, such as the arguments of a tool call, as one of this format; all else as it is."""
        fields = JSON.read(text, shape, reasoning_tags=())
        return text if fields is None else self.write(fields, shape)

    def lacks(self, shape: Shape) -> str:
        """Return the words that say what a response without an answer lacks."""
        return "no answer that can be read"

    def has(self, field: str, shape: Shape) -> bool:
        """Whether an answer of this format has a field beside the deciding one."""
        return any(part.field == field for part in self.parts(shape))

    def check(self, shape: Shape) -> None:  # noqa: B027 - most formats hold answers of any shape
        """Raise ValueError if this format cannot hold answers of a shape."""


@dataclass(frozen=True)
class JsonFormat(AnswerFormat):
    """One JSON object with every part of the answer."""

    @property
    def name(self) -> str:
        return "json"

    def __reduce__(self) -> str:
        """Copies, in other processes too, are ``JSON`` itself."""
        return "JSON"

    def instruction(self, shape: Shape) -> str:
        return shape.json

    def read(
        self, response: str, shape: Shape, *, strict: bool = False, reasoning_tags: tuple[str, ...] = REASONING_TAGS
    ) -> dict[str, Any] | None:
        key, templates = shape.key.field, shape.templates
        return read_answer(response, key, strict=strict, templates=templates, reasoning_tags=reasoning_tags)

    def write(self, fields: Mapping[str, Any], shape: Shape) -> str:
        return json.dumps(dict(fields))

    def respell(self, text: str, shape: Shape) -> str:
        return text

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        return shape.others

    def has(self, field: str, shape: Shape) -> bool:
        return field in shape.fields

    def lacks(self, shape: Shape) -> str:
        return shape.no_json


JSON = JsonFormat()


def spoiled(form: AnswerFormat, answer: str, shape: Shape, rng: Any) -> str | None:
    """Return a text that no answer can be read from, drawn with ``rng`` (numpy's); None if there is none.

    Args:
        form: the format that it is not in.
        answer: one in that format, of which a part may be left out.
        shape: the parts of an answer.
        rng: a generator of numpy's.
    """
    tries = (answer[: 2 * len(answer) // 3], answer[:-1], "I do not know.", "\n")
    unread = [text for text in dict.fromkeys(tries) if form.read(text, shape) is None]
    return unread[int(rng.integers(len(unread)))] if unread else None


def _article(noun: str) -> str:
    return "an" if noun[:1] in "aeiou" else "a"
