r"""Answers in plain text: between ``<answer>`` tags, in ``\boxed{}``, or on the last line; read in linear time.

The answer that ends last decides, as in JSON. An opened tag or box that is never closed voids no earlier answer, and
an empty one, or the placeholder of the question, ``<answer>...</answer>``, is none. What stands there is judged as a
string in JSON would be: no more markup is read there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from verienv.core.answer_format import AnswerFormat, Part, Shape
from verienv.core.reasoning import REASONING_TAGS, after_reasoning
from verienv.core.response import bounded_int, clean_response
from verienv.core.shown import shown

Kind = Literal["tags", "boxed", "line"]

ANSWER_TAG = "answer"
MOST_ITEMS = 64
"""Items of a list that are read."""

_PLACEHOLDERS = frozenset({"", "...", "\u2026"})
_SPACE = " \t\n\r\f\v"
_BOXED = re.compile(r"(?P<boxed>\\boxed\{)|\\[{}]|(?P<opening>\{)|(?P<closing>\})")
_LENIENT_BOXED = re.compile(r"(?P<boxed>\\{1,4}+(?:boxed|fbox)\s*+\{)|\\[{}]|(?P<opening>\{)|(?P<closing>\})", re.ASCII)
_EMPTY_BOX = re.compile(r"\s*+(?:\.\.\.|\u2026)?\s*+\}", re.ASCII)
_FENCE = re.compile(r"[ \t]*+(?:`{3,}+|~{3,}+)[\w+-]{0,32}+[ \t\r]*+", re.ASCII)
_END_TOKEN = re.compile(r"(?:<\|[^<>|\s]{1,64}\|>|</?s>|<eos>|<end_of_turn>)\Z")
_LABEL = re.compile(
    r"(?:(?:so|thus|therefore|hence),? )?(?:my |the )?(?:final )?(?:answer|formula|action|expression)(?: is)?"
    r"(?:\*\*)? ?:(?:\*\*)? ",
    re.IGNORECASE | re.ASCII,
)
_WORDS = re.compile(r"\\(?:text|texttt|textbf|mathrm|mathtt|mathbf)\s*+\{(?=\s*+[A-Za-z])", re.ASCII)
_DOUBLED = re.compile(r"\\\\(?=[A-Za-z()\[\]_])")
_ESCAPED = re.compile(r"\\([/_\"*+-])")
_LISTED = re.compile(r"[,;|\n]+")
MOST_END_TOKENS = 16
"""End tokens behind the last line that are passed over."""


@dataclass(frozen=True)
class TextFormat(AnswerFormat):
    """The deciding part of the answer as plain text, and others in tags of their own where they are asked for.

    Attributes:
        kind: "tags", "boxed" or "line".
        extra: the tags of the other parts.
    """

    kind: Kind
    extra: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return "+".join((self.kind, *self.extra))

    def instruction(self, shape: Shape) -> str:
        asked = [f"{part.noun} as <{part.tag}>...</{part.tag}>" for part in self.parts(shape)]
        noun = shape.key.noun
        last = {
            "tags": f"{noun} as <{ANSWER_TAG}>...</{ANSWER_TAG}>",
            "boxed": f"{noun} as \\boxed{{...}}",
            "line": f"{noun} alone on the last line",
        }[self.kind]
        sentence = f"{', '.join(asked)}{',' if len(asked) > 1 else ''} and {last}" if asked else last
        return f"Write {sentence}."

    def read(
        self, response: str, shape: Shape, *, strict: bool = False, reasoning_tags: tuple[str, ...] = REASONING_TAGS
    ) -> dict[str, Any] | None:
        text = after_reasoning(clean_response(response, reasoning_tags), reasoning_tags)
        found = read_text(text, self.kind, strict=strict)
        if found is None:
            return None
        fields: dict[str, Any] = {shape.key.field: found}
        for part in self.parts(shape):
            told = last_tagged(text, part.tag, strict)
            if told is not None:
                fields[part.field] = read_list(told) if part.is_list else told.strip(_SPACE)
        return fields

    def write(self, fields: Mapping[str, Any], shape: Shape) -> str:
        answer = fields[shape.key.field]
        last = {
            "tags": f"<{ANSWER_TAG}>{answer}</{ANSWER_TAG}>",
            "boxed": f"\\boxed{{{answer}}}",
            "line": f"{answer}",
        }[self.kind]
        others = [
            f"<{part.tag}>{_listed(fields[part.field])}</{part.tag}>"
            for part in self.parts(shape)
            if part.field in fields
        ]
        return "\n".join([*others, last])

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        return tuple([shape.tags[tag] for tag in self.extra])

    def lacks(self, shape: Shape) -> str:
        return {
            "tags": f"no <{ANSWER_TAG}>...</{ANSWER_TAG}>",
            "boxed": "no \\boxed{...}",
            "line": "no last line",
        }[self.kind]

    def check(self, shape: Shape) -> None:
        unknown = [tag for tag in self.extra if tag not in shape.tags]
        if unknown or len(set(self.extra)) < len(self.extra):
            given = f"answer_format={shown(self.name)}"
            others = ", ".join(f"+{tag}" for tag in shape.tags)
            raise ValueError(
                f"{given}: {self.kind} may be followed by {others}, each once"
                if others
                else f"{given}: answers have no further fields here; use {self.kind!r}"
            )


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def read_text(text: str, kind: Kind, *, strict: bool) -> str | None:
    """Return the answer in a text without reasoning, or None if there is none.

    Args:
        text: what stands behind the reasoning.
        kind: where the answer stands.
        strict: read the form of the question alone: tags and commands as they are spelled there, no fences, no
            escapes. By default tags count in any case, a code fence around the answer does not count, and Markdown's
            and doubled escapes are read as in JSON.
    """
    if kind == "tags":
        found = last_tagged(text, ANSWER_TAG, strict)
    elif kind == "boxed":
        found = _last_boxed(text, strict)
    else:
        found = _last_line(text, strict)
    if found is None or strict:
        return found if found is None else found.strip(_SPACE)
    return _words(unescaped(found)) if kind == "boxed" else unescaped(unfenced(found))


def last_tagged(text: str, tag: str, strict: bool = False) -> str | None:
    """Return what stands between the last pair of tags of a name, None if nothing does."""
    found = start = None
    for mark in _tags(tag, strict).finditer(text):
        if mark["slash"] is None:
            start = mark.end()
        elif start is not None:
            content = text[start : mark.start()]
            found, start = found if content.strip(_SPACE) in _PLACEHOLDERS else content, None
    return found


@lru_cache(maxsize=64)
def _tags(tag: str, strict: bool) -> re.Pattern[str]:
    name = re.escape(tag)
    if strict:
        return re.compile(rf"<(?P<slash>/)?{name}>")
    return re.compile(rf"<\s*+(?P<slash>\\?/\s*+)?{name}\s*+>", re.IGNORECASE | re.ASCII)  # no look-alikes


def _last_boxed(text: str, strict: bool) -> str | None:
    found: tuple[int, int] | None = None
    opened: list[int] = []  # where the content of a box begins, -1 for another brace
    for mark in (_BOXED if strict else _LENIENT_BOXED).finditer(text):
        kind = mark.lastgroup
        if kind == "boxed":
            opened.append(mark.end())
        elif kind == "opening":
            opened.append(-1)
        elif kind == "closing" and opened and (start := opened.pop()) >= 0:
            empty = _EMPTY_BOX.match(text, start)  # boxes may nest thousands deep: no content is copied but the last
            if empty is None or empty.end() < mark.end():
                found = (start, mark.start())
    return None if found is None else text[slice(*found)]


def _last_line(text: str, strict: bool) -> str | None:
    text = text.rstrip(_SPACE)
    for _ in range(0 if strict else MOST_END_TOKENS):
        end = _END_TOKEN.search(text[-68:])
        if end is None:
            break
        text = text[: end.start() - end.end()].rstrip(_SPACE)
    end_at = len(text)
    while end_at > 0:
        start = text.rfind("\n", 0, end_at) + 1
        line = text[start:end_at]
        if line.strip() and (strict or not _FENCE.fullmatch(line)):
            line = line.strip(_SPACE)
            return (line if strict else _unlabelled(line)) or None
        end_at = start - 1
    return None


def _unlabelled(line: str) -> str:
    """Return a line without a label such as ``Answer:`` or ``**Final answer:**`` before the answer."""
    is_bold = line.startswith("**")
    label = _LABEL.match(line, 2 if is_bold else 0)
    if not label:
        return line
    rest = line[label.end() :].lstrip(_SPACE)
    return rest.removesuffix("**").rstrip(_SPACE) if is_bold and "**" not in label[0] else rest


def unfenced(text: str) -> str:
    """Return a text without a code fence around the whole."""
    text = text.strip(_SPACE)
    first, _, rest = text.partition("\n")
    inside, _, last = rest.rpartition("\n")
    if text[:3] in ("```", "~~~") and _FENCE.fullmatch(first) and last.strip(_SPACE) == text[:3]:
        return inside.strip(_SPACE)
    return text


def unescaped(text: str) -> str:
    """Return a text with the escapes of Markdown and doubled backslashes read, as in a JSON string."""
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", _DOUBLED.sub(r"\\", text))
    return text.strip(_SPACE)


def _words(text: str) -> str:
    r"""Return the content of a box without the commands in which TeX sets words: ``\text{forward()}``.

    A formula is no words: there they are as illegal as in JSON.
    """
    command = _WORDS.match(text)
    is_whole = command is not None and text.endswith("}") and text.count("{") == text.count("}") == 1
    return text[command.end() : -1].strip(_SPACE) if command and is_whole else text


def read_list(text: str) -> list[Any]:
    """Return the items of a list as people write one: ``4, 3, 2, K``, ``4 3 2 K`` or ``[4, 3, "2", "K"]``.

    Integers are read as such. Where commas, semicolons, bars or lines part the items, spaces do not.
    """
    text = text.strip(_SPACE)
    if text[:1] == "[" and text[-1:] == "]":
        text = text[1:-1].strip(_SPACE)
    items = _LISTED.split(text, maxsplit=MOST_ITEMS) if _LISTED.search(text) else text.split(None, MOST_ITEMS)
    bare = [item.strip(_SPACE + "\"'`") for item in items]
    return [bounded_int(item) if item.isascii() and item.isdigit() else item for item in bare if item]
