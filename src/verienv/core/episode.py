"""Episode: the dialogue about a question, and about those that follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from verienv.core import tasks
from verienv.core.dialogue import Message, attempt_line, copy_messages, turn_messages
from verienv.core.question import Picture, Question
from verienv.core.response import clean_response
from verienv.core.rows import deal_row
from verienv.core.shown import shown
from verienv.core.task import Task
from verienv.core.verdict import Verdict, total


class Episode:
    """One episode: answers are judged until the task has no further question.

    Knows neither Gymnasium nor a trainer: the environments, the evaluation and the adapters are shells around it::

        episode = verienv.Episode.of(row)
        while not episode.is_over:
            episode.answer(model(episode.messages, episode.pictures))
        print(episode.score())

    Args:
        question: the first one.
        task: the task it belongs to; by default the registered one that has such questions.
        alone: whether the episode ends with this question, whatever would follow it.

    Attributes:
        task: the task.
        question: the question in play, at the attempt that is due; after the end the last one.
        verdicts: the verdicts so far, the newest last.
        instance: the id of the instance.
        prompt: the question in words.
        feedback: the lines of feedback in the present dialogue.
        is_over: whether the episode has ended.
        is_success: whether it is over, and its last verdict completes it: by default a correct one.
    """

    question: Question
    instance: str
    prompt: str
    feedback: list[str]
    is_over: bool = False
    is_success: bool = False
    _opening: str
    _messages: list[Message]
    _pictures: list[Picture] | None

    def __init__(self, question: Question, task: Task | None = None, *, alone: bool = False) -> None:
        self.task = tasks.of_question(question) if task is None else task
        self.measures = self.task.measures_of(question.vision, question.wording.answer_format)
        self.verdicts: list[Verdict] = []
        self._alone = alone
        self._ask(question)

    @classmethod
    def of(cls, row_or_env: Any, *, trusted: bool = False) -> Episode:
        """Begin the episode of a row; or return the one in play in an environment, which is no copy.

        A row of ``verienv.rows`` is dealt anew, here as in any other process, with its pictures. A row without a
        ``seed``, such as a hand alone, is one question, whose pictures are not known.

        Args:
            row_or_env: a mapping, or a verienv environment, wrapped or not.
            trusted: whether settings of the row may open paths of this machine.

        Raises:
            ValueError: if a column is missing or wrong, the row is of no known task, or it names a path and is not
                trusted.
        """
        if isinstance(row_or_env, Mapping):
            return cls(deal_row(row_or_env, trusted), alone=row_or_env.get("unit") == "question")
        episode = getattr(getattr(row_or_env, "unwrapped", None), "episode", None)
        if not isinstance(episode, Episode):
            raise ValueError(f"Episode.of({shown(row_or_env)}): expected a row (a mapping) or a verienv environment")
        return episode

    @property
    def messages(self) -> list[Message]:
        """The present dialogue as chat messages, a fresh list.

        It ends with the newest words to the policy, which follow the last response: feedback, or a further question. A
        further question (the next waypoint of a route) begins a dialogue of its own, and tells what came before.
        """
        return copy_messages(self._messages)

    @property
    def pictures(self) -> list[Picture]:
        """The pictures that ``{"type": "image"}`` stands for in the messages, in order; drawn when first asked for."""
        if self._pictures is None:
            self._pictures = _check_pictures(self.question)
        return self._pictures

    @property
    def text(self) -> str:
        """The present dialogue without the policy's words: the question, the feedback, and the attempt that is due."""
        wording = self.question.wording
        if not self.feedback:
            return wording.before(self._opening) if wording.system_prompt else self._opening
        lines = [self.prompt, *self.feedback]
        if not self.is_over:
            lines.append(attempt_line(self.question.attempt, self.question.attempts))
        return wording.before("\n".join(lines))

    @property
    def verdict(self) -> Verdict | None:
        """The newest verdict, None before the first."""
        return self.verdicts[-1] if self.verdicts else None

    def answer(self, response: str) -> Verdict:
        """Judge a response and go on. Never raises on its content; one that is no string is read as an empty one.

        Raises:
            RuntimeError: if the episode is over.
        """
        if self.is_over:
            raise RuntimeError("the episode is over: no further answer counts; begin another one")
        question = self.question
        response = as_judged(question, response)
        verdict = question.judge(response)
        self.verdicts.append(verdict)
        following = self.task.next(question, verdict)
        if following is not None and following.attempt == 1 and self._alone:
            following = None
        if following is not None and following.attempt == 1:
            self._ask(following)
            return verdict
        self.feedback.append(verdict.feedback)
        said = verdict.feedback
        if following is None:
            self.is_over, self.is_success = True, question.completes(verdict)
        else:
            self.question = following
            said += "\n" + attempt_line(following.attempt, following.attempts)
        self._messages += turn_messages(response, said)
        return verdict

    def expert(self, *, steps: bool = False) -> str:
        """Write a response that earns the best reward on the question in play; with ``steps``, its derivation first."""
        return self.question.expert(steps=steps)

    @property
    def info(self) -> dict[str, Any]:
        """The info that an environment returns, of the same keys and types throughout an episode.

        ``instance``, ``attempt`` (answers given to this question), ``attempts_left``, ``is_correct``, ``is_success``,
        ``failure``, ``feedback``, ``messages``, the metrics of the newest verdict, the task's own entries, and how
        difficult the instance is.
        """
        question = self.question
        verdict = self.verdicts[-1] if self.verdicts else None
        attempt = question.attempt if self.is_over else question.attempt - 1
        return {
            "instance": self.instance,
            "attempt": attempt,
            "attempts_left": question.attempts - attempt,
            "is_correct": verdict.is_correct if verdict else False,
            "is_success": self.is_success,
            "failure": verdict.failure if verdict else "",
            "feedback": verdict.feedback if verdict else "",
            "messages": copy_messages(self._messages),
            **(verdict.metrics if verdict else self.measures.metrics),
            **question.info(self.is_success),
            **question.difficulty_measures,
        }

    @property
    def outcomes(self) -> dict[str, Any]:
        """The entries of info that measure the whole episode."""
        found = self.question.info(self.is_success)
        extras = (name for name in self.measures.extras if name in found)
        return {name: found[name] for name in (*self.measures.outcomes, *extras)}

    def score(self) -> dict[str, float | str]:
        """Return the episode as flat numbers, with the same keys for every episode of its kind.

        ``reward``, the sum over all attempts; ``success``, 1.0 or 0.0; ``attempts``; the metrics of the newest verdict
        and the measures of the whole episode as floats; ``failure``, of the newest verdict, "" if it is correct. An
        episode without an answer has the reward 0.0.
        """
        verdict = self.verdict
        metrics = verdict.metrics if verdict else self.measures.metrics
        return {
            "reward": total(each.reward for each in self.verdicts),
            "success": float(self.is_success),
            "attempts": float(len(self.verdicts)),
            **{name: float(value) for name, value in {**metrics, **self.outcomes}.items()},
            "failure": verdict.failure if verdict else "",
        }

    def _ask(self, question: Question) -> None:
        """Begin a dialogue with a question."""
        self.question = question
        self.instance = question.instance
        self.prompt = prompt = question.prompt
        self.feedback = []
        self._pictures = None
        self._opening = opening = question.opening(prompt)
        self._messages = question.messages(opening)


def as_judged(question: Question, response: Any) -> str:
    """Return a response as a question of an episode judges it: an empty one for what is no string."""
    return clean_response(response, getattr(question, "reasoning_tags", ())) if isinstance(response, str) else ""


def _check_pictures(question: Question) -> list[Picture]:
    """Return the pictures of a question. Raises TypeError if one is no array of pixels."""
    pictures = question.pictures
    if pictures and len(pictures) != question.picture_count:
        count = f"{len(pictures)}, but picture_count is {question.picture_count}"
        raise TypeError(f"{type(question).__name__}.pictures: {count}")
    for picture in pictures:
        if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.shape[2:] != (3,):
            shown = f"{picture.dtype}, {picture.shape}" if isinstance(picture, np.ndarray) else type(picture).__name__
            raise TypeError(
                f"{type(question).__name__}.pictures: {shown}; expected uint8 arrays, height x width x 3, such as "
                'np.asarray(image.convert("RGB"))'
            )
    return pictures
