"""Cases: responses that a verifier is tried on, each with the verdict that is due; what tasks' cases share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np

from verienv.core.assets import asset_path
from verienv.core.question import Question

SomeCase = TypeVar("SomeCase", bound="AnyCase")

Level = Literal["task", "full", "total"]
"""Who owes the verdict of a case: every verifier of the task, or one that reads as verienv does; "total": nobody."""

CANARY = "VERIENV_MODEL_TEXT_WAS_RUN"
"""The environment variable that the code in hostile responses sets; it does nothing else."""

HOSTILE_CODE = f"__import__('os').environ.setdefault('{CANARY}', 'yes')"

FLOOD_UNITS = ('"', "'", "\\", "{", "}", "[", "{}", '{"', '"\\"', "{'")
"""Quotes and brackets that hostile responses repeat thousands of times."""


def noise(pieces: Sequence[str], seed: int) -> Iterator[str]:
    """Yield 150 texts of 1 to 29 pieces each, drawn anew for each text."""
    rng = np.random.default_rng(seed)
    for _ in range(150):
        drawn = rng.integers(len(pieces), size=int(rng.integers(1, 30)))
        yield "".join(pieces[int(i)] for i in drawn)


class AnyCase:
    """A response to an instance, with the verdict that is due. Subclasses are frozen dataclasses with these fields.

    Attributes:
        name: the kind of the case; among vectors it is unique.
        response: the text to be judged.
        failure: "" for a right answer, else the kind of failure.
        why: the reason, for people.
        level: who owes this verdict. Every verifier owes every case a finite reward, the same each time.
    """

    name: str
    response: str
    failure: str
    why: str
    level: Level = "task"

    @property
    def facts(self) -> Any:
        """The object that a verifier is called with, beside the response."""
        raise NotImplementedError

    @property
    def setting(self) -> str:
        """The instance, in a few words."""
        raise NotImplementedError

    @property
    def is_correct(self) -> bool:
        return not self.failure

    @property
    def group(self) -> str:
        """The name without its number."""
        name, _, number = self.name.removesuffix(" in vision").rpartition(" ")
        return name if number.isdigit() else self.name

    @property
    def unevaluable(self) -> bool:
        """Whether evaluating the response as code would never end."""
        return self.name.startswith("heavy")

    def copied_facts(self) -> Any:
        """Return a copy of the facts, so that no verifier can change those of a later call; itself if none is made."""
        try:
            return deepcopy(self.facts)
        except Exception:  # a question of someone's own may hold what cannot be copied, such as a lock
            return self.facts

    def call(self, fn: Callable[..., Any]) -> Any:
        """Return ``fn(response, facts)``."""
        return fn(self.response, self.copied_facts())


@dataclass(frozen=True)
class Material:
    """Everything that a verifier of one task is tried on.

    Attributes:
        right, wrong: answers as plain as can be: they show how a verifier pays.
        cases: whatever a policy might write.
        repeated_faults: families of one wrong answer with more and more faults of one kind.
        repeated_right: families of one right answer given once, twice, ...: it is worth no more for that.
        hedges: two answers in both orders, of which one is right: at most one order may be paid, whichever counts.
    """

    right: list[AnyCase]
    wrong: list[AnyCase]
    cases: list[AnyCase]
    repeated_faults: list[list[AnyCase]]
    repeated_right: list[list[AnyCase]] = field(default_factory=list)
    hedges: list[tuple[AnyCase, AnyCase]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        calibration: tuple[Sequence[AnyCase], Sequence[AnyCase]],
        cases: Sequence[AnyCase],
        drawn: Sequence[AnyCase],
        repeated_faults: Iterable[Sequence[AnyCase]],
        repeated_right: Iterable[Sequence[AnyCase]],
    ) -> Material:
        """Gather a task's own cases: the plain right and wrong ones, all, those ``drawn`` at random, and the families.

        The drawn ones named "drafts" come in pairs, the hedges: one for each order.
        """
        right, wrong = calibration
        drafts = [case for case in drawn if case.name == "drafts"]
        return cls(
            [*right],
            [*wrong],
            [*cases],
            [[*pile] for pile in repeated_faults],
            [[*pile] for pile in repeated_right],
            list(zip(drafts[::2], drafts[1::2], strict=True)),
        )


def plain_fields(response: str, *names: str) -> dict[str, Any]:
    """The fields of a response that is one JSON object with just these names, written as ``json`` does; {} else."""
    try:
        fields = json.loads(response)
    except (ValueError, RecursionError):
        return {}
    is_plain = isinstance(fields, dict) and fields.keys() == set(names) and json.dumps(fields) == response
    return fields if is_plain else {}


def read_vectors(asset: str, make: Callable[[dict[str, Any]], SomeCase], tool: str) -> tuple[SomeCase, ...]:
    """Return the cases of a file of vectors, made of the fields of its lines.

    Raises:
        ValueError: the file is damaged; the error names it and the ``tool`` that builds it.
    """
    path = asset_path(asset)
    try:
        return tuple(make(json.loads(line)) for line in path.read_text(encoding="ascii").splitlines())
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error!r}); rebuild it with python {tool}") from None


@dataclass(frozen=True, eq=False)  # a question need not be hashable
class QuestionCase(AnyCase):
    """A response to a question, with the verdict of the task's own verifier.

    Attributes:
        failure: "" for a right answer, else the kind of failure.
        why: the reason, for people.
        level: who owes this verdict.
    """

    name: str
    response: str
    question: Question
    failure: str
    why: str
    level: Level = "task"

    @classmethod
    def judged(cls, name: str, response: str, question: Question, level: Level = "task") -> QuestionCase:
        """Return the case of a response, judged by the question."""
        verdict = question.judge(response)
        return cls(name, response, question, verdict.failure, verdict.reason or verdict.feedback, level)

    @property
    def facts(self) -> Any:
        return self.question.facts

    @property
    def setting(self) -> str:
        return self.question.instance


def judged_material(questions: list[Question], failures: tuple[str, ...], seed: int) -> Material:
    """Return the material for a verifier of a task that brings no cases of its own.

    The expert's and wrong responses to ``questions``, drafts before answers, and hostile text, each with the verdict of
    the task's verifier.
    """
    rng = np.random.default_rng(seed)
    material = Material([], [], [], [])
    for question in questions:
        good = question.expert()
        bad = [text for failure in failures if (text := question.wrong(failure, rng)) is not None]
        material.right.append(QuestionCase.judged("plain right", good, question))
        material.wrong.extend(QuestionCase.judged("plain wrong", text, question) for text in bad[-1:])
        texts = {"steps": [question.expert(steps=True)], "wrong": bad}
        texts["cut"] = [good[:at] for at in range(0, len(good), max(1, len(good) // 8))]
        for name, some in texts.items():
            level: Level = "task" if name == "wrong" else "full"
            material.cases.extend(QuestionCase.judged(name, text, question, level) for text in some)
        for text in bad[-1:]:
            drafts = [
                QuestionCase.judged("drafts", draft, question, "full")
                for draft in (f"{text}\nNo. {good}", f"{good}\nNo. {text}")
            ]
            material.cases.extend(drafts)
            if [draft.is_correct for draft in drafts] == [True, False]:
                material.hedges.append((drafts[0], drafts[1]))
    first = questions[0]
    floods = [unit * (60_000 // len(unit)) for unit in (*FLOOD_UNITS, "(", "\ud800", "\0", "é", "1")]
    hostile = ["", HOSTILE_CODE, *floods, first.expert().replace('"', "'" + HOSTILE_CODE)]
    material.cases.extend(QuestionCase.judged("hostile", text, first) for text in hostile)
    material.cases.extend(same_response_cases(questions))
    piles = [QuestionCase.judged("piling", "I do not know. " * 2**power, first) for power in range(9)]
    material.repeated_faults.append([*piles])
    again = [QuestionCase.judged("again", "\n".join([first.expert()] * 2**power), first, "full") for power in range(9)]
    material.repeated_right.append([*again])
    return replace(material, right=material.right[:5], wrong=material.wrong[:5])


def same_response_cases(questions: Sequence[Question]) -> Iterator[QuestionCase]:
    """Yield the answer to one question given to the next as well, and again to the first."""
    for question, other in pairwise(questions):
        for asked in (question, other, question):
            yield QuestionCase.judged("same response", question.expert(), asked)
