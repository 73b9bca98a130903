"""The answer formats that settings may name, and those of the user's own."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from typing import Any, Literal, cast, get_args

from verienv.core import registered
from verienv.core.answer_format import JSON, AnswerFormat, JsonFormat, Part, Shape
from verienv.core.reasoning import REASONING_TAGS, after_reasoning
from verienv.core.registered import Own, how_to_register
from verienv.core.response import clean_response, read_fields
from verienv.core.shown import shown
from verienv.core.text_format import Kind, TextFormat

_log = logging.getLogger(__name__)

AnswerFormatLike = str | AnswerFormat | Any
"""A format's name, or an object of the user's own with ``instruction`` and ``read(response)``."""


class OwnFormat(Own, AnswerFormat):
    """A format of the user's own: an object with ``instruction`` and ``read(response) -> fields or None``.

    ``read`` is handed what stands behind the reasoning, at most 64 Ki characters, and returns a mapping of fields, or
    the deciding one alone as a text. What it raises on a response is logged and counts as no answer. The object may
    have ``write(fields) -> str``, without which no demonstrations can be written, and ``fields``, the names of further
    fields that it reads; whether those are right is not measured otherwise.
    """

    kind = "format"
    setting = "answer_format"

    def instruction(self, shape: Shape) -> str:
        return str(self.value.instruction)

    def read(
        self, response: str, shape: Shape, *, strict: bool = False, reasoning_tags: tuple[str, ...] = REASONING_TAGS
    ) -> dict[str, Any] | None:
        text = after_reasoning(clean_response(response, reasoning_tags), reasoning_tags)
        try:
            found = self.value.read(text)
            if isinstance(found, str):
                found = {shape.key.field: found}
            if found is None:
                return None
            if not isinstance(found, Mapping) or shape.key.field not in found:
                wanted = f'a text, a dict with "{shape.key.field}", or None'
                told = "%s.read returned %s; expected %s; it counts as no answer"
                _log.warning(told, _title(self.value), shown(found), wanted)
                return None
            return read_fields(json.dumps(dict(found), default=str))  # bounded, finite, plain
        except Exception:  # whatever a reader does on a response, the response is judged
            _log.warning("%s.read raised on a response; it counts as no answer", _title(self.value), exc_info=True)
            return None

    def write(self, fields: Mapping[str, Any], shape: Shape) -> str:
        self.check_writes()
        written = self.value.write(dict(fields))
        if not isinstance(written, str):
            raise ValueError(f"answer_format={shown(self.value)} wrote {shown(written)}; expected a text")
        return written

    def check_writes(self) -> None:
        if not callable(getattr(self.value, "write", None)):
            raise ValueError(
                f"answer_format={shown(self.value)} reads answers but writes none, as experts and tools must: give it "
                "`write(fields)`, which returns a response"
            )

    def respell(self, text: str, shape: Shape) -> str:
        try:
            return super().respell(text, shape)
        except Exception:  # the fields are a policy's: whatever they are, the response is judged
            _log.warning("%s.write raised on an answer; it stays as it is", _title(self.value), exc_info=True)
            return text

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        named = getattr(self.value, "fields", ())
        return tuple([part for part in shape.others if part.field in named or part.tag in named])

    def check(self, shape: Shape) -> None:
        named = getattr(self.value, "fields", ())
        known = (shape.key.field, *dict.fromkeys([*shape.tags, *(part.field for part in shape.others)]))
        if isinstance(named, str) or not isinstance(named, Collection) or any(name not in known for name in named):
            raise ValueError(
                f"answer_format={shown(self.value)}: its fields={shown(named)}; expected some of {', '.join(known)}"
            )


def parse_format(given: Any, shape: Shape | None = None) -> AnswerFormat:
    """Return the format that a value of the setting ``answer_format`` means.

    Raises:
        ValueError: lists the names; or, where a shape is given, the format cannot hold answers of that shape.
    """
    if isinstance(given, JsonFormat):  # by far the most frequent, and it suits any shape
        return given
    found = _format_of(given)
    if shape is not None:
        found.check(shape)
    return found


def _format_of(given: Any) -> AnswerFormat:
    if isinstance(given, AnswerFormat):
        return given
    if given == "json":
        return JSON
    if isinstance(given, str):
        kind, *asked = given.split("+")
        if kind in get_args(Kind):
            return TextFormat(cast("Literal['tags', 'boxed', 'line']", kind), tuple(asked))
        found = registered.find("format", given)
        if found is not None:
            return OwnFormat(found)
    elif registered.is_format(given):
        if why := registered.unfit("format", given):
            raise ValueError(f"answer_format={shown(given)}: {why}")
        return OwnFormat(given)
    raise ValueError(
        f"answer_format={shown(given)}: expected {', '.join(registered.names('format'))}, or an object with "
        "`instruction` and `read(response)`; tags, boxed and line may ask for more, as in 'tags+cards+number'"
        f"{how_to_register('format', given)}"
    )


def _title(value: Any) -> str:
    return str(getattr(value, "__name__", type(value).__name__))
