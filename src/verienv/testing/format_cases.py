"""Cases in an answer format: those of a task, spelled in it, and what policies write in such a format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from verienv.core.answer_format import JSON, AnswerFormat, Shape
from verienv.core.cases import AnyCase, Level, Material
from verienv.core.text_format import ANSWER_TAG, TextFormat
from verienv.testing.spelling import answer_of, respelled

_LENGTH = 60_000
"""Characters of a flood."""

_Text = tuple[str, str, Level]
"""A response, the reason for its verdict, and who owes it."""


def in_format(material: Material, form: AnswerFormat, shape: Shape, strict: bool) -> Material:
    """Return the material spelled in a format, with cases of that format's own.

    The verdict of a case is owed where its spelling is read as the case is: a formula of two lines, say, cannot stand
    on the last one.

    Raises:
        ValueError: the format cannot hold such answers, or writes none.
    """
    form.check(shape)
    if form is JSON:
        return material
    key = shape.key.field
    form.write(answer_of(material.right[0].response, key), shape)  # what it raises tells more here

    def is_same(response: str, spelled: str) -> bool:
        asked = JSON.read(response, shape, strict=strict)
        return bool(_held(asked, form, shape) == _held(form.read(spelled, shape, strict=strict), form, shape))

    fields = (key, *(part.field for part in shape.others))
    spelled = respelled(material, lambda answer: form.write(answer, shape), fields, glue="\n", is_same=is_same)
    spelled.cases.extend(_format_cases(spelled, material, form, shape, strict))
    return spelled


def _held(fields: Mapping[str, Any] | None, form: AnswerFormat, shape: Shape) -> Any:
    """Return what a format holds of an answer, in a form in which two readings compare; None of no answer."""
    if fields is None:
        return None
    held = {}
    for part in (shape.key, *form.parts(shape)):
        value = fields.get(part.field)
        if isinstance(value, str):
            value = value.strip()
        elif isinstance(value, list) and all(type(item) in (str, int) for item in value):
            value = [str(item) for item in value]
        held[part.field] = value
    return held


def _format_cases(
    spelled: Material, material: Material, form: AnswerFormat, shape: Shape, strict: bool
) -> Iterator[AnyCase]:
    """Yield responses about the first plain answers; the format itself says which answer each holds, if any."""
    right, wrong = spelled.right[0], spelled.wrong[0]
    if right.setting != wrong.setting:
        return
    keys = [
        str(answer_of(case.response, shape.key.field)[shape.key.field])
        for case in (material.right[0], material.wrong[0])
    ]
    texts = [*_of_any(right.response, wrong.response, form.instruction(shape))]
    if isinstance(form, TextFormat):
        lead = right.response.removesuffix(TextFormat(form.kind).write({shape.key.field: keys[0]}, shape))
        texts += _of_kind(form, right.response, lead, *keys)
    for text, why, level in texts:
        read = form.read(text, shape, strict=strict)
        said = None if read is None else str(read[shape.key.field]).strip()
        failure = "" if said == keys[0] else wrong.failure if said == keys[1] else "unreadable"
        yield replace(right, name="format", response=text, failure=failure, why=why, level=level)  # type: ignore[type-var]


def _of_any(right: str, wrong: str, instruction: str) -> Iterator[_Text]:
    yield f"Let me think.\n{right}", "words before the answer", "full"
    yield f"<think>\n{wrong}\n</think>\n{right}", "reasoning is no answer", "full"
    yield f"<think>\n{right}\n</think>\n{wrong}", "reasoning is no answer", "full"
    yield f"<think>\n{right}\n</think>", "reasoning is no answer", "full"
    yield f"{wrong}\n<think>\n{right}", "reasoning that is never closed holds no answer", "full"
    yield instruction, "an echo of the question", "task"
    yield f"{instruction}\n{right}", "an echo of the question before the answer", "full"
    yield f"{right}\r\n", "a line break of two characters", "full"


def _of_kind(form: TextFormat, right: str, lead: str, right_key: str, wrong_key: str) -> Iterator[_Text]:
    if form.kind == "line":
        yield f"{lead}{right_key}\n{wrong_key}", "the last line counts", "full"
        yield f"{wrong_key}\n\n{right}\n \n", "blank lines do not count", "full"
        yield f"{lead}```\n{right_key}\n```", "a code fence around the answer", "full"
        yield f"{lead}Answer: {right_key}", "a label before the answer", "full"
        for unit in ("\n", "\n ", "```\n", "</s>", "Answer: ", "** "):
            yield unit * (_LENGTH // len(unit)), "a flood", "task"
        return
    opening, closing = (f"<{ANSWER_TAG}>", f"</{ANSWER_TAG}>") if form.kind == "tags" else ("\\boxed{", "}")
    noun = "tags" if form.kind == "tags" else "box"
    yield f"{lead}{right_key}", f"an answer outside its {noun}", "full"
    yield f"{lead}{opening}{wrong_key}{closing} {right_key}", f"an answer outside its {noun}", "full"
    yield f"{lead}{opening}{right_key}", "never closed", "full"
    yield f"{right}\n{opening}{wrong_key}", "what is never closed voids no earlier answer", "full"
    yield f"{lead}{opening}{opening}{right_key}{closing}", "opened twice", "full"
    yield f"{opening}...{closing}", "a placeholder", "task"
    yield f"{right}\nIt stands in {opening}{closing}.", "an empty one is no answer", "full"
    if form.kind == "tags":
        yield f"{lead}{opening.upper()}{right_key}{closing.upper()}", "tags in upper case", "full"
        yield f"{lead}{closing}{right_key}{opening}", "tags the wrong way round", "full"
        yield f"{lead}<answ\u0435r>{right_key}</answ\u0435r>", "look-alikes of tags", "full"
        yield f"{lead}&lt;answer&gt;{right_key}&lt;/answer&gt;", "tags written as entities", "full"
    for unit in (opening, closing, opening + closing, f"{opening}{wrong_key}", f"{opening}{wrong_key}{closing}", "< "):
        yield unit * (_LENGTH // len(unit)), "a flood", "task"
