"""Task: all that the suite knows of a task, in one place.

Light to import: bodies of methods import what they need. Registration, adapters, demonstrations, evaluation, replay,
testing and the command line ask the list of tasks (``verienv.core.tasks``) and import no task.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from verienv.core.answer_format import JSON, AnswerFormat, Part, Shape
from verienv.core.shown import shown

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from verienv.core.cases import Material
    from verienv.core.question import Question
    from verienv.core.scene import Scene
    from verienv.core.verdict import Metric, OwnRewards, RewardTable, Verdict

Cells = Mapping[str, Mapping[str, Any]]
"""The cells of an evaluation: a name for each, and its settings."""


@dataclass(frozen=True)
class Measures:
    """The measures of a task's verdicts and episodes.

    Attributes:
        failures: the kinds of failure that a wrong response can be written for.
        metrics: the metrics of a verdict, with their values before any response: they fix keys and types in info.
        headings: what tables call metrics, ratios and outcomes; one without a heading is kept, but not shown.
        ratios: for a task whose episodes hold several questions, its measures over attempts: each name stands for the
            share of attempts at which the first is true, among those at which all the others are. They are metrics of a
            verdict that are bool, or "is_correct", or "attempt", which is true at each.
        outcomes: the entries of info that measure a whole episode, read at its end.
        extras: further ones that some settings alone have, each with its unit, "" for a share.
        recognition: the metric that says whether the picture was read right, "" where no verdict depends on it.
        headline: the first measure to look at.
        fields: for a metric, or a kind of failure, that judges a further field of an answer, that field: where the
            answer format has no room for it, the metric is not measured, and nothing fails so.
    """

    failures: tuple[str, ...] = ()
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    ratios: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ()
    extras: Mapping[str, str] = field(default_factory=dict)
    recognition: str = ""
    headline: str = "success"
    fields: Mapping[str, str] = field(default_factory=dict)

    def without(self, names: Collection[str]) -> Measures:
        """Return the measures without some metrics, the ratios that are made of them, and some kinds of failure."""
        return replace(
            self,
            failures=tuple([failure for failure in self.failures if failure not in names]),
            metrics={name: value for name, value in self.metrics.items() if name not in names},
            ratios={name: made_of for name, made_of in self.ratios.items() if not set(made_of) & set(names)},
            recognition="" if self.recognition in names else self.recognition,
        )


def answer(response: str) -> str:
    """
    Submit an answer and be told whether it is correct.

    Args:
        response: The answer, in the form that the question asks for.

    Returns:
        Whether the answer is correct, else what is wrong with it and how many attempts are left.
    """
    return response


class Task:
    """A task. Subclass it, set the attributes, override the methods whose default does not fit, and register one.

    Attributes:
        name: short and lower-case; error messages, ``check_verifier(task=...)`` and logs use it.
        title: as people write it.
        environments: the ids of its environments, each with the "module:class" of a ``VerifiedEnv``.
        numeric: the ids of numeric environments made over them, each with a "module:function".
        question: the class of its questions.
        column: a field of its questions that no other task's have: by it a row without ``env_id`` is recognised.
        fields: the fields of an answer's JSON object, the one that decides first; () where answers have another form.
        tables: named cells of evaluations, for ``verienv evaluate --splits NAME``.
        ability: the ``ability`` in verl's rows, such as "math".
        unit: the unit of rows: "question", or another word, such as "route", where an episode holds several questions.
        noun: the instance in one word, for people, such as "hand".
        solved: the participle for ``play``: "2 of 3 hands solved".
        tool: the tool that tool-calling models are offered: a function with Google's docstring, from its arguments
            to the response that is judged.
        tool_over: the reply to a call that comes too late to count.
        data_license: the licence of rows of its questions, as a hub of data sets calls it, "" if unknown; and the line
            that credits others, "" if none is due.
    """

    name: str
    title: str
    environments: ClassVar[Mapping[str, str]] = {}
    numeric: ClassVar[Mapping[str, str]] = {}
    column: str = ""
    fields: tuple[str, ...] = ()
    ability: str = "reasoning"
    unit: str = "question"
    noun: str = "question"
    solved: str = "solved"
    tool: Callable[..., str] = staticmethod(answer)
    tool_over: str = "The question is over: no further answer counts."
    data_license: tuple[str, str] = ("", "")

    @property
    def question(self) -> type[Question]:
        raise NotImplementedError(f"{type(self).__name__}.question: give the class of its questions")

    @property
    def tables(self) -> Mapping[str, Cells]:
        return {}

    def measures(self, vision: bool) -> Measures:
        """Return the measures of its episodes, in words or by ``vision``."""
        return Measures()

    def measures_of(self, vision: bool, answer_format: AnswerFormat) -> Measures:
        """Return the measures of episodes whose answers are of a format: those that it has the fields for."""
        measures = self.measures(vision)
        if answer_format is JSON or not measures.fields:
            return measures
        shape = self.shape
        return measures.without(
            [name for name, field in measures.fields.items() if not answer_format.has(field, shape)]
        )

    @property
    def shape(self) -> Shape:
        """The parts of an answer, by which answer formats other than JSON read and write it."""
        if not self.fields:
            raise ValueError(f"{self.title} has no fields of answers, so its answers have one format only")
        key, *others = [Part(name, f"the {name}", name) for name in self.fields]
        return Shape(key, tuple(others))

    def respell(self, question: Question, answer: str) -> str:
        """Return an answer in JSON, such as a tool writes it, in the answer format of a question."""
        form = question.wording.answer_format
        return answer if form is JSON else form.respell(answer, self.shape)

    def next(self, question: Question, verdict: Verdict) -> Question | None:
        """Return the question that follows a verdict, None at the end of the episode.

        ``question.again()`` goes on in the same dialogue, behind the feedback. Any other question must have
        ``attempt=1`` (``question.but(..., attempt=1)``) and begins a dialogue of its own. By default a wrong response
        is followed by the same question while attempts are left: sequential revision.
        """
        return question.again() if not verdict.is_correct and question.attempt < question.attempts else None

    def reward_table(self, rewards: Any) -> RewardTable | OwnRewards:
        """Return the table of prices that ``rewards`` means. Raises ValueError if it is none of this task's."""
        raise ValueError(f"{self.title} has one table of rewards only, so rewards={shown(rewards)} cannot be chosen")

    def cases(self, *, vision: bool, strict: bool, questions: int, seed: int) -> Material:
        """Return everything that a verifier of this task is tried on; see ``verienv.check_verifier``.

        By default the expert's and wrong responses to ``questions`` questions and hostile text, with the verdicts of
        the task's own verifier.
        """
        from verienv.core.cases import judged_material
        from verienv.core.question import check_question

        envs = [self.environment(env_id) for env_id in self.environments]
        fitting = [env for env in envs if env.vision == vision] or ([] if vision else envs)
        if not fitting:
            raise ValueError(f"vision=True: expected False for {self.title}, which has no environment with pictures")
        rng, env = np.random.default_rng(seed), fitting[0]
        dealt = [check_question(env.deal(rng), env) for _ in range(questions)]
        return judged_material(dealt, env.measures.failures, seed)

    def convert(self, source: Path, out: Path, *, defects: str, note: Callable[[str], None]) -> str:
        """Convert data that others have published for the task to one file that a setting can name.

        Args:
            source: the data as it was published.
            out: the file to write, which appears when it is whole.
            defects: "skip" to leave out the parts that cannot be used, "refuse" to stop at the first.
            note: is told each part that is left out.

        Returns:
            A summary for people.

        Raises:
            ValueError, OSError: if the data cannot be read, or ``defects`` is neither.
        """
        raise ValueError(f"{self.title} knows no data that could be converted")

    @property
    def has_data(self) -> bool:
        """Whether the task converts published data."""
        return type(self).convert is not Task.convert

    def published(self, prompt: str, answer: str, about: Mapping[str, Any]) -> Question | None:
        """Return the question of a row of a published data set, None where it is none of this task's.

        Its wording is the prompt as it stands, and it allows one attempt.

        Args:
            prompt: the words of the question.
            answer: the published answer, "" where there is none.
            about: the row's further columns, {} where there are none.

        Raises:
            ValueError: for a row of this task that contradicts itself or lacks something.
        """
        return None

    def likeness(self, row: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the keys by which the instances of rows are compared: rows with an equal key are alike in it.

        Raises:
            ValueError: for a row that does not say enough.
        """
        return {f"{self.noun}s": self.question.from_row(row).instance}

    def dealt_alike(self, question: Question, env: Any) -> frozenset[str] | None:
        """Return which of its keys a question shares with some instance that an environment may deal.

        None where that can only be found by drawing.
        """
        return None

    def environment(self, env_id: str, **settings: Any) -> Any:
        """Build the ``VerifiedEnv`` of an id, without wrappers. Raises ValueError for wrong settings."""
        return self.environment_class(env_id)(**settings)

    def environment_class(self, env_id: str) -> Any:
        """Return the class behind an id. Raises KeyError for one that is not this task's."""
        module, _, name = self.environments[env_id].partition(":")
        return getattr(import_module(module), name)

    def help(self, question: Question) -> str:
        """Return the line that tells a person how to answer."""
        alone = f", or the {self.fields[0]} alone" if self.fields else ""
        return f"Type an answer as the question asks for it{alone}; 'give up' for the solution, 'q' to quit."

    def typed(self, question: Question, text: str) -> str:
        """Return a person's text as a response.

        By default the field of the answer that decides is enough: it takes the place of the expert's.
        """
        if "{" in text or not self.fields:
            return text
        try:
            answer = json.loads(question.expert())
            is_text = isinstance(answer[self.fields[0]], str)
        except (KeyError, TypeError, ValueError):
            answer, is_text = {}, True
        try:
            value = text if is_text else json.loads(text)
        except ValueError:
            value = text
        return json.dumps({**answer, self.fields[0]: value})

    def choices(self, question: Question) -> tuple[str, ...]:
        """Return the answers that a person picks one of; () where an answer is typed."""
        return ()

    def news(self, question: Question) -> str:
        """Return the part of a new question that a person who plays has not been told yet."""
        return question.prompt

    def revealed(self, question: Question) -> Iterator[str]:
        """Yield the lines that show the solution."""
        yield f"The expert says: {question.expert()}"

    def scene(self, question: Question, solved: bool = False) -> Scene:
        """Return what a replay shows of a question, in play or ``solved``."""
        from verienv.core.scene import Scene

        return Scene()

    def map(self, question: Question, solved: bool = False, size: int | None = None) -> Image | None:
        """Draw the map of the instance, ``size`` px high and wide, at a question; None for a task without maps."""
        return None

    @property
    def has_map(self) -> bool:
        """Whether the task draws maps."""
        return type(self).map is not Task.map
