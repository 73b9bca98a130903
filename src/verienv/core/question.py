"""Question: what a policy is asked, with all that judging an answer to it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from verienv.core.answer_format import JSON, Shape, spoiled
from verienv.core.dialogue import Message, attempt_line, question_message, system_message
from verienv.core.plain import PlainRow
from verienv.core.shown import shown
from verienv.core.verdict import Verdict
from verienv.core.wording import COLUMNS, PLAIN, Slots, Wording
from verienv.core.writing import Writing

TRIES = 16
"""Wrong responses that are written before a question is said to allow none in its answer format."""

Picture = NDArray[np.uint8]
"""RGB, height x width x 3, read-only."""


@dataclass(frozen=True, kw_only=True)
class Question(ABC):
    """One question about an instance: its facts, modality, wording and prices. Frozen; its methods are pure.

    A task's question is a frozen dataclass with keyword-only fields on top of these. Fields that are plain data
    (numbers, strings, tuples, mappings, pydantic models) go to a row and back without further work; override ``row``
    and ``from_row`` for columns of other names.

    Attributes:
        vision: whether a part of the question is in a picture.
        attempts: answers allowed.
        attempt: which of them is due, from 1.
        wording: how it is put, how its answer is asked for, and what is said to a wrong one. A question of a task of
            one's own need not go by it.
    """

    slots = Slots((), ())
    """The slots of templates for this question; those that a template must name are checked where settings are."""

    vision: bool = False
    attempts: int = 1
    attempt: int = 1
    wording: Wording = PLAIN

    writing = Writing  # without an annotation: __dataclass_fields__ lists a ClassVar too
    """The options of its demonstrations."""

    def __post_init__(self) -> None:
        for name in ("attempt", "attempts"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise ValueError(f"{type(self).__name__}: {name}={shown(number)}: expected an integer of at least 1")

    @property
    @abstractmethod
    def instance(self) -> str:
        """The id of the instance, printable ASCII; the same under every rule, wording and visual."""

    @property
    @abstractmethod
    def prompt(self) -> str:
        """The question in words, printable ASCII, without the line that counts attempts."""

    @abstractmethod
    def judge(self, response: str) -> Verdict:
        """Judge a response: any string. Never raises on it, and changes nothing."""

    @abstractmethod
    def expert(self, *, steps: bool = False) -> str:
        """Write a response that earns the best reward; with ``steps``, its derivation first."""

    def demonstration(self, how: Writing, rng: np.random.Generator) -> str:
        """Write a response that earns the best reward, as ``how`` says; what that leaves to chance is drawn."""
        return self.expert(steps=how.steps)

    def worded(self, verdict: Verdict) -> Verdict:
        """Return a verdict with the feedback of this question's wording."""
        feedback = self.wording.feedback
        if feedback is PLAIN.feedback:
            return verdict
        line = feedback.line(verdict, self.feedback_slots, lambda: self.but(attempt=1).prompt)
        return verdict.model_copy(update={"feedback": line})

    def feedback_slots(self, verdict: Verdict) -> Mapping[str, str]:
        """Return the texts of the slots that lines of feedback may name, for a verdict on this question."""
        return {}

    def opening(self, prompt: str) -> str:
        """Return the words that a dialogue about this question begins with: its prompt, and the attempt that is due."""
        line = attempt_line(self.attempt, self.attempts)
        is_told = self.wording is not PLAIN and self.wording.tells(line, prompt)
        return prompt if is_told else f"{prompt}\n{line}"

    def messages(self, opening: str) -> list[Message]:
        """Return the chat messages with which a dialogue begins whose first words are ``opening``."""
        asked = question_message(opening, self.picture_count)
        system = self.wording.system_prompt
        return [system_message(system, self.picture_count), asked] if system else [asked]

    def wrong(self, failure: str, rng: np.random.Generator) -> str | None:
        """Write a response that fails as ``failure`` says, drawn with ``rng``; None if this instance allows none."""
        return None

    def wrong_in_format(
        self, shape: Shape, failure: str, write: Callable[[], str | None], rng: np.random.Generator
    ) -> str | None:
        """Return a wrong response in the answer format of this question, None where it cannot fail so.

        Args:
            shape: the parts of an answer.
            failure: the kind of failure.
            write: writes a wrong response as JSON.
            rng: what is left to chance is drawn with it.
        """
        form = self.wording.answer_format
        if form is JSON:
            return write()
        for _ in range(TRIES):
            written = write()
            fields = JSON.read(written or "", shape)
            text = spoiled(form, self.expert(), shape, rng) if fields is None else form.write(fields, shape)
            if written is not None and text is not None and self.judge(text).failure == failure:
                return text
        return None

    def constant(self) -> str:
        """Write the response of the constant baseline, which says it to every question."""
        return self.expert()

    @property
    def pictures(self) -> list[Picture]:
        """The pictures of the question, drawn anew at each call: uint8 arrays, RGB, height x width x 3; [] in words.

        A question with ``vision`` has one. Where it cannot be drawn from the fields of a row, it is [] after
        ``from_row``.
        """
        return []

    @property
    def picture_count(self) -> int:
        """The number of pictures."""
        return int(self.vision)

    @property
    def cluster(self) -> str:
        """The unit of inference: questions that share it are not independent."""
        return self.instance

    @property
    def best_reward(self) -> float:
        """The reward of a correct response."""
        return self.judge(self.expert()).reward

    @property
    def facts(self) -> Any:
        """The second argument of a reward function under test: ``fn(response, facts)``."""
        return self

    def info(self, solved: bool) -> dict[str, Any]:
        """Return the task's own entries of ``info`` while this question is in play, or once it is ``solved``."""
        return {}

    @property
    def difficulty_measures(self) -> dict[str, int]:
        """How difficult the instance is, by measures of the task's own, for info and rows: more is harder or longer.

        The same names for every question of a task; -1 for a measure that is not known.
        """
        return {}

    def completes(self, verdict: Verdict) -> bool:
        """Return whether an episode that ends with a verdict on this question is a success."""
        return verdict.is_correct

    def again(self) -> Self:
        """Return the question at its next attempt."""
        return self.but(attempt=self.attempt + 1)

    def but(self, **changes: Any) -> Self:
        """Return a copy with other values of some fields, in a quarter of the time ``dataclasses.replace`` takes.

        Raises:
            TypeError: for a field that there is not.
        """
        changed = object.__new__(type(self))
        values = changed.__dict__
        values.update(self.__dict__)
        values.update(changes)
        if len(values) == len(self.__dataclass_fields__) and not type(self).__slots__:
            return changed
        return self._rebuilt(changes)

    def _rebuilt(self, changes: dict[str, Any]) -> Self:
        """Return that copy where a cached property was worked out of old values, a field is unknown, or has a slot."""
        names = self.__dataclass_fields__
        if unknown := changes.keys() - names.keys():
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")
        if not names.keys() <= self.__dict__.keys():
            return replace(self, **changes)
        changed = object.__new__(type(self))
        changed.__dict__.update({name: self.__dict__[name] for name in names} | changes)
        return changed

    def row(self) -> dict[str, Any]:
        """Return the question as flat columns of plain data: ``instance`` and the fields, but for ``attempt``.

        The wording has columns of its own (``Wording.columns``), where it is another than the default.
        """
        columns: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json", exclude={"wording"})
        del columns["attempt"]
        for each in fields(self):
            if each.name != "wording" and columns.get(each.name, 0) is None and each.default is not None:
                raise ValueError(f"{type(self).__name__}.{each.name}=None: a row's None is the default; make None that")
        told = {} if self.wording == PLAIN else self.wording.columns()
        return {"instance": self.instance, **told, **columns}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read a question from a row: columns of other names are ignored, None (a table's null) is the default.

        Called on ``Question`` itself, it reads the row of any known task. ``pictures`` do not travel in rows:
        ``Episode.of(row)`` draws them.

        Raises:
            ValueError: names the column that is missing or wrong.
        """
        if cls is Question:
            return read_any(row)  # type: ignore[return-value]
        row = PlainRow(row)
        given = {field.name: row[field.name] for field in fields(cls) if row.get(field.name) is not None}
        given["wording"] = Wording.from_row({name: row.get(name) for name in COLUMNS if name not in given}, cls.slots)
        from pydantic import ValidationError

        try:
            question: Self = _adapter(cls).validate_python(given)
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            raise ValueError(f"{cls.__name__} row: {'; '.join(faults)}") from None
        if row.get("instance") not in (None, question.instance):
            raise ValueError(
                f"instance={shown(row['instance'])} is another one than the columns spell, {question.instance!r}"
            )
        return question


def check_fields(question: Question, *kinds: tuple[str, type | tuple[type, ...]]) -> None:
    """Raise ValueError that names the first of some fields that is not of its kind."""
    for name, kind in kinds:
        value = getattr(question, name)
        if not isinstance(value, kind):
            where, expected = type(question).__name__, kind if isinstance(kind, type) else kind[0]
            raise ValueError(f"{where}: {name}={shown(value)}: expected a {expected.__name__}; {where}.of reads others")


def check_phrasing(question: Any, count: int) -> None:
    """Raise ValueError unless the ``phrasing`` of a question is one of ``count``."""
    if type(question.phrasing) is not int or not 0 <= question.phrasing < count:
        given = f"{type(question).__name__}: phrasing={shown(question.phrasing)}"
        raise ValueError(f"{given}: expected an integer from 0 to {count - 1}")


@lru_cache(maxsize=64)
def _adapter(question: type[Question]) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(question)


def check_question(found: Any, env: Any, instance: str | None = None) -> Question:
    """Return what an environment dealt, if it is a question, and one about the ``instance`` that was asked for.

    Raises:
        TypeError: if it is no question.
        ValueError: if it is about another instance.
    """
    if not isinstance(found, Question):
        raise TypeError(f"{type(env).__name__}.deal returned {shown(found)}; expected a Question")
    if instance is not None and found.instance != instance:
        given = f"{type(env).__name__}.deal gave {shown(found.instance)} in its place"
        raise ValueError(f"instance={shown(instance)}: {given}")
    return found


def _load_reader(row: Mapping[str, Any]) -> Question:
    """Read a row of any task by ``verienv.core.rows``, which is loaded now, and read the next ones itself."""
    import_module("verienv.core.rows")
    return read_any(row)


read_any: Callable[[Mapping[str, Any]], Question] = _load_reader
"""Reads the row of any task. ``verienv.core.rows`` puts its own here: questions stand below the list of tasks."""
