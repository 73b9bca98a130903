"""Answers in a form of the user's own: the JSON objects of the cases, spelled as ``render`` does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from verienv.core.cases import AnyCase, Material
from verienv.core.response import read_answer
from verienv.core.shown import shown

SomeCase = TypeVar("SomeCase", bound=AnyCase)
Render = Callable[[dict[str, Any]], str]
IsSame = Callable[[str, str], bool]


def respelled(
    material: Material, render: Render, fields: Sequence[str], *, glue: str | None = None, is_same: IsSame | None = None
) -> Material:
    """Return the material with every answer that is a JSON object spelled by ``render``.

    A response that is no such object, nor a row of drafts that are, stays as it is; nobody owes its verdict then, but
    for one that holds no right answer in any spelling. Nor does anybody owe one verdict on two answers that the
    spelling cannot tell apart.

    Args:
        material: as the task brings it.
        render: a function from the fields of an answer to a response.
        fields: the fields of the task's answers, the one that decides first; () if any object is an answer.
        glue: what stands between an answer and other words; None for what stands there in the case.
        is_same: whether a response and its spelling are read alike; a case that is not is owed no verdict.

    Raises:
        TypeError: ``render`` raises, or returns no string, for a plain answer.
        ValueError: the plain answers are no JSON objects.
    """
    key = fields[0] if fields else ""

    def spell(case: SomeCase) -> SomeCase:
        spelled = _spelled(case, render, key, glue)
        if is_same is None or spelled.response == case.response or is_same(case.response, spelled.response):
            return spelled
        return replace(spelled, level="total")  # type: ignore[type-var]

    for case in (*material.right, *material.wrong):
        _check(case, render, key)
    right_answers = {
        (case.setting, spelled.response)
        for case in (*material.right, *material.cases)
        if case.is_correct and (spelled := spell(case)).level != "total"
    }

    def all_of(cases: Sequence[SomeCase]) -> list[SomeCase]:
        spelled = [spell(case) for case in cases]
        return [
            replace(case, level="total")  # type: ignore[type-var]
            if not case.is_correct and (case.setting, case.response) in right_answers
            else case
            for case in spelled
        ]

    return Material(
        all_of(material.right),
        all_of(material.wrong),
        all_of(material.cases),
        [all_of(pile) for pile in material.repeated_faults],
        [all_of(pile) for pile in material.repeated_right],
        [(first, second) for first, second in (all_of(pair) for pair in material.hedges)],
    )


def _spelled(case: SomeCase, render: Render, key: str, glue: str | None) -> SomeCase:
    is_several = case.group in ("drafts", "again", "piling")
    parts = list(_parts(case.response, key)) if is_several else [answer_of(case.response, key) or case.response]
    if glue is not None and is_several:
        parts = [part.strip() if isinstance(part, str) else part for part in parts]
        parts = [part for part in parts if part]
    try:
        response = (glue or "").join(part if isinstance(part, str) else render(part) for part in parts)
    except Exception:  # an answer without one of the fields that it asks for cannot be spelled so
        parts, response = [], case.response
    if any(isinstance(part, dict) for part in parts) and isinstance(response, str):
        return replace(case, response=response)  # type: ignore[type-var]
    is_owed = case.level == "task" and not case.is_correct
    return case if is_owed else replace(case, level="total")  # type: ignore[type-var]


def _parts(text: str, key: str) -> Iterator[str | dict[str, Any]]:
    """The answers in a text, and what stands between them."""
    decoder = json.JSONDecoder()
    end = 0
    while len(text) < 200_000 and (start := text.find("{", end)) >= 0:
        yield text[end:start]
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            yield text[start : start + 1]
            end = start + 1
            continue
        yield answer_of(text[start:end], key) or text[start:end]
    yield text[end:]


def answer_of(text: str, key: str) -> dict[str, Any]:
    """Return the fields of a text that is one answer; {} of any other."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if isinstance(fields, dict) and key and "\\" in text:
        fields = read_answer(text, key)  # TeX with single backslashes is none of JSON's tabs and form feeds
    return fields if isinstance(fields, dict) and (not key or isinstance(fields.get(key), str)) else {}


def _check(case: AnyCase, render: Render, key: str) -> None:
    answer = answer_of(case.response, key)
    if not answer:
        raise ValueError(
            f"render=...: an answer such as {shown(case.response)} is no JSON object, so it cannot be spelled anew; "
            "leave render out"
        )
    expected = f"expected a function from an answer's fields ({', '.join(answer)}) to a response"
    try:
        response = render(dict(answer))
    except Exception as error:
        raise TypeError(f"render({shown(answer)}) raised {type(error).__name__}: {error}; {expected}") from error
    if not isinstance(response, str):
        raise TypeError(f"render({shown(answer)}) returned {shown(response)}; {expected}")
