"""Episodes in TRL, each answer submitted with the task's tool. Import from ``verienv.adapters.trl``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from verienv.adapters.trl_templates import check_shows_pictures
from verienv.core import tasks
from verienv.core.dialogue import parts_of, with_pictures
from verienv.core.episode import Episode
from verienv.core.task import Task

Reply = str | list[dict[str, Any]]
"""A tool's reply: words, or parts, each picture as a PIL image."""


class TaskEnvironment:
    """A whole episode: attempts with feedback, and further questions with their pictures.

    ``environment(name)`` makes the class for a task, with its tool. TRL resets one object for each rollout with the
    row of ``dataset``, offers the tool to the policy, and asks ``get_reward`` at the end. Where there are pictures, but
    none in the tool's replies, TRL 1.16 needs a processor that makes one tensor of them, as those of the Qwen-VL models
    do: on a list of arrays, as PIL image processors make, it fails after the first answer.
    """

    _task: Task
    _trusted = False
    _shows_pictures = False
    """Whether the chat template is known to show the pictures of a tool's reply."""
    _writes_fields = False
    """Whether the tool writes the fields of an answer as JSON, and not a whole response."""

    def __init__(self) -> None:
        self._episode: Episode | None = None

    def reset(self, **row: Any) -> str:
        """Begin with the first question of ``row``.

        Returns:
            A line for the prompt.

        Raises:
            ValueError: if a column is missing or wrong, the row names a path and is not trusted, no answer can be
                written in its answer format, or further pictures would follow and the class knows no processor.
        """
        episode = Episode.of({name: value for name, value in row.items() if value is not None}, trusted=self._trusted)
        episode.question.wording.answer_format.check_writes()
        if not self._shows_pictures and row.get("unit") != "question" and _is_followed_by_pictures(episode):
            raise ValueError(
                f"further pictures follow, in replies of the tool `{self._task.tool.__name__}`, which many chat "
                f"templates drop: say environment({self._task.name!r}, processor=...) with the model's processor"
            )
        self._episode = episode
        return f"\nSubmit each answer with the tool `{self._task.tool.__name__}`."

    def get_reward(self) -> float:
        """Return the sum of the rewards of all answers; without any, the reward of an unreadable one."""
        episode = self._begun("get_reward()")
        return float(episode.score()["reward"]) if episode.verdicts else episode.question.judge("").reward

    def _submit(self, response: str) -> Reply:
        """Judge a response; return what is said to it, and the pictures of the next question."""
        episode = self._begun(f"{self._task.tool.__name__}()")
        if episode.is_over:
            return self._task.tool_over
        if self._writes_fields:
            response = self._task.respell(episode.question, response)
        episode.answer(response)
        said = episode.messages[-1]
        if any(part["type"] == "image" for part in parts_of(said)):
            return parts_of(with_pictures([said], episode.pictures)[0])
        return "".join(part.get("text", "") for part in parts_of(said))

    def _begun(self, call: str) -> Episode:
        if self._episode is None:
            raise RuntimeError(f"call reset(**row) before {call}")
        return self._episode


def environment(task: str, *, processor: Any = None, trusted: bool = False) -> type[TaskEnvironment]:
    """Return the class to give to ``GRPOTrainer(environment_factory=...)`` for rows of a task, by its name.

    Args:
        task: the name of the task, such as "generalpoints".
        processor: the model's, for whole routes with pictures, whose tool replies with the next views.
        trusted: whether settings of the rows may open paths of this machine.

    Raises:
        ValueError: lists the tasks there are; or if the processor's chat template drops pictures in a tool's reply.
    """
    found = tasks.named(task)
    if processor is not None:
        check_shows_pictures(processor)
    tool = found.tool
    name = f"{type(found).__name__.removesuffix('Task')}Environment"
    own = {
        "_task": found,
        "_trusted": trusted,
        "_shows_pictures": processor is not None,
        "_writes_fields": list(inspect.signature(tool).parameters) != ["response"],
        tool.__name__: _method(tool),
    }
    return type(name, (TaskEnvironment,), own)


def environments(*names: str, processor: Any = None, trusted: bool = False) -> dict[str, type[TaskEnvironment]]:
    """Return the classes of several tasks by their names, all where none is named: also an ``environment_factory``.

    The rows say in ``environment`` whose they are, as those of ``dataset(..., kind="episode")`` do. Further arguments
    and errors as ``environment``'s.
    """
    chosen = names or [task.name for task in tasks.every()]
    return {name: environment(name, processor=processor, trusted=trusted) for name in chosen}


def _is_followed_by_pictures(episode: Episode) -> bool:
    """Whether a right answer leads to a further question with pictures."""
    question = episode.question
    following = episode.task.next(question, question.judge(question.expert())) if question.vision else None
    return following is not None and following.vision


def _method(tool: Callable[..., str]) -> Callable[..., Reply]:
    """Return a tool as the method that TRL offers to the policy, its signature and docstring those of the tool."""

    @wraps(tool)
    def method(self: TaskEnvironment, *arguments: Any, **named: Any) -> Reply:
        return self._submit(tool(*arguments, **named))

    signature = inspect.signature(tool)
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = signature.replace(parameters=[itself, *signature.parameters.values()])  # type: ignore[attr-defined]
    return method
