r"""Answers in plain text: between ``<answer>`` tags, in ``\boxed{}``, or on the last line; read in linear time.

The answer that ends last decides, as in JSON. An opened tag or box that is never closed voids no earlier answer. The
placeholders of the question, ``<answer>...</answer>`` and ``\boxed{}``, are none.
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

_PLACEHOLDERS = frozenset({"...", "\u2026"})
_BOXED = re.compile(r"(?P<boxed>\\boxed\{)|\\[{}]|(?P<opening>\{)|(?P<closing>\})")
_LENIENT_BOXED = re.compile(r"(?P<boxed>\\{1,4}+f?boxed\s*+\{)|\\[{}]|(?P<opening>\{)|(?P<closing>\})")
_FENCE_LINE = re.compile(r"\s*+(?:`{3,}+|~{3,}+)[\w+-]{0,32}+\s*+")
_END_TOKENS = re.compile(r"(?:<\|[^<>|\s]{1,64}\|>|</?s>|<eos>|<end_of_turn>)\s*+\Z")
_LABEL = re.compile(
    r"(?:(?:so|thus|therefore|hence),? )?(?:my |the )?(?:final )?(?:answer|formula|action|expression)(?: is)?\s*+[:=] ",
    re.IGNORECASE,
)
_WRAPPERS = (("```", "```"), ("`", "`"), ("**", "**"), ("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_COMMAND = re.compile(r"\\(?:boxed|fbox|text|texttt|mathrm|mathtt|textbf|mathbf)\s*+\{")
_DOUBLED = re.compile(r"\\\\(?=[A-Za-z()\[\]])")
_ESCAPED = re.compile(r"\\([/_\"])")
_SEPARATORS = re.compile(r"[,;|\s]+")


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
                fields[part.field] = read_list(told) if part.is_list else told.strip()
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
            raise ValueError(
                f"{given}: {self.kind} may be followed by {', '.join('+' + tag for tag in shape.tags)}, each once"
            )


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def read_text(text: str, kind: Kind, *, strict: bool) -> str | None:
    """Return the answer in a text without reasoning, or None if there is none.

    Args:
        text: what stands behind the reasoning.
        kind: where the answer stands.
        strict: read the form of the question alone: tags and commands as they are spelled there, no fences, no
            escapes. By default tags count in any case, and what is wrapped around an answer (a code fence, bold type,
            TeX's dollars) is taken off.
    """
    if kind == "tags":
        found = last_tagged(text, ANSWER_TAG, strict)
    elif kind == "boxed":
        found = _last_boxed(text, strict)
    else:
        found = _last_line(text, strict)
    return None if found is None else found.strip() if strict else unwrapped(found)


def last_tagged(text: str, tag: str, strict: bool = False) -> str | None:
    """Return what stands between the last pair of tags of a name, None if there is no pair."""
    found = start = None
    for mark in _tags(tag, strict).finditer(text):
        if mark["slash"] is None:
            start = mark.end()
        elif start is not None:
            content = text[start : mark.start()]
            found, start = found if content.strip() in _PLACEHOLDERS else content, None
    return found


@lru_cache(maxsize=64)
def _tags(tag: str, strict: bool) -> re.Pattern[str]:
    name = re.escape(tag)
    if strict:
        return re.compile(rf"<(?P<slash>/)?{name}>")
    return re.compile(rf"<\s*+(?P<slash>\\?/\s*+)?{name}\s*+>", re.IGNORECASE)


def _last_boxed(text: str, strict: bool) -> str | None:
    found: str | None = None
    opened: list[int] = []  # where the content of a box begins, -1 for another brace
    for mark in (_BOXED if strict else _LENIENT_BOXED).finditer(text):
        kind = mark.lastgroup
        if kind == "boxed":
            opened.append(mark.end())
        elif kind == "opening":
            opened.append(-1)
        elif kind == "closing" and opened and (start := opened.pop()) >= 0:
            content = text[start : mark.start()]
            if content.strip() not in _PLACEHOLDERS and content.strip():
                found = content
    return found


def _last_line(text: str, strict: bool) -> str | None:
    lines = text.rstrip().split("\n")
    if not strict:
        while lines and (end := _END_TOKENS.search(lines[-1])):
            lines[-1] = lines[-1][: end.start()]
        while lines and (not lines[-1].strip() or _FENCE_LINE.fullmatch(lines[-1])):
            lines.pop()
    line = lines[-1].strip() if lines else ""
    if not strict and (label := _LABEL.match(line.lstrip("* "))):
        line = line.lstrip("* ")[label.end() :]
    return line or None


def unwrapped(text: str) -> str:
    """Return an answer without a fence, bold type or TeX's signs around the whole, and without doubled escapes."""
    for _ in range(8):
        before = text = text.strip()
        for opening, closing in _WRAPPERS:
            inside = text[len(opening) : -len(closing)]
            if (
                len(text) > len(opening) + len(closing)
                and text.startswith(opening)
                and text.endswith(closing)
                and opening not in inside
                and closing not in inside
            ):
                language, newline, rest = inside.partition("\n")
                text = rest if opening == "```" and newline and language.strip().isalnum() else inside
                break
        command = _COMMAND.match(text)
        if command and _closes_last(text, command.end()):
            text = text[command.end() : -1]
        if text == before:
            break
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", _DOUBLED.sub(r"\\", text))
    return text.strip()


def _closes_last(text: str, start: int) -> bool:
    """Whether the brace that opens before ``start`` closes with the last character."""
    if not text.endswith("}"):
        return False
    depth = 1
    for at in range(start, len(text) - 1):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return False
    return depth == 1


def read_list(text: str) -> list[Any]:
    """Return the items of a list as people write one: ``4, 3, 2, K`` or ``[4, 3, "2", "K"]``; integers as such."""
    text = unwrapped(text)
    if text[:1] == "[" and text[-1:] == "]":
        text = text[1:-1]
    items = [item.strip("\"'`") for item in _SEPARATORS.split(text, maxsplit=MOST_ITEMS) if item]
    return [bounded_int(item) if item.isascii() and item.isdigit() else item for item in items]
